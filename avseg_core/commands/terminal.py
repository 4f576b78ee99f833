"""What commands share in a terminal: one progress line, and Ctrl-C as a request to stop."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from avseg_core.progress import CancelCheck, Progress

_REDRAW_SECONDS = 0.2
_STEP = 0.1
_LINE_SECONDS = 1.0


class ProgressLine:
    """Progress with percentage and time left: one line that is redrawn, or without a terminal a line per tenth."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._phase = ""
        self._started = self._drawn = 0.0
        self._first = self._shown = 0.0

    def __call__(self, progress: Progress) -> None:
        """Takes one report."""
        now = time.monotonic()
        if progress.phase != self._phase:
            self.close()
            self._phase, self._started, self._first = progress.phase, now, progress.done
            self._drawn, self._shown = (0.0 if self._live else now), 0.0
        share = progress.done / progress.total if progress.total else 0.0
        if self._live:
            due = share >= 1 or now - self._drawn >= _REDRAW_SECONDS
        else:
            due = int(share / _STEP + 1e-9) > int(self._shown / _STEP + 1e-9)
            due &= share >= 1 or now - self._drawn >= _LINE_SECONDS
        if due:
            self._draw(progress, share, now)
            self._drawn, self._shown = now, share

    def close(self) -> None:
        """Ends the line that is being redrawn, if any."""
        if self._live and self._drawn:
            self._stream.write("\n")
            self._stream.flush()
        self._drawn = 0.0

    def _draw(self, progress: Progress, share: float, now: float) -> None:
        text = f"{self._title}: {progress.phase}"
        if progress.total:
            text += f" {100 * share:3.0f} %{self._left(progress, now)}"
        self._stream.write(f"\r{text}\x1b[K" if self._live else f"{text}\n")
        self._stream.flush()

    def _left(self, progress: Progress, now: float) -> str:
        """The time left at the speed so far."""
        done, left = progress.done - self._first, (progress.total or 0.0) - progress.done
        if done <= 0 or left <= 0:
            return ""
        seconds = round((now - self._started) / done * left)
        return f", {seconds // 60}:{seconds % 60:02d} left"


@contextmanager
def stoppable() -> Iterator[CancelCheck]:
    """Gives the question whether the user has pressed Ctrl-C (or the process was told to end).

    The first time is a request, so that files are closed properly; the second one ends the command at once.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(number, before[signal.Signals(number)])  # torchrun sends SIGTERM after the user's Ctrl-C

    for number in before:
        signal.signal(number, request)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
