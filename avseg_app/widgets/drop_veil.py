"""What lies over the window while a file is dragged over it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFrame, QWidget

from avseg_app.widgets.controls import column, label


def dropped_files(event: QDropEvent) -> list[Path]:
    """The files and folders of this computer that are dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


class DropVeil(QFrame):
    """Says what a drop does; lets all events through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropVeil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = label("", "title")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setWordWrap(True)
        self.setLayout(column(0, self.text, 0, margins=(40, 20, 40, 20)))
        self.hide()

    def show_over(self, widget: QWidget, text: str) -> None:
        """Covers `widget` with `text`."""
        self.text.setText(text)
        self.setGeometry(widget.geometry())
        self.show()
        self.raise_()
