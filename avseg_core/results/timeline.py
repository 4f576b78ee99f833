"""What the scrub bar draws: per window how much of the frame sounds, how loud, and what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avseg_core.results.store import MaskStore


@dataclass(frozen=True, eq=False)
class Timeline:
    """The windows that are there, by index; a few dozen bytes per window."""

    index: NDArray[np.int64]
    """[n]"""
    start: NDArray[np.float64]
    """[n] seconds"""
    stop: NDArray[np.float64]
    """[n] seconds"""
    area: NDArray[np.float32]
    """[n] share of the frame that sounds, 0..1"""
    loudness: NDArray[np.float32]
    """[n] dBFS"""
    tags: tuple[str, ...]
    """[n] the surest tag, "" where there is none"""

    def __len__(self) -> int:
        return len(self.index)


def read_timeline(store: MaskStore, threshold: float = 0.5, after: int = -1) -> Timeline:
    """The timeline of the windows with an index above `after` (to follow a run that is going on).

    Raises:
        InputError: the store is damaged.
    """
    rows = list(store.summaries(threshold, after))
    return Timeline(
        index=np.array([row.index for row in rows], np.int64),
        start=np.array([row.start for row in rows], np.float64),
        stop=np.array([row.stop for row in rows], np.float64),
        area=np.array([row.area for row in rows], np.float32),
        loudness=np.array([row.loudness for row in rows], np.float32),
        tags=tuple(row.tags[0][0] if row.tags else "" for row in rows),
    )
