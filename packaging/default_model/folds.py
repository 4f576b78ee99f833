"""Groups of the training material that the classifiers are tuned without in turn, so that some never met each thing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from catalogue import Item
from numpy.typing import NDArray

FOLDS = 3
"""Things and sounds are left out of the classifiers' tuning by so many groups in turn."""


def folds_of(items: Sequence[Item]) -> NDArray[np.int64]:
    """[items] 0..FOLDS-1: whole objects and whole sources of sound, those of every label spread over all of them."""

    def rank(name: str) -> bytes:
        return hashlib.sha256(name.encode()).digest()

    sources = [(item.label, _source(item.key)) for item in items]
    folds: dict[tuple[str, str], int] = {}
    for label in {label for label, _ in sources}:
        names = sorted({name for other, name in sources if other == label}, key=rank)
        folds |= {(label, name): (order + rank(label)[0]) % FOLDS for order, name in enumerate(names)}
    return np.array([folds[source] for source in sources])


def _source(key: str) -> str:
    """What one must know all of or nothing: a package's sounds, an instrument of a soundfont, else the key itself."""
    kind, _, name = key.partition(":")
    if kind == "notes":
        return name.rpartition("-")[0]
    return name.partition("/")[0] if kind in ("sound", "speech") else key
