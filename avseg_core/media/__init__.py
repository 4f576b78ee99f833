"""Reading and writing video and sound. The names below are loaded when first used: windows alone need no FFmpeg."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avseg_core.media.audio import AudioReader
    from avseg_core.media.index import probe
    from avseg_core.media.info import AudioTrack, MediaInfo
    from avseg_core.media.video import Frame, VideoReader
    from avseg_core.media.writer import VideoWriter

__all__ = ["AudioReader", "AudioTrack", "Frame", "MediaInfo", "VideoReader", "VideoWriter", "probe"]
_HOMES = {
    "AudioReader": "audio",
    "AudioTrack": "info",
    "Frame": "video",
    "MediaInfo": "info",
    "VideoReader": "video",
    "VideoWriter": "writer",
    "probe": "index",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
