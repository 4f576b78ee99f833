"""One video into one mask store: what `segment` does, and what continues when it was interrupted."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avseg_core.errors import InputError
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media.video import VideoReader
from avseg_core.media.windows import Window, regular_windows, windows_at
from avseg_core.progress import CancelCheck, Progress, ProgressCallback
from avseg_core.results.identity import METHOD, file_id
from avseg_core.results.result import RunHeader
from avseg_core.results.store import MaskStore

log = logging.getLogger(__name__)

NO_SOUND = "The video has no sound track: it was segmented on silence."
_AFTER_END = 1.0
"""Seconds that a wanted time may lie after the end, for those who count the last second as whole."""


@dataclass(frozen=True)
class RunReport:
    """What became of one video."""

    store: Path
    header: RunHeader
    reused: int
    """Windows that an earlier run had left in the store."""
    computed: int
    """Windows of this run."""
    seconds: float
    """Wall-clock time of segmenting, without exports."""


def segment_video(
    segmenter: Segmenter,
    video: Path,
    store_path: Path,
    *,
    at: Sequence[float] | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> RunReport:
    """Segments `video` at the segmenter's rate (or `at` these seconds only) into the store at `store_path`.

    A store of the same video, model and settings is continued; one of the same video with others is replaced.
    Progress counts all planned windows, those that were there already included.

    Raises:
        InputError: the video cannot be read, a time lies outside it, or `store_path` belongs to another video.
        Cancelled: `cancel` said so; what was finished is in the store.
        AVSegError: the disk is full, or the device is out of memory.
    """
    started = time.monotonic()
    header, windows = plan_run(segmenter, video, at=at, progress=progress, cancel=cancel)
    with open_store(store_path, header) as store:
        done = set(store.indices())
        todo = [window for window in windows if window.index not in done] if done else windows
        report = _counting_from(len(done), len(windows), progress)
        for results in segmenter.segment_batches(video, todo, progress=report, cancel=cancel):
            store.add(*results)
        return RunReport(store_path, store.header, len(done), len(todo), time.monotonic() - started)


def plan_run(
    segmenter: Segmenter,
    video: Path,
    *,
    at: Sequence[float] | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> tuple[RunHeader, Sequence[Window]]:
    """What a run over `video` is about, and its windows in the order of their frames; raises as `segment_video`."""
    with VideoReader(video, progress=progress, cancel=cancel) as reader:
        if at is None:
            windows: Sequence[Window] = regular_windows(reader.info.duration, segmenter.config.rate)
            settings: dict[str, Any] = {"rate": segmenter.config.rate}
        else:
            windows, settings = _wanted(video, at, reader.info.duration), {"at": list(at)}
        return make_header(segmenter, reader, settings, len(windows)), windows


def make_header(segmenter: Segmenter, reader: VideoReader, settings: dict[str, Any], planned: int) -> RunHeader:
    """The header of a run over the video of `reader` with so many `planned` windows.

    Raises:
        InputError: the video cannot be read.
    """
    info = reader.info
    notes = tuple(f"{warning[0].upper()}{warning[1:]}." for warning in reader.warnings)
    return RunHeader(
        video=str(info.path.absolute()),
        video_id=file_id(info.path),
        duration=info.duration,
        width=info.width,
        height=info.height,
        fps=info.fps,
        model=segmenter.name,
        model_hash=segmenter.model_hash,
        settings=settings
        | {"refine": segmenter.config.refine, "method": METHOD}
        | ({"fast": True} if segmenter.config.fast else {}),
        planned=planned,
        class_names=segmenter.class_names,
        notes=notes if info.audio else (*notes, NO_SOUND),
    )


def open_store(path: Path, header: RunHeader) -> MaskStore:
    """The store at `path`, to append: the one that is there if it is of the same run, otherwise a new one.

    Raises:
        InputError: what is there is not a mask store, or is one of another video.
    """
    if not path.exists():
        return MaskStore.create(path, header)
    store = MaskStore(path, "a")
    if store.header.same_run(header):
        log.info("%s: continuing after %d of %d masks.", path, len(store), header.planned)
        return store
    old = store.header
    store.close()
    if old.video_id != header.video_id and old.video != header.video:
        raise InputError(f"{path}: holds the masks of another video ({old.video}); choose another --out or delete it.")
    log.info("%s: was made from other settings, another model or an older video; starting over.", path)
    return MaskStore.create(path, header)


def _wanted(video: Path, at: Sequence[float], duration: float) -> list[Window]:
    windows = windows_at(at)
    for window in windows:
        if window.frame_time > duration + _AFTER_END:
            raise InputError(
                f"{video}: {window.frame_time:g} s is after its end at {duration:.2f} s; choose --at within."
            )
    return sorted(windows, key=lambda window: window.frame_time)


def _counting_from(done: int, total: int, progress: ProgressCallback | None) -> ProgressCallback | None:
    """Progress of what is left to do, told as progress of the whole."""
    if progress is None:
        return None
    return lambda step: progress(Progress(step.phase, done + step.done, total))
