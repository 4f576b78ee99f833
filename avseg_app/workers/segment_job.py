"""One video's segmentation inside the inference process: what is missing, in the order in which it is wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from avseg_app.workers.protocol import FeatureMaps, JobStarted, StartJob, WindowsDone
from avseg_core.config import InferenceConfig
from avseg_core.errors import InputError
from avseg_core.inference.device import choose_device
from avseg_core.inference.run import make_header, open_store
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media.audio import AudioReader
from avseg_core.media.video import VideoReader
from avseg_core.media.windows import regular_windows
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore

_SOUND_RATE = 16000
_NEAR = 2
"""Windows that may come before the wanted one without a jump."""


def load(model: str) -> Segmenter:
    """The segmenter for `model`; on a CPU one window at a time, so that what is in view never waits for others.

    Raises:
        InputError: there is no such model, or its file is damaged.
    """
    device, _ = choose_device("auto")
    batch = 1 if device.type == "cpu" else InferenceConfig.batch_size
    return Segmenter.load(InferenceConfig(model=model, batch_size=batch))


class SegmentJob:
    """Goes through a video from the playhead on, and again from the start for what lies before it."""

    def __init__(self, request: StartJob, segmenter: Segmenter) -> None:
        """Opens the video and its store.

        Raises:
            InputError: the video cannot be read, or the store not be written.
        """
        self.generation = request.generation
        self._segmenter = segmenter
        self._path = request.video
        self._video = VideoReader(request.video)
        self._audio = AudioReader(request.video, rate=_SOUND_RATE)
        self._windows = regular_windows(self._video.info.duration, request.rate)
        self._store = _open_store(
            request.store, make_header(segmenter, self._video, {"rate": request.rate}, len(self._windows))
        )
        self._pending = np.ones(len(self._windows), bool)
        self._pending[self._store.indices()] = False
        self._stream: Iterator[list[WindowResult]] | None = None
        self._coming = -1
        self._stopped = False
        self._pace: float | None = None
        self._look = self._clip_of(request.playhead)

    @property
    def busy(self) -> bool:
        """True while `advance` has something to do."""
        return not self._stopped and bool(self._pending.any())

    def started(self) -> JobStarted:
        """What the window needs to know first."""
        done = tuple(np.flatnonzero(~self._pending).tolist())
        header = self._store.header
        return JobStarted(self.generation, len(self._windows), done, header.notes, header.class_names)

    def look_at(self, time: float) -> None:
        """What is missing from `time` (s) on comes next."""
        self._look = self._clip_of(time)
        if self._stream is not None and not 0 <= self._wanted() - self._coming <= _NEAR:
            self._close_stream()

    def advance(self) -> WindowsDone:
        """Segments one batch and keeps it.

        Raises:
            AVSegError: the video or the disk failed.
        """
        began = time.monotonic()
        results = self._next_batch()
        self._store.add(*results)
        self._pending[[result.window.index for result in results]] = False
        following = np.flatnonzero(self._pending[self._coming :])
        self._coming = self._coming + int(following[0]) if len(following) else len(self._pending)
        spent = (time.monotonic() - began) / len(results)
        self._pace = spent if self._pace is None else 0.8 * self._pace + 0.2 * spent
        return WindowsDone(self.generation, tuple(results), self._pace * int(self._pending.sum()))

    def maps(self, index: int) -> FeatureMaps | None:
        """The mixed mask feature of window `index`; None for a model without one."""
        window = self._windows[index]
        image = self._video.frame_at(window.frame_time).image
        waveform = self._audio.read(window.start, window.stop - window.start)
        features = self._segmenter.mask_features(image, waveform)
        if features is None:
            return None
        maps = np.maximum(features.astype(np.float32), 0)  # [D,h,w]
        peaks = maps.max(axis=(1, 2), keepdims=True)
        scaled = np.rint(255 * maps / np.maximum(peaks, 1e-9)).astype(np.uint8)
        return FeatureMaps(self.generation, index, scaled, maps.mean(axis=(1, 2)))

    def stop(self) -> None:
        """Does no more of its own; maps are still there to ask for."""
        self._stopped = True
        self._close_stream()

    def close(self) -> None:
        """Lets go of the files."""
        self.stop()
        self._store.close()
        self._video.close()
        self._audio.close()

    def _clip_of(self, time: float) -> int:
        """The first window of the clip of the model at `time` (s): which windows it sees together never changes."""
        index = self._windows.nearest(time).index
        return index - index % self._segmenter.clip_length

    def _wanted(self) -> int:
        """The first missing window at or after the playhead, else the first missing one."""
        missing = np.flatnonzero(self._pending)
        return int(missing[min(np.searchsorted(missing, self._look), len(missing) - 1)]) if len(missing) else -1

    def _next_batch(self) -> list[WindowResult]:
        while True:
            if self._stream is None:
                self._open_stream()
            results = next(self._stream, None)
            if results:
                return results
            self._close_stream()

    def _open_stream(self) -> None:
        missing = np.flatnonzero(self._pending)
        first = np.searchsorted(missing, self._look)
        ahead = missing[first:] if first < len(missing) else missing
        self._coming = int(ahead[0])
        self._stream = self._segmenter.segment_batches(self._path, [self._windows[int(index)] for index in ahead])

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _open_store(path: Path, header: RunHeader) -> MaskStore:
    """The store of this run; one that is damaged, which a cache can afford, is made anew."""
    try:
        return open_store(path, header)
    except InputError:
        with suppress(OSError):
            path.unlink()
        return open_store(path, header)
