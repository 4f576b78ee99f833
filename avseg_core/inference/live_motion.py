"""Masks that move with the picture: optical flow between inferences, and smoothing along it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

FLOW_SIZE = (160, 120)
"""Width and height of the grey pictures that the flow is computed on."""
CUT = 35.0
"""Mean grey difference after moving beyond which two pictures do not show the same scene."""


def small_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[H,W,3] RGB -> [120,160] grey."""
    small = cv2.resize(image, FLOW_SIZE, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


class MaskMover:
    """Moves maps from one picture to a later one. Not for several threads at a time."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def move(
        self, values: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], bool]:
        """`values` [h,w] of the picture `before` as they lie in the picture `after` (both from `small_grey`).

        The second answer is False if the pictures have nothing in common (a cut); then the values are as they were.
        """
        if before is after:
            return values, True
        still = float(cv2.absdiff(before, after).mean())
        if still < 0.5:
            return values, True
        start = np.zeros((*after.shape, 2), np.float32)
        # [120,160,2]: from each pixel of `after` to where it was
        flow = np.asarray(self._flow.calc(after, before, start), np.float32)
        moved = _look_up(before, flow)
        error = float(cv2.absdiff(moved, after).mean())
        if error > min(still, CUT):
            return values, still <= CUT
        return _look_up(values, flow), True


class MaskSmoother:
    """Exponential smoothing of masks over time, along the motion of the picture."""

    def __init__(self) -> None:
        self._mover = MaskMover()
        self._last: tuple[NDArray[np.uint8], NDArray[np.uint8], float] | None = None

    def __call__(
        self, probability: NDArray[np.uint8], grey: NDArray[np.uint8], time: float, constant: float
    ) -> NDArray[np.uint8]:
        """The smoothed `probability` [h,w] at `time`; `constant`: seconds after which 63 % of a change is through."""
        last = self._last
        if last is not None and constant > 0 and last[0].shape == probability.shape:
            moved, same_scene = self._mover.move(last[0], last[1], grey)
            keep = math.exp(-max(time - last[2], 0.0) / constant) if same_scene else 0.0
            probability = cv2.addWeighted(probability, 1 - keep, moved, keep, 0).astype(np.uint8, copy=False)
        self._last = (probability, grey, time)
        return probability


def _look_up(values: NDArray[np.uint8], flow: NDArray[np.float32]) -> NDArray[np.uint8]:
    """values [h,w] read at each pixel's position plus its flow, the flow brought to their size."""
    height, width = values.shape
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    field = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR) * scale
    field += np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    x, y = np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])
    moved = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
