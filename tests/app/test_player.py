"""The player without a window: it shows exactly the frame that belongs to its position."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from avseg_app.playback.player import Player
from avseg_app.workers.decode_thread import MAX_SIDE, DisplayFrame, display
from avseg_core.media.video import Frame, VideoReader
from tests.media_fixtures import read_number


def shown_number(frame: DisplayFrame) -> int:
    """The number in the picture itself."""
    return read_number(np.ascontiguousarray(frame.pixels[..., 2::-1]))


@pytest.fixture
def player(qtbot: QtBot, clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Player]:
    """The clip open at its start, without a sound device."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    made = Player()
    with VideoReader(clip) as reader:
        made.load(reader.info)
    qtbot.waitUntil(lambda: made.frame is not None, timeout=10_000)
    yield made
    made.close()


def test_what_goes_wrong_with_one_video_does_not_stop_the_next(
    player: Player, qtbot: QtBot, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("Container is not open")  # what PyAV says of a file that went with its disk

    with monkeypatch.context() as patch:
        patch.setattr(VideoReader, "frame_by_index", broken)
        with qtbot.waitSignal(player.failed, timeout=10_000):
            player.step(1)
    with VideoReader(clip) as reader:
        player.load(reader.info)
    qtbot.waitUntil(lambda: player.frame is not None, timeout=10_000)


def test_opens_on_the_first_frame(player: Player) -> None:
    assert player.frame.index == 0
    assert shown_number(player.frame) == 0
    assert not player.playing


def test_seeking_shows_the_frame_on_screen_at_that_time(player: Player, qtbot: QtBot) -> None:
    for seconds, number in ((1.0, 25), (3.99, 99), (0.079, 1), (2.5, 62)):
        player.seek(seconds)
        qtbot.waitUntil(lambda number=number: player.frame.index == number)
        assert shown_number(player.frame) == number
        assert player.position == seconds


def test_stepping_goes_frame_by_frame_and_stops_at_the_ends(player: Player, qtbot: QtBot) -> None:
    for number in (1, 2, 3):
        player.step(1)
        qtbot.waitUntil(lambda number=number: player.frame.index == number)
        assert shown_number(player.frame) == number
        assert player.position == pytest.approx(number / 25)
    player.step(-1)
    qtbot.waitUntil(lambda: player.frame.index == 2)
    player.step(-50)
    qtbot.waitUntil(lambda: player.frame.index == 0)
    player.step(1000)
    qtbot.waitUntil(lambda: player.frame.index == 99)
    assert shown_number(player.frame) == 99


def test_playing_shows_frames_in_order_and_in_time(player: Player, qtbot: QtBot) -> None:
    seen: list[tuple[int, int, float]] = []
    player.frame_shown.connect(lambda frame: seen.append((frame.index, shown_number(frame), player.position)))
    player.play()
    qtbot.waitUntil(lambda: player.position > 1.2, timeout=10_000)
    player.pause()
    indices = [index for index, _, _ in seen]
    assert indices == sorted(set(indices))
    assert [number for _, number, _ in seen] == indices
    assert all(position >= index / 25 - 1e-6 for index, _, position in seen), "no frame before its time"
    assert indices[-1] >= 25


def test_the_newest_of_many_seeks_wins(player: Player, qtbot: QtBot) -> None:
    for step in range(90):
        player.seek(step / 25)
    qtbot.waitUntil(lambda: player.frame.index == 89)
    qtbot.wait(50)
    assert player.frame.index == 89


def test_at_the_end_it_stops_and_the_next_play_starts_over(player: Player, qtbot: QtBot) -> None:
    player.seek(3.7)
    with qtbot.waitSignal(player.playing_changed, timeout=5_000):
        player.play()
    with qtbot.waitSignal(player.playing_changed, timeout=5_000):
        pass
    assert not player.playing
    assert player.position == player.duration
    player.play()
    assert player.position < 0.2
    player.pause()


def test_in_a_loop_it_goes_on_at_the_start(player: Player, qtbot: QtBot) -> None:
    player.loop = True
    player.seek(3.8)
    player.play()
    qtbot.waitUntil(lambda: player.position < 1.0, timeout=5_000)
    assert player.playing


def test_double_speed(player: Player, qtbot: QtBot) -> None:
    ticks: list[tuple[float, float]] = []
    player.position_changed.connect(lambda position: ticks.append((time.monotonic(), position)))
    player.set_speed(2.0)
    player.play()
    qtbot.waitUntil(lambda: player.position > 1.5, timeout=10_000)
    player.pause()
    (began, first), (ended, last) = ticks[0], ticks[-1]
    assert (last - first) / (ended - began) == pytest.approx(2.0, rel=0.05)


def test_late_frames_are_skipped(player: Player, qtbot: QtBot) -> None:
    source = player.frames
    source.play(0.0)
    qtbot.waitUntil(lambda: len(source._ahead) >= 2)
    assert source.take(0.0).index == 0
    source.take(3.0)
    qtbot.waitUntil(lambda: len(source._ahead) > 0 and source._ahead[0].index >= 74, timeout=5_000)
    late = source.take(3.0)
    assert late is not None
    assert late.index == 75


def test_a_huge_frame_is_shown_smaller() -> None:
    frame = display(Frame(0, 0.0, np.full((4320, 7680, 3), 77, np.uint8)))
    assert max(frame.image.width(), frame.image.height()) == MAX_SIDE
    assert frame.image.width() / frame.image.height() == pytest.approx(7680 / 4320, rel=1e-3)
    assert frame.image.pixelColor(10, 10).red() == 77


def test_one_pixel_is_enough() -> None:
    frame = display(Frame(0, 0.0, np.array([[[1, 2, 3]]], np.uint8)))
    color = frame.image.pixelColor(0, 0)
    assert (color.red(), color.green(), color.blue()) == (1, 2, 3)
