"""Log-mel front ends of the two audio encoders, VGGish and YAMNet, in NumPy.

Both see 16 kHz mono sound as 0.96 s examples of 96 frames x 64 mel bands: a periodic Hann window of 25 ms every 10 ms,
magnitude spectrum of a 512-point FFT, HTK mel bands from 125 to 7500 Hz, log(mel + offset). Only the offset differs.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FrontEnd = Literal["vggish", "yamnet"]

SAMPLE_RATE = 16000
EXAMPLE_FRAMES = 96
MEL_BANDS = 64
WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
FFT_SIZE = 512
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET: dict[str, float] = {"vggish": 0.01, "yamnet": 0.001}

EXAMPLE_STEP = EXAMPLE_FRAMES * HOP_SAMPLES
"""Samples from one example to the next (0.96 s)."""
EXAMPLE_SAMPLES = (EXAMPLE_FRAMES - 1) * HOP_SAMPLES + WINDOW_SAMPLES
"""Samples that one example reads (0.975 s)."""


def logmel(waveform: NDArray[np.floating], front_end: FrontEnd = "vggish") -> NDArray[np.float32]:
    """Mono sound [n] at 16 kHz, full scale 1 -> non-overlapping examples [k,96,64]; an incomplete tail is dropped.

    Example k covers the seconds [0.96 k, 0.96 k + 0.975), so k = floor((n - 15600) / 15360) + 1.
    """
    count = max(0, (len(waveform) - EXAMPLE_SAMPLES) // EXAMPLE_STEP + 1)
    starts = (index * EXAMPLE_STEP for index in range(count))
    examples = [_example(waveform[start : start + EXAMPLE_SAMPLES], front_end) for start in starts]
    return np.stack(examples) if examples else np.zeros((0, EXAMPLE_FRAMES, MEL_BANDS), np.float32)


def window_logmel(waveform: NDArray[np.floating], front_end: FrontEnd = "vggish") -> NDArray[np.float32]:
    """One second of sound [16000] at 16 kHz -> its one example [1,96,64]; what is missing at the end is silence."""
    samples = np.zeros(EXAMPLE_SAMPLES)
    heard = waveform[:EXAMPLE_SAMPLES]
    samples[: len(heard)] = heard
    return _example(samples, front_end)[None]


def _example(samples: NDArray[np.floating], front_end: FrontEnd) -> NDArray[np.float32]:
    """[15600] -> [96,64]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::HOP_SAMPLES]  # [96,400]
    spectrum = np.abs(np.fft.rfft(frames * _hann(), FFT_SIZE))  # [96,257]
    bins, weights = _mel_bands()
    # Not as a matrix product: the threads of NumPy's BLAS spin for a while after each, and that takes a core.
    mel = np.einsum("tmk,mk->tm", spectrum[:, bins], weights)  # [96,64]
    log_mel: NDArray[np.float64] = np.log(mel + LOG_OFFSET[front_end])
    return log_mel.astype(np.float32)


@cache
def _hann() -> NDArray[np.float64]:
    """Periodic Hann window [400]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)


@cache
def _mel_bands() -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Bins [64,K] and weights [64,K] of every band; K is that of the widest, and weights outside a band are zero."""
    matrix = _mel_matrix().T
    first = np.argmax(matrix > 0, axis=1)
    widest = int(np.count_nonzero(matrix, axis=1).max())
    bins = np.minimum(first, matrix.shape[1] - widest)[:, None] + np.arange(widest)
    return bins, np.take_along_axis(matrix, bins, axis=1)


def _mel_matrix() -> NDArray[np.float64]:
    """[257,64] triangles that are linear in mel = 1127 ln(1 + f/700); the DC row is zero."""
    bins = _hertz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1))[:, None]
    lowest, highest = _hertz_to_mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = np.linspace(float(lowest), float(highest), MEL_BANDS + 2)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    matrix = np.maximum(0.0, np.minimum((bins - lower) / (center - lower), (upper - bins) / (upper - center)))
    matrix[0] = 0.0
    return matrix


def _hertz_to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))
