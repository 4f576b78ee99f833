"""The `live` command: events a program can read, sentences a person can read, clear refusals."""

import itertools
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from avseg_core import cli
from avseg_core.errors import AVSegError
from avseg_core.inference.live_model import LiveModel
from avseg_core.media import recorder
from avseg_core.media.index import probe
from tests.live_fixtures import scene_model


@pytest.fixture(autouse=True)
def _known_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveModel, "load", lambda config: scene_model())


def _live(*words: str) -> int:
    return cli.main(["live", *words])


def _events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def _kinds(events: Sequence[dict[str, Any]]) -> set[str]:
    return {event["event"] for event in events}


def test_events_tell_the_whole_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--source", "test", "--seconds", "3", "--record", str(tmp_path), "--smoothing", "0", "--json")
    assert _live(*words) == 0
    events = _events(capsys.readouterr().out)
    assert _kinds(events) == {"start", "state", "recording", "result", "recorded", "summary"}
    results = [event for event in events if event["event"] == "result"]
    summary, recorded = events[-1], events[-2]
    assert summary["event"] == "summary"
    assert summary["results"] == len(results) > 10
    assert summary["overflows"] == 0
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p95"]
    sides = {event["centre"][0] > 0.5 for event in results if event["centre"] and event["area"] > 0.02}
    assert sides
    for event in results:
        assert event["sound"][1] - event["sound"][0] == pytest.approx(0.975, abs=0.002)
        assert sum(
            event["latency_ms"][part] for part in ("capture", "wait", "visual", "audio", "head")
        ) == pytest.approx(event["latency_ms"]["total"], abs=2.5)
    assert Path(recorded["path"]).is_file()
    assert Path(recorded["masks"]).is_file()
    assert recorded["problem"] == ""
    states = [(event["kind"], event["state"]) for event in events if event["event"] == "state"]
    for kind in ("camera", "microphone"):
        walked = [state for which, state in states if which == kind]
        assert walked[:2] == ["opening", "running"]
        assert walked[-1] == "stopped"
        assert "lost" not in walked


def test_parts_choose_what_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--source", "test", "--seconds", "1", "--record", str(tmp_path), "--mirror", "--json")
    assert _live(*words, "--parts", "picture") == 0
    recorded = next(event for event in _events(capsys.readouterr().out) if event["event"] == "recorded")
    assert recorded["masks"] is None
    info = probe(Path(recorded["path"]))
    assert info.has_video
    assert info.audio == ()
    assert _live(*words, "--parts", "sound", "masks") == 2
    assert "masks need the picture" in capsys.readouterr().err


def test_a_person_reads_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert _live("--source", "test", "--mic", "none", "--seconds", "0.5") == 0
    output = capsys.readouterr().out
    assert "camera running: Test picture" in output
    assert "of the picture sounds" in output
    assert "masks in" in output.splitlines()[-1]


def test_the_list_names_what_always_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert _live("--list", "--json") == 0
    lists = json.loads(capsys.readouterr().out)
    assert lists["cameras"][-1]["spec"] == "test"
    assert {device["spec"] for device in lists["microphones"]} >= {"test", "none"}
    assert _live("--list") == 0
    output = capsys.readouterr().out
    assert "--source test" in output
    assert "--mic none" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--source", "nothing here"), "no such camera"),
        (("--source", "test", "--mic", "nothing here"), "no such microphone"),
        (("--source", "test", "--size", "640"), "not a size like 640x480"),
        (("--source", "test", "--seconds", "0"), "not above 0"),
        (("--source", "test", "--fps", "x"), "not a number"),
        (("--source", "test", "--av-offset", "2"), "not between -1 and 1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _live(*words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_file_that_is_no_video_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(bytes(range(256)) * 20)
    assert _live("--source", str(path)) == 2
    error = capsys.readouterr().err
    assert "notes.mp4" in error
    assert error.count("\n") == 1


def test_a_camera_that_never_comes_is_a_failure_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert _live("--source", "http://127.0.0.1:9/", "--mic", "none", "--seconds", "1", "--json") == 1
    captured = capsys.readouterr()
    assert "cannot be reached" in captured.err
    events = [event for event in _events(captured.out) if event.get("event") == "state"]
    assert any(event["kind"] == "camera" and event["state"] == "lost" for event in events)
    assert any(event["kind"] == "microphone" and event["state"] == "running" for event in events)


def _fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few looks at it."""
    looks = itertools.count()

    def look(folder: Path) -> None:
        if next(looks) > 5:
            raise AVSegError(f"{folder}: only 3 MB are free.")

    monkeypatch.setattr(recorder, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(recorder, "_check_space", look)


def _break_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scene_model()
    model.decide = lambda seen, heard: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    monkeypatch.setattr(LiveModel, "load", lambda config: model)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [(_fill_the_disk, "only 3 MB are free"), (_break_the_model, "The model has stopped (division by zero)")],
)
@pytest.mark.parametrize("output", [(), ("--json",)])
def test_a_recording_or_a_model_that_fails_is_a_failure_of_the_command(
    break_it: Callable[[pytest.MonkeyPatch], None],
    message: str,
    output: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    break_it(monkeypatch)
    assert _live("--source", "test", "--seconds", "2", "--record", str(tmp_path), *output) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert str(tmp_path / "live_") in captured.out, "what was recorded is kept"
    if output:
        last = _events(captured.out)[-1]
        assert message in last["error"]
        assert last["exit_code"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_finishes_the_recording(tmp_path: Path) -> None:
    program = (
        "import sys; from avseg_core import cli; from avseg_core.inference.live_model import LiveModel\n"
        "from tests.live_fixtures import scene_model\n"
        "LiveModel.load = lambda config: scene_model()\n"
        "sys.exit(cli.main(['live', '--source', 'test', '--record', sys.argv[1], '--json']))"
    )
    root = Path(cli.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if '"result"' in line and len(lines) > 20:
                process.send_signal(signal.SIGINT)
                break
        lines += process.stdout.readlines()
    assert process.returncode == 130
    events = _events("".join(lines))
    recorded = next(event for event in events if event.get("event") == "recorded")
    assert recorded["mask_count"] > 0
    assert Path(recorded["path"]).stat().st_size > 1000
