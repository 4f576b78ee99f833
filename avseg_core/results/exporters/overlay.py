"""The video itself with the masks drawn on it: H.264 MP4 with the original times and sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import InputError
from avseg_core.media.video import VideoReader
from avseg_core.media.windows import place_at
from avseg_core.media.writer import VideoWriter
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.results.exporters.base import EXPORTERS, ExportOptions, pixel_labels
from avseg_core.results.identity import file_id
from avseg_core.results.palette import voc_palette
from avseg_core.results.recorded import REACH, RecordedWindows
from avseg_core.results.result import RunHeader
from avseg_core.results.store import MaskStore

_OUTLINE_SHARE = 360
"""The outline is one pixel wide for so many pixels of the frame's shorter side."""
_REPORT_EVERY = 8
_TINY = 1e-6


@EXPORTERS.register("overlay")
def export_overlay(
    store: MaskStore,
    out_dir: Path,
    stem: str,
    options: ExportOptions,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> list[Path]:
    """`<stem>_overlay.mp4`: every frame with the mask of its window filled and outlined, one frame in memory at a time.

    Raises also InputError if the video is gone or is another one by now.
    """
    path = out_dir / f"{stem}_overlay.mp4"
    painter = _Painter(store, options)
    with (
        VideoReader(_find_video(store.header, options), cache_bytes=0) as reader,
        VideoWriter.like(path, reader, comment=f"AVSeg Studio, masks of {store.header.video_id}") as writer,
    ):
        for frame in reader.frames():
            check(cancel)
            painter.paint(frame.image, frame.time)
            writer.write(frame.image, frame.time)
            if progress is not None and (frame.index % _REPORT_EVERY == 0 or frame.index + 1 == len(reader)):
                progress(Progress("overlay", frame.index + 1, len(reader)))
    return [path]


def _find_video(header: RunHeader, options: ExportOptions) -> Path:
    path = options.video or Path(header.video)
    if not path.is_file():
        remedy = "put it back, or say where it is now with `export --video`"
        raise InputError(f"{path}: the video of these masks is not there; {remedy}.")
    if file_id(path) != header.video_id:
        raise InputError(f"{path}: is not the video that was segmented; name that one with --video or segment again.")
    return path


class _Painter:
    """Draws on each frame the mask that holds at its time; the drawing of one window is kept until the next."""

    def __init__(self, store: MaskStore, options: ExportOptions) -> None:
        self._store = store
        self._options = options
        self._windows = RecordedWindows(*store.moments(), reach=_hold(store.header.settings))
        self._spans = self._windows.spans
        if "rate" in store.header.settings and len(store) == store.header.planned > 0:
            self._spans[-1, 1] = np.inf  # at a regular rate the last one tells of the rest of the video, too
        self._index: int | None = None
        self._layer: _Layer | None = None

    def paint(self, image: NDArray[np.uint8], time: float) -> None:
        """Draws on image [H,W,3] in place."""
        index = self._window_at(time)
        if index != self._index:
            self._index, self._layer = index, self._make_layer(index)
        if self._layer is not None:
            self._layer.paint(image)

    def _window_at(self, time: float) -> int | None:
        """The window with the nearest frame, of two the later; None where there is none near enough."""
        place = place_at(self._spans, time + _TINY)
        return None if place is None else self._windows.index_of(place)

    def _make_layer(self, index: int | None) -> _Layer | None:
        result = None if index is None else self._store.get(index)
        if result is None:
            return None
        labels = pixel_labels(result, self._store.header, self._options.threshold)
        colors = voc_palette(256)
        if result.labels is None:
            colors[1] = self._options.color
        return _Layer(labels, colors, self._options.opacity) if labels.any() else None


def _hold(settings: dict[str, Any]) -> float:
    """Seconds around its frame for which a mask holds at most."""
    rate = settings.get("rate")
    if isinstance(rate, int | float) and rate > 0:
        return max(0.5, 0.5 / rate)
    return REACH if "live" in settings else 0.5


class _Layer:
    """What is drawn for one window, cut down to the rows and columns that sound."""

    def __init__(self, labels: NDArray[np.uint8], colors: NDArray[np.uint8], opacity: float) -> None:
        """labels [H,W] with 0 = nothing; colors [256,3] RGB."""
        rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
        self._part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        thickness = max(1, round(min(labels.shape) / _OUTLINE_SHARE))
        outline = _outline(labels, thickness)[self._part]
        labels = np.ascontiguousarray(labels[self._part])
        self._filled = (labels > 0).astype(np.uint8)
        self._color = colors[labels]  # [h,w,3]
        self._outline = outline.astype(np.uint8)
        self._opacity = opacity

    def paint(self, image: NDArray[np.uint8]) -> None:
        """Draws on image [H,W,3] in place."""
        part = np.ascontiguousarray(image[self._part])
        blended = cv2.addWeighted(part, 1 - self._opacity, self._color, self._opacity, 0)
        cv2.copyTo(blended, self._filled, part)
        cv2.copyTo(self._color, self._outline, part)
        image[self._part] = part


def _outline(labels: NDArray[np.uint8], thickness: int) -> NDArray[np.bool_]:
    """The inner edge [H,W] of every labelled area; the frame's own border is none."""
    kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
    edge = cv2.erode(labels, kernel) != cv2.dilate(labels, kernel)
    return np.asarray(edge & (labels > 0))
