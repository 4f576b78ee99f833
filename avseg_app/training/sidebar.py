"""The list on the left of the training tab: a new training, the models, and every run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from avseg_app.icons import icon
from avseg_app.training import words
from avseg_app.training.jobs import RunView
from avseg_app.widgets.controls import Button, column, label

_WIDTH = 264
_ICONS = {"failed": "error", "dead": "warning", "paused": "pause", "running": "play", "new": "play"}


class Sidebar(QFrame):
    """Emits what the user wants to see."""

    new_requested = Signal()
    models_requested = Signal()
    add_requested = Signal()
    """A run folder from elsewhere is to be shown"""
    run_chosen = Signal(object)
    """Folder of a run"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(_WIDTH)
        self.new_button = Button(icon("add", "accent-text"), self.tr("New training"))
        self.new_button.setProperty("kind", "primary")
        self.new_button.setToolTip(self.tr("Choose data and a recipe, and start (Ctrl+N)"))
        self.new_button.clicked.connect(self.new_requested)
        self.models_button = Button(icon("models"), self.tr("Models"))
        self.models_button.setToolTip(self.tr("All models on this computer"))
        self.models_button.clicked.connect(self.models_requested)
        self.runs = QListWidget()
        self.runs.setAccessibleName(self.tr("Training runs"))
        self.runs.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.runs.currentItemChanged.connect(self._choose)
        self.runs.itemClicked.connect(lambda item: self._choose(item, None))
        self.add_button = Button(icon("folder"), self.tr("Add run folder…"))
        self.add_button.setProperty("kind", "quiet")
        self.add_button.setToolTip(self.tr("Shows a run that was copied back from another machine"))
        self.add_button.clicked.connect(self.add_requested)
        self._empty = label(self.tr("No run yet. Start with a folder of videos and masks."), "muted")
        self._empty.setWordWrap(True)
        self.setLayout(
            column(
                self.new_button,
                self.models_button,
                8,
                label(self.tr("Runs"), "heading"),
                self._empty,
                self.runs,
                self.add_button,
                spacing=6,
                margins=(12, 14, 12, 10),
            )
        )
        self.layout().setStretchFactor(self.runs, 1)
        self.layout().setAlignment(self._empty, Qt.AlignmentFlag.AlignTop)

    def show_runs(self, views: list[RunView]) -> None:
        """Lists `views`; what is chosen stays chosen."""
        self._empty.setVisible(not views)
        folders = [view.run.folder for view in views]
        if [self._folder(index) for index in range(self.runs.count())] != folders:
            chosen = self.chosen()
            self.runs.blockSignals(True)
            self.runs.clear()
            for folder in folders:
                item = QListWidgetItem()
                item.setData(Qt.ItemDataRole.UserRole, folder)
                self.runs.addItem(item)
            self.runs.setCurrentRow(folders.index(chosen) if chosen in folders else -1)
            self.runs.blockSignals(False)
        for index, view in enumerate(views):
            self._show(self.runs.item(index), view)

    def chosen(self) -> Path | None:
        """The folder of the run that is chosen."""
        item = self.runs.currentItem()
        return None if item is None else item.data(Qt.ItemDataRole.UserRole)

    def choose(self, folder: Path | None) -> None:
        """Marks the run in `folder`, or none, without a signal."""
        folders = [self._folder(index) for index in range(self.runs.count())]
        self.runs.blockSignals(True)
        self.runs.setCurrentRow(folders.index(folder) if folder in folders else -1)
        self.runs.blockSignals(False)

    def _folder(self, index: int) -> Path:
        return self.runs.item(index).data(Qt.ItemDataRole.UserRole)

    def _choose(self, item: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if item is not None:
            self.run_chosen.emit(item.data(Qt.ItemDataRole.UserRole))

    def _describe(self, view: RunView) -> str:
        """In one line, of which the end may be cut: figures come before words."""
        score = "" if view.best is None else self.tr("mIoU {0:.3f}").format(view.best.miou)
        if view.status.state == "running" and view.status.total_steps:
            parts = [f"{100 * words.share(view):.0f} %", score, words.temperature(view)]
        else:
            parts = [score, words.temperature(view), words.state(view)]
        return " · ".join(filter(None, parts))

    def _show(self, item: QListWidgetItem, view: RunView) -> None:
        text = f"{view.name}\n{self._describe(view)}"
        if item.text() != text:
            item.setText(text)
            item.setToolTip(f"{view.run.folder}\n{words.trouble(view) or words.phase(view)}".strip())
            name = "waiting" if view.queued else _ICONS.get(view.status.state, "success")
            if view.status.state == "finished" and not view.status.model:
                name = "info"
            item.setIcon(icon(name, words.token(view), words.token(view)))
