"""The inference process: urgent things first, nothing lost when it dies, nothing left when the window closes."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.workers.background import Background
from avseg_app.workers.child import Child, describe_exit
from avseg_app.workers.inference_client import InferenceClient
from avseg_app.workers.inference_process import Worker, latest
from avseg_app.workers.protocol import (
    JobEnded,
    JobStarted,
    LoadModel,
    ModelFailed,
    ModelReady,
    Playhead,
    StartJob,
    StopJob,
    WantMaps,
    WindowsDone,
)
from avseg_app.workers.segment_job import SegmentJob
from avseg_core.config import InferenceConfig
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.segmenter import Segmenter
from tests.app.conftest import MODEL, PATIENCE, is_done
from tests.segment_fixtures import ToneModel, write_video


def gone(pid: int) -> bool:
    """True if there is no such process (any more), or only what its parent has not collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def job(generation: int, video: Path, store: Path, playhead: float = 0.0, model: str = MODEL) -> StartJob:
    return StartJob(generation, video, model, 1.0, store, playhead)


class Conversation:
    """A worker in a thread of this process, to talk to without a window."""

    def __init__(self) -> None:
        self.pipe, theirs = Pipe()
        worker = Worker(theirs, gone=lambda: None)
        threading.Thread(target=worker.run, daemon=True).start()

    def until(self, kind: type) -> list[object]:
        """All answers up to the first of `kind`."""
        answers: list[object] = []
        while not answers or not isinstance(answers[-1], kind):
            assert self.pipe.poll(PATIENCE / 1000), f"no {kind.__name__} after {answers}"
            answers.append(self.pipe.recv())
        return answers


@pytest.fixture(scope="module")
def worker(models: Path) -> Conversation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVSEG_MODELS", str(models))
        yield Conversation()


def test_only_the_last_of_what_replaces_itself_counts(tmp_path: Path) -> None:
    first, last = job(1, tmp_path, tmp_path), job(2, tmp_path, tmp_path)
    requests = [
        LoadModel("a"),
        first,
        Playhead(1, 0.0),
        StopJob(1),
        Playhead(2, 1.0),
        last,
        Playhead(2, 2.0),
        WantMaps(2, 1),
    ]
    assert latest(requests) == [LoadModel("a"), StopJob(1), last, Playhead(2, 2.0), WantMaps(2, 1)]


def test_segments_from_the_playhead_on_and_then_the_rest(worker: Conversation, clip: Path, tmp_path: Path) -> None:
    worker.pipe.send(job(1, clip, tmp_path / "s.avseg", playhead=2.5))
    answers = worker.until(JobEnded)
    assert isinstance(answers[0], ModelReady)
    assert answers[0].reason
    started = next(answer for answer in answers if isinstance(answer, JobStarted))
    assert (started.planned, started.done, started.notes) == (4, (), ())
    order = [r.window.index for answer in answers if isinstance(answer, WindowsDone) for r in answer.results]
    assert order == [2, 3, 0, 1]
    assert answers[-1] == JobEnded(1, "done")


def test_a_model_of_clips_sees_the_same_clips_wherever_one_looks(tmp_path: Path) -> None:
    video = write_video(tmp_path / "five.mp4", ("low", "high", None, "low", "high"))
    segmenter = Segmenter(ToneModel(clip_length=2), InferenceConfig(model="tones", device="cpu", batch_size=2))
    running = SegmentJob(job(1, video, tmp_path / "s.avseg", playhead=1.5), segmenter)
    order = []
    for position in (3.6, 0.0, 0.0):
        order.append([result.window.index for result in running.advance().results])
        running.look_at(position)
    running.close()
    assert order == [[0, 1], [2, 3], [4]]


