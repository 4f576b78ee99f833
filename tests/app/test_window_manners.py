"""What any window is expected to do: drops are announced, lists are tidied and restored, full screen has a way out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QSettings, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QScrollArea, QTabBar
from pytestqt.qtbot import QtBot

from avseg_app import app
from avseg_app.language import load_translators
from avseg_app.live.panel import DeviceLine, LivePanel
from avseg_app.live.source_bar import SourceBar
from avseg_app.main_window import MainWindow
from avseg_app.paths import DEMO_CLIP
from avseg_app.settings import Settings, SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.training.jobs import RunView
from avseg_app.training.watch import WatchView
from avseg_app.training.wipe import Wipe
from avseg_app.widgets.controls import Choice
from avseg_app.workspace.document import JobState, Phase
from avseg_app.workspace.job_bar import JobBar
from avseg_app.workspace.toolbar import Toolbar
from avseg_core.media.capture import DeviceState, DeviceStatus
from avseg_core.presets import finetune_preset
from avseg_core.training.run_store import Run, RunStatus
from tests.app.conftest import PATIENCE, grab
from tests.app.test_window import drop
from tests.idle_client import IdleClient


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """A window without an inference process."""
    folder = tmp_path_factory.mktemp("manners")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("AVSEG_RUNS", str(folder / "runs"))
        store = SettingsStore(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        store.update(theme="light")
        made = MainWindow(store, ThemeManager(qapp, "light"), IdleClient())
        made.resize(1280, 820)
        made.show()
        yield made
        made.close()
        made.deleteLater()


@pytest.fixture
def window(opened: MainWindow) -> MainWindow:
    """One window for all tests here, on its first page."""
    opened.modes.set_mode("video")
    opened.messages.dismiss()
    opened.settings.update(recent_files=(), theme="light")
    return opened


def hover(window: MainWindow, path: Path) -> None:
    """What Qt delivers when a file is dragged over the window; the event keeps no hold of its data."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(200, 200), Qt.DropAction.CopyAction, mime, buttons, keys))


def test_a_missing_video_of_the_command_line_is_one_line_in_the_window(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "make_application", lambda language: SimpleNamespace(exec=lambda: 0))
    monkeypatch.setattr(app, "open_window", lambda application, settings: window)
    monkeypatch.setattr(app.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    assert app.main([str(tmp_path / "missing.mp4")]) == 0
    qtbot.waitUntil(lambda: "missing.mp4: no such file" in window.messages.text, timeout=PATIENCE)
    assert QApplication.activeModalWidget() is None
    assert window.pages.currentWidget() is window.start_page


def test_a_drag_is_told_what_becomes_of_it(window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hover(window, tmp_path / "a.mp4")
    assert window.start_page.drop_area.property("hot")
    assert not window._veil.isVisible()
    window._end_drag()
    monkeypatch.setattr("avseg_app.live.page.LiveClient.send", lambda client, request: None)
    for mode, words in (("training", "learn from"), ("live", "open a.mp4")):
        window.modes.set_mode(mode)
        hover(window, tmp_path / "a.mp4")
        assert window._veil.isVisible()
        assert words in window._veil.text.text()
        window._end_drag()
        assert not window._veil.isVisible()


def test_a_folder_is_no_video_but_leads_to_training(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(window, tmp_path)
    assert window.messages.kind == "error"
    assert str(tmp_path) in window.messages.text
    scanned: list[Path] = []
    monkeypatch.setattr(window.training, "scan", scanned.append)
    qtbot.mouseClick(window.messages._button, Qt.MouseButton.LeftButton)
    assert window.modes.mode == "training"
    assert scanned == [tmp_path]
    assert window.windowTitle().startswith("Training")


def test_what_is_dropped_on_training_is_the_folder_or_the_annotations(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[Path] = []
    monkeypatch.setattr(window.training, "scan", scanned.append)
    window.modes.set_mode("training")
    (tmp_path / "clip.mp4").touch()
    for path in (tmp_path, tmp_path / "clip.mp4", tmp_path / "instances.json"):
        drop(window, path)
    assert scanned == [tmp_path, tmp_path, tmp_path / "instances.json"]


def test_recent_videos_that_are_gone_are_marked(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.settings.update(recent_files=(str(tmp_path / "gone.mp4"), str(DEMO_CLIP)))
    recent = window.start_page.recent_list
    qtbot.waitUntil(lambda: recent.note_of(0) == "not found", timeout=PATIENCE)
    assert recent.note_of(1) == ""


def test_a_recent_video_has_a_menu_and_comes_back_after_undo(window: MainWindow, qtbot: QtBot) -> None:
    clip = DEMO_CLIP
    window.settings.update(recent_files=("/v/a.mp4", str(clip)))
    recent = window.start_page.recent_list
    entries = {action.text(): action for action in recent.menu_of(recent.item(1)).actions()}
    entries["Copy path"].trigger()
    assert QApplication.clipboard().text() == str(clip)
    entries["Take off the list"].trigger()
    assert window.settings.values.recent_files == ("/v/a.mp4",)
    assert clip.name in window.messages.text
    qtbot.mouseClick(window.messages._button, Qt.MouseButton.LeftButton)
    assert window.settings.values.recent_files == ("/v/a.mp4", str(clip))


def test_the_recent_menu_can_be_cleared_and_that_undone(window: MainWindow, qtbot: QtBot) -> None:
    window.settings.update(recent_files=("/v/you & me.mp4",))
    menu = QMenu(window)
    window.recent.fill_menu(menu)
    entries: list[QAction] = [action for action in menu.actions() if not action.isSeparator()]
    assert [action.text() for action in entries] == ["you && me.mp4", "Clear the list"]
    entries[-1].trigger()
    assert window.settings.values.recent_files == ()
    qtbot.mouseClick(window.messages._button, Qt.MouseButton.LeftButton)
    assert window.settings.values.recent_files == ("/v/you & me.mp4",)


def test_escape_leaves_full_screen_to_what_was_before(window: MainWindow, qtbot: QtBot) -> None:
    for before, back in ((window.showMaximized, window.isMaximized), (window.showNormal, lambda: True)):
        before()
        window.actions_by_name["full_screen"].trigger()
        assert window.isFullScreen()
        qtbot.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isFullScreen()
        assert back()
    assert not window.isMaximized()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_the_button_of_the_job_bar_lies_within_it(window: MainWindow, qtbot: QtBot) -> None:
    bar = JobBar()
    qtbot.addWidget(bar)
    bar.show_state(JobState(phase="stopped", done=2, planned=10))
    bar.show()
    assert bar.rect().contains(bar.button.geometry())
    assert bar.height() - bar.button.geometry().bottom() >= 4


@pytest.mark.parametrize("phase", ["loading", "running"])
def test_there_is_nothing_to_cancel_where_all_masks_are_there(qtbot: QtBot, phase: Phase) -> None:
    bar = JobBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.show_state(JobState(phase=phase, done=9, planned=10))
    assert bar.button.isVisible()
    bar.show_state(JobState(phase=phase, done=10, planned=10))
    assert not bar.button.isVisible()
    bar.show_state(JobState(phase=phase, done=0, planned=0))
    assert bar.button.isVisible()


def test_the_buttons_of_an_export_fit_into_the_status_bar(window: MainWindow, qtbot: QtBot) -> None:
    height = window.statusBar().height()
    window.exporting.strip.show_share(0.5)
    qtbot.wait(20)
    bar, button = window.statusBar(), window.exporting.strip.cancel_button
    place = button.mapTo(bar, QPoint(0, 0)).y()
    assert bar.height() == height
    assert place >= 0
    assert place + button.height() <= bar.height()
    window.exporting.strip.hide()


def test_the_focus_goes_on_to_the_next_step(window: MainWindow, qtbot: QtBot) -> None:
    """And not to whatever lies behind the button that is hidden then, such as another page's."""
    window.modes.set_mode("training")
    window.training.show_new()
    new = window.training.new
    new.next.setEnabled(True)
    new.next.setFocus()
    qtbot.keyClick(new.next, Qt.Key.Key_Space)
    assert window.focusWidget() is new.recipe.name
    window.training.show_new()


def test_space_presses_every_button_that_has_the_focus(window: MainWindow, qtbot: QtBot) -> None:
    """Elsewhere in the window it plays, or starts and stops the live picture."""
    buttons = [b for b in window.findChildren(QAbstractButton) if b.focusPolicy() & Qt.FocusPolicy.TabFocus]
    buttons = [button for button in buttons if not isinstance(button.parent(), QTabBar)]  # its own scroll buttons
    assert len(buttons) > 60
    deaf = []
    for button in buttons:
        key = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
        key.ignore()
        QApplication.sendEvent(button, key)
        if not key.isAccepted():
            deaf.append((type(button).__name__, button.accessibleName() or button.text()))
    assert deaf == []


def test_the_arrows_go_from_one_mode_or_colour_to_the_next(window: MainWindow, qtbot: QtBot) -> None:
    rail = window.modes.buttons
    window.activateWindow()
    rail["video"].setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is rail["video"])
    qtbot.keyClick(rail["video"], Qt.Key.Key_Down)
    assert QApplication.focusWidget() is not rail["video"]
    assert QApplication.focusWidget() in rail.values()
    window.modes.set_mode("video")


def test_lists_that_open_show_all_of_few_entries(window: MainWindow, qtbot: QtBot) -> None:
    choice = Choice("Source")
    qtbot.addWidget(choice)
    choice.addItems(["Screen", "Test picture"])
    choice.insertSeparator(2)
    choice.addItems(["Video file", "Network address"])
    choice.show()
    choice.showPopup()
    qtbot.waitUntil(choice.view().isVisible)
    last = choice.view().visualRect(choice.model().index(choice.count() - 1, 0))
    assert choice.view().viewport().rect().contains(last)
    choice.hidePopup()


def test_icons_that_stand_alone_follow_the_theme(window: MainWindow, qtbot: QtBot) -> None:
    line = DeviceLine("Camera")
    qtbot.addWidget(line)
    line.show_status(DeviceStatus("camera", "Webcam", DeviceState.RUNNING))
    line.show()
    seen = []
    for theme in ("light", "dark"):
        window.settings.update(theme=theme)
        seen.append(grab(line._dot))
    window.settings.update(theme="light")
    assert (seen[0] != seen[1]).any()


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_the_live_panel_says_fits_its_width(qapp: QApplication, qtbot: QtBot, language: str) -> None:
    """Whatever the devices and folders are called, nothing is cut off at the right."""
    translators = load_translators(language, qapp)
    for translator in translators:
        qapp.installTranslator(translator)
    try:
        panel = LivePanel(Settings())
    finally:
        for translator in translators:
            qapp.removeTranslator(translator)
    qtbot.addWidget(panel)
    panel.resize(panel.width(), 900)
    panel.show()
    name = "Monitor of a USB sound card with a very long name indeed, analogue stereo"
    for kind in ("camera", "microphone"):
        panel.show_status(DeviceStatus(kind, name, DeviceState.LOST, "It was unplugged; plug it in again."))
    panel.recording.show_folder(Path("/home/somebody/with a/rather/long way/to the place/where recordings are kept"))
    scroll = panel.findChild(QScrollArea)
    qtbot.waitUntil(lambda: scroll.viewport().width() > 200)
    assert scroll.widget().minimumSizeHint().width() <= scroll.viewport().width()
    assert panel.recording._folder.shown != panel.recording._folder.text()
    assert "…" in panel.recording._folder.shown


def test_a_choice_that_does_not_fit_is_cut_with_an_ellipsis(qtbot: QtBot) -> None:
    choice = Choice("Microphone")
    qtbot.addWidget(choice)
    choice.addItems(["Short", "Built-in Audio Analog Stereo of the docking station"])
    choice.setFixedWidth(160)
    choice.show()
    assert choice.shown == "Short"
    choice.setCurrentIndex(1)
    assert choice.shown.endswith("…")
    assert "docking station" in choice.toolTip()
    before = grab(choice)
    choice.setItemText(1, choice.shown)
    assert (grab(choice) == before).all()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_bars_fit_into_the_smallest_window(
    qapp: QApplication, qtbot: QtBot, language: str, window: MainWindow
) -> None:
    """Nothing in a row lies over its neighbour, also while it records."""
    translators = load_translators(language, qapp)
    for translator in translators:
        qapp.installTranslator(translator)
    try:
        live, video = SourceBar(Settings()), Toolbar(window.settings, window.actions_by_name)
    finally:
        for translator in translators:
            qapp.removeTranslator(translator)
    live.show_running(True)
    live.show_recording(83.0)
    room = window.minimumWidth() - window.modes.width()
    for bar in (live, video):
        qtbot.addWidget(bar)
        assert bar.minimumSizeHint().width() <= room


def test_the_list_of_keys_has_those_of_every_page(window: MainWindow) -> None:
    dialog = window.show_shortcuts()
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    for text, key in (
        ("Play or pause", "Space, K"),
        ("Record", "Ctrl+R"),
        ("New training", "Ctrl+N"),
        ("Quit", "Ctrl+Q"),
    ):
        assert shown[shown.index(text) + 1] == key
    dialog.close()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_buttons_of_a_finished_run_fit_into_the_smallest_window(
    qapp: QApplication, qtbot: QtBot, window: MainWindow, tmp_path: Path, language: str
) -> None:
    """Whatever the run is called, also where words are long."""
    translators = load_translators(language, qapp)
    for translator in translators:
        qapp.installTranslator(translator)
    try:
        watch = WatchView()
    finally:
        for translator in translators:
            qapp.removeTranslator(translator)
    qtbot.addWidget(watch)
    run = Run(tmp_path / "a name of a run that somebody has given much thought to and that is as long as this")
    status = RunStatus(state="finished", message="done", model="model.safetensors")
    watch.show_run(RunView(run, status, False, finetune_preset(), None, (), (), None, 0.0, None), [])
    room = window.minimumWidth() - window.modes.width() - window.training.sidebar.width()
    assert watch.minimumSizeHint().width() <= room
    watch.close_threads()


def test_the_place_of_the_pictures_says_what_to_do(qtbot: QtBot) -> None:
    wipe = Wipe("before", "after")
    qtbot.addWidget(wipe)
    wipe.resize(600, 400)
    ground = grab(wipe)
    wipe.invitation = "Drop a video"
    assert (grab(wipe) != ground).any()
