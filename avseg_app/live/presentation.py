"""Only the live picture, on the whole of a screen: for a lecture hall."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from avseg_app.widgets.controls import column
from avseg_app.workspace.canvas import Canvas
from avseg_core.results.look import OverlayStyle


class Presentation(QWidget):
    """A window of its own on the second screen if there is one; Esc or a double click ends it."""

    closed = Signal()

    def __init__(self, style: OverlayStyle) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setWindowTitle(self.tr("AVSeg Studio: live"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.canvas = Canvas(style)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._words = _Words(self.canvas)
        self.setLayout(column(self.canvas, spacing=0))
        self.setCursor(Qt.CursorShape.BlankCursor)

    def show_on_best_screen(self, beside: QWidget) -> None:
        """Full screen on a screen where `beside` is not, if there is one."""
        others = [screen for screen in QApplication.screens() if screen is not beside.screen()]
        screen = others[0] if others else beside.screen()
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.showFullScreen()

    def show_words(self, text: str) -> None:
        """What is heard, large over the lower edge."""
        self._words.show_text(text)

    def resizeEvent(self, event: object) -> None:
        self._words.setGeometry(self.rect())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F11, Qt.Key.Key_Q):
            self.close()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        event.accept()


class _Words(QWidget):
    """Text that can be read from the last row, over the picture."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._text:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(max(self.height() // 18, 14))
        font.setBold(True)
        painter.setFont(font)
        width = min(painter.fontMetrics().horizontalAdvance(self._text) + font.pixelSize(), self.width() * 0.9)
        height = font.pixelSize() * 1.6
        box = QRectF((self.width() - width) / 2, self.height() - 1.6 * height, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 160))
        painter.drawRoundedRect(box, height / 3, height / 3)
        painter.setPen(QColor("white"))
        text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, int(width - height / 3))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
