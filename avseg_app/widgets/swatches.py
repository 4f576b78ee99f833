"""A row of colours to choose from: safe for colour-blind eyes, and each has a name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QWidget

from avseg_app import theme
from avseg_app.widgets.controls import CHOOSING, keep_keys

OVERLAY_COLORS: dict[str, str] = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}
"""Okabe and Ito's palette."""


class _Swatch(QAbstractButton):
    def __init__(self, color: str, name: str) -> None:
        super().__init__()
        self._color = QColor(color)
        self.setCheckable(True)
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, CHOOSING) or super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = QRectF(self.rect()).adjusted(4, 4, -4, -4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawRoundedRect(square, 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.isChecked():
            painter.setPen(QPen(theme.current().color("text"), 2))
            painter.drawRoundedRect(square.adjusted(-3, -3, 3, 3), 6, 6)
        elif self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.current().color("accent"), 1.5))
            painter.drawRoundedRect(square.adjusted(-2.5, -2.5, 2.5, 2.5), 6, 6)
        if self.isChecked() and self.hasFocus():
            painter.setPen(QPen(theme.current().color("accent"), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


class ColorChoice(QWidget):
    """Emits `chosen` with a key of `OVERLAY_COLORS`."""

    chosen = Signal(str)

    def __init__(self, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Mask colour"))
        names = {
            "orange": self.tr("Orange"),
            "sky": self.tr("Sky blue"),
            "green": self.tr("Green"),
            "yellow": self.tr("Yellow"),
            "blue": self.tr("Blue"),
            "vermilion": self.tr("Vermilion"),
            "purple": self.tr("Purple"),
        }
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for key, value in OVERLAY_COLORS.items():
            swatch = _Swatch(value, names[key])
            swatch.setChecked(key == color)
            swatch.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(swatch)
            layout.addWidget(swatch)
        layout.addStretch(1)
