"""The whole live mode on scenes with known truth: the right thing, at the right time, whatever the devices do."""

import os
import statistics
import subprocess
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.live import LatencyHistogram, LiveSession
from avseg_core.inference.live_config import LiveConfig, LiveResult
from avseg_core.inference.live_recording import RecordOptions, masks_of
from avseg_core.inference.live_segmenter import HEARD_SECONDS, PICTURE_SECONDS
from avseg_core.media.capture import CapturedFrame, DeviceState
from avseg_core.media.capture_microphone_feed import LATE_SECONDS
from avseg_core.media.capture_sources import camera, microphone
from avseg_core.media.capture_stream import PlayClock
from avseg_core.media.capture_test_source import TURN, TestScene
from avseg_core.media.video import VideoReader
from avseg_core.results.identity import file_id
from avseg_core.results.mask import binary
from avseg_core.results.store import MaskStore
from tests.live_fixtures import (
    OPTIONS,
    RAW,
    Collected,
    MotionJpegServer,
    PulseServer,
    named,
    new_session,
    segmenting,
    wait_for,
)

SCENE = TestScene(320, 240)


def _iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((mask & truth).sum() / max((mask | truth).sum(), 1))


def _shares(result: LiveResult) -> dict[str, float]:
    """Which share of the result's sound each thing had."""
    moments = np.linspace(result.sound_start, result.sound_stop, 400)
    disc = float(np.mean([SCENE.sounding(float(moment)) == "disc" for moment in moments]))
    return {"disc": disc, "square": 1 - disc}


@pytest.mark.parametrize("window", ["ending", "centred"])
def test_masks_show_what_sounds_when_it_sounds(window: str) -> None:
    session, collected = new_session(replace(RAW, window=window))
    with segmenting(session):
        assert wait_for(lambda: any(named(result) for result in list(collected.results)))
        begun = time.monotonic()
        assert wait_for(lambda: time.monotonic() - begun > HEARD_SECONDS + 1.5 * TURN)  # so both have had their turn
    heard_from = next(result.sound_stop for result in collected.results if named(result))
    results = [result for result in collected.results if result.sound_start >= heard_from]  # the microphone was open
    assert len(results) > 15
    assert {named(result) for result in results} >= {"disc", "square"}
    for result in results:
        reach = 0.4875 if window == "centred" and not result.reused else 0.0
        # Where the machine holds up the sound for longer than pictures are kept for, the oldest has earlier sound.
        if not result.reused and result.latency.wait < reach + LATE_SECONDS - 2 * PICTURE_SECONDS:
            assert result.sound_stop == pytest.approx(result.frame_time + reach, abs=1e-6)
        thing, share = max(_shares(result).items(), key=lambda item: item[1])
        if share > 0.6:
            truth = SCENE.mask(thing, result.frame_time)
            assert _iou(binary(result.probability, (240, 320), 0.5), truth) > 0.85


def test_latency_is_the_sum_of_its_parts() -> None:
    session, collected = new_session()
    with segmenting(session, pause=0.03):
        assert wait_for(lambda: len(collected.results) > 10)
    for result in collected.results:
        parts = result.latency
        total = parts.capture + parts.wait + parts.visual + parts.audio + parts.head
        assert parts.total == pytest.approx(total, abs=0.002)
        assert parts.total == pytest.approx(
            result.done - (result.sound_stop if result.reused else result.frame_time), abs=0.002
        )
        assert (parts.visual < 0.005) if result.reused else (parts.visual >= 0.03)


def test_a_slow_model_takes_the_newest_picture_and_hears_twice_as_often_as_it_sees() -> None:
    session, collected = new_session()
    with segmenting(session, pause=0.2):
        assert wait_for(lambda: len(collected.results) > 16)
    counters = session.counters
    late = collected.results[6:]
    assert sum(result.reused for result in late) == pytest.approx(len(late) / 2, abs=2)
    fresh = [result for result in late if not result.reused]
    assert statistics.median(result.latency.wait for result in fresh) < 0.15
    assert counters.frames > 3 * counters.frames_seen
    assert counters.skipped >= 2 * counters.frames_seen, "15 updates a second were due"
    assert np.diff([result.frame_index for result in fresh]).min() >= 4


