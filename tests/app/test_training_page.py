"""The training tab through the real window, with real training processes on a model that is small enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.training.jobs import LAUNCH_FILE, RunView
from tests.app.conftest import MODEL
from tests.avsbench_fixtures import make_folder

ROOT = Path(__file__).parents[2]
PATIENCE = 120_000
"""Milliseconds; only a broken program needs them."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips to learn from, of which one is damaged, and one to measure with."""
    root = make_folder(tmp_path_factory.mktemp("data"), {"train": 3, "val": 1}, size=64)
    (root / "train" / "train_2.mp4").write_bytes(b"this is no video")
    return root


@pytest.fixture
def window(shared_window: MainWindow) -> MainWindow:
    """The one window of these tests, on the page of training."""
    shared_window.modes.set_mode("training")
    return shared_window


def options(data: Path, *settings: str) -> list[str]:
    """What the recipe page would hand to `train`, with a run that is long enough to be stopped."""
    words = ["--preset", "finetune", "--data", str(data), "--dataset", "folder", "--init-from", MODEL]
    excluded = 'data.exclude=["train/train_2"]'
    return [*words, "--set", excluded, "epochs=500", "early_stop_epochs=0", "tensorboard=false", *settings]


def wait_for(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=PATIENCE)


def shown(window: MainWindow) -> RunView | None:
    return window.training.watch.view


def state(window: MainWindow) -> str:
    view = shown(window)
    return "" if view is None else view.status.state


