"""Reading ahead: in order, bounded, errors come through, nothing keeps running."""

import threading
from collections.abc import Generator

import pytest

from avseg_core.errors import Cancelled, InputError
from avseg_core.inference.read_ahead import read_ahead


def test_items_come_in_order_from_another_thread() -> None:
    threads: set[str] = set()

    def count() -> Generator[int, None, None]:
        for number in range(50):
            threads.add(threading.current_thread().name)
            yield number

    assert list(read_ahead(count, depth=3)) == list(range(50))
    assert threads == {"read-ahead"}


def test_it_is_never_more_than_depth_ahead() -> None:
    made: list[int] = []
    turn = threading.Event()

    def count() -> Generator[int, None, None]:
        for number in range(20):
            made.append(number)
            if len(made) == 5:
                turn.set()
            yield number

    items = read_ahead(count, depth=3)
    assert next(items) == 0
    assert turn.wait(5)  # one taken, three waiting, one in hand
    assert len(made) == 5
    items.close()


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def fail() -> Generator[int, None, None]:
        yield 1
        raise InputError("broken here")

    items = read_ahead(fail, depth=2)
    assert next(items) == 1
    with pytest.raises(InputError, match="broken here"):
        next(items)


def test_closing_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = read_ahead(endless, depth=2)
    next(items)
    items.close()
    assert closed.is_set()
    assert "read-ahead" not in {thread.name for thread in threading.enumerate()}


def test_cancel_ends_it() -> None:
    def endless() -> Generator[int, None, None]:
        while True:
            yield 0

    taken: list[int] = []
    with pytest.raises(Cancelled):
        taken.extend(read_ahead(endless, depth=2, cancel=lambda: len(taken) == 3))
    assert len(taken) == 3
