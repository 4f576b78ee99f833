"""Frames for the canvas, decoded in a thread of their own: single ones on request, a few ahead while playing."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from avseg_core.errors import AVSegError
from avseg_core.media.video import Frame, VideoReader

MAX_SIDE = 4096
"""Frames with a longer side are shown smaller; masks and exports keep every pixel."""
_AHEAD_BYTES = 64 << 20
_AHEAD_FRAMES = 8
_LATE_SECONDS = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class DisplayFrame:
    """A frame ready to be painted; `pixels` [h,w,4] owns the memory that `image` shows."""

    index: int
    time: float
    image: QImage
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class _Wanted:
    """What the thread should be doing; replaced as a whole, never changed."""

    version: int = 0
    path: Path | None = None
    generation: int = 0
    show_time: float | None = None
    show_index: int | None = None
    play_from: float | None = None
    closing: bool = False


class FrameSource(QObject):
    """Reads one video at a time. Requests replace each other (newest wins); answers carry the generation of `open`."""

    opened = Signal(int, object)
    """generation, presentation times of all frames: float64 [n] seconds"""
    failed = Signal(int, str)
    shown = Signal(int, object)
    """generation, DisplayFrame: the answer to `show` and `show_index`"""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wake = threading.Condition()
        self._wanted = _Wanted()
        self._ahead: deque[DisplayFrame] = deque()
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def open(self, path: Path | None, generation: int) -> None:
        """Reads `path` from now on; None closes the file."""
        self._change(path=path, generation=generation, show_time=None, show_index=None, play_from=None)

    def show(self, time: float) -> None:
        """Asks for the frame on screen at `time` (s)."""
        self._change(show_time=time, show_index=None, play_from=None)

    def show_index(self, index: int) -> None:
        """Asks for frame number `index`."""
        self._change(show_time=None, show_index=index, play_from=None)

    def play(self, time: float) -> None:
        """Decodes ahead from `time` (s); fetch the frames with `take`."""
        self._due = time
        self._change(show_time=None, show_index=None, play_from=time)

    def stop(self) -> None:
        """Decodes nothing until asked again."""
        self._change(show_time=None, show_index=None, play_from=None)

    def take(self, time: float) -> DisplayFrame | None:
        """The newest decoded frame that is due at `time` (s); older ones are skipped. None if none is due yet."""
        frame = None
        with self._wake:
            self._due = time
            while self._ahead and self._ahead[0].time <= time:
                frame = self._ahead.popleft()
            self._wake.notify()
        return frame

    def close(self) -> None:
        """Ends the thread."""
        self._change(closing=True)
        self._thread.join(2.0)

    def _change(self, **changes: Any) -> None:
        with self._wake:
            self._wanted = replace(self._wanted, version=self._wanted.version + 1, **changes)
            self._ahead.clear()
            self._wake.notify()

    def _run(self) -> None:
        """The thread: follows what is wanted, one frame at a time."""
        reader: VideoReader | None = None
        stream: Iterator[Frame] | None = None
        done = _Wanted()
        while True:
            wanted = self._next(done, stream is not None)
            if wanted.closing:
                break
            try:
                if wanted.path != done.path or wanted.generation != done.generation:
                    reader = self._reopen(reader, wanted)
                if wanted.version != done.version:
                    stream = self._start(reader, wanted)
                elif stream is not None:
                    stream = self._advance(reader, stream, wanted)
            except AVSegError as error:
                log.info("%s", error)
                self.failed.emit(wanted.generation, str(error))
                stream = None
            except Exception as error:  # a fault of ours, or a file that has gone: the next video must be shown
                log.exception("decoding failed")
                self.failed.emit(wanted.generation, f"Unexpected error: {error}")
                stream = None
            done = wanted
        _close(reader)

    def _next(self, done: _Wanted, streaming: bool) -> _Wanted:
        """Waits until something else is wanted or, while streaming, one more frame."""
        with self._wake:
            while self._wanted.version == done.version and not (streaming and self._has_room()):
                self._wake.wait()
            return self._wanted

    def _has_room(self) -> bool:
        if not self._ahead:
            return True
        size = self._ahead[0].pixels.nbytes
        return len(self._ahead) < max(2, min(_AHEAD_FRAMES, _AHEAD_BYTES // size))

    def _reopen(self, reader: VideoReader | None, wanted: _Wanted) -> VideoReader | None:
        _close(reader)
        if wanted.path is None:
            return None
        reader = VideoReader(wanted.path)
        self.opened.emit(wanted.generation, reader.times)
        return reader

    def _start(self, reader: VideoReader | None, wanted: _Wanted) -> Iterator[Frame] | None:
        """Answers a single request, or begins to read ahead."""
        if reader is None:
            return None
        if wanted.play_from is not None:
            return reader.frames(wanted.play_from)
        if wanted.show_index is not None:
            frame = reader.frame_by_index(wanted.show_index)
        elif wanted.show_time is not None:
            frame = reader.frame_at(wanted.show_time)
        else:
            return None
        self.shown.emit(wanted.generation, display(frame))
        return None

    def _advance(self, reader: VideoReader | None, stream: Iterator[Frame], wanted: _Wanted) -> Iterator[Frame] | None:
        """Puts one more frame in the queue; far behind the clock it jumps there first."""
        frame = next(stream, None)
        if frame is not None and reader is not None and frame.time < self._due - _LATE_SECONDS:
            stream = reader.frames(self._due)
            frame = next(stream, None)
        if frame is None:
            return None
        ready = display(frame)
        with self._wake:
            if wanted is self._wanted:
                self._ahead.append(ready)
        return stream


def display(frame: Frame) -> DisplayFrame:
    """The frame in the layout that Qt paints fastest, at most MAX_SIDE long."""
    height, width = frame.image.shape[:2]
    image = frame.image
    scale = MAX_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA)
    height, width = pixels.shape[:2]
    picture = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    return DisplayFrame(frame.index, frame.time, picture, pixels)


def _close(reader: VideoReader | None) -> None:
    if reader is not None:
        with suppress(AVSegError):
            reader.close()
