"""Which clip is for learning and which for measuring: whole clips only, since frames of one clip are all alike."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QUndoCommand, QUndoStack
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from avseg_app.training.preview_grid import describe_sounds
from avseg_app.widgets.controls import Button, Choice, column, label, row
from avseg_app.workers.background import Background
from avseg_core.data.check import SPLITS
from avseg_core.data.folder_table import write_moves
from avseg_core.errors import AVSegError
from avseg_core.training.survey_report import Survey


class SplitEditor(QDialog):
    """Writes every choice to dataset.toml at once; videos, and lines of clips that are not listed, stay as they are."""

    changed = Signal()
    """Emitted at the end if the splits are not what they were"""

    def __init__(self, survey: Survey, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Splits of {0}").format(Path(survey.root).name))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(640, 460)
        self._root = Path(survey.root)
        self._home = {clip.place: _home(clip.place) for clip in survey.clips}
        self._splits = {clip.place: _split(clip.name) for clip in survey.clips}
        self._before = dict(self._splits)
        self._moves: dict[str, str | None] = {}
        """What was chosen here, undone or not; None: where the clip lies"""
        self._work = Background("splits", self)
        self.undo = QUndoStack(self)
        hint = label(
            self.tr("Clips for training teach; those for validation and test measure, and must not be seen before.")
            if survey.has_splits
            else self.tr("Until you choose, a quarter of the clips is kept apart by itself; then your list counts.")
        )
        hint.setWordWrap(True)
        hint.setProperty("role", "muted")
        self.counts = label()
        self.problem = label("", "error")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.table = self._make_table(survey)
        self._undo_button = self._make_button(self.tr("Undo"), QKeySequence.StandardKey.Undo, self.undo.undo)
        self._redo_button = self._make_button(self.tr("Redo"), QKeySequence.StandardKey.Redo, self.undo.redo)
        self.undo.canUndoChanged.connect(self._undo_button.setEnabled)
        self.undo.canRedoChanged.connect(self._redo_button.setEnabled)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        foot = row(self._undo_button, self._redo_button, 0, close)
        self.setLayout(column(hint, self.counts, self.table, self.problem, foot, spacing=10, margins=(18, 16, 18, 14)))
        self._show_counts()

    def split(self, place: str) -> str:
        """The split of the clip that lies at `place`."""
        return self._splits[place]

    def choose(self, place: str, split: str) -> None:
        """Puts a clip into a split; can be undone."""
        if split != self._splits[place]:
            self.undo.push(_Move(self, place, self._splits[place], split))

    def apply(self, place: str, split: str) -> None:
        """Puts a clip into a split and writes the file; called by the commands."""
        self._splits[place] = split
        self._choices[place].setCurrentIndex(SPLITS.index(split))
        self._show_counts()
        self._moves[place] = None if split == self._home[place] else split
        moves = dict(self._moves)
        self._work.submit(lambda: write_moves(self._root, moves), lambda _: self._say(""), self._on_failure)

    def done(self, result: int) -> None:
        self._work.submit(lambda: None, lambda _: self._end(result))  # behind what is still to be written

    def _end(self, result: int) -> None:
        self._work.close()
        if self._splits != self._before:
            self.changed.emit()
        super().done(result)

    def _make_table(self, survey: Survey) -> QTableWidget:
        table = QTableWidget(len(survey.clips), 4)
        table.setAccessibleName(self.tr("Clips and their splits"))
        table.setHorizontalHeaderLabels([self.tr("Clip"), self.tr("Heard"), self.tr("Masks"), self.tr("Used for")])
        for place in range(4):
            side = Qt.AlignmentFlag.AlignRight if place == 2 else Qt.AlignmentFlag.AlignLeft
            table.horizontalHeaderItem(place).setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Fixed)
        table.setColumnWidth(3, 150)
        table.verticalHeader().setDefaultSectionSize(38)
        self._choices: dict[str, Choice] = {}
        for line, clip in enumerate(survey.clips):
            for place, text in enumerate((clip.place, describe_sounds(clip.sounds[:2]), str(clip.masks))):
                item = QTableWidgetItem(text)
                if place == 2:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                table.setItem(line, place, item)
            choice = Choice(self.tr("Use of {0}").format(clip.place))
            choice.addItems([self.tr("training"), self.tr("validation"), self.tr("test")])
            choice.setCurrentIndex(SPLITS.index(self._splits[clip.place]))
            choice.activated.connect(lambda index, place=clip.place: self.choose(place, SPLITS[index]))
            table.setCellWidget(line, 3, choice)
            self._choices[clip.place] = choice
        return table

    def _make_button(self, text: str, keys: QKeySequence.StandardKey, slot) -> QPushButton:
        button = Button(text)
        button.setShortcut(QKeySequence(keys))
        button.setToolTip(f"{text} ({button.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        button.setEnabled(False)
        button.clicked.connect(lambda _=False: slot())
        return button

    def _show_counts(self) -> None:
        names = (self.tr("training"), self.tr("validation"), self.tr("test"))
        used = list(self._splits.values())
        self.counts.setText("   ·   ".join(f"{used.count(s)} {n}" for s, n in zip(SPLITS, names, strict=True)))

    def _on_failure(self, error: AVSegError) -> None:
        self._say(str(error))

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))


class _Move(QUndoCommand):
    """One clip to another split."""

    def __init__(self, editor: SplitEditor, place: str, before: str, after: str) -> None:
        super().__init__(f"{place}: {after}")
        self._editor, self._place, self._before, self._after = editor, place, before, after

    def redo(self) -> None:
        self._editor.apply(self._place, self._after)

    def undo(self) -> None:
        self._editor.apply(self._place, self._before)


def _split(name: str) -> str:
    """The split a clip belongs to now; in a folder that says nothing all are for training."""
    split = name.partition("/")[0]
    return split if split in SPLITS else "train"


def _home(place: str) -> str:
    """Where a clip belongs without a line in dataset.toml."""
    return _split(place) if "/" in place else "train"
