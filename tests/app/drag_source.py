"""A small window in a process of its own from which a file can be dragged: `python drag_source.py FILE X Y`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    """Drags its file as soon as the mouse moves with the button down, as a file manager does."""

    def __init__(self, path: str) -> None:
        super().__init__("drag me")
        self._path = path
        self._dragging = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and not self._dragging:
            self._dragging = True
            mime = QMimeData()
            mime.setUrls([QUrl.fromLocalFile(self._path)])
            drag = QDrag(self)
            drag.setMimeData(mime)
            drag.exec(Qt.DropAction.CopyAction)
            self._dragging = False


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    source = Source(sys.argv[1])
    source.setWindowTitle("drag source")
    source.resize(100, 100)
    source.move(QPoint(int(sys.argv[2]), int(sys.argv[3])))
    source.show()
    sys.exit(app.exec())
