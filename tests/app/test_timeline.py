"""The timeline shows what is known, and goes where it is told."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from avseg_app import theme
from avseg_app.workspace.envelope import BUCKETS, EnvelopeReader
from avseg_app.workspace.timecode import timecode
from avseg_app.workspace.timeline import Timeline, TimelineData
from avseg_core.media.windows import regular_windows
from tests.app.conftest import grab

NAN = float("nan")
DATA = TimelineData(
    duration=10.0,
    spans=regular_windows(10.0, 1.0).spans(),
    area=np.array([0.5, 0.1, 0.0, NAN, NAN, 0.02, 0.3, NAN, NAN, NAN], np.float32),
    tags=("Dog", "Dog", "", "", "", "Bird", "Bird", "", "", ""),
    peaks=np.linspace(0, 1, 500, dtype=np.float32),
)


@pytest.fixture
def timeline(qtbot: QtBot) -> Timeline:
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(1000, made.sizeHint().height())
    made.set_data(DATA)
    return made


def place(timeline: Timeline, time: float) -> int:
    """The horizontal pixel of a time."""
    return round(timeline._x(time))


def bar_height(timeline: Timeline, time: float) -> int:
    """Pixels of the bar's colour above a time."""
    color = QColor(theme.current().color("bar"))
    column = grab(timeline)[:, place(timeline, time)].astype(int)
    return int(np.all(np.abs(column - [color.red(), color.green(), color.blue()]) < 8, axis=1).sum())


def test_bars_grow_with_the_sounding_area(timeline: Timeline) -> None:
    heights = [bar_height(timeline, time) for time in (0.5, 6.5, 1.5, 5.5)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > 40
    assert heights[-1] >= 2
    assert bar_height(timeline, 2.5) == 0, "segmented, and nothing sounds"
    assert bar_height(timeline, 3.5) == 0, "not segmented"


def test_what_is_not_segmented_looks_different_from_silence(timeline: Timeline) -> None:
    picture, lane = grab(timeline), timeline._lanes().area
    rows = slice(int(lane.top()) + 2, int(lane.bottom()) - 2)
    silent = picture[rows, place(timeline, 2.1) : place(timeline, 2.9)]
    missing = picture[rows, place(timeline, 3.1) : place(timeline, 3.9)]
    assert len(np.unique(silent.reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(missing.reshape(-1, 3), axis=0)) > 1, "hatched, not told by colour alone"


def test_click_and_drag_seek(timeline: Timeline, qtbot: QtBot) -> None:
    asked: list[float] = []
    timeline.seek_requested.connect(asked.append)
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(place(timeline, 4.0), 40))
    assert asked[-1] == pytest.approx(4.0, abs=0.02)
    assert timeline.time_at(-500) == 0.0
    assert timeline.time_at(5000) == 10.0


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Right, 6.0),
        (Qt.Key.Key_Left, 4.0),
        (Qt.Key.Key_PageUp, 10.0),
        (Qt.Key.Key_PageDown, 0.0),
        (Qt.Key.Key_Home, 0.0),
        (Qt.Key.Key_End, 10.0),
    ],
)
def test_keys_seek(timeline: Timeline, qtbot: QtBot, key: Qt.Key, expected: float) -> None:
    timeline.set_position(5.0)
    with qtbot.waitSignal(timeline.seek_requested) as asked:
        qtbot.keyClick(timeline, key)
    assert asked.args[0] == expected


def test_the_playhead_moves(timeline: Timeline) -> None:
    before = grab(timeline)
    timeline.set_position(7.5)
    changed = np.flatnonzero((grab(timeline) != before).any(axis=(0, 2)))
    assert set(changed) <= set(range(place(timeline, 0) - 8, place(timeline, 0) + 9)) | set(
        range(place(timeline, 7.5) - 8, place(timeline, 7.5) + 9)
    )
    assert place(timeline, 7.5) in changed


def test_a_day_at_eight_masks_per_second_is_drawn(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(900, timeline.sizeHint().height())
    count = 8 * 86400
    area = np.full(count, 0.2, np.float32)
    timeline.set_data(TimelineData(86400.0, regular_windows(86400.0, 8.0).spans(), area, ("",) * count))
    assert bar_height(timeline, 43200.0) > 10


def test_masks_at_irregular_times_are_drawn_where_they_hold(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(1000, timeline.sizeHint().height())
    spans = np.array([[-0.3, 2.0], [2.0, 3.5], [7.0, 10.4]])
    timeline.set_data(TimelineData(10.0, spans, np.array([0.5, 0.0, 0.1], np.float32), ("Dog", "", "Bird")))
    assert bar_height(timeline, 0.1) > bar_height(timeline, 9.9) > 2
    assert bar_height(timeline, 3.0) == 0
    rows = slice(int(timeline._lanes().area.top()) + 2, int(timeline._lanes().area.bottom()) - 2)
    pause = grab(timeline)[rows, place(timeline, 4.0) : place(timeline, 6.5)]
    assert len(np.unique(pause.reshape(-1, 3), axis=0)) > 1, "hatched: no mask was made"
    assert "Bird" in timeline._hint(8.0)
    assert "no mask" in timeline._hint(5.0)


def test_empty_timeline(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(500, timeline.sizeHint().height())
    grab(timeline)
    assert timeline.time_at(300) == 0.0


def test_envelope_is_the_loudness_over_time(clip) -> None:
    reader = EnvelopeReader(clip, 8.0)
    peaks, done = reader.advance()
    assert done
    assert len(peaks) == BUCKETS
    assert peaks[: BUCKETS // 2 - 20].min() > 0.4, "a tone of amplitude .5 in the first half"
    assert not peaks[BUCKETS // 2 + 20 :].any(), "and nothing where the file has ended"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00.000"), (3.12, "00:03.120"), (59.9999, "00:59.999"), (61.5, "01:01.500"), (3723.25, "1:02:03.250")],
)
def test_timecode(seconds: float, text: str) -> None:
    assert timecode(seconds) == text
