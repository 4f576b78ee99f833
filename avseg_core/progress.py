"""How a long action tells how far it is, and how it is asked to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from avseg_core.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """One report of a long action; `total` is None while it is unknown."""

    phase: str
    done: float
    total: float | None = None


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


def check(cancel: CancelCheck | None) -> None:
    """Raises Cancelled when the user has asked to stop."""
    if cancel is not None and cancel():
        raise Cancelled("Stopped on request; what was finished is kept.")
