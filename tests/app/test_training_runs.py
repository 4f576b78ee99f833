"""Runs of the training tab: copied back from elsewhere, waiting for their turn, started by whoever may."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from avseg_app.training import jobs as jobs_module
from avseg_app.training import processes
from avseg_app.training.added_runs import add_runs, forget_run, read_added
from avseg_app.training.jobs import LAUNCH_FILE, Jobs
from avseg_core.config import save_toml
from avseg_core.errors import InputError
from avseg_core.presets import preset
from avseg_core.training import control
from avseg_core.training.events import Finished, Heartbeat, Opened, to_line
from avseg_core.training.run_store import Run
from tests.app.conftest import PATIENCE
from tests.app.made_up_runs import finished_run


def test_runs_from_elsewhere_are_remembered_and_forgotten(tmp_path: Path) -> None:
    runs, away = tmp_path / "runs", tmp_path / "usb"
    folders = [finished_run(away / name) for name in ("one", "two")]
    assert add_runs(runs, folders[0]) == folders[:1]
    assert add_runs(runs, away) == folders
    assert read_added(runs) == folders
    forget_run(runs, folders[0])
    assert read_added(runs) == folders[1:]
    assert folders[0].is_dir()
    with pytest.raises(InputError, match="holds no run"):
        add_runs(runs, tmp_path / "nothing")
    local = finished_run(runs / "local")
    add_runs(runs, local)
    assert read_added(runs) == folders[1:]
    away.rename(tmp_path / "unplugged")
    assert read_added(runs) == []
    add_runs(runs, finished_run(tmp_path / "third"))
    (tmp_path / "unplugged").rename(away)
    assert read_added(runs) == [*folders[1:], tmp_path / "third"]


def test_a_run_from_elsewhere_is_shown_like_a_local_one(qtbot: QtBot, tmp_path: Path) -> None:
    finished_run(tmp_path / "runs" / "local")
    away = finished_run(tmp_path / "usb" / "cluster")
    jobs = Jobs(tmp_path / "runs")
    jobs.watch(away)
    with qtbot.waitSignal(jobs.added) as added:
        jobs.add(tmp_path / "usb")
    assert added.args == [away]
    qtbot.waitUntil(lambda: {view.name for view in jobs.views} == {"local", "cluster"})
    view = next(view for view in jobs.views if view.name == "cluster")
    assert (view.status.state, view.status.message, view.best.step) == ("finished", "done", 9)
    assert jobs.is_added(view)
    jobs.delete(view)
    qtbot.waitUntil(lambda: [view.name for view in jobs.views] == ["local"])
    assert away.is_dir()
    with qtbot.waitSignal(jobs.failed) as failed:
        jobs.add(tmp_path / "runs" / "local" / "checkpoints")
    assert "holds no run" in failed.args[0]
    jobs.close()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started."""
    commands: list[list[str]] = []

    def start(words: list[str], log: Path) -> subprocess.Popen[bytes]:
        commands.append(words)
        return subprocess.Popen([sys.executable, "-c", "pass"])

    monkeypatch.setattr(jobs_module, "start_detached", start)
    return commands


def launch_file(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LAUNCH_FILE).write_text(json.dumps({"words": [], "time": time.time(), "queued": False, **values}))


