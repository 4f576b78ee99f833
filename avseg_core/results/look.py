"""How masks look: from a probability map to the picture that lies over the frame, fast enough for a slider."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.results.palette import voc_palette

OverlayMode = Literal["fill", "outline", "heat", "spotlight", "none"]
_MARGIN = 2
"""Map pixels that the cubic kernel reaches beyond the part in view."""
_HALO = (24, 20, 16)


@dataclass(frozen=True)
class OverlayStyle:
    """How the mask is drawn."""

    mode: OverlayMode = "fill"
    color: tuple[int, int, int] = (230, 159, 0)
    """Red, green, blue."""
    opacity: float = 0.55
    threshold: float = 0.5


@dataclass(frozen=True)
class View:
    """The part of the map that is in view, and how large it is drawn."""

    left: int
    top: int
    right: int
    bottom: int
    """Map pixels, right and bottom excluded."""
    width: int
    height: int
    """Pixels of the drawn picture."""


def visible_part(
    shape: tuple[int, int], frame: tuple[float, float, float, float], viewport: tuple[float, float]
) -> View | None:
    """What of a map of `shape` (h, w), stretched over `frame` (x, y, width, height), falls into the viewport.

    Returns:
        The part with a margin for the interpolation, or None if nothing is in view; all lengths in the viewport's
        own pixels.
    """
    rows, columns = shape
    x, y, width, height = frame
    horizontal = _span(x, width, columns, viewport[0])
    vertical = _span(y, height, rows, viewport[1])
    if horizontal is None or vertical is None:
        return None
    (left, right), (top, bottom) = horizontal, vertical
    size = (round((right - left) * width / columns), round((bottom - top) * height / rows))
    return View(left, top, right, bottom, max(1, size[0]), max(1, size[1]))


def _span(start: float, length: float, cells: int, limit: float) -> tuple[int, int] | None:
    cell = length / cells
    first = int(np.floor(-start / cell)) - _MARGIN
    last = int(np.ceil((limit - start) / cell)) + _MARGIN
    first, last = max(first, 0), min(last, cells)
    return (first, last) if first < last else None


def render(
    probability: NDArray[np.uint8], view: View, style: OverlayStyle, labels: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The overlay for the part in `view`: [height,width,4] uint8, premultiplied blue, green, red, alpha.

    With `labels` (a class for each pixel of the map, 0 silent) areas and outlines have the colours of their classes.
    """
    if labels is not None and style.mode in ("fill", "outline"):
        return _render_classes(labels, view, style)
    part = probability[view.top : view.bottom, view.left : view.right]
    enlarged = np.asarray(cv2.resize(part, (view.width, view.height), interpolation=cv2.INTER_CUBIC), np.uint8)
    if style.mode == "heat":
        return _paint(_heat_table(round(style.opacity * 255)), enlarged)
    if style.mode == "spotlight":
        return _paint(_spotlight_table(round(style.threshold * 255), round(style.opacity * 255)), enlarged)
    inside = (enlarged > 255 * style.threshold).view(np.uint8)
    if style.mode == "fill":
        layer = _paint(_fill_table(style.color, round(style.opacity * 255)), inside)
        return _draw_edges(layer, inside, style.color, min(1.0, style.opacity + 0.3), _line_width(view, 2))
    layer = np.zeros((*inside.shape, 4), np.uint8)
    if style.mode == "outline":
        _draw_edges(layer, inside, _HALO, 0.55 * style.opacity + 0.2, _line_width(view, 5))
        _draw_edges(layer, inside, style.color, min(1.0, style.opacity + 0.4), _line_width(view, 3))
    return layer


def compose(image: NDArray[np.uint8], probability: NDArray[np.uint8], style: OverlayStyle) -> NDArray[np.uint8]:
    """image [H,W,3] RGB under the overlay of probability [h,w]: [H,W,3] RGB."""
    height, width = image.shape[:2]
    layer = render(probability, View(0, 0, probability.shape[1], probability.shape[0], width, height), style)
    clear = cv2.cvtColor(255 - layer[..., 3], cv2.COLOR_GRAY2RGB)
    below = cv2.multiply(image, clear, scale=1 / 255)
    return np.asarray(cv2.add(below, cv2.cvtColor(layer, cv2.COLOR_BGRA2RGB)), np.uint8)


def class_color(index: int) -> tuple[int, int, int]:
    """Red, green and blue that stand for a class, as in the exports."""
    red, green, blue = _class_colors()[index].tolist()
    return red, green, blue


