"""Which colour of the mask is which class, for models that tell classes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from avseg_app import theme
from avseg_core.results.look import class_color

_SWATCH = 12
_MOST = 6
_ROOM = 3
"""Lines that are always kept free, so that the panel stays calm from second to second."""


class ClassLegend(QWidget):
    """The classes of the mask in view with their colours, the largest first, and their shares of the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[int, str, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def names(self) -> list[str]:
        """The classes that are shown, top to bottom."""
        return [name for _, name, _ in self._rows]

    def set_classes(self, names: tuple[str, ...], labels: NDArray[np.uint8] | None) -> None:
        """Shows what is in labels [h,w] (0 silent); None while there is no mask."""
        counts = np.bincount(labels.ravel(), minlength=1) if labels is not None else np.zeros(1, int)
        sounding = [int(index) for index in np.argsort(-counts[1:], kind="stable")[:_MOST] + 1 if counts[index] > 0]
        rows = [(index, class_name(names, index), counts[index] / counts.sum()) for index in sounding]
        if len(rows) != len(self._rows):
            self.updateGeometry()
        self._rows = rows
        self.setAccessibleName(
            ", ".join(f"{name} {share:.0%}" for _, name, share in rows) or self.tr("Nothing sounds here")
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, max(_ROOM, len(self._rows)) * self._line())

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rows:
            painter.setPen(tokens.color("text-muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignTop, self.tr("Nothing sounds here"))
        for row, (index, name, share) in enumerate(self._rows):
            line = QRectF(0, row * self._line(), self.width(), self._line())
            swatch = QRectF(1, line.center().y() - _SWATCH / 2, _SWATCH, _SWATCH)
            painter.setPen(QPen(tokens.color("border-strong"), 1))
            painter.setBrush(QColor(*class_color(index)))
            painter.drawRoundedRect(swatch, 3, 3)
            painter.setPen(tokens.color("text-muted"))
            number = f"{100 * share:.0f} %"
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
            place = line.adjusted(_SWATCH + 9, 0, -painter.fontMetrics().horizontalAdvance("100 %") - 6, 0)
            painter.setPen(tokens.color("text"))
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

    def _line(self) -> int:
        return self.fontMetrics().height() + 5


def class_name(names: tuple[str, ...], index: int) -> str:
    """The name of a class, or its number while the names are not known."""
    return names[index] if index < len(names) else f"class {index}"