def test_a_folder_from_elsewhere_starts_nothing_and_chooses_no_options(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    away = finished_run(tmp_path / "usb" / "cluster")
    Run(away).events_file.write_text(to_line(Finished(outcome="cancelled", step=9, best={}, model="")))
    launch_file(away, words=["--out", str(tmp_path / "mine")], queued=True, time="soon")
    jobs = Jobs(tmp_path / "runs")
    jobs.add(away)
    qtbot.waitUntil(lambda: [view.name for view in jobs.views] == ["cluster"])
    with qtbot.waitSignal(jobs.changed):
        jobs.refresh()
    view = jobs.views[0]
    assert (launched, view.queued, view.status.message) == ([], False, "cancelled")
    jobs.resume(view)
    qtbot.waitUntil(lambda: len(launched) == 1)
    assert launched == [["train", "--out", str(away), "--config", str(away / "config.toml"), "--resume"]]
    jobs.close()


def test_a_process_with_the_number_of_one_that_died_before_its_first_word_is_not_waited_for(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    launch_file(tmp_path / "runs" / "old", pid=os.getpid(), time=time.time() - 3600)
    launch_file(tmp_path / "runs" / "unborn")
    launch_file(tmp_path / "runs" / "fresh", pid=os.getpid())
    jobs = Jobs(tmp_path / "runs")
    qtbot.waitUntil(lambda: len(jobs.views) == 3)
    states = {view.name: view.status.state for view in jobs.views}
    assert states == {"old": "failed", "unborn": "failed", "fresh": "new"}
    jobs.close()


def test_a_run_that_slept_with_the_machine_is_not_said_to_be_dead(qtbot: QtBot, tmp_path: Path) -> None:
    run, now = Run(tmp_path / "mine"), time.time()
    run.create()
    save_toml(preset("finetune"), run.config_file)
    begun = Opened(pid=os.getpid(), host=socket.gethostname(), time=now - 300)
    run.events_file.write_text(to_line(begun) + to_line(Heartbeat(time=now - 200)))
    jobs = Jobs(tmp_path)
    qtbot.waitUntil(lambda: bool(jobs.views) and jobs.views[0].status.state == "dead", timeout=PATIENCE)
    jobs._looked -= 200  # as if the machine had slept between two looks
    qtbot.waitUntil(lambda: jobs.views[0].status.state == "running", timeout=PATIENCE)
    jobs.close()


def test_a_run_whose_turn_has_come_is_cancelled_and_not_deleted(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    folder = tmp_path / "runs" / "next"
    launch_file(tmp_path / "runs" / "first", pid=os.getpid())
    launch_file(folder, queued=True)
    jobs = Jobs(tmp_path / "runs")
    qtbot.waitUntil(lambda: len(jobs.views) == 2)
    view = next(view for view in jobs.views if view.name == "next")
    assert view.queued
    launch_file(folder, pid=os.getpid())
    jobs.request(view, "cancel")
    qtbot.waitUntil(lambda: (folder / "control.json").is_file())
    launch_file(folder, queued=True)
    jobs.request(view, "cancel")
    qtbot.waitUntil(lambda: not folder.exists())
    jobs.close()


def test_a_launch_is_seen_at_once_and_keeps_what_is_asked_for_from_then_on(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    folder = tmp_path / "runs" / "next"
    launch_file(folder, queued=True)
    control.send(folder, "stop")  # left over from an earlier start
    jobs = Jobs(tmp_path / "runs")
    with qtbot.waitSignal(jobs.changed) as seen:
        pass
    (view,) = seen.args[0]
    assert (len(launched), view.queued) == (1, False)
    assert not (folder / control.CONTROL_FILE).exists()
    jobs.request(view, "cancel")
    qtbot.waitUntil((folder / control.CONTROL_FILE).is_file, timeout=PATIENCE)
    with qtbot.waitSignal(jobs.changed):
        jobs.refresh()
    assert control.Inbox(folder, lambda: False).latest() == "cancel"
    jobs.close()


def test_a_process_is_told_when_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = [sys.executable, "-c", f"import os; print(os.environ['{control.LAUNCHED}'])"]
    monkeypatch.setattr(processes, "command_line", lambda words: program)
    before = time.time()
    assert processes.start_detached([], tmp_path / "log.txt").wait(60) == 0
    assert before <= float((tmp_path / "log.txt").read_text()) <= time.time()
    assert control.LAUNCHED not in os.environ


def test_a_run_that_cannot_be_started_is_told_once_and_the_next_has_its_turn(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, age in (("first", 9), ("second", 5)):
        launch_file(tmp_path / "runs" / name, queued=True, words=[name])
        os.utime(tmp_path / "runs" / name / LAUNCH_FILE, (time.time() - age,) * 2)
    start, tried = jobs_module.start_detached, []

    def full(words: list[str], log: Path) -> subprocess.Popen[bytes]:
        tried.append(log.parent.name)
        if len(tried) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return start(words, log)

    monkeypatch.setattr(jobs_module, "start_detached", full)
    jobs = Jobs(tmp_path / "runs")
    problems: list[str] = []
    jobs.failed.connect(problems.append)
    qtbot.waitUntil(lambda: len(launched) == 1, timeout=PATIENCE)
    views = {view.name: view for view in jobs.views}
    assert tried == ["first", "second"]
    assert (views["first"].status.state, views["first"].queued) == ("failed", False)
    assert "cannot hold a run (No space left on device)" in views["first"].status.message
    assert problems == []
    jobs.resume(views["first"])
    qtbot.waitUntil(lambda: len(launched) == 2, timeout=PATIENCE)
    with qtbot.waitSignal(jobs.changed):
        jobs.refresh()
    assert "cannot hold" not in next(view for view in jobs.views if view.name == "first").status.message
    jobs.close()
