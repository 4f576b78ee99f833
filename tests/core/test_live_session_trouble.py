"""The live mode when something is wrong: devices, the model, sleep, late sound, and calibrations in a row."""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from avseg_core.inference import live
from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveResult
from avseg_core.inference.live_recording import RecordedRun, RecordOptions
from avseg_core.media.audio import AudioReader
from avseg_core.media.capture import CapturedFrame, DeviceState, DeviceStatus, SoundBlock, SourceError
from avseg_core.media.capture_calibration import Calibration
from avseg_core.media.capture_microphone_feed import LATE_SECONDS, MicrophoneFeed
from avseg_core.media.capture_test_source import TestCamera, TestMicrophone, TestScene
from tests.live_fixtures import (
    OPTIONS,
    RAW,
    Collected,
    ScriptedSource,
    named,
    new_session,
    running,
    scene_model,
    segmenting,
    wait_for,
)

SCENE = TestScene(320, 240)


def test_without_a_microphone_pictures_and_masks_go_on() -> None:
    collected = Collected()
    refused = ScriptedSource(lambda: None, refuse=SourceError("missing", "There is no microphone."))
    session = LiveSession(lambda: TestCamera(OPTIONS), lambda: refused, RAW, collected)
    with segmenting(session):
        assert wait_for(lambda: len(collected.results) > 5)
        assert session.microphone.status.state is DeviceState.LOST
    assert all(result.loudness < -100 for result in collected.results)
    assert all(named(result) is None for result in collected.results)


def test_a_camera_that_freezes_leaves_the_sound_live() -> None:
    """After the last picture, new sound still makes new masks of it."""
    source = TestCamera(OPTIONS)
    gate = threading.Event()

    def read() -> CapturedFrame | None:
        if collected.frames and len(collected.frames) >= 5:
            gate.wait(0.2)
            return None
        return source.read()

    collected = Collected()
    source.open()
    session = LiveSession(lambda: ScriptedSource(read), TestMicrophone, RAW, collected)
    with segmenting(session):
        assert wait_for(
            lambda: {"disc", "square"} <= {named(result) for result in list(collected.results) if result.reused}
        )
        gate.set()
    assert session.counters.frames <= 6


def test_a_model_that_fails_is_told_and_the_camera_goes_on() -> None:
    session, collected = new_session()
    with running(session):
        model = scene_model()
        model.decide = lambda seen, heard: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        session.segment_with(model)
        assert wait_for(lambda: bool(collected.trouble))
        count = session.camera.frames
        assert wait_for(lambda: session.camera.frames > count + 5)
    assert "The model has stopped" in collected.trouble[0]
    assert collected.trouble[0].startswith(session.model_problem)


def test_after_sleep_the_devices_are_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session, collected = new_session()
    with running(session):
        assert wait_for(lambda: session.camera.running and session.microphone.running)
        slept = iter([600.0])
        monkeypatch.setattr(session._sleep, "slept", lambda: next(slept, 0.0))
        assert wait_for(lambda: bool(collected.trouble))
        count = session.camera.frames
        assert wait_for(lambda: session.camera.frames > count + 3 and session.microphone.running)
    assert "slept for 600 s" in collected.trouble[0]
    assert (session.camera.reopened, session.microphone.reopened) == (1, 1)


def test_nothing_is_opened_again_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = new_session()
    looked = threading.Event()

    def slept() -> float:
        looked.set()
        time.sleep(0.3)
        return 600.0

    monkeypatch.setattr(session._sleep, "slept", slept)
    session.start()
    assert looked.wait(20)
    session.stop()
    assert session.camera._run is None
    assert session.microphone._run is None


