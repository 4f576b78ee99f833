"""A user's own data set: videos with masks at times of the user's choice.

Layout::

    <root>/dataset.toml                    optional; names the classes
    <root>/train/<clip>.mp4                any video file; its own sound belongs to it
    <root>/train/<clip>.masks/1.500.png    the mask of the frame on screen at 1.5 s; as many as there are
    <root>/val/...  <root>/test/...

Without train/val/test folders the clips lie in <root> itself and every split is all of them. Without dataset.toml a
mask is on where it shows something that is not black (any kind of PNG). dataset.toml with ``classes = ["guitar",
"dog"]`` makes masks palette or grey pictures whose values are classes: 0 background, 1 guitar, 2 dog. A mask has the
video's own width and height (other sizes are resized). The sound of a mask is the second around its time. A clip can
be put into another split by a line of dataset.toml (see `folder_table`), so that no file has to be moved.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from avseg_core.audio.front_end import EXAMPLE_FRAMES, MEL_BANDS, FrontEnd, window_logmel
from avseg_core.config import DataConfig
from avseg_core.data.audio import RATE, LogMel, LogMelCache
from avseg_core.data.check import SPLITS, CheckReport
from avseg_core.data.check_files import Contents
from avseg_core.data.dataset import ClipDataset, LabelMap, RawClip, SoundPlace
from avseg_core.data.folder_table import TABLE, read_classes, read_moves
from avseg_core.data.masks import read_drawn_mask, read_index_mask
from avseg_core.data.registry import DATASETS
from avseg_core.errors import InputError
from avseg_core.media import AudioReader, VideoReader
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ogv", ".ts")
WINDOW_SECONDS = 1.0


@dataclass(frozen=True)
class AnnotatedClip:
    """A video and its masks in the order of time."""

    video: Path
    masks: tuple[Path, ...]
    times: tuple[float, ...]
    """Seconds, one per mask."""


def find_clips(folder: Path) -> list[AnnotatedClip]:
    """The videos of `folder` (sorted by name) that have a masks folder beside them.

    Raises:
        InputError: two videos would share a masks folder, or a mask's name is no time.
    """
    clips: dict[Path, AnnotatedClip] = {}
    for video in find_videos(folder):
        masks = mask_folder(video)
        if not os.path.isdir(masks):
            continue
        if masks in clips:
            raise InputError(f"{masks}: belongs to {clips[masks].video.name} and to {video.name}; rename one of them.")
        timed = sorted((_seconds(path), path) for path in list_masks(video))
        if timed:
            clips[masks] = AnnotatedClip(video, tuple(path for _, path in timed), tuple(time for time, _ in timed))
    return list(clips.values())


def find_videos(folder: Path) -> list[Path]:
    """The video files of `folder`, sorted by name.

    Raises:
        InputError: the folder cannot be listed.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror}); change its permissions.") from None
    return [path for path in entries if path.suffix.lower() in VIDEO_SUFFIXES and not is_hidden(path)]


def is_hidden(path: Path) -> bool:
    """Not the user's own, as the ._1.500.png that macOS puts beside a 1.500.png on other disks."""
    return path.name.startswith(".")


def mask_folder(video: Path) -> Path:
    """Where the masks of `video` lie: guitar.mp4 -> guitar.masks."""
    return video.with_suffix(".masks")


def list_masks(video: Path) -> list[Path]:
    """The masks of `video`, in no order; empty if it has none."""
    folder = mask_folder(video)
    if not os.path.isdir(folder):  # unlike Path's it answers for a name that is too long
        return []
    return [path for path in folder.glob("*.png") if not is_hidden(path)]


def _seconds(path: Path) -> float:
    try:
        time = float(path.stem)
    except ValueError:
        time = math.nan
    if not 0 <= time < math.inf:
        raise InputError(f"{path}: the name must be the time in seconds, for instance 1.500.png.")
    return time


def split_folders(root: Path) -> dict[str, Path]:
    """The folder of each split there is; {"all": root} without split folders."""
    return {split: root / split for split in SPLITS if (root / split).is_dir()} or {"all": root}


def split_names(root: Path) -> tuple[str, ...]:
    """The splits that the clips of `root` belong to by folder and dataset.toml; ("all",) where nothing says.

    Raises:
        InputError: dataset.toml is damaged.
    """
    moves, folders = read_moves(root), split_folders(root)
    if not moves:
        return tuple(folders)
    found = {*moves.values(), *("train" if place == "all" else place for place in folders)}
    return tuple(split for split in SPLITS if split in found)


