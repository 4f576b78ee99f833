"""From a COCO segmentation (polygons, or run lengths with or without compression) to pixels, whatever the file says.

Run lengths are decoded here and not by pycocotools, whose C code trusts them: a forged file would write past its array.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

MOST_PIXELS = 2**27
_LONGEST_NUMBER = 7
"""Characters of a compressed run length."""


def check_size(width: int, height: int) -> None:
    """Before anything of this size is allocated.

    Raises:
        ValueError: no picture is of this size.
    """
    if not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
        raise ValueError(f"a picture of {width}x{height}")


def decode(segmentation: Any, width: int, height: int) -> NDArray[np.bool_]:
    """The pixels [height, width] of one annotation.

    Raises:
        ValueError: no segmentation of this size; the text says why.
    """
    check_size(width, height)
    if isinstance(segmentation, list):
        return _polygons(segmentation, width, height)
    if isinstance(segmentation, dict):
        return _runs(segmentation, width, height)
    raise ValueError("a segmentation that is neither polygons nor run lengths")


def _polygons(polygons: list[Any], width: int, height: int) -> NDArray[np.bool_]:
    far = 4 * max(width, height)
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon with fewer than three corners")
        if not all(isinstance(value, int | float) and abs(value) <= far for value in polygon):
            raise ValueError("a polygon with a corner outside the picture")
    if not polygons:
        return np.zeros((height, width), bool)
    merged: NDArray[np.uint8] = rle.decode(rle.merge(rle.frPyObjects(polygons, height, width)))
    return merged.astype(bool)


def _runs(segmentation: dict[str, Any], width: int, height: int) -> NDArray[np.bool_]:
    if segmentation.get("size") != [height, width]:
        raise ValueError(f"a mask of size {segmentation.get('size')} for a picture of {width}x{height}")
    counts = segmentation.get("counts")
    runs = decompress(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("run lengths that are no numbers")
    if sum(runs) != width * height:
        raise ValueError(f"run lengths of {sum(runs)} pixels for a picture of {width * height}")
    ends = np.cumsum([0, *runs])
    flat = np.zeros(width * height, bool)
    for first, last in list(pairwise(ends))[1::2]:
        flat[first:last] = True
    return flat.reshape(width, height).T  # columns first


def decompress(text: str) -> list[int]:
    """The run lengths of a compressed mask: five bits a character, least first, as differences to the last but one.

    Raises:
        ValueError: the text ends within a number or holds a character that none of COCO's has.
    """
    runs: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift >= 5 * _LONGEST_NUMBER:
            raise ValueError("run lengths that are damaged")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("run lengths that end too soon")
    return runs
