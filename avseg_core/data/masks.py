"""Reads pictures and masks; whatever is wrong with a file becomes one line that names it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avseg_core.data.palette import labels_from_colours
from avseg_core.errors import InputError

INDEX_MODES = ("P", "L", "1")
"""PIL modes in which a pixel is one number."""
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
"""Pillow goes by content, and for some others (EPS) it starts another program."""


def read_image(path: Path) -> Image.Image:
    """The decoded picture in its own mode.

    Raises:
        InputError: missing or unreadable.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `evaluate --check` lists all that is missing.") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        reason = str(error).replace(str(path), "").strip(" '") or type(error).__name__
        raise InputError(f"{path}: cannot be read as a picture ({reason}); copy it again.") from None


def read_frame(path: Path) -> Image.Image:
    """A video frame as RGB."""
    return read_image(path).convert("RGB")


def read_binary_mask(path: Path) -> NDArray[np.uint8]:
    """[H,W] of 0 and 1 from a mask of mode 1, L, P, RGB or any other: on is what is not black (index 0 in mode P).

    The released S4 loader thresholds grey values at 128 with dithering and MS3's divides palette indices by 255; all
    three agree on masks of 0 and 255, and only this rule gives {0,1} for every way such a mask may have been saved.
    """
    return binary(read_image(path))


def binary(image: Image.Image) -> NDArray[np.uint8]:
    """What `read_binary_mask` does once the file is read."""
    if image.mode in ("RGBA", "LA", "PA", "CMYK", "YCbCr", "HSV", "LAB"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    on = np.asarray(pixels.any(axis=-1) if pixels.ndim == 3 else pixels > 0)
    return on.astype(np.uint8)


def read_drawn_mask(path: Path) -> NDArray[np.uint8]:
    """[H,W] of 0 and 1 from a mask of any mode: on is what one sees that is not black, whatever its palette indices.

    Raises:
        InputError: missing or unreadable.
    """
    image = read_image(path)
    if image.mode.startswith(("I", "F")):  # more than 8 bits: 1 of 65535 would become black
        return binary(image)
    pixels = np.asarray(image.convert("RGBA"))
    on = pixels[..., :3].any(axis=-1) & (pixels[..., 3] > 0)
    return on.astype(np.uint8)


def read_index_mask(path: Path, num_classes: int) -> NDArray[np.uint8]:
    """[H,W] class indices from a palette or grey picture.

    Raises:
        InputError: missing, unreadable, an RGB picture, or an index that no class has.
    """
    image = read_image(path)
    if image.mode not in INDEX_MODES:
        raise InputError(f"{path}: is a picture of mode {image.mode}; classes need a palette (P) or grey (L) picture.")
    labels = np.asarray(image).astype(np.uint8)
    if int(labels.max()) >= num_classes:
        raise InputError(f"{path}: holds class {int(labels.max())}; the data set names only 0 to {num_classes - 1}.")
    return labels


def read_colour_labels(path: Path) -> tuple[NDArray[np.uint8], float]:
    """[H,W] classes from a picture in the AVSBench-Semantic colours, and the share of pixels of unknown colour.

    Raises:
        InputError: missing, unreadable, or without colour (class indices instead of RGB).
    """
    image = read_image(path)
    if image.mode in ("L", "1", "I", "I;16", "F"):
        raise InputError(f"{path}: is a grey picture; labels_rgb needs the colours of the AVSBench-Semantic palette.")
    return labels_from_colours(np.asarray(image.convert("RGB")))
