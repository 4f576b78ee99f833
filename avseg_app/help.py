"""The two help dialogs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QWidget

from avseg_app import theme
from avseg_app.icons import app_icon
from avseg_app.live.keys import live_keys
from avseg_app.widgets.controls import column, label, row
from avseg_app.workspace.actions import shortcut_text
from avseg_core import __version__

_NATIVE = QKeySequence.SequenceFormat.NativeText


class ShortcutsDialog(QDialog):
    """Every action with its keys: those of the window on the left, those of what is shown in it on the right."""

    def __init__(self, window: list[QAction], playback: list[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        general = [
            *_lines(window),
            (self.tr("Move the view when zoomed in"), self.tr("Ctrl+Arrows")),
            (self.tr("From part to part"), self.tr("Tab")),
        ]
        live = [(text, QKeySequence(key).toString(_NATIVE)) for text, key in live_keys().values()]
        training = [(self.tr("New training"), QKeySequence("Ctrl+N").toString(_NATIVE))]
        left, right = _grid(), _grid()
        _add(left, self.tr("Window and view"), general)
        _add(right, self.tr("Playback"), _lines(playback))
        _add(right, self.tr("Live"), live)
        _add(right, self.tr("Training"), training)
        sides = row(column(left, 0), column(right, 0), spacing=32)
        self.setLayout(column(sides, 8, _close_button(self), margins=(22, 18, 22, 14)))


def _lines(actions: list[QAction]) -> list[tuple[str, str]]:
    return [(action.text().replace("&", ""), shortcut_text(action)) for action in actions if action.shortcuts()]


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(5)
    return grid


def _add(grid: QGridLayout, title: str, lines: list[tuple[str, str]]) -> None:
    """A group of keys below what is there already."""
    top = grid.rowCount()
    if top > 1:
        grid.setRowMinimumHeight(top, 8)
    grid.addWidget(label(title, "heading"), top + 1, 0, 1, 2)
    for place, (text, keys) in enumerate(lines, top + 2):
        key_label = label(keys, "muted")
        key_label.setFont(theme.mono_font(0.95))
        grid.addWidget(QLabel(text), place, 0)
        grid.addWidget(key_label, place, 1)


class AboutDialog(QDialog):
    """Name, version, licence."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("About AVSeg Studio"))
        logo = QLabel()
        logo.setPixmap(app_icon().pixmap(QSize(72, 72), self.devicePixelRatioF()))
        text = label(
            self.tr(
                "Segments, in any video, the pixels of the things that make the sound.\n"
                "Built around AVSegFormer. All computing happens on this machine."
            ),
            "muted",
        )
        licence = label(self.tr("Version {0}   ·   Apache License 2.0").format(__version__), "muted")
        words = column(label("AVSeg Studio", "title"), text, 4, licence, spacing=4)
        self.setLayout(column(row(logo, words, spacing=18), 8, _close_button(self), margins=(22, 20, 26, 14)))


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons
