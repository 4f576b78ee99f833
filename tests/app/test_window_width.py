"""Every page fits into the narrowest window, in every language."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSettings
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from avseg_app.language import load_translators
from avseg_app.main_window import MainWindow
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.widgets.flow import FlowLayout
from avseg_core.training.library import ModelCard
from tests.app.conftest import MODEL, PATIENCE
from tests.idle_client import IdleClient, IdleLiveClient

_WIDTH = 1000
_LONG = "a model with a name that somebody has given much thought to"


@pytest.fixture(scope="module", params=["en", "de"])
def window(
    request: pytest.FixtureRequest, qapp: QApplication, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """A window as small as it goes, without processes, in a language; one of its models has a long name."""
    folder = tmp_path_factory.mktemp("width")
    library = folder / "a folder with a long name, which lies deep" / "in other folders" / "with long names"
    library.mkdir(parents=True)
    shutil.copyfile(models / f"{MODEL}.safetensors", library / f"{_LONG}.safetensors")
    translators = load_translators(request.param, qapp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("AVSEG_RUNS", str(folder / "runs"))
        patch.setenv("AVSEG_MODELS", str(library))
        patch.setattr("avseg_app.live.page.LiveClient", IdleLiveClient)
        for translator in translators:
            qapp.installTranslator(translator)
        store = SettingsStore(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        store.update(theme="light", language=request.param, model=_LONG)
        made = MainWindow(store, ThemeManager(qapp, "light"), IdleClient())
        made.resize(_WIDTH, made.minimumHeight())
        made.show()
        yield made
        made.close()
        made.deleteLater()
        for translator in translators:
            qapp.removeTranslator(translator)


def check(window: MainWindow, qtbot: QtBot) -> None:
    """The window is no wider than asked for, and what is in it needs no more."""
    qtbot.wait(50)
    assert window.width() == _WIDTH
    for part in (window.centralWidget(), window.statusBar(), window.menuBar()):
        assert part.minimumSizeHint().width() <= _WIDTH, type(part)
    wide = [part for part in window.findChildren(QPushButton) if part.isVisible() and _is_cut(part)]
    assert not wide, [part.text() for part in wide]


def _is_cut(button: QPushButton) -> bool:
    return button.width() < button.minimumSizeHint().width() and bool(button.text())


@pytest.mark.parametrize("page", ["start_page", "workspace"])
def test_pages_of_a_video(window: MainWindow, qtbot: QtBot, page: str) -> None:
    window.modes.set_mode("video")
    window.pages.setCurrentWidget(getattr(window, page))
    window.toolbar.setVisible(page == "workspace")
    check(window, qtbot)


def test_the_live_page(window: MainWindow, qtbot: QtBot) -> None:
    window.modes.set_mode("live")
    check(window, qtbot)


def test_pages_of_training(window: MainWindow, qtbot: QtBot) -> None:
    window.modes.set_mode("training")
    training = window.training
    training.show_new()
    for step in range(training.new.steps.count()):
        training.new.steps.setCurrentIndex(step)
        check(window, qtbot)
    training.pages.setCurrentWidget(training.watch)
    check(window, qtbot)


def test_the_models(window: MainWindow, qtbot: QtBot) -> None:
    window.modes.set_mode("training")
    library = window.training.library
    window.training.show_models()
    qtbot.waitUntil(lambda: library.models.count() == 2, timeout=PATIENCE)
    for number in range(library.models.count()):
        library.models.setCurrentRow(number)
        assert isinstance(library.card, ModelCard)
        check(window, qtbot)
        area = library.delete_button.parentWidget().rect()
        assert area.contains(QRect(library.story_button.geometry())) or library.story_button.isHidden()
        assert area.contains(library.delete_button.geometry())


def test_a_flow_goes_on_in_the_next_line(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    parts = [QWidget() for _ in range(4)]
    for part in parts:
        part.setFixedSize(100, 20)
    holder.setLayout(FlowLayout(parts, spacing=10))
    parts[1].hide()
    holder.resize(215, holder.heightForWidth(215))
    holder.show()
    assert holder.height() == 50
    assert [(part.x(), part.y()) for part in parts if part.isVisible()] == [(0, 0), (110, 0), (0, 30)]
