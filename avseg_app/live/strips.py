"""What was heard and seen to sound just now: a running spectrogram and the history of the last minute."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QWidget

from avseg_app import theme
from avseg_app.widgets.controls import frame, label
from avseg_app.workspace.tags import sound_name

SPECTRUM_SECONDS = 10.0
HISTORY_SECONDS = 60.0
_COLUMNS = round(SPECTRUM_SECONDS * 100)
_BANDS = 64
_VEIL = QColor(0, 0, 0, 150)
"""Behind text on the spectrogram, which may be bright there."""
_LEAST_LABEL = 60
"""Pixels that a stretch of one sound must have to be named."""


class SpectrogramStrip(QWidget):
    """The last ten seconds of sound, new at the right, high above low."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = np.zeros((_BANDS, _COLUMNS), np.uint8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(64)
        self.setAccessibleName(self.tr("Spectrogram of the last ten seconds"))
        self.setToolTip(self.tr("What the microphone hears, from 125 to 7500 Hz, the last ten seconds"))

    def add(self, columns: NDArray[np.uint8]) -> None:
        """Appends columns [n,64] of 10 ms each, low bands first."""
        count = min(len(columns), _COLUMNS)
        if count:
            self._values = np.concatenate([self._values[:, count:], columns[-count:].T[::-1]], axis=1)
            self.update()

    def clear(self) -> None:
        """Silence."""
        self._values = np.zeros((_BANDS, _COLUMNS), np.uint8)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = cv2.applyColorMap(self._values, cv2.COLORMAP_MAGMA)
        image = QImage(colors.data, _COLUMNS, _BANDS, 3 * _COLUMNS, QImage.Format.Format_BGR888)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), image)
        painter.setFont(theme.small_font())
        height = painter.fontMetrics().height()
        for text, top in (("7.5 kHz", 2), ("125 Hz", self.height() - height - 2)):
            box = QRectF(4, top, painter.fontMetrics().horizontalAdvance(text) + 6, height)
            painter.fillRect(box, _VEIL)
            painter.setPen(theme.load_theme("dark").color("text-muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


@dataclass(frozen=True)
class Moment:
    """One mask update of the history."""

    when: float
    """`time.monotonic()`"""
    area: float
    loudness: float
    tag: str


def make_deck(strips: dict[str, QWidget]) -> QFrame:
    """The strips below the picture, each with its title."""
    grid = QGridLayout()
    grid.setContentsMargins(12, 8, 12, 4)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(4)
    for line, (name, strip) in enumerate(strips.items()):
        title = label(name, "muted")
        title.setFont(theme.small_font())
        grid.addWidget(title, line, 0, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(strip, line, 1)
    deck = frame("deck")
    deck.setLayout(grid)
    return deck


class HistoryStrip(QWidget):
    """The last minute: how much of the picture sounded, how loud it was, and what it was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moments: deque[Moment] = deque()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(58)
        self.setAccessibleName(self.tr("History of the last minute"))
        self.setToolTip(self.tr("The last minute: the sounding share of the picture, the loudness, and what was heard"))

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What is shown, oldest first."""
        return tuple(self._moments)

    def add(self, moment: Moment) -> None:
        """Appends the newest moment and forgets what is older than a minute."""
        self._moments.append(moment)
        while moment.when - self._moments[0].when > HISTORY_SECONDS:
            self._moments.popleft()
        self.update()

    def clear(self) -> None:
        """Forgets everything."""
        self._moments.clear()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 58)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("surface"))
        lane = QRectF(0, 2, self.width(), self.height() - 20)
        painter.fillRect(lane, tokens.color("track"))
        now = time.monotonic()
        for seconds in range(10, round(HISTORY_SECONDS), 10):
            x = self._x(now - seconds, now)
            painter.fillRect(QRectF(x, lane.top(), 1, lane.height()), tokens.color("border"))
        if len(self._moments) > 1:
            self._paint_area(painter, lane, now)
            self._paint_loudness(painter, lane, now)
        self._paint_tags(painter, QRectF(0, lane.bottom() + 1, self.width(), 16), now)

    def _x(self, when: float, now: float) -> float:
        return self.width() * (1 - (now - when) / HISTORY_SECONDS)

    def _paint_area(self, painter: QPainter, lane: QRectF, now: float) -> None:
        bar = theme.current().color("bar")
        for moment, after in zip(self._moments, list(self._moments)[1:], strict=False):
            x, right = self._x(moment.when, now), self._x(after.when, now)
            height = lane.height() * min(1.0, moment.area**0.5)
            painter.fillRect(QRectF(x, lane.bottom() - height, max(right - x, 1.0), height), bar)

    def _paint_loudness(self, painter: QPainter, lane: QRectF, now: float) -> None:
        points = [
            QPointF(self._x(moment.when, now), lane.bottom() - lane.height() * min(max(1 + moment.loudness / 60, 0), 1))
            for moment in self._moments
        ]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.current().color("wave"))
        painter.drawPolyline(QPolygonF(points))

    def _paint_tags(self, painter: QPainter, lane: QRectF, now: float) -> None:
        """Names each stretch of one sound that is long enough."""
        painter.setPen(theme.current().color("text-muted"))
        painter.setFont(theme.small_font())
        for tag, start, stop in self._stretches(now):
            left, right = max(self._x(start, now), 0.0), self._x(stop, now)
            if tag and right - left >= _LEAST_LABEL:
                box = QRectF(left + 3, lane.top(), right - left - 6, lane.height())
                text = painter.fontMetrics().elidedText(sound_name(tag), Qt.TextElideMode.ElideRight, int(box.width()))
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _stretches(self, now: float) -> list[tuple[str, float, float]]:
        """Sound, start and stop of each stretch."""
        found: list[tuple[str, float, float]] = []
        for moment in self._moments:
            if found and found[-1][0] == moment.tag:
                found[-1] = (moment.tag, found[-1][1], moment.when)
            else:
                if found:
                    found[-1] = (*found[-1][:2], moment.when)
                found.append((moment.tag, moment.when, now))
        return found