def _render_classes(labels: NDArray[np.uint8], view: View, style: OverlayStyle) -> NDArray[np.uint8]:
    """The most probable class of each pixel; as in the exports, the threshold plays no part."""
    part = labels[view.top : view.bottom, view.left : view.right]
    enlarged = np.asarray(cv2.resize(part, (view.width, view.height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    filled = style.mode == "fill"
    layer = _paint(_class_table(round(style.opacity * 255) if filled else 0), enlarged)
    areas = [(index, (enlarged == index).view(np.uint8)) for index in np.unique(part[part > 0]).tolist()]
    if not filled:
        for _, inside in areas:
            _draw_edges(layer, inside, _HALO, 0.55 * style.opacity + 0.2, _line_width(view, 5))
    for index, inside in areas:
        alpha = min(1.0, style.opacity + (0.3 if filled else 0.4))
        _draw_edges(layer, inside, class_color(index), alpha, _line_width(view, 2 if filled else 3))
    return layer


def render_map(values: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """A feature map as an opaque-enough heat picture, [height,width,4] premultiplied."""
    part = values[view.top : view.bottom, view.left : view.right]
    enlarged = np.asarray(cv2.resize(part, (view.width, view.height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _paint(_map_table(), enlarged)


def map_colors() -> NDArray[np.uint8]:
    """The colours of feature maps: [256,3] red, green, blue."""
    return np.ascontiguousarray(_color_table(cv2.COLORMAP_VIRIDIS, np.full(256, 255))[:, 2::-1])


def _paint(table: NDArray[np.uint8], indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Looks [h,w] up in a table of [n,4] colours: [h,w,4]; four bytes at a time, which is several times faster."""
    words = np.ascontiguousarray(table).view(np.uint32)[:, 0]
    return words.take(indices).view(np.uint8).reshape(*indices.shape, 4)


@lru_cache(maxsize=1)
def _map_table() -> NDArray[np.uint8]:
    return _color_table(cv2.COLORMAP_VIRIDIS, np.full(256, 210))


def _line_width(view: View, base: int) -> int:
    """Lines keep their look on screens with many pixels."""
    return max(1, round(base * max(1.0, view.height / 540)))


def _draw_edges(
    layer: NDArray[np.uint8], inside: NDArray[np.uint8], color: tuple[int, int, int], alpha: float, width: int
) -> NDArray[np.uint8]:
    """Draws the border of `inside` over `layer`."""
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    red, green, blue = color
    ink = (blue * alpha, green * alpha, red * alpha, 255 * alpha)
    cv2.polylines(layer, contours, True, ink, width, cv2.LINE_AA)
    return layer


@lru_cache(maxsize=8)
def _fill_table(color: tuple[int, int, int], alpha: int) -> NDArray[np.uint8]:
    table = np.zeros((2, 4), np.uint8)
    table[1] = (*(channel * alpha // 255 for channel in reversed(color)), alpha)
    return table


@lru_cache(maxsize=1)
def _class_colors() -> NDArray[np.uint8]:
    return voc_palette(256)


@lru_cache(maxsize=8)
def _class_table(alpha: int) -> NDArray[np.uint8]:
    colors = np.concatenate([_class_colors()[:, ::-1], np.full((256, 1), 255, np.uint8)], axis=1)
    table = (colors.astype(np.uint16) * alpha // 255).astype(np.uint8)
    table[0] = 0
    return table


@lru_cache(maxsize=8)
def _heat_table(alpha: int) -> NDArray[np.uint8]:
    """Inferno, more opaque where it is more probable, so that what is silent stays as it was."""
    ramp = np.clip(np.arange(256) / 160, 0, 1)
    return _color_table(cv2.COLORMAP_INFERNO, ramp * alpha)


@lru_cache(maxsize=8)
def _spotlight_table(threshold: int, alpha: int) -> NDArray[np.uint8]:
    """Black over what is silent, clear over what sounds, with a soft edge."""
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = np.rint(alpha * np.clip((threshold + 16 - np.arange(256)) / 32, 0, 1))
    return table


def _color_table(name: int, alpha: NDArray[Any]) -> NDArray[np.uint8]:
    """[256,4] premultiplied blue, green, red, alpha."""
    colors = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], name)[:, 0].astype(np.float64)
    table = np.concatenate([colors * alpha[:, None] / 255, alpha[:, None]], axis=1)
    return np.asarray(np.rint(table), np.uint8)