def test_a_run_outlives_the_window_its_own_death_and_is_found_again(
    qtbot: QtBot, request: pytest.FixtureRequest, own: Path, models: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First of all tests here: the window must open after the one that started the run is gone."""
    monkeypatch.setenv("AVSEG_MODELS", str(models))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    _start_and_die(options(own, "checkpoint_steps=1"))
    window: MainWindow = request.getfixturevalue("window")
    wait_for(qtbot, lambda: state(window) == "running" and len(shown(window).evaluations) > 0)
    assert shown(window).name == "left"

    _click(qtbot, window, "pause")
    wait_for(qtbot, lambda: state(window) == "paused")
    steps = shown(window).status.step
    _click(qtbot, window, "go_on")
    wait_for(qtbot, lambda: state(window) == "running" and shown(window).status.step > steps)

    os.kill(shown(window).status.pid, signal.SIGKILL)
    wait_for(qtbot, lambda: state(window) == "dead")
    assert "Resume" in window.training.watch.trouble_text.text()
    before = shown(window).status.step
    _click(qtbot, window, "resume")
    wait_for(qtbot, lambda: state(window) == "running" and shown(window).status.step > before)
    assert shown(window).started.resumed_step > 0
    done = shown(window).curves.steps
    assert list(done) == sorted(set(done))

    _click(qtbot, window, "cancel")
    wait_for(qtbot, lambda: state(window) == "finished")
    view = shown(window)
    assert view.status.message == "cancelled"
    assert not view.status.model
    assert window.training.watch.button("resume").isVisible()
    assert not window.training.watch.button("use").isVisible()
    assert view.run.config().epochs == 500
    assert view.run.last_checkpoint.is_file()
    assert view.run.events()[-1].kind == "finished"


def test_from_a_folder_to_a_model_that_is_used(qtbot: QtBot, window: MainWindow, own: Path, runs: Path) -> None:
    page = window.training
    assert page.isVisible()
    page.scan(own)
    data = page.new.data
    assert not page.new.next.isEnabled()
    wait_for(qtbot, lambda: data.survey is not None)
    assert data.survey.dataset == "folder"
    assert data.survey.counts == {"train": 3, "val": 1}
    assert data.report.problems.count() == 1
    assert data.report.problems.item(0).text().startswith("train/train_2.mp4: is not a video")
    assert data.report.previews.count() == 3
    assert data.excluded == ()
    data.report.problems.item(0).setCheckState(Qt.CheckState.Checked)
    assert data.excluded == ("train/train_2",)
    assert data.report.clips_left("train") == 2

    qtbot.mouseClick(page.new.next, Qt.MouseButton.LeftButton)
    recipe = page.new.recipe
    recipe.parent_model.setCurrentText(MODEL)
    recipe.parent_model.activated.emit(0)
    recipe.epochs.setValue(400)
    recipe.form.editors["early_stop_epochs"].setText("0")
    wait_for(qtbot, lambda: "At most" in recipe.estimate.text())
    assert "800 steps" in recipe.estimate.text()

    qtbot.mouseClick(page.new.start, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: shown(window) is not None and shown(window).name == "own-1")
    wait_for(qtbot, lambda: len(page.watch.curves.loss.values("loss")) >= 3 and len(shown(window).evaluations) >= 2)
    assert shown(window).config.data.exclude == ("train/train_2",)
    assert shown(window).started.train_clips == 2
    before = len(page.watch.curves.loss.values("loss"))
    wait_for(qtbot, lambda: len(page.watch.curves.loss.values("loss")) > before)
    assert page.watch.curves.best_line.isVisible()

    qtbot.mouseClick(page.watch.button("stop"), Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: state(window) == "finished")
    assert shown(window).status.message == "stopped"
    page.watch.tabs.setCurrentIndex(1)
    wait_for(qtbot, lambda: bool(page.watch.masks.cells) and not page.watch.masks.cells[0].answer.image.isNull())

    assert page.watch.button("wipe").isVisible()
    ready: list[str] = []
    window.controller.device_changed.connect(lambda answer: ready.append(answer.model))
    assert page.watch.button("use").isVisible()
    page.adopt(shown(window), "mine")
    wait_for(qtbot, lambda: "mine" in ready)
    assert window.settings.values.model == "mine"
    assert window.toolbar.model_choice.currentText() == "mine"
    page.show_models()
    wait_for(qtbot, lambda: page.library.card is not None and page.library.card.name == "mine")
    assert page.library.card.facts["parent"] == MODEL
    assert not page.library.use_button.isEnabled()


def test_a_waiting_run_starts_when_no_other_is_active_and_says_why_it_cannot(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    """The run it waits for is a process that sleeps."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    jobs = window.training.jobs
    busy = jobs.folder / "busy"
    busy.mkdir(parents=True)
    (busy / LAUNCH_FILE).write_text(f'{{"words": [], "time": {time.time()}, "queued": false, "pid": {sleeper.pid}}}')
    wait_for(qtbot, lambda: "busy" in [view.name for view in jobs.views])
    words = ["--preset", "finetune", "--data", str(tmp_path / "nowhere"), "--init-from", MODEL]
    window.training.show_run(jobs.start("second", words, wait=True))
    wait_for(qtbot, lambda: shown(window) is not None and shown(window).name == "second")
    jobs.refresh()
    with qtbot.waitSignal(jobs.changed):
        pass
    assert shown(window).queued
    sleeper.kill()
    sleeper.wait()
    wait_for(qtbot, lambda: not shown(window).queued and state(window) == "failed")
    assert "nowhere: no such folder" in window.training.watch.trouble_text.text()
    window.training.delete_run(shown(window))
    wait_for(qtbot, lambda: "second" not in [view.name for view in jobs.views])


def test_an_empty_folder_is_refused_with_a_remedy(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    window.training.scan(empty)
    data = window.training.new.data
    wait_for(qtbot, lambda: data.refusal.isVisible())
    assert "the folder is empty; put videos in it" in data.refusal_text.text()
    assert not window.training.new.next.isEnabled()


def test_the_mode_changes_and_leaves_the_video_open(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    window.open(clip)
    wait_for(qtbot, lambda: window.controller.document is not None)
    window.actions_by_name["training_mode"].trigger()
    assert window.training.isVisible()
    assert not window.toolbar.isVisible()
    window.actions_by_name["video_mode"].trigger()
    assert window.workspace.isVisible()


def _click(qtbot: QtBot, window: MainWindow, name: str) -> None:
    button = window.training.watch.button(name)
    wait_for(qtbot, button.isVisible)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _start_and_die(words: list[str]) -> None:
    """An application that starts a run and is killed."""
    program = textwrap.dedent(
        f"""
        import os, signal
        from PySide6.QtCore import QCoreApplication, QTimer
        from avseg_app.training.jobs import Jobs
        from avseg_core.training.library import user_runs
        app = QCoreApplication([])
        jobs = Jobs(user_runs())
        jobs.start("left", {words!r}, wait=False)
        def look(views):
            if views and views[0].status.state == "running":
                os.kill(os.getpid(), signal.SIGKILL)
        jobs.changed.connect(look)
        QTimer.singleShot(100_000, app.quit)
        app.exec()
        """
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=110, check=False)
    assert done.returncode == -signal.SIGKILL
