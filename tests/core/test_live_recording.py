"""A recording comes to its end whatever happens to its disk."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avseg_core.errors import AVSegError
from avseg_core.inference import live_recording
from avseg_core.inference.live_config import Latency, LiveConfig, LiveResult
from avseg_core.inference.live_recording import LiveRecording, RecordedRun, RecordOptions
from avseg_core.media import recorder
from avseg_core.media.capture import CapturedFrame
from avseg_core.results.store import MaskStore
from tests.live_fixtures import wait_for

CONFIG = LiveConfig()


@pytest.fixture(autouse=True)
def _short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_recording, "BATCH_SECONDS", 0.02)
    monkeypatch.setattr(recorder, "CHECK_SECONDS", 0.0)


def _record(folder: Path, told: list[str]) -> LiveRecording:
    recording = LiveRecording(RecordOptions(folder=folder), told.append)
    recording.record_masks(CONFIG, "scene", "0" * 64, ())
    return recording


def _offer(recording: LiveRecording, k: int, config: LiveConfig = CONFIG, *, reused: bool = False) -> None:
    """A picture and its mask, made under `config`."""
    when = 500.0 + k / 30
    recording.recorder.offer_frame(CapturedFrame(k, when, when, np.full((48, 64, 3), 90, np.uint8)))
    assert wait_for(lambda: recording.recorder.origin is not None or bool(recording.recorder.problem))
    latency = Latency(capture=0, wait=0, visual=0, audio=0, head=0, total=0)
    recording.offer_result(
        LiveResult(
            index=k,
            frame_index=k,
            frame_time=when,
            sound_start=when - 0.975,
            sound_stop=when,
            done=when,
            probability=np.full((12, 16), 200, np.uint8),
            labels=None,
            mixer_weights=None,
            tags=(),
            loudness=-20.0,
            reused=reused,
            latency=latency,
        ),
        config,
    )


def test_a_disk_that_is_pulled_out_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "stick"
    recording = _record(folder, told)
    _offer(recording, 0)
    assert recording.masks is not None
    assert wait_for(lambda: recording.masks is not None and recording.masks.count == 1)
    shutil.rmtree(folder)
    _offer(recording, 1)
    assert wait_for(lambda: bool(recording.recorder.problem))
    recorded = recording.stop()
    assert recorded.media.problem
    assert recorded.media.problem in told
    assert (recorded.media.path, recorded.masks) == (None, None)


def _refuse(*args: object) -> None:
    raise AVSegError("m.avseg: the disk is full.")


def test_masks_that_cannot_be_written_are_told_and_the_picture_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recording.MaskStore, "create", _refuse)
    told: list[str] = []
    recording = _record(tmp_path, told)
    for k in range(5):
        _offer(recording, k)
    assert wait_for(lambda: bool(told))
    recorded = recording.stop()
    assert told == ["Masks are no longer recorded: m.avseg: the disk is full."]
    assert recorded.media.problem == told[0]
    assert (recorded.masks, recorded.mask_count, recorded.media.frames) == (None, 0, 5)


def test_a_recording_ends_though_its_last_masks_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recording, "BATCH_SECONDS", 600.0)  # so that the end comes with the masks
    monkeypatch.setattr(live_recording.MaskStore, "create", _refuse)
    recording = _record(tmp_path, [])
    _offer(recording, 0)
    ended: list[RecordedRun] = []
    threading.Thread(target=lambda: ended.append(recording.stop()), daemon=True).start()
    assert wait_for(lambda: bool(ended), 10.0)
    assert ended[0].media.problem == "Masks are no longer recorded: m.avseg: the disk is full."
    assert (ended[0].masks, ended[0].media.frames) == (None, 1)


def test_a_mask_lies_where_the_settings_put_it_that_it_was_made_under(tmp_path: Path) -> None:
    recording = _record(tmp_path, [])
    _offer(recording, 0)
    centred = replace(CONFIG, window="centred", av_offset=0.2)
    _offer(recording, 30, centred)
    _offer(recording, 60, centred, reused=True)
    recorded = recording.stop()
    assert recorded.masks is not None
    with MaskStore(recorded.masks) as store:
        rows = list(store.iterate())
    assert [row.window.stop for row in rows] == pytest.approx([0.0, 0.8, 1.8])
    assert [row.frame_time for row in rows] == pytest.approx([0.0, 1.0, 1.8 - 0.975 / 2])


def test_no_masks_are_written_beyond_the_end_of_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = _record(tmp_path, [])
    _offer(recording, 0)

    def full(folder: Path) -> None:
        raise AVSegError(f"{folder}: only 3 MB are free.")

    monkeypatch.setattr(recorder, "_check_space", full)
    _offer(recording, 1)
    assert wait_for(lambda: bool(recording.recorder.problem))
    for k in range(2, 6):
        _offer(recording, k)
    time.sleep(0.1)
    recorded = recording.stop()
    assert "only 3 MB are free" in recorded.media.problem
    assert 1 <= recorded.mask_count <= 2
