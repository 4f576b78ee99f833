"""The live process by itself: a recording that must end is finished and told, a model that cannot be loaded is too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from avseg_app.workers.frame_ring import FrameRing
from avseg_app.workers.live_process import LiveWorker
from avseg_app.workers.live_protocol import (
    LiveModelReady,
    LiveModelRefused,
    LiveRefused,
    LiveTick,
    RecordingDone,
    RecordingStarted,
    ShownToOthers,
    ShowToOthers,
    StartLive,
    StartRecording,
    StopLive,
)
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.live_model import LiveModel
from avseg_core.media import recorder
from avseg_core.media.capture import CameraOptions
from avseg_core.results.look import OverlayStyle
from tests.live_fixtures import scene_model, wait_for

START = StartLive("test", "source", CameraOptions(width=320, height=240), LiveConfig())


class Talk:
    """A worker in this process, and what it has said."""

    def __init__(self) -> None:
        self._here, there = Pipe()
        self.ring = FrameRing()
        self.worker = LiveWorker(there, self.ring)
        self.said: list[Any] = []

    def hears(self, kind: type) -> Callable[[], bool]:
        """Turns the worker's wheel once; True once it has said something of this kind."""

        def look() -> bool:
            self.worker._adopt_model()
            if self.worker._session is not None:
                self.worker._tick(self.worker._session)
            while self._here.poll():
                self.said.append(self._here.recv())
            return any(isinstance(answer, kind) for answer in self.said)

        return look

    def last(self, kind: type) -> Any:
        """What was said last of this kind."""
        return next(answer for answer in reversed(self.said) if isinstance(answer, kind))


@pytest.fixture
def talk() -> Iterator[Talk]:
    made = Talk()
    yield made
    made.worker._guard(StopLive())
    made.ring.close()


def test_a_full_disk_finishes_the_recording_and_the_view_goes_on(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveModel, "load", lambda config: scene_model())
    talk.worker._guard(START)
    assert wait_for(talk.hears(LiveModelReady))
    talk.worker._guard(StartRecording(tmp_path, video=True, sound=True, masks=True))
    assert wait_for(talk.hears(RecordingStarted))
    session = talk.worker._session
    assert session is not None
    count = session.counters.results
    assert wait_for(lambda: session.counters.results > count + 5)

    def full(folder: Path) -> None:
        raise AVSegError(f"{folder}: only 3 MB are free.")

    monkeypatch.setattr(recorder, "_check_space", full)
    assert wait_for(talk.hears(RecordingDone))
    done = talk.last(RecordingDone)
    assert done.path is not None
    assert done.path.is_file()
    assert "only 3 MB are free" in done.problem
    assert session.current_recording is None
    frames = session.camera.frames
    assert wait_for(lambda: session.camera.frames > frames + 3)
    talk.said.clear()
    assert wait_for(talk.hears(LiveTick))
    assert talk.last(LiveTick).recorded_seconds is None


def test_without_a_model_pictures_and_recordings_go_on(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(config: LiveConfig) -> LiveModel:
        raise InputError("There is no model gone; choose another.")

    monkeypatch.setattr(LiveModel, "load", refuse)
    talk.worker._guard(START)
    assert wait_for(talk.hears(LiveModelRefused))
    assert talk.last(LiveModelRefused).message == "There is no model gone; choose another."
    talk.worker._guard(StartRecording(tmp_path, video=True, sound=True, masks=True))
    session = talk.worker._session
    assert session is not None
    frames = session.camera.frames
    assert wait_for(lambda: session.camera.frames > frames + 10)
    talk.worker._guard(StopLive())
    assert wait_for(talk.hears(RecordingDone))
    assert talk.last(RecordingDone).seconds > 0
    assert not list(tmp_path.glob("*.avseg"))


def test_a_missing_virtual_camera_is_told(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveModel, "load", lambda config: scene_model())
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    talk.worker._guard(START)
    assert wait_for(talk.hears(LiveModelReady))
    talk.worker._guard(ShowToOthers(OverlayStyle()))
    assert wait_for(talk.hears(ShownToOthers))
    assert "pip install pyvirtualcam" in talk.last(ShownToOthers).message
    assert talk.last(ShownToOthers).device == ""
    talk.said.clear()
    talk.worker._guard(ShowToOthers(None))
    assert wait_for(talk.hears(ShownToOthers))
    assert talk.last(ShownToOthers) == ShownToOthers("")


def test_a_start_with_devices_that_are_not_there_is_refused_by_its_number(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveModel, "load", lambda config: scene_model())
    talk.worker._guard(replace(START, source="no such camera", number=7))
    assert wait_for(talk.hears(LiveRefused))
    assert talk.last(LiveRefused).start == 7
    assert "no such camera" in talk.last(LiveRefused).message
    assert talk.worker._session is None
    talk.worker._guard(replace(START, number=8))
    talk.said.clear()
    talk.worker._guard(StartRecording(Path("/dev/null/nowhere"), video=True, sound=True, masks=True))
    assert wait_for(talk.hears(LiveRefused))
    assert talk.last(LiveRefused).start is None, "pictures and sound go on"
