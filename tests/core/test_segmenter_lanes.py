"""Work side by side: results in order, few items taken ahead, errors in their place, no thread left behind."""

import threading
from collections.abc import Iterator

import pytest

from avseg_core.inference.lanes import in_lanes


def test_results_come_in_order_although_the_first_takes_longest() -> None:
    others_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert others_done.wait(10)
        elif item == 2:
            others_done.set()
        return item * item

    assert list(in_lanes(work, range(8), lanes=3)) == [item * item for item in range(8)]


@pytest.mark.parametrize("lanes", [1, 3])
def test_few_items_are_taken_ahead(lanes: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = in_lanes(abs, items(), lanes)
    next(results)
    assert len(taken) <= lanes + 1
    results.close()


def test_an_error_is_raised_where_its_result_would_have_come() -> None:
    results = in_lanes(lambda item: 1 // item, [1, 1, 0, 1], lanes=2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_one_lane_works_in_the_thread_that_asks() -> None:
    assert list(in_lanes(lambda _: threading.current_thread(), [0], lanes=1)) == [threading.current_thread()]


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    results = in_lanes(abs, range(100), lanes=2)
    next(results)
    results.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_what_was_taken_before_the_items_fail_is_still_yielded(lanes: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("the disk is gone")

    results = in_lanes(lambda item: item * item, items(), lanes)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)
