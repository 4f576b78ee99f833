"""The level meter of the microphone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from avseg_app import theme

_FLOOR = -60.0
_HIGH = -9.0
"""Above this it is loud, in dBFS."""
_LIGHT = 10


class LevelMeter(QWidget):
    """A bar for the loudness, a tick for the peak, a light for clipping."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = self._peak = _FLOOR
        self._clipping = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Microphone level"))
        self.setToolTip(self.tr("Loudness and peak in dB below full scale; the light is red when the sound is cut off"))

    @property
    def clipping(self) -> bool:
        """True while the light is on."""
        return self._clipping

    def show_level(self, level: float, peak: float, clipping: bool) -> None:
        """Levels in dBFS."""
        self._level, self._peak, self._clipping = level, peak, clipping
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(0, 2, self.width() - _LIGHT - 6, 8)
        painter.setPen(tokens.color("border"))
        painter.setBrush(tokens.color("track"))
        painter.drawRoundedRect(bar.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        filled = QRectF(bar.left() + 1, bar.top() + 1, (bar.width() - 2) * _share(self._level), bar.height() - 2)
        painter.fillRect(filled, tokens.color("warning" if self._level > _HIGH else "success"))
        if self._peak > _FLOOR:
            at = bar.left() + (bar.width() - 2) * _share(self._peak)
            painter.fillRect(QRectF(at, bar.top() + 1, 2, bar.height() - 2), tokens.color("text"))
        painter.setPen(tokens.color("border-strong"))
        painter.setBrush(tokens.color("error" if self._clipping else "track"))
        painter.drawEllipse(QRectF(self.width() - _LIGHT, 1.5, _LIGHT - 1, _LIGHT - 1))


def _share(decibels: float) -> float:
    return min(max(1 - decibels / _FLOOR, 0.0), 1.0)
