"""The colours of classes: the Pascal VOC palette, which AVSBench's label images use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def voc_palette(classes: int) -> NDArray[np.uint8]:
    """RGB [classes,3], at most 256: the bits of the index, three at a time, into red, green and blue from the top."""
    index = np.arange(classes)
    palette = np.zeros((classes, 3), np.uint8)
    for bit in range(3):
        for channel in range(3):
            palette[:, channel] |= (((index >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return palette
