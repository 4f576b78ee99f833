"""The ring of sound, the history of pictures and the level meter."""

import numpy as np
import pytest

from avseg_core.media.capture import CapturedFrame
from avseg_core.media.capture_ring import FLOOR_DBFS, FrameHistory, LevelMeter, SoundRing, loudness


def _frame(index: int, time: float) -> CapturedFrame:
    return CapturedFrame(index, time, time, np.zeros((2, 2, 3), np.uint8))


def test_ring_gives_back_what_was_put_in_over_many_turns() -> None:
    ring = SoundRing(rate=100, seconds=1.0)
    signal = np.arange(1, 1001, dtype=np.float32)
    for start in range(0, 1000, 37):
        ring.append(signal[start : start + 37])
    assert ring.end == 1000
    np.testing.assert_array_equal(ring.read(920, 60), signal[920:980])


def test_ring_is_silent_before_behind_and_in_gaps() -> None:
    ring = SoundRing(rate=100, seconds=1.0)
    ring.append(np.ones(50, np.float32))
    ring.skip(10)
    ring.append(np.full(20, 2, np.float32))
    expected = np.concatenate([np.ones(50), np.zeros(10), np.full(20, 2), np.zeros(20)])
    np.testing.assert_array_equal(ring.read(0, 100), expected)
    np.testing.assert_array_equal(ring.read(-5, 10), [0] * 5 + [1] * 5)
    ring.append(np.full(40, 3, np.float32))
    np.testing.assert_array_equal(ring.read(0, 25), [0] * 20 + [1] * 5)


def test_ring_takes_more_than_it_holds() -> None:
    ring = SoundRing(rate=10, seconds=1.0)
    ring.append(np.arange(25, dtype=np.float32))
    np.testing.assert_array_equal(ring.read(15, 10), np.arange(15, 25))
    ring.skip(1000)
    assert ring.end == 1025
    np.testing.assert_array_equal(ring.read(1015, 10), np.zeros(10))


def test_history_gives_the_newest_picture_that_is_old_enough() -> None:
    history = FrameHistory(seconds=0.5)
    for index in range(30):
        history.put(_frame(index, index * 0.1))
    newest, earlier = history.newest(), history.newest(2.75)
    assert newest is not None
    assert newest.index == 29
    assert earlier is not None
    assert earlier.index == 27
    assert history.newest(2.0) is None


def test_history_starts_anew_when_time_runs_back() -> None:
    history = FrameHistory()
    history.put(_frame(0, 100.0))
    history.put(_frame(1, 5.0))
    newest = history.newest()
    assert newest is not None
    assert newest.index == 1


def test_meter_shows_rms_falling_peak_and_clipping() -> None:
    meter = LevelMeter()
    tone = 0.5 * np.sin(2 * np.pi * np.arange(4800) / 48)[:, None].astype(np.float32)
    level = meter.update(tone, 0.0, 0.1)
    assert level.rms == pytest.approx(-9.03, abs=0.02)
    assert level.peak == pytest.approx(-6.02, abs=0.02)
    assert not level.clipping
    silence = np.zeros((4800, 1), np.float32)
    assert meter.update(silence, 0.1, 0.1).peak == pytest.approx(-8.02, abs=0.02)
    assert meter.update(np.ones((2, 1), np.float32), 0.2, 0.0).clipping
    assert meter.update(silence, 1.0, 0.1).clipping
    assert not meter.update(silence, 3.0, 0.1).clipping


def test_a_single_full_scale_sample_is_no_clipping() -> None:
    block = np.zeros((100, 1), np.float32)
    block[50] = 1.0
    assert not LevelMeter().update(block, 0.0, 0.01).clipping


def test_loudness_of_silence_is_the_floor() -> None:
    assert loudness(np.zeros(10, np.float32)) == FLOOR_DBFS
    assert loudness(np.ones(10, np.float32)) == 0.0
