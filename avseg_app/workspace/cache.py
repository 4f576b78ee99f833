"""The slow questions to files, asked off the GUI thread: what a video is, and what is known of it already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from avseg_app.paths import cache_dir
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.cache import ResultCache
from avseg_core.inference.live_recording import masks_of
from avseg_core.media.info import MediaInfo
from avseg_core.media.video import VideoReader
from avseg_core.models.library import find_model
from avseg_core.results.codec import Summary
from avseg_core.results.identity import file_id
from avseg_core.results.recorded import RecordedMasks, read_recorded
from avseg_core.results.result import WindowResult
from avseg_core.results.store import MaskStore


def examine(path: Path, cancel: Callable[[], bool]) -> MediaInfo:
    """What a video is; proves that a picture of it can be decoded.

    Raises:
        InputError: it is not a video that can be read.
        Cancelled: `cancel` says so.
    """
    with VideoReader(path, cancel=cancel) as reader:
        return reader.info


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a video when it is opened."""

    info: MediaInfo
    store: Path
    """Where its results are or belong."""
    recorded: RecordedMasks | None
    """Masks that were recorded along with it."""
    note: str
    """Why its recorded masks cannot be shown, for the user; empty if there is nothing to say."""


def look_up(path: Path, model: str, rate: float, cancel: Callable[[], bool]) -> Known:
    """Everything that is needed to show a video.

    Raises:
        InputError: it is not a video that can be read, or the cache cannot be written.
        Cancelled: `cancel` says so.
    """
    info, store = examine(path, cancel), store_for(path, model, rate)
    try:
        masks = masks_of(path)
        return Known(info, store, read_recorded(masks) if masks is not None else None, "")
    except AVSegError as error:
        return Known(info, store, None, str(error))


def store_for(video: Path, model: str, rate: float) -> Path:
    """Where the results of a video, a model and a rate are or belong in the user's cache.

    Raises:
        InputError: the video cannot be read, or the cache not be written.
    """
    try:
        model_id = file_id(find_model(model))
    except InputError:
        model_id = model  # the inference process says what is wrong with it
    return result_cache().path_for(video, model_id, {"rate": rate})


def result_cache() -> ResultCache:
    """The user's cache of results.

    Raises:
        InputError: it cannot be written.
    """
    return ResultCache(cache_dir() / "masks")


def stored_summaries(path: Path, threshold: float) -> list[Summary]:
    """What the timeline shows of the store at `path`, a few dozen bytes per window; empty if it cannot be read."""
    try:
        with MaskStore(path) as store:
            return list(store.summaries(threshold))
    except AVSegError:
        return []


def stored_results(path: Path, indices: list[int]) -> list[WindowResult]:
    """Those of the results `indices` that are in the store at `path`."""
    try:
        with MaskStore(path) as store:
            return [result for result in map(store.get, indices) if result is not None]
    except AVSegError:
        return []
