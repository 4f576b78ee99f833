"""The real main window with its real worker process, on a model that is small enough for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from avseg_app.app import make_application
from avseg_app.main_window import MainWindow
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from tests.media_fixtures import Clip, Tone, write_clip

MODEL = "small"
SIZE = (192, 128)
"""Width and height of the clips."""


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application as `main` makes it."""
    return make_application()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one true model of random weights, which inherited processes also find."""
    import torch

    from avseg_core.models.checkpoints import save_model
    from avseg_core.models.registry import build_model
    from tests.segment_fixtures import small_model_config

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    save_model(build_model(small_model_config()), folder / f"{MODEL}.safetensors")
    os.environ["AVSEG_MODELS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 seconds at 25 frames per second, numbered, with a tone."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_clip(path, 100, size=SIZE, clip=Clip(fps=Fraction(25)), tones=[Tone(seconds=4.0)])


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 seconds at 5 frames per second, half as high, without sound: long enough to be interrupted."""
    path = tmp_path_factory.mktemp("clips") / "other.mkv"
    return write_clip(path, 200, size=(192, 64), clip=Clip(fps=Fraction(5)))


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    """Settings in a file of their own, with the small model."""
    store = SettingsStore(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    store.update(model=MODEL, theme="light")
    return store


@pytest.fixture
def window(
    qtbot: QtBot,
    qapp: QApplication,
    models: Path,
    settings: SettingsStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MainWindow]:
    """The main window on screen, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AVSEG_MODELS", str(models))
    opened = MainWindow(settings, ThemeManager(qapp, "light"))
    qtbot.addWidget(opened)
    opened.resize(1280, 820)
    with qtbot.waitExposed(opened):
        opened.show()
    yield opened
    opened.close()


@pytest.fixture
def segmented(qtbot: QtBot, window: MainWindow, clip: Path) -> MainWindow:
    """The main window with `clip` open, every second segmented and a frame on screen."""
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window), timeout=60_000)
    qtbot.waitUntil(lambda: window.controller.player.frame is not None and window.controller.result is not None)
    return window


def is_done(window: MainWindow) -> bool:
    """True once every window of the open video is segmented."""
    document = window.controller.document
    return document is not None and document.job.phase == "done" and document.done == len(document.windows)


def grab(widget: object) -> np.ndarray:
    """What a widget looks like: [H,W,3] RGB."""
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
