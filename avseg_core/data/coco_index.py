"""What a COCO or YouTube-VIS file says: which pictures of which clips show what. Pictures and videos are not opened.

YouTube-VIS lists `videos` with their `file_names` and annotations with one segmentation per picture. COCO lists
`images`: those of one `video_id`, those with a `time` (as `segment --export coco` writes them) and those in a folder
that a video or sound is named after belong together; any other picture is a clip of its own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from avseg_core.errors import InputError

_CHUNK = 2**20
_KEYS = (re.compile(rb'"annotations"\s*:'), re.compile(rb'"categories"\s*:'), re.compile(rb'"(videos|images)"\s*:'))
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_NUMBER = re.compile(r"(\d{1,18})$")


@dataclass(frozen=True)
class Shape:
    """One thing in one picture."""

    category: int
    segmentation: Any
    """As the file has it; see `coco_masks.decode`."""


@dataclass
class ListedPicture:
    """A picture that was looked at; without shapes nothing sounds in it."""

    file: PurePosixPath
    time: float | None = None
    """Seconds in the video, where the file says so."""
    shapes: list[Shape] = field(default_factory=list)

    @property
    def number(self) -> int | None:
        """The number at the end of the name: the frame of the video, counted from 0."""
        match = _NUMBER.search(self.file.stem)
        return int(match[1]) if match else None


@dataclass
class ListedClip:
    """The annotated pictures of one clip, in the order of the file."""

    name: str
    split: str
    """train, val, test, or empty where the file's name says nothing."""
    width: int
    height: int
    fps: float | None
    pictures: list[ListedPicture] = field(default_factory=list)


@dataclass(frozen=True)
class Listing:
    """The content of one annotation file."""

    file: Path
    is_video: bool
    """YouTube-VIS, otherwise COCO."""
    categories: dict[int, str]
    clips: list[ListedClip]


def annotation_files(root: Path) -> list[Path]:
    """The COCO and YouTube-VIS files in `root`, in its `annotations` folder and its split folders."""
    places = (root, root / "annotations", *(root / name for name in ("train", "val", "valid", "test")))
    files = [path for place in places if place.is_dir() for path in sorted(place.glob("*.json"))]
    return [path for path in files if _is_annotation(path)]


def _is_annotation(path: Path) -> bool:
    """Whether the three lists are there, found without reading hundreds of megabytes as JSON."""
    missing, tail = set(_KEYS), b""
    try:
        with path.open("rb") as file:
            while missing and (chunk := file.read(_CHUNK)):
                text = tail + chunk
                missing = {key for key in missing if not key.search(text)}
                tail = chunk[-64:]
    except OSError:
        return False
    return not missing


def read_listing(path: Path, has_media: Callable[[str], bool]) -> Listing:
    """Reads one file; `has_media` tells whether a video or a sound has this name.

    Raises:
        InputError: it is no COCO or YouTube-VIS file, or a part of it is damaged.
    """
    try:
        data = json.loads(path.read_bytes())
        categories = {int(item["id"]): str(item["name"]) for item in data["categories"]}
        is_video = "images" not in data or any("segmentations" in item for item in data["annotations"][:1])
        clips = _clips_of_videos(data) if is_video else _clips_of_images(data, has_media)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no valid JSON ({error}); save it again.") from None
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: is no COCO or YouTube-VIS file ({_reason(error)}).") from None
    split = _split_of(path)
    for clip in clips:
        clip.split = split
    return Listing(path, is_video, categories, [clip for clip in clips if clip.pictures])


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _split_of(path: Path) -> str:
    """From the file's name, or that of its folder: instances_val2017.json, train/instances.json."""
    words = [*re.split(r"[^a-z]+", path.stem.lower()), path.parent.name.lower()]
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _clips_of_videos(data: dict[str, Any]) -> list[ListedClip]:
    clips = {int(video["id"]): _clip_of_video(video) for video in data["videos"]}
    for annotation in data["annotations"]:
        clip = clips[int(annotation["video_id"])]
        segmentations = annotation["segmentations"]
        if len(segmentations) != len(clip.pictures):
            count, due = len(segmentations), len(clip.pictures)
            raise TypeError(f"an annotation of {clip.name} has {count} segmentations, the video {due} pictures")
        for picture, segmentation in zip(clip.pictures, segmentations, strict=True):
            if segmentation:
                picture.shapes.append(Shape(int(annotation["category_id"]), segmentation))
    return list(clips.values())


def _clip_of_video(video: dict[str, Any]) -> ListedClip:
    files = [_path(name) for name in video["file_names"]]
    name = str(video.get("name") or (files[0].parent.name if files else "") or video["id"])
    pictures = [ListedPicture(file) for file in files]
    return _clip(name, video, pictures)


def _clips_of_images(data: dict[str, Any], has_media: Callable[[str], bool]) -> list[ListedClip]:
    videos = {int(video["id"]): video for video in data.get("videos") or ()}
    clips: dict[str, ListedClip] = {}
    pictures: dict[int, ListedPicture] = {}
    for image in data["images"]:
        file, time = _path(image["file_name"]), image.get("time")
        picture = ListedPicture(file, None if time is None else _seconds(time))
        about = videos.get(image.get("video_id", -1), {})
        name = _clip_name(file, about, time is not None, has_media)
        clip = clips.setdefault(name, _clip(name, {**about, **image}, []))
        clip.pictures.append(picture)
        pictures[int(image["id"])] = picture
    for annotation in data["annotations"]:
        shape = Shape(int(annotation["category_id"]), annotation["segmentation"])
        pictures[int(annotation["image_id"])].shapes.append(shape)
    return list(clips.values())


def _clip_name(file: PurePosixPath, video: dict[str, Any], timed: bool, has_media: Callable[[str], bool]) -> str:
    if video:
        return _path(video.get("name") or video.get("file_name") or video["id"]).stem
    if timed:
        return re.sub(r"_\d+$", "", file.stem)
    return file.parent.name if file.parent.name and has_media(file.parent.name) else file.stem


def _clip(name: str, about: dict[str, Any], pictures: list[ListedPicture]) -> ListedClip:
    fps = about.get("fps")
    name = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name).strip(". ") or "clip"
    rate = None if fps is None else _seconds(fps) or None
    return ListedClip(name, "", int(about["width"]), int(about["height"]), rate, pictures)


def _path(name: Any) -> PurePosixPath:
    return PurePosixPath(str(name).replace("\\", "/"))


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 <= number < math.inf:
        raise TypeError(f"{value} is no time or rate")
    return number


def count_categories(listings: Iterable[Listing]) -> dict[str, int]:
    """Shapes per category name, in the order of their ids; also those that never appear."""
    counts: dict[str, int] = {}
    for listing in listings:
        for _, name in sorted(listing.categories.items()):
            counts.setdefault(name, 0)
        for clip in listing.clips:
            for picture in clip.pictures:
                for shape in picture.shapes:
                    name = listing.categories.get(shape.category, "")
                    if name:
                        counts[name] = counts.get(name, 0) + 1
    return counts
