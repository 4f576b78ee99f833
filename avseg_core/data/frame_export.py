"""Pictures of a video to be annotated: `clip.frames/1.500.png`, so that the mask is saved as `clip.masks/1.500.png`."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from avseg_core.media import VideoReader
from avseg_core.media.windows import regular_windows
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.results.writing import atomic, make_folder


def frames_folder(video: Path) -> Path:
    """Where the pictures of `video` lie: guitar.mp4 -> guitar.frames."""
    return video.with_suffix(".frames")


def time_name(seconds: float) -> str:
    """Milliseconds rounded up: at that time the frame that begins at `seconds` is on screen."""
    return f"{math.ceil(1000 * seconds - 1e-3) / 1000:.3f}"


def export_frames(
    video: Path, rate: float, *, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> int:
    """Writes `rate` pictures per second beside `video`; those that are there already stay. Returns how many are there.

    Raises:
        InputError: the video cannot be read, the rate is no positive number, or the folder cannot be written.
        Cancelled: the pictures so far are kept.
    """
    folder = frames_folder(video)
    with VideoReader(video) as reader:
        windows = regular_windows(reader.info.duration, rate)
        make_folder(folder)
        indices = list(dict.fromkeys(reader.index_at(window.frame_time) for window in windows))
        for done, index in enumerate(indices):
            check(cancel)
            path = folder / f"{time_name(float(reader.times[index]))}.png"
            if not path.exists():
                image = Image.fromarray(reader.frame_by_index(index).image)
                with atomic(path) as temporary:
                    image.save(temporary, format="PNG")
            if progress is not None:
                progress(Progress("frames", done + 1, len(indices)))
    return len(indices)