class _LateMicrophone(TestMicrophone):
    """The test tone, handed over 0.8 s late."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[SoundBlock] = deque()

    def read(self) -> SoundBlock | None:
        block = super().read()
        if block is not None:
            self._waiting.append(block)
        due = self._waiting and self._waiting[0].time < time.monotonic() - 0.8
        return self._waiting.popleft() if due else None


@pytest.mark.parametrize("window", ["ending", "centred"])
def test_a_microphone_that_lags_is_told_and_masks_go_on_with_its_sound(window: str) -> None:
    said: list[DeviceStatus] = []
    listener, results = SessionListener(on_status=said.append), list[LiveResult]()
    listener.on_result = results.append
    session = LiveSession(lambda: TestCamera(OPTIONS), _LateMicrophone, replace(RAW, window=window), listener)
    with segmenting(session):
        assert wait_for(lambda: any("late" in status.warnings for status in said))
        count = len(results)
        assert wait_for(lambda: len({result.frame_index for result in results[count:]}) > 5)
    assert "half a second late" in next(status.message for status in said if "late" in status.warnings)
    late = results[count:]  # of what has come by then, and of no silence in its place
    assert statistics.median(result.done - result.sound_stop for result in late) > 0.75
    assert statistics.median(result.loudness for result in late) > -60
    apart = [abs(result.sound_stop - result.frame_time) for result in late if not result.reused]
    assert statistics.median(apart) < 1.0


def test_a_calibration_that_was_started_again_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    session, first, second = new_session()[0], list[object](), list[object]()

    class Calibrator:
        seconds = 9.0
        made = 0

        def __init__(self) -> None:
            Calibrator.made += 1
            self.number = Calibrator.made

        def finish(self, heard: MicrophoneFeed) -> Calibration:
            if self.number == 1:
                session.calibrate(second.append)
            return Calibration(0.1 * self.number, 9.0)

    monkeypatch.setattr(live, "Calibrator", Calibrator)
    session.calibrate(first.append)
    session._finish_calibration()
    assert (first, second) == ([], [])
    session._finish_calibration()
    session._finish_calibration()
    assert (first, second) == ([], [Calibration(0.2, 9.0)])


def test_sound_blocks_of_a_dead_session_go_nowhere() -> None:
    session, collected = new_session()
    with running(session):
        assert wait_for(lambda: session.microphone.running)
    count = len(collected.frames)
    session._on_sound(SoundBlock(np.zeros((4, 1), np.float32), 0.0).samples, 0.0, 16000)
    time.sleep(0.1)
    assert len(collected.frames) == count
    assert session.stop_recording() is None


OFFSET = 0.8


def _end_a_recording(
    folder: Path, monkeypatch: pytest.MonkeyPatch, hear: Callable[[LiveSession, float], None]
) -> tuple[RecordedRun, float]:
    """Two pictures a second apart with sound OFFSET late; `hear` is called whenever the end is put off.

    Returns what was recorded, and by how many seconds its end was put off.
    """
    session, _ = new_session(replace(RAW, av_offset=0.3))
    session.record(RecordOptions(folder=folder, masks=False))
    session.config = replace(RAW, av_offset=OFFSET)
    for k in range(2):
        session._on_frame(CapturedFrame(k, 500.0 + k, 500.0 + k, np.zeros((48, 64, 3), np.uint8)))
    now = [501.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        hear(session, now[0])

    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    recorded = session.stop_recording()
    assert recorded is not None
    return recorded, now[0] - 501.0


def test_a_recording_ends_with_the_sound_of_its_last_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MicrophoneFeed, "running", True)
    begins = [500.0]

    def hear(session: LiveSession, now: float) -> None:
        while begins[0] + 0.1 < now:
            session._on_sound(np.full((1600, 1), 0.5, np.float32), begins[0], 16000)
            begins[0] += 0.1

    recorded, waited = _end_a_recording(tmp_path, monkeypatch, hear)
    assert waited == pytest.approx(OFFSET, abs=0.15)
    assert recorded.media.seconds == pytest.approx(1.0, abs=0.11)
    assert recorded.media.path is not None
    sound = AudioReader(recorded.media.path, rate=16000).read(0.1, 0.9)
    assert np.abs(sound).min() > 0.1


def test_sound_that_never_comes_does_not_keep_a_recording_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MicrophoneFeed, "running", True)
    recorded, waited = _end_a_recording(tmp_path, monkeypatch, lambda session, now: None)
    assert recorded.media.frames == 2
    assert waited == pytest.approx(OFFSET + LATE_SECONDS, abs=0.05)
    monkeypatch.setattr(MicrophoneFeed, "running", False)
    _, waited = _end_a_recording(tmp_path, monkeypatch, lambda session, now: None)
    assert waited == 0
