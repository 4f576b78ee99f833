"""Masks at irregular times, as a live recording has them: which of them holds when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avseg_core.results.store import MaskStore

REACH = 1.0
"""Seconds around its own moment for which a mask holds at most: it says nothing about a longer pause."""


class RecordedWindows:
    """The windows of a store in the order of time; `place` counts in that order, `index` is what the store calls it."""

    def __init__(self, ids: NDArray[np.int64], moments: NDArray[np.float64], reach: float = REACH) -> None:
        """`ids` and `moments` (s) of the masks, [n] each, in any order; `reach` as `REACH`."""
        order = np.argsort(moments, kind="stable")
        self._ids = ids[order]
        self._places = {int(index): place for place, index in enumerate(self._ids)}
        moments = moments[order]
        middles = (moments[1:] + moments[:-1]) / 2
        self.spans = np.stack(
            [
                np.maximum(np.concatenate([[-np.inf], middles]), moments - reach),
                np.minimum(np.concatenate([middles, [np.inf]]), moments + reach),
            ],
            axis=1,
        )
        """[n,2] seconds: from when to when each mask holds. Where none does, none was made."""

    def __len__(self) -> int:
        return len(self._ids)

    def index_of(self, place: int) -> int:
        """The index in the store of the window at `place`."""
        return int(self._ids[place])

    def place_of(self, index: int) -> int | None:
        """Where the window `index` stands; None if it is none of these."""
        return self._places.get(index)


@dataclass(frozen=True, eq=False)
class RecordedMasks:
    """A store of masks that were made while its video was recorded."""

    store: Path
    model: str
    windows: RecordedWindows
    class_names: tuple[str, ...] = ()
    """One per class of a model with classes, the first is the background."""


def read_recorded(path: Path) -> RecordedMasks:
    """What the store at `path` holds and when; no mask is unpacked for it.

    Raises:
        InputError: it is no sound mask store.
    """
    with MaskStore(path) as store:
        windows = RecordedWindows(*store.moments())
        return RecordedMasks(path, store.header.model, windows, store.header.class_names)
