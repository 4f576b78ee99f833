"""A device is opened, watched, given up, tried again and taken back; the sound stays on its clock through all of it."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.media.capture import CapturedFrame, DeviceState, DeviceStatus, SoundBlock, SourceError
from avseg_core.media.capture_camera_feed import CameraFeed
from avseg_core.media.capture_feed import ABANDON_SECONDS, STALL_SECONDS, START_SECONDS
from avseg_core.media.capture_microphone_feed import MicrophoneFeed
from avseg_core.media.capture_test_source import TestMicrophone, TestScene
from tests.live_fixtures import ScriptedSource, running, wait_for

OPENING, RUNNING, STALLED = DeviceState.OPENING, DeviceState.RUNNING, DeviceState.STALLED
LOST, ENDED, STOPPED = DeviceState.LOST, DeviceState.ENDED, DeviceState.STOPPED


def _picture(value: int = 0) -> CapturedFrame:
    time.sleep(0.005)
    return CapturedFrame(0, time.monotonic(), time.monotonic(), np.full((60, 80, 3), value, np.uint8))


def _noise() -> CapturedFrame:
    return _picture(int(time.monotonic_ns() // 1000 % 251))


def _failing_after(count: int, error: SourceError) -> Callable[[], CapturedFrame]:
    left = itertools.count(count, -1)

    def read() -> CapturedFrame:
        if next(left) <= 0:
            raise error
        return _noise()

    return read


def test_a_lost_camera_is_taken_back() -> None:
    gone = SourceError("unplugged", "The camera has been disconnected.")
    sources = iter(
        [
            ScriptedSource(_failing_after(5, gone)),
            ScriptedSource(_noise, refuse=SourceError("missing", "The camera is not connected.")),
            ScriptedSource(_noise),
        ]
    )
    seen: list[DeviceStatus] = []
    feed = CameraFeed(lambda: next(sources), seen.append)
    with running(feed):
        assert wait_for(lambda: len(seen) >= 7)
    states = [status.state for status in seen]
    assert states == [OPENING, RUNNING, LOST, OPENING, LOST, OPENING, RUNNING, STOPPED]
    assert [seen[2].trouble, seen[4].trouble] == ["unplugged", "missing"]
    assert seen[4].message == "The camera is not connected."
    first, second = seen[2].retry_in, seen[4].retry_in
    assert first is not None
    assert second == 2 * first
    assert feed.reopened == 2


def test_pictures_are_counted_through_a_loss() -> None:
    sources = iter([ScriptedSource(_failing_after(3, SourceError("unplugged", "Gone."))), ScriptedSource(_noise)])
    indices: list[int] = []
    feed = CameraFeed(lambda: next(sources), lambda status: None)
    feed.listeners.append(lambda frame: indices.append(frame.index))
    with running(feed):
        assert wait_for(lambda: len(indices) > 6)
    assert indices == list(range(len(indices)))


def test_what_the_source_left_out_is_counted_and_a_mirror_holds_for_everybody() -> None:
    numbers = itertools.chain([7, 8, 11, 12, 20], itertools.count(21))

    def read() -> CapturedFrame:
        image = np.zeros((60, 80, 3), np.uint8)
        image[:, :20] = 255
        return replace(_noise(), index=next(numbers), image=image)

    feed = CameraFeed(lambda: ScriptedSource(read), lambda status: None)
    feed.mirror = True
    seen: list[CapturedFrame] = []
    feed.listeners.append(seen.append)
    with running(feed):
        assert wait_for(lambda: len(seen) > 8)
        kept = feed.history.newest()
    assert feed.lost == 2 + 7
    assert kept is not None
    for frame in (*seen, kept):
        assert frame.image[:, 60:].all()
        assert not frame.image[:, :60].any()


def test_whatever_a_driver_throws_is_a_lost_device() -> None:
    def read() -> CapturedFrame:
        raise RuntimeError("driver exploded")

    seen: list[DeviceStatus] = []
    feed = CameraFeed(lambda: ScriptedSource(read), seen.append)
    with running(feed):
        assert wait_for(lambda: any(status.state is LOST for status in seen))
    assert "driver exploded" in next(status for status in seen if status.state is LOST).message


def test_a_file_that_ends_is_not_tried_again() -> None:
    opened = []

    def make() -> ScriptedSource:
        opened.append(1)
        return ScriptedSource(_failing_after(2, SourceError("ended", "clip.mp4 is at its end.")))

    feed = CameraFeed(make, lambda status: None)
    with running(feed):
        assert wait_for(lambda: feed.status.state is ENDED)
        time.sleep(0.7)
    assert len(opened) == 1


class _Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def test_a_camera_that_stops_delivering_is_stalled_then_opened_anew() -> None:
    clock, gate, made = _Clock(), threading.Event(), []

    def read() -> CapturedFrame | None:
        if made[-1].opened and not gate.is_set() and len(made) == 1 and feed.frames >= 3:
            gate.wait()
        return _noise()

    def make() -> ScriptedSource:
        made.append(ScriptedSource(read))
        return made[-1]

    seen: list[DeviceStatus] = []
    feed = CameraFeed(make, seen.append, clock=clock)
    with running(feed):
        assert wait_for(lambda: feed.frames >= 3)
        clock.ahead += STALL_SECONDS + 1
        feed.tick()
        assert feed.status.state is STALLED
        assert "delivered nothing" in feed.status.message
        clock.ahead += ABANDON_SECONDS
        feed.tick()
        assert wait_for(lambda: feed.status.state is RUNNING)
        assert len(made) == 2
        gate.set()
        # The thread that hung closes its own source and changes nothing else.
        assert wait_for(lambda: made[0].closed == 1)
        assert feed.status.state is RUNNING


def test_a_device_that_opens_and_never_delivers_is_told_and_opened_anew() -> None:
    clock, made, asked = _Clock(), [], []

    def nothing() -> None:
        asked.append(1)
        time.sleep(0.005)

    def make() -> ScriptedSource:
        made.append(ScriptedSource(nothing if not made else _noise))
        return made[-1]

    feed = CameraFeed(make, lambda status: None, clock=clock)
    with running(feed):
        assert wait_for(lambda: bool(asked))
        feed.tick()
        assert feed.status.state is OPENING
        clock.ahead += START_SECONDS + 1
        feed.tick()
        assert feed.status.state is STALLED
        assert "delivered nothing" in feed.status.message
        clock.ahead += ABANDON_SECONDS
        feed.tick()
        assert wait_for(lambda: feed.status.state is RUNNING)
    assert len(made) == 2


def test_a_device_that_hangs_in_opening_is_told_and_not_opened_beside_that() -> None:
    clock, gate, made = _Clock(), threading.Event(), []

    def make() -> ScriptedSource:
        made.append(ScriptedSource(_noise))
        made[-1].open = gate.wait  # type: ignore[method-assign]
        return made[-1]

    feed = CameraFeed(make, lambda status: None, clock=clock)
    with running(feed):
        assert wait_for(lambda: feed.status.state is OPENING and bool(made))
        clock.ahead += 2 * ABANDON_SECONDS
        feed.tick()
        assert feed.status.state is STALLED
        assert len(made) == 1
        gate.set()
        assert wait_for(lambda: feed.status.state is RUNNING)


def test_a_picture_that_never_changes_is_frozen_and_few_pictures_are_slow() -> None:
    clock = _Clock()
    feed = CameraFeed(lambda: ScriptedSource(_picture), lambda status: None, clock=clock)
    with running(feed):
        assert wait_for(lambda: feed.frames >= 3)
        feed.tick()
        assert feed.status.warnings == ()
        clock.ahead += 4.0
        assert wait_for(lambda: feed.status.state is RUNNING and feed.frames > 10)
        feed.tick()
        assert set(feed.status.warnings) == {"frozen", "slow"}
        assert "repeats one picture" in feed.status.message


def _blocks(sound: Callable[[int], NDArray[np.float32]]) -> Callable[[], SoundBlock]:
    """A microphone whose block k is `sound(k)`, 20 ms each, in real time."""
    start, count = time.monotonic(), itertools.count()

    def read() -> SoundBlock:
        k = next(count)
        begins = start + k * 0.02
        time.sleep(max(begins + 0.02 - time.monotonic(), 0))
        return SoundBlock(sound(k), begins)

    return read


def _microphone(source: ScriptedSource, clock: Callable[[], float] = time.monotonic) -> MicrophoneFeed:
    return MicrophoneFeed(lambda: source, lambda status: None, clock=clock)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_sound_is_found_at_the_time_at_which_it_was_made(rate: int) -> None:
    def chirp(seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.sin(2 * np.pi * (300 * seconds + 200 * seconds**2)).astype(np.float32)

    start, block = time.monotonic(), rate // 50
    feed = _microphone(ScriptedSource(_blocks(lambda k: chirp(k * 0.02 + np.arange(block) / rate)[:, None]), rate=rate))
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 20000)
        stop = feed.horizon()
        heard = feed.window(stop, 15600)
    truth = chirp(stop - start - 0.975 + np.arange(15600) / 16000)
    lags = range(-400, 401)
    fit = [float(np.dot(heard[400:-400], np.roll(truth, lag)[400:-400])) for lag in lags]
    # `_blocks` starts its own clock a moment after `start`.
    assert abs(lags[int(np.argmax(fit))]) <= 0.004 * 16000
    assert feed.overflows == 0
    assert feed.gaps == 0


def test_broken_samples_become_silence_and_are_told() -> None:
    def sound(k: int) -> NDArray[np.float32]:
        block = np.full((320, 1), 0.1, np.float32)
        block[::4] = np.nan if k % 2 else np.inf
        return block

    feed = _microphone(ScriptedSource(_blocks(sound)))
    heard: list[NDArray[np.float32]] = []
    feed.listeners.append(lambda samples, begins, rate: heard.append(samples))
    with running(feed):
        assert wait_for(lambda: len(heard) >= 5)
        feed.tick()
        assert feed.status.warnings == ("invalid",)
    assert feed.broken >= 5 * 80
    assert all(np.isfinite(block).all() for block in heard)
    assert np.isfinite(feed.ring.read(0, feed.ring.end)).all()


def test_digital_silence_of_a_real_microphone_is_told() -> None:
    clock = _Clock()
    feed = _microphone(ScriptedSource(_blocks(lambda k: np.zeros((320, 1), np.float32))), clock)
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 0)
        clock.ahead += 4.0
        end = feed.ring.end
        assert wait_for(lambda: feed.ring.end > end + 1000)
        feed.tick()
        assert feed.status.warnings == ("silent", "late")  # the stamps have stayed behind the clock


def test_a_missing_stretch_of_sound_becomes_a_gap_of_the_same_length() -> None:
    start, count = time.monotonic(), itertools.count()

    def read() -> SoundBlock:
        k = next(count)
        # After 4 s the device skips half a second.
        begins = start + k * 0.02 + (0.5 if k >= 200 else 0.0)
        return SoundBlock(np.full((320, 1), 0.1, np.float32), begins)

    feed = _microphone(ScriptedSource(read))
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 16000 * 5)
    assert feed.gaps == pytest.approx(0.5, abs=0.02)
    assert feed.time.to_host(feed.ring.end / 16000) - start == pytest.approx(feed.ring.end / 16000, abs=0.02)


def test_sound_goes_on_in_time_when_a_microphone_returns_at_another_rate() -> None:
    gone = SourceError("unplugged", "The microphone has been disconnected.")
    first_blocks = _blocks(lambda k: np.full((960, 1), 0.1, np.float32))

    def first() -> SoundBlock:
        block = first_blocks()
        if feed.ring.end > 16000:
            raise gone
        return block

    sources = iter([first, None])

    def make() -> ScriptedSource:
        read = next(sources)
        if read is not None:
            return ScriptedSource(read, rate=48000)
        return ScriptedSource(_blocks(lambda k: np.full((882, 1), 0.2, np.float32)), rate=44100)

    feed = MicrophoneFeed(make, lambda status: None)
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 16000 * 2.5)
        now, horizon = time.monotonic(), feed.horizon()
        heard = feed.window(horizon, 16000 * 3)
    assert 0 <= now - horizon < 0.2
    assert feed.gaps > 0.3
    loud = np.abs(heard) > 0.05
    assert loud[-8000:].mean() > 0.95
    quiet = np.flatnonzero(~loud & (np.arange(len(heard)) > 8000))
    assert len(quiet) == pytest.approx(feed.gaps * 16000, abs=1600)


def test_sound_that_comes_in_slow_bursts_is_waited_for() -> None:
    """Every 0.7 s all the blocks since: between the bursts there is no silence, only sound that is not here yet."""
    start, count = time.monotonic(), itertools.count()

    def read() -> SoundBlock:
        k = next(count)
        time.sleep(max(start + 0.7 * (k // 35 + 1) - time.monotonic(), 0))
        return SoundBlock(np.full((320, 1), 0.1, np.float32), start + k * 0.02)

    feed = _microphone(ScriptedSource(read))
    quietest = 1.0
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 16000 * 1.5)
        stop = time.monotonic() + 1.6
        while time.monotonic() < stop:
            quietest = min(quietest, float(np.abs(feed.window(feed.horizon() - 0.01, 1600)).min()))
            time.sleep(0.01)
    assert quietest > 0.05


def test_without_a_microphone_time_goes_on_in_silence() -> None:
    refused = SourceError("missing", "There is no microphone.")
    feed = MicrophoneFeed(lambda: ScriptedSource(_noise, refuse=refused), lambda status: None)
    with running(feed):
        assert wait_for(lambda: feed.status.state is LOST)
        before, horizon, after = time.monotonic(), feed.horizon(), time.monotonic()
        assert before <= horizon <= after
        assert not feed.window(horizon, 15600).any()


def test_the_test_tone_is_on_its_scene_s_clock() -> None:
    feed = MicrophoneFeed(TestMicrophone, lambda status: None)
    with running(feed):
        assert wait_for(lambda: feed.ring.end > 17000)
        stop = feed.horizon()
        heard = feed.window(stop, 8000)
    truth = TestScene(64, 48).sound(stop - 0.5, 8000, 16000)
    assert float(np.corrcoef(np.abs(heard), np.abs(truth))[0, 1]) > 0.9
