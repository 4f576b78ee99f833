"""The slow questions to files, asked off the GUI thread: what a video is, and what is known of it already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from avseg_app.paths import cache_dir
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.cache import ResultCache
from avseg_core.media.info import MediaInfo
from avseg_core.media.video import VideoReader
from avseg_core.models.library import find_model
from avseg_core.results.codec import Summary
from avseg_core.results.identity import file_id
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


def stored_result(path: Path, index: int) -> WindowResult | None:
    """One result of the store at `path`; None if it is not there."""
    try:
        with MaskStore(path) as store:
            return store.get(index)
    except AVSegError:
        return None
