"""Two pictures of one frame behind each other, and a divider that is drawn across them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from avseg_app import theme
from avseg_app.widgets.controls import KeyboardFocus, keep_keys, paint_focus

_STEP = 0.05
_GRIP = 9.0
_KEYS = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End}


class Wipe(KeyboardFocus, QWidget):
    """Left of the divider the first picture, right of it the second; mouse and arrow keys move it."""

    def __init__(self, left_name: str, right_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names = (left_name, right_name)
        self._left, self._right = QImage(), QImage()
        self.share = 0.5
        self.invitation = ""
        """What to do while there are no pictures."""
        self.setMinimumSize(QSize(320, 200))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName(self.tr("{0} on the left, {1} on the right").format(left_name, right_name))
        self.setAccessibleDescription(self.tr("Arrow keys move the divider"))

    def show_pair(self, left: QImage, right: QImage) -> None:
        """Shows two pictures of the same size."""
        self._left, self._right = left, right
        self.update()

    def set_share(self, share: float) -> None:
        """Puts the divider at this share of the width, from 0 to 1."""
        self.share = min(max(share, 0.0), 1.0)
        self.update()

    def place(self) -> QRectF:
        """Where the pictures are."""
        fitted = self._left.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, fitted.width(), fitted.height())
        place.moveCenter(QRectF(self.rect()).center())
        return place

    def event(self, event) -> bool:
        return keep_keys(event, _KEYS) or super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._follow(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: self.share - _STEP, Qt.Key.Key_Right: self.share + _STEP}
        ends = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: 1.0}
        target = (steps | ends).get(event.key())
        if target is None:
            super().keyPressEvent(event)
        else:
            self.set_share(target)

    def _follow(self, event: QMouseEvent) -> None:
        if not self._left.isNull():
            place = self.place()
            self.set_share((event.position().x() - place.left()) / place.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._left.isNull():
            self._paint_invitation(painter)
            return
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        place = self.place()
        x = place.left() + self.share * place.width()
        for image, left, right in ((self._left, place.left(), x), (self._right, x, place.right())):
            painter.setClipRect(QRectF(left, place.top(), right - left, place.height()))
            painter.drawImage(place, image)
        painter.setClipping(False)
        painter.setPen(QPen(QColor("white"), 2))
        painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))
        painter.setBrush(QColor("white"))
        painter.setPen(QPen(QColor(0, 0, 0, 120), 1))
        painter.drawEllipse(QPointF(x, place.center().y()), _GRIP, _GRIP)
        self._paint_names(painter, place, x)
        paint_focus(self, painter)

    def _paint_invitation(self, painter: QPainter) -> None:
        """Where the pictures will be."""
        tokens = theme.current()
        painter.fillRect(self.rect(), tokens.color("canvas"))
        painter.setPen(tokens.color("canvas-text"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(40, 20, -40, -20), flags, self.invitation)
        paint_focus(self, painter)

    def _paint_names(self, painter: QPainter, place: QRectF, x: float) -> None:
        painter.setFont(theme.small_font())
        for name, left in ((self.names[0], True), (self.names[1], False)):
            width = painter.fontMetrics().horizontalAdvance(name) + 16
            room = x - place.left() if left else place.right() - x
            if room < width + 12:
                continue
            box = QRectF(place.left() + 8 if left else place.right() - width - 8, place.top() + 8, width, 22)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 150))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(QColor("white"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
