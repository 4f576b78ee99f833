"""Clients without processes, for what has nothing to do with masks: the window is there at once."""

from __future__ import annotations

from avseg_app.workers.inference_client import InferenceClient
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import Request


class IdleClient(InferenceClient):
    """Loads no model and answers nothing."""

    def start(self, model: str) -> None:
        pass


class IdleLiveClient(LiveClient):
    """Sends nothing to any process."""

    def send(self, request: Request) -> None:
        pass
