"""A microphone kept alive: its last minute on the host's clock, its level, and whether it is silent or broken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import MicrophoneSource, SoundBlock
from avseg_core.media.capture_clock import ClockMap
from avseg_core.media.capture_feed import HEALTHY_SECONDS, Feed, StatusCallback
from avseg_core.media.capture_ring import FLOOR_DBFS, Level, LevelMeter, SoundRing

SILENT_DBFS = -90.0
LATE_SECONDS = 0.5
"""Delay of the sound for which pictures are kept; what comes later is told."""
_AWAY_SECONDS, _AWAY_AT_MOST = 0.5, 2.0
"""Without a block for so long there is no sound; for longer with a microphone whose blocks come in slow bursts."""
_WAIT_HALVES_IN = 5.0
"""Seconds in which half of the longest wait for a block is forgotten."""
SoundListener = Callable[[NDArray[np.float32], float, int], None]
"""Clean samples [n,channels], the time of the first one, their rate."""


class MicrophoneFeed(Feed[MicrophoneSource, SoundBlock]):
    """A microphone whose last minute lies, at 16 kHz in one channel, on the clock of `time.monotonic()`."""

    kind = "microphone"
    RATE = 16000

    def __init__(
        self,
        make: Callable[[], MicrophoneSource],
        on_status: StatusCallback,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` gives a source that is not open yet."""
        super().__init__(make, on_status, clock)
        self.ring = SoundRing(self.RATE)
        self.time = ClockMap()
        """From seconds of sound to the host's time."""
        self.listeners: list[SoundListener] = []
        self.overflows = 0
        """Blocks before which samples were lost."""
        self.broken = 0
        """Samples that were NaN or infinite."""
        self.gaps = 0.0
        """Seconds of silence put in where sound is missing."""
        self._meter = LevelMeter()
        self._resampler: _ToMono16k | None = None
        self._seconds = 0.0  # sound taken in so far, gaps included
        self._rate = 48000
        self._reopening = True
        self._suspicious = False
        self._heard = self._broken_at = self._punctual = self._taken = clock()
        self._broken_at -= HEALTHY_SECONDS
        self._longest_wait = 0.0

    @property
    def level(self) -> Level:
        """What the meter shows; nothing while the microphone does not run."""
        return self._meter.level if self.running else Level()

    def horizon(self) -> float:
        """The time up to which sound is known; now if the microphone is away, silence being all there will be."""
        now = self._clock()
        away = min(max(_AWAY_SECONDS, 1.5 * self._longest_wait), _AWAY_AT_MOST)
        if not self.running or not self.time.known or now - self._last > away:
            return now
        return min(self.time.to_host(self.ring.end / self.RATE), now)

    def window(self, stop: float, count: int) -> NDArray[np.float32]:
        """The `count` samples at 16 kHz before the time `stop`, [count]; zeros where there was no sound."""
        last = round(self.time.to_device(stop) * self.RATE)
        return self.ring.read(last - count, count)

    def _begin(self, source: MicrophoneSource) -> None:
        self._rate, self._suspicious = source.rate, source.is_live
        self._resampler = _ToMono16k(source.rate)
        self._reopening = True
        self._heard = self._punctual = self._taken = self._clock()
        self._longest_wait = 0.0

    def _read(self, source: MicrophoneSource) -> SoundBlock | None:
        return source.read()

    def _take(self, block: SoundBlock) -> None:
        assert self._resampler is not None
        wait, self._taken = self._last - self._taken, self._last
        self._longest_wait = max(wait, self._longest_wait * 0.5 ** (wait / _WAIT_HALVES_IN))
        samples = self._clean(block.samples)
        self.overflows += block.overflow
        gap = self._gap(block.time)
        if gap > 0:
            self.gaps += gap
            self._seconds += gap
            self.ring.skip(round(self._seconds * self.RATE) - self.ring.end)
        begins = self.time.to_host(self._seconds)
        self._seconds += len(samples) / self._rate
        self.ring.append(self._resampler(samples.mean(axis=1, dtype=np.float32)))
        if self._last - self.time.to_host(self._seconds) < LATE_SECONDS:
            self._punctual = self._last
        self._measure(samples)
        for listener in self.listeners:
            listener(samples, begins, self._rate)

    def _gap(self, stamp: float) -> float:
        """Seconds without sound before a block with this time stamp; keeps the clock map up to date."""
        if not self._reopening:
            return self.time.observe(self._seconds, stamp)
        self._reopening = False
        gap = max(stamp - self.time.to_host(self._seconds), 0.0) if self.time.known else 0.0
        self.time = fresh = ClockMap()
        fresh.observe(self._seconds + gap, stamp)
        return gap

    def _clean(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
        if bad:
            self.broken += bad
            self._broken_at = self._last
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        return samples

    def _measure(self, samples: NDArray[np.float32]) -> None:
        level = self._meter.update(samples, self._last, len(samples) / self._rate)
        if level.rms > max(SILENT_DBFS, FLOOR_DBFS):
            self._heard = self._last

    def _warnings(self) -> tuple[str, ...]:
        now = self._clock()
        found: list[str] = []
        if self._suspicious and now - self._heard > HEALTHY_SECONDS:
            found.append("silent")
        if now - self._broken_at < HEALTHY_SECONDS:
            found.append("invalid")
        if now - self._punctual > HEALTHY_SECONDS:
            found.append("late")
        if self._meter.level.clipping:
            found.append("clipping")
        return tuple(found)


@dataclass
class _ToMono16k:
    """A stream of mono samples at `rate` brought to 16 kHz without seams."""

    rate: int

    def __post_init__(self) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=MicrophoneFeed.RATE)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n] at `rate` -> what is complete at 16 kHz."""
        if self.rate == MicrophoneFeed.RATE or not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="flt", layout="mono")
        frame.sample_rate = self.rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