def test_maps_are_scaled_per_channel_and_ranked_by_energy(worker: Conversation, clip: Path, tmp_path: Path) -> None:
    worker.pipe.send(job(2, clip, tmp_path / "s.avseg"))
    worker.until(JobEnded)
    worker.pipe.send(WantMaps(2, 3))
    assert worker.pipe.poll(PATIENCE / 1000)
    answer = worker.pipe.recv()
    assert answer.index == 3
    assert answer.maps.dtype == np.uint8
    assert answer.maps.shape[0] == len(answer.energy)
    alive = answer.energy > 0
    assert set(answer.maps[alive].max(axis=(1, 2)).tolist()) == {255}


def test_what_is_in_the_store_is_not_done_again(worker: Conversation, clip: Path, tmp_path: Path) -> None:
    for generation in (3, 4):
        worker.pipe.send(job(generation, clip, tmp_path / "s.avseg"))
        answers = worker.until(JobEnded)
    assert [type(answer) for answer in answers] == [ModelReady, JobStarted, JobEnded]
    assert answers[1].done == (0, 1, 2, 3)


@pytest.mark.parametrize("wrong", ["video", "model", "store"])
def test_a_job_that_cannot_run_ends_with_a_line(worker: Conversation, clip: Path, tmp_path: Path, wrong: str) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    (tmp_path / "file").touch()
    store = tmp_path / "file" / "s.avseg" if wrong == "store" else tmp_path / "s.avseg"
    worker.pipe.send(job(5, bad if wrong == "video" else clip, store, model="missing" if wrong == "model" else MODEL))
    answers = worker.until(JobEnded)
    said = [a.message for a in answers if isinstance(a, JobEnded | ModelFailed) and a.message]
    assert answers[-1].outcome == "failed"
    assert len(said) == 1
    assert {"video": "bad.mp4", "model": "missing", "store": "file"}[wrong] in said[0]
    assert "\n" not in said[0]
    worker.pipe.send(job(6, clip, tmp_path / "again.avseg"))
    assert worker.until(JobEnded)[-1].outcome == "done"


def test_every_message_survives_the_pipe(tmp_path: Path) -> None:
    for message in (
        job(1, tmp_path, tmp_path),
        StopJob(3),
        Playhead(1, 2.5),
        WantMaps(1, 7),
        JobEnded(1, "failed", "x"),
    ):
        assert pickle.loads(pickle.dumps(message)) == message


def test_exits_in_words() -> None:
    assert describe_exit(-9) == "signal 9 (SIGKILL)"
    assert describe_exit(3) == "exit code 3"
    assert describe_exit("Cannot allocate memory") == "Cannot allocate memory"


def _echo(connection) -> None:
    connection.send(os.getpid())
    time.sleep(600)


def test_a_child_is_stopped_at_once(qtbot: QtBot) -> None:
    child = Child(_echo, "echo")
    with qtbot.waitSignal(child.received, timeout=PATIENCE) as said:
        pass
    assert said.args[0] == child.pid
    child.stop()
    assert gone(child.pid)


def test_background_answers_on_the_gui_thread(qtbot: QtBot) -> None:
    background = Background("test")
    told: list[tuple[object, bool]] = []

    def note(value: object) -> None:
        told.append((value, threading.current_thread() is threading.main_thread()))

    def fail() -> None:
        raise InputError("no such thing")

    def break_down() -> None:
        raise ZeroDivisionError("ours")

    background.submit(lambda: 6 * 7, note)
    background.submit(fail, note, note)
    background.submit(break_down, note, note)
    background.submit(lambda: "still alive", note)
    qtbot.waitUntil(lambda: len(told) == 4, timeout=PATIENCE)
    background.close()
    values = [value for value, _ in told]
    assert values[0] == 42
    assert str(values[1]) == "no such thing"
    assert isinstance(values[2], AVSegError)
    assert values[3] == "still alive"
    assert all(on_gui for _, on_gui in told)


