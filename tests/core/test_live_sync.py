"""Picture, sound and masks of a live recording belong together: flash and beep, a late microphone, a mirror."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avseg_core.errors import AVSegError
from avseg_core.inference import live
from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.live_recording import RecordOptions
from avseg_core.media.capture import CameraOptions
from avseg_core.media.capture_calibration import Calibration
from avseg_core.media.capture_sources import camera, microphone
from avseg_core.media.capture_stream import PlayClock
from avseg_core.media.capture_test_source import TestCamera, TestMicrophone
from avseg_core.media.video import VideoReader
from avseg_core.results.mask import binary
from avseg_core.results.store import MaskStore
from tests.live_fixtures import running, scene_model, wait_for

EVENTS = (0.9, 1.6, 2.6, 3.3)
"""Seconds at which a lamp goes on for a tenth of a second."""
LATE = 0.2
"""Seconds by which each beep follows its flash."""
FPS, RATE = 30, 48000


@pytest.fixture
def claps(tmp_path: Path) -> Path:
    """4 seconds of flashes and beeps that come LATE after them."""
    path = tmp_path / "claps.mkv"
    times = np.arange(4 * RATE) / RATE
    loud = sum(((times >= t + LATE) & (times < t + LATE + 0.06) for t in EVENTS), np.zeros(len(times), bool))
    beeps = (12000 * np.sin(2 * np.pi * 1000 * times) * loud).astype(np.int16)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        audio = container.add_stream("flac", rate=RATE, layout="mono")
        for k in range(4 * FPS):
            lit = any(t <= k / FPS < t + 0.1 for t in EVENTS)
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 240 if lit else 50, np.uint8), format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(video.encode(frame))
            sound = av.AudioFrame.from_ndarray(beeps[None, k * 1600 : (k + 1) * 1600], format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, k * 1600, Fraction(1, RATE)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def _flashes(path: Path) -> list[float]:
    """When the picture gets light."""
    with av.open(str(path)) as container:
        light = [(float(f.time), f.to_ndarray(format="gray").mean() > 150) for f in container.decode(video=0)]
    return [after[0] for before, after in itertools.pairwise(light) if after[1] and not before[1]]


def _beeps(path: Path) -> list[float]:
    """When a beep begins."""
    with av.open(str(path)) as container:
        blocks = [(float(frame.time), frame.to_ndarray().reshape(-1)) for frame in container.decode(audio=0)]
    loud = np.flatnonzero(np.abs(np.concatenate([block for _, block in blocks]).astype(np.float64)) > 4000) / RATE
    starts = np.flatnonzero(np.diff(loud, prepend=-1.0) > 0.3)
    return [float(loud[k] + blocks[0][0]) for k in starts]


def test_a_late_microphone_is_measured_and_recorded_in_time(
    claps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One click finds by how much the sound is late; a recording with that setting has flash and beep within 40 ms."""
    monkeypatch.setattr(live, "CALIBRATION_SECONDS", 2.8)
    play, outcomes = PlayClock(), list[Calibration | AVSegError]()
    sources = camera(str(claps), CameraOptions(), play), microphone("source", str(claps), play)
    session = LiveSession(*sources, LiveConfig(av_offset=LATE), SessionListener())
    with running(session):
        recording = session.record(RecordOptions(folder=tmp_path / "recorded", masks=False))
        session.calibrate(outcomes.append)
        assert wait_for(lambda: session.camera.status.state == "ended" and bool(outcomes))
        recorded = session.stop_recording()
    assert recorded is not None
    assert recorded.media.problem == ""
    flashes, beeps = _flashes(recording.path), _beeps(recording.path)
    assert len(flashes) == len(EVENTS)
    assert np.diff(flashes) == pytest.approx(np.diff(EVENTS), abs=0.04)
    assert beeps == pytest.approx(flashes, abs=0.04)
    measured = outcomes[0]
    assert isinstance(measured, Calibration), measured
    assert measured.offset == pytest.approx(LATE, abs=0.04)


def test_a_mirrored_recording_is_what_was_seen(tmp_path: Path) -> None:
    """The disc moves in the left half of the scene; mirrored, picture and masks have it in the right half."""
    config = LiveConfig(smoothing=0.0, mirror=True)
    options = CameraOptions(width=320, height=240)
    session = LiveSession(lambda: TestCamera(options), TestMicrophone, config, SessionListener())
    with running(session):
        recording = session.record(RecordOptions(folder=tmp_path))
        assert wait_for(lambda: session.camera.frames > 3)
        session.segment_with(scene_model())  # masks join as soon as there is a model
        assert wait_for(lambda: session.counters.results > 24)
        recorded = session.stop_recording()
    assert recorded is not None
    assert recorded.masks is not None
    covered = []
    with VideoReader(recording.path) as video, MaskStore(recorded.masks) as store:
        for result in store.iterate():
            image = video.frame_at(result.frame_time).image.astype(int)
            red, blue = image[..., 0] - image[..., 2] > 80, image[..., 2] - image[..., 0] > 80
            assert np.nonzero(red)[1].min() >= 160
            assert np.nonzero(blue)[1].max() < 160
            mask = binary(result.probability, (240, 320), 0.5)
            if mask.mean() > 0.02:
                covered.append(max((mask & thing).sum() / mask.sum() for thing in (red, blue)))
    assert len(covered) > 5
    assert np.median(covered) > 0.9
