"""Windows pair a second of sound with the frame at its centre."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from avseg_core.errors import InputError
from avseg_core.media.windows import Window, regular_windows, windows_at


def test_one_mask_per_second_pairs_as_the_benchmarks_do() -> None:
    windows = regular_windows(5.0)
    assert list(windows) == [Window(k, float(k), k + 1.0, k + 0.5) for k in range(5)]
    assert windows[-1] == windows[4]
    assert windows[1:3] == [windows[1], windows[2]]
    with pytest.raises(IndexError):
        windows[5]


@pytest.mark.parametrize(
    ("duration", "rate", "count"),
    [(0.0, 1, 1), (0.2, 1, 1), (1.4, 1, 1), (1.6, 1, 2), (10.01, 1, 10), (2.0, 4, 8), (1.0, 2.5, 2), (60.0, 0.5, 30)],
)
def test_every_centre_lies_in_the_clip(duration: float, rate: float, count: int) -> None:
    windows = regular_windows(duration, rate)
    assert len(windows) == count
    assert all(w.frame_time < duration for w in windows) or duration == 0
    assert all(w.stop - w.start == pytest.approx(1.0) for w in windows)


def test_other_rates_centre_a_second_on_each_frame() -> None:
    windows = regular_windows(2.0, 4)
    assert [w.frame_time for w in windows] == [0.125 + 0.25 * k for k in range(8)]
    assert windows[0].start == -0.375
    assert windows[3] == Window(3, 0.375, 1.375, 0.875)


def test_nearest_is_the_window_a_moment_falls_in() -> None:
    windows = regular_windows(4.0, 2)
    assert [windows.nearest(t).index for t in (-1.0, 0.0, 0.49, 0.5, 3.99, 100.0)] == [0, 0, 0, 1, 7, 7]


def test_a_day_costs_no_more_than_a_second() -> None:
    tracemalloc.start()
    windows = regular_windows(86400.0, 30)
    assert len(windows) == 86400 * 30
    assert windows[2_000_000].frame_time == pytest.approx(2_000_000.5 / 30)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    assert sys.getsizeof(windows) < 1000


def test_given_times_are_kept_exactly() -> None:
    assert windows_at([3.0, 0.25]) == [Window(0, 2.5, 3.5, 3.0), Window(1, -0.25, 0.75, 0.25)]
    assert windows_at([]) == []


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_times_and_rates_that_are_none(bad: float) -> None:
    with pytest.raises(InputError):
        windows_at([1.0, bad])
    with pytest.raises(InputError):
        regular_windows(5.0, bad)
