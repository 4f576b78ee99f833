"""How a running training is driven from outside: by a request in its run folder.

A request survives the process that made it, so a window that was closed and opened again can still pause a job.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, cast, get_args

from avseg_core.progress import CancelCheck

Request = Literal["pause", "resume", "stop", "cancel"]
"""Wait; go on; end and keep the best model; end and export nothing."""
REQUESTS: tuple[Request, ...] = get_args(Request)
CONTROL_FILE = "control.json"
LAUNCHED = "AVSEG_LAUNCHED"
"""Environment variable: when whoever started this process did so, in seconds since 1970."""


def send(run_folder: Path, request: Request) -> None:
    """Asks the training in `run_folder`; it answers with an event at the end of its current step."""
    path = run_folder / CONTROL_FILE
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps({"request": request, "time": time.time()}) + "\n", encoding="utf-8")
    os.replace(partial, path)


def clear(run_folder: Path) -> None:
    """Forgets the request, so that a later start of the same run is not stopped by it."""
    with suppress(FileNotFoundError):
        (run_folder / CONTROL_FILE).unlink()


def launched() -> float:
    """When this process was started, as far as it was told; else now."""
    with suppress(KeyError, ValueError):
        return float(os.environ[LAUNCHED])
    return time.time()


class Inbox:
    """The training's side: the latest request, and whether the user interrupted this process."""

    def __init__(self, run_folder: Path, interrupted: CancelCheck) -> None:
        self.interrupted = interrupted
        self._folder = run_folder

    def clear(self) -> None:
        """Forgets the request."""
        clear(self._folder)

    def clear_before(self, seconds: float) -> None:
        """Forgets a request that was made before this time: it was meant for an earlier job."""
        standing = self._read()
        if standing is not None and not standing[1] >= seconds:
            self.clear()

    def latest(self) -> Request | None:
        """The request that stands, None if there is none (or none that can be read)."""
        standing = self._read()
        return standing[0] if standing else None

    def _read(self) -> tuple[Request, float] | None:
        """What is asked for, and when that was said."""
        try:
            values = json.loads((self._folder / CONTROL_FILE).read_text(encoding="utf-8"))
            request, seconds = values["request"], float(values.get("time", 0.0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None
        return (cast(Request, request), seconds) if request in REQUESTS else None
