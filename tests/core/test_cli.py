"""What the command line does with its output, whatever reads it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from avseg_core import cli
from avseg_core.commands import doctor
from avseg_core.media import capture_microphone

ROOT = Path(__file__).resolve().parents[2]


def test_names_that_the_terminal_has_no_letters_for_are_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    command = SimpleNamespace(add_arguments=lambda parser: None, run=lambda args: print("日本.mp4\udcff") or 0)
    monkeypatch.setattr(cli, "_module", lambda name: command)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert cli.main(["doctor"]) == 0
    sys.stdout.flush()
    assert raw.getvalue().splitlines() == [rb"\u65e5\u672c.mp4\udcff"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the window is told to open, each time that it is."""
    told: list[list[str]] = []
    window = SimpleNamespace(main=lambda words: told.append(words) or 0)
    monkeypatch.setitem(sys.modules, "avseg_app.app", window)
    return told


def test_the_window_opens_a_video_that_is_named(
    opened: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    video, missing = str(tmp_path / "clip.mp4"), str(tmp_path / "missing.mp4")
    for words in ([], ["gui"], ["gui", "clip.mp4"], ["clip.mp4"], [video], ["gui", "missing.mp4"]):
        assert cli.main(words) == 0
    assert opened == [[], [], [video], [video], [video], [missing]]


@pytest.mark.parametrize("words", [["clip.mp5"], ["sgement"], ["clip.mp4", "--out", "x"]])
def test_other_words_are_no_videos(
    opened: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    assert cli.main(words) == 2
    assert f"invalid choice: '{words[0]}'" in capsys.readouterr().err
    assert opened == []


def test_a_command_is_never_taken_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*cli.COMMANDS, "gui", "--help"):
        (tmp_path / name).touch()
        assert cli.window_words([name]) == [name]


def test_help_tells_how_a_video_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert "avseg clip.mp4" in capsys.readouterr().out
    assert cli.main(["gui", "--help"]) == 0
    assert "VIDEO" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "avseg_core.cli", "doctor"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(writing)
    assert done.returncode == cli.EXIT_FAILURE
    assert done.stderr == ""


def test_the_doctor_bears_a_sound_system_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class PortAudioError(Exception):
        pass

    def refuse(name: str) -> None:
        raise PortAudioError("no default device")

    monkeypatch.setattr(capture_microphone.importlib, "import_module", refuse)
    (told,) = doctor._sound_devices()
    assert told.startswith("none (")
    assert "no default device" in told
