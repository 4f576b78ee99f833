"""The export process: writes what a mask store holds in the formats that were asked for, and ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from multiprocessing.connection import Connection

from avseg_app.workers.protocol import ExportDone, ExportFailed, ExportProgress, ExportRequest
from avseg_core.errors import AVSegError, Cancelled
from avseg_core.progress import Progress

log = logging.getLogger(__name__)


def main(connection: Connection) -> None:
    """Takes one ExportRequest, answers with ExportProgress and then ExportDone or ExportFailed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # unwinds, so that half-written files are removed
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        connection.send(export(connection, connection.recv()))
    except AVSegError as error:
        connection.send(ExportFailed(str(error)))
    except (EOFError, BrokenPipeError):
        log.info("the window has gone")
    except Exception as error:
        log.exception("export failed")
        connection.send(ExportFailed(f"Export failed unexpectedly: {error}"))


def export(connection: Connection, request: ExportRequest) -> ExportDone:
    """Runs the exporters one after the other; the files are named as `segment` names them.

    Raises:
        AVSegError: one of them failed; the others' files are there all the same.
    """
    from avseg_core.results.exporters import EXPORTERS, ExportOptions
    from avseg_core.results.naming import free_stem, is_of_another
    from avseg_core.results.store import MaskStore
    from avseg_core.results.writing import make_folder

    options = ExportOptions(
        threshold=request.threshold, color=request.color, opacity=request.opacity, video=request.video
    )
    make_folder(request.folder)
    files, failed = [], list[AVSegError]()
    with MaskStore(request.store) as store:
        video = request.video
        stem = free_stem(
            video.stem, lambda name: is_of_another(request.folder, name, str(video), store.header.video_id)
        )
        for place, name in enumerate(request.formats):
            report = partial(_report, connection, name, place, len(request.formats))
            cancelled = partial(_told_to_stop, connection)
            try:
                files += EXPORTERS[name](store, request.folder, stem, options, report, cancelled)
            except Cancelled:
                raise
            except AVSegError as error:
                failed.append(error)
    if failed:
        raise failed[0]
    return ExportDone(tuple(files))


def _report(connection: Connection, name: str, place: int, count: int, progress: Progress) -> None:
    share = progress.done / progress.total if progress.total else 0.0
    connection.send(ExportProgress(name, (place + share) / count))


def _told_to_stop(connection: Connection) -> bool:
    """Any message from the window means stop; a window that has gone, too."""
    try:
        if connection.poll():
            connection.recv()
            return True
    except (EOFError, OSError):
        return True
    return False
