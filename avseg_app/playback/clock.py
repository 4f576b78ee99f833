"""The two clocks of playback: what the sound card has played, or the computer's own clock where there is no sound."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Now = Callable[[], float]
_RAMP_SECONDS = 0.01


class MonotonicClock:
    """Media time that runs with the computer's clock."""

    def __init__(self, now: Now = time.monotonic) -> None:
        self._now = now
        self._started: float | None = None
        self._origin, self._speed = 0.0, 1.0

    def start(self, position: float, speed: float) -> None:
        """Runs from `position` (s) at `speed` media seconds per second."""
        self._started, self._origin, self._speed = self._now(), position, speed

    def stop(self) -> None:
        """Holds the position."""
        self._origin, self._started = self.position(), None

    def position(self) -> float:
        """The media time now, in seconds."""
        if self._started is None:
            return self._origin
        return self._origin + (self._now() - self._started) * self._speed


@dataclass(frozen=True)
class Chunk:
    """Sound ready to be played: the media time of its first sample, and media seconds per second of output."""

    media_time: float
    samples: NDArray[np.float32]
    """[n,channels]"""
    speed: float


@dataclass(frozen=True)
class _Span:
    """A stretch of sound given to the card: when it is heard, and which media time that is."""

    heard_from: float
    heard_to: float
    media_time: float
    speed: float

    def media_at(self, now: float) -> float:
        return self.media_time + (min(max(now, self.heard_from), self.heard_to) - self.heard_from) * self.speed


class SoundClock:
    """A queue of sound between the thread that reads it and the card's callback, and the clock that follows from it.

    The media time is that of the sample that leaves the loudspeaker now: it stands still while the card starves, and
    it never runs ahead of what is heard.
    """

    def __init__(self, rate: int, channels: int, now: Now = time.monotonic) -> None:
        self.rate, self.channels = rate, channels
        self._now = now
        self._lock = threading.Lock()
        self._chunks: deque[Chunk] = deque()
        self._offset = 0
        self._spans: deque[_Span] = deque()
        self._origin = 0.0
        self._running = False
        self._ticket = 0
        self._gain = self._wanted_gain = 1.0
        self.last_callback: float | None = None
        """When the card last asked for sound (s, monotonic); None before the first time."""

    def restart(self, position: float) -> int:
        """Forgets what is queued and runs from `position` (s) as soon as sound is pushed with the returned ticket."""
        with self._lock:
            self._clear(position)
            self._running = True
            return self._ticket

    def stop(self) -> None:
        """Holds the position and gives the card silence."""
        with self._lock:
            self._clear(self._position())
            self._running = False

    def set_gain(self, gain: float) -> None:
        """Loudness from 0 to 1, reached within one block without a click."""
        self._wanted_gain = gain

    def push(self, chunk: Chunk, ticket: int) -> None:
        """Queues sound that follows what was pushed before; with the ticket of an earlier start it is dropped."""
        with self._lock:
            if ticket == self._ticket:
                self._chunks.append(chunk)

    def queued(self) -> float:
        """Seconds of output that wait to be played."""
        with self._lock:
            return (sum(len(chunk.samples) for chunk in self._chunks) - self._offset) / self.rate

    def position(self) -> float:
        """The media time that is heard now, in seconds."""
        with self._lock:
            return self._position()

    def fill(self, out: NDArray[np.float32], heard_at: float) -> None:
        """Writes the next sound to `out` [n,channels], whose first sample is heard at `heard_at` (s, monotonic)."""
        with self._lock:
            self.last_callback = self._now()
            filled = 0
            while self._running and self._chunks and filled < len(out):
                filled += self._take(out[filled:], heard_at + filled / self.rate)
            out[filled:] = 0
            self._apply_gain(out)

    def _take(self, out: NDArray[np.float32], heard_at: float) -> int:
        """Copies from the first chunk; returns the number of samples."""
        chunk = self._chunks[0]
        count = min(len(out), len(chunk.samples) - self._offset)
        out[:count] = chunk.samples[self._offset : self._offset + count]
        media = chunk.media_time + self._offset * chunk.speed / self.rate
        self._spans.append(_Span(heard_at, heard_at + count / self.rate, media, chunk.speed))
        while len(self._spans) > 1 and self._spans[1].heard_from <= self._now():
            self._spans.popleft()  # the next one is heard by now; how many are still to come, the card decides
        self._offset += count
        if self._offset >= len(chunk.samples):
            self._chunks.popleft()
            self._offset = 0
        return count

    def _apply_gain(self, out: NDArray[np.float32]) -> None:
        steps = min(len(out), max(1, round(_RAMP_SECONDS * self.rate)))
        wanted = self._wanted_gain
        out[:steps] *= np.linspace(self._gain, wanted, steps, dtype=np.float32)[:, None]
        out[steps:] *= wanted
        self._gain = wanted

    def _clear(self, position: float) -> None:
        self._chunks.clear()
        self._spans.clear()
        self._offset = 0
        self._ticket += 1
        self._origin = position

    def _position(self) -> float:
        now = self._now()
        heard = [span for span in self._spans if span.heard_from <= now]
        return heard[-1].media_at(now) if heard else self._origin
