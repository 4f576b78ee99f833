"""Short pieces of work off the GUI thread: one thread, one queue, answers back on the GUI thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from avseg_core.errors import AVSegError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Background(QObject):
    """Runs work in the order it was submitted. What the work needs is captured when it is submitted."""

    _answered = Signal(object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: queue.SimpleQueue[tuple[Callable[[], Any], Callable[..., Any], Callable[..., Any]] | None] = (
            queue.SimpleQueue()
        )
        self._answered.connect(self._deliver)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[AVSegError], object] = lambda error: None,
    ) -> None:
        """Calls `done` with the answer of `work`, or `failed` with its AVSegError."""
        self._tasks.put((work, done, failed))

    def _deliver(self, callback: Callable[[Any], object], value: object) -> None:
        callback(value)

    def close(self) -> None:
        """Lets the thread end after the piece it is at."""
        while not self._tasks.empty():
            self._tasks.get()
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, done, failed = task
            try:
                answer = work()
            except AVSegError as error:
                log.info("%s", error)
                self._tell(failed, error)
            except Exception as error:  # a fault of ours: said, logged, and the thread lives on
                log.exception("background work failed")
                self._tell(failed, AVSegError(f"Unexpected error: {error}"))
            else:
                self._tell(done, answer)

    def _tell(self, callback: Callable[..., Any], value: object) -> None:
        try:
            self._answered.emit(callback, value)
        except RuntimeError:
            log.info("the dialog that asked has gone")
