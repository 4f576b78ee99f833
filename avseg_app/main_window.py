"""The main window: menus, message bar, pages and status line."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QMainWindow, QMenu, QStackedWidget, QWidget

from avseg_app.help import AboutDialog, ShortcutsDialog
from avseg_app.icons import app_icon
from avseg_app.live.page import LivePage
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.training.page import TrainingPage
from avseg_app.widgets.controls import column, make_action, row
from avseg_app.widgets.drop_veil import DropVeil, dropped_files
from avseg_app.widgets.elided_label import ElidedLabel
from avseg_app.widgets.full_screen import FullScreen
from avseg_app.widgets.icon_label import IconLabel
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.widgets.mode_rail import ModeRail
from avseg_app.workers.inference_client import InferenceClient
from avseg_app.workers.protocol import ModelReady
from avseg_app.workspace.actions import PlaybackActions
from avseg_app.workspace.controller import Controller
from avseg_app.workspace.exporting import Exporting
from avseg_app.workspace.page import WorkspacePage
from avseg_app.workspace.recent import RecentVideos
from avseg_app.workspace.start_page import StartPage
from avseg_app.workspace.toolbar import Toolbar

_TITLE = "AVSeg Studio"
_DEVICES = {"cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Metal)"}


class MainWindow(QMainWindow):
    """Everything the user sees. Pages are stacked; which one is shown follows from whether a video is open."""

    def __init__(self, settings: SettingsStore, themes: ThemeManager, client: InferenceClient | None = None) -> None:
        """`client` is the link to the inference process, where that was started already."""
        super().__init__()
        self.settings, self._themes = settings, themes
        self.setWindowTitle(_TITLE)
        self.setWindowIcon(app_icon())
        self.setMinimumSize(QSize(1000, 600))
        self.resize(1280, 820)
        self.setAcceptDrops(True)
        self.controller = Controller(settings, client or InferenceClient(), self)
        self.playback = PlaybackActions(self.controller.player, settings, self)
        self._full_screen = FullScreen(self)
        self.actions_by_name = self._make_actions()
        self.messages = MessageBar()
        self.start_page = StartPage(settings)
        self.recent = RecentVideos(settings, self.messages, self)
        self.workspace = WorkspacePage(self.controller, self.playback)
        self.live_page: LivePage | None = None
        self.toolbar = Toolbar(settings, self.actions_by_name)
        self.exporting = Exporting(self.controller, self.messages, self)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(self.workspace)
        self.training = TrainingPage(settings, themes)
        self.pages.addWidget(self.training)
        self.modes = ModeRail()
        self.modes.add("video", "film", self.tr("Video"), self.tr("Watch a video with its masks (Ctrl+1)"))
        self.modes.add("live", "camera", self.tr("Live"), self.tr("Camera and microphone (Ctrl+L)"))
        self.modes.add("training", "training", self.tr("Training"), self.tr("Teach a model your own clips (Ctrl+2)"))
        central = QWidget()
        central.setObjectName("page")
        body = column(self.toolbar, self.messages, self.pages, spacing=0)
        central.setLayout(row(self.modes, body, spacing=0))
        self.setCentralWidget(central)
        self._veil = DropVeil(self)
        self._make_menus()
        self._make_status()
        self._connect()
        self._on_document()
        self.restoreGeometry(QByteArray.fromHex(settings.values.geometry.encode()))
        self.start_page.setFocus()
        self.controller.start()

    def show_live(self) -> None:
        """Shows the live page; the video that is open stays open behind it."""
        self.modes.set_mode("live")

    def leave_live(self) -> None:
        """Back to the video or the first page; camera and microphone are switched off."""
        if self.modes.mode == "live":
            self.modes.set_mode("video")

    def _on_mode(self, mode: str) -> None:
        if self.live_page is not None:
            self.live_page.leave()
        self.controller.player.pause()
        if mode == "live":
            self._enter_live()
        else:
            self._on_document()
            self.pages.currentWidget().setFocus()

    def _enter_live(self) -> None:
        if self.live_page is None:
            self.live_page = LivePage(self.settings, self.messages)
            self.live_page.leave_requested.connect(self.leave_live)
            self.live_page.recording_opened.connect(self.open)
            self.pages.addWidget(self.live_page)
        self.pages.setCurrentWidget(self.live_page)
        self.toolbar.hide()
        self.playback.set_enabled(False)
        self.setWindowTitle(f"{self.tr('Live')} – {_TITLE}")
        self.live_page.enter()

    def open(self, path: Path) -> None:
        """Opens a video."""
        self.messages.dismiss()
        self.modes.set_mode("video")
        if path.is_dir():
            text = self.tr("{0} is a folder. Open one of its videos, or let a model learn from what is in it.")
            self.messages.show_message(
                "error", text.format(path), self.tr("Look at it under Training"), lambda: self._scan(path)
            )
        else:
            self.controller.open(path)

    def _scan(self, folder: Path) -> None:
        self.modes.set_mode("training")
        self.training.scan(folder)

    def _make_actions(self) -> dict[str, QAction]:
        tr, settings = self.tr, self.settings
        actions = {
            "open": make_action(self, tr("&Open a video…"), self._ask_for_file, "Ctrl+O"),
            "close": make_action(self, tr("&Close the video"), self.controller.close_video, "Ctrl+W"),
            "live": make_action(self, tr("&Live camera…"), self.show_live, "Ctrl+L"),
            "export": make_action(self, tr("&Export…"), lambda: self.exporting.ask(), "Ctrl+E"),
            "quit": make_action(self, tr("&Quit"), self.close, "Ctrl+Q"),
            "zoom_in": make_action(self, tr("Zoom in"), lambda: self.workspace.canvas.zoom_by(1.25), "+", "="),
            "zoom_out": make_action(self, tr("Zoom out"), lambda: self.workspace.canvas.zoom_by(0.8), "-"),
            "fit": make_action(self, tr("Fit the frame to the window"), lambda: self.workspace.canvas.fit(), "0"),
            "inspector": make_action(
                self, tr("Side panel"), lambda on: settings.update(inspector_visible=on), "F9", checkable=True
            ),
            "full_screen": make_action(self, tr("Full screen"), self._full_screen.toggle, "F11"),
            "video_mode": make_action(self, tr("&Video"), lambda: self.modes.set_mode("video"), "Ctrl+1"),
            "training_mode": make_action(self, tr("&Training"), lambda: self.modes.set_mode("training"), "Ctrl+2"),
            "shortcuts": make_action(self, tr("&Keyboard shortcuts"), self.show_shortcuts, "F1"),
            "about": make_action(self, tr("&About AVSeg Studio"), lambda: AboutDialog(self).open()),
        }
        actions["inspector"].setChecked(settings.values.inspector_visible)
        modes = {
            "fill": (tr("Filled mask"), "1"),
            "outline": (tr("Outline"), "2"),
            "heat": (tr("Heat map"), "3"),
            "none": (tr("No mask"), "4"),
            "spotlight": (tr("Spotlight"), "5"),
        }
        for mode, (text, key) in modes.items():
            actions[f"mode_{mode}"] = make_action(self, text, lambda mode=mode: settings.update(overlay_mode=mode), key)
        for action in actions.values():
            self.addAction(action)
        return actions

    def _make_menus(self) -> None:
        tr, actions = self.tr, self.actions_by_name
        file_menu = self.menuBar().addMenu(tr("&File"))
        file_menu.addAction(actions["open"])
        recent_menu = file_menu.addMenu(tr("Open &recent"))
        recent_menu.aboutToShow.connect(lambda: self.recent.fill_menu(recent_menu))
        file_menu.addAction(actions["live"])
        file_menu.addAction(actions["close"])
        file_menu.addSeparator()
        file_menu.addAction(actions["export"])
        file_menu.addSeparator()
        file_menu.addAction(actions["quit"])
        view = self.menuBar().addMenu(tr("&View"))
        view.addActions([actions["video_mode"], actions["live"], actions["training_mode"]])
        view.addSeparator()
        view.addActions([actions[f"mode_{mode}"] for mode in ("fill", "outline", "heat", "none", "spotlight")])
        view.addSeparator()
        view.addActions([actions[name] for name in ("zoom_in", "zoom_out", "fit")])
        view.addSeparator()
        view.addActions([actions["inspector"], actions["full_screen"]])
        self._add_theme_menu(view)
        self._add_language_menu(view)
        playback = self.menuBar().addMenu(tr("&Playback"))
        for action in self.playback.all():
            if action is None:
                playback.addSeparator()
            else:
                playback.addAction(action)
        helping = self.menuBar().addMenu(tr("&Help"))
        helping.addActions([actions["shortcuts"], actions["about"]])

    def _add_theme_menu(self, view: QMenu) -> None:
        modes = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        self._add_choice(view.addMenu(self.tr("&Theme")), "theme", modes)

    def _add_language_menu(self, view: QMenu) -> None:
        """Every language under its own name."""
        languages = {"system": self.tr("As the system"), "en": "English", "de": "Deutsch"}
        self._add_choice(view.addMenu(self.tr("&Language")), "language", languages)

    def _add_choice(self, menu: QMenu, setting: str, choices: dict[str, str]) -> None:
        """One of several values of a setting."""
        group = QActionGroup(self)
        for value, text in choices.items():
            action = QAction(text, self, checkable=True, checked=value == getattr(self.settings.values, setting))
            action.triggered.connect(lambda _=False, value=value: self.settings.update(**{setting: value}))
            group.addAction(action)
            menu.addAction(action)

    def _make_status(self) -> None:
        self._device = ElidedLabel(self.tr("Getting the model ready…"))
        self._sound_note = QLabel()
        self._readout = QLabel()
        self._readout.setAccessibleName(self.tr("Under the mouse"))
        left = QWidget()
        left.setLayout(row(IconLabel("chip", 16), self._device, spacing=6, margins=(10, 0, 0, 0)))
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.addWidget(left)
        bar.addWidget(self._sound_note)
        bar.addPermanentWidget(self._readout)
        bar.addPermanentWidget(self.exporting.strip)

    def _connect(self) -> None:
        controller = self.controller
        controller.document_changed.connect(self._on_document)
        controller.job_changed.connect(self._allow_export)
        controller.timeline_changed.connect(self._allow_export)
        controller.opening.connect(self._on_opening)
        controller.message.connect(self.messages.show_message)
        controller.device_changed.connect(self._on_device)
        controller.worker_lost.connect(self._on_worker_lost)
        controller.player.sound_changed.connect(self._on_sound)
        controller.client.model_failed.connect(lambda failed: self._device.setText(self.tr("No model is loaded")))
        self.start_page.open_requested.connect(self._ask_for_file)
        self.start_page.live_requested.connect(self.show_live)
        self.start_page.file_chosen.connect(self.open)
        self.start_page.recent_list.removed.connect(self.recent.forget)
        self.recent.chosen.connect(self.open)
        self.workspace.readout.connect(self._readout.setText)
        self.workspace.canvas.zoom_changed.connect(self.toolbar.show_zoom)
        self.modes.chosen.connect(self._on_mode)
        self.training.message.connect(self.messages.show_message)
        self.training.model_chosen.connect(self._use_model)
        self.settings.changed.connect(self._on_setting)

    def _on_document(self) -> None:
        document = self.controller.document
        if self.modes.mode == "live":
            return
        training = self.modes.mode == "training"
        is_open = document is not None and not training
        self.pages.setCurrentWidget(self.training if training else self.workspace if is_open else self.start_page)
        self.toolbar.setVisible(is_open)
        place = self.tr("Training") if training else document.path.name if document is not None else ""
        self.setWindowTitle(f"{place} – {_TITLE}" if place else _TITLE)
        self.playback.set_enabled(is_open)
        for name in ("close", "zoom_in", "zoom_out", "fit", "inspector"):
            self.actions_by_name[name].setEnabled(is_open)
        self._allow_export()
        if is_open:
            self.workspace.canvas.setFocus()
            return
        self._readout.clear()
        if not training:
            self.start_page.setFocus()

    def _use_model(self, name: str) -> None:
        """Shows videos with the model `name` from now on; the lists of models are read again in any case."""
        if name:
            self.settings.update(model=name)
        self.toolbar.refresh()

    def _allow_export(self) -> None:
        document = self.controller.document
        self.actions_by_name["export"].setEnabled(document is not None and document.done > 0)

    def _on_opening(self, path: Path | None) -> None:
        self.statusBar().clearMessage()
        if path is not None:
            self.statusBar().showMessage(self.tr("Opening {0}…").format(path.name))

    def _on_device(self, ready: ModelReady) -> None:
        reason = ready.reason.rstrip(".")
        self._device.setText(f"{ready.model}   ·   {reason}")
        self._device.setToolTip(
            self.tr("{0} runs on {1}. {2}").format(ready.model, _DEVICES.get(ready.device, ready.device), ready.reason)
        )

    def _on_sound(self, note: str) -> None:
        self._sound_note.setText(f"  ·   {note}" if note else "")

    def _on_worker_lost(self, text: str) -> None:
        self.messages.show_message("error", text, self.tr("Try again"), self.controller.restart_worker)

    def _on_setting(self, name: str) -> None:
        if name == "theme":
            self._themes.set_mode(self.settings.values.theme)
        elif name == "language":
            self.messages.show_message("info", self.tr("The other language is used from the next start on."))
        elif name == "inspector_visible":
            self.actions_by_name["inspector"].setChecked(self.settings.values.inspector_visible)
        elif name in ("model", "rate"):
            self.toolbar.refresh()

    def _ask_for_file(self) -> None:
        """The platform's own dialog, without stopping the window."""
        dialog = QFileDialog(self, self.tr("Open a video"), self.settings.values.open_dir)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(
            [
                self.tr("Videos")
                + " (*.mp4 *.mov *.m4v *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.mts *.wmv *.flv *.3gp *.ogv)",
                self.tr("All files") + " (*)",
            ]
        )
        dialog.fileSelected.connect(self._on_file_selected)
        dialog.open()

    def _on_file_selected(self, name: str) -> None:
        path = Path(name)
        self.settings.update(open_dir=str(path.parent))
        self.open(path)

    def show_shortcuts(self) -> ShortcutsDialog:
        """Opens the list of all keys."""
        actions = [action for action in self.playback.all() if action is not None]
        dialog = ShortcutsDialog(list(self.actions_by_name.values()), actions, self)
        dialog.open()
        return dialog

    def show_veil(self, path: Path | None) -> None:
        """Says what becomes of `path` when it is dropped here; None takes the veil away."""
        if path is None:
            self._veil.hide()
        elif self.modes.mode == "training":
            self._veil.show_over(self.centralWidget(), self.tr("Drop to look at what there is to learn from"))
        else:
            self._veil.show_over(self.centralWidget(), self.tr("Drop to open {0}").format(path.name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        files = dropped_files(event)
        if not files:
            return
        event.acceptProposedAction()
        if self.pages.currentWidget() is self.start_page:
            self.start_page.set_hot(True)
        else:
            self.show_veil(files[0])

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._end_drag()

    def dropEvent(self, event: QDropEvent) -> None:
        self._end_drag()
        files = dropped_files(event)
        if not files:
            return
        event.acceptProposedAction()
        if self.modes.mode == "training":
            self.training.scan_dropped(files[0])
            return
        self.open(files[0])
        if len(files) > 1:
            text = self.tr("One video at a time: {0} is opened, {1} more files are not.")
            self.messages.show_message("info", text.format(files[0].name, len(files) - 1))

    def _end_drag(self) -> None:
        self.start_page.set_hot(False)
        self.show_veil(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._veil.setGeometry(self.centralWidget().geometry())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Gone from the screen at once, then every process and thread is ended."""
        self.settings.update(geometry=bytes(self.saveGeometry().toHex()).decode())
        self.hide()
        self.exporting.close()
        if self.live_page is not None:
            self.live_page.shut_down()
        self.controller.close()
        self.start_page.close_threads()
        self.training.close_all()
        self.settings.flush()
        event.accept()
