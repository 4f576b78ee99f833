"""The 71 classes of AVSBench-Semantic and the colours that stand for them in its label pictures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_NAMES = """
    background accordion airplane axe baby bassoon bell bird boat boy bus car cat cello clarinet clipper clock dog
    donkey drum duck elephant emergency-car erhu flute frying-food girl goose guitar gun guzheng hair-dryer handpan
    harmonica harp helicopter hen horse keyboard leopard lion man marimba missile-rocket motorcycle mower parrot piano
    pig pipa saw saxophone sheep sitar sorna squirrel tabla tank tiger tractor train trombone truck trumpet tuba ukulele
    utv vacuum-cleaner violin wolf woman
"""
AVSS_CLASSES: tuple[str, ...] = tuple(_NAMES.split())
"""In the order of `label2idx.json`; 0 is background."""
_MAX_COLOURS = 128
"""As long as there are no more entries, only the three highest bits of a channel are used (see `_lookup`)."""
_UNKNOWN = 255


@lru_cache
def palette(entries: int = len(AVSS_CLASSES)) -> NDArray[np.uint8]:
    """[entries,3] RGB of the Pascal VOC palette: the bits of the index, three at a time, into R, G, B from the top."""
    colours = np.zeros((entries, 3), dtype=np.uint8)
    for index in range(entries):
        rest, bit = index, 7
        while rest:
            colours[index] |= np.array([rest & 1, rest >> 1 & 1, rest >> 2 & 1], dtype=np.uint8) << bit
            rest, bit = rest >> 3, bit - 1
    colours.flags.writeable = False
    return colours


@lru_cache
def _lookup() -> NDArray[np.uint8]:
    """[512] class by the three highest bits of R, G and B; 255 where no class has that colour."""
    table = np.full(512, _UNKNOWN, dtype=np.uint8)
    table[_code(palette())] = np.arange(len(AVSS_CLASSES))
    return table


def _code(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    bits = colours.astype(np.int64) >> 5
    code: NDArray[np.int64] = bits[..., 0] << 6 | bits[..., 1] << 3 | bits[..., 2]
    return code


def labels_from_colours(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """RGB [H,W,3] -> classes [H,W], and the share of pixels whose colour is none of the 71.

    As in the released loader such a pixel becomes background, which happens silently there.
    """
    labels = _lookup()[_code(image)]
    labels[(image & 31).any(axis=-1)] = _UNKNOWN
    unknown = labels == _UNKNOWN
    labels[unknown] = 0
    return labels, float(unknown.mean())


def colours_from_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """classes [H,W] (below 128) -> RGB [H,W,3]."""
    return palette(_MAX_COLOURS)[labels]
