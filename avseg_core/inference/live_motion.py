"""Masks that keep up with the picture: moved by optical flow, smoothed along it, edges drawn to its edges."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.inference.refine import apply, linear_functions
from avseg_core.media.capture import CapturedFrame

SMALL = (160, 120)
"""Width and height of the small pictures that flow and edges are computed on, whatever the picture's shape."""
SHOWN = (320, 240)
"""Width and height of a refined mask."""
CUT = 35.0
"""Mean grey difference after moving beyond which two pictures do not show the same scene."""
STILL = 0.5
"""Mean grey difference below which nothing has moved."""
MEMORY = 60
"""Pictures for which the flow is remembered; a mask of an older one is not moved any more."""
RADIUS = 8
"""Reach of the guided filter in small pixels."""
Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]


def small_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[H,W,3] RGB -> [120,160,3]."""
    return np.asarray(cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA), np.uint8)


def grey_of(small: NDArray[np.uint8]) -> Grey:
    """[h,w,3] RGB -> [h,w]."""
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


class FlowField:
    """Optical flow between two small grey pictures. Not for several threads at a time."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(1)

    def between(self, before: Grey, after: Grey) -> Flow | None:
        """From each pixel of `after` to where it was in `before`, [h,w,2]; None if the two are of different scenes."""
        nothing = np.zeros((*after.shape, 2), np.float32)
        unmoved = float(cv2.absdiff(before, after).mean())
        if unmoved < STILL:
            return nothing
        flow = np.asarray(self._flow.calc(after, before, nothing.copy()), np.float32)
        error = float(cv2.absdiff(look_up(before, flow), after).mean())
        if min(error, unmoved) > CUT:
            return None
        return flow if error < unmoved else nothing


def look_up(values: NDArray[np.uint8], flow: Flow) -> NDArray[np.uint8]:
    """values [h,w] read at each pixel's position plus its flow [a,b,2], which is brought to their size."""
    height, width = values.shape
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return np.asarray(
        _remap(values, cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR) * scale), np.uint8
    )


class MaskSmoother:
    """Exponential smoothing of masks over time, along the motion of the picture."""

    def __init__(self) -> None:
        self._flow = FlowField()
        self._last: tuple[NDArray[np.uint8], Grey, float] | None = None

    def __call__(self, probability: NDArray[np.uint8], grey: Grey, time: float, constant: float) -> NDArray[np.uint8]:
        """The smoothed `probability` [h,w] at `time`; `constant`: seconds after which 63 % of a change is through."""
        if self._last is not None and constant > 0 and self._last[0].shape == probability.shape:
            last, before, when = self._last
            flow = self._flow.between(before, grey)
            if flow is not None:
                keep = math.exp(-max(time - when, 0.0) / constant)
                mixed = cv2.addWeighted(probability, 1 - keep, look_up(last, flow), keep, 0)
                probability = np.asarray(mixed, np.uint8)
        self._last = (probability, grey, time)
        return probability


@dataclass
class _Step:
    """One picture and the way back to the one before it; None after a cut."""

    index: int
    back: Flow | None


class MaskFollower:
    """Lays masks of earlier pictures onto the picture that is shown now. For one thread: the camera's."""

    def __init__(self) -> None:
        self._flow = FlowField()
        self._steps: deque[_Step] = deque(maxlen=MEMORY)
        self._picture: NDArray[np.uint8] | None = None
        self._grey: Grey | None = None
        self._chain: tuple[int, int, Flow] | None = None  # from picture, to picture, the way back

    def see(self, frame: CapturedFrame) -> None:
        """Takes in the picture that is shown next."""
        small = small_picture(frame.image)
        grey = grey_of(small)
        back = None if self._grey is None else self._flow.between(self._grey, grey)
        self._steps.append(_Step(frame.index, back))
        self._picture, self._grey = frame.image, grey

    def lay(self, probability: NDArray[np.uint8], frame_index: int, *, refine: bool = True) -> NDArray[np.uint8] | None:
        """`probability` [h,w] of the picture `frame_index` as it lies on the picture seen last.

        Refined it is [240,320]. None if there was a cut since, or the picture is too long ago: the mask means nothing.
        """
        way = self._way_back(frame_index)
        if way is None or self._picture is None:
            return None
        moved = look_up(probability, way)
        return refined(moved, self._picture) if refine else moved

    def _way_back(self, frame_index: int) -> Flow | None:
        """From each pixel of the last picture to where it was in `frame_index`: all steps in between, chained."""
        if not self._steps or not self._steps[0].index - 1 <= frame_index <= self._steps[-1].index:
            return None
        chain = self._chain
        if chain is None or chain[0] != frame_index:
            chain = (frame_index, frame_index, np.zeros((SMALL[1], SMALL[0], 2), np.float32))
        start, reached, way = chain
        for step in self._steps:
            if step.index <= reached:
                continue
            if step.back is None:
                return None
            way = step.back + _remap(way, step.back)
            reached = step.index
        self._chain = (start, reached, way)
        return way


def refined(mask: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask [h,w] with its edges drawn to the edges of the picture [H,W,3], [240,320].

    `refine.refine` for any size of picture, with functions found at a quarter of the size at which they are applied.
    """
    guide = small_picture(image).astype(np.float32) / np.float32(255)  # [h,w,3]
    values = np.asarray(cv2.resize(mask, SMALL, interpolation=cv2.INTER_AREA), np.float32)
    slopes, offset = linear_functions(guide, values, RADIUS)
    shown = np.asarray(cv2.resize(image, SHOWN, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    return np.asarray(np.clip(apply(slopes, offset, shown), 0, 255), np.uint8)


def _remap(values: NDArray[Any], flow: Flow) -> NDArray[Any]:
    """values [h,w] or [h,w,c] read at each pixel's position plus its flow [h,w,2]."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
