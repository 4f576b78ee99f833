"""A window without an inference process, for what has nothing to do with masks: it is there at once."""

from __future__ import annotations

from avseg_app.workers.inference_client import InferenceClient


class IdleClient(InferenceClient):
    """Loads no model and answers nothing."""

    def start(self, model: str) -> None:
        pass
