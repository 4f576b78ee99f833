"""The bar above the live picture: what is seen and heard, start and stop, record, and the view."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QInputDialog, QWidget

from avseg_app.icons import icon
from avseg_app.settings import Settings
from avseg_app.widgets.controls import Button, Choice, ToolButton, frame, row, set_property
from avseg_app.widgets.icon_label import IconLabel
from avseg_app.workers.live_protocol import DeviceLists

SIZES = ("640x480", "1280x720", "1920x1080")
FILE, ADDRESS = "\0file", "\0address"
"""Entries of the lists that ask for more."""


class SourceBar(QFrame):
    """Emits what the user wants; shows what is the case."""

    source_chosen = Signal(str)
    """A device, or FILE or ADDRESS."""
    place_chosen = Signal(str)
    """A file or an address."""
    sound_chosen = Signal(str)
    size_chosen = Signal(str)
    start_requested = Signal()
    record_requested = Signal()
    snapshot_requested = Signal()
    freeze_requested = Signal(bool)
    present_requested = Signal()
    panel_requested = Signal(bool)
    leave_requested = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.leave_button = Button(self.tr("Back"))
        self.leave_button.setToolTip(self.tr("Close the live view (Esc)"))
        self.leave_button.clicked.connect(self.leave_requested)
        self.source_choice = Choice(self.tr("Camera"))
        self.sound_choice = Choice(self.tr("Microphone"))
        for choice in (self.source_choice, self.sound_choice):
            choice.setMinimumWidth(96)  # the whole bar must find room in the smallest window
            choice.setMaximumWidth(260)
            choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(14)
            choice.currentTextChanged.connect(choice.setToolTip)  # which is cut short in a narrow window
        self.size_choice = Choice(self.tr("Picture size"))
        self.size_choice.addItems([size.replace("x", " × ") for size in SIZES])
        self.size_choice.setCurrentIndex(SIZES.index(settings.live_size) if settings.live_size in SIZES else 0)
        self.start_button = Button()
        self.record_button = Button(icon("record"), self.tr("Record"))
        self.record_button.clicked.connect(self.record_requested)
        self.snapshot_button = ToolButton("snapshot", self.tr("Save what is shown as a picture"))
        self.snapshot_button.clicked.connect(self.snapshot_requested)
        self.freeze_button = ToolButton("freeze", self.tr("Freeze the view"))
        self.freeze_button.setCheckable(True)
        self.freeze_button.toggled.connect(self.freeze_requested)
        self.present_button = ToolButton("present", self.tr("Presentation: only the picture, on the whole screen"))
        self.present_button.clicked.connect(self.present_requested)
        self.panel_button = ToolButton("panel", self.tr("Side panel"))
        self.panel_button.setCheckable(True)
        self.panel_button.setChecked(True)
        self.panel_button.toggled.connect(self.panel_requested)
        self.start_button.clicked.connect(self.start_requested)
        self.source_choice.activated.connect(lambda i: self.source_chosen.emit(self.source_choice.itemData(i)))
        self.sound_choice.activated.connect(lambda i: self.sound_chosen.emit(self.sound_choice.itemData(i)))
        self.size_choice.activated.connect(lambda i: self.size_chosen.emit(SIZES[i]))
        self.setLayout(
            row(
                self.leave_button,
                frame("upright"),
                IconLabel("camera", 18),
                self.source_choice,
                self.size_choice,
                4,
                IconLabel("microphone", 18),
                self.sound_choice,
                self.start_button,
                0,
                self.record_button,
                frame("upright"),
                self.snapshot_button,
                self.freeze_button,
                self.present_button,
                self.panel_button,
                margins=(10, 7, 12, 7),
                spacing=7,
            )
        )
        self.show_running(False)
        self.show_recording(None)
        self.start_button.setEnabled(False)  # until the devices are known

    def show_devices(self, lists: DeviceLists, source: str, sound: str) -> tuple[str, str]:
        """Fills the lists and selects `source` and `sound` as far as they are there; answers what is selected."""
        before = [(choice.currentData(), choice.currentText()) for choice in (self.source_choice, self.sound_choice)]
        self.source_choice.clear()
        for device in lists.cameras:
            name = self.tr("Test picture") if device.spec == "test" else device.name
            self.source_choice.addItem(name, device.spec)
        self.source_choice.insertSeparator(self.source_choice.count())
        self.source_choice.addItem(self.tr("Video file…"), FILE)
        self.source_choice.addItem(self.tr("Network address…"), ADDRESS)
        self.sound_choice.clear()
        self.sound_choice.addItem(self.tr("Sound of the source"), "source")
        for device in lists.microphones:
            text = self.tr("{0} (what this computer plays)").format(device.name) if device.is_loopback else device.name
            self.sound_choice.addItem(text, device.spec)
        self.start_button.setEnabled(True)
        for choice, (spec, name) in zip((self.source_choice, self.sound_choice), before, strict=True):
            self._keep(choice, spec, name)
        return self.select_source(before[0][0] or source), self.select_sound(before[1][0] or sound)

    @property
    def choosing(self) -> bool:
        """True while one of the lists is open."""
        return any(choice.view().isVisible() for choice in (self.source_choice, self.sound_choice))

    def ask_for_place(self, kind: str, folder: str, before: str) -> None:
        """Lets the user name a FILE, looking in `folder`, or an ADDRESS; `before` is selected again if he does not."""
        if kind == FILE:
            dialog = QFileDialog(self, self.tr("Play a video as camera"), folder)
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.fileSelected.connect(self.place_chosen)
        else:
            dialog = QInputDialog(self)
            dialog.setWindowTitle(self.tr("Network camera"))
            dialog.setLabelText(self.tr("Address of the stream, for instance http://… or rtsp://…"))
            dialog.textValueSelected.connect(self.place_chosen)
        dialog.rejected.connect(lambda: self.select_source(before))
        dialog.open()

    def _keep(self, choice: Choice, spec: str | None, name: str) -> None:
        """Leaves a chosen device in its list when it is unplugged: it may come back."""
        if spec and choice.findData(spec) < 0 and not _is_place(spec):
            away = self.tr("{0} (not connected)").format("")
            choice.insertItem(0, name if name.endswith(away) else name + away, spec)

    def select_source(self, spec: str) -> str:
        """Shows `spec`, which may be a file or an address; the first entry if it is empty."""
        return _select(self.source_choice, spec)

    def select_sound(self, spec: str) -> str:
        """Shows `spec`, the first entry if it is not there."""
        return _select(self.sound_choice, spec)

    def show_running(self, running: bool) -> None:
        """Start or stop."""
        self.start_button.setText(self.tr("Stop") if running else self.tr("Start"))
        self.start_button.setIcon(icon("stop") if running else icon("play", "accent-text"))
        self.start_button.setToolTip(self.tr("Start or stop camera and microphone (Space)"))
        set_property(self.start_button, "kind", "" if running else "primary")
        for button in (self.record_button, self.freeze_button, self.snapshot_button, self.present_button):
            button.setEnabled(running)
        if not running:
            self.freeze_button.setChecked(False)

    def show_recording(self, seconds: float | None) -> None:
        """How long it records already; None while it does not."""
        set_property(self.record_button, "kind", "" if seconds is None else "recording")
        if seconds is None:
            self.record_button.setIcon(icon("record", "error"))
            self.record_button.setText(self.tr("Record"))
            self.record_button.setToolTip(self.tr("Record picture, sound and masks (Ctrl+R)"))
            return
        self.record_button.setText(self.tr("Stop  {0}:{1:02d}").format(int(seconds) // 60, int(seconds) % 60))
        self.record_button.setToolTip(self.tr("Finish the recording (Ctrl+R)"))


def _select(choice: Choice, spec: str) -> str:
    index = choice.findData(spec) if spec else 0
    if index < 0 and _is_place(spec):
        choice.insertItem(0, spec.rsplit("/", 1)[-1] or spec, spec)
        choice.setItemData(0, spec, 3)  # Qt.ItemDataRole.ToolTipRole
        index = 0
    choice.setCurrentIndex(max(index, 0))
    return str(choice.currentData())


def _is_place(spec: str) -> bool:
    """True for a file or an address."""
    return "/" in spec or "\\" in spec
