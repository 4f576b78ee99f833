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
        self._taps = _filter(self.up, self.down)
        self._half = len(self._taps) // 2
        # Zeros in front put the centre of the filter on a multiple of `down`, where the polyphase grid begins.
        padding = -self._half % self.down
        self._padded = np.concatenate([np.zeros(padding, np.float32), self._taps])
        self._delay = (self._half + padding) // self.down

    def span(self, first: int, count: int) -> tuple[int, int]:
        """Input samples [begin, end) that outputs [first, first + count) are made from; `begin` lies on the grid."""
        reach = self._half // self.up + 1
        begin = (first // self.up) * self.down - reach
        begin -= begin % self.down
        end = (first + count) * self.down // self.up + reach + 1
        return begin, end

    def __call__(self, samples: Samples, begin: int, first: int, count: int) -> Samples:
        """Outputs [first, first + count) as [count, C]; `samples` [n, C] are the inputs from number `begin` on."""
        if self.up == self.down:
            return samples[first - begin : first - begin + count]
        from scipy import signal

        skipped = begin // self.down * self.up
        made = signal.upfirdn(self._padded, samples, self.up, self.down, axis=0)
        wanted: Samples = made[first - skipped + self._delay :][:count]
        return np.ascontiguousarray(wanted)


@functools.lru_cache(maxsize=8)
def _filter(up: int, down: int) -> Samples:
    """Kaiser-windowed sinc at `up` times the input rate with unity gain, of odd length."""
    if up == down:
        return np.ones(1, np.float32)
    from scipy import signal  # most of a second, which not everyone who imports this needs

    widest = max(up, down)
    half = _ZERO_CROSSINGS * widest
    taps = signal.firwin(2 * half + 1, _PASS_BAND / widest, window=("kaiser", _KAISER_BETA)) * up
    return np.asarray(taps, np.float32)
