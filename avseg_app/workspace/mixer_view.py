"""The channel mixer at one moment: every channel's weight as a bar, the strongest channels as small maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from avseg_app import theme
from avseg_app.widgets.controls import KeyboardFocus, keep_keys, paint_focus
from avseg_core.results.look import map_colors

_COLUMNS = 64
_BAR_HEIGHT = 28
_ROW_GAP = 4
MAPS = 8
_MAP_COLUMNS = 4


class ChannelBars(KeyboardFocus, QWidget):
    """One bar per channel, `_COLUMNS` to a row; hover or arrow keys point at one."""

    pointed = Signal(int)
    """A channel, or -1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weights = np.zeros(0, np.float32)
        self._at = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Mixer weights of all channels"))

    def set_weights(self, weights: NDArray[np.float32]) -> None:
        """Shows weights [D], each from 0 to 1."""
        if len(weights) != len(self._weights):
            self._at = -1
            self.updateGeometry()
        self._weights = weights
        self.update()

    def sizeHint(self) -> QSize:
        rows = max(1, -(-len(self._weights) // _COLUMNS))
        return QSize(240, rows * (_BAR_HEIGHT + _ROW_GAP))

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        for first in range(0, len(self._weights), _COLUMNS):
            lane = self._lane(first // _COLUMNS)
            count = min(_COLUMNS, len(self._weights) - first)
            painter.fillRect(
                QRectF(lane.left(), lane.top(), lane.width() * count / _COLUMNS, lane.height()), tokens.color("track")
            )
        for channel, weight in enumerate(self._weights):
            box = self._box(channel)
            height = max(1.0, box.height() * float(np.clip(weight, 0, 1)))
            token = "accent" if channel == self._at else "bar"
            painter.fillRect(QRectF(box.left(), box.bottom() - height, box.width() - 0.8, height), tokens.color(token))
        if self._at >= 0:
            painter.setPen(QPen(tokens.color("text"), 1))
            painter.drawRect(self._box(self._at).adjusted(-1, -1, 0.5, 0.5))
        paint_focus(self, painter)

    def _lane(self, row: int) -> QRectF:
        return QRectF(0, row * (_BAR_HEIGHT + _ROW_GAP), self.width(), _BAR_HEIGHT)

    def _box(self, channel: int) -> QRectF:
        row, column = divmod(channel, _COLUMNS)
        lane, width = self._lane(row), self.width() / _COLUMNS
        return QRectF(column * width, lane.top(), width, lane.height())

    def _point(self, channel: int) -> None:
        channel = channel if 0 <= channel < len(self._weights) else -1
        if channel != self._at:
            self._at = channel
            if channel >= 0:
                self.setAccessibleDescription(
                    self.tr("Channel {0}: {1:.2f}").format(channel, float(self._weights[channel]))
                )
            self.pointed.emit(channel)
            self.update()

    def event(self, event: QEvent) -> bool:
        return keep_keys(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -_COLUMNS,
            Qt.Key.Key_Down: _COLUMNS,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not len(self._weights):
            super().keyPressEvent(event)
        else:
            self._point(min(max(max(self._at, 0) + move, 0), len(self._weights) - 1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        row = int(place.y() // (_BAR_HEIGHT + _ROW_GAP))
        column = int(place.x() / max(1, self.width()) * _COLUMNS)
        self._point(row * _COLUMNS + min(max(column, 0), _COLUMNS - 1))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._point(-1)
        super().focusOutEvent(event)


class ChannelMaps(KeyboardFocus, QWidget):
    """The strongest channels of the mixed mask feature as small pictures."""

    pointed = Signal(int)
    """A channel, or -1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._channels: list[int] = []
        self._images: list[QImage] = []
        self._weights: list[float] = []
        self._aspect = 1.0
        self._at = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Strongest channels as maps"))

    def set_aspect(self, aspect: float) -> None:
        """Width by height of the video: maps keep its shape."""
        self._aspect = min(max(aspect, 0.5), 2.5)
        self.updateGeometry()

    def set_maps(self, maps: NDArray[np.uint8], channels: list[int], weights: list[float]) -> None:
        """Shows maps [D,h,w] of the given channels, the strongest first, with their weights."""
        colors = map_colors()
        self._channels, self._weights = channels, weights
        self._images = []
        for channel in channels:
            pixels = np.ascontiguousarray(colors[maps[channel]])
            height, width = pixels.shape[:2]
            self._images.append(QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy())
        self.update()

    def clear(self) -> None:
        """Shows no maps."""
        self._channels, self._images, self._weights = [], [], []
        self._point(-1)
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        cell = (width - 6 * (_MAP_COLUMNS - 1)) / _MAP_COLUMNS
        return round((cell / self._aspect + self._caption() + 6) * (MAPS / _MAP_COLUMNS))

    def sizeHint(self) -> QSize:
        return QSize(260, self.heightForWidth(260))

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.small_font())
        for place in range(MAPS):
            box = self._box(place)
            if place >= len(self._images):
                painter.fillRect(box, tokens.color("track"))
                continue
            painter.drawImage(box, self._images[place])
            if place == self._at:
                painter.setPen(QPen(tokens.color("accent"), 2))
                painter.drawRect(box.adjusted(1, 1, -1, -1))
            painter.setPen(tokens.color("text-muted"))
            caption = QRectF(box.left(), box.bottom() + 1, box.width(), self._caption())
            text = f"{self._channels[place]} · {self._weights[place]:.2f}"
            painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, text)
        paint_focus(self, painter)

    def _caption(self) -> int:
        return self.fontMetrics().height()

    def _box(self, place: int) -> QRectF:
        row, column = divmod(place, _MAP_COLUMNS)
        width = (self.width() - 6 * (_MAP_COLUMNS - 1)) / _MAP_COLUMNS
        height = width / self._aspect
        return QRectF(column * (width + 6), row * (height + self._caption() + 6), width, height)

    def _point(self, place: int) -> None:
        place = place if 0 <= place < len(self._channels) else -1
        if place != self._at:
            self._at = place
            self.pointed.emit(self._channels[place] if place >= 0 else -1)
            self.update()

    def event(self, event: QEvent) -> bool:
        return keep_keys(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -_MAP_COLUMNS,
            Qt.Key.Key_Down: _MAP_COLUMNS,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not self._channels:
            super().keyPressEvent(event)
        else:
            self._point(min(max(max(self._at, 0) + move, 0), len(self._channels) - 1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hits = [place for place in range(MAPS) if self._box(place).contains(QPointF(event.position()))]
        self._point(hits[0] if hits else -1)

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._point(-1)
        super().focusOutEvent(event)
