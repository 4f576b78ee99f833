"""Makes a data set folder (see `folder`) of COCO or YouTube-VIS annotations with their media, or of plain videos.

A clip is a video and, for each annotated picture, a mask named by its time. Where there are only pictures, a video is
made of them and of the sound that has their folder's name. Clips that the folder holds already stay as they are, so an
import that was interrupted goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avseg_core.data.check import CheckReport, Problem
from avseg_core.data.clip_sources import Source, VideoSource, check_same, find_source
from avseg_core.data.coco_index import (
    ListedClip,
    ListedPicture,
    Listing,
    annotation_files,
    count_categories,
    read_listing,
)
from avseg_core.data.coco_masks import check_size, decode
from avseg_core.data.folder import VIDEO_SUFFIXES, clips_beside, find_videos, list_masks, mask_folder, split_folders
from avseg_core.data.frame_export import export_frames, time_name
from avseg_core.data.import_classes import MaskValues, mask_values
from avseg_core.data.import_report import TITLES, ImportOptions, ImportReport, Kind, Offer
from avseg_core.data.media_index import MediaIndex
from avseg_core.errors import InputError
from avseg_core.media import probe
from avseg_core.media.info import only_sound
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.results.writing import make_folder, write_error


def look(source: Path, media: Path | None = None) -> Offer | None:
    """What `import_data` would find at `source`: a file, or a folder; None if there is nothing to import.

    Raises:
        InputError: no such place, or an annotation file is damaged.
    """
    files = _annotations(source)
    if files:
        listings, index = _read(files, source, media)
        kind: Kind = "youtube-vis" if any(listing.is_video for listing in listings) else "coco"
        report = CheckReport(f"{TITLES[kind]} annotations (not imported yet)", str(source))
        for listing in listings:
            for clip in listing.clips:
                split = clip.split or "all"
                report.counts[split] = report.counts.get(split, 0) + 1
                try:
                    find_source(clip, index)
                except InputError as error:
                    report.add("missing media", clip.name, str(error))
        masks = sum(len(clip.pictures) for listing in listings for clip in listing.clips)
        return Offer(source, kind, report, count_categories(listings), masks)
    videos = _videos(source)
    if not videos:
        return None
    report = CheckReport(TITLES["videos"].capitalize(), str(source), {"all": len(videos)})
    for video in videos:
        report.add("missing mask", video, f"has no masks in {mask_folder(video).name}")
    return Offer(source, "videos", report)


def import_data(
    source: Path,
    out: Path,
    options: ImportOptions,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> ImportReport:
    """Writes the clips of `source` into the data set folder `out`; each clip is there whole or not at all.

    Raises:
        InputError: nothing to import, a damaged file, no such category, or `out` cannot be written.
        Cancelled: what was finished is kept.
    """
    files = _annotations(source)
    if files:
        return _import_listings(*_read(files, source, options.media), out, options, progress, cancel)
    videos = _videos(source)
    if not videos:
        raise InputError(f"{source}: holds neither COCO or YouTube-VIS annotations nor videos without masks.")
    return _import_videos(videos, out, options, progress, cancel)


def _annotations(source: Path) -> list[Path]:
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; check the path.")
    if source.is_dir():
        return annotation_files(source)
    return [source] if source.suffix.lower() == ".json" else []


def _videos(source: Path) -> list[Path]:
    """Videos without masks: the file itself, or those of the folder and its split folders."""
    if source.is_file():
        return [source] if source.suffix.lower() in VIDEO_SUFFIXES else []
    folders = dict.fromkeys((source, *split_folders(source).values()))
    return [video for folder in folders for video in find_videos(folder) if not list_masks(video)]


def _read(files: Sequence[Path], source: Path, media: Path | None) -> tuple[list[Listing], MediaIndex]:
    if media is not None and not media.is_dir():
        raise InputError(f"{media}: no such folder; give the folder that holds the videos or pictures.")
    beside = [source if source.is_dir() else path.parent for path in files]
    index = MediaIndex([media] if media is not None else beside)
    return [read_listing(path, index.has) for path in files], index


# --- annotations ----------------------------------------------------------------------------------------------------


def _import_listings(
    listings: list[Listing],
    index: MediaIndex,
    out: Path,
    options: ImportOptions,
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> ImportReport:
    jobs = [(listing, clip) for listing in listings for clip in listing.clips]
    by_split = _by_split([clip for _, clip in jobs], out)
    wanted = mask_values(_wanted(listings, options), out, classes=options.classes)
    make_folder(out)
    report = ImportReport(out)
    for done, (listing, clip) in enumerate(jobs):
        check(cancel)
        if progress is not None:
            progress(Progress("import", done, len(jobs)))
        try:
            media = find_source(clip, index, options.fps)
            folder = _folder_of(clip.name + media.suffix, clip.split if by_split else "", out)
            _import_clip(listing, clip, media, folder, wanted, report)
        except InputError as error:
            report.problems.append(Problem("left out", clip.name, str(error)))
    if progress is not None:
        progress(Progress("import", len(jobs), len(jobs)))
    if not report.clips + report.kept:
        first = report.problems[0].what if report.problems else "there is no picture in it"
        raise InputError(f"{listings[0].file}: no clip could be imported; {first}")
    return report


def _by_split(clips: list[ListedClip], out: Path) -> bool:
    """Whether clips go into split folders: where there are such, or every clip has a split."""
    if "all" not in split_folders(out):
        return True
    if not clips or not all(clip.split for clip in clips):
        return False
    if out.is_dir() and clips_beside(out):
        raise InputError(
            f"{out}: has clips outside of split folders, which a folder {clips[0].split} beside them would hide; move "
            f"them into {out / 'train'} first."
        )
    return True


def _folder_of(name: str, split: str, out: Path) -> Path:
    """Where the video `name` belongs: to its split; without one to where it is already, or to what is learned from."""
    folders = split_folders(out)
    if split or "all" in folders:
        return out / split
    return next((folder for folder in folders.values() if (folder / name).exists()), out / "train")


def _same_or_free(source: Source, target: Path) -> Path:
    """`target`, or where the video of `source` lies under this name already: masks belong to a name without its ending.

    Raises:
        InputError: another video has the name.
    """
    spellings = dict.fromkeys((target.suffix, *(spell(end) for end in VIDEO_SUFFIXES for spell in (str, str.upper))))
    there = [path for path in map(target.with_suffix, spellings) if os.path.exists(path)]
    for video in there:
        check_same(source, video)
    return there[0] if there else target


def _wanted(listings: list[Listing], options: ImportOptions) -> list[str]:
    """The categories that sound."""
    known = list(count_categories(listings))
    unknown = next((name for name in options.categories if name not in known), None)
    if unknown is not None:
        raise InputError(f"There is no category {unknown!r}; there are: {', '.join(known)}.")
    return [name for name in known if not options.categories or name in options.categories]


def _import_clip(
    listing: Listing, clip: ListedClip, source: Source, folder: Path, wanted: MaskValues, report: ImportReport
) -> None:
    target = _same_or_free(source, folder / (clip.name + source.suffix))
    masks = mask_folder(target)
    if os.path.isdir(masks):
        report.kept += 1
        return
    numbers = {key: wanted.values[name] for key, name in listing.categories.items() if name in wanted.values}
    make_folder(folder)
    partial = masks.with_name(masks.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        times = source.times(clip.pictures)
        for picture, time in zip(clip.pictures, times, strict=True):
            Image.fromarray(_mask(clip, picture, numbers)).save(partial / f"{time_name(time)}.png")
        if not target.exists():
            source.write(target)
        wanted.save()
        os.replace(partial, masks)
    except OSError as error:
        raise write_error(masks, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    report.clips += 1
    report.masks += len(times)


def _mask(clip: ListedClip, picture: ListedPicture, numbers: dict[int, int]) -> NDArray[np.uint8]:
    """[H,W] of values; of two things at one place the smaller one is in front."""
    try:
        check_size(clip.width, clip.height)
        shapes = [
            (decode(shape.segmentation, clip.width, clip.height), numbers[shape.category])
            for shape in picture.shapes
            if shape.category in numbers
        ]
    except ValueError as error:
        raise InputError(f"{picture.file}: its annotation holds {error}.") from None
    mask = np.zeros((clip.height, clip.width), np.uint8)
    for inside, value in sorted(shapes, key=lambda shape: -int(shape[0].sum())):
        mask[inside] = value
    return mask


# --- plain videos ---------------------------------------------------------------------------------------------------


def _import_videos(
    videos: list[Path],
    out: Path,
    options: ImportOptions,
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> ImportReport:
    make_folder(out)
    report = ImportReport(out)
    for done, video in enumerate(videos):
        check(cancel)
        if progress is not None:
            progress(Progress("import", done, len(videos)))
        try:
            if not probe(video).has_video:
                raise only_sound(video)
            target = _place(video, out)
            VideoSource(video).write(target)
            if options.frames:
                report.pictures += export_frames(target, options.frames, cancel=cancel)
            report.clips += 1
        except InputError as error:
            report.problems.append(Problem("left out", str(video), str(error)))
    if progress is not None:
        progress(Progress("import", len(videos), len(videos)))
    if not report.clips:
        raise InputError(report.problems[0].what)
    return report


def _place(video: Path, out: Path) -> Path:
    """Where a video belongs: where it lies if that is in `out`, otherwise in `out` or its folder train."""
    if video.resolve().is_relative_to(out.resolve()):
        return video
    folder = _folder_of(video.name, "", out)
    make_folder(folder)
    return _same_or_free(VideoSource(video), folder / video.name)