def clips_in(root: Path, split: str) -> list[AnnotatedClip]:
    """The clips of one of `split_names`, sorted by name.

    Raises:
        InputError: as `find_clips`, a damaged dataset.toml, or two clips of one name in the split.
    """
    moves, folders = read_moves(root), split_folders(root)
    if not moves:
        return find_clips(folders[split])
    chosen: dict[str, AnnotatedClip] = {}
    for place, folder in folders.items():
        for clip in find_clips(folder):
            stem = clip.video.stem
            if moves.get(place_name(place, stem), "train" if place == "all" else place) != split:
                continue
            if stem in chosen:
                raise InputError(f"{clip.video}: {chosen[stem].video} is also a clip of {split}; rename one of them.")
            chosen[stem] = clip
    return [chosen[stem] for stem in sorted(chosen)]


def clips_beside(root: Path) -> list[Path]:
    """The videos with masks in `root` itself: unused as soon as there is a split folder."""
    return [video for video in find_videos(root) if list_masks(video)]


def place_name(place: str, stem: str) -> str:
    """A clip as [splits] in dataset.toml names it: by the split folder it lies in, if there are such."""
    return stem if place == "all" else f"{place}/{stem}"


class FolderLayout:
    """The layout that the head of this file describes."""

    title = "own folder"
    length = 5
    published: Mapping[str, int] = MappingProxyType({})

    def locate(self, root: Path) -> Path | None:
        """`root` when it or one of its split folders holds a video with masks."""
        places = [place for place in (root, *(root / split for split in SPLITS)) if place.is_dir()]
        found = any(os.path.isdir(mask_folder(video)) for place in places for video in find_videos(place))
        return root if found else None

    def num_classes(self, root: Path) -> int:
        """1, or the classes of dataset.toml with background."""
        return max(1, len(read_classes(root)))

    def open(self, config: DataConfig, split: str, num_classes: int) -> FolderDataset:
        """The clips of one split in the order of their names; one sample per `frames_per_clip` masks of a clip."""
        return FolderDataset(config, split, num_classes)

    def check(
        self, root: Path, *, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
    ) -> CheckReport:
        """Opens every video, looks at every mask; see `CheckReport`."""
        report = CheckReport(self.title, str(root))
        contents = Contents()
        try:
            names, splits = read_classes(root), split_names(root)
        except InputError as error:
            report.add("damaged table", root / TABLE, str(error))
            return report
        folders = split_folders(root)
        for folder in folders.values():
            _note_leftovers(report, folder)
        if "all" not in folders:
            for video in clips_beside(root):
                report.add("unused clip", video, f"is not used, as there is {' and '.join(folders)}; move it in there")
        for split in splits:
            try:
                clips = clips_in(root, split)
            except InputError as error:
                report.add("odd name", split, str(error))
                continue
            report.counts[split] = len(clips)
            for done, clip in enumerate(clips):
                check(cancel)
                contents.note(report, clip.video, clip.video.stem, split)
                _check_clip(report, clip, names)
                if progress is not None:
                    progress(Progress(f"check {split}", done + 1, len(clips)))
        return report


def _note_leftovers(report: CheckReport, folder: Path) -> None:
    """Videos without masks and masks without a video."""
    videos = find_videos(folder)
    for video in videos:
        if not list_masks(video):
            report.add("missing mask", video, f"has no masks in {mask_folder(video).name}")
    known = {mask_folder(video) for video in videos}
    for masks in sorted(folder.glob("*.masks")):
        if masks not in known and not is_hidden(masks):
            report.add("missing video", masks, "belongs to no video beside it")


def _check_clip(report: CheckReport, clip: AnnotatedClip, names: tuple[str, ...]) -> None:
    size = None
    try:
        with VideoReader(clip.video) as reader:
            info = reader.info
            size = next(iter(reader.frames_at(clip.times[:1]))).image.shape[:2]
        if not info.audio:
            report.add("missing sound", clip.video, "has no sound track; read as silence")
        for path, time in zip(clip.masks, clip.times, strict=True):
            if time > info.duration:
                report.add("mask time", path, f"lies behind the end of the video ({info.duration:.3f} s)")
    except InputError as error:
        report.add("unreadable video", clip.video, str(error))
    for path in clip.masks:
        try:
            shape = _read_label(path, names).shape
        except InputError as error:
            report.add("unreadable mask", path, str(error))
            continue
        if size is not None and shape != size:
            report.add("mask size", path, f"is {shape[1]}x{shape[0]}, its video {size[1]}x{size[0]}")


