"""What is kept of the last moments: a ring of sound, a short history of pictures, a level meter."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import CapturedFrame

FLOOR_DBFS = -120.0
CLIP_LEVEL = 0.999
CLIP_HOLD = 1.5
"""Seconds for which the clipping light stays on."""
PEAK_DECAY = 20.0
"""dB per second by which the shown peak falls."""


class SoundRing:
    """The last `seconds` of one channel of sound, addressed by absolute sample numbers; for any number of threads."""

    def __init__(self, rate: int = 16000, seconds: float = 70.0) -> None:
        self.rate = rate
        self._data = np.zeros(round(rate * seconds), np.float32)
        self._end = 0
        self._lock = threading.Lock()

    @property
    def end(self) -> int:
        """Number of the sample that comes next."""
        return self._end

    def append(self, samples: NDArray[np.float32]) -> None:
        """Adds samples [n]; the oldest are overwritten."""
        with self._lock:
            kept = samples[-len(self._data) :]
            first = self._end + len(samples) - len(kept)
            self._data[np.arange(first, first + len(kept)) % len(self._data)] = kept
            self._end += len(samples)

    def skip(self, count: int) -> None:
        """Adds `count` samples of silence: a gap in the recording."""
        with self._lock:
            kept = min(count, len(self._data))
            first = self._end + count - kept
            self._data[np.arange(first, first + kept) % len(self._data)] = 0
            self._end += count

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Samples `start`..`start + count`, [count]; zeros where there is no sound (any more, or yet)."""
        with self._lock:
            result = np.zeros(count, np.float32)
            first = max(start, self._end - len(self._data), 0)
            last = min(start + count, self._end)
            if last > first:
                result[first - start : last - start] = self._data[np.arange(first, last) % len(self._data)]
            return result


class FrameHistory:
    """The pictures of the last `seconds`, newest last; wakes whoever waits for a new one."""

    def __init__(self, seconds: float = 1.2, limit: int = 160) -> None:
        self.seconds = seconds
        """May be changed at any time."""
        self._frames: deque[CapturedFrame] = deque(maxlen=limit)
        self._changed = threading.Condition()

    def put(self, frame: CapturedFrame) -> None:
        """Adds a picture and drops those that are too old."""
        with self._changed:
            if self._frames and frame.time < self._frames[-1].time:
                self._frames.clear()
            self._frames.append(frame)
            while frame.time - self._frames[0].time > self.seconds:
                self._frames.popleft()
            self._changed.notify_all()

    def newest(self, until: float = math.inf) -> CapturedFrame | None:
        """The newest picture that was taken at `until` at the latest."""
        with self._changed:
            return next((frame for frame in reversed(self._frames) if frame.time <= until), None)

    def oldest(self) -> CapturedFrame | None:
        """The oldest picture that is still there."""
        with self._changed:
            return self._frames[0] if self._frames else None

    def wait(self, timeout: float) -> None:
        """Returns when a picture arrives, at the latest after `timeout` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def wake(self) -> None:
        """Ends all waiting."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Forgets all pictures."""
        with self._changed:
            self._frames.clear()


@dataclass(frozen=True)
class Level:
    """What the meter shows."""

    rms: float = FLOOR_DBFS
    """Root mean square of the last block, dB relative to full scale."""
    peak: float = FLOOR_DBFS
    """Highest sample, falling slowly, dB relative to full scale."""
    clipping: bool = False


class LevelMeter:
    """Loudness of a stream of blocks."""

    def __init__(self) -> None:
        self.level = Level()
        self._clipped = -math.inf

    def update(self, samples: NDArray[np.float32], now: float, seconds: float) -> Level:
        """Takes a block [n,channels] of `seconds` in; two full-scale samples in a row are clipping."""
        magnitude = np.abs(samples)
        full = magnitude >= CLIP_LEVEL
        if np.any(full[1:] & full[:-1]):
            self._clipped = now
        rms = decibels(math.sqrt(float(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0)
        peak = decibels(float(magnitude.max(initial=0.0)))
        self.level = Level(
            rms=rms,
            peak=max(peak, self.level.peak - PEAK_DECAY * seconds, FLOOR_DBFS),
            clipping=now - self._clipped < CLIP_HOLD,
        )
        return self.level


def decibels(amplitude: float) -> float:
    """20 log10, not below FLOOR_DBFS."""
    return max(20 * math.log10(amplitude), FLOOR_DBFS) if amplitude > 0 else FLOOR_DBFS


def loudness(waveform: NDArray[np.float32]) -> float:
    """Root mean square of a waveform in dB relative to full scale."""
    return decibels(math.sqrt(float(np.mean(np.square(waveform, dtype=np.float64)))) if waveform.size else 0.0)
