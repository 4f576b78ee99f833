"""What `survey` answers: plain values that cross to a window which has no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avseg_core.data.check import Problem


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
    previews: tuple[Preview, ...] = field(default_factory=tuple)

    @property
    def can_train(self) -> bool:
        """There is something to learn from."""
        return self.counts.get("train", 0) + self.counts.get("all", 0) > 0

    @property
    def has_splits(self) -> bool:
        """Clips for validation are kept apart by the data set itself."""
        return "all" not in self.counts
