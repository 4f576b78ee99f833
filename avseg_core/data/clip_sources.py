"""Where the pictures and the sound of an annotated clip come from: a video, or pictures with a sound beside them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avseg_core.data.coco_index import ListedClip, ListedPicture
from avseg_core.data.folder import is_hidden
from avseg_core.data.masks import read_frame
from avseg_core.data.media_index import PICTURE_SUFFIXES, MediaIndex
from avseg_core.errors import InputError
from avseg_core.media import VideoReader, VideoWriter, probe
from avseg_core.results.identity import file_id
from avseg_core.results.writing import atomic

LEAST_RATE, MOST_RATE = 0.01, 1000.0
"""Pictures per second of a video."""
_ALIKE = 8.0
"""Mean difference of 255 up to which two small pictures are one."""


class Source(Protocol):
    """Gives a clip its video."""

    suffix: str

    def times(self, pictures: Sequence[ListedPicture]) -> list[float]:
        """Seconds of the annotated pictures. Raises InputError if they are not in the clip."""
        ...

    def is_in(self, video: Path) -> bool:
        """Whether `video`, which exists, is the one that `write` would make."""
        ...

    def write(self, target: Path) -> None:
        """Writes the video. Raises InputError for media that cannot be read, AVSegError for a full disk."""
        ...


def check_same(source: Source, video: Path) -> None:
    """Raises InputError if `video`, which exists, is not the one of `source`."""
    if not source.is_in(video):
        raise InputError(f"{video}: is another video of this name; rename one of them, or import into another folder.")


def find_source(clip: ListedClip, index: MediaIndex, fps: float | None = None) -> Source:
    """The media of `clip`.

    Raises:
        InputError: there are none, or pictures without a sound.
    """
    video = index.video(clip.name, clip.split)
    if video is not None:
        return VideoSource(video, clip.fps)
    pictures = [index.picture(picture.file, clip.split) for picture in clip.pictures]
    if not any(pictures):
        raise InputError(f"{clip.name}: neither a video {clip.name}.mp4 nor its pictures are among the media.")
    missing = next((clip.pictures[k].file for k, found in enumerate(pictures) if found is None), None)
    if missing is not None:
        raise InputError(f"{clip.name}: the picture {missing} is missing.")
    sound = index.sound(clip.name, clip.split)
    if sound is None:
        raise InputError(f"{clip.name}: has pictures but no sound; put {clip.name}.wav (or .mp3, .m4a) beside them.")
    return PictureSource([path for path in pictures if path is not None], sound, clip.fps if fps is None else fps)


class VideoSource:
    """A video file, taken over as it is."""

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self._path, self._fps = path, fps
        self.suffix = path.suffix.lower()

    def times(self, pictures: Sequence[ListedPicture]) -> list[float]:
        """As listed; else all frames in order if there are as many, else by the numbers in the pictures' names."""
        if all(picture.time is not None for picture in pictures):
            return [picture.time for picture in pictures if picture.time is not None]
        with VideoReader(self._path) as reader:
            times = reader.times
        if len(times) == len(pictures):
            return [float(time) for time in times]
        numbers = [picture.number for picture in pictures]
        if any(number is None or number >= len(times) for number in numbers):
            raise InputError(
                f"{self._path}: has {len(times)} frames; {pictures[-1].file} is none of them. Name pictures by the "
                "number of their frame, or annotate every frame."
            )
        return [float(times[number]) for number in numbers if number is not None]

    def is_in(self, video: Path) -> bool:
        with suppress(OSError):
            if os.path.samefile(video, self._path):
                return True
        return file_id(video) == file_id(self._path)

    def write(self, target: Path) -> None:
        """A second name for the same file where the disk allows it, otherwise a copy; never over another video."""
        if target.exists():
            check_same(self, target)
            return
        with suppress(OSError):
            os.link(os.path.realpath(self._path), target)  # a link to a symlink would lead nowhere from another folder
            return
        with atomic(target) as temporary:
            shutil.copyfile(self._path, temporary)


class PictureSource:
    """Pictures in the order of their names with one sound; a single picture stands for the whole sound."""

    suffix = ".mp4"

    def __init__(self, listed: Sequence[Path], sound: Path, fps: float | None) -> None:
        folder = listed[0].parent
        self._listed, self._sound = listed, sound
        named = folder.name == sound.stem or sound.parent == folder
        self._pictures = _pictures_in(folder) if named and len(listed) > 1 else list(listed)
        self._seconds = probe(sound).duration
        self._still = len(self._pictures) == 1
        rate = len(self._pictures) / max(self._seconds, 0.1) if fps is None else fps
        if not self._still and not LEAST_RATE <= rate <= MOST_RATE:
            raise InputError(
                f"{sound}: {len(self._pictures)} pictures to it at {rate:g} a second are no video; say with --fps how "
                f"many a second there are ({LEAST_RATE:g} to {MOST_RATE:g})."
            )
        self._fps = Fraction(1) if self._still else Fraction(rate).limit_denominator(1001)
        self._frames = self._pictures * ceil(self._seconds) if self._still else self._pictures

    def times(self, pictures: Sequence[ListedPicture]) -> list[float]:
        """One picture lies in the middle of its sound, several one after the other."""
        if self._still:
            return [self._seconds / 2]
        return [float(self._pictures.index(path) / self._fps) for path in self._listed]

    def is_in(self, video: Path) -> bool:
        """As many frames at the same times, of which the first, the middle and the last look like their pictures."""
        try:
            with VideoReader(video) as reader:
                expected = [float(k / self._fps) for k in range(len(self._frames))]
                times = reader.times.astype(float)
                if len(times) != len(expected) or not np.allclose(times, expected, atol=0.01):
                    return False
                places = sorted({0, len(expected) // 2, len(expected) - 1})
                return all(_alike(reader.frame_by_index(k).image, self._frames[k]) for k in places)
        except InputError:  # no video, so another file
            return False

    def write(self, target: Path) -> None:
        """H.264 with the sound; all pictures as large as the first."""
        first = read_frame(self._pictures[0])
        with VideoWriter(target, *first.size, fps=self._fps, sound_from=self._sound) as writer:
            for k, path in enumerate(self._frames):
                image = first if self._still else read_frame(path)
                if image.size != first.size:
                    image = image.resize(first.size, Image.Resampling.BILINEAR)
                writer.write(np.asarray(image), float(k / self._fps))


def _alike(frame: NDArray[np.uint8], picture: Path) -> bool:
    """Whether a frame shows a picture, whatever its size and what compression has taken from it."""
    small = (Image.fromarray(frame), read_frame(picture))
    one, other = (np.asarray(image.resize((32, 32), Image.Resampling.BOX), np.int16) for image in small)
    return bool(np.abs(one - other).mean() < _ALIKE)


def _pictures_in(folder: Path) -> list[Path]:
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    return sorted(path for path in pictures if not is_hidden(path))
