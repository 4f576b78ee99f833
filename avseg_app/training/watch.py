"""One run: how it is doing, what can be asked of it, its curves, masks and log."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QProgressBar, QPushButton, QSizePolicy, QTabWidget, QWidget

from avseg_app import theme
from avseg_app.icons import icon
from avseg_app.training import words
from avseg_app.training.curves import CurvesView
from avseg_app.training.insight import InsightView
from avseg_app.training.jobs import RunView, read_log
from avseg_app.training.mask_history import MaskHistory
from avseg_app.widgets.controls import Button, column, frame, label, row, set_property
from avseg_app.widgets.elided_label import ElidedLabel
from avseg_app.widgets.flow import FlowLayout
from avseg_app.widgets.icon_label import IconLabel
from avseg_app.workers.background import Background

_ABOUT_FOLDER = ("folder", "delete")
"""Buttons beside the title; what can be asked of a run or its model has a row of its own, for words are long."""
_LOG, _SETTINGS = 3, 4
"""Tabs whose text is read when they are shown."""


class WatchView(QWidget):
    """Shows a RunView; emits what the user asks of the run."""

    request = Signal(str)
    """pause, resume, stop or cancel"""
    resume_requested = Signal()
    use_requested = Signal()
    compare_requested = Signal()
    wipe_requested = Signal()
    delete_requested = Signal()
    folder_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view: RunView | None = None
        self._logs = Background("log", self)
        self.title = ElidedLabel("", "title", Qt.TextElideMode.ElideMiddle)
        self.state = QLabel()
        self.state.setObjectName("badge")
        self.state.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.phase = label()
        self.facts = label("", "muted")
        self.facts.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        self._make_buttons()
        self._make_trouble()
        self.curves = CurvesView()
        self.masks = MaskHistory()
        self.insight = InsightView()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setFont(theme.mono_font(0.95))
        self.log.setAccessibleName(self.tr("Log of the run"))
        self.recipe = QPlainTextEdit()
        self.recipe.setReadOnly(True)
        self.recipe.setFont(theme.mono_font(0.95))
        self.recipe.setAccessibleName(self.tr("Settings of the run"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for widget, text in (
            (self.curves, self.tr("Curves")),
            (self.masks, self.tr("Masks")),
            (self.insight, self.tr("Inside")),
            (self.log, self.tr("Log")),
            (self.recipe, self.tr("Settings")),
        ):
            page = frame("tabPage")
            page.setLayout(column(widget, margins=(0, 10, 0, 0)))
            self.tabs.addTab(page, text)
        self.tabs.currentChanged.connect(lambda _: self._read_log())
        about_folder = [self._buttons[name] for name in _ABOUT_FOLDER]
        actions = [button for button in self._buttons.values() if button not in about_folder]
        parts = (
            row(self.title, self.state, 0, *about_folder),
            self.phase,
            self.bar,
            self.facts,
            self.trouble,
            FlowLayout(actions),
            self.tabs,
        )
        self.setLayout(column(*parts, spacing=8, margins=(20, 14, 20, 12)))

    def close_threads(self) -> None:
        """Ends the threads that read files."""
        self._logs.close()
        self.masks.close_threads()
        self.insight.close_threads()

    def _make_buttons(self) -> None:
        texts = {
            "pause": (self.tr("Pause"), "pause", lambda: self.request.emit("pause")),
            "go_on": (self.tr("Go on"), "play", lambda: self.request.emit("resume")),
            "stop": (self.tr("Stop and keep the best"), "success", lambda: self.request.emit("stop")),
            "cancel": (self.tr("Cancel"), "close", lambda: self.request.emit("cancel")),
            "resume": (self.tr("Resume"), "play", self.resume_requested.emit),
            "compare": (self.tr("Compare with before"), "training", self.compare_requested.emit),
            "wipe": (self.tr("On a video…"), "film", self.wipe_requested.emit),
            "use": (self.tr("Use this model…"), "models", self.use_requested.emit),
            "folder": (self.tr("Open folder"), "folder", self.folder_requested.emit),
            "delete": (self.tr("Delete…"), "close", self.delete_requested.emit),
        }
        hints = {
            "pause": self.tr("Waits after the current step; other programs get the processor"),
            "stop": self.tr("Ends the training now and exports the best model so far"),
            "cancel": self.tr("Ends the training and exports nothing; the run can be resumed later"),
            "resume": self.tr("Continues exactly where the last state was saved"),
            "wipe": self.tr("Masks of this model and of the one it started from on any video, side by side"),
            "compare": self.tr("Measures this model and the one it started from on the same validation clips"),
        }
        self._buttons: dict[str, QPushButton] = {}
        for name, (text, icon_name, slot) in texts.items():
            primary = name in ("stop", "use", "resume")
            button = Button(icon(icon_name, "accent-text" if primary else "text"), text)
            button.setToolTip(hints.get(name, text))
            if primary:
                button.setProperty("kind", "primary")
            button.clicked.connect(lambda _=False, slot=slot: slot())
            self._buttons[name] = button

    def button(self, name: str) -> QPushButton:
        """The button for `name`: pause, go_on, stop, cancel, resume, compare, wipe, use, folder or delete."""
        return self._buttons[name]

    def _make_trouble(self) -> None:
        self._trouble_icon = IconLabel("info", 18)
        self.trouble_text = QLabel()
        self.trouble_text.setWordWrap(True)
        self.trouble_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.trouble = frame("notice")
        line = row(self._trouble_icon, self.trouble_text, spacing=10, margins=(12, 8, 12, 8))
        line.setStretch(1, 1)
        self.trouble.setLayout(line)

    def apply_theme(self) -> None:
        """Takes over the colours of the theme in force."""
        self.curves.apply_theme()
        self.insight.apply_theme()

    def show_run(self, view: RunView, others: list[RunView], *, added: bool = False) -> None:
        """Shows `view`, with `others` on offer to compare with; `added`: its folder lies elsewhere."""
        self._buttons["delete"].setText(self.tr("Take off the list") if added else self.tr("Delete…"))
        changed = self.view is None or self.view.run != view.run
        fresh = changed or self.view.status != view.status
        self.view = view
        self.title.setText(view.name)
        self.state.setText(words.state(view))
        if self.state.property("token") != words.token(view):
            set_property(self.state, "token", words.token(view))
        self.phase.setText(words.phase(view))
        self.bar.setVisible(view.is_active)
        preparing = view.status.state == "new" or (view.status.state == "running" and not view.status.total_steps)
        self.bar.setRange(0, 0 if preparing else 1000)
        self.bar.setValue(round(1000 * words.share(view)))
        self.facts.setText("   ·   ".join(self._facts(view)))
        self._show_trouble(view)
        self._show_buttons(view)
        self.curves.show_runs(view, others)
        self.masks.show_run(view)
        self.insight.show_run(view)
        if fresh:
            self._read_log()

    def _facts(self, view: RunView) -> list[str]:
        facts = []
        if view.started is not None:
            started = view.started
            clips = self.tr("Clips: {0} for training, {1} for validation").format(
                started.train_clips, started.val_clips
            )
            learning = self.tr("{0:.1f} of {1:.1f} M weights learn").format(
                started.trained_parameters / 1e6, started.parameters / 1e6
            )
            device = self.tr("on {0}").format(started.device.upper())
            facts += [clips, learning, ", ".join(filter(None, (device, words.temperature(view))))]
        if view.memory_mb:
            facts.append(self.tr("{0} of memory").format(words.size(view.memory_mb * 2**20)))
        if view.is_active and view.status.last_sign_of_life:
            facts.append(self.tr("last sign of life {0}").format(words.sign_of_life(view)))
        return facts

    def _show_trouble(self, view: RunView) -> None:
        text = words.trouble(view)
        kind = "error" if view.status.state == "failed" else "warning"
        if not text and view.is_active and view.notices:
            text, kind = view.notices[-1].text, "info"
        self.trouble.setVisible(bool(text))
        if text == self.trouble_text.text() and kind == self.trouble.property("kind"):
            return
        self.trouble_text.setText(text)
        set_property(self.trouble, "kind", kind)
        self._trouble_icon.set_icon(kind, kind)

    def _show_buttons(self, view: RunView) -> None:
        state = view.status.state
        running, paused = state == "running", state == "paused"
        has_model = view.status.state == "finished" and bool(view.status.model)
        visible = {
            "pause": running,
            "go_on": paused,
            "stop": running or paused,
            "cancel": running or paused or view.queued,
            "resume": view.can_resume,
            "compare": has_model and view.config is not None and bool(view.config.init_from),
            "wipe": has_model and view.config is not None and bool(view.config.init_from),
            "use": has_model,
            "folder": not view.is_active,
            "delete": not view.is_active and not view.queued,
        }
        slower = self.tr("Resume, learning ten times slower")
        self._buttons["resume"].setText(slower if view.diverged else self.tr("Resume"))
        for name, shown in visible.items():
            self._buttons[name].setVisible(shown)

    def _read_log(self) -> None:
        view = self.view
        index = self.tabs.currentIndex()
        if view is None or index < _LOG:
            return
        if index == _SETTINGS:
            self._logs.submit(lambda: _read_text(view), lambda text: self._set_text(self.recipe, text))
        else:
            self._logs.submit(lambda: read_log(view.run), lambda text: self._set_text(self.log, text))

    def _set_text(self, widget: QPlainTextEdit, text: str) -> None:
        text = text or self.tr("Nothing yet.")
        if widget.toPlainText() == text:
            return
        bar = widget.verticalScrollBar()
        at_end = widget is self.log and bar.value() >= bar.maximum()
        widget.setPlainText(text)
        if at_end:
            bar.setValue(bar.maximum())


def _read_text(view: RunView) -> str:
    try:
        return view.run.config_file.read_text(encoding="utf-8")
    except OSError:
        return ""
