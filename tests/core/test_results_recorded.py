"""Masks at irregular times hold around their own moment and say nothing about a pause."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avseg_core.media.windows import Window, place_at, regular_windows
from avseg_core.results.recorded import RecordedWindows, read_recorded
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore


def test_each_mask_holds_until_the_middle_to_the_next_one() -> None:
    windows = RecordedWindows(np.array([0, 1, 2, 3]), np.array([0.2, 0.3, 0.5, 3.0]))
    assert windows.spans[:, 0] == pytest.approx([-0.8, 0.25, 0.4, 2.0])
    assert windows.spans[:, 1] == pytest.approx([0.25, 0.4, 1.5, 4.0])
    expected = {0.0: 0, 0.26: 1, 0.41: 2, 1.49: 2, 1.51: None, 1.99: None, 2.01: 3, 4.1: None}
    assert {time: place_at(windows.spans, time) for time in expected} == expected


def test_a_mask_that_came_later_may_belong_earlier() -> None:
    windows = RecordedWindows(np.array([7, 8, 9]), np.array([1.0, 1.05, 1.03]))
    assert [windows.index_of(place) for place in range(len(windows))] == [7, 9, 8]
    assert [windows.place_of(index) for index in (7, 8, 9, 10)] == [0, 2, 1, None]
    assert np.all(np.diff(windows.spans[:, 0]) > 0)


@pytest.mark.parametrize(("duration", "rate"), [(10.0, 1.0), (9.3, 1.0), (0.1, 1.0), (7.77, 4.0)])
def test_regular_windows_leave_no_pause(duration: float, rate: float) -> None:
    windows = regular_windows(duration, rate)
    spans = windows.spans()
    assert spans.shape == (len(windows), 2)
    assert spans[0, 0] == 0
    assert spans[-1, 1] == pytest.approx(max(duration, spans[-1, 0]))
    assert np.array_equal(spans[1:, 0], spans[:-1, 1])
    for time in np.linspace(0, duration, 50, endpoint=False):
        assert place_at(spans, time) == windows.nearest(time).index


def test_a_store_tells_when_its_masks_hold(tmp_path: Path) -> None:
    header = RunHeader("v.mkv", "1", 9.0, 64, 48, Fraction(30), "m", "h", {"live": "ending"}, 2)
    path = tmp_path / "v.avseg"
    mask = np.zeros((3, 4), np.uint8)
    with MaskStore.create(path, header) as store:
        store.add(*(WindowResult(Window(k, at - 1, at, at), at, mask) for k, at in enumerate((2.0, 1.0))))
    recorded = read_recorded(path)
    assert (recorded.store, recorded.model) == (path, "m")
    assert [recorded.windows.index_of(place) for place in (0, 1)] == [1, 0]
    assert recorded.windows.spans == pytest.approx(np.array([[0.0, 1.5], [1.5, 3.0]]))
