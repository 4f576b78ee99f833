"""A new training in two steps: the data, then the recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from avseg_app.icons import icon
from avseg_app.training.data_page import DataPage
from avseg_app.training.recipe_page import RecipePage
from avseg_app.widgets.controls import Button, column, label, row


class NewPage(QWidget):
    """Emits what is to be started."""

    start_requested = Signal(str, list, bool)
    """Name, options of `train`, whether to wait for other runs"""

    def __init__(self, scratch: Path, free_name: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._free_name = free_name
        self._others_active = False
        self.data = DataPage()
        self.recipe = RecipePage(scratch)
        self.steps = QStackedWidget()
        self.steps.addWidget(self.data)
        self.steps.addWidget(self.recipe)
        self._title = label("", "title")
        self._hint = label("", "muted")
        self._hint.setWordWrap(True)
        self.back = Button(self.tr("Back"))
        self.back.clicked.connect(lambda: self._turn_to(0))
        self.next = Button(self.tr("Next: the recipe"))
        self.next.setProperty("kind", "primary")
        self.next.clicked.connect(lambda: self._turn_to(1))
        self.later = Button(icon("waiting"), self.tr("Start when the others are done"))
        self.later.clicked.connect(lambda: self._start(wait=True))
        self.start = Button(icon("play", "accent-text"), self.tr("Start"))
        self.start.setProperty("kind", "primary")
        self.start.clicked.connect(lambda: self._start(wait=False))
        self.data.ready_changed.connect(lambda _: self._refresh())
        self.recipe.valid_changed.connect(lambda _: self._refresh())
        foot = row(self.back, 0, self.later, self.next, self.start, spacing=8)
        self.setLayout(column(self._title, self._hint, 6, self.steps, foot, spacing=6, margins=(20, 14, 20, 14)))
        self.layout().setStretchFactor(self.steps, 1)
        self._go(0)

    def close_processes(self) -> None:
        """Ends what runs in the background for this page."""
        self.data.close_process()
        self.recipe.close_process()

    def close_threads(self) -> None:
        """Ends the threads of this page."""
        self.recipe.close_threads()

    def show_data(self) -> None:
        """The first step."""
        self._go(0)

    def set_others_active(self, active: bool) -> None:
        """Whether other runs are at work, so that waiting for them makes sense."""
        self._others_active = active
        self._refresh()

    def _go(self, step: int) -> None:
        survey = self.data.survey
        if step == 1 and survey is not None:
            self.recipe.set_data(survey, self.data.excluded, self._free_name(Path(survey.root).name))
        self.steps.setCurrentIndex(step)
        titles = (self.tr("New training: the data"), self.tr("New training: the recipe"))
        hints = (
            self.tr("What the model is to learn from. Everything stays on this computer."),
            self.tr("What it starts from and how it learns."),
        )
        self._title.setText(titles[step])
        self._hint.setText(hints[step])
        self._refresh()

    def _turn_to(self, step: int) -> None:
        """As asked by a button that is hidden now: the focus must not jump to another page's."""
        self._go(step)
        (self.recipe.name if step else self.next).setFocus()

    def _refresh(self) -> None:
        step = self.steps.currentIndex()
        self.back.setVisible(step == 1)
        self.next.setVisible(step == 0)
        self.next.setEnabled(self.data.can_go_on)
        self.start.setVisible(step == 1)
        self.start.setEnabled(self.recipe.is_valid)
        self.later.setVisible(step == 1 and self._others_active)
        self.later.setEnabled(self.recipe.is_valid)

    def _start(self, *, wait: bool) -> None:
        self.recipe.close_process()
        self.start_requested.emit(self.recipe.name.text().strip(), self.recipe.words(), wait)
        self.data.close_process()
        self._go(0)
