"""The process that looks at data sets and imports them, one request after the other."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from avseg_core.data.import_report import ImportOptions
from avseg_core.errors import AVSegError
from avseg_core.progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanRequest:
    """Which folder (or annotation file), and which of its layouts."""

    root: Path
    dataset: str = ""
    """Empty: the first that is recognised."""
    media: Path | None = None
    """Where the videos of annotations lie; None: beside them."""
    only_import: bool = False
    """Look only for what could be imported, whatever else it is."""


@dataclass(frozen=True)
class ImportRequest:
    """What to import, and where to."""

    source: Path
    out: Path
    options: ImportOptions


@dataclass(frozen=True)
class ScanFailed:
    """Why there is no answer, in a line."""

    message: str


def main(connection: Connection) -> None:
    """Takes requests until the window hangs up; answers each with Progress and then a Survey or Offer, an ImportReport,
    or ScanFailed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that half-written files are taken away
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        while True:
            connection.send(_try_answer(connection.recv(), _sparse(connection.send)))
    except (EOFError, OSError):
        log.info("the window has gone")


def _try_answer(request: ScanRequest | ImportRequest, progress: Callable[[Progress], None]) -> object:
    try:
        return _answer(request, progress)
    except AVSegError as error:
        return ScanFailed(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:
        log.exception("looking at the data set failed")
        return ScanFailed(f"Looking at the data set failed unexpectedly: {error}")


def _answer(request: ScanRequest | ImportRequest, progress: Callable[[Progress], None]) -> object:
    # Imported here: seconds that the window does not wait for.
    from avseg_core.data.importing import import_data, look
    from avseg_core.data.registry import detect_layouts
    from avseg_core.training.survey import survey

    if isinstance(request, ImportRequest):
        return import_data(request.source, request.out, request.options, progress=progress)
    root = request.root
    if request.only_import or root.is_file() or (root.is_dir() and not detect_layouts(root)):
        offer = look(root, request.media)
        if offer is not None:
            return offer
    return survey(root, request.dataset, progress=progress)


def _sparse(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Lets through at most one report of a phase per hundredth."""
    last: tuple[str, float] = ("", -1.0)

    def progress(item: Progress) -> None:
        nonlocal last
        share = round(item.done / item.total, 2) if item.total else 0.0
        if (item.phase, share) != last:
            last = (item.phase, share)
            report(item)

    return progress
