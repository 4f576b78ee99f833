"""The 71 classes of AVSBench-Semantic and the colours that stand for them in its label pictures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avseg_core.results.palette import voc_palette

_NAMES = """
    background accordion airplane axe baby bassoon bell bird boat boy bus car cat cello clarinet clipper clock dog
    donkey drum duck elephant emergency-car erhu flute frying-food girl goose guitar gun guzheng hair-dryer handpan
    harmonica harp helicopter hen horse keyboard leopard lion man marimba missile-rocket motorcycle mower parrot piano
    pig pipa saw saxophone sheep sitar sorna squirrel tabla tank tiger tractor train trombone truck trumpet tuba ukulele
    utv vacuum-cleaner violin wolf woman
"""
AVSS_CLASSES: tuple[str, ...] = tuple(_NAMES.split())
"""In the order of `label2idx.json`; 0 is background."""
_UNKNOWN = 255


@lru_cache
def _lookup() -> NDArray[np.uint8]:
    """[512] class by the three highest bits of R, G and B (71 classes use no others); 255 where no class is."""
    table = np.full(512, _UNKNOWN, dtype=np.uint8)
    table[_code(voc_palette(len(AVSS_CLASSES)))] = np.arange(len(AVSS_CLASSES))
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
    """classes [H,W] -> RGB [H,W,3]."""
    colours: NDArray[np.uint8] = voc_palette(256)[labels]
    return colours
