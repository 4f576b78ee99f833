"""What `survey` answers: plain values that cross to a window which has no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avseg_core.data.check import Problem

Tags = tuple[tuple[str, float], ...]
"""Kinds of sound with their probabilities, the surest first."""


@dataclass(frozen=True)
class Finding:
    """A problem and the clip it concerns."""

    problem: Problem
    clip: str
    """As `DataConfig.exclude` names it; empty where no clip of the data set is concerned."""


@dataclass(frozen=True)
class Preview:
    """The first annotated frame of a clip, small."""

    clip: str
    """As `DataConfig.exclude` names it."""
    image: NDArray[np.uint8]
    """[h,w,3]."""
    mask: NDArray[np.uint8]
    """[h,w] classes, 0 = background."""
    size: tuple[int, int]
    """Width and height of the original."""
    sound_file: str
    """Where the clip's sound can be listened to: from `sound_start` for `sound_seconds`."""
    sound_start: float
    sound_seconds: float
    sounds: Tags = ()
    """What is heard in it."""


@dataclass(frozen=True)
class SurveyClip:
    """A clip of a user's own folder."""

    name: str
    """As `DataConfig.exclude` names it: the split it belongs to and its file's name."""
    place: str
    """As [splits] in dataset.toml names it: where it lies."""
    masks: int
    sounds: Tags = ()
    """What is heard around its masks; empty for clips beyond the first few hundred."""


@dataclass(frozen=True)
class Survey:
    """A data set as `survey` found it."""

    root: str
    dataset: str
    title: str
    num_classes: int
    counts: dict[str, int]
    """Clips per split ("all" in a folder without splits)."""
    masks: int
    """Masks in a user's own folder; 0 for other layouts."""
    published: dict[str, int]
    findings: tuple[Finding, ...]
    totals: dict[str, int]
    """Problems per kind, also those that are not listed."""
    others: tuple[str, ...]
    """Further layouts in the same folder."""
    previews: tuple[Preview, ...] = ()
    clips: tuple[SurveyClip, ...] = ()
    """All clips of a user's own folder; empty for a published layout, whose splits are what they are."""

    @property
    def can_train(self) -> bool:
        """There is something to learn from."""
        return self.counts.get("train", 0) + self.counts.get("all", 0) > 0

    @property
    def has_splits(self) -> bool:
        """Clips for validation are kept apart by the data set itself."""
        return "all" not in self.counts
