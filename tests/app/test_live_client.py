"""The window's side of the live process: a process that takes over goes on as the one before was told last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from avseg_app.workers import live_client
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import StartLive
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
    assert client._child.sent == [replace(START, config=config)]
    client.close()
