"""The workspace: canvas, inspector, transport and timeline around one controller."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from avseg_app.settings import Settings, SettingsStore
from avseg_app.widgets.controls import column, frame, row
from avseg_app.widgets.swatches import OVERLAY_COLORS
from avseg_app.workers.protocol import FeatureMaps
from avseg_app.workspace.actions import PlaybackActions
from avseg_app.workspace.canvas import Canvas, Pointed
from avseg_app.workspace.class_legend import class_name
from avseg_app.workspace.controller import Controller
from avseg_app.workspace.document import Document
from avseg_app.workspace.inspector import Inspector
from avseg_app.workspace.job_bar import JobBar
from avseg_app.workspace.timecode import timecode
from avseg_app.workspace.timeline import Timeline
from avseg_app.workspace.transport import Transport
from avseg_core.results.look import OverlayStyle

_TIMELINE_MS = 100


class WorkspacePage(QWidget):
    """Puts what the controller says on screen, and hands it what the user does."""

    readout = Signal(str)
    """What the mouse points at, in words; empty for nothing."""

    def __init__(self, controller: Controller, actions: PlaybackActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._controller = controller
        self._settings: SettingsStore = controller.settings
        self.canvas = Canvas(overlay_style(self._settings.values))
        self.inspector = Inspector(self._settings.values)
        self.transport = Transport(actions)
        self.timeline = Timeline()
        self.job_bar = JobBar()
        deck = frame("deck")
        deck.setLayout(column(self.transport, self.timeline, self.job_bar, spacing=2))
        upper = row(self.canvas, self.inspector, spacing=0)
        upper.setStretch(0, 1)
        self.setLayout(column(upper, deck, spacing=0))
        self.layout().setStretch(0, 1)
        self.inspector.setVisible(self._settings.values.inspector_visible)
        self.transport.volume_slider.set_real(self._settings.values.volume)
        self._timeline_timer = QTimer(self)
        self._timeline_timer.setSingleShot(True)
        self._timeline_timer.setInterval(_TIMELINE_MS)
        self._timeline_timer.timeout.connect(self._refresh_timeline)
        self._connect()
        self._on_setting("volume")

    def _connect(self) -> None:
        controller, player = self._controller, self._controller.player
        player.frame_shown.connect(self.canvas.set_frame)
        player.position_changed.connect(self.transport.set_position)
        player.position_changed.connect(self.timeline.set_position)
        player.playing_changed.connect(self.transport.set_playing)
        controller.document_changed.connect(self._on_document)
        controller.timeline_changed.connect(self._timeline_timer_start)
        controller.result_changed.connect(self._on_result)
        controller.maps_changed.connect(self._on_maps)
        controller.job_changed.connect(self._on_job)
        self.timeline.seek_requested.connect(player.seek)
        self.transport.speed_chosen.connect(player.set_speed)
        self.transport.volume_chosen.connect(lambda volume: self._settings.update(volume=volume))
        self.job_bar.cancel_requested.connect(controller.cancel)
        self.job_bar.resume_requested.connect(controller.resume)
        self.job_bar.anew_requested.connect(controller.segment_anew)
        self.job_bar.recorded_requested.connect(controller.show_recorded)
        self.inspector.style_changed.connect(lambda changes: self._settings.update(**changes))
        self.inspector.channel_pointed.connect(self._on_channel)
        self.canvas.pointed.connect(self._on_pointed)
        self._settings.changed.connect(self._on_setting)

    def _on_document(self) -> None:
        document = self._controller.document
        self.canvas.set_mask(None)
        if document is None:
            return
        info = document.info
        self.canvas.set_video_size(info.width, info.height, float(info.pixel_aspect))
        self.inspector.mixer.maps.set_aspect(info.width * float(info.pixel_aspect) / max(1, info.height))
        self.transport.set_duration(info.duration)
        self.inspector.mixer.set_mappable(not document.shows_recorded)
        self._refresh_timeline()
        self._on_job()
        self._on_result()

    def _timeline_timer_start(self) -> None:
        """Many results a second are drawn together."""
        if not self._timeline_timer.isActive():
            self._timeline_timer.start()

    def _refresh_timeline(self) -> None:
        if self._controller.document is not None:
            self.timeline.set_data(self._controller.document.timeline())

    def _on_result(self) -> None:
        result, waiting = self._controller.result, self._waiting_text()
        if result is None:
            self.canvas.set_mask(None)
        else:
            self.canvas.set_mask(result.probability, result.labels)
        self.canvas.set_note("" if result is not None else waiting)
        self.inspector.mixer.set_maps(None)
        self.inspector.set_result(result, waiting, self._class_names())

    def _class_names(self) -> tuple[str, ...]:
        return self._controller.document.class_names if self._controller.document is not None else ()

    def _waiting_text(self) -> str:
        """Why there is no mask at this moment of the video."""
        document = self._controller.document
        if document is None:
            return ""
        return {
            "loading": self.tr("Preparing the model…"),
            "running": self.tr("Being segmented…"),
            "stopped": self.tr("Not segmented: stopped"),
            "failed": self.tr("Not segmented: failed"),
            "done": "",
            "recorded": self.tr("No mask was recorded here") if self._in_pause(document) else "",
        }[document.job.phase]

    def _in_pause(self, document: Document) -> bool:
        return document.place_at(self._controller.player.position) < 0

    def _on_job(self) -> None:
        document = self._controller.document
        if document is not None:
            self.job_bar.show_state(document.job, document.rate, has_recorded=document.recorded is not None)
            if self._controller.result is None:
                self._on_result()

    def _on_maps(self, maps: FeatureMaps) -> None:
        self.inspector.mixer.set_maps(maps)

    def _on_channel(self, channel: int) -> None:
        """Shows the channel that is pointed at in place of the mask."""
        mixer = self.inspector.mixer
        values = mixer.map_of(channel)
        self.canvas.set_preview(values, mixer.caption_of(channel) if values is not None else "")

    def _on_pointed(self, pointed: Pointed | None) -> None:
        if pointed is None:
            self.readout.emit("")
            return
        place = f"{timecode(self._controller.player.position)}   x {pointed.x}, y {pointed.y}"
        if pointed.probability is None:
            self.readout.emit(self.tr("{0}   no mask").format(place))
        else:
            text = self.tr("{0}   sounds with {1:.0f} %").format(place, 100 * pointed.probability)
            name = class_name(self._class_names(), pointed.label) if pointed.label else ""
            self.readout.emit(f"{text}   {name}".rstrip())

    def _on_setting(self, name: str) -> None:
        values = self._settings.values
        if name in ("overlay_mode", "overlay_color", "opacity", "threshold"):
            self.canvas.set_style(overlay_style(values))
        if name == "overlay_mode":
            self.inspector.look.show_mode(values.overlay_mode)
        elif name == "volume":
            self._controller.player.set_volume(values.volume, values.muted)
        elif name == "inspector_visible":
            self.inspector.setVisible(values.inspector_visible)
            self._controller.set_maps_wanted(values.inspector_visible)


def overlay_style(values: Settings) -> OverlayStyle:
    """The mask's look by the settings."""
    return OverlayStyle(values.overlay_mode, overlay_color(values), values.opacity, values.threshold)


def overlay_color(values: Settings) -> tuple[int, int, int]:
    """The chosen colour as red, green, blue."""
    color = QColor(OVERLAY_COLORS.get(values.overlay_color, OVERLAY_COLORS["orange"]))
    return color.red(), color.green(), color.blue()
