"""The commands behind the training tab, run as processes of their own: short ones that answer, long ones that stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

import avseg_core
from avseg_core.training.control import LAUNCHED

_ROOT = str(Path(avseg_core.__file__).parents[1])
_ENDING: set[CommandTask] = set()
"""Tasks that were stopped and whose processes have not gone yet."""


def command_line(words: Sequence[str]) -> list[str]:
    """The program and its arguments for `avseg WORDS`; in a frozen application the program itself is the command."""
    return [sys.executable, *([] if getattr(sys, "frozen", False) else ["-m", "avseg_core.cli"]), *words]


def environment() -> dict[str, str]:
    """Where our own package is found, whatever the working directory."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": _ROOT + (os.pathsep + before if before else "")}


def start_detached(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts `avseg WORDS` in a session of its own: it outlives the window. What it prints is appended to `log`."""
    values = {**environment(), LAUNCHED: repr(time.time())}
    options: dict[str, object] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("ab") as output:
        return subprocess.Popen(
            command_line(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=values, **options
        )


class CommandTask(QObject):
    """One run of a command with --json; its answer comes as a signal."""

    done = Signal(dict)
    failed = Signal(str)

    def __init__(self, words: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stopping = False
        self._process = QProcess(self)
        values = QProcessEnvironment()
        for name, value in environment().items():
            values.insert(name, value)
        self._process.setProcessEnvironment(values)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        program, *arguments = command_line([*words, "--json"])
        self._process.start(program, arguments)

    def stop(self) -> None:
        """Ends the process without waiting for it; nothing is answered any more."""
        self._stopping = True
        if self._process.state() == QProcess.ProcessState.NotRunning:
            return
        self.setParent(None)
        _ENDING.add(self)
        self._process.finished.connect(lambda: _ENDING.discard(self))
        self._process.kill()

    def _on_finished(self, code: int) -> None:
        if self._stopping:
            return
        answer = _last_object(bytes(self._process.readAllStandardOutput()).decode("utf-8", "replace"))
        errors = bytes(self._process.readAllStandardError()).decode("utf-8", "replace").strip().splitlines()
        if answer is not None and "error" not in answer:
            self.done.emit(answer)
        else:
            said = str(answer["error"]) if answer else (errors[-1] if errors else "")
            self.failed.emit(said or self.tr("The process ended with code {0}.").format(code))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and not self._stopping:
            self.failed.emit(self.tr("The process could not be started: {0}").format(self._process.errorString()))


def _last_object(text: str) -> dict[str, object] | None:
    """The JSON object that a command printed, which may follow other lines."""
    for candidate in (text, *reversed(text.splitlines())):
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return None