def test_the_rate_is_limited() -> None:
    session, collected = new_session(replace(RAW, max_rate=5.0))
    with segmenting(session):
        assert wait_for(lambda: len(collected.results) >= 6)
    assert np.diff([result.done for result in collected.results]).mean() > 0.18


def test_shown_masks_lie_on_the_picture_that_is_shown() -> None:
    session, collected = new_session(show_masks=True)
    with segmenting(session, pause=0.15):
        assert wait_for(lambda: session.counters.results > 0)
        begun = time.monotonic()
        assert wait_for(lambda: time.monotonic() - begun > TURN)
    fits = []
    for frame, mask in collected.frames:
        before = [result for result in collected.results if result.done < frame.time - 0.01]
        if mask is None or not before or max(_shares(before[-1]).values()) < 0.75 or named(before[-1]) is None:
            continue
        thing = named(before[-1])
        assert thing is not None
        fits.append(_iou(binary(mask, (240, 320), 0.5), SCENE.mask(thing, frame.time)))
    assert len(fits) > 10
    assert statistics.median(fits) > 0.8


def test_pictures_are_kept_until_their_sound_has_come() -> None:
    session, _ = new_session()
    session.config = replace(RAW, window="centred", av_offset=1.0)
    for k in range(120):
        session.camera.history.put(CapturedFrame(k, k / 30, k / 30, np.zeros((48, 64, 3), np.uint8)))
    heard = 119 / 30 - 0.2  # so far the microphone is behind
    assert session.camera.history.newest(heard - 0.4875 - 1.0) is not None


def test_a_recording_opens_with_its_masks_in_place(tmp_path: Path) -> None:
    session, _ = new_session(LiveConfig(smoothing=0.0))
    with segmenting(session):
        assert wait_for(lambda: session.counters.results > 12)
        recording = session.record(RecordOptions(folder=tmp_path))
        with pytest.raises(AVSegError, match="runs already"):
            session.record(RecordOptions(folder=tmp_path))
        assert wait_for(lambda: (recording.recorder.origin or 1e18) + 1.5 * TURN < time.monotonic())
        recorded = session.stop_recording()
    assert recorded is not None
    assert recorded.media.path == recording.path
    assert recorded.masks == masks_of(recording.path)
    origin = recording.recorder.origin
    assert origin is not None
    with VideoReader(recording.path) as video, MaskStore(recorded.masks) as store:
        assert store.header.video_id == file_id(recording.path)
        assert (store.header.width, store.header.height) == (320, 240)
        assert len(store) == store.header.planned == recorded.mask_count > 15
        right = compared = 0
        for result in store.iterate():
            moments = origin + np.linspace(result.window.start, result.window.stop, 200)
            disc = float(np.mean([SCENE.sounding(float(moment)) == "disc" for moment in moments]))
            image = video.frame_at(result.frame_time).image.astype(int)
            if 0.35 < disc < 0.65:
                continue
            red = image[..., 0] - image[..., 2] > 80
            blue = image[..., 2] - image[..., 0] > 80
            compared += 1
            right += _iou(binary(result.probability, (240, 320), 0.5), red if disc > 0.5 else blue) > 0.8
    assert compared > 8
    assert right >= 0.95 * compared


