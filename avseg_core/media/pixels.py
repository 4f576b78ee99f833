"""From a decoded picture to RGB pixels in display orientation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

_RIGHT_ANGLE_TOLERANCE = 0.01
_UNTAGGED = 2
"""Code point of "unspecified" for the matrix (Rec. ITU-T H.273)."""
_HD = 720
"""Rows of a picture from which one that does not name its matrix has that of HD, BT.709, as players take it."""


def _unnamed(cls: type[Type], value: Any) -> Type:
    """A kind of side data that PyAV has no name for, such as the EXIF of photographs."""
    kind = object.__new__(cls)
    kind._name_, kind._value_ = f"UNNAMED_{value}", value
    return kind


Type._missing_ = classmethod(_unnamed)  # type: ignore[assignment]  # otherwise no side data of such pictures can be read


@dataclass(frozen=True)
class Orientation:
    """How the stored picture is turned for display: transposed first, then flipped."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """The orientation a picture's display matrix asks for; anything but right angles and mirrors is left alone.

        The matrix maps stored to displayed points, (x, y) -> (a x + c y, b x + d y), y downwards, 16.16 fixed point.
        """
        matrix = cast(SideDataContainer, frame.side_data).get(Type.DISPLAYMATRIX)
        if matrix is None:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5] / 65536
        scale = max(abs(a), abs(b), abs(c), abs(d))
        straight, crossed = (abs(a) + abs(d)) / 2, (abs(b) + abs(c)) / 2
        if scale == 0 or min(straight, crossed) > _RIGHT_ANGLE_TOLERANCE * scale:
            return cls()
        if crossed > straight:
            return cls(transpose=True, flip_rows=b < 0, flip_columns=c < 0)
        return cls(flip_rows=d < 0, flip_columns=a < 0)

    def displayed(self, height: int, width: int) -> tuple[int, int]:
        """Displayed height and width of a picture stored as `height` x `width`."""
        return (width, height) if self.transpose else (height, width)

    def apply(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Turns [H,W,3] into display orientation, contiguous."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        if self.flip_rows:
            image = image[::-1]
        if self.flip_columns:
            image = image[:, ::-1]
        return np.ascontiguousarray(image)


class RgbConverter:
    """Turns decoded pictures into uint8 RGB [H,W,3]; pictures of another size than the first are scaled to it."""

    def __init__(self, first: VideoFrame) -> None:
        self.orientation = Orientation.of(first)
        self.height, self.width = self.orientation.displayed(first.height, first.width)
        self._stored = (first.width, first.height)
        high = first.colorspace == _UNTAGGED and min(self._stored) >= _HD
        self._matrix = Colorspace.ITU709 if high else None
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        width, height = self._stored
        converted = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", src_colorspace=self._matrix
        )
        return self.orientation.apply(cast(npt.NDArray[np.uint8], converted.to_ndarray()))
