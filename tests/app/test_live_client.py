"""The window's side of the live process: a process that takes over goes on as the one before was told last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from avseg_app.workers import live_client
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import Calibrated, LiveModelRefused, LiveRefused, StartLive
from avseg_core.inference.live_config import LiveConfig
from avseg_core.media.capture import CameraOptions

START = StartLive("test", "source", CameraOptions(), LiveConfig())


class _Child(QObject):
    """A process that only remembers what it was told."""

    received = Signal(object)
    ended = Signal(object)

    def __init__(self, target: object, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)

    def finish(self, farewell: object, seconds: float) -> None:
        """Ends at once."""


def test_a_process_that_takes_over_has_the_settings_of_now(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_client, "Child", _Child)
    client = LiveClient()
    client.start(START)
    config = LiveConfig(mirror=True, av_offset=0.2)
    client.configure(config)
    first = client._child
    first.ended.emit(-9)
    assert client._child is not first
    assert client._child.sent == [replace(START, config=config, number=1)]
    client.close()


def test_a_start_that_is_refused_is_none_and_an_older_refusal_is_no_concern(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_client, "Child", _Child)
    client, told = LiveClient(), list[str]()
    client.start_refused.connect(told.append)
    client.start(START)
    client.start(START)
    client._child.received.emit(LiveRefused("no such camera", 1))
    client._child.received.emit(LiveRefused("no such folder"))
    assert client.running
    assert told == []
    client._child.received.emit(LiveRefused("no such camera", 2))
    assert not client.running
    assert told == ["no such camera"]
    client.close()


def test_a_model_that_is_refused_is_told_until_the_next_start(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_client, "Child", _Child)
    client, told = LiveClient(), list[str]()
    client.refused.connect(told.append)
    client.start(START)
    client._child.received.emit(LiveModelRefused("there is no device cuda"))
    assert (client.without_masks, client.running) == ("there is no device cuda", True)
    assert told == ["there is no device cuda"]
    client.start(START)
    assert client.without_masks == ""
    client.close()


def test_only_the_newest_calibration_of_devices_that_run_is_applied(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_client, "Child", _Child)
    client, told = LiveClient(), list[Calibrated]()
    client.calibrated.connect(told.append)
    client.start(START)
    child, asked = client._child, list[int]()
    for after in (client.stop, lambda: client.start(START), client.calibrate, lambda: None):
        client.calibrate()
        asked.append(child.sent[-1].number)
        after()
        child.received.emit(Calibrated(asked[-1], 0.1 * len(asked), ""))
    assert len(set(asked)) == 4
    assert told == [Calibrated(asked[-1], 0.4, "")]
    client.close()
