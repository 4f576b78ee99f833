"""What lies over the window while a file is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from avseg_app.widgets.controls import column, label


class DropVeil(QFrame):
    """Says that a drop opens the video; lets all events through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropVeil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        text = label(self.tr("Drop to open this video"), "title")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setLayout(column(0, text, 0))
        self.hide()

    def show_over(self, widget: QWidget, wanted: bool) -> None:
        """Covers `widget` if `wanted`."""
        self.setGeometry(widget.geometry())
        self.setVisible(wanted)
        self.raise_()
