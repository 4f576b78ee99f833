"""From a video file to what the model takes: one frame and the sound of one second per window."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avseg_core.audio.front_end import SAMPLE_RATE, FrontEnd, window_logmel
from avseg_core.inference.preprocess import resize_frame
from avseg_core.media.audio import AudioReader
from avseg_core.media.video import VideoReader
from avseg_core.media.windows import WINDOW_SECONDS, Window
from avseg_core.results.result import SILENCE_DBFS


@dataclass(frozen=True, eq=False)
class Second:
    """A second of sound, ready for the audio encoder."""

    start: float
    logmel: NDArray[np.float32]
    """[1,96,64]"""
    loudness: float
    """dBFS"""


@dataclass(frozen=True, eq=False)
class Sample:
    """One window, ready for the model."""

    window: Window
    frame_time: float
    """Presentation time of the frame, in seconds."""
    frame: Tensor
    """[3,h,w] uint8 at the model's size."""
    sound: Second
    nearby: tuple[Second, ...] = ()
    """Whole seconds before and after, for a model that hears `sound` among them."""


def make_sample(
    window: Window,
    frame_time: float,
    image: NDArray[np.uint8],
    waveform: NDArray[np.float32],
    *,
    size: tuple[int, int],
    front_end: FrontEnd,
) -> Sample:
    """image [H,W,3] RGB and waveform [n] at 16 kHz -> Sample for a model of `size` (height, width)."""
    second = Second(window.start, window_logmel(waveform, front_end), loudness_dbfs(waveform))
    return Sample(window, frame_time, resize_frame(image, size), second)


class _Seconds:
    """Seconds of one track, each read once while windows pass over it."""

    def __init__(self, audio: AudioReader, front_end: FrontEnd) -> None:
        self._audio, self._front_end = audio, front_end
        self._known: dict[float, Second] = {}

    def at(self, start: float) -> Second:
        second = self._known.get(start)
        if second is None:
            waveform = self._audio.read(start, WINDOW_SECONDS)
            second = Second(start, window_logmel(waveform, self._front_end), loudness_dbfs(waveform))
            self._known[start] = second
        return second

    def around(self, start: float, reach: int) -> tuple[Second, ...]:
        """The whole seconds that begin at most `reach` seconds before or after `start`, but itself."""
        self._known = {time: second for time, second in self._known.items() if time >= start - reach}
        whole = range(max(0, math.ceil(start - reach)), math.floor(start + reach) + 1)
        return tuple(self.at(float(time)) for time in whole if time != start)


def read_samples(
    path: Path,
    windows: Iterable[Window],
    *,
    size: tuple[int, int],
    front_end: FrontEnd,
    threads: int = 0,
    nearby: int = 0,
) -> Generator[Sample, None, None]:
    """The samples of `windows` (sorted by `frame_time`) of the video at `path`, one in memory at a time.

    Args:
        threads: those of the decoder, as for `VideoReader`.
        nearby: how many seconds before and after each window come with it.

    Raises:
        InputError: the file cannot be read or has no pictures.
    """
    windows, wanted = tee(windows)
    # No frame is looked at twice, so none needs to be kept.
    with VideoReader(path, cache_bytes=0, threads=threads) as video, AudioReader(path, rate=SAMPLE_RATE) as audio:
        frames = video.frames_at(window.frame_time for window in wanted)
        seconds = _Seconds(audio, front_end)
        for window, frame in zip(windows, frames, strict=True):
            around = seconds.around(window.start, nearby)
            yield Sample(window, frame.time, resize_frame(frame.image, size), seconds.at(window.start), around)


def loudness_dbfs(waveform: NDArray[np.floating]) -> float:
    """Root mean square of waveform [n] in dB relative to full scale 1, SILENCE_DBFS at the least."""
    power = float(np.mean(np.square(waveform, dtype=np.float64))) if len(waveform) else 0.0
    return max(10 * math.log10(power), SILENCE_DBFS) if power > 0 else SILENCE_DBFS