def test_a_killed_worker_is_replaced_and_goes_on(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    window.open(other_clip)
    controller = window.controller
    qtbot.waitUntil(lambda: controller.document is not None and controller.document.done > 2, timeout=PATIENCE)
    controller.player.seek(1.0)
    qtbot.waitUntil(lambda: controller.player.frame is not None)
    first, done = controller.client.pid, controller.document.done
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: "restarted" in window.messages.text, timeout=PATIENCE)
    assert "SIGKILL" in window.messages.text
    assert window.messages.kind == "warning"
    assert controller.document.done >= done, "what is on screen survives"
    assert controller.result is not None
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert controller.client.pid != first
    assert gone(first)
    second = controller.client.pid
    os.kill(second, signal.SIGKILL)
    qtbot.waitUntil(lambda: controller.client.pid not in (second, None), timeout=PATIENCE)
    os.kill(controller.client.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: window.messages.kind == "error", timeout=PATIENCE)
    assert window.messages._button.text() == "Try again"
    assert controller.client.pid is None
    window.messages._button.click()
    controller.set_maps_wanted(True)
    qtbot.waitUntil(lambda: len(window.workspace.inspector.mixer.maps._images) > 0, timeout=PATIENCE)


def test_closing_while_everything_runs_leaves_nothing(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    window.open(other_clip)
    qtbot.waitUntil(
        lambda: window.controller.document is not None and window.controller.document.done > 0, timeout=PATIENCE
    )
    assert not is_done(window)
    window.controller.player.play()
    pid = window.controller.client.pid
    window.close()
    assert gone(pid)
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"decode", "sound", "inference"}


def test_a_worker_does_not_outlive_a_killed_window(models: Path, other_clip: Path, tmp_path: Path) -> None:
    """The window's process is killed in mid-run; the worker notices and goes."""
    script = tmp_path / "victim.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            from pathlib import Path
            from PySide6.QtCore import QSettings
            from avseg_app.app import make_application
            from avseg_app.main_window import MainWindow
            from avseg_app.settings import SettingsStore
            from avseg_app.theme import ThemeManager

            if __name__ == "__main__":
                app = make_application()
                settings = SettingsStore(QSettings(sys.argv[2], QSettings.Format.IniFormat))
                settings.update(model="small")
                window = MainWindow(settings, ThemeManager(app, "light"))
                window.show()
                window.controller.client.windows_done.connect(
                    lambda done: print(window.controller.client.pid, "torch" in sys.modules, flush=True)
                )
                window.open(Path(sys.argv[1]))
                app.exec()
        """)
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "PYTHONPATH": str(root),
        "AVSEG_MODELS": str(models),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, str(script), str(other_clip), str(tmp_path / "s.ini")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        pid, torch_loaded = process.stdout.readline().split()
        process.kill()
    assert torch_loaded == "False", "the window's process never imports torch"
    end = time.monotonic() + PATIENCE / 1000
    while not gone(int(pid)) and time.monotonic() < end:
        time.sleep(0.05)
    assert gone(int(pid))


class MortalChild(QObject):
    """A process that only remembers what it was told."""

    received = Signal(object)
    ended = Signal(object)
    lives: list[MortalChild] = []  # noqa: RUF012

    def __init__(self, target: object, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self.heard: list[object] = []
        self.lives.append(self)

    def send(self, message: object) -> None:
        self.heard.append(message)

    def stop(self) -> None:
        pass


def test_after_giving_up_another_video_gets_a_new_process(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avseg_app.workers.inference_client.Child", MortalChild)
    monkeypatch.setattr(MortalChild, "lives", [])
    client = InferenceClient()
    client.start(MODEL)
    with qtbot.waitSignal(client.gave_up):
        for life in range(3):
            MortalChild.lives[life].ended.emit(-9)
    assert len(MortalChild.lives) == 3
    client.segment(tmp_path / "other.mp4", MODEL, 1.0, tmp_path / "other.avseg", 0.0)
    assert len(MortalChild.lives) == 4
    assert [request.video.name for request in MortalChild.lives[-1].heard[1:]] == ["other.mp4"]
    client.close()
    client.segment(tmp_path / "late.mp4", MODEL, 1.0, tmp_path / "late.avseg", 0.0)
    assert len(MortalChild.lives) == 4, "nothing is started any more once it is closed"
