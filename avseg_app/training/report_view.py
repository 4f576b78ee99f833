"""What is in a data set: clips, sounds, problems with a tick to leave a clip out, pictures that can be heard."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from avseg_app.icons import icon
from avseg_app.training.preview_grid import PreviewGrid
from avseg_app.training.split_editor import SplitEditor
from avseg_app.widgets.controls import Button, Choice, column, label, row
from avseg_core.training.survey_report import Survey

_FEW = 4
_PROBLEM_ROWS = 5
_MOST_SOUNDS = 6


class ReportView(QWidget):
    """Shows a Survey; emits what the user wants of it."""

    changed = Signal()
    """Other clips are left out"""
    layout_chosen = Signal(str)
    another_wanted = Signal()
    again_wanted = Signal()
    """The folder has changed"""
    pictures_wanted = Signal()
    """Pictures to annotate, of videos without masks"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.survey: Survey | None = None
        self.headline = label("", "heading")
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.layout_choice = Choice(self.tr("Layout"))
        self.layout_choice.activated.connect(self._choose_layout)
        self.splits_button = Button(self.tr("Splits…"))
        self.splits_button.setToolTip(self.tr("Which clip is for learning and which for measuring"))
        self.splits_button.clicked.connect(self.edit_splits)
        self.pictures_button = Button(self.tr("Pictures to annotate…"))
        self.pictures_button.setToolTip(self.tr("Writes frames of the videos that have no masks yet"))
        self.pictures_button.clicked.connect(self.pictures_wanted)
        another = Button(icon("folder"), self.tr("Another folder…"))
        another.clicked.connect(self.another_wanted)
        self.counts = label()
        self.counts.setWordWrap(True)
        self.heard = label("", "muted")
        self.heard.setWordWrap(True)
        self.advice = label("", "muted")
        self.advice.setWordWrap(True)
        self._make_problems()
        self.previews = PreviewGrid()
        self.previews.playing_changed.connect(self._on_playing)
        self.previews.unavailable.connect(lambda reason: self._listen_hint.setText(reason))
        self._listen_hint = label("", "muted")
        self._on_playing("")
        head = row(self.headline, self.layout_choice, 0, self.pictures_button, self.splits_button, another)
        self.setLayout(
            column(
                head,
                self.counts,
                self.heard,
                self.advice,
                self.problems_card,
                self.previews,
                self._listen_hint,
                spacing=8,
            )
        )

    def _make_problems(self) -> None:
        self._problems_title = label("", "heading")
        self.leave_out_all = Button(self.tr("Leave all of these clips out"))
        self.leave_out_all.setProperty("kind", "quiet")
        self.leave_out_all.clicked.connect(self._leave_out_all)
        self.problems = QListWidget()
        self.problems.setAccessibleName(self.tr("Problems"))
        self.problems.setWordWrap(True)
        self.problems.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.problems.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.problems.itemChanged.connect(lambda _: self._describe())
        self.problems_card = QFrame()
        self.problems_card.setProperty("card", True)
        self.problems_card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.problems_card.setLayout(
            column(row(self._problems_title, 0, self.leave_out_all), self.problems, spacing=4, margins=(14, 10, 10, 10))
        )

    # --- what is in it ----------------------------------------------------------------------------------------------

    @property
    def excluded(self) -> tuple[str, ...]:
        """The clips that are left out, as `DataConfig.exclude` names them."""
        items = (self.problems.item(index) for index in range(self.problems.count()))
        names = {item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked}
        return tuple(sorted(name for name in names if name))

    def clips_left(self, *splits: str) -> int:
        """Clips of these splits that are not left out."""
        if self.survey is None:
            return 0
        out = sum(1 for name in self.excluded if name.partition("/")[0] in splits)
        return sum(self.survey.counts.get(split, 0) for split in splits) - out

    @property
    def can_go_on(self) -> bool:
        """There are clips to learn from and, in a data set with splits, clips to measure with."""
        if self.survey is None or self.clips_left("train", "all") < 1:
            return False
        return not self.survey.has_splits or self.clips_left("val") > 0

    def show_survey(self, survey: Survey, name: str) -> None:
        """Shows what was found; `name` is the folder's."""
        self.survey = survey
        self.headline.setText(name)
        self.headline.setToolTip(survey.root)
        self.layout_choice.clear()
        for dataset in (survey.dataset, *survey.others):
            self.layout_choice.addItem(self._layout_name(dataset), dataset)
        self.splits_button.setVisible(len(survey.clips) > 1)
        self.pictures_button.setVisible("missing mask" in survey.totals and survey.dataset == "folder")
        self._fill_problems(survey)
        self.previews.show_previews(survey.previews)
        self._show_heard(survey)
        self._describe()

    def edit_splits(self) -> SplitEditor | None:
        """Opens the split editor for a user's own folder."""
        if self.survey is None or not self.survey.clips:
            return None
        editor = SplitEditor(self.survey, self)
        editor.changed.connect(self.again_wanted)
        editor.open()
        return editor

    def _layout_name(self, dataset: str) -> str:
        names = {
            "folder": self.tr("videos with masks"),
            "s4": self.tr("AVSBench S4"),
            "ms3": self.tr("AVSBench MS3"),
            "avss": self.tr("AVSBench AVSS"),
        }
        return names.get(dataset, dataset)

    def _choose_layout(self, index: int) -> None:
        dataset = self.layout_choice.itemData(index)
        if self.survey is not None and dataset != self.survey.dataset:
            self.layout_chosen.emit(dataset)

    def _fill_problems(self, survey: Survey) -> None:
        self.problems.blockSignals(True)
        self.problems.clear()
        for finding in survey.findings:
            where = finding.problem.where.replace(f"{survey.root}/", "")
            what = finding.problem.what.replace(f"{survey.root}/", "")
            item = QListWidgetItem(what if what.startswith(where) else f"{where}: {what}")
            item.setToolTip(finding.problem.where)
            item.setData(Qt.ItemDataRole.UserRole, finding.clip)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if finding.clip:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Unchecked)
            self.problems.addItem(item)
        self.problems.blockSignals(False)
        total = sum(survey.totals.values())
        shown = range(min(_PROBLEM_ROWS, self.problems.count()))
        self.problems.setFixedHeight(sum(self.problems.sizeHintForRow(line) for line in shown) + 8)
        self.problems_card.setVisible(total > 0)
        ticks = any(finding.clip for finding in survey.findings)
        title = self.tr("Problems: {0} (tick a clip to leave it out)") if ticks else self.tr("Problems: {0}")
        self._problems_title.setText(title.format(total))
        self.leave_out_all.setVisible(ticks)

    def _leave_out_all(self) -> None:
        self.problems.blockSignals(True)
        for index in range(self.problems.count()):
            item = self.problems.item(index)
            if item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
                item.setCheckState(Qt.CheckState.Checked)
        self.problems.blockSignals(False)
        self._describe()

    def _show_heard(self, survey: Survey) -> None:
        """In how many clips each kind of sound is the surest."""
        listened = [clip.sounds for clip in survey.clips] or [preview.sounds for preview in survey.previews]
        common = Counter(sounds[0][0] for sounds in listened if sounds).most_common(_MOST_SOUNDS)
        parts = [self.tr("{0} ({1})").format(name, count) for name, count in common]
        self.heard.setText(self.tr("Heard, by clips: {0}").format(", ".join(parts)))
        self.heard.setVisible(bool(parts))

    def _on_playing(self, clip: str) -> None:
        text = self.tr("Playing {0}; click again to stop.").format(clip) if clip else ""
        self._listen_hint.setText(text or self.tr("Click a picture to hear its clip."))

    def _describe(self) -> None:
        survey = self.survey
        if survey is None:
            return
        texts = {
            "train": self.tr("Training clips: {0}"),
            "val": self.tr("Validation clips: {0}"),
            "test": self.tr("Test clips: {0}"),
            "all": self.tr("Clips: {0}"),
        }
        parts = [texts[split].format(self.clips_left(split)) for split in survey.counts]
        if survey.masks:
            parts.append(self.tr("Masks: {0}").format(survey.masks))
        if survey.num_classes > 1:
            parts.append(self.tr("{0} classes").format(survey.num_classes - 1))
        sizes = sorted({preview.size for preview in survey.previews})
        if sizes:
            first, last = ("x".join(map(str, pair)) for pair in (sizes[0], sizes[-1]))
            parts.append(
                self.tr("{0} pixels").format(first) if len(sizes) == 1 else self.tr("{0} to {1}").format(first, last)
            )
        if self.excluded:
            parts.append(self.tr("{0} left out").format(len(self.excluded)))
        self.counts.setText("   ·   ".join(parts))
        advice = self._advice(survey)
        self.advice.setText("\n".join(advice))
        self.advice.setVisible(bool(advice))
        self.changed.emit()

    def _advice(self, survey: Survey) -> list[str]:
        advice = []
        learning = self.clips_left("train", "all")
        if learning < 1:
            advice.append(self.tr("There is no clip left to learn from."))
        elif survey.has_splits and self.clips_left("val") < 1:
            advice.append(self.tr("There is no clip to measure with: choose some under Splits, or add a folder val."))
        elif not survey.has_splits and learning == 1:
            advice.append(self.tr("A single clip: it is measured on what it learns from, so the figures flatter."))
        elif not survey.has_splits:
            advice.append(self.tr("No train and val folders: about a quarter of the clips is kept apart to measure."))
        if 1 < learning < _FEW:
            advice.append(self.tr("So few clips teach a model little beyond themselves; more kinds of scenes help."))
        return advice
