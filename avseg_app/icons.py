"""Icons drawn from `resources/icons/*.svg` in the colours of the theme in force, sharp at any scale."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from avseg_app import theme
from avseg_app.paths import RESOURCES


@cache
def _renderer(name: str, color: str) -> QSvgRenderer:
    source = (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))


class _ThemedIcon(QIconEngine):
    """Paints at the moment of painting, so a change of theme needs no new icons."""

    def __init__(self, name: str, token: str, token_on: str) -> None:
        super().__init__()
        self._name, self._token, self._token_on = name, token, token_on

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = self._token_on if state == QIcon.State.On else self._token
        if mode == QIcon.Mode.Disabled:
            token = "text-disabled"
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        _renderer(self._name, theme.current().tokens[token]).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _ThemedIcon(self._name, self._token, self._token_on)


def icon(name: str, token: str = "text", token_on: str = "accent") -> QIcon:
    """The icon `name` in the colour `token`, in `token_on` while its button is checked."""
    return QIcon(_ThemedIcon(name, token, token_on))


def draw(painter: QPainter, name: str, rect: QRectF, token: str = "text") -> None:
    """Paints the icon `name` into `rect`."""
    _renderer(name, theme.current().tokens[token]).render(painter, rect)


def app_icon() -> QIcon:
    """The application's own icon."""
    return QIcon(str(RESOURCES / "icons" / "avseg-studio.svg"))
