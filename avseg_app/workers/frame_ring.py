"""Pictures from one process to another through shared memory: the newest wins, nobody waits for anybody.

A few slots are written in turn. A reader copies the newest one and looks afterwards whether it was written over in the
meantime; the number of the picture stands before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_WIDTH, MOST_HEIGHT = 1920, 1080
"""Larger pictures are scaled down."""
MASK_WIDTH, MASK_HEIGHT = 512, 512
"""Larger masks, of models for larger pictures, are scaled down, too."""
SLOTS = 3
_HEADER = np.dtype(
    [
        ("number", "<i8"),
        ("time", "<f8"),
        ("mask_done", "<f8"),
        ("width", "<i4"),
        ("height", "<i4"),
        ("mask_width", "<i4"),
        ("mask_height", "<i4"),
        ("number_again", "<i8"),
    ]
)
_HEADER_BYTES = 64
_PICTURE_BYTES = MOST_WIDTH * MOST_HEIGHT * 4
_SLOT_BYTES = _HEADER_BYTES + _PICTURE_BYTES + MASK_WIDTH * MASK_HEIGHT


@dataclass(frozen=True, eq=False)
class SharedFrame:
    """A picture with the mask that lies on it."""

    number: int
    """Counts from 1."""
    time: float
    """When it was taken, in `time.monotonic()`, which all processes of a machine share."""
    pixels: NDArray[np.uint8]
    """[h,w,4] blue, green, red, 255"""
    mask: NDArray[np.uint8] | None
    """[a,b], 255 * p"""
    mask_done: float
    """When the model was through with it, in `time.monotonic()`."""


class FrameRing:
    """The shared block. The window makes it and removes it; the live process attaches by name."""

    def __init__(self, name: str | None = None) -> None:
        """Makes a new block, or attaches to the one called `name`."""
        self._owner = name is None
        self._memory = SharedMemory(name, create=self._owner, size=SLOTS * _SLOT_BYTES)
        self._last = 0

    @property
    def name(self) -> str:
        """What another process attaches by."""
        return self._memory.name

    def write(
        self, image: NDArray[np.uint8], mask: NDArray[np.uint8] | None, time: float, mask_done: float = 0.0
    ) -> None:
        """Puts a picture [H,W,3] RGB and its mask [h,w], which was there at `mask_done`, into the next slot."""
        image = _fitting(image, MOST_WIDTH, MOST_HEIGHT)
        mask = None if mask is None else _fitting(mask, MASK_WIDTH, MASK_HEIGHT)
        self._last += 1
        slot = self._slot(self._last % SLOTS)
        header = slot[0]
        header["number"] = self._last
        header["mask_done"] = mask_done
        header["time"], header["height"], header["width"] = time, image.shape[0], image.shape[1]
        cv2.cvtColor(image, cv2.COLOR_RGB2BGRA, dst=_part(slot[1], (*image.shape[:2], 4)))
        header["mask_height"], header["mask_width"] = mask.shape if mask is not None else (0, 0)
        if mask is not None:
            _part(slot[2], mask.shape)[:] = mask
        header["number_again"] = self._last

    def read(self) -> SharedFrame | None:
        """The newest picture, if it is newer than the last one that was read."""
        newest = max(range(SLOTS), key=lambda index: int(self._slot(index)[0]["number_again"]))
        header, picture, mask_bytes = self._slot(newest)
        number = int(header["number_again"])
        if number <= self._last or int(header["number"]) != number:
            return None
        shape = (int(header["mask_height"]), int(header["mask_width"]))
        mask = _part(mask_bytes, shape).copy() if all(shape) else None
        pixels = _part(picture, (int(header["height"]), int(header["width"]), 4)).copy()
        frame = SharedFrame(number, float(header["time"]), pixels, mask, float(header["mask_done"]))
        if int(header["number"]) != number:  # written over while it was copied
            return None
        self._last = number
        return frame

    def forget(self) -> None:
        """Makes all that was written so far old, for a new writer."""
        for index in range(SLOTS):
            header = self._slot(index)[0]
            header["number"] = header["number_again"] = 0
        self._last = 0

    def close(self) -> None:
        """Lets go of the block; its owner removes it."""
        self._memory.close()
        if self._owner:
            self._memory.unlink()

    def _slot(self, index: int) -> tuple[np.ndarray, NDArray[np.uint8], NDArray[np.uint8]]:
        start = index * _SLOT_BYTES
        header = np.ndarray((), _HEADER, self._memory.buf, start)
        picture = np.ndarray((_PICTURE_BYTES,), np.uint8, self._memory.buf, start + _HEADER_BYTES)
        size = (MASK_WIDTH * MASK_HEIGHT,)
        mask = np.ndarray(size, np.uint8, self._memory.buf, start + _HEADER_BYTES + _PICTURE_BYTES)
        return header, picture, mask


def _part(values: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return values[: int(np.prod(shape))].reshape(shape)


def _fitting(image: NDArray[np.uint8], most_width: int, most_height: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(most_width / width, most_height / height, 1.0)
    if scale == 1.0:
        return image
    return cv2.resize(image, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
