"""The training tab: runs on the left; a run, a new training or the models on the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QStackedWidget, QWidget

from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.training import words
from avseg_app.training.compare_dialog import CompareDialog
from avseg_app.training.jobs import Jobs, RunView, free_run_name
from avseg_app.training.library_page import LibraryPage
from avseg_app.training.new_page import NewPage
from avseg_app.training.sidebar import Sidebar
from avseg_app.training.watch import WatchView
from avseg_app.training.wipe_dialog import WipeDialog
from avseg_app.widgets.controls import row
from avseg_app.workers.background import Background
from avseg_core.errors import AVSegError
from avseg_core.training.library import ModelCard, adopt, free_name, user_runs


class TrainingPage(QWidget):
    """Everything about training. Runs belong to their folders: closing the window ends none."""

    message = Signal(str, str)
    """Kind and text"""
    model_chosen = Signal(str)
    """A model that the video view is to use from now on"""

    def __init__(self, settings: SettingsStore, themes: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._settings = settings
        self._followed: Path | None = None
        self._seen: dict[Path, str] = {}
        self._work = Background("models", self)
        self.jobs = Jobs(user_runs(), self)
        self.sidebar = Sidebar()
        self.watch = WatchView()
        self.new = NewPage(user_runs(), self._free_name)
        self.library = LibraryPage()
        self.pages = QStackedWidget()
        for page in (self.new, self.watch, self.library):
            self.pages.addWidget(page)
        self.setLayout(row(self.sidebar, self.pages, spacing=0))
        self._connect(themes)

    def _connect(self, themes: ThemeManager) -> None:
        self.jobs.changed.connect(self._on_runs)
        self.jobs.failed.connect(lambda text: self.message.emit("error", text))
        self.sidebar.new_requested.connect(self.show_new)
        self.sidebar.models_requested.connect(self.show_models)
        self.sidebar.run_chosen.connect(self.show_run)
        self.sidebar.add_requested.connect(self._ask_run_folder)
        self.jobs.added.connect(self.show_run)
        self.new.start_requested.connect(self._start)
        self.new.data.said.connect(self.message)
        self.watch.request.connect(self._request)
        self.watch.resume_requested.connect(lambda: self._with_run(self.jobs.resume))
        self.watch.use_requested.connect(lambda: self._with_run(self._ask_name))
        self.watch.compare_requested.connect(lambda: self._with_run(self._compare))
        self.watch.wipe_requested.connect(lambda: self._with_run(self.wipe))
        self.watch.delete_requested.connect(lambda: self._with_run(self._ask_delete))
        self.watch.folder_requested.connect(lambda: self._with_run(_open_folder))
        self.watch.curves.compare_changed.connect(lambda _: self._watch_runs())
        self.library.said.connect(self.message)
        self.library.use_requested.connect(self._use)
        self.library.train_requested.connect(self._train_from)
        self.library.models_changed.connect(lambda old, new: self.model_chosen.emit(""))
        themes.changed.connect(lambda _: self.watch.apply_theme())
        shortcut = QShortcut(QKeySequence("Ctrl+N"), self)
        shortcut.activated.connect(self.show_new)

    def close_all(self) -> None:
        """Ends threads and helper processes; runs go on."""
        self.new.close_processes()
        self.new.close_threads()
        self.jobs.close()
        self.watch.close_threads()
        self.library.close_threads()
        self._work.close()

    # --- which page -------------------------------------------------------------------------------------------------

    def show_new(self) -> None:
        """The first step of a new training."""
        self._followed = None
        self.sidebar.choose(None)
        self.new.show_data()
        self.pages.setCurrentWidget(self.new)
        self._watch_runs()

    def show_models(self) -> None:
        """The models."""
        self._followed = None
        self.sidebar.choose(None)
        self.library.refresh(self._settings.values.model)
        self.pages.setCurrentWidget(self.library)

    def show_run(self, folder: Path) -> None:
        """The run in `folder`."""
        self._followed = folder
        self.pages.setCurrentWidget(self.watch)
        self._watch_runs()
        self._show_followed()

    def scan(self, folder: Path) -> None:
        """Looks at a folder of data as the start of a new training."""
        self.show_new()
        self.new.data.scan(folder)

    def scan_dropped(self, path: Path) -> None:
        """Looks at a folder or an annotation file; any other file stands for the folder that it lies in."""
        is_source = path.is_dir() or path.suffix.lower() == ".json"
        self.scan(path if is_source else path.parent)

    def _watch_runs(self) -> None:
        other = self.watch.curves.compare.currentData()
        self.jobs.watch(*(folder for folder in (self._followed, other) if folder is not None))

    # --- runs -------------------------------------------------------------------------------------------------------

    def _free_name(self, wanted: str) -> str:
        return free_run_name(wanted, [view.name for view in self.jobs.views])

    def _start(self, name: str, options: list[str], wait: bool) -> None:
        if name in [view.name for view in self.jobs.views]:
            name = self._free_name(name)
        self.show_run(self.jobs.start(name, options, wait=wait))
        self.watch.tabs.setFocus()

    def _on_runs(self, views: list[RunView]) -> None:
        first = not self.sidebar.runs.count()
        self.sidebar.show_runs(views)
        self.new.set_others_active(any(view.is_active for view in views))
        if self._followed is not None:
            self.sidebar.choose(self._followed)
        elif first and views and self.pages.currentWidget() is self.new and self.new.data.survey is None:
            active = next((view for view in views if view.is_active), None)
            if active is not None:  # whoever comes back wants to see the run that is at work
                self.show_run(active.run.folder)
                self.sidebar.choose(self._followed)
        self._announce(views)
        self._show_followed()

    def _announce(self, views: list[RunView]) -> None:
        """Says when a run has ended while the window was open."""
        for view in views:
            before = self._seen.get(view.run.folder)
            now = view.status.state
            self._seen[view.run.folder] = now
            if before in ("running", "paused", "new") and now in ("finished", "failed", "dead"):
                kind = {"failed": "error", "dead": "warning"}.get(now, "success" if view.status.model else "info")
                text = f"{view.name}: {words.state(view)}."
                if view.best is not None and view.status.model:
                    text += " " + self.tr("mIoU {0:.3f} on the validation clips.").format(view.best.miou)
                self.message.emit(kind, f"{text} {words.trouble(view)}".strip())

    def _show_followed(self) -> None:
        view = next((view for view in self.jobs.views if view.run.folder == self._followed), None)
        if view is not None:
            others = [other for other in self.jobs.views if other.run != view.run]
            self.watch.show_run(view, others, added=self.jobs.is_added(view))

    def _with_run(self, action) -> None:
        if self.watch.view is not None:
            action(self.watch.view)

    def _request(self, request: str) -> None:
        view = self.watch.view
        if view is not None:
            self.jobs.request(view, request)
            if view.queued:
                self.show_new()

    def _compare(self, view: RunView) -> None:
        CompareDialog(view, self).open()

    def wipe(self, view: RunView) -> WipeDialog:
        """Opens the comparison of a run's model with its parent on a video."""
        dialog = WipeDialog(view, self)
        dialog.open()
        return dialog

    def _ask_run_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a run folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.jobs.add(Path(name)))
        dialog.open()

    def _ask_delete(self, view: RunView) -> None:
        if self.jobs.is_added(view):
            self.delete_run(view)  # nothing is lost: its files stay
            return
        box = QMessageBox(QMessageBox.Icon.Warning, self.tr("Delete the run"), "", parent=self)
        box.setText(self.tr("Delete the run {0} with its curves and saved states for good?").format(view.name))
        box.setInformativeText(self.tr("Models that were made of it stay."))
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole).clicked.connect(
            lambda: self.delete_run(view)
        )
        box.open()

    def delete_run(self, view: RunView) -> None:
        """Deletes the folder of a run that is not active, or takes one from elsewhere off the list."""
        self.jobs.delete(view)
        self.show_new()

    # --- models -----------------------------------------------------------------------------------------------------

    def _ask_name(self, view: RunView) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Use this model"))
        dialog.setLabelText(self.tr("The model's name in the lists of models:"))
        dialog.setTextValue(free_name(view.name))
        dialog.textValueSelected.connect(lambda name: self.adopt(view, name.strip()))
        dialog.open()

    def adopt(self, view: RunView, name: str) -> None:
        """Copies the result of a run into the user's models and uses it."""
        self._work.submit(lambda: adopt(view.run, name), self._on_adopted, self._on_refused)

    def _on_adopted(self, card: ModelCard) -> None:
        self._use(card.name)
        self.message.emit(
            "success",
            self.tr("{0} is now one of your models, and the one that videos are shown with.").format(card.name),
        )

    def _on_refused(self, error: AVSegError) -> None:
        self.message.emit("error", str(error))

    def _use(self, name: str) -> None:
        self.model_chosen.emit(name)
        if self.pages.currentWidget() is self.library:
            self.library.refresh(name)

    def _train_from(self, name: str) -> None:
        self.show_new()
        self.new.recipe.prefer_parent(name)


def _open_folder(view: RunView) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(view.run.folder)))
