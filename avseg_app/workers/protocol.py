"""What the window and its worker processes say to each other: small, frozen, picklable.

A request carries the generation of the job it belongs to (a new video, model or rate is a new generation); an answer
carries that of its request, and the window drops what is older than the job it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avseg_core.results.result import WindowResult

# --- requests to the inference process ---


@dataclass(frozen=True)
class LoadModel:
    """Have `model` ready."""

    model: str


@dataclass(frozen=True)
class StartJob:
    """Segment a video into the mask store at `store`, or go on with what is there; replaces any other job."""

    generation: int
    video: Path
    model: str
    rate: float
    """Masks per second."""
    store: Path
    playhead: float
    """Seconds; segmentation begins there."""


@dataclass(frozen=True)
class StopJob:
    """Stop after the batch in hand."""

    generation: int


@dataclass(frozen=True)
class Playhead:
    """The user now looks at `time`: what is missing from there on comes first."""

    generation: int
    time: float


@dataclass(frozen=True)
class WantMaps:
    """The mixed mask feature of window `index`, before anything else."""

    generation: int
    index: int


Request = LoadModel | StartJob | StopJob | Playhead | WantMaps

# --- answers of the inference process ---


@dataclass(frozen=True)
class ModelReady:
    """`model` is loaded on `device`."""

    model: str
    device: str
    reason: str
    """Why this device, in one sentence."""


@dataclass(frozen=True)
class ModelFailed:
    """`model` cannot be used."""

    model: str
    message: str


@dataclass(frozen=True)
class JobStarted:
    """The store is open; `done` windows of `planned` were there already."""

    generation: int
    planned: int
    done: tuple[int, ...]
    notes: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    """One per class of a model with classes, the first is the background."""


@dataclass(frozen=True, eq=False)
class WindowsDone:
    """Results that are in the store now."""

    generation: int
    results: tuple[WindowResult, ...]
    seconds_left: float


@dataclass(frozen=True)
class JobEnded:
    """Nothing more will come for this job."""

    generation: int
    outcome: Literal["done", "stopped", "failed"]
    message: str = ""


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The mixed mask feature of one window."""

    generation: int
    index: int
    maps: NDArray[np.uint8]
    """[D,h,w], each channel scaled to its own greatest value"""
    energy: NDArray[np.float32]
    """[D], mean response, to rank the channels"""


Answer = ModelReady | ModelFailed | JobStarted | WindowsDone | JobEnded | FeatureMaps

# --- export process ---


@dataclass(frozen=True)
class ExportRequest:
    """Write the results of `store` in `formats` into `folder`."""

    store: Path
    video: Path
    folder: Path
    formats: tuple[str, ...]
    threshold: float
    color: tuple[int, int, int]
    opacity: float


@dataclass(frozen=True)
class ExportProgress:
    """How far the export is, 0..1 over all formats."""

    format: str
    share: float


@dataclass(frozen=True)
class ExportDone:
    """All files are whole."""

    files: tuple[Path, ...]


@dataclass(frozen=True)
class ExportFailed:
    """Nothing half-written is left behind."""

    message: str
