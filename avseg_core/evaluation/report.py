"""What an evaluation found, before it is written in any format."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.metrics import Scores


@dataclass(frozen=True)
class Example:
    """One frame with its truth and the model's answer."""

    clip_id: str
    frame: int
    """0-based within the clip."""
    iou: float
    image: NDArray[np.uint8]
    """[H,W,3]."""
    truth: NDArray[np.uint8]
    """[H,W] classes, 0 = background."""
    prediction: NDArray[np.uint8]
    """[H,W] classes, 0 = background."""


@dataclass(frozen=True)
class EvaluationReport:
    """One model on one split."""

    model: str
    dataset: str
    """Title of the layout."""
    split: str
    image_size: tuple[int, int]
    """Height and width at which masks were compared."""
    clips: int
    frames: int
    """Annotated frames that were compared."""
    scores: tuple[Scores, ...]
    """One per protocol (and batch size), never to be mixed."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know."""
    clip_iou: dict[str, float] = field(default_factory=dict)
    """Mean IoU of the frames of each clip, for paired comparisons."""
    worst: tuple[Example, ...] = ()
    best: tuple[Example, ...] = ()

    @property
    def miou(self) -> float:
        """mIoU of the first protocol, 0 to 1."""
        return self.scores[0].values["miou"]

    @property
    def fscore(self) -> float:
        """F of the first protocol, 0 to 1."""
        return self.scores[0].values["fscore"]

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON, without the pictures."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "image_size": list(self.image_size),
            "clips": self.clips,
            "frames": self.frames,
            "scores": [scores.to_dict() for scores in self.scores],
            "notes": list(self.notes),
            "worst": [_place(example) for example in self.worst],
            "best": [_place(example) for example in self.best],
            "clip_iou": self.clip_iou,
        }


def _place(example: Example) -> dict[str, Any]:
    return {"clip": example.clip_id, "frame": example.frame, "iou": example.iou}


class ExampleKeeper:
    """Keeps the worst and the best frames, at most one of each per clip, in memory that does not grow."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._worst: list[tuple[float, int, Example]] = []
        self._best: list[tuple[float, int, Example]] = []
        self._order = 0

    def wants_worst(self, iou: float) -> bool:
        """Whether a frame with this score would be kept among the worst."""
        return self._count > 0 and (len(self._worst) < self._count or -iou > self._worst[0][0])

    def wants_best(self, iou: float) -> bool:
        """Whether a frame with this score would be kept among the best."""
        return self._count > 0 and (len(self._best) < self._count or iou > self._best[0][0])

    def keep_worst(self, example: Example) -> None:
        """Keeps `example` in place of the least bad one."""
        self._push(self._worst, -example.iou, example)

    def keep_best(self, example: Example) -> None:
        """Keeps `example` in place of the least good one."""
        self._push(self._best, example.iou, example)

    def worst(self) -> tuple[Example, ...]:
        """From the worst upwards."""
        return tuple(example for _, _, example in sorted(self._worst, key=lambda entry: -entry[0]))

    def best(self) -> tuple[Example, ...]:
        """From the best downwards."""
        return tuple(example for _, _, example in sorted(self._best, key=lambda entry: -entry[0]))

    def _push(self, heap: list[tuple[float, int, Example]], rank: float, example: Example) -> None:
        self._order += 1
        heapq.heappush(heap, (rank, self._order, example))
        if len(heap) > self._count:
            heapq.heappop(heap)


def mean_known(values: Sequence[float]) -> float:
    """Mean of what is not NaN; NaN if nothing is left."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
