"""The process that looks at a data set: answers one ScanRequest and ends."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from avseg_core.errors import AVSegError
from avseg_core.progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanRequest:
    """Which folder, and which of its layouts (empty: the first that is recognised)."""

    root: Path
    dataset: str = ""


@dataclass(frozen=True)
class ScanFailed:
    """Why there is no answer, in a line."""

    message: str


def main(connection: Connection) -> None:
    """Takes one ScanRequest, answers with Progress and then a Survey or ScanFailed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        request = connection.recv()
        from avseg_core.training.survey import survey  # seconds of import that the window does not wait for

        connection.send(survey(request.root, request.dataset, progress=_sparse(connection.send)))
    except AVSegError as error:
        connection.send(ScanFailed(str(error)))
    except (EOFError, BrokenPipeError):
        log.info("the window has gone")
    except Exception as error:
        log.exception("looking at the data set failed")
        connection.send(ScanFailed(f"Looking at the data set failed unexpectedly: {error}"))


def _sparse(report):
    """Lets through at most one report of a phase per hundredth."""
    last: tuple[str, float] = ("", -1.0)

    def progress(item: Progress) -> None:
        nonlocal last
        share = round(item.done / item.total, 2) if item.total else 0.0
        if (item.phase, share) != last:
            last = (item.phase, share)
            report(item)

    return progress
