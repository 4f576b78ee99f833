"""Recordings keep picture and sound together, survive a crash and never hold anybody up."""

import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from avseg_core.errors import AVSegError
from avseg_core.media import recorder as recorder_module
from avseg_core.media.capture import CapturedFrame
from avseg_core.media.recorder import Recorder
from avseg_core.media.video import VideoReader

FPS = 30
SIZE = (48, 64, 3)


def _frame(origin: float, k: int, *, flash: bool = False) -> CapturedFrame:
    when = origin + k / FPS
    return CapturedFrame(k, when, when, np.full(SIZE, 250 if flash else 60, np.uint8))


def _feed(recorder: Recorder, origin: float, seconds: float, *, rate: int = 48000, drift: float = 0.0) -> None:
    """Pictures and sound with a flash and a beep half a second into every second; the sound's clock drifts."""
    for k in range(round(seconds * FPS)):
        flash = k % FPS == FPS // 2
        recorder.offer_frame(_frame(origin, k, flash=flash))
        count = rate // FPS
        beep = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(count) / rate) if flash else np.zeros(count)
        # A sound card that is too slow delivers fewer samples for the same time.
        kept = beep[: round(count * (1 - drift))].astype(np.float32)
        recorder.offer_sound(kept[:, None], origin + k / FPS, rate)
        _let_it_write(recorder)


def _let_it_write(recorder: Recorder) -> None:
    """Waits until the recorder is nearly through with what was offered, so that a busy machine drops nothing."""
    while max(recorder._waiting.values()) > 8 and not recorder.problem:
        time.sleep(0.002)


def _flashes(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [
            float(frame.time) for frame in container.decode(video=0) if frame.to_ndarray(format="gray").mean() > 150
        ]


def _beeps(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        blocks = [(float(frame.time), frame.to_ndarray().reshape(-1)) for frame in container.decode(audio=0)]
    loud = np.abs(np.concatenate([block for _, block in blocks]).astype(np.float64)) > 3000
    onsets = np.flatnonzero(loud) / rate + blocks[0][0]
    return [float(t) for i, t in enumerate(onsets) if i == 0 or t - onsets[i - 1] > 0.3]


def test_flash_and_beep_stay_together(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    _feed(recorder, 500.0, 4.0)
    recorded = recorder.stop()
    assert recorded.problem == ""
    assert (recorded.frames, recorded.dropped_frames, recorded.dropped_blocks) == (120, 0, 0)
    flashes, beeps = _flashes(tmp_path / "a.mkv"), _beeps(tmp_path / "a.mkv")
    assert flashes == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.002)
    assert beeps == pytest.approx(flashes, abs=0.005)


def test_a_drifting_sound_card_is_kept_on_the_picture_s_clock(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    _feed(recorder, 500.0, 20.0, drift=0.002)  # 40 ms in 20 s; uncorrected, the last beep would be that early
    recorder.stop()
    assert _beeps(tmp_path / "a.mkv") == pytest.approx(_flashes(tmp_path / "a.mkv"), abs=0.008)


def _offer_block(recorder: Recorder, begins: float, *, beep: bool) -> None:
    """20 ms of sound, loud from the first sample to the last or silent."""
    recorder.offer_sound(np.full((960, 1), 0.5 if beep else 0.0, np.float32), begins, 48000)
    _let_it_write(recorder)


@pytest.mark.parametrize("begins", [-0.3, -0.0999, -0.05, -0.013, 0.0, 0.007, 0.06])
def test_sound_is_in_time_from_the_first_block_on(begins: float, tmp_path: Path) -> None:
    """Whether the first block that is recorded begins before the first picture or after it."""
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    recorder.offer_frame(_frame(500.0, 0))
    for k in range(40):
        _offer_block(recorder, 500.0 + begins + k * 0.02, beep=k == 20)
    recorder.stop()
    assert _beeps(tmp_path / "a.mkv") == pytest.approx([begins + 0.4], abs=0.001)


@pytest.mark.parametrize("returns", [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6])
def test_sound_that_returns_is_in_time_at_once(returns: float, tmp_path: Path) -> None:
    """However little it overlaps the silence that was put in meanwhile, or is apart from it."""
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    for k in range(3 * FPS):
        recorder.offer_frame(_frame(500.0, k))
        _let_it_write(recorder)
    for k in range(60):
        _offer_block(recorder, 500.0 + returns + k * 0.02, beep=k == 50)
    recorder.stop()
    assert _beeps(tmp_path / "a.mkv") == pytest.approx([returns + 1.0], abs=0.001)


@pytest.mark.parametrize("av_offset", [0.6, 1.0])
def test_sound_that_is_known_to_come_late_is_whole(av_offset: float, tmp_path: Path) -> None:
    """No silence is put in while it is not due, and what belongs to the last picture is taken after it."""
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True, av_offset=av_offset)
    for k in range(3 * FPS):
        recorder.offer_frame(_frame(500.0, k))
        recorder.offer_sound(np.full((1600, 1), 0.5, np.float32), 500.0 + (k - 4) / FPS, 48000)
        _let_it_write(recorder)
    recorder.end_pictures()
    recorder.offer_frame(_frame(500.0, 3 * FPS))
    taken_after = 0
    while recorder.awaits_sound and taken_after < 2 * FPS:
        recorder.offer_sound(np.full((1600, 1), 0.5, np.float32), 500.0 + (3 * FPS - 4 + taken_after) / FPS, 48000)
        taken_after += 1
    recorded = recorder.stop()
    assert recorded.frames == 3 * FPS
    assert taken_after / FPS == pytest.approx(av_offset + 3 / FPS, abs=1.5 / FPS)
    with av.open(str(tmp_path / "a.mkv")) as container:
        heard = np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])
    assert np.abs(heard.astype(int)).min() > 10000
    assert len(heard) / 48000 == pytest.approx(3.0, abs=1.5 / FPS)


