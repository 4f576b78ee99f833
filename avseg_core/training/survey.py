"""What somebody who is about to train wants to know of a folder: layout, clips, problems, and how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from avseg_core.config import DataConfig
from avseg_core.data.check import SPLITS, Problem
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.folder import VIDEO_SUFFIXES, clips_in, place_name, split_names
from avseg_core.data.registry import DATASETS, build_dataset, detect_layouts
from avseg_core.errors import AVSegError, InputError
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.training.survey_report import Finding, Preview, Survey, SurveyClip
from avseg_core.training.survey_sounds import FRONT_END, Listener

PREVIEWS = 12
PREVIEW_SIDE = 320


def survey(
    root: Path,
    dataset: str = "",
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> Survey:
    """Looks at every file of the data set at `root`; memory is bounded whatever its size.

    Raises:
        InputError: `root` is no folder or holds no known layout; the line says what was found instead.
        Cancelled: the user stopped it.
    """
    found = detect_layouts(root)
    if not found:
        raise InputError(explain_unknown(root))
    name = dataset or found[0]
    layout = DATASETS[name]
    report = layout.check(root, progress=progress, cancel=cancel)
    located = layout.locate(root) or root
    try:
        classes = layout.num_classes(located)
    except InputError:
        classes = 1  # the report names the damaged table
    known = set(_clip_names(root, name, classes))
    findings = tuple(Finding(problem, _clip_of(problem, root, known)) for problem in report.problems)
    broken = {finding.clip for finding in findings}
    listener = Listener()
    previews = tuple(_previews(root, name, classes, broken, listener, progress, cancel))
    clips = tuple(_list_clips(root, broken, listener, progress, cancel)) if name == "folder" else ()
    return Survey(
        root=str(root),
        dataset=name,
        title=report.title,
        num_classes=classes,
        counts=dict(report.counts),
        masks=sum(clip.masks for clip in clips),
        published=dict(report.published),
        findings=findings,
        totals=dict(report.totals),
        others=tuple(other for other in found if other != name),
        previews=previews,
        clips=clips,
    )


def explain_unknown(root: Path) -> str:
    """Why `root` is no data set, judged by what lies in it, and what to do."""
    if not any(root.iterdir()):
        return f"{root}: the folder is empty; put videos in it, each with a folder of masks beside it."
    entries = list(_some_files(root))
    videos = [path for path in entries if path.suffix.lower() in VIDEO_SUFFIXES]
    masks = [path for path in entries if path.suffix == ".masks" and path.is_dir()]
    if videos and not masks:
        name = videos[0].stem
        return f"{root}: holds videos but no masks; put the masks of {videos[0].name} into {name}.masks/ as 1.500.png."
    if masks and not videos:
        return f"{root}: holds masks but no videos; put the video of {masks[0].name} beside it."
    if videos and masks:
        return f"{root}: no video has the name of a masks folder; guitar.mp4 belongs beside guitar.masks."
    return f"{root}: holds no known data set; give a folder of videos with masks, or one of AVSBench (S4, MS3, AVSS)."


def _some_files(root: Path, most: int = 2000) -> Iterator[Path]:
    for folder in (root, *(root / split for split in SPLITS)):
        if folder.is_dir():
            for count, path in enumerate(sorted(folder.iterdir())):
                if count < most:
                    yield path


def _open(root: Path, dataset: str, split: str, classes: int) -> ClipDataset | None:
    length = DATASETS[dataset].length
    config = DataConfig(dataset=dataset, root=str(root), frames_per_clip=length, front_end=FRONT_END)
    try:
        return build_dataset(config, split, classes)
    except InputError:
        return None


def _clip_names(root: Path, dataset: str, classes: int) -> Iterator[str]:
    """All clips as `DataConfig.exclude` names them."""
    if dataset == "folder":
        for split in _splits_of(root):
            try:
                yield from (f"{split}/{clip.video.stem}" for clip in clips_in(root, split))
            except InputError:
                continue  # the report says what is wrong with this folder
        return
    for split in SPLITS:
        clips = _open(root, dataset, split, classes)
        if clips is not None:
            yield from (f"{split}/{clips.clip_id(index)}" for index in range(len(clips)))


def _splits_of(root: Path) -> tuple[str, ...]:
    try:
        return split_names(root)
    except InputError:
        return ()  # the report names the damaged table


def _clip_of(problem: Problem, root: Path, known: set[str]) -> str:
    """The clip that a problem is about, found by the names in its path."""
    place = Path(problem.where)
    with_root = place if not place.is_absolute() else _relative(place, root)
    words = [*with_root.parts[:-1], with_root.stem, with_root.name]
    words += [word.removesuffix(".masks") for word in words if word.endswith(".masks")]
    matches = [name for name in known if name.rpartition("/")[2] in words]
    split = [name for name in matches if name.partition("/")[0] in words]
    return (split or matches or [""])[-1]


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _list_clips(
    root: Path, broken: set[str], listener: Listener, progress: ProgressCallback | None, cancel: CancelCheck | None
) -> Iterator[SurveyClip]:
    """Every clip of a user's own folder with what is heard in it."""
    for split in _splits_of(root):
        try:
            clips = clips_in(root, split)
        except InputError:
            continue  # the report says what is wrong with this folder
        for done, clip in enumerate(clips):
            check(cancel)
            if progress is not None:
                progress(Progress("listen", done, len(clips)))
            name = f"{split}/{clip.video.stem}"
            place = place_name("all" if clip.video.parent == root else clip.video.parent.name, clip.video.stem)
            sounds = () if name in broken else listener.hear_clip(clip)
            yield SurveyClip(name, place, len(clip.masks), sounds)


def _previews(
    root: Path,
    dataset: str,
    classes: int,
    broken: set[str],
    listener: Listener,
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> Iterator[Preview]:
    """The first annotated frame of clips that are spread over training and validation."""
    splits = ["train"] if dataset == "folder" and "all" in _splits_of(root) else ["train", "val"]
    for split in splits:
        clips = _open(root, dataset, split, classes)
        if clips is None:
            continue
        most = PREVIEWS if len(splits) == 1 else PREVIEWS // 2 if split == "val" else PREVIEWS - PREVIEWS // 2
        place = "all" if len(splits) == 1 else split
        for done, index in enumerate(np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).astype(int))):
            check(cancel)
            if progress is not None:
                progress(Progress("preview", done, min(most, len(clips))))
            clip = clips.clip_id(int(index))
            name = f"{place}/{clip.partition('@')[0] if dataset == 'folder' else clip}"
            if name in broken:
                continue
            preview = _preview(clips, int(index), name, listener)
            if preview is not None:
                yield preview


def _preview(clips: ClipDataset, index: int, name: str, listener: Listener) -> Preview | None:
    try:
        raw = clips.read(index)
    except AVSegError:
        return None  # the report tells
    pairs = [(image, label) for image, label in zip(raw.images, raw.labels, strict=True) if label is not None]
    if not pairs:
        return None
    # The frame with the largest mask says most about the clip.
    image, label = max(pairs, key=lambda pair: int(np.count_nonzero(pair[1])))
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    mask = Image.fromarray(label).resize(small.size, Image.Resampling.NEAREST)
    place = clips.sound_place(index)
    return Preview(
        clip=name,
        image=np.asarray(small.convert("RGB")),
        mask=np.asarray(mask, np.uint8),
        size=image.size,
        sound_file=str(place.file),
        sound_start=place.start,
        sound_seconds=place.seconds,
        sounds=listener.hear(raw.logmel[: len(raw.images)]),
    )
