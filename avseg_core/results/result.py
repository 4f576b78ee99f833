"""What segmentation says about one window, and about the run that it belongs to; plain data without torch."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.media.windows import Window

SILENCE_DBFS = -120.0
"""Loudness of digital silence, the lowest that is ever reported."""
_MOST_PIXELS = 1 << 28
"""FFmpeg decodes no larger frame; a header that says so would have an export take all memory."""


@dataclass(frozen=True, eq=False)
class WindowResult:
    """The answer for one window, on the model's own grid of h x w pixels."""

    window: Window
    frame_time: float
    """Presentation time of the frame that was really used, in seconds."""
    probability: NDArray[np.uint8]
    """[h,w], 255 * p: the probability to sound; of a model with classes, 255 * (1 - p_background)."""
    labels: NDArray[np.uint8] | None = None
    """[h,w], the most probable class (0 background); None for a model without classes."""
    mixer_weights: NDArray[np.float32] | None = None
    """[D], one weight per channel of the mask feature; None for a model without a channel mixer."""
    tags: tuple[tuple[str, float], ...] = ()
    """What the sound is, the surest first, with probabilities; empty if the audio encoder cannot tell."""
    loudness: float = SILENCE_DBFS
    """Root mean square of the window's sound in dB relative to full scale (a full-scale square wave is 0)."""


@dataclass(frozen=True)
class RunHeader:
    """What a mask store is about: the video, the model and the settings that its masks depend on."""

    video: str
    """Absolute path of the video when it was segmented."""
    video_id: str
    """`identity.file_id` of the video."""
    duration: float
    width: int
    height: int
    fps: Fraction
    model: str
    model_hash: str
    """SHA-256 of the weights and their configuration."""
    settings: dict[str, Any]
    """What else the masks depend on: {"rate": masks per second} or {"at": [seconds, ...]}."""
    planned: int
    """Number of windows that a finished run has."""
    class_names: tuple[str, ...] = ()
    """One name per class of a model with classes, the first is the background."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What the user should know, for instance that the video has no sound."""

    def same_run(self, other: RunHeader) -> bool:
        """True if both runs give the same masks, so that one can continue the other."""
        mine, theirs = (
            (run.video_id, run.model_hash, run.settings, run.planned, run.width, run.height) for run in (self, other)
        )
        return mine == theirs

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON; the inverse of `from_dict`."""
        return dataclasses.asdict(self) | {"fps": str(self.fps)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunHeader:
        """Builds a header from untrusted plain types.

        Raises:
            ValueError, TypeError, KeyError: something is missing or is not what it should be.
        """
        header = cls(
            video=_text(values["video"]),
            video_id=_text(values["video_id"]),
            duration=float(values["duration"]),
            width=int(values["width"]),
            height=int(values["height"]),
            fps=_rate(values["fps"]),
            model=_text(values["model"]),
            model_hash=_text(values["model_hash"]),
            settings=dict(values["settings"]),
            planned=int(values["planned"]),
            class_names=tuple(_text(name) for name in values["class_names"]),
            notes=tuple(_text(note) for note in values["notes"]),
        )
        sides = (header.width, header.height)
        if not (min(sides) > 0 and max(sides) <= 65536 and math.prod(sides) <= _MOST_PIXELS and header.planned >= 0):
            raise ValueError("impossible frame size")
        if not (math.isfinite(header.duration) and header.fps >= 0):
            raise ValueError("impossible duration or frame rate")
        return header


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _rate(value: object) -> Fraction:
    """Fraction itself would also take 1/0, and 1e999999999, which never ends."""
    found = re.fullmatch(r"(\d{1,40})(?:/([1-9]\d{0,39}))?", _text(value), re.ASCII)
    if found is None:
        raise ValueError("impossible frame rate")
    return Fraction(int(found[1]), int(found[2] or 1))
