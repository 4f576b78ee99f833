"""events.jsonl: what is written is read again, torn lines and repeated steps do no harm; the state of a run."""

import json
import math
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from avseg_core.config import TrainConfig
from avseg_core.errors import InputError
from avseg_core.training import control
from avseg_core.training.events import (
    Evaluated,
    EventReader,
    EventWriter,
    Failed,
    Finished,
    Heartbeat,
    Opened,
    Phase,
    Started,
    StepDone,
    effective,
    from_line,
    read_events,
    to_line,
)
from avseg_core.training.library import delete_run
from avseg_core.training.run_store import Run, list_runs, process_exists, summarise


def started(step: int = 0, pid: int = 0, host: str = "elsewhere") -> Started:
    return Started(
        resumed_step=step,
        total_steps=100,
        steps_per_epoch=10,
        pid=pid or os.getpid(),
        host=host,
        processes=1,
        device="cpu",
        device_reason="CPU.",
        parameters=2,
        trained_parameters=1,
        train_clips=3,
        val_clips=4,
    )


def step(number: int, loss: float = 0.5) -> StepDone:
    return StepDone(
        step=number,
        epoch=0,
        loss=loss,
        parts={"mask": loss},
        learning_rate=1e-4,
        grad_norm=1.0,
        data_ms=1.0,
        compute_ms=2.0,
        seconds_left=None,
        memory_mb=3.0,
    )


def evaluated(number: int, miou: float) -> Evaluated:
    return Evaluated(
        step=number, epoch=0, miou=miou, fscore=miou / 2, batch_size=4, seconds=1.0, improved=["miou"], class_iou=[0.5]
    )


@pytest.mark.parametrize(
    "event",
    [
        started(),
        step(3),
        evaluated(3, 0.25),
        Phase(name="evaluating", done=2, total=None),
        Heartbeat(),
        Heartbeat(temperature=61.5),
    ],
)
def test_an_event_survives_its_line(event):
    assert from_line(to_line(event)) == event


def test_numbers_that_are_not_finite_stay_readable_json():
    line = to_line(step(1, math.inf))
    assert "Infinity" not in line
    event = from_line(line)
    assert isinstance(event, StepDone)
    assert math.isnan(event.loss)
    assert math.isnan(event.parts["mask"])
    assert event.seconds_left is None


@pytest.mark.parametrize("line", ["", "{", '{"kind": "step", "st', "[]", "3", '{"kind": "new thing"}', '{"no": 1}'])
def test_a_line_that_is_torn_or_from_another_version_is_skipped(line):
    assert from_line(line) is None


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        (step(3), "step", "3"),
        (step(3), "step", 10**400),
        (step(3), "loss", 10**400),
        (step(3), "loss", [0.5]),
        (step(3), "parts", 5),
        (step(3), "parts", {"mask": "large"}),
        (step(3), "time", "now"),
        (started(), "pid", "me"),
        (started(), "host", None),
        (evaluated(3, 0.25), "class_iou", [[]]),
        (Finished(outcome="done", step=1, best={}, model=""), "outcome", "exploded"),
    ],
)
def test_a_value_that_no_run_writes_makes_no_event(event, name, value):
    values = json.loads(to_line(event))
    assert from_line(json.dumps(values)) == event
    assert from_line(json.dumps({**values, name: value})) is None


def test_a_class_that_never_occurs_stays_a_number_that_is_none():
    (iou,) = from_line(to_line(replace(evaluated(3, 0.25), class_iou=[math.nan]))).class_iou
    assert math.isnan(iou)


def test_a_writer_continues_behind_a_line_that_a_crash_tore(tmp_path):
    path = tmp_path / "events.jsonl"
    with EventWriter(path) as events:
        events.write(step(1))
    with path.open("a") as file:
        file.write('{"kind": "step", "step": 2, "lo')
    with EventWriter(path) as events:
        events.write(step(3))
    assert [event.step for event in read_events(path)] == [1, 3]


