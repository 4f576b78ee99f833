"""A camera kept alive: its newest pictures, and whether it is slow or frozen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from avseg_core.media.capture import CameraSource, CapturedFrame
from avseg_core.media.capture_feed import HEALTHY_SECONDS, Feed, StatusCallback
from avseg_core.media.capture_ring import FrameHistory

FrameListener = Callable[[CapturedFrame], None]


class CameraFeed(Feed[CameraSource, CapturedFrame]):
    """A camera whose newest pictures lie in `history`; `listeners` see every picture, in the camera's thread."""

    kind = "camera"

    def __init__(
        self,
        make: Callable[[], CameraSource],
        on_status: StatusCallback,
        *,
        history: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` gives a source that is not open yet; `history`: seconds of pictures that are kept."""
        super().__init__(make, on_status, clock)
        self.history = FrameHistory(history)
        self.listeners: list[FrameListener] = []
        self.frames = 0
        """Pictures that have come."""
        self.lost = 0
        """Pictures that the source itself left out."""
        self.mirror = False
        """Whether left and right are exchanged, for everybody who sees the pictures."""
        self._arrivals: deque[float] = deque(maxlen=512)
        self._promised = 30.0
        self._suspicious = False
        self._print: int = 0
        self._next_index = 0
        self._changed = clock()
        self._began = clock()

    @property
    def fps(self) -> float:
        """Pictures per second over the last two seconds."""
        now = self._clock()
        return sum(1 for arrival in list(self._arrivals) if now - arrival < 2.0) / 2.0

    def _begin(self, source: CameraSource) -> None:
        self._promised, self._suspicious = source.fps, source.is_live
        self._arrivals.clear()
        self._next_index = 0
        self._changed = self._began = self._clock()

    def _read(self, source: CameraSource) -> CapturedFrame | None:
        return source.read()

    def _take(self, frame: CapturedFrame) -> None:
        self._arrivals.append(self._last)
        # A real sensor has noise: a few hundred bytes are enough to tell whether the picture is new.
        fingerprint = hash(frame.image[::37, ::41].tobytes())
        if fingerprint != self._print:
            self._print, self._changed = fingerprint, self._last
        if self._next_index:  # what a source skips before its first picture nobody has missed
            self.lost += max(frame.index - self._next_index, 0)
        self._next_index = frame.index + 1
        image = np.asarray(cv2.flip(frame.image, 1), np.uint8) if self.mirror else frame.image
        frame = replace(frame, index=self.frames, image=image)
        self.frames += 1
        self.history.put(frame)
        for listener in self.listeners:
            listener(frame)

    def _warnings(self) -> tuple[str, ...]:
        now = self._clock()
        found: list[str] = []
        if now - self._began > HEALTHY_SECONDS and self.fps < 0.5 * self._promised:
            found.append("slow")
        if self._suspicious and now - self._changed > HEALTHY_SECONDS:
            found.append("frozen")
        return tuple(found)
