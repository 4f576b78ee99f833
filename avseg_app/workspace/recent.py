"""The videos that were opened last: their list, what can be done with each, and the menu of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, QObject, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from avseg_app import icons, theme
from avseg_app.settings import SettingsStore
from avseg_app.widgets.message_bar import MessageBar

_NOTE = Qt.ItemDataRole.UserRole + 1
"""What is wrong with a recent video, in words."""


class RecentVideos(QObject):
    """Changes the list in the settings; what was taken off it can be put back."""

    chosen = Signal(object)
    """A path to open"""

    def __init__(self, settings: SettingsStore, messages: MessageBar, parent: QObject) -> None:
        super().__init__(parent)
        self._settings, self._messages = settings, messages

    def fill_menu(self, menu: QMenu) -> None:
        """Lists the videos in `menu`."""
        menu.clear()
        for name in self._settings.values.recent_files:
            path = Path(name)
            action = menu.addAction(path.name.replace("&", "&&"))
            action.setStatusTip(name)
            action.triggered.connect(lambda _=False, path=path: self.chosen.emit(path))
        if menu.isEmpty():
            menu.addAction(self.tr("Nothing yet")).setEnabled(False)
            return
        menu.addSeparator()
        menu.addAction(self.tr("Clear the list")).triggered.connect(lambda _=False: self.clear())

    def clear(self) -> None:
        """Takes all videos off the list."""
        before = self._settings.values.recent_files
        self._settings.update(recent_files=())
        self._offer_undo(self.tr("The list of recent videos is empty."), before)

    def forget(self, path: Path) -> None:
        """Takes one off the list."""
        before = self._settings.values.recent_files
        self._settings.forget_recent(path)
        self._offer_undo(self.tr("{0} is off the list; the file itself stays.").format(path.name), before)

    def _offer_undo(self, text: str, before: tuple[str, ...]) -> None:
        undo = self.tr("Undo")
        self._messages.show_message("info", text, undo, lambda: self._settings.update(recent_files=before))


class RecentList(QListWidget):
    """File names with their folders; Delete takes one off the list, and a menu offers more."""

    removed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Recent videos"))
        self.setItemDelegate(_RecentDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(120)

    def fill(self, files: list[Path]) -> None:
        self.clear()
        for path in files:
            item = QListWidgetItem(f"{path.name}, {path.parent}")
            item.setData(Qt.ItemDataRole.UserRole, path)
            item.setToolTip(self.tr("{0}\nDelete takes it off this list").format(path))
            self.addItem(item)

    def mark_missing(self, missing: list[Path]) -> None:
        """Says of these files that they are not there."""
        for index in range(self.count()):
            item = self.item(index)
            item.setData(_NOTE, self.tr("not found") if item.data(Qt.ItemDataRole.UserRole) in missing else "")

    def note_of(self, index: int) -> str:
        """What is wrong with a video; empty while nothing is known to be."""
        return self.item(index).data(_NOTE) or ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.currentItem() is not None:
            self.removed.emit(self.currentItem().data(Qt.ItemDataRole.UserRole))
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        item = self.currentItem() if by_key else self.itemAt(event.pos())
        if item is not None:
            place = self.visualItemRect(item).center() if by_key else event.pos()
            self.menu_of(item).popup(self.viewport().mapToGlobal(place))

    def menu_of(self, item: QListWidgetItem) -> QMenu:
        """What can be done with a recent video."""
        path: Path = item.data(Qt.ItemDataRole.UserRole)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = QUrl.fromLocalFile(str(path.parent))
        for text, act in (
            (self.tr("Open"), lambda: self.itemActivated.emit(item)),
            (self.tr("Show folder"), lambda: QDesktopServices.openUrl(folder)),
            (self.tr("Copy path"), lambda: QApplication.clipboard().setText(str(path))),
            (self.tr("Take off the list"), lambda: self.removed.emit(path)),
        ):
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False, act=act: act())
        return menu


class _RecentDelegate(QStyledItemDelegate):
    """A film, the name, and below it the folder in a quieter colour; a file that is gone is marked and says so."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(200, 2 * option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        tokens, path, note = theme.current(), index.data(Qt.ItemDataRole.UserRole), index.data(_NOTE)
        box, line = QRectF(option.rect), option.fontMetrics.height()
        picture, token = ("warning", "warning") if note else ("film", "text-muted")
        icons.draw(painter, picture, QRectF(box.left() + 8, box.center().y() - 10, 20, 20), token)
        top = box.center().y() - line
        below = f"{note}  ·  {path.parent}" if note else str(path.parent)
        for text, color in ((path.name, "text-muted" if note else "text"), (below, "text-muted")):
            place = QRectF(box.left() + 40, top, box.width() - 48, line)
            painter.setPen(tokens.color(color))
            elided = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, elided)
            top += line
