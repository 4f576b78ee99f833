"""The first page: drop a video, open one, take up a recent one, or try the demo clip."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap, QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QListWidgetItem, QSizePolicy, QWidget

from avseg_app.icons import app_icon
from avseg_app.paths import DEMO_CLIP
from avseg_app.settings import SettingsStore
from avseg_app.widgets.controls import Button, column, frame, icon_button, label, row, set_property
from avseg_app.widgets.icon_label import IconLabel
from avseg_app.workers.background import Background
from avseg_app.workspace.recent import RecentList
from avseg_app.workspace.thumbnail import read_thumbnail

_WIDTH = 760
_THUMBNAIL = QSize(208, 117)


class StartPage(QWidget):
    """Emits what the user wants to open."""

    open_requested = Signal()
    file_chosen = Signal(object)
    live_requested = Signal()

    def __init__(self, settings: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._settings = settings
        self._pictures = Background("thumbnails", self)
        self.drop_area = self._make_drop_area()
        self.setFocusProxy(self.open_button)
        self.demo_button = Button(self.tr("Try it"))
        self.demo_button.clicked.connect(lambda: self.file_chosen.emit(DEMO_CLIP))
        self.recent_list = RecentList()
        self.recent_list.itemActivated.connect(self._choose)
        self.recent_list.itemClicked.connect(self._choose)
        body = QWidget()
        body.setFixedWidth(_WIDTH)
        lower = row(self._make_demo_card(), self._make_recent_card(), spacing=16)
        lower.setStretch(0, 0)
        lower.setStretch(1, 1)
        body.setLayout(column(self._make_title(), 12, self.drop_area, 8, lower))
        self.setLayout(row(0, column(0, body, 0), 0, margins=(16, 16, 16, 16)))
        settings.changed.connect(lambda name: self._fill_recent() if name == "recent_files" else None)
        self._fill_recent()

    def close_threads(self) -> None:
        """Ends the thread that reads pictures."""
        self._pictures.close()

    def set_hot(self, hot: bool) -> None:
        """Shows that what is dragged would be taken."""
        set_property(self.drop_area, "hot", hot)

    def _make_title(self) -> QWidget:
        logo = QLabel()
        logo.setPixmap(app_icon().pixmap(QSize(52, 52), self.devicePixelRatioF()))
        name = label("AVSeg Studio", "title")
        promise = label(self.tr("Shows, in any video, the pixels of the things that make the sound."), "muted")
        title = QWidget()
        title.setLayout(row(logo, column(name, promise, spacing=0), 0, spacing=14))
        return title

    def _make_drop_area(self) -> QFrame:
        headline = label(self.tr("Drop a video here"), "heading")
        headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = label(
            self.tr("MP4, MOV, MKV, WebM, AVI and whatever else FFmpeg reads. Nothing leaves this computer."), "muted"
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open_button = Button(self.tr("Open a video…"))
        self.open_button.setProperty("kind", "primary")
        self.open_button.setToolTip(self.tr("Open a video (Ctrl+O)"))
        self.open_button.clicked.connect(self.open_requested)
        self.live_button = icon_button("camera", self.tr("Live camera…"))
        self.live_button.setToolTip(self.tr("See live what sounds before a camera and a microphone (Ctrl+L)"))
        self.live_button.clicked.connect(self.live_requested)
        area = frame("dropArea")
        area.setLayout(
            column(
                row(0, IconLabel("drop", 48), 0),
                headline,
                hint,
                6,
                row(0, self.open_button, self.live_button, 0),
                spacing=6,
                margins=(24, 26, 24, 26),
            )
        )
        return area

    def _make_demo_card(self) -> QFrame:
        self._demo_picture = QLabel()
        self._demo_picture.setFixedSize(_THUMBNAIL)
        self._demo_picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = label(self.tr("Things that sound in turn: watch the mask follow the sound."), "muted")
        text.setWordWrap(True)
        card = _card()
        card.setLayout(
            column(
                label(self.tr("Demo clip"), "heading"),
                self._demo_picture,
                text,
                row(self.demo_button, 0),
                0,
                margins=(16, 14, 16, 14),
            )
        )
        card.setFixedWidth(_THUMBNAIL.width() + 34)
        self._pictures.submit(lambda: read_thumbnail(DEMO_CLIP, 2 * _THUMBNAIL.width()), self._show_demo)
        return card

    def _show_demo(self, image: object) -> None:
        pixmap = QPixmap.fromImage(image)
        scaled = pixmap.scaled(
            _THUMBNAIL * self.devicePixelRatioF(),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        scaled.setDevicePixelRatio(self.devicePixelRatioF())
        self._demo_picture.setPixmap(scaled)

    def _make_recent_card(self) -> QFrame:
        self._no_recent = label(self.tr("Videos that you open appear here."), "muted")
        card = _card()
        card.setLayout(
            column(
                label(self.tr("Recent videos"), "heading"),
                self._no_recent,
                self.recent_list,
                margins=(16, 14, 10, 10),
            )
        )
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        return card

    def _fill_recent(self) -> None:
        files = [Path(name) for name in self._settings.values.recent_files]
        self.recent_list.fill(files)
        self.recent_list.setVisible(bool(files))
        self._no_recent.setVisible(not files)
        self._no_recent.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._no_recent.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._pictures.submit(lambda: [path for path in files if not path.exists()], self.recent_list.mark_missing)

    def showEvent(self, event: QShowEvent) -> None:
        self._fill_recent()  # files come and go meanwhile
        super().showEvent(event)

    def _choose(self, item: QListWidgetItem) -> None:
        self.file_chosen.emit(item.data(Qt.ItemDataRole.UserRole))


def _card() -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    return card
