"""Decoding ahead of the model: an iterator that runs in a thread of its own, a bounded number of items ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Generic, TypeVar

from avseg_core.progress import CancelCheck, check

T = TypeVar("T")
_POLL_SECONDS = 0.05


class _End:
    """Marks the end of the items, with the error that ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Producer(threading.Thread, Generic[T]):
    def __init__(self, make: Callable[[], Generator[T, None, None]], depth: int) -> None:
        super().__init__(name="read-ahead", daemon=True)
        self.items: queue.Queue[T | _End] = queue.Queue(depth)
        self.stopping = threading.Event()
        self._make = make

    def run(self) -> None:
        error: BaseException | None = None
        try:
            with closing(self._make()) as items:
                for item in items:
                    if not self._put(item):
                        return
        except BaseException as caught:
            error = caught
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        """False if nobody wants more."""
        while not self.stopping.is_set():
            try:
                self.items.put(item, timeout=_POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False


def read_ahead(
    make: Callable[[], Generator[T, None, None]], depth: int, cancel: CancelCheck | None = None
) -> Generator[T, None, None]:
    """Yields what `make()` yields; it is called, run and closed in a thread that is at most `depth` items ahead.

    An error there is raised here. The thread has ended when this iterator has, however it ends.

    Raises:
        Cancelled: `cancel` says so, also while the next item is waited for.
    """
    producer = _Producer(make, depth)
    producer.start()
    try:
        while True:
            check(cancel)
            try:
                item = producer.items.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        producer.stopping.set()
        producer.join()
