"""What a protocol answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Protocol = Literal["avsbench", "frame", "dataset"]
PROTOCOLS: tuple[Protocol, ...] = ("avsbench", "frame", "dataset")


@dataclass(frozen=True)
class ClassScore:
    """One row of the per-class table."""

    name: str
    iou: float
    fscore: float
    frames: int
    """Frames in which the class is true or predicted."""


@dataclass(frozen=True)
class Scores:
    """The figures of one protocol; comparable only with figures of the same protocol (and batch size)."""

    protocol: Protocol
    values: dict[str, float]
    """At least "miou" and "fscore", from 0 to 1."""
    clips_per_batch: int | None = None
    """Batch size behind F in the avsbench protocol of S4 and MS3."""
    classes: tuple[ClassScore, ...] = ()

    @property
    def title(self) -> str:
        """The protocol with all that its numbers depend on."""
        return self.protocol if self.clips_per_batch is None else f"{self.protocol}, batches of {self.clips_per_batch}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        result: dict[str, Any] = {"protocol": self.protocol, "values": self.values}
        if self.clips_per_batch is not None:
            result["clips_per_batch"] = self.clips_per_batch
        if self.classes:
            result["classes"] = [vars(row) for row in self.classes]
        return result
