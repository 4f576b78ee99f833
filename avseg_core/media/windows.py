"""One-second sound windows paired with the frame at their centre, as the AVS benchmarks pair them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import InputError

WINDOW_SECONDS = 1.0


@dataclass(frozen=True)
class Window:
    """The sound from `start` to `stop` and the time of the frame it is paired with; seconds from t = 0."""

    index: int
    start: float
    stop: float
    frame_time: float


class RegularWindows(Sequence[Window]):
    """Windows at a fixed rate, made when asked for: a day of video costs no more than a second of it."""

    def __init__(self, duration: float, rate: float = 1.0) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise InputError(f"The rate must be a positive number of masks per second, not {rate}.")
        self.duration = max(0.0, duration) if math.isfinite(duration) else 0.0
        self.rate = rate
        # Window k exists while its centre (k + 0.5) / rate lies in the video; every clip has one.
        self._count = max(1, math.ceil(self.duration * rate - 0.5 - 1e-6))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Window: ...
    @overload
    def __getitem__(self, index: slice) -> list[Window]: ...
    def __getitem__(self, index: int | slice) -> Window | list[Window]:
        if isinstance(index, slice):
            return [self._window(k) for k in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(f"window {index} of {self._count}")
        return self._window(index % self._count)

    def __iter__(self) -> Iterator[Window]:
        return map(self._window, range(self._count))

    def nearest(self, time: float) -> Window:
        """The window whose centre is closest to `time`."""
        return self._window(min(max(math.floor(time * self.rate), 0), self._count - 1))

    def spans(self) -> NDArray[np.float64]:
        """[n,2] seconds: the part of the video of which each window tells; the last one tells of all that is left."""
        edges = np.arange(self._count + 1) / self.rate
        edges[-1] = max(self.duration, float(edges[-2]))
        return np.stack([edges[:-1], edges[1:]], axis=1)

    def _window(self, index: int) -> Window:
        centre = (index + 0.5) / self.rate
        start = centre - WINDOW_SECONDS / 2
        # A clip shorter than half a step still shows a frame of its own.
        frame_time = centre if centre < self.duration or self.duration == 0 else self.duration / 2
        return Window(index=index, start=start, stop=start + WINDOW_SECONDS, frame_time=frame_time)


def regular_windows(duration: float, rate: float = 1.0) -> RegularWindows:
    """Windows covering `duration` seconds at `rate` masks per second.

    At rate 1 window k is [k, k + 1) with the frame at k + 0.5. At other rates the frames are at (k + 0.5) / rate and
    the sound is the second centred on the frame, silent beyond the ends of the file.

    Raises:
        InputError: `rate` is not a positive number.
    """
    return RegularWindows(duration, rate)


def windows_at(times: Iterable[float]) -> list[Window]:
    """One window per time: the frame at exactly that time, the second of sound centred on it.

    Raises:
        InputError: a time is not a number of seconds from 0 on.
    """
    windows = []
    for index, time in enumerate(times):
        if not (math.isfinite(time) and time >= 0):
            raise InputError(f"{time} is not a time in the video; give seconds from its start.")
        start = time - WINDOW_SECONDS / 2
        windows.append(Window(index=index, start=start, stop=start + WINDOW_SECONDS, frame_time=time))
    return windows


def place_at(spans: NDArray[np.float64], time: float) -> int | None:
    """Which of `spans` [n,2], ascending and apart, `time` lies in; of two that touch, the later; None between two."""
    place = int(np.searchsorted(spans[:, 0], time, side="right")) - 1
    return place if place >= 0 and time <= spans[place, 1] else None
