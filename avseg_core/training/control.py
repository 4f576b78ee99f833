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


def send(run_folder: Path, request: Request) -> None:
    """Asks the training in `run_folder`; it answers with an event at the end of its current step."""
    path = run_folder / CONTROL_FILE
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps({"request": request, "time": time.time()}) + "\n", encoding="utf-8")
    os.replace(partial, path)


class Inbox:
    """The training's side: the latest request, and whether the user interrupted this process."""

    def __init__(self, run_folder: Path, interrupted: CancelCheck) -> None:
        self.interrupted = interrupted
        self._path = run_folder / CONTROL_FILE

    def clear(self) -> None:
        """Forgets the request, so that a later start of the same run is not stopped by it."""
        with suppress(FileNotFoundError):
            self._path.unlink()

    def latest(self) -> Request | None:
        """The request that stands, None if there is none (or none that can be read)."""
        try:
            request = json.loads(self._path.read_text(encoding="utf-8"))["request"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return cast(Request, request) if request in REQUESTS else None
