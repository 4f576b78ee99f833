"""The loudness of a whole sound track as a fixed number of peaks, read piece by piece at constant memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avseg_core.media.audio import AudioReader

BUCKETS = 2400
_RATE = 16000
_PIECE_SECONDS = 15.0


class EnvelopeReader:
    """Fills `BUCKETS` peaks over `duration` seconds; `advance` reads the next piece and is meant for a thread."""

    def __init__(self, path: Path, duration: float) -> None:
        self._path, self._duration = path, duration
        self._reader: AudioReader | None = None
        self._peaks = np.zeros(BUCKETS, np.float32)
        self._time = 0.0

    def advance(self) -> tuple[NDArray[np.float32], bool]:
        """Reads on; returns all peaks so far, [BUCKETS] from 0 to 1, and whether that was the end."""
        if self._reader is None:
            self._reader = AudioReader(self._path, rate=_RATE, channels=1)
        length = min(_PIECE_SECONDS, self._duration - self._time)
        if length * _RATE >= 1:
            samples = np.abs(self._reader.read(self._time, length).reshape(-1))
            times = self._time + np.arange(len(samples)) / _RATE
            buckets = np.minimum((times / self._duration * BUCKETS).astype(np.int64), BUCKETS - 1)
            np.maximum.at(self._peaks, buckets, np.minimum(samples, 1.0))
        self._time += length
        done = self._duration - self._time < 1 / _RATE
        if done:
            self._reader.close()
        return self._peaks.copy(), done
