"""From the model's grid back to the video's own pixels: the exact inverse of the resize before the model.

The model sees the whole frame resized to its input size with an antialiased triangle filter on pixel centres
(align_corners=False), as PIL and torchvision do. Back in the video, output pixel x lies at (x + 0.5) * w / W - 0.5 of
the model's grid. Enlarging uses the cubic convolution kernel with a = -1: of the usual kernels it puts the 0.5 crossing
of a filtered edge nearest to the true edge (off by 0.013 model pixels at the most, bilinear by 0.073), which is what
keeps the edges of an 8K mask within one pixel. Its overshoot is cut off, so that no threshold sees what the model did
not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-3
"""Far above the rounding of float32 sums, far below one level."""
_ROWS = 512
"""Rows that are enlarged at a time, so that an 8K mask needs no 8K float array."""


def upscale(probability: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Maps probability [h,w] (255 * p) to the video's grid, [height,width] uint8."""
    result = np.empty((height, width), np.uint8)
    for rows, block in _blocks(probability, height, width):
        result[rows] = np.clip(np.rint(block), 0, 255)
    return result


def binary(probability: NDArray[np.uint8], size: tuple[int, int], threshold: float) -> NDArray[np.bool_]:
    """Mask of the video's `size` (height, width): True where the probability is above `threshold` (strictly)."""
    result = np.empty(size, np.bool_)
    for rows, block in _blocks(probability, *size):
        np.greater(block, 255 * threshold + _ROUNDING, out=result[rows])
    return result


def upscale_labels(labels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Maps class indices [h,w] to the video's grid: each output pixel takes the model pixel it lies in."""
    rows = _nearest(height, labels.shape[0])
    columns = _nearest(width, labels.shape[1])
    return labels[rows[:, None], columns]


def _blocks(probability: NDArray[np.uint8], height: int, width: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The resized map in float32, a block of rows at a time, with the rows it stands for."""
    tall = _resize_columns(probability.astype(np.float32), height)  # [height,w]
    for top in range(0, height, _ROWS):
        rows = slice(top, min(top + _ROWS, height))
        yield rows, _resize_columns(tall[rows].T, width).T


def _resize_columns(source: NDArray[np.float32], target: int) -> NDArray[np.float32]:
    """Resizes the first axis of source [n,m] to [target,m]; enlarging never leaves the range of the two neighbours."""
    result = np.asarray(resize_matrix(target, len(source)) @ source, np.float32)
    if target > len(source):
        neighbours = np.pad(source, ((1, 1), (0, 0)), mode="edge")
        cell = np.floor(_positions(target, len(source))).astype(np.int64) + 1  # [target], before which neighbour
        low = np.minimum(neighbours[:-1], neighbours[1:])
        high = np.maximum(neighbours[:-1], neighbours[1:])
        np.maximum(result, low[cell], out=result)
        np.minimum(result, high[cell], out=result)
    return result


@lru_cache(maxsize=16)
def resize_matrix(target: int, source: int) -> NDArray[np.float32]:
    """Weights [target,source] of resizing one axis; each row sums to one, pixels past the border repeat the border."""
    positions = _positions(target, source)
    stretch = max(source / target, 1.0)
    reach = 2 if stretch == 1.0 else int(np.ceil(stretch)) + 1
    taps = np.floor(positions)[:, None].astype(np.int64) + np.arange(-reach, reach + 1)  # [target,taps]
    distance = np.abs(positions[:, None] - taps)
    weights = _cubic(distance) if stretch == 1.0 else np.maximum(1 - distance / stretch, 0)
    matrix = np.zeros((target, source))
    np.add.at(matrix, (np.arange(target)[:, None], np.clip(taps, 0, source - 1)), weights)
    matrix /= matrix.sum(axis=1, keepdims=True)
    result = matrix.astype(np.float32)
    result.setflags(write=False)
    return result


def _positions(target: int, source: int) -> NDArray[np.float64]:
    """Where the centres of the target's pixels lie on the source, [target] in source pixels."""
    return (np.arange(target) + 0.5) * source / target - 0.5


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution (Keys 1981) with a = -1 at absolute distances in pixels."""
    near = distance**3 - 2 * distance**2 + 1
    far = -(distance**3) + 5 * distance**2 - 8 * distance + 4
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _nearest(target: int, source: int) -> NDArray[np.int64]:
    """For each output pixel the source pixel its centre lies in, [target]."""
    return ((2 * np.arange(target, dtype=np.int64) + 1) * source) // (2 * target)
