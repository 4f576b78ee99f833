"""The timeline: what is segmented, how much sounds, how loud and what it is; click or drag to go there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from avseg_app import theme
from avseg_app.widgets.controls import KeyboardFocus, keep_keys, paint_focus
from avseg_app.workspace.tags import sound_name
from avseg_app.workspace.timecode import timecode
from avseg_core.media.windows import place_at

_GUTTER = 76
_MARGIN = 12
_TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_FULL_HEIGHT_AREA = 0.5
"""Share of the frame at which a bar is as high as its lane: sounding things are rarely larger."""
_MOVES = {
    Qt.Key.Key_Left: -1.0,
    Qt.Key.Key_Right: 1.0,
    Qt.Key.Key_Down: -1.0,
    Qt.Key.Key_Up: 1.0,
    Qt.Key.Key_PageDown: -10.0,
    Qt.Key.Key_PageUp: 10.0,
    Qt.Key.Key_Home: -math.inf,
    Qt.Key.Key_End: math.inf,
}


@dataclass(frozen=True)
class TimelineData:
    """What the timeline shows; the arrays have one entry per planned window."""

    duration: float = 0.0
    spans: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """[windows,2] seconds: from when to when the mask of each window holds, ascending."""
    area: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Sounding share of the frame; NaN where it is not segmented yet."""
    tags: tuple[str, ...] = ()
    """The surest sound of each window, "" for none."""
    peaks: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Peaks of the sound over the whole duration, any number; empty for no sound track."""


@dataclass(frozen=True)
class _Lanes:
    """The four rows, top to bottom, right of the names."""

    tags: QRectF
    area: QRectF
    wave: QRectF
    ruler: QRectF


class Timeline(KeyboardFocus, QWidget):
    """Paints `TimelineData` once into a picture and only the playhead anew."""

    seek_requested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = TimelineData()
        self._position = 0.0
        self._picture: QPixmap | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Timeline"))

    def sizeHint(self) -> QSize:
        return QSize(600, 4 + self._row() + 44 + 6 + 28 + 4 + self._row() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def set_data(self, data: TimelineData) -> None:
        """Shows other data."""
        self._data = data
        self._picture = None
        self._describe()
        self.update()

    def set_position(self, time: float) -> None:
        """Moves the playhead to `time` (s)."""
        before, self._position = self._x(self._position), time
        after = self._x(time)
        if round(before * 2) != round(after * 2):
            for x in (before, after):
                self.update(int(x) - 7, 0, 14, self.height())
            self._describe()

    def time_at(self, x: float) -> float:
        """The time at the horizontal place `x`, within the video."""
        left, width = self._span()
        return min(max((x - left) / width, 0.0), 1.0) * self._data.duration

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._paint_picture()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._data.duration > 0:
            self._paint_playhead(painter)
        paint_focus(self, painter)

    def _paint_playhead(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lanes, x = self._lanes(), self._x(self._position)
        color = theme.current().color("playhead")
        painter.setPen(QPen(color, 1.5))
        painter.drawLine(QPointF(x, lanes.tags.top()), QPointF(x, lanes.ruler.top()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        top = lanes.tags.top() - 3
        painter.drawPolygon([QPointF(x - 5, top), QPointF(x + 5, top), QPointF(x, top + 7)])

    def _paint_picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setFont(theme.small_font())
        lanes = self._lanes()
        self._paint_names(painter, lanes)
        if self._data.duration > 0:
            self._paint_area(painter, lanes.area)
            self._paint_tags(painter, lanes.tags)
            self._paint_wave(painter, lanes.wave)
            self._paint_ruler(painter, lanes.ruler)
        painter.end()
        return picture

    def _paint_names(self, painter: QPainter, lanes: _Lanes) -> None:
        painter.setPen(theme.current().color("text-muted"))
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        names = (self.tr("Heard"), self.tr("Area"), self.tr("Sound"))
        for name, lane in zip(names, (lanes.tags, lanes.area, lanes.wave), strict=True):
            painter.drawText(QRectF(0, lane.top(), _GUTTER - 10, lane.height()), align, name)

    def _paint_area(self, painter: QPainter, lane: QRectF) -> None:
        """Bars where there are masks, hatching where there are none."""
        tokens, data = theme.current(), self._data
        painter.fillRect(lane, tokens.color("window"))
        painter.fillRect(lane, QBrush(tokens.color("border-strong", 0.55), Qt.BrushStyle.BDiagPattern))
        known = ~np.isnan(data.area)
        for first, last in _stretches(known, data.spans):
            painter.fillRect(self._box(first, last, lane), tokens.color("track"))
        for first, last, share in self._bars(known):
            box = self._box(first, last, lane)
            height = max(1.5, box.height() * min(1.0, math.sqrt(share / _FULL_HEIGHT_AREA))) if share > 0 else 0
            bar = QRectF(box.left(), box.bottom() - height, box.width(), height)
            painter.fillRect(bar.adjusted(0.5, 0, -0.5, 0) if bar.width() > 4 else bar, tokens.color("bar"))

    def _bars(self, known: NDArray[np.bool_]) -> list[tuple[int, int, float]]:
        """First and last + 1 window and greatest area of each bar; windows narrower than a pixel share one."""
        count = len(known)
        group = max(1, math.ceil(count / max(1.0, self._span()[1])))
        bars = []
        for first in range(0, count, group):
            part = slice(first, first + group)
            if known[part].any():
                bars.append((first, min(first + group, count), float(np.nanmax(self._data.area[part]))))
        return bars

    def _paint_tags(self, painter: QPainter, lane: QRectF) -> None:
        """One label per run of windows that heard the same."""
        tokens, metrics = theme.current(), painter.fontMetrics()
        tags = self._data.tags
        first = 0
        for index in range(1, len(tags) + 1):
            if index < len(tags) and tags[index] == tags[first]:
                continue
            if tags[first]:
                box = self._box(first, index, lane).adjusted(1, 1, -1, -1)
                if box.width() > 6:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(tokens.color("raised"))
                    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                    painter.drawRoundedRect(box, 4, 4)
                if box.width() > 30:
                    painter.setPen(tokens.color("text"))
                    name, width = sound_name(tags[first]), int(box.width()) - 10
                    text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, width)
                    painter.drawText(box.adjusted(6, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, text)
            first = index

    def _paint_wave(self, painter: QPainter, lane: QRectF) -> None:
        tokens, peaks = theme.current(), self._data.peaks
        middle = lane.center().y()
        painter.setPen(QPen(tokens.color("wave"), 1))
        painter.drawLine(QPointF(lane.left(), middle), QPointF(lane.right(), middle))
        if not len(peaks):
            painter.setPen(tokens.color("text-muted"))
            painter.drawText(lane.adjusted(6, 0, 0, 0), Qt.AlignmentFlag.AlignTop, self.tr("No sound track"))
            return
        columns = max(1, int(lane.width()))
        edges = np.linspace(0, len(peaks), columns + 1).astype(int)
        starts = np.minimum(edges[:-1], len(peaks) - 1)
        heights = np.maximum.reduceat(peaks, starts) ** 0.6 * lane.height() / 2
        for x, height in enumerate(heights):
            if height > 0.5:
                painter.fillRect(QRectF(lane.left() + x, middle - height, 1, 2 * height), tokens.color("wave"))

    def _paint_ruler(self, painter: QPainter, lane: QRectF) -> None:
        tokens, duration = theme.current(), self._data.duration
        least = painter.fontMetrics().horizontalAdvance("00:00:00") * 1.6
        step = next((s for s in _TICK_STEPS if s / duration * lane.width() >= least), _TICK_STEPS[-1])
        painter.setPen(tokens.color("text-muted"))
        for tick in range(int(duration / step + 1e-6) + 1):
            x = self._x(tick * step)
            painter.drawLine(QPointF(x, lane.top()), QPointF(x, lane.top() + 4))
            text = timecode(tick * step, 1 if step < 1 else 0)
            half = painter.fontMetrics().horizontalAdvance(text) / 2 + 1
            place = min(max(x, half), self.width() - half - 4)
            box = QRectF(place - half, lane.top() + 3, 2 * half, lane.height() - 3)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

    def _describe(self) -> None:
        self.setAccessibleDescription(
            self.tr("{0} of {1}").format(timecode(self._position, 1), timecode(self._data.duration, 1))
        )

    def _row(self) -> int:
        return self.fontMetrics().height() + 4

    def _lanes(self) -> _Lanes:
        left, width = self._span()
        row, top = self._row(), 5
        tags = QRectF(left, top, width, row)
        ruler = QRectF(left, self.height() - row - 2, width, row)
        wave = QRectF(left, ruler.top() - 32, width, 28)
        area = QRectF(left, tags.bottom() + 4, width, wave.top() - 6 - tags.bottom() - 4)
        return _Lanes(tags, area, wave, ruler)

    def _span(self) -> tuple[float, float]:
        return float(_GUTTER), max(1.0, self.width() - _GUTTER - _MARGIN)

    def _x(self, time: float) -> float:
        left, width = self._span()
        return left + width * (time / self._data.duration if self._data.duration > 0 else 0.0)

    def _box(self, first: int, last: int, lane: QRectF) -> QRectF:
        """The place of windows `first` to `last` - 1 in a lane."""
        spans, duration = self._data.spans, self._data.duration
        left = self._x(min(max(float(spans[first, 0]), 0.0), duration))
        right = self._x(min(float(spans[last - 1, 1]), duration))
        return QRectF(left, lane.top(), right - left, lane.height())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._picture = None
            self.update()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._picture = None
        return keep_keys(event, set(_MOVES)) or super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._picture = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = _MOVES.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
        else:
            self.seek_requested.emit(min(max(self._position + move, 0.0), self._data.duration))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.seek_requested.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        time = self.time_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.seek_requested.emit(time)
        elif self._data.duration > 0:
            QToolTip.showText(event.globalPosition().toPoint(), self._hint(time), self)

    def _hint(self, time: float) -> str:
        place = place_at(self._data.spans, time)
        lines = [timecode(time, 1)]
        if place is None or math.isnan(self._data.area[place]):
            lines.append(self.tr("no mask here (yet)"))
        else:
            lines.append(self.tr("{0:.1f} % of the picture sounds").format(100 * float(self._data.area[place])))
            lines += [sound_name(self._data.tags[place])] if self._data.tags[place] else []
        return "\n".join(lines)


def _stretches(known: NDArray[np.bool_], spans: NDArray[np.float64]) -> list[tuple[int, int]]:
    """First and last + 1 window of every stretch of known windows [n] without a pause between their spans [n,2]."""
    joined = known[1:] & known[:-1] & (spans[1:, 0] <= spans[:-1, 1] + 1e-6)
    firsts = np.flatnonzero(known & ~np.concatenate([[False], joined]))
    lasts = np.flatnonzero(known & ~np.concatenate([joined, [False]]))
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]
