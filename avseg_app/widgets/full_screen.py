"""A window on the whole screen, and the way back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QMainWindow


class FullScreen(QObject):
    """Esc leads out of it unless a page has a use for that key, to a window as large as it was before."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._was_maximized = False
        window.installEventFilter(self)

    def toggle(self) -> None:
        """Into full screen, or back."""
        window = self._window
        if not window.isFullScreen():
            self._was_maximized = window.isMaximized()
            window.showFullScreen()
        elif self._was_maximized:
            window.showMaximized()
        else:
            window.showNormal()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        escaped = event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape
        if escaped and self._window.isFullScreen():
            self.toggle()
            return True
        return False
