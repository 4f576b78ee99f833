"""The real main window with its real worker process, on a model that is small enough for tests."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from avseg_app.app import make_application
from avseg_app.main_window import MainWindow
from avseg_app.settings import Settings, SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.workspace.cache import result_cache
from avseg_core.training.run_store import Run
from tests.media_fixtures import Clip, Tone, write_clip

MODEL = "small"
PATIENCE = 120_000
"""Milliseconds; only a broken program needs them."""
SIZE = (192, 128)
"""Width and height of the clips."""


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application as `main` makes it, in English wherever the tests run."""
    return make_application("en")


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


def open_window(qapp: QApplication, folder: Path) -> MainWindow:
    """A main window on screen whose settings are in `folder`."""
    store = SettingsStore(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    store.update(model=MODEL, theme="light")
    opened = MainWindow(store, ThemeManager(qapp, "light"))
    opened.resize(1280, 820)
    opened.show()
    return opened


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """A main window of its own, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AVSEG_MODELS", str(models))
    opened = open_window(qapp, tmp_path)
    yield opened
    opened.close()
    opened.deleteLater()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run folders of a module's tests; whatever still trains in them at the end is ended."""
    folder = tmp_path_factory.mktemp("training") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVSEG_RUNS", str(folder))
        yield folder
    for run in folder.glob("*"):
        status = Run(run).status()
        if status.state in ("running", "paused"):
            os.kill(status.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def studio(
    qapp: QApplication, models: Path, runs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """One main window with its worker for all tests of a module: loading torch takes seconds."""
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("AVSEG_MODELS", str(models))
        opened = open_window(qapp, folder)
        yield opened
        opened.close()
        opened.deleteLater()


@pytest.fixture
def shared_window(studio: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window of `studio` as it is at its first start: no video, first settings, empty cache."""
    for dialog in studio.findChildren(QDialog):
        dialog.close()
    studio.controller.close_video()
    studio.messages.dismiss()
    studio.settings.update(**dataclasses.asdict(Settings(model=MODEL, theme="light")))
    studio.workspace.inspector.look.opacity.slider.set_real(studio.settings.values.opacity)
    studio.workspace.inspector.look.threshold.slider.set_real(studio.settings.values.threshold)
    for store in result_cache().folder.iterdir():
        store.unlink(missing_ok=True)
    studio.activateWindow()
    qtbot.waitUntil(studio.isActiveWindow)
    return studio


@pytest.fixture
def segmented(qtbot: QtBot, window: MainWindow, clip: Path) -> MainWindow:
    """The main window with `clip` open, every second segmented and a frame on screen."""
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    qtbot.waitUntil(
        lambda: window.controller.player.frame is not None and window.controller.result is not None, timeout=PATIENCE
    )
    return window


def is_done(window: MainWindow) -> bool:
    """True once every window of the open video is segmented."""
    document = window.controller.document
    return document is not None and document.job.phase == "done" and document.done == document.count


def grab(widget: object) -> np.ndarray:
    """What a widget looks like: [H,W,3] RGB."""
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
