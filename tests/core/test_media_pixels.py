"""Colours of pictures as players show them."""

from __future__ import annotations

import av
import numpy as np
import pytest

from avseg_core.media.pixels import RgbConverter

BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


def frame(width: int, height: int, *, matrix: int, y: int = 110, u: int = 90, v: int = 190) -> av.VideoFrame:
    """A picture of one colour; `matrix` is the code point of its stream (Rec. ITU-T H.273)."""
    made = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(made.planes, (y, u, v), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    made.colorspace, made.color_range = matrix, 1
    return made


def rgb(weights: tuple[float, float], y: int = 110, u: int = 90, v: int = 190) -> list[float]:
    """Rec. ITU-R BT.601 or BT.709, limited range, from the weights of red and blue in the luma."""
    red, blue = weights
    luma, cb, cr = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return [255 * value for value in (r, (luma - red * r - blue * b) / (1 - red - blue), b)]


@pytest.mark.parametrize(
    ("size", "matrix", "weights"),
    [
        ((640, 360), 2, BT601),
        ((1280, 720), 2, BT709),  # untagged HD
        ((720, 1280), 2, BT709),  # of a telephone
        ((1280, 720), 6, BT601),  # what is said counts
        ((640, 360), 1, BT709),
    ],
)
def test_the_matrix_is_what_is_said_or_usual_for_the_size(
    size: tuple[int, int], matrix: int, weights: tuple[float, float]
) -> None:
    made = frame(*size, matrix=matrix)
    shown = RgbConverter(made)(made)
    np.testing.assert_allclose(shown[100, 100], np.clip(rgb(weights), 0, 255), atol=2)
