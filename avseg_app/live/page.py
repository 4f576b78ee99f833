"""The live page: the picture now with what sounds in it, and everything that belongs to it."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from avseg_app.live.keys import live_keys
from avseg_app.live.panel import LivePanel
from avseg_app.live.presentation import Presentation
from avseg_app.live.saving import Saving, to_image
from avseg_app.live.source_bar import ADDRESS, FILE, SourceBar
from avseg_app.live.strips import HistoryStrip, Moment, SpectrogramStrip, make_deck
from avseg_app.settings import SettingsStore
from avseg_app.widgets.controls import column, make_action, row
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.workers.decode_thread import DisplayFrame
from avseg_app.workers.frame_ring import SharedFrame
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import (
    Calibrated,
    DeviceLists,
    LiveTick,
    LiveUpdate,
    ShownToOthers,
    ShowToOthers,
    StartLive,
)
from avseg_app.workspace.canvas import Canvas
from avseg_app.workspace.page import overlay_style
from avseg_app.workspace.tags import sound_name, telling_tag
from avseg_core.inference.live_config import LiveConfig
from avseg_core.media.capture import CameraOptions, DeviceState, DeviceStatus

_LOOK = ("overlay_mode", "overlay_color", "opacity", "threshold")
_CONFIG = ("live_window", "live_smoothing", "live_offset", "live_refine", "live_mirror", "threshold")
_DEVICES_MS = 4000
"""How often it is looked for devices that have been plugged in."""
_SURE = 0.3
"""Tags below this score are not shown to an audience."""


class LivePage(QWidget):
    """Runs a LiveClient; `enter` and `leave` are called by the window."""

    leave_requested = Signal()
    recording_opened = Signal(object)
    """The path of a recording that the user wants to see in the workspace."""

    def __init__(self, settings: SettingsStore, messages: MessageBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._settings, self._messages = settings, messages
        self.client = LiveClient(self)
        self.bar = SourceBar(settings.values)
        self.canvas = Canvas(overlay_style(settings.values))
        self.canvas.setAccessibleName(self.tr("Live picture"))
        self.panel = LivePanel(settings.values)
        self.spectrogram = SpectrogramStrip()
        self.history = HistoryStrip()
        self.presentation: Presentation | None = None
        self.shown_frames = 0
        """Pictures that were drawn."""
        self._frozen = False
        self._awaits_model = False
        self._is_new = False  # until the first word of a new session, what comes is still of the one before
        self._shape = (0, 0)
        self._last: SharedFrame | None = None
        self._words, self._mask_done = "", 0.0
        self._lists = DeviceLists((), ())
        self.saving = Saving(self.client, settings, messages, self)
        self._hot_plug = QTimer(self)
        self._hot_plug.setInterval(_DEVICES_MS)
        self._hot_plug.timeout.connect(self.client.list_devices)
        deck = make_deck({self.tr("Sound, 10 s"): self.spectrogram, self.tr("Last minute"): self.history})
        upper = row(self.canvas, self.panel, spacing=0)
        upper.setStretch(0, 1)
        self.setLayout(column(self.bar, upper, deck, spacing=0))
        self.layout().setStretch(1, 1)
        self.panel.recording.show_folder(self.saving.folder)
        self._make_actions()
        self._connect()

    def enter(self) -> None:
        """Lists the devices; nothing is switched on before the user starts it."""
        self.client.list_devices()
        self._hot_plug.start()
        self._show_note()
        self.canvas.setFocus()

    def leave(self) -> None:
        """Switches everything off."""
        self._hot_plug.stop()
        self._stop()

    def shut_down(self) -> None:
        """Ends the process; a recording is finished."""
        self._hot_plug.stop()
        if self.presentation is not None:
            self.presentation.close()
        self.client.close()

    def _make_actions(self) -> None:
        slots = {
            "start": self._toggle,
            "record": self.saving.toggle_recording,
            "freeze": self.bar.freeze_button.toggle,
            "snapshot": self.save_snapshot,
            "present": self.present,
            "leave": self.leave_requested.emit,
        }
        for name, (text, key) in live_keys().items():
            action = make_action(self, text, slots[name], key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.addAction(action)

    def _connect(self) -> None:
        client, bar, panel = self.client, self.bar, self.panel
        client.frame_ready.connect(self._on_frame)
        client.status_changed.connect(self._on_status)
        client.ticked.connect(self._on_tick)
        client.updated.connect(self._on_update)
        client.devices_listed.connect(self._on_devices)
        client.refused.connect(lambda text: self._messages.show_message("error", text))
        client.start_refused.connect(self._stop)
        client.trouble.connect(lambda text: self._messages.show_message("warning", text))
        client.shown_to_others.connect(self._on_shown_to_others)
        client.calibrated.connect(self._on_calibrated)
        client.restarted.connect(self._on_restarted)
        client.gave_up.connect(self._on_gave_up)
        client.model_ready.connect(self._await_no_model)
        client.model_refused.connect(self._await_no_model)
        bar.source_chosen.connect(self._on_source)
        bar.place_chosen.connect(self._take_source)
        bar.sound_chosen.connect(lambda spec: self._choose(live_sound=spec))
        bar.size_chosen.connect(lambda size: self._choose(live_size=size))
        bar.start_requested.connect(self._toggle)
        bar.record_requested.connect(self.saving.toggle_recording)
        bar.snapshot_requested.connect(self.save_snapshot)
        bar.freeze_requested.connect(self._freeze)
        bar.present_requested.connect(self.present)
        bar.panel_requested.connect(panel.setVisible)
        bar.leave_requested.connect(self.leave_requested)
        panel.changed.connect(lambda changes: self._settings.update(**changes))
        panel.calibrate_requested.connect(self._calibrate)
        panel.folder_requested.connect(self.saving.ask_folder)
        panel.virtual_camera_requested.connect(self._show_to_others)
        self.saving.opened.connect(self.recording_opened)
        self.saving.ended.connect(lambda: bar.show_recording(None))
        self.saving.folder_changed.connect(panel.recording.show_folder)
        self._settings.changed.connect(self._on_setting)

    # --- start and stop ---

    def start(self) -> None:
        """Opens what is chosen."""
        values = self._settings.values
        width, height = (int(part) for part in values.live_size.split("x"))
        source = self.bar.source_choice.currentData() or "test"
        sound = self.bar.sound_choice.currentData() or "none"
        self._messages.dismiss()
        self.bar.freeze_button.setChecked(False)  # of what was seen before
        self._hot_plug.start()
        self._is_new = self._awaits_model = True
        options = CameraOptions(width=width, height=height, fps=values.live_fps)
        self.client.start(StartLive(source, sound, options, self._config()))
        self._show_to_others(self.panel.recording.virtual_box.isChecked())
        self.bar.show_running(True)
        self._show_note()

    def _stop(self, note: str = "") -> None:
        if self.client.running:
            self.client.stop()
        if self.presentation is not None:
            self.presentation.close()
        self.bar.show_running(False)
        self.canvas.set_mask(None)
        self._show_note(note)

    def _toggle(self) -> None:
        if self.client.running:
            self._stop()
        elif self.bar.start_button.isEnabled():
            self.start()

    def _choose(self, **changes: str) -> None:
        """Another device or size: remembered, and taken up at once if it runs."""
        self._settings.update(**changes)
        if self.client.running:
            self.start()

    def _config(self) -> LiveConfig:
        values = self._settings.values
        return LiveConfig(
            model=values.model,
            window=values.live_window,
            av_offset=values.live_offset,
            smoothing=values.live_smoothing,
            refine=values.live_refine,
            mirror=values.live_mirror,
            threshold=values.threshold,
        )

    def _on_setting(self, name: str) -> None:
        if name in _LOOK:
            style = overlay_style(self._settings.values)
            for canvas in self._canvases():
                canvas.set_style(style)
            if self.panel.recording.virtual_box.isChecked():
                self._show_to_others(True)
            if name == "overlay_mode":
                self.panel.look.show_mode(self._settings.values.overlay_mode)
        if name in _CONFIG:
            self.client.configure(self._config())
        if name == "live_fps" and self.client.running:
            self.start()

    # --- devices ---

    def _on_devices(self, lists: DeviceLists) -> None:
        if lists == self._lists or self.bar.choosing:
            return
        first, self._lists = not self._lists.cameras, lists
        values = self._settings.values
        source, _ = self.bar.show_devices(lists, values.live_source, values.live_sound)
        if first:
            self._show_note()
            if not values.live_sound:
                default = next((device.spec for device in lists.microphones if device.is_default), "")
                self.bar.select_sound("source" if source == "test" else default or "none")

    def _on_source(self, spec: str) -> None:
        if spec in (FILE, ADDRESS):
            self.bar.ask_for_place(spec, self._settings.values.open_dir, self._settings.values.live_source)
            return
        if spec == "test":
            self.bar.select_sound("source")
        self._choose(live_source=spec, live_sound=self.bar.sound_choice.currentData() or "")

    def _take_source(self, spec: str) -> None:
        """A file or an address with its own sound."""
        if spec.strip():
            self.bar.select_source(spec.strip())
            self.bar.select_sound("source")
            self._choose(live_source=spec.strip(), live_sound="source")

    def _clear(self) -> None:
        """Nothing of what was shown is left."""
        self.client.skip_frame()
        self._last, self._shape, self._words = None, (0, 0), ""
        for canvas in self._canvases():
            canvas.set_video_size(1, 1)
            canvas.set_mask(None)
        self.history.clear()
        self.spectrogram.clear()
        self.panel.clear()

    def _on_status(self, status: DeviceStatus) -> None:
        if self._is_new and status.state is DeviceState.OPENING:
            self._is_new = False
            self._clear()
        self.panel.show_status(status)
        if status.kind == "camera" and self.client.running and not self._frozen:
            waiting = status.state not in (DeviceState.RUNNING, DeviceState.STALLED)
            if waiting and status.message:
                self.canvas.set_mask(None)
                self._show_note(status.message)
            elif status.state is DeviceState.RUNNING:
                self._show_note()

    # --- what comes ---

    def _on_frame(self, shared: SharedFrame) -> None:
        if self._frozen or self._is_new or not self.client.running:
            return
        self._last = shared
        if shared.mask is not None and shared.mask_done > self._mask_done:
            self._mask_done = shared.mask_done
            self.panel.timing.show_display(time.monotonic() - shared.mask_done)
        before, self._shape = self._shape, (shared.pixels.shape[1], shared.pixels.shape[0])
        for canvas in self._canvases():
            self._draw(canvas, shared, resized=before != self._shape)
        self.shown_frames += 1

    def _draw(self, canvas: Canvas, shared: SharedFrame, *, resized: bool) -> None:
        if resized:
            canvas.set_video_size(*self._shape)
        canvas.set_frame(DisplayFrame(shared.number, shared.time, to_image(shared), shared.pixels))
        canvas.set_mask(shared.mask)

    def _on_tick(self, tick: LiveTick) -> None:
        if self._is_new or not self.client.running:
            return
        self.bar.show_recording(tick.recorded_seconds)
        if not self._frozen:
            self.panel.show_tick(tick)
            self.spectrogram.add(tick.spectrum)

    def _on_update(self, update: LiveUpdate) -> None:
        if self._frozen or self._is_new or not self.client.running:
            return
        self.panel.show_update(update)
        tag = telling_tag(update.tags)
        self.history.add(Moment(update.when, update.area, update.loudness, tag))
        self._words = sound_name(tag) if dict(update.tags).get(tag, 0.0) >= _SURE else ""
        if self.presentation is not None:
            self.presentation.show_words(self._words)

    def _canvases(self) -> list[Canvas]:
        return [self.canvas, *([self.presentation.canvas] if self.presentation is not None else [])]

    def _show_note(self, text: str = "") -> None:
        """Shows `text`, or else what is waited for, or why there are no masks."""
        if self.client.running:
            awaited = self.tr("Preparing the model…") if self._awaits_model else self.client.without_masks
        elif self._lists.cameras:
            awaited = self.tr("Choose a camera and a microphone and press Start")
        else:
            awaited = self.tr("Looking for cameras and microphones…")
        self.canvas.set_note(text or awaited)

    # --- view ---

    def _freeze(self, frozen: bool) -> None:
        self._frozen = frozen
        self._show_note(self.tr("Frozen") if frozen else "")

    def present(self) -> None:
        """The picture alone on the whole screen."""
        if self.presentation is not None or not self.client.running:
            return
        self.presentation = Presentation(overlay_style(self._settings.values))
        self.presentation.closed.connect(self._on_presentation_closed)
        if self._last is not None:
            self._draw(self.presentation.canvas, self._last, resized=True)
        self.presentation.show_on_best_screen(self.window())

    def _on_presentation_closed(self) -> None:
        self.presentation = None
        self.window().activateWindow()
        self.canvas.setFocus()

    def save_snapshot(self) -> None:
        """Saves what is shown beside the recordings."""
        if self._last is not None:
            self.saving.save_snapshot(self._last, self.canvas)

    def _show_to_others(self, wanted: bool) -> None:
        """Switches the virtual camera."""
        if self.client.running:
            self.client.send(ShowToOthers(overlay_style(self._settings.values) if wanted else None))

    def _on_shown_to_others(self, shown: ShownToOthers) -> None:
        if shown.message:
            self.panel.recording.virtual_box.setChecked(False)
            self._messages.show_message("error", shown.message)
        elif shown.device:
            text = self.tr("Other programs see this picture as the camera {0}.")
            self._messages.show_message("info", text.format(shown.device))

    # --- calibration ---

    def _calibrate(self) -> None:
        if not self.client.running:
            self._messages.show_message("info", self.tr("Start the camera first, then calibrate."))
            return
        self.client.calibrate()
        self._messages.show_message("info", self.tr("Clap three times now, in view and in hearing…"))

    def _on_calibrated(self, outcome: Calibrated) -> None:
        if outcome.offset is None:
            self._messages.show_message("warning", outcome.message)
            return
        self.panel.pairing.show_offset(outcome.offset)
        text = self.tr("The sound comes {0:.0f} ms after the picture; this is made good from now on.")
        self._messages.show_message("success", text.format(outcome.offset * 1000))

    # --- trouble ---

    def _await_no_model(self, _: object = None) -> None:
        self._awaits_model = False
        if not self._frozen:
            self._show_note()

    def _on_restarted(self, reason: str) -> None:
        self._show_to_others(self.panel.recording.virtual_box.isChecked())
        text = self.tr("The live process ended unexpectedly ({0}) and was started again.")
        self._messages.show_message("warning", text.format(reason))

    def _on_gave_up(self, reason: str) -> None:
        self._hot_plug.stop()  # asking for devices would start the process again
        self._stop()
        text = self.tr("The live process ends again and again ({0}).").format(reason)
        self._messages.show_message("error", text, self.tr("Try again"), self.start)