def _read_label(path: Path, names: tuple[str, ...]) -> LabelMap:
    return read_index_mask(path, len(names)) if names else read_drawn_mask(path)


class FolderDataset(ClipDataset):
    """One split of a user's own data set; a clip with many masks becomes several samples, the last one padded."""

    def __init__(self, config: DataConfig, split: str, num_classes: int) -> None:
        root = Path(config.root)
        if not root.is_dir():
            raise InputError(f"{root}: no such folder; give the folder that holds the data set.")
        self._names = read_classes(root)
        if num_classes not in {1, max(1, len(self._names))}:
            needs = f"1 or {len(self._names)}" if self._names else "1"
            raise InputError(f"{root}: needs a model with num_classes {needs}, not {num_classes} (see {TABLE}).")
        super().__init__(config, split, self._names if num_classes > 1 else ())
        splits = split_names(root)
        if split not in splits and "all" not in splits:
            raise InputError(f"{root / split}: no such folder; the data set has {', '.join(splits)}.")
        place = split if split in splits else "all"
        clips = [clip for clip in clips_in(root, place) if f"{place}/{clip.video.stem}" not in config.exclude]
        if place == "all":  # of what is left: clips that are left out cannot be the ones to measure with
            clips = _held_out(clips, split, config.hold_out)
        self._parts = list(_parts(clips, config.frames_per_clip))
        if not self._parts:
            raise InputError(
                f"{root}: holds no {split} video with masks beside it (<clip>.mp4, <clip>.masks/1.500.png)."
            )
        self._cache = LogMelCache(config.cache_dir)

    def __len__(self) -> int:
        return len(self._parts)

    def clip_id(self, index: int) -> str:
        return self._parts[index][0]

    def prediction_name(self, index: int, frame: int) -> str | None:
        """As the mask it answers: `<clip>.masks/<seconds>.png`; None for padding."""
        masks = self._parts[index][1].masks
        return f"{masks[frame].parent.name}/{masks[frame].name}" if frame < len(masks) else None

    def sound_place(self, index: int) -> SoundPlace:
        """The seconds around the masks."""
        times = self._parts[index][1].times
        start = max(0.0, times[0] - WINDOW_SECONDS / 2)
        return SoundPlace(self._parts[index][1].video, start, times[-1] + WINDOW_SECONDS / 2 - start)

    def read(self, index: int) -> RawClip:
        clip = self._parts[index][1]
        with VideoReader(clip.video) as reader:
            images = [Image.fromarray(frame.image) for frame in reader.frames_at(clip.times)]
        labels: list[LabelMap | None] = []
        for path in clip.masks:
            label = _read_label(path, self._names)
            labels.append(label if self.class_names else np.minimum(label, 1))
        front_end = self.config.front_end
        sound = self._cache.get(clip.video, f"{front_end} {clip.times}", lambda: _windows(clip, front_end))
        logmel = np.zeros((self.config.frames_per_clip, EXAMPLE_FRAMES, MEL_BANDS), np.float32)
        logmel[: len(sound)] = sound
        return RawClip(images, labels, logmel)


def _held_out(clips: list[AnnotatedClip], split: str, share: float) -> list[AnnotatedClip]:
    """The part of a folder without splits that belongs to `split`, by the names of the clips only."""
    if not share or len(clips) < 2:
        return clips
    shuffled = sorted(clips, key=lambda clip: hashlib.sha256(clip.video.stem.encode()).digest())
    held = set(shuffled[: min(max(1, round(share * len(clips))), len(clips) - 1)])
    return [clip for clip in clips if (clip in held) == (split != "train")]


def _parts(clips: list[AnnotatedClip], length: int) -> Iterator[tuple[str, AnnotatedClip]]:
    """Each clip cut into runs of at most `length` masks, with an id that is unique in the split."""
    for clip in clips:
        for first in range(0, len(clip.masks), length):
            part = slice(first, first + length)
            name = clip.video.stem if len(clip.masks) <= length else f"{clip.video.stem}@{clip.masks[first].stem}"
            yield name, AnnotatedClip(clip.video, clip.masks[part], clip.times[part])


def _windows(clip: AnnotatedClip, front_end: FrontEnd) -> LogMel:
    """[T,96,64]: the second of sound centred on each mask's time."""
    with AudioReader(clip.video, rate=RATE) as sound:
        seconds = [sound.read(time - WINDOW_SECONDS / 2, WINDOW_SECONDS) for time in clip.times]
    return np.concatenate([window_logmel(second, front_end) for second in seconds])


DATASETS.register("folder")(FolderLayout())
