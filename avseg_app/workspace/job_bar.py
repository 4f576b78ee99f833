"""How far the segmentation is, with the button to stop it or to go on."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from avseg_app.widgets.controls import Button, label, row
from avseg_app.workspace.document import JobState


class JobBar(QWidget):
    """One line: words, bar, button."""

    cancel_requested = Signal()
    resume_requested = Signal()
    anew_requested = Signal()
    recorded_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = label("", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(170)
        self._bar.setAccessibleName(self.tr("Segmentation progress"))
        self.button = Button()
        self.button.clicked.connect(self._act)
        widths = [self.fontMetrics().horizontalAdvance(text) for text in (self.tr("Cancel"), self.tr("Resume"))]
        self.button.ensurePolished()  # the style has its say on the height
        height = self.button.sizeHint().height()
        self.button.setFixedSize(max(widths) + 32, height)
        self.setFixedHeight(height + 6)  # the canvas must not jump when the button comes and goes
        self.switch_button = Button()
        self.switch_button.setFixedHeight(height)
        self.switch_button.clicked.connect(self._switch)
        self._running = self._recorded = False
        parts = (self._text, self._bar, self.button, self.switch_button)
        self.setLayout(row(*parts, 0, spacing=10, margins=(12, 0, 12, 6)))
        self.show_state(JobState())

    @property
    def text(self) -> str:
        """The words."""
        return self._text.text()

    def show_state(self, state: JobState, rate: float = 1.0, *, has_recorded: bool = False) -> None:
        """Shows a state of a job with `rate` masks per second; `has_recorded`: masks were recorded with the video."""
        self._running = state.phase in ("loading", "running")
        self._show_switch(recorded=state.phase == "recorded", possible=has_recorded)
        self._text.setText(self._describe(state, rate))
        self._bar.setRange(0, 0 if state.phase == "loading" and not state.done else max(1, state.planned))
        self._bar.setValue(state.done)
        unfinished = state.done < state.planned
        self._bar.setVisible(unfinished)
        can_resume = unfinished and state.phase in ("stopped", "failed")
        self.button.setVisible(can_resume or (self._running and (unfinished or not state.planned)))
        self.button.setText(self.tr("Cancel") if self._running else self.tr("Resume"))
        self.button.setAccessibleName(
            self.tr("Cancel the segmentation") if self._running else self.tr("Resume the segmentation")
        )
        self.setAccessibleName(self._text.text())

    def _show_switch(self, *, recorded: bool, possible: bool) -> None:
        """The way from recorded masks to segmented ones, or back."""
        self._recorded = recorded
        self.switch_button.setVisible(possible)
        self.switch_button.setText(self.tr("Segment anew") if recorded else self.tr("Show the recorded masks"))
        self.switch_button.setToolTip(
            self.tr("Make masks of the whole recording with the chosen model; the recorded ones are kept")
            if recorded
            else self.tr("Back to the masks that were made while this was recorded")
        )

    def _describe(self, state: JobState, rate: float) -> str:
        done, planned = state.done, state.planned
        if state.phase == "recorded":
            if planned == 1:
                return self.tr("Recorded live: one mask")
            return self.tr("Recorded live: {0} masks, {1:.1f} per second").format(planned, rate)
        if state.phase == "loading":
            return self.tr("Preparing the model…") if done < planned or not planned else self._complete(planned, rate)
        if state.phase == "done" or (planned and done >= planned):
            return self._complete(planned, rate)
        share = self.tr("{0} of {1} masks").format(done, planned)
        if state.phase == "stopped":
            return self.tr("Segmentation stopped: {0}").format(share)
        if state.phase == "failed":
            return self.tr("Segmentation failed: {0}").format(share)
        if state.seconds_left is None:
            return self.tr("Segmenting: {0}").format(share)
        return self.tr("Segmenting: {0}, about {1} left").format(share, self._span(state.seconds_left))

    def _complete(self, planned: int, rate: float) -> str:
        if planned == 1:
            return self.tr("Segmented: one mask")
        return self.tr("Segmented: {0} masks, {1:g} per second").format(planned, rate)

    def _span(self, seconds: float) -> str:
        if seconds < 90:
            return self.tr("{0} s").format(max(1, round(seconds)))
        if seconds < 5400:
            return self.tr("{0} min").format(round(seconds / 60))
        return self.tr("{0:.1f} h").format(seconds / 3600)

    def _act(self) -> None:
        (self.cancel_requested if self._running else self.resume_requested).emit()

    def _switch(self) -> None:
        (self.anew_requested if self._recorded else self.recorded_requested).emit()
