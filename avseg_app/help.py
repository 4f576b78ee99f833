"""The two help dialogs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QWidget

from avseg_app import theme
from avseg_app.icons import app_icon
from avseg_app.widgets.controls import column, label, row
from avseg_app.workspace.actions import shortcut_text
from avseg_core import __version__


class ShortcutsDialog(QDialog):
    """Every action with its keys, in two columns."""

    def __init__(self, actions: list[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        lines = [(action.text().replace("&", ""), shortcut_text(action)) for action in actions if action.shortcuts()]
        lines += [
            (self.tr("Move the view when zoomed in"), self.tr("Ctrl+Arrows")),
            (self.tr("From part to part"), self.tr("Tab")),
        ]
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        half = -(-len(lines) // 2)
        for place, (text, keys) in enumerate(lines):
            column_at, row_at = divmod(place, half)
            key_label = label(keys, "muted")
            key_label.setFont(theme.mono_font(0.95))
            grid.addWidget(QLabel(text), row_at, 3 * column_at)
            grid.addWidget(key_label, row_at, 3 * column_at + 1)
        grid.setColumnMinimumWidth(2, 24)
        self.setLayout(column(grid, 8, _close_button(self), margins=(22, 18, 22, 14)))


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