def test_masks_of_a_killed_recording_are_adopted(tmp_path: Path) -> None:
    session, _ = new_session()
    with segmenting(session):
        recording = session.record(RecordOptions(folder=tmp_path))
        store = recording.path.with_suffix(".avseg")
        assert wait_for(store.is_file)
        assert wait_for(lambda: session.counters.results > 30)
        # What a crash leaves: the files as they are now.
        crashed = tmp_path / "crashed" / recording.path.name
        crashed.parent.mkdir()
        crashed.write_bytes(recording.path.read_bytes())
        with MaskStore(store) as source:
            copy = MaskStore.create(crashed.with_suffix(".avseg"), source.header)
            copy.add(*source.iterate())
            copy.close()
    assert masks_of(crashed) == crashed.with_suffix(".avseg")
    with MaskStore(crashed.with_suffix(".avseg")) as adopted:
        assert adopted.header.video_id == file_id(crashed)
        assert adopted.header.planned == len(adopted) > 0
    other = tmp_path / "crashed" / "other.mkv"
    other.write_bytes(b"another video")
    crashed.with_suffix(".avseg").rename(other.with_suffix(".avseg"))
    assert masks_of(other) is None
    assert masks_of(tmp_path / "none.mkv") is None


def test_a_recording_of_nothing_is_refused(tmp_path: Path) -> None:
    session, _ = new_session()
    with pytest.raises(InputError, match="masks need the picture"):
        session.record(RecordOptions(folder=tmp_path, video=False))
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(AVSegError, match="file: "):
        session.record(RecordOptions(folder=blocked))
    assert session.current_recording is None


def test_latency_percentiles() -> None:
    histogram = LatencyHistogram()
    assert histogram.percentile(50) is None
    for k in range(1000):
        histogram.add(k / 1000)
    assert histogram.percentile(50) == pytest.approx(0.5, abs=0.003)
    assert histogram.percentile(95) == pytest.approx(0.95, abs=0.003)
    histogram.add(1e9)
    assert histogram.percentile(100) == pytest.approx(5.0, abs=0.003)


def _play_scene(server: PulseServer, stop: threading.Event) -> None:
    """Plays the scene's sound to the virtual microphone, each moment at its time."""
    words = [
        "pacat",
        "--raw",
        "--rate=48000",
        "--channels=1",
        "--format=s16le",
        "--latency-msec=20",
        "--device=vmic_sink",
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, env=os.environ | server.environment) as player:
        assert player.stdin is not None
        moment = time.monotonic()
        while not stop.is_set():
            stop.wait(max(moment - time.monotonic(), 0))
            player.stdin.write((SCENE.sound(moment, 960, 48000) * 32767).astype("<i2").tobytes())
            player.stdin.flush()
            moment += 0.02
        player.kill()


@pytest.mark.skipif(not PulseServer.available(), reason="PulseAudio is not installed")
def test_a_network_camera_and_a_virtual_microphone_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask changes sides half a window after the things take turns, and both devices may go and return."""
    server, pulse, silence = MotionJpegServer(), PulseServer(tmp_path), threading.Event()
    server.start()
    pulse.start()
    for name, value in pulse.environment.items():
        monkeypatch.setenv(name, value)
    player = threading.Thread(target=_play_scene, args=(pulse, silence))
    player.start()
    collected, play = Collected(), PlayClock()
    session = LiveSession(camera(server.url, OPTIONS, play), microphone("default", "", play), RAW, collected)
    try:
        with segmenting(session):
            assert wait_for(lambda: any(named(result) for result in collected.results[-1:]))
            begun = time.monotonic()
            assert wait_for(lambda: time.monotonic() - begun > 2.5 * TURN)
            results = [result for result in collected.results if result.done > begun]
            server.stop()
            assert wait_for(lambda: session.camera.status.state is DeviceState.LOST)
            server.start()
            count = session.counters.frames_seen
            assert wait_for(lambda: session.counters.frames_seen > count + 3)
    finally:
        silence.set()
        player.join()
        server.stop()
        pulse.stop()
    delays = []
    for before, after in pairwise(results):
        if named(before) and named(after) and named(before) != named(after):
            delays.append(after.sound_stop - after.sound_stop // TURN * TURN)
    assert len(delays) >= 2
    # About half a window (0.49 s, less where the newcomer is the clearer one), the way through the sound server, and
    # the pause between two updates.
    assert 0.2 < statistics.median(delays) < 1.2, delays
    assert session.counters.overflows == 0
