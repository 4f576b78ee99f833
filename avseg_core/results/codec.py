"""Window results as rows of the mask store: packed, and checked on the way back, since a store may be a stranger's."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.media.windows import Window
from avseg_core.results.result import WindowResult

COLUMNS = "id, start, stop, centre, frame_time, height, width, probability, labels, mixer, tags, loudness"
SUMMARY_COLUMNS = "id, start, stop, centre, histogram, loudness, tags"
Row = tuple[Any, ...]

_MAX_SIDE = 4096
_MAX_CHANNELS = 1 << 16
_LEVELS = 256


@dataclass(frozen=True)
class Summary:
    """What the scrub bar shows of one window; times in seconds."""

    index: int
    start: float
    stop: float
    frame_time: float
    area: float
    """Share of the frame that sounds, 0..1."""
    loudness: float
    tags: tuple[tuple[str, float], ...]


def to_row(result: WindowResult) -> Row:
    """The values of COLUMNS, then the packed histogram."""
    window, (height, width) = result.window, result.probability.shape
    times = (window.start, window.stop, window.frame_time, result.frame_time)
    labels = None if result.labels is None else _pack(result.labels)
    mixer = None if result.mixer_weights is None else _pack(result.mixer_weights.astype("<f2"))
    histogram = np.bincount(result.probability.ravel(), minlength=_LEVELS).astype("<u4")
    return (
        window.index,
        *map(float, times),
        height,
        width,
        _pack(result.probability),
        labels,
        mixer,
        json.dumps(result.tags),
        float(result.loudness),
        _pack(histogram),
    )


def from_row(row: Row) -> WindowResult:
    """The result that `to_row` packed.

    Raises:
        ValueError, TypeError, zlib.error: the row is not what `to_row` writes.
    """
    index, start, stop, centre, frame_time, height, width, probability, labels, mixer, tags, loudness = row
    if not (0 < height <= _MAX_SIDE and 0 < width <= _MAX_SIDE):
        raise ValueError("impossible mask size")
    pixels = height * width
    return WindowResult(
        window=Window(index, _number(start), _number(stop), _number(centre)),
        frame_time=_number(frame_time),
        probability=np.frombuffer(_unpack(probability, pixels), np.uint8).reshape(height, width),
        labels=None if labels is None else np.frombuffer(_unpack(labels, pixels), np.uint8).reshape(height, width),
        mixer_weights=None if mixer is None else _from_half(_unpack_up_to(mixer, 2 * _MAX_CHANNELS)),
        tags=_tags(tags),
        loudness=_number(loudness),
    )


def to_summary(row: Row, threshold: float) -> Summary:
    """What SUMMARY_COLUMNS say, with the area above `threshold`; raises as `from_row`."""
    index, start, stop, centre, histogram, loudness, tags = row
    area = area_above(histogram, threshold)
    return Summary(index, _number(start), _number(stop), _number(centre), area, _number(loudness), _tags(tags))


def to_moments(rows: list[Row]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of id and centre -> both as arrays [n]; raises as `from_row`."""
    return np.array([row[0] for row in rows], np.int64), np.array([_number(row[1]) for row in rows], np.float64)


def area_above(histogram: bytes, threshold: float) -> float:
    """Share of the pixels whose probability is above `threshold`, from a packed histogram; raises as `from_row`."""
    counts = np.frombuffer(_unpack(histogram, 4 * _LEVELS), "<u4").astype(np.int64)
    first = max(math.floor(255 * threshold) + 1, 0)
    return float(counts[first:].sum() / max(counts.sum(), 1))


def _pack(array: NDArray[Any]) -> bytes:
    return zlib.compress(np.ascontiguousarray(array).tobytes(), 6)


def _unpack(blob: object, size: int) -> bytes:
    """Exactly `size` bytes from `blob`."""
    data = _unpack_up_to(blob, size)
    if len(data) != size:
        raise ValueError("packed data of the wrong size")
    return data


def _unpack_up_to(blob: object, most: int) -> bytes:
    """What `_pack` packed, without ever unpacking more than `most` bytes."""
    if not isinstance(blob, bytes):
        raise TypeError("expected packed bytes")
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(blob, most + 1)
    if len(data) > most or not unpacker.eof or unpacker.unused_data:
        raise ValueError("packed data of the wrong size")
    return data


def _from_half(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, "<f2").astype(np.float32)


def _tags(text: str) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), _number(score)) for name, score in json.loads(text))


def _number(value: object) -> float:
    if not isinstance(value, float | int) or not math.isfinite(value):
        raise ValueError("expected a finite number")
    return float(value)
