"""How much later the sound arrives than its picture, measured from a few claps or flashes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import AVSegError
from avseg_core.media.capture import CapturedFrame
from avseg_core.media.capture_microphone_feed import MicrophoneFeed

SECONDS = 5.0
"""How long one calibration looks and listens."""
STEP = 0.005
"""Resolution of the comparison, refined below by a parabola."""
REACH = 0.6
"""Largest offset that is looked for, either way, in seconds."""
LEAST_CONTRAST = 4.0
"""How many standard deviations the best offset must stand out of all others."""
_SIZE = (80, 60)
_DARKER = 0.3
"""Weight of a picture that changes without getting lighter: a flash counts when it comes, not when it goes."""


@dataclass(frozen=True)
class Calibration:
    """What was measured."""

    offset: float
    """Seconds by which the sound comes after its picture: the `av_offset` to set."""
    contrast: float
    """Standard deviations by which it stands out."""


class Calibrator:
    """Collects what the camera shows; `finish` compares it with what the microphone has heard."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._looked: list[tuple[float, float]] = []  # when, and how much has changed: pairs, so that none is torn

    @property
    def seconds(self) -> float:
        """How long it has looked so far."""
        return self._looked[-1][0] - self._looked[0][0] if self._looked else 0.0

    def add(self, frame: CapturedFrame) -> None:
        """Notes how much a picture has changed; `finish` may run meanwhile, in another thread."""
        small = np.asarray(cv2.resize(frame.image, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        if self._last is None:
            change = 0.0
        else:
            lighter = max(float(small.mean()) - float(self._last.mean()), 0.0)
            change = lighter + _DARKER * float(cv2.absdiff(small, self._last).mean())
        self._last = small
        self._looked.append((frame.time, change))

    def finish(self, microphone: MicrophoneFeed) -> Calibration:
        """The offset at which changes of the picture and onsets of the sound fit best.

        Raises:
            AVSegError: there were no claps or flashes that stand out.
        """
        if self.seconds < 1.0:
            raise AVSegError("The camera delivered too little to calibrate; try again when it runs.")
        times, changes = np.array(self._looked.copy()).T  # [n] each; pictures that come from now on have no say
        start, stop = float(times[0]) - REACH, float(times[-1]) + REACH
        samples = microphone.window(stop, round((stop - start) * microphone.RATE))
        seen = _changes_on_grid(times, changes, float(times[0]), float(times[-1] - times[0]))
        return best_offset(seen, onsets(samples, microphone.RATE))


def onsets(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """samples [n] -> how suddenly it gets louder at every STEP, [n / (rate * STEP)]; steady sound gives 0."""
    hop = round(rate * STEP)
    power = np.square(samples[: len(samples) // hop * hop], dtype=np.float64).reshape(-1, hop).mean(axis=1)
    loudness = 10 * np.log10(power + 1e-8)
    sudden: NDArray[np.float64] = np.maximum(np.diff(loudness, prepend=loudness[:1]), 0.0) ** 2
    return sudden


def best_offset(seen: NDArray[np.float64], heard: NDArray[np.float64]) -> Calibration:
    """`seen` on STEPs, `heard` from REACH before to REACH after it -> where both fit best.

    Raises:
        AVSegError: no offset stands out.
    """
    fit = np.correlate(heard - heard.mean(), seen - seen.mean(), mode="valid")  # [2 REACH / STEP + 1]
    best = int(np.argmax(fit))
    spread = float(fit.std())
    contrast = float((fit[best] - np.median(fit)) / spread) if spread > 0 else 0.0
    if contrast < LEAST_CONTRAST:
        raise AVSegError("No clap or flash stood out; clap three times in view of the camera and near the microphone.")
    return Calibration((best + _vertex(fit, best)) * STEP - REACH, contrast)


def _changes_on_grid(
    times: NDArray[np.float64], changes: NDArray[np.float64], start: float, seconds: float
) -> NDArray[np.float64]:
    """Each change, spread over the time between the two pictures that show it, on STEPs from `start` on."""
    grid = start + (np.arange(round(seconds / STEP)) + 0.5) * STEP
    # What was seen first in picture k happened after picture k - 1.
    after = np.clip(np.searchsorted(times, grid), 0, len(times) - 1)
    strong: NDArray[np.float64] = np.maximum(changes - 3 * np.median(changes), 0.0)[after]
    return strong


def _vertex(fit: NDArray[np.float64], best: int) -> float:
    """Where between the samples the maximum lies, -0.5..0.5; the middle of a level top."""
    top = np.flatnonzero(fit >= 0.98 * fit[best])
    near = top[np.abs(top - best) < 0.05 / STEP]
    return float(near.mean() - best)
