"""The panel beside the live picture: devices, look, what is heard, the mixer, timing, and settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QGridLayout, QScrollArea, QWidget

from avseg_app import theme
from avseg_app.live.meter import LevelMeter
from avseg_app.settings import Settings
from avseg_app.widgets.controls import Button, CheckBox, Choice, Slider, column, frame, label, row
from avseg_app.widgets.elided_label import ElidedLabel
from avseg_app.workers.live_protocol import LiveTick, LiveUpdate
from avseg_app.workspace.inspector import LookSection, TagBars
from avseg_app.workspace.mixer_view import ChannelBars
from avseg_core.inference.live_config import MOST_OFFSET, LiveCounters
from avseg_core.media.capture import DeviceState, DeviceStatus

_WIDTH = 308
_TAGS = 5
_MOST_SMOOTHING = 1.0
_FPS = (15.0, 24.0, 30.0, 60.0)
_SILENT = -90.0
_DOT = 9
_UNKNOWN = "\N{EN DASH}"
_TOKENS = {
    DeviceState.RUNNING: "success",
    DeviceState.OPENING: "info",
    DeviceState.STALLED: "warning",
    DeviceState.LOST: "error",
    DeviceState.ENDED: "text-muted",
    DeviceState.STOPPED: "border-strong",
}


class LivePanel(QFrame):
    """Shows the state of the live mode; emits what the user changes."""

    changed = Signal(dict)
    """Changed settings by name."""
    calibrate_requested = Signal()
    folder_requested = Signal()
    virtual_camera_requested = Signal(bool)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setFixedWidth(_WIDTH)
        self.camera = DeviceLine(self.tr("Camera"))
        self.microphone = DeviceLine(self.tr("Microphone"))
        self.meter = LevelMeter()
        self.look = LookSection(settings)
        self.look.changed.connect(self.changed)
        self.heard = _Heard()
        self.bars = ChannelBars()
        self.timing = _Timing()
        self.pairing = _Pairing(settings)
        self.pairing.changed.connect(self.changed)
        self.pairing.calibrate_button.clicked.connect(self.calibrate_requested)
        self.recording = _Recording(settings)
        self.recording.changed.connect(self.changed)
        self.recording.virtual_box.toggled.connect(self.virtual_camera_requested)
        self.recording.folder_button.clicked.connect(self.folder_requested)
        parts = (
            column(self.camera, self.microphone, self.meter, spacing=5),
            frame("rule"),
            self.look,
            frame("rule"),
            self.heard,
            column(label(self.tr("Channel mixer"), "heading"), self.bars, spacing=6),
            frame("rule"),
            self.timing,
            frame("rule"),
            self.pairing,
            frame("rule"),
            self.recording,
            0,
        )
        body = frame("inspectorBody")
        body.setLayout(column(*parts, spacing=10, margins=(14, 10, 14, 8)))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        self.setLayout(column(scroll, spacing=0))

    def clear(self) -> None:
        """Nothing is known: other devices are being opened."""
        self.heard.clear()
        self.bars.set_weights(np.zeros(0, np.float32))
        self.timing.clear()

    def show_status(self, status: DeviceStatus) -> None:
        """The state of a device."""
        (self.camera if status.kind == "camera" else self.microphone).show_status(status)

    def show_tick(self, tick: LiveTick) -> None:
        """Level and counters."""
        self.meter.show_level(tick.level, tick.peak, tick.clipping)
        self.timing.show_counters(tick.counters, tick.fps, tick.drift_ppm)

    def show_update(self, update: LiveUpdate) -> None:
        """What the newest mask was made from."""
        self.heard.show_sound(update.tags, update.loudness)
        if update.mixer_weights is not None:
            self.bars.set_weights(update.mixer_weights)
        self.timing.show_latency(update)


class DeviceLine(QWidget):
    """A dot, the device's name, and what is wrong with it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self._dot = _Dot()
        self._name = ElidedLabel(kind)
        self._message = label("", "muted")
        self._message.setWordWrap(True)
        self._message.hide()
        self._status: DeviceStatus | None = None
        self.setLayout(column(row(self._dot, self._name, 0, spacing=7), self._message, spacing=2))

    @property
    def text(self) -> str:
        """Everything that is said of the device."""
        return f"{self._name.text()} {self._message.text()}".strip()

    def show_status(self, status: DeviceStatus) -> None:
        """Shows a state, with its message if there is something to do."""
        words = {
            DeviceState.OPENING: self.tr("opening…"),
            DeviceState.STALLED: self.tr("waiting"),
            DeviceState.LOST: self.tr("not available"),
            DeviceState.ENDED: self.tr("at its end"),
            DeviceState.STOPPED: self.tr("off"),
        }
        state = words.get(status.state, "")
        self._name.setText(f"{status.name}  ·  {state}" if state else status.name)
        self._name.setToolTip(status.name)
        message = status.message if status.state is not DeviceState.ENDED else ""
        if status.retry_in is not None:
            message += " " + self.tr("It is tried again and again.")
        self._message.setText(message)
        self._message.setVisible(bool(message))
        self.setAccessibleName(f"{self._kind}: {self.text}")
        self._dot.show_token("warning" if status.warnings else _TOKENS[status.state])


