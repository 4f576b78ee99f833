"""Media time follows what is heard: the clocks under a clock of our own."""

import numpy as np
import pytest

from avseg_app.playback.clock import Chunk, MonotonicClock, SoundClock

RATE = 1000


class FakeTime:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def clock(time: FakeTime) -> SoundClock:
    return SoundClock(RATE, 2, time)


def chunk(media_time: float, seconds: float, speed: float = 1.0, level: float = 0.5) -> Chunk:
    return Chunk(media_time, np.full((round(seconds * RATE), 2), level, np.float32), speed)


def play(clock: SoundClock, frames: int, latency: float = 0.0) -> np.ndarray:
    """The card asks for `frames` samples that are heard `latency` seconds from now."""
    out = np.full((frames, 2), 9.0, np.float32)
    clock.fill(out, clock._now() + latency)
    return out


def test_monotonic_clock_runs_at_its_speed_and_holds(time: FakeTime) -> None:
    clock = MonotonicClock(time)
    clock.start(3.0, 2.0)
    time.now += 1.5
    assert clock.position() == 6.0
    clock.stop()
    time.now += 10
    assert clock.position() == 6.0


def test_position_is_what_leaves_the_loudspeaker(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(5.0)
    clock.push(chunk(5.0, 1.0), ticket)
    play(clock, 200, latency=0.1)
    assert clock.position() == 5.0, "nothing is heard before the latency has passed"
    time.now += 0.1
    assert clock.position() == pytest.approx(5.0)
    time.now += 0.15
    assert clock.position() == pytest.approx(5.15)


def test_a_far_loudspeaker_that_is_fed_in_small_blocks_keeps_the_clock_going(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(0.0)
    clock.push(chunk(0.0, 2.0), ticket)
    for _ in range(200):  # 5 ms each, heard half a second later: a hundred are on their way
        play(clock, 5, latency=0.5)
        time.now += 0.005
    assert clock.position() == pytest.approx(0.5)
    assert len(clock._spans) < 110, "what was heard is forgotten"


def test_a_starving_card_stops_the_clock(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(0.0)
    clock.push(chunk(0.0, 0.1), ticket)
    out = play(clock, 300)
    assert np.all(out[:100] != 9.0)
    assert not out[100:].any(), "silence where there is no sound to play"
    time.now += 0.3
    assert clock.position() == pytest.approx(0.1)
    clock.push(chunk(0.1, 0.2), ticket)
    play(clock, 100)
    time.now += 0.05
    assert clock.position() == pytest.approx(0.15)


def test_chunks_join_within_one_callback(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(0.0)
    clock.push(chunk(0.0, 0.05), ticket)
    clock.push(chunk(7.0, 0.05), ticket)
    play(clock, 100)
    time.now += 0.04
    assert clock.position() == pytest.approx(0.04)
    time.now += 0.03
    assert clock.position() == pytest.approx(7.02)


def test_speed_is_media_seconds_per_second_heard(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(2.0)
    clock.push(chunk(2.0, 0.4, speed=1.5), ticket)
    play(clock, 400)
    time.now += 0.2
    assert clock.position() == pytest.approx(2.3)


def test_what_was_queued_before_a_seek_is_never_heard(clock: SoundClock, time: FakeTime) -> None:
    old = clock.restart(0.0)
    clock.push(chunk(0.0, 1.0, level=0.1), old)
    play(clock, 100)
    new = clock.restart(50.0)
    clock.push(chunk(0.1, 1.0, level=0.1), old)
    clock.push(chunk(50.0, 1.0, level=0.7), new)
    assert clock.queued() == pytest.approx(1.0)
    assert np.allclose(play(clock, 100), 0.7)
    time.now += 0.02
    assert clock.position() == pytest.approx(50.02)


def test_pause_holds_the_position_and_gives_silence(clock: SoundClock, time: FakeTime) -> None:
    ticket = clock.restart(1.0)
    clock.push(chunk(1.0, 1.0), ticket)
    play(clock, 500)
    time.now += 0.2
    clock.stop()
    time.now += 5
    assert clock.position() == pytest.approx(1.2)
    assert not play(clock, 100).any()


def test_volume_changes_without_a_step(clock: SoundClock) -> None:
    ticket = clock.restart(0.0)
    clock.push(chunk(0.0, 1.0, level=1.0), ticket)
    clock.set_gain(0.0)
    out = play(clock, 100)[:, 0]
    assert out[0] == 1.0
    assert np.all(np.diff(out[:10]) < 0)
    assert np.abs(np.diff(out)).max() < 0.2
    assert not out[10:].any()
    assert not play(clock, 50).any()
