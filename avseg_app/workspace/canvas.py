"""The canvas: the frame with the mask over it, to zoom, pan and point at. Painted by Qt's raster engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from avseg_app import theme
from avseg_app.widgets.controls import KeyboardFocus, keep_keys, paint_focus
from avseg_app.workers.decode_thread import DisplayFrame
from avseg_core.results import look
from avseg_core.results.look import OverlayStyle

MAX_ZOOM = 32.0
_PAN_STEP = 0.15
_PAN_KEYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True)
class Pointed:
    """What the mouse points at: a pixel of the video and its probability to sound (None: not known yet)."""

    x: int
    y: int
    probability: float | None
    label: int = 0
    """Its class, of a model with classes; 0 for none."""


class Canvas(KeyboardFocus, QWidget):
    """Shows one frame and at most one overlay; knows nothing of time or files."""

    pointed = Signal(object)
    """Pointed, or None when the mouse leaves the picture"""
    zoom_changed = Signal(float)

    def __init__(self, style: OverlayStyle, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._frame: DisplayFrame | None = None
        self._grid, self._size = (16, 9), QSizeF(16, 9)
        self._probability: NDArray[np.uint8] | None = None
        self._labels: NDArray[np.uint8] | None = None
        self._preview: NDArray[np.uint8] | None = None
        self._caption = ""
        self._note = ""
        self._layer: tuple[QImage, QRectF, NDArray[np.uint8]] | None = None
        self._zoom = 1.0
        self._center = QPointF(0.5, 0.5)
        self._drag: QPointF | None = None
        self._mouse: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 180)
        self.setAccessibleName(self.tr("Video picture"))

    @property
    def zoom(self) -> float:
        """Magnification relative to the whole frame in view."""
        return self._zoom

    def set_video_size(self, width: int, height: int, pixel_aspect: float = 1.0) -> None:
        """The video's own pixel grid and the width of a pixel over its height; shows the whole frame."""
        self._grid = max(1, width), max(1, height)
        self._size = QSizeF(self._grid[0] * pixel_aspect, self._grid[1])
        self._frame = None
        self.fit()

    def set_frame(self, frame: DisplayFrame) -> None:
        """Shows `frame` from now on."""
        self._frame = frame
        self.update()

    def set_mask(self, probability: NDArray[np.uint8] | None, labels: NDArray[np.uint8] | None = None) -> None:
        """The map [h,w] (255 * p) that lies over the frame, and its classes [h,w] if it has any; None for no mask."""
        if probability is not self._probability:
            self._probability, self._labels = probability, labels
            self._refresh()
            self._tell_pointed()

    def set_style(self, style: OverlayStyle) -> None:
        """Draws the mask in another way."""
        if style != self._style:
            self._style = style
            self._refresh()

    def set_preview(self, values: NDArray[np.uint8] | None, caption: str = "") -> None:
        """Shows a feature map [h,w] in place of the mask until it is called with None."""
        self._preview, self._caption = values, caption
        self._refresh()

    def set_note(self, note: str) -> None:
        """A short line: why there is no mask here, or without a picture in the middle why there is none of those."""
        if note != self._note:
            self._note = note
            self.update()

    def paint_mask(self, painter: QPainter, probability: NDArray[np.uint8] | None, width: int, height: int) -> None:
        """Paints a map [h,w] in the style in force over a picture of `width` x `height`, for a still of it."""
        if probability is None or self._style.mode == "none":
            return
        view = look.View(0, 0, probability.shape[1], probability.shape[0], width, height)
        pixels = look.render(probability, view, self._style)
        layer = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        painter.drawImage(0, 0, layer)

    def fit(self) -> None:
        """Shows the whole frame."""
        self._set_view(1.0, QPointF(0.5, 0.5))

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Magnifies around `anchor` (in widget coordinates; default: the middle)."""
        anchor = anchor or QRectF(self.rect()).center()
        before = self._to_unit(anchor)
        zoom = min(max(self._zoom * factor, 1.0), MAX_ZOOM)
        rect = self._frame_rect(zoom, self._center)
        drift = QPointF(
            before.x() - (anchor.x() - rect.x()) / rect.width(), before.y() - (anchor.y() - rect.y()) / rect.height()
        )
        self._set_view(zoom, self._center + drift)

    def pan_by(self, dx: float, dy: float) -> None:
        """Moves the view by parts of what is in view."""
        rect = self.frame_rect()
        move = QPointF(dx * self.width() / rect.width(), dy * self.height() / rect.height())
        self._set_view(self._zoom, self._center + move)

    def frame_rect(self) -> QRectF:
        """Where the whole frame lies, in widget coordinates."""
        return self._frame_rect(self._zoom, self._center)

    def pixel_at(self, point: QPointF) -> tuple[int, int] | None:
        """The video's pixel (x, y) under `point`, or None beside the picture."""
        unit = self._to_unit(point)
        if not (0 <= unit.x() < 1 and 0 <= unit.y() < 1):
            return None
        return int(unit.x() * self._grid[0]), int(unit.y() * self._grid[1])

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("canvas"))
        if self._frame is not None:
            rect = self.frame_rect()
            smooth = rect.width() < 4 * self._frame.image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(rect, self._frame.image)
            self._paint_layer(painter)
        if self._frame is None:
            self._paint_invitation(painter)
        elif self._note or self._caption:
            _chip(painter, QPointF(12, 12), self._caption or self._note)
        paint_focus(self, painter)

    def _paint_invitation(self, painter: QPainter) -> None:
        """The note where the picture will be."""
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        painter.setPen(theme.current().color("canvas-text"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(40, 20, -40, -20), flags, self._note)

    def _paint_layer(self, painter: QPainter) -> None:
        if self._layer is None:
            self._layer = self._make_layer()
        if self._layer is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._layer[1], self._layer[0])

    def _make_layer(self) -> tuple[QImage, QRectF, NDArray[np.uint8]] | None:
        """The overlay's picture with its place, at the screen's own resolution."""
        values = self._probability if self._preview is None else self._preview
        if values is None or (self._preview is None and self._style.mode == "none"):
            return None
        ratio = self.devicePixelRatioF()
        rect = self.frame_rect()
        frame = (rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
        rows, columns = values.shape
        view = look.visible_part((rows, columns), frame, (self.width() * ratio, self.height() * ratio))
        if view is None:
            return None
        if self._preview is None:
            pixels = look.render(values, view, self._style, self._labels)
        else:
            pixels = look.render_map(values, view)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        cell_x, cell_y = rect.width() / columns, rect.height() / rows
        place = QRectF(
            rect.x() + view.left * cell_x,
            rect.y() + view.top * cell_y,
            (view.right - view.left) * cell_x,
            (view.bottom - view.top) * cell_y,
        )
        return image, place, pixels

    def _refresh(self) -> None:
        self._layer = None
        self.update()

    def _set_view(self, zoom: float, center: QPointF) -> None:
        reach = 0.5 / zoom
        self._center = QPointF(min(max(center.x(), reach), 1 - reach), min(max(center.y(), reach), 1 - reach))
        changed, self._zoom = zoom != self._zoom, zoom
        self._refresh()
        if changed:
            self.zoom_changed.emit(zoom)

    def _frame_rect(self, zoom: float, center: QPointF) -> QRectF:
        """The frame's place; whole device pixels while all of it is in view, so that nothing is blurred."""
        room = QSizeF(self.size())
        scale = min(room.width() / self._size.width(), room.height() / self._size.height()) * zoom
        width, height = self._size.width() * scale, self._size.height() * scale
        x = room.width() / 2 - center.x() * width
        y = room.height() / 2 - center.y() * height
        if width <= room.width():
            x = (room.width() - width) / 2
        if height <= room.height():
            y = (room.height() - height) / 2
        if zoom > 1:
            return QRectF(x, y, width, height)
        ratio = self.devicePixelRatioF()
        left, top = round(x * ratio), round(y * ratio)
        return QRectF(
            left / ratio,
            top / ratio,
            max(1, round((x + width) * ratio) - left) / ratio,
            max(1, round((y + height) * ratio) - top) / ratio,
        )

    def _to_unit(self, point: QPointF) -> QPointF:
        rect = self.frame_rect()
        return QPointF((point.x() - rect.x()) / rect.width(), (point.y() - rect.y()) / rect.height())

    def _tell_pointed(self) -> None:
        place = self.pixel_at(self._mouse) if self._mouse is not None and self._frame is not None else None
        if place is None or self._mouse is None:
            self.pointed.emit(None)
            return
        probability, label = None, 0
        if self._probability is not None:
            unit = self._to_unit(self._mouse)
            rows, columns = self._probability.shape
            cell = int(unit.y() * rows), int(unit.x() * columns)
            probability = float(self._probability[cell]) / 255
            label = int(self._labels[cell]) if self._labels is not None else 0
        self.pointed.emit(Pointed(*place, probability, label))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._refresh()
        if isinstance(event, QKeyEvent) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return keep_keys(event, set(_PAN_KEYS)) or super().event(event)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        direction = _PAN_KEYS.get(Qt.Key(event.key()))
        if direction and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pan_by(_PAN_STEP * direction[0], _PAN_STEP * direction[1])
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._refresh()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and self._zoom > 1:
            moved = event.position() - self._drag
            self._drag = event.position()
            self.pan_by(-moved.x() / self.width(), -moved.y() / self.height())
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._mouse = event.position()
        self._tell_pointed()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit() if self._zoom > 1 else self.zoom_by(2.0, event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self._tell_pointed()


def _chip(painter: QPainter, corner: QPointF, text: str) -> None:
    """A line of text on a dark, rounded ground that is readable over any picture."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(theme.small_font())
    width = painter.fontMetrics().horizontalAdvance(text)
    box = QRectF(corner.x(), corner.y(), width + 20, painter.fontMetrics().height() + 10)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(10, 12, 16, 205))
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(QColor("#F2F4F8"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