def test_a_gap_in_the_sound_is_silence_of_the_same_length(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    _feed(recorder, 500.0, 1.0)
    for k in range(FPS, 3 * FPS):  # the microphone is away for two seconds
        recorder.offer_frame(_frame(500.0, k))
        _let_it_write(recorder)
    for k in range(3 * FPS, 4 * FPS):
        recorder.offer_frame(_frame(500.0, k, flash=k == 3 * FPS + 15))
        beep = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(1600) / 48000) if k == 3 * FPS + 15 else np.zeros(1600)
        recorder.offer_sound(beep.astype(np.float32)[:, None], 500.0 + k / FPS, 48000)
        _let_it_write(recorder)
    recorder.stop()
    assert _beeps(tmp_path / "a.mkv") == pytest.approx([0.5, 3.5], abs=0.005)
    assert _flashes(tmp_path / "a.mkv") == pytest.approx([0.5, 3.5], abs=0.002)


def test_a_change_of_rate_channels_and_size_goes_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True)
    _feed(recorder, 500.0, 1.0, rate=48000)
    image = np.full((90, 160, 3), 250, np.uint8)
    for k in range(FPS, 2 * FPS):
        when = 500.0 + k / FPS
        recorder.offer_frame(CapturedFrame(k, when, when, image))
        recorder.offer_sound(np.full((441 * 10 // 3, 2), 0.4, np.float32), when, 44100)
        time.sleep(0.002)
    recorded = recorder.stop()
    assert recorded.problem == ""
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert {frame.width for frame in container.decode(video=0)} == {64}
        assert container.streams.audio[0].channels == 1
    assert recorded.seconds == pytest.approx(2.0, abs=0.05)


def test_sound_alone_is_lossless(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mkv", video=False, sound=True)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (4800, 2)).astype(np.float32)
    for k in range(10):
        recorder.offer_sound(noise, 500.0 + k * 0.1, 48000)
    recorder.stop()
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert not container.streams.video
        heard = np.concatenate([f.to_ndarray().reshape(-1, 2) for f in container.decode(audio=0)])
    np.testing.assert_array_equal(heard[:4800], np.rint(noise * 32767).astype(np.int16))


def _record_until_killed(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    recorder = Recorder(path, video=True, sound=True)
    for k in range(10**6):
        recorder.offer_frame(_frame(500.0, k, flash=k % FPS == FPS // 2))
        recorder.offer_sound(np.zeros((1600, 1), np.float32), 500.0 + k / FPS, 48000)
        while max(recorder._waiting.values()) > 8:
            time.sleep(0.002)
        if k == 5 * FPS:
            ready.set()


def test_a_recording_can_be_read_after_a_kill(tmp_path: Path) -> None:
    path, context = tmp_path / "a.mkv", multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_record_until_killed, args=(path, ready))
    process.start()
    assert ready.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with VideoReader(path) as video:
        assert len(video.times) > 3.5 * FPS
        assert video.frame_at(0.5).image.mean() > 200
    assert _flashes(path)[:4] == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.002)


def test_a_slow_disk_drops_pictures_and_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(recorder_module, "_check_space", lambda folder: None)
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=False)
    write = recorder._write
    monkeypatch.setattr(recorder, "_write", lambda kind, item: (gate.wait(), write(kind, item)))
    for k in range(100):
        recorder.offer_frame(_frame(500.0, k))
    assert recorder.dropped["frame"] >= 100 - recorder_module.WAITING["frame"] - 1
    gate.set()
    recorded = recorder.stop()
    assert recorded.frames + recorded.dropped_frames == 100


def test_a_full_disk_ends_the_recording_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    free = [usage.free]
    monkeypatch.setattr(recorder_module.shutil, "disk_usage", lambda folder: usage._replace(free=free[0]))
    monkeypatch.setattr(recorder_module, "CHECK_SECONDS", 0.0)
    told: list[str] = []
    recorder = Recorder(tmp_path / "a.mkv", video=True, sound=True, on_end=told.append)
    _feed(recorder, 500.0, 1.0)
    while recorder._waiting["frame"]:
        time.sleep(0.005)
    free[0] = 1 << 20
    recorder.offer_frame(_frame(500.0, FPS))
    recorded = recorder.stop()
    assert "too little to record" in recorded.problem
    assert told == [recorded.problem]
    assert _flashes(tmp_path / "a.mkv") == pytest.approx([0.5], abs=0.002)
    with pytest.raises(AVSegError, match="1 MB are free"):
        Recorder(tmp_path / "b.mkv", video=True, sound=True)


def test_a_recording_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    recorded = Recorder(tmp_path / "a.mkv", video=True, sound=True).stop()
    assert recorded.path is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no colons in names")
def test_a_colon_in_a_relative_folder_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("take:1") / "a.mkv"
    path.parent.mkdir()
    recorder = Recorder(path, video=True, sound=True)
    _feed(recorder, 500.0, 1.0)
    recorded = recorder.stop()
    assert (recorded.path, recorded.problem, recorded.frames) == (path, "", FPS)
    assert _flashes(tmp_path / path) == pytest.approx([0.5], abs=0.002)


def test_no_path_is_told_of_what_could_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    recorder = Recorder(folder / "a.mkv", video=True, sound=True)
    folder.rmdir()
    recorder.offer_frame(_frame(500.0, 0))
    recorded = recorder.stop()
    assert recorded.path is None
    assert recorded.problem
