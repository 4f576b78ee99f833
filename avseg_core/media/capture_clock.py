"""Two clocks brought together: a device's own time on `time.monotonic()`, its drift, and the machine's sleep."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BUCKET = 0.25
"""Seconds of device time whose observations become one point of the fit."""
POINTS = 160
"""Points that are kept: the fit looks back 40 s."""
DRIFT_LIMIT = 1e-3
"""Largest drift that is believed; crystals stay below 2e-4."""
DRIFT_SPAN = 10.0
"""Seconds of history before a drift is estimated at all."""
STEP = 0.12
"""Seconds off the line that count as a jump when they last."""
STEP_SECONDS = 0.4
"""How long the device must stay off the line before it is called a jump."""
SETTLED = 12
"""Points before a jump is believed: sound systems report nonsense in their first moments."""


@dataclass(frozen=True)
class _Line:
    anchor: float
    offset: float
    drift: float

    def offset_at(self, device: float) -> float:
        return self.offset + self.drift * (device - self.anchor)


class ClockMap:
    """Maps a device's clock to the host's from noisy pairs: host = device + offset + drift * (device - last).

    Each pair is (device time, host time seen for it); host times are late or early by scheduling. The median of every
    quarter of a second makes a point, the slope is Theil and Sen's (median over all pairs of points), the offset the
    median of what remains: neither moves for outliers.
    """

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque(maxlen=POINTS)  # (device, offset)
        self._bucket: list[tuple[float, float]] = []
        self._strays: list[tuple[float, float]] = []
        # One tuple, replaced as a whole: other threads read it while the device's thread fits.
        self._line: _Line | None = None

    @property
    def known(self) -> bool:
        """True once there was an observation."""
        return self._line is not None

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's, in parts per million; 0 until it is known."""
        return self._line.drift * 1e6 if self._line else 0.0

    def observe(self, device: float, host: float) -> float:
        """Takes one pair in; returns 0, or the seconds by which the host's clock has lastingly jumped ahead.

        After a jump the map starts anew from the pairs since then.
        """
        offset = host - device
        if self._line is None:
            self._line = _Line(device, offset, 0.0)
        stray = offset - self._line.offset_at(device)
        if abs(stray) > STEP and self._points:
            return self._stray(device, offset)
        self._strays.clear()
        self._bucket.append((device, offset))
        if not self._points or device - self._bucket[0][0] >= BUCKET:
            self._fit()
        return 0.0

    def to_host(self, device: float) -> float:
        """Host time of a device time; the same number before the first observation."""
        return device + self._line.offset_at(device) if self._line else device

    def to_device(self, host: float) -> float:
        """Device time of a host time (exact inverse of `to_host`)."""
        line = self._line
        return line.anchor + (host - line.anchor - line.offset) / (1 + line.drift) if line else host

    def _stray(self, device: float, offset: float) -> float:
        """A pair far off the line: one alone is ignored, a run of them is a jump."""
        assert self._line is not None
        self._strays.append((device, offset))
        if device - self._strays[0][0] < STEP_SECONDS:
            return 0.0
        step = float(np.median([value for _, value in self._strays])) - self._line.offset_at(device)
        settled = len(self._points) >= SETTLED
        self._points.clear()
        self._bucket, self._strays = self._strays, []
        self._fit()
        return step if settled and abs(step) > STEP else 0.0

    def _fit(self) -> None:
        """Closes the bucket as a point and fits the line again."""
        device, offset = np.median(np.array(self._bucket), axis=0)
        self._bucket = []
        self._points.append((float(device), float(offset)))
        times, offsets = np.array(self._points).T
        drift = 0.0
        if times[-1] - times[0] >= DRIFT_SPAN:
            rows, columns = np.triu_indices(len(times), k=1)
            slopes = (offsets[columns] - offsets[rows]) / (times[columns] - times[rows])
            drift = float(np.clip(np.median(slopes), -DRIFT_LIMIT, DRIFT_LIMIT))
        anchor = float(times[-1])
        # Without a drift only the last seconds are level enough for a common offset.
        recent = slice(None) if drift else slice(-20, None)
        residuals = offsets[recent] + drift * (anchor - times[recent])
        self._line = _Line(anchor, float(np.median(residuals)), drift)


class SleepWatch:
    """Notices that the machine has slept or the process was stopped: a clock that counts sleep ran ahead."""

    def __init__(
        self, awake: Callable[[], float] = time.monotonic, always: Callable[[], float] | None = None, limit: float = 2.0
    ) -> None:
        """`awake` stands still while the machine sleeps, `always` does not; both in seconds."""
        self._awake, self._always, self._limit = awake, always or _clock_with_sleep(), limit
        self._last = (self._awake(), self._always())

    def slept(self) -> float:
        """Seconds slept since the last call, 0 if less than `limit`; a pause of the caller beyond 5 s counts too."""
        now = (self._awake(), self._always())
        awake, always = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        if always - awake > self._limit:
            return always - awake
        return awake if awake > 5.0 else 0.0


def _clock_with_sleep() -> Callable[[], float]:
    """The system's clock that goes on in sleep; the wall clock where there is none (its corrections do no harm)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is not None:
        return lambda: time.clock_gettime(boottime)
    return time.time
