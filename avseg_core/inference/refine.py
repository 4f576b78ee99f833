"""Edges of a mask drawn to the edges of its picture: the guided filter (He et al. 2010) with colour as guide.

In every small window the mask is written as a linear function of the colour; where the colour is flat, that is the mean
of the mask, and where the colour has an edge, the mask gets the same one.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SOFTNESS = 1e-3
"""Variance of colour (of 0..1) below which a region counts as flat."""
_REACH = 0.0125
"""Radius of a window relative to the mask's longer side."""


def refine(probability: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """probability [h,w] (255 * p) and its picture [h,w,3] RGB -> [h,w] with edges where the picture has them."""
    height, width = probability.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    guide, mask = image.astype(np.float32) / np.float32(255), probability.astype(np.float32)
    radius = max(1, round(_REACH * max(half)))
    slopes, offset = linear_functions(
        np.asarray(cv2.resize(guide, half, interpolation=cv2.INTER_AREA), np.float32),
        np.asarray(cv2.resize(mask, half, interpolation=cv2.INTER_AREA), np.float32),
        radius,
    )
    return np.asarray(np.clip(np.rint(apply(slopes, offset, guide)), 0, 255), np.uint8)


def apply(slopes: NDArray[np.float32], offset: NDArray[np.float32], guide: NDArray[np.float32]) -> NDArray[np.float32]:
    """The functions, slopes [h,w,3] and offset [h,w], of the colours of a larger guide [H,W,3]: [H,W]."""
    size = (guide.shape[1], guide.shape[0])
    slopes = np.asarray(cv2.resize(slopes, size, interpolation=cv2.INTER_LINEAR), np.float32)
    offset = np.asarray(cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(cv2.transform(slopes * guide, np.ones((1, 3), np.float32)) + offset, np.float32)


def linear_functions(
    guide: NDArray[np.float32], mask: NDArray[np.float32], radius: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """guide [h,w,3] in 0..1, mask [h,w] -> slopes [h,w,3] and offset [h,w] of the functions, averaged over windows."""

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    covariance = mean(guide * mask[..., None]) - mean_guide * mean_mask[..., None]  # [h,w,3]
    r, g, b = cv2.split(guide)
    mr, mg, mb = cv2.split(mean_guide)
    rr, rg, rb = mean(r * r) - mr * mr + SOFTNESS, mean(r * g) - mr * mg, mean(r * b) - mr * mb
    gg, gb, bb = mean(g * g) - mg * mg + SOFTNESS, mean(g * b) - mg * mb, mean(b * b) - mb * mb + SOFTNESS
    # The inverse of a symmetric 3 x 3 matrix, written out.
    first, second, third = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    determinant = rr * first + rg * second + rb * third
    cr, cg, cb = cv2.split(covariance)
    slopes = np.dstack(
        [
            (first * cr + second * cg + third * cb) / determinant,
            (second * cr + (rr * bb - rb * rb) * cg + (rb * rg - rr * gb) * cb) / determinant,
            (third * cr + (rb * rg - rr * gb) * cg + (rr * gg - rg * rg) * cb) / determinant,
        ]
    )
    offset = mean_mask - cv2.transform(slopes * mean_guide, np.ones((1, 3), np.float32))
    return mean(np.asarray(slopes, np.float32)), mean(np.asarray(offset, np.float32))
