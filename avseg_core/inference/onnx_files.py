"""Where the ONNX files of a model are kept, what is known of them, and how they go with it. No torch here."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from avseg_core.models.library import user_models

SEE, DECIDE, RECORD = "see.onnx", "decide.onnx", "record.json"
_FORMAT = 1
"""Of the files; others are made anew."""


@dataclass(frozen=True)
class OnnxRecord:
    """What is known of a model's ONNX files."""

    hashes: dict[str, str]
    """SHA-256 per file."""
    difference: float
    """Largest difference of a logit from PyTorch's when they were made."""
    milliseconds: dict[str, float]
    """Of a frame on this machine, per runtime; empty if it was not measured."""
    source: str = ""
    """SHA-256 of the model's own file; empty if it was in none."""
    format: int = _FORMAT

    @property
    def faster(self) -> bool:
        """Whether onnxruntime was measured to be faster."""
        times = self.milliseconds
        return "onnx" in times and times["onnx"] < times["torch"]


def onnx_folder(weights_hash: str) -> Path:
    """Where the files of the model with these weights are or belong."""
    return _root() / weights_hash[:40]


def read_record(weights_hash: str) -> OnnxRecord | None:
    """What is known of a model's files; None if there are none, or of another format."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        values = json.loads((onnx_folder(weights_hash) / RECORD).read_text(encoding="utf-8"))
        record = OnnxRecord(**values)
        if record.format == _FORMAT and set(record.hashes) == {SEE, DECIDE}:
            return record
    return None


def forget_onnx(source: str) -> None:
    """Removes the files that were made of the model file with this SHA-256; what cannot be removed stays."""
    with suppress(OSError):
        for folder in list(_root().iterdir()):
            record = read_record(folder.name)
            if record is not None and record.source == source:
                shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    return user_models().parent / "onnx"