def test_a_reader_follows_and_leaves_a_line_that_is_being_written(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.poll() == []
    line = to_line(step(1)).encode()
    path.write_bytes(line + line[:20])
    assert [event.step for event in reader.poll()] == [1]
    path.write_bytes(line + line)
    assert [event.step for event in reader.poll()] == [1]
    assert reader.poll() == []


def test_a_file_that_cannot_be_read_has_no_events(tmp_path):
    (tmp_path / "events.jsonl").mkdir()
    assert read_events(tmp_path / "events.jsonl") == []


def test_a_full_disk_loses_events_but_not_the_run():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    heard = []
    with EventWriter(Path("/dev/full")) as events:
        events.listeners.append(heard.append)
        events.write(step(1))
        events.write(step(2))
    assert [event.step for event in heard] == [1, 2]


def test_silence_is_filled_with_heartbeats(tmp_path):
    path = tmp_path / "events.jsonl"
    with EventWriter(path, heartbeat_seconds=0.05):
        deadline = time.monotonic() + 20
        while len(read_events(path)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert all(isinstance(event, Heartbeat) for event in read_events(path))
    assert len(read_events(path)) >= 2


def test_steps_that_were_redone_after_a_kill_appear_once():
    log = [started(), step(1), step(2), evaluated(2, 0.1), step(3), started(2), step(3, 0.4), evaluated(3, 0.3)]
    log += [started(3), evaluated(3, 0.3)]
    kept = list(effective(log))
    assert [event.step for event in kept if isinstance(event, StepDone)] == [1, 2, 3]
    assert [event.loss for event in kept if isinstance(event, StepDone)] == [0.5, 0.5, 0.4]
    assert [event.step for event in kept if isinstance(event, Evaluated)] == [2, 3]


def test_the_state_of_a_run_follows_its_events():
    log = [started(), Phase(name="training"), step(1), evaluated(1, 0.4), evaluated(2, 0.3)]
    status = summarise(log)
    assert (status.state, status.step, status.total_steps) == ("running", 1, 100)
    assert status.best == {"miou": 0.4, "fscore": 0.2}
    assert summarise([*log, Phase(name="paused")]).state == "paused"
    assert summarise([*log, Phase(name="paused"), Phase(name="training")]).state == "running"
    failed = summarise([*log, Failed(step=1, reason="No memory.")])
    assert (failed.state, failed.message) == ("failed", "No memory.")
    done = summarise([*log, Finished(outcome="done", step=1, best={}, model="model.safetensors")])
    assert (done.state, done.model) == ("finished", "model.safetensors")
    assert summarise([]).state == "new"


def test_a_process_is_not_dead_because_the_machine_slept():
    here, now = socket.gethostname(), time.time()
    log = [replace(started(host=here), time=now - 500), replace(step(1), time=now - 400)]
    assert summarise(log).state == "dead"
    assert summarise(log, woke=now).state == "running"
    assert summarise(log, woke=now - 100).state == "dead"
    assert summarise([replace(log[0], host="elsewhere"), log[1]], woke=now).state == "dead"


def test_a_process_that_is_gone_or_silent_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert not process_exists(child.pid)
    assert process_exists(os.getpid())
    gone = started(pid=child.pid, host=socket.gethostname())
    assert summarise([gone]).state == "dead"
    assert summarise([Heartbeat(time=0.0), started(), Heartbeat(time=time.time() - 3600)]).state == "dead"
    assert summarise([started(pid=os.getpid(), host=socket.gethostname())]).state == "running"


def test_a_resumed_run_lives_while_its_model_and_data_are_being_read():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    here = socket.gethostname()
    log = [started(pid=child.pid, host=here), step(1), Opened(pid=os.getpid(), host=here), Phase(name="reading")]
    assert (summarise(log).state, summarise(log).pid) == ("running", os.getpid())
    assert not process_exists(10**30)


_HOLDER = """
import sys, time
from pathlib import Path
from avseg_core.training.run_store import Run
with Run(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(600)
"""


def test_only_one_process_trains_in_a_folder_and_a_killed_one_lets_go(tmp_path):
    run = Run(tmp_path / "run")
    run.create()
    run.write_config(TrainConfig())
    other = subprocess.Popen([sys.executable, "-c", _HOLDER, str(run.folder)], stdout=subprocess.PIPE)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another process is training here"), run.held():
            pass
        with pytest.raises(InputError, match="another process is training here"):
            delete_run(run)
    finally:
        other.kill()
        other.wait()
    with run.held():
        pass
    delete_run(run)
    assert not run.folder.exists()


def test_a_child_that_ended_but_was_not_collected_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()  # until it ends
    deadline = time.monotonic() + 20
    while process_exists(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process_exists(child.pid)
    child.wait()


def test_runs_are_listed_with_their_configuration(tmp_path):
    assert list_runs(tmp_path / "none") == []
    run = Run(tmp_path / "first")
    run.create()
    run.write_config(TrainConfig(epochs=7))
    (tmp_path / "other").mkdir()
    assert [found.folder for found in list_runs(tmp_path)] == [run.folder]
    assert list_runs(tmp_path)[0].config().epochs == 7


def test_a_request_reaches_the_run_and_is_forgotten_on_clear(tmp_path):
    inbox = control.Inbox(tmp_path, lambda: False)
    assert inbox.latest() is None
    for request in control.REQUESTS:
        control.send(tmp_path, request)
        assert inbox.latest() == request
    inbox.clear()
    assert inbox.latest() is None
    for junk in ("", "{", "[]", '{"request": "explode"}', '"pause"', f'{{"request": "stop", "time": 1{400 * "0"}}}'):
        (tmp_path / control.CONTROL_FILE).write_text(junk)
        assert inbox.latest() is None


def test_a_request_is_forgotten_if_it_was_made_before_the_job(tmp_path, monkeypatch):
    inbox = control.Inbox(tmp_path, lambda: False)
    path = tmp_path / control.CONTROL_FILE
    for text, stays in (
        ('"time": 99.5', False),
        ('"time": 100.0', True),
        ('"time": NaN', False),
        ('"of": "old"', False),
    ):
        path.write_text(f'{{"request": "cancel", {text}}}')
        inbox.clear_before(100.0)
        assert path.exists() is stays
    monkeypatch.setenv(control.LAUNCHED, "100.0")
    assert control.launched() == 100.0
    for unset in ("", "soon"):
        monkeypatch.setenv(control.LAUNCHED, unset)
        before = time.time()
        assert before <= control.launched() <= time.time()
