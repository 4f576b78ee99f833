"""A small picture of a video."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from avseg_app.workers.decode_thread import display
from avseg_core.media.video import VideoReader

_AT = 0.25
"""Share of the duration at which the picture is taken: openings are often black."""


def read_thumbnail(path: Path, width: int) -> QImage:
    """One frame of the video, `width` pixels wide.

    Raises:
        InputError: the file is not a video that can be read.
    """
    with VideoReader(path) as reader:
        frame = display(reader.frame_at(_AT * reader.info.duration))
    return frame.image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
