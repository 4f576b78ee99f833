"""What can be imported, how it is to be done and what came of it: plain values that cross to a window without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from avseg_core.data.check import CheckReport, Problem

Kind = Literal["coco", "youtube-vis", "videos"]
TITLES: dict[Kind, str] = {"coco": "COCO", "youtube-vis": "YouTube-VIS", "videos": "videos without masks"}


@dataclass(frozen=True)
class ImportOptions:
    """What is taken over, and how."""

    media: Path | None = None
    """Where videos, pictures and sounds lie; None: beside the annotations."""
    categories: tuple[str, ...] = ()
    """Names of what sounds; empty for all."""
    classes: bool = False
    """Keep the categories apart as classes; otherwise a mask is everything that sounds."""
    fps: float | None = None
    """Pictures per second of clips made of pictures; None: as the file says, or spread over their sound."""
    frames: float = 1.0
    """Pictures per second that are written beside videos without masks, to be annotated; 0 for none."""


@dataclass(frozen=True)
class Offer:
    """What could be imported from a place."""

    source: Path
    kind: Kind
    report: CheckReport
    """Clips per split, and what is missing."""
    categories: dict[str, int] = field(default_factory=dict)
    """Shapes per category."""
    masks: int = 0


@dataclass
class ImportReport:
    """What was imported."""

    folder: Path
    clips: int = 0
    masks: int = 0
    pictures: int = 0
    """Written to be annotated."""
    kept: int = 0
    """Clips that were there already."""
    problems: list[Problem] = field(default_factory=list)
    """Clips that were left out, and why."""
