"""The same work on many things side by side, a thread each, with the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def in_lanes(
    function: Callable[[ItemT], ResultT], items: Iterable[ItemT], lanes: int
) -> Generator[ResultT, None, None]:
    """Yields `function(item)` for all `items` in order, `lanes` of them computed at once; without threads for one.

    At most one item more than there are lanes is taken ahead. An error, of `items` too, is raised where its result
    would have come: after those of the items before. No thread is left when the iterator ends, however it does.
    """
    if lanes == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(lanes, thread_name_prefix="lane") as pool:
        waiting: deque[Future[ResultT]] = deque()
        try:
            for future in _submitted(pool, function, items):
                waiting.append(future)
                if len(waiting) > lanes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _submitted(
    pool: ThreadPoolExecutor, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
) -> Iterator[Future[ResultT]]:
    """A future per item; an error of `items` becomes the last one."""
    try:
        for item in items:
            yield pool.submit(function, item)
    except Exception as error:
        failed: Future[ResultT] = Future()
        failed.set_exception(error)
        yield failed
