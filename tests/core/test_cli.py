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
