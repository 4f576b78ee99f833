"""The second step of a new training: what to start from, what learns, for how long; and what it will cost."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QWidget,
)

from avseg_app import theme
from avseg_app.training import words
from avseg_app.training.augment_strip import AugmentStrip
from avseg_app.training.command_dialog import CommandDialog
from avseg_app.training.processes import CommandTask
from avseg_app.training.recipe import (
    FINETUNE,
    LEARNING,
    QUALITIES,
    SCRATCH,
    Quality,
    Recipe,
    base_config,
    command_words,
    learning_of,
    recipes_for,
)
from avseg_app.training.settings_form import SettingsForm
from avseg_app.widgets.controls import Button, CheckBox, Choice, Slider, column, label, row
from avseg_app.widgets.spin import NumberField
from avseg_core.config import TrainConfig
from avseg_core.errors import InputError
from avseg_core.models.library import available_models
from avseg_core.presets import finetune_preset
from avseg_core.training.survey_report import Survey

_ESTIMATE_MS = 1200
_BAR_GAP = 6
"""Between the card and the scroll bar, if there is one."""
_GENERATIONS = {"v1": "AVSegFormer V1", "v2": "AVSegFormer V2", "paper": "AVSegFormer", "tpavi": "TPAVI"}
_BACKBONES = {"r50": "ResNet-50", "pvt": "PVTv2-B5"}


class RecipePage(QWidget):
    """Emits `valid_changed` with whether the run could start."""

    valid_changed = Signal(bool)

    def __init__(self, scratch: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scratch = scratch
        self._survey: Survey | None = None
        self._excluded: tuple[str, ...] = ()
        self._base: TrainConfig | None = None
        self._task: CommandTask | None = None
        self._fault = ""
        self._preferred = finetune_preset().init_from
        self._estimate_timer = QTimer(self, interval=_ESTIMATE_MS, singleShot=True)
        self._estimate_timer.timeout.connect(self._estimate)
        self.form = SettingsForm()
        self.form.changed.connect(lambda _: self._on_change())
        self.views = QStackedWidget()
        self.views.addWidget(self._make_simple())
        self.views.addWidget(self.form)
        self.full = CheckBox(self.tr("All settings"))
        self.full.setToolTip(self.tr("Every setting of the training with its explanation"))
        self.full.toggled.connect(self._toggle_full)
        self.summary = label("", "muted")
        self.summary.setWordWrap(True)
        head = row(self.summary, self.full)
        head.setStretch(0, 1)
        self.setLayout(column(head, self.views, self._make_estimate(), spacing=10))
        self.layout().setStretchFactor(self.views, 1)

    def close_threads(self) -> None:
        """Ends the thread that draws variations."""
        self.variations.close_threads()

    def close_process(self) -> None:
        """Ends an estimate that is under way."""
        self._estimate_timer.stop()
        if self._task is not None:
            self._task.stop()
            self._task = None

    # --- parts ------------------------------------------------------------------------------------------------------

    def _make_simple(self) -> QWidget:
        self.name = QLineEdit()
        self.name.textChanged.connect(lambda _: self._on_change())
        self.preset = Choice(self.tr("Recipe"))
        self.preset.activated.connect(lambda _: self._rebase())
        self.parent_model = Choice(self.tr("Start from"))
        self.parent_model.activated.connect(lambda _: self._rebase())
        self.quality = Slider(0, len(QUALITIES) - 1, 1, self.tr("Fast or thorough"))
        self.quality.setFixedWidth(150)
        self.quality.moved.connect(lambda _: self._apply_quality())
        self.quality_name = label()
        self._quality_row = QWidget()
        self._quality_row.setLayout(row(self.quality, self.quality_name))
        self.learning = Choice(self.tr("What learns"))
        self.learning.activated.connect(lambda _: self._apply_simple())
        self.epochs = NumberField(1, 1000)
        self.epochs.valueChanged.connect(lambda _: self._apply_simple())
        self.augment = CheckBox(self.tr("Vary the pictures (flip, scale, crop, colour)"))
        self.augment.toggled.connect(lambda _: self._apply_simple())
        self.low_priority = CheckBox(self.tr("Leave the computer usable for other work"))
        self.low_priority.setChecked(True)
        lines = (
            (self.tr("Name"), self.name, self.tr("What the run and its folder are called.")),
            (self.tr("Recipe"), self.preset, self.tr("Fine-tuning takes minutes on a processor; the recipes of the "
                                                     "papers are meant for a graphics card.")),
            (self.tr("Start from"), self.parent_model, self.tr("The model whose knowledge is kept and extended.")),
            (self.tr("Fast or thorough"), self._quality_row, self.tr("Sets what learns, and for how long; both can be "
                                                                     "changed below.")),
            (self.tr("What learns"), self.learning, self.tr("The less learns, the faster it is and the less of what "
                                                            "the model knows is lost.")),
            (self.tr("Epochs"), self.epochs, self.tr("How often every clip is seen. The run stops by itself when it "
                                                     "gains nothing any more, and you can stop it at any time.")),
            ("", self.augment, self.tr("Makes more of few clips; below is what it does to yours.")),
            ("", self.low_priority, self.tr("Other programs go first.")),
        )  # fmt: skip
        grid = QGridLayout()
        grid.setContentsMargins(18, 16, 18, 16)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(2, 1)
        for line, (text, editor, hint) in enumerate(lines):
            title = label(text)
            title.setBuddy(editor)
            explanation = label(hint, "muted")
            explanation.setWordWrap(True)
            explanation.setFont(theme.small_font())
            editor.setMinimumWidth(270)
            editor.setAccessibleName(text or editor.text())
            editor.setAccessibleDescription(hint)
            grid.addWidget(title, line, 0)
            grid.addWidget(editor, line, 1)
            grid.addWidget(explanation, line, 2)
        card = QFrame()
        card.setProperty("card", True)
        self.variations = AugmentStrip()
        card.setLayout(column(grid, self.variations, spacing=0, margins=(0, 0, 0, 12)))
        self.variations.setContentsMargins(18, 0, 18, 0)
        page = QWidget()
        page.setLayout(column(card, 0))
        scroll = QScrollArea()
        scroll.setObjectName("plain")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        scroll.verticalScrollBar().rangeChanged.connect(
            lambda _, most: page.layout().setContentsMargins(0, 0, _BAR_GAP if most else 0, 0)
        )
        return scroll

    def _make_estimate(self) -> QFrame:
        self.estimate = QLabel()
        self.estimate.setWordWrap(True)
        self.command = Button(self.tr("As a command…"))
        self.command.setProperty("kind", "quiet")
        self.command.setToolTip(self.tr("The same run for a terminal, another machine or a cluster (torchrun)"))
        self.command.clicked.connect(self.show_command)
        card = QFrame()
        card.setProperty("card", True)
        line = row(self.estimate, self.command, spacing=12, margins=(18, 10, 12, 10))
        line.setStretch(0, 1)
        card.setLayout(line)
        return card

    # --- what is asked for ------------------------------------------------------------------------------------------

    def set_data(self, survey: Survey, excluded: tuple[str, ...], name: str) -> None:
        """Offers what fits the data; `name` is what the run will be called."""
        fresh = self._survey is None or (self._survey.root, self._survey.dataset) != (survey.root, survey.dataset)
        self._survey, self._excluded = survey, excluded
        self.name.setText(name)
        if fresh:
            self.preset.clear()
            for preset in recipes_for(survey):
                self.preset.addItem(self._preset_title(preset), preset)
            self.parent_model.clear()
            self.parent_model.addItems(available_models())
            self.parent_model.setCurrentText(self._preferred)
            self.variations.show_previews(survey.previews)
            self._rebase()
        else:
            self._on_change()

    def prefer_parent(self, name: str) -> None:
        """Proposes the model `name` to start from, now or once there are data."""
        self._preferred = name
        self._survey = None

    @property
    def recipe(self) -> Recipe:
        """What is asked for now."""
        return Recipe(
            preset=self.preset.currentData() or FINETUNE,
            parent=self.parent_model.currentText() if self._finetunes else "",
            assignments=tuple(self.form.assignments()),
            low_priority=self.low_priority.isChecked(),
        )

    def words(self) -> list[str]:
        """The options of `train`."""
        assert self._survey is not None
        return command_words(self.recipe, self._survey, self._excluded)

    @property
    def is_valid(self) -> bool:
        """Whether the run could start."""
        return self._base is not None and self.form.is_valid and not self._fault and bool(self._clean_name())

    @property
    def _finetunes(self) -> bool:
        return self.preset.currentData() == FINETUNE

    def _clean_name(self) -> str:
        name = self.name.text().strip()
        return name if re.fullmatch(r"\w[\w. -]*", name) else ""

    def _preset_title(self, name: str) -> str:
        if name == FINETUNE:
            return self.tr("Fine-tune a model")
        if name == SCRATCH:
            return self.tr("From scratch: a small model of your own")
        generation, task, backbone = name.split("-")
        paper = self.tr(" as printed") if generation == "paper" else ""
        return f"{_GENERATIONS[generation]}{paper} · {task.upper()} · {_BACKBONES[backbone]}"

    def _rebase(self) -> None:
        """Starts again from the preset and the parent that are chosen."""
        if self._survey is None:
            return
        parent = self.parent_model.currentText() if self._finetunes else ""
        self.parent_model.setEnabled(self._finetunes)
        self._fault = ""
        if self._finetunes and not parent:
            self._fault = self.tr("There is no model to start from yet; choose another recipe.")
        try:
            self._base = base_config(self.preset.currentData() or FINETUNE, parent, self._survey)
        except InputError as error:
            self._fault = str(error)
        base = self._base
        if base is not None:
            self._offer_learning(base)
            self._show_simple(base)
            self.form.set_base(base, with_model=not self._finetunes)
        self._on_change()

    def _offer_learning(self, base: TrainConfig) -> None:
        self.learning.clear()
        if base.model.architecture == "avsegformer":
            self.learning.addItem(self.tr("Only what draws the masks: fastest"), "head")
        if base.init_from:
            self.learning.addItem(self.tr("A small addition to each layer (LoRA)"), "lora")
        self.learning.addItem(self.tr("All but the picture network: recommended"), "most")
        self.learning.addItem(self.tr("Everything: slowest, for much data"), "all")

    def _show_simple(self, config: TrainConfig) -> None:
        for widget in (self.learning, self.epochs, self.augment):
            widget.blockSignals(True)
        index = self.learning.findData(learning_of(config))
        if index < 0:
            self.learning.addItem(self.tr("As set under all settings"), "own")
            index = self.learning.count() - 1
        self.learning.setCurrentIndex(index)
        self.epochs.setValue(config.epochs)
        self.augment.setChecked(config.data.augment)
        for widget in (self.learning, self.epochs, self.augment):
            widget.blockSignals(False)
        self._show_quality()

    def _apply_simple(self) -> None:
        """What the simple view says goes into the form, which holds all settings."""
        editors = self.form.editors
        chosen = LEARNING.get(self.learning.currentData())
        if chosen is not None:
            editors["freeze"].setText("[" + ", ".join(f'"{name}"' for name in chosen.freeze) + "]")
            editors["tuning"].setCurrentText(chosen.tuning)
        editors["epochs"].setText(str(self.epochs.value()))
        editors["data.augment"].setChecked(self.augment.isChecked())
        self._show_quality()
        self._on_change()

    def _wanted(self, quality: Quality) -> tuple[str, int]:
        """What learns and for how many epochs at a notch of the slider."""
        assert self._base is not None
        usual = learning_of(self._base) or "own"
        learning = quality.learning if self.learning.findData(quality.learning) >= 0 else usual
        return learning, max(1, round(quality.epochs * self._base.epochs))

    def _apply_quality(self) -> None:
        if self._base is None:
            return
        learning, epochs = self._wanted(QUALITIES[self.quality.value()])
        self.learning.setCurrentIndex(max(0, self.learning.findData(learning)))
        self.epochs.blockSignals(True)
        self.epochs.setValue(epochs)
        self.epochs.blockSignals(False)
        self._apply_simple()

    def _show_quality(self) -> None:
        """The notch that fits what is chosen, or none."""
        if self._base is None:
            return
        chosen = (self.learning.currentData(), self.epochs.value())
        notch = next((k for k, quality in enumerate(QUALITIES) if self._wanted(quality) == chosen), None)
        names = (self.tr("Quick look"), self.tr("Fast"), self.tr("Balanced"), self.tr("Thorough"))
        self.quality_name.setText(self.tr("Own choice") if notch is None else names[notch])
        if notch is not None:
            self.quality.blockSignals(True)
            self.quality.setValue(notch)
            self.quality.blockSignals(False)
        self.variations.setVisible(self.augment.isChecked() and bool(self._survey and self._survey.previews))

    def _toggle_full(self, full: bool) -> None:
        if not full:
            with suppress(InputError):  # the form goes on saying what is wrong
                self._show_simple(self.form.config())
        self.views.setCurrentIndex(1 if full else 0)

    def _on_change(self) -> None:
        survey = self._survey
        if survey is not None:
            text = self.tr("Data: {0}").format(survey.root)
            out = self.tr(" (left out: {0})").format(", ".join(self._excluded)) if self._excluded else ""
            self.summary.setText(text + out)
        self.close_process()
        if self._fault:
            self.estimate.setText(self._fault)
        elif not self._clean_name():
            self.estimate.setText(self.tr("Give the run a name of letters, digits, dots and dashes."))
        elif not self.form.is_valid:
            self.estimate.setText(self.form.problem.text())
        else:
            self.estimate.setText(self.tr("Measuring how long it will take…"))
            self._estimate_timer.start()
        self.valid_changed.emit(self.is_valid)

    # --- what it will cost ------------------------------------------------------------------------------------------

    def _estimate(self) -> None:
        if not self.is_valid or not self.isVisible():
            return
        words_ = ["train", "--out", str(self._scratch / "estimate"), *self.words(), "--estimate"]
        task = self._task = CommandTask(words_, self)
        task.done.connect(self._on_estimate)
        task.failed.connect(lambda text: self.estimate.setText(self.tr("This cannot be trained so: {0}").format(text)))

    def _on_estimate(self, cost: dict) -> None:
        text = self.tr(
            "At most {0} for {1} steps of {2:.1f} s on {3}, with {4} of memory, if the computer stays as busy."
        )
        self.estimate.setText(
            text.format(
                words.span(cost["seconds"]),
                cost["steps"],
                cost["seconds_per_step"],
                str(cost["device"]).upper(),
                words.size(cost["memory_mb"] * 2**20),
            )
        )

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self._task is None and self.is_valid:
            self._estimate_timer.start()

    def show_command(self) -> CommandDialog | None:
        """Opens the dialog with the run as commands."""
        if not self.is_valid:
            return None
        dialog = CommandDialog(self.words(), self.name.text().strip(), self)
        dialog.open()
        return dialog
