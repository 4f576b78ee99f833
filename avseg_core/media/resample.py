"""Sample rate conversion on a fixed grid: output sample m is the same whatever stretch is asked for."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_ZERO_CROSSINGS = 48
"""Of the windowed sinc to each side: transition band and cost both follow from it."""
_KAISER_BETA = 9.0
"""About 90 dB of stop-band attenuation."""
_PASS_BAND = 0.94
"""Cut-off as a part of the lower Nyquist frequency, so that the transition band ends close to it."""
_FINEST = 50_000
"""Finest grid, whose filter is so much longer; all rates up to it and all usual ones are met exactly."""


class Resampler:
    """Converts between two integer rates by a polyphase windowed sinc with linear phase.

    Sample 0 of input and output are the same moment. Output m is the inner product of the filter with the inputs around
    m * source / target, so any block of outputs can be made alone from `span` inputs. Odd rates that no device has are
    met to within 0.002 %, so that no file can ask for a filter of gigabytes.
    """

    def __init__(self, source: int, target: int) -> None:
        self.up, self.down = Fraction(target, source).limit_denominator(_FINEST).as_integer_ratio()
        taps = _filter(self.up, self.down)
        self._half = len(taps) // 2
        # Every `up`-th output has the same taps: those that meet an input among the zeros between them.
        centres = np.arange(self.up) * self.down
        self._starts = -((self._half - centres) // self.up)  # first input of outputs 0 to `up` - 1
        width = (len(taps) - 1) // self.up + 1
        place = (centres - self._starts * self.up + self._half)[:, None] - np.arange(width) * self.up
        self._phases = np.where(place >= 0, taps[np.maximum(place, 0)], np.float32(0.0))  # [up,width]

    def span(self, first: int, count: int) -> tuple[int, int]:
        """Input samples [begin, end) that outputs [first, first + count) are made from."""
        begin = first * self.down // self.up - self._half // self.up - 1
        end = (first + count) * self.down // self.up + self._half // self.up + 2
        return begin, end

    def __call__(self, samples: Samples, begin: int, first: int, count: int) -> Samples:
        """Outputs [first, first + count) as [count, C]; `samples` [n, C] are the inputs from number `begin` on."""
        if self.up == self.down:
            return samples[first - begin : first - begin + count]
        windows = np.lib.stride_tricks.sliding_window_view(np.ascontiguousarray(samples.T), self._phases.shape[1], 1)
        made = np.empty((count, samples.shape[1]), np.float32)
        for offset in range(min(self.up, count)):
            rounds, phase = divmod(first + offset, self.up)
            start = int(self._starts[phase]) + rounds * self.down - begin
            outputs = made[offset :: self.up]
            inputs = windows[:, start :: self.down][:, : len(outputs)]
            outputs[:] = np.einsum("cnk,k->nc", inputs, self._phases[phase])
        return made


@functools.lru_cache(maxsize=8)
def _filter(up: int, down: int) -> Samples:
    """Kaiser-windowed sinc at `up` times the input rate with unity gain, of odd length."""
    if up == down:
        return np.ones(1, np.float32)
    widest = max(up, down)
    half = _ZERO_CROSSINGS * widest
    taps = np.sinc(np.arange(-half, half + 1) * (_PASS_BAND / widest)) * np.kaiser(2 * half + 1, _KAISER_BETA)
    return np.asarray(taps * (up / taps.sum()), np.float32)