class _Dot(QWidget):
    """A round light in the colour `token` of the theme in force."""

    def __init__(self) -> None:
        super().__init__()
        self._token = "border-strong"
        self.setFixedSize(_DOT, _DOT)

    def show_token(self, token: str) -> None:
        self._token = token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().color(self._token))
        painter.drawEllipse(self.rect())


class _Heard(QWidget):
    """Tags of the sound now."""

    def __init__(self) -> None:
        super().__init__()
        self._loudness = label("", "muted")
        self._tags = TagBars()
        self.setLayout(column(row(label(self.tr("Heard now"), "heading"), 0, self._loudness), self._tags, spacing=6))

    def clear(self) -> None:
        self._loudness.clear()
        self._tags.set_tags((), "")

    def show_sound(self, tags: tuple[tuple[str, float], ...], loudness: float) -> None:
        silent = loudness <= _SILENT
        text = self.tr("silence") if silent else f"{loudness:.0f} dBFS".replace("-", "\N{MINUS SIGN}")
        self._loudness.setText(text)
        empty = self.tr("Nothing is heard") if silent else self.tr("Nothing that the model can name")
        self._tags.set_tags(() if silent else tags[:_TAGS], empty)


class _Timing(QWidget):
    """Where the time goes, and what was left out."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = {
            "capture": self.tr("Capture"),
            "wait": self.tr("Waiting"),
            "visual": self.tr("Seeing"),
            "audio": self.tr("Hearing"),
            "head": self.tr("Deciding"),
            "shown": self.tr("Showing"),
        }
        self._smoothed = dict.fromkeys((*self._parts, "total"), 0.0)
        self._values = {name: label(_UNKNOWN, "muted") for name in self._smoothed}
        self._rate = label("", "muted")
        self._rate.setFont(theme.small_font())
        self._left_out = label("", "muted")
        self._left_out.setFont(theme.small_font())
        self._left_out.setWordWrap(True)
        self._times: list[float] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for value in self._values.values():
            value.setFont(theme.mono_font(0.9))
        for line, (name, text) in enumerate(self._parts.items()):
            grid.addWidget(label(text), line % 3, 2 * (line // 3))
            grid.addWidget(self._values[name], line % 3, 2 * (line // 3) + 1, Qt.AlignmentFlag.AlignRight)
        title = row(ElidedLabel(self.tr("Delay to the screen"), "heading"), 0, self._values["total"])
        self.setLayout(column(title, grid, self._rate, self._left_out, spacing=4))

    def clear(self) -> None:
        self._smoothed = dict.fromkeys(self._smoothed, 0.0)
        self._times = []
        for value in self._values.values():
            value.setText(_UNKNOWN)
        self._rate.clear()
        self._left_out.clear()

    def show_latency(self, update: LiveUpdate) -> None:
        """The parts of updates that looked at a new picture; the others would make them look smaller than they are."""
        for name, seconds in vars(update.latency).items() if not update.reused else ():
            self._show_part(name, seconds + (self._smoothed["shown"] if name == "total" else 0.0))
        self._times = [moment for moment in self._times if update.when - moment < 2.0] + [update.when]

    def show_display(self, seconds: float) -> None:
        """How long a mask took from the model to the screen."""
        self._show_part("shown", seconds)

    def _show_part(self, name: str, seconds: float) -> None:
        before = self._smoothed[name] or seconds
        self._smoothed[name] = before + 0.2 * (seconds - before)
        self._values[name].setText(f"{self._smoothed[name] * 1000:4.0f} ms")

    def show_counters(self, counters: LiveCounters, fps: float, drift_ppm: float) -> None:
        """What came and what was left out, and how far the two clocks run apart."""
        rate = len(self._times) / 2.0
        self._rate.setText(self.tr("{0:.0f} pictures, {1:.1f} masks / s").format(fps, rate))
        notes = [self.tr("{0} of {1} pictures seen by the model").format(counters.frames_seen, counters.frames)]
        if counters.frames_lost:
            notes.append(self.tr("{0} lost by the camera").format(counters.frames_lost))
        if counters.skipped:
            notes.append(self.tr("{0} updates skipped").format(counters.skipped))
        if counters.overflows:
            notes.append(self.tr("{0} sound overflows").format(counters.overflows))
        if counters.gaps:
            notes.append(self.tr("{0:.1f} s of sound missing").format(counters.gaps))
        if counters.recorder_dropped:
            notes.append(self.tr("{0} pictures not recorded").format(counters.recorder_dropped))
        if abs(drift_ppm) >= 1:
            notes.append(self.tr("clocks drift by {0:.0f} ppm").format(drift_ppm).replace("-", "\N{MINUS SIGN}"))
        self._left_out.setText(" · ".join(notes))


class _Pairing(QWidget):
    """How picture and sound are brought together."""

    changed = Signal(dict)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.window_choice = Choice(self.tr("Sound of a picture"))
        self.window_choice.setMinimumWidth(0)
        self.window_choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.window_choice.addItem(self.tr("The second before it (fast)"), "ending")
        self.window_choice.addItem(self.tr("The second around it"), "centred")
        self.window_choice.setCurrentIndex(1 if settings.live_window == "centred" else 0)
        self.window_choice.activated.connect(
            lambda index: self.changed.emit({"live_window": self.window_choice.itemData(index)})
        )
        self.fps_choice = Choice(self.tr("Pictures per second"))
        for fps in _FPS:
            self.fps_choice.addItem(f"{fps:g}", fps)
        self.fps_choice.setCurrentIndex(
            _FPS.index(settings.live_fps) if settings.live_fps in _FPS else _FPS.index(30.0)
        )
        self.fps_choice.activated.connect(lambda index: self.changed.emit({"live_fps": _FPS[index]}))
        self.offset = QDoubleSpinBox()
        self.offset.setRange(-MOST_OFFSET * 1000, MOST_OFFSET * 1000)
        self.offset.setDecimals(0)
        self.offset.setSingleStep(10)
        self.offset.setSuffix(" ms")
        self.offset.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.offset.setValue(settings.live_offset * 1000)
        self.offset.setAccessibleName(self.tr("Sound comes later by"))
        self.offset.valueChanged.connect(lambda value: self.changed.emit({"live_offset": value / 1000}))
        self.calibrate_button = Button(self.tr("Calibrate…"))
        self.calibrate_button.setToolTip(
            self.tr("Clap three times in view of the camera; it looks and listens for five seconds")
        )
        self.smoothing = Slider(0.0, _MOST_SMOOTHING, 0.02, self.tr("Smoothing"))
        self.smoothing.set_real(settings.live_smoothing)
        self.smoothing.setToolTip(self.tr("How slowly masks come and go"))
        self.smoothing.moved.connect(lambda value: self.changed.emit({"live_smoothing": value}))
        self.refine_box = _box(self.tr("Edges as in the picture"), settings.live_refine, "live_refine", self)
        self.mirror_box = _box(self.tr("Mirror the picture"), settings.live_mirror, "live_mirror", self)
        self.mirror_box.setToolTip(self.tr("Left and right exchanged; recordings and snapshots are as you see them"))
        self.setLayout(
            column(
                label(self.tr("Picture and sound"), "heading"),
                self.window_choice,
                row(label(self.tr("Pictures per second")), 0, self.fps_choice),
                row(label(self.tr("Sound later by")), 0, self.offset),
                row(0, self.calibrate_button),
                row(label(self.tr("Smoothing")), self.smoothing),
                self.mirror_box,
                self.refine_box,
                spacing=6,
            )
        )

    def show_offset(self, seconds: float) -> None:
        """An offset that was measured."""
        self.offset.setValue(round(seconds * 1000))


class _Recording(QWidget):
    """What a recording holds and where it goes."""

    changed = Signal(dict)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.picture_box = _box(self.tr("Picture"), settings.live_record_video, "live_record_video", self)
        self.masks_box = _box(self.tr("Masks"), settings.live_record_masks, "live_record_masks", self)
        self.sound_box = _box(self.tr("Sound"), settings.live_record_sound, "live_record_sound", self)
        self.masks_box.setEnabled(settings.live_record_video)  # masks lie on a picture
        self.picture_box.toggled.connect(self.masks_box.setEnabled)
        self.virtual_box = CheckBox(self.tr("Virtual camera"))
        self.virtual_box.setToolTip(self.tr("Other programs, such as video calls, can choose this picture as a camera"))
        self.folder_button = Button(self.tr("Folder…"))
        self._folder = ElidedLabel("", "muted", Qt.TextElideMode.ElideMiddle)
        self.setLayout(
            column(
                label(self.tr("Recording"), "heading"),
                row(self.picture_box, self.sound_box, self.masks_box, 0),
                row(self._folder, 0, self.folder_button),
                self.virtual_box,
                spacing=6,
            )
        )

    def show_folder(self, folder: Path) -> None:
        self._folder.setText(str(folder))


def _box(text: str, checked: bool, name: str, owner: _Pairing | _Recording) -> CheckBox:
    box = CheckBox(text)
    box.setChecked(checked)
    box.toggled.connect(lambda on: owner.changed.emit({name: on}))
    return box
