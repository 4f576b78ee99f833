"""Claps and flashes tell by how much the sound comes after the picture."""

import itertools
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.errors import AVSegError
from avseg_core.media.capture import CapturedFrame, SoundBlock
from avseg_core.media.capture_calibration import Calibrator
from avseg_core.media.capture_microphone_feed import MicrophoneFeed
from tests.live_fixtures import ScriptedSource, running, wait_for

EVENTS = (1.0, 1.9, 3.1, 4.2)
SECONDS = 5.0


def _microphone(start: float, events: tuple[float, ...], delay: float) -> MicrophoneFeed:
    """Noise with a short burst at every event, `delay` later; delivered at once."""
    rng, count = np.random.default_rng(1), itertools.count()

    def read() -> SoundBlock:
        k = next(count)
        if k >= (SECONDS + 1) * 50:
            time.sleep(0.05)
        seconds = k * 0.02 + np.arange(320) / 16000
        loud = sum((np.exp(-(seconds - t - delay) / 0.03) * (seconds >= t + delay) for t in events), np.zeros(320))
        samples = rng.normal(size=320) * (0.003 + 0.5 * loud)
        return SoundBlock(samples.astype(np.float32)[:, None], start + k * 0.02)

    return MicrophoneFeed(lambda: ScriptedSource(read), lambda status: None)


def _look(start: float, events: tuple[float, ...], *, fps: float = 30.0, flash: float = 0.1) -> Calibrator:
    """A camera before which a lamp goes on at every event."""
    rng, calibrator = np.random.default_rng(2), Calibrator()
    for k in range(round(SECONDS * fps)):
        when = k / fps
        lit = any(t <= when < t + flash for t in events)
        image = np.clip(rng.normal(160 if lit else 60, 4, (60, 80, 3)), 0, 255).astype(np.uint8)
        calibrator.add(CapturedFrame(k, start + when, start + when, image))
    return calibrator


@pytest.mark.parametrize("delay", [0.0, 0.18, -0.12])
@pytest.mark.parametrize("fps", [30.0, 15.0])
def test_the_offset_is_found_within_a_frame(delay: float, fps: float) -> None:
    start = time.monotonic() - SECONDS - 1
    feed = _microphone(start, EVENTS, delay)
    with running(feed):
        assert wait_for(lambda: feed.ring.end >= (SECONDS + 1) * 16000)
        result = _look(start, EVENTS, fps=fps).finish(feed)
    assert result.offset == pytest.approx(delay, abs=0.5 / fps + 0.01)


def test_without_a_clap_it_says_so() -> None:
    start = time.monotonic() - SECONDS - 1
    feed = _microphone(start, (), 0.0)
    with running(feed):
        assert wait_for(lambda: feed.ring.end >= (SECONDS + 1) * 16000)
        with pytest.raises(AVSegError, match="clap three times"):
            _look(start, EVENTS).finish(feed)
        with pytest.raises(AVSegError, match="too little"):
            Calibrator().finish(feed)


class _StillLooking(MicrophoneFeed):
    """A microphone during whose answer the camera goes on to look, as its thread does."""

    def __init__(self, start: float, calibrator: Calibrator) -> None:
        super().__init__(lambda: ScriptedSource(lambda: None), lambda status: None)
        self._start, self._calibrator = start, calibrator

    def window(self, stop: float, count: int) -> NDArray[np.float32]:
        for k in range(90):
            when = self._start + SECONDS + k / 30
            self._calibrator.add(CapturedFrame(k, when, when, np.full((60, 80, 3), 60, np.uint8)))
        times = stop - self._start - count / self.RATE + np.arange(count) / self.RATE
        loud = sum((np.exp(-(times - t) / 0.03) * (times >= t) for t in EVENTS), np.zeros(count))
        noise = np.random.default_rng(1).normal(size=count)
        return (noise * (0.003 + 0.5 * np.where(loud > 1e-9, loud, 0))).astype(np.float32)


def test_pictures_that_come_while_it_is_computed_have_no_say() -> None:
    calibrator = _look(500.0, EVENTS)
    result = calibrator.finish(_StillLooking(500.0, calibrator))
    assert calibrator.seconds > SECONDS + 2.5
    assert result.offset == pytest.approx(0.0, abs=0.03)
