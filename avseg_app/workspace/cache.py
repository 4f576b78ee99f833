"""Files of the results cache: what is looked up and tidied off the GUI thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from avseg_core.errors import InputError
from avseg_core.media.info import MediaInfo
from avseg_core.media.video import VideoReader
from avseg_core.results.identity import file_id
from avseg_core.results.result import WindowResult
from avseg_core.results.store import SUFFIX, MaskStore
from avseg_core.results.timeline import Timeline, read_timeline

CACHE_BYTES = 2 << 30


def examine(path: Path, cancel: Callable[[], bool]) -> tuple[MediaInfo, str]:
    """What a video is, and its identity; proves that a picture of it can be decoded.

    Raises:
        InputError: it is not a video that can be read.
        Cancelled: `cancel` says so.
    """
    identity = file_id(path)
    with VideoReader(path, cancel=cancel) as reader:
        return reader.info, identity


def stored_timeline(path: Path, threshold: float) -> Timeline | None:
    """The timeline of the store at `path`, which counts as used now; None if there is none that can be read."""
    try:
        with suppress(OSError):
            os.utime(path)
        with MaskStore(path) as store:
            return read_timeline(store, threshold)
    except InputError:
        return None


def stored_result(path: Path, index: int) -> WindowResult | None:
    """One result of the store at `path`; None if it is not there."""
    try:
        with MaskStore(path) as store:
            return store.get(index)
    except InputError:
        return None


def prune(folder: Path, budget: int = CACHE_BYTES) -> None:
    """Removes the stores that were not used for longest until the rest fits into `budget` bytes."""
    with suppress(OSError), closing(os.scandir(folder)) as entries:
        stores = sorted((e for e in entries if e.name.endswith(SUFFIX)), key=lambda e: -e.stat().st_mtime)
        held = 0
        for entry in stores:
            held += entry.stat().st_size
            if held > budget:
                Path(entry.path).unlink(missing_ok=True)
