"""Looks at the files of one clip after the other and notes what is missing or odd."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from avseg_core.audio.front_end import EXAMPLE_SAMPLES, EXAMPLE_STEP
from avseg_core.data.audio import RATE, read_wav
from avseg_core.data.check import SPLITS, CheckReport
from avseg_core.data.clip_files import ClipFiles
from avseg_core.data.dataset import LabelMap
from avseg_core.data.masks import INDEX_MODES, read_frame
from avseg_core.data.pickles import read_logmel_pickle
from avseg_core.errors import InputError


class ClipChecker:
    """Checks clips made of picture files; memory is a hash and a name per clip."""

    def __init__(self, report: CheckReport, inspect_label: Callable[[Path, ClipChecker], LabelMap]) -> None:
        self.report = report
        self._inspect_label = inspect_label
        self._ids: dict[str, str] = {}
        self._contents = Contents()
        self._unknown_sum, self._labels = 0.0, 0

    def clip(self, split: str, files: ClipFiles) -> None:
        """All files of one clip."""
        self.report.counts[split] = self.report.counts.get(split, 0) + 1
        self._identity(split, files)
        for image, mask in zip(files.images, files.masks, strict=True):
            self._frame(image, mask)
        self._sound(files)

    def finish(self) -> None:
        """What only shows once all clips were seen."""
        if self._labels:
            self.report.facts["unknown_colour_share"] = self._unknown_sum / self._labels
        compare_counts(self.report)

    def binary_mask(self, path: Path, image: Image.Image) -> None:
        """Notes a mask that the released loaders would not read as 0 and 1."""
        if image.mode not in INDEX_MODES:
            what = f"is a picture of mode {image.mode} where palette (P) or grey (L) is due; read as on where not black"
            self.report.add("mask mode", path, what)
            return
        values = np.unique(np.asarray(image).astype(np.int64))
        if image.mode != "1" and not np.isin(values, (0, 255)).all():
            self.report.add("mask values", path, "holds values besides 0 and 255; read as on where above 0")

    def unknown_colours(self, path: Path, share: float) -> None:
        """Notes the pixels of a label picture that stand for no class."""
        self._labels += 1
        self._unknown_sum += share
        if share:
            self.report.add("unknown colours", path, f"{share:.2%} of the pixels have no class's colour (background)")

    def _identity(self, split: str, files: ClipFiles) -> None:
        if files.clip_id in self._ids:
            earlier = self._ids[files.clip_id]
            what = f"is listed twice in {split}" if earlier == split else f"is in {earlier} and in {split}"
            self.report.add("duplicate clip", files.clip_id, what)
        elif files.images[0].is_file():
            self._contents.note(self.report, files.images[0], files.clip_id, split)
        self._ids[files.clip_id] = split

    def _frame(self, image: Path, mask: Path | None) -> None:
        size = None
        if not image.is_file():
            self.report.add("missing frame", image, "no such file")
        else:
            try:
                size = read_frame(image).size
            except InputError as error:
                self.report.add("unreadable frame", image, str(error))
        if mask is None:
            return
        if not mask.is_file():
            self.report.add("missing mask", mask, "no such file")
            return
        try:
            height, width = self._inspect_label(mask, self).shape
        except InputError as error:
            self.report.add("unreadable mask", mask, str(error))
            return
        if size is not None and size != (width, height):
            self.report.add("mask size", mask, f"is {width}x{height}, its frame {size[0]}x{size[1]}")

    def _sound(self, files: ClipFiles) -> None:
        pickled = files.logmel if files.logmel is not None and files.logmel.is_file() else None
        if pickled is not None:
            try:
                read_logmel_pickle(pickled, len(files.images))
            except InputError as error:
                self.report.add("damaged log-mel", pickled, str(error))
        if files.wav.is_file():
            self._wav(files.wav, len(files.images))
        elif pickled is None:
            self.report.add("missing sound", files.wav, "no such file, and no log-mel either")

    def _wav(self, path: Path, expected: int) -> None:
        try:
            samples, rate = read_wav(path)
        except InputError as error:
            self.report.add("unreadable sound", path, str(error))
            return
        examples = max(0, (len(samples) * RATE // rate - EXAMPLE_SAMPLES) // EXAMPLE_STEP + 1)
        if examples < expected:
            seconds = len(samples) / rate
            what = f"lasts {seconds:.2f} s and gives {examples} log-mel examples, {expected} frames need {expected}"
            self.report.add("short sound", path, what)


class Contents:
    """Finds files with the same content in different splits, by size and the hash of the first 4 MiB."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[str, str]] = {}

    def note(self, report: CheckReport, path: Path, clip_id: str, split: str) -> None:
        """Notes `path` as a problem when a clip of another split has the same content."""
        try:
            with path.open("rb") as file:
                digest = hashlib.sha256(file.read(2**22) + str(path.stat().st_size).encode()).digest()
        except OSError:  # reported as unreadable by whoever reads it
            return
        other, other_split = self._seen.setdefault(digest, (clip_id, split))
        if other_split != split:
            report.add("same content", path, f"equals {other} of {other_split}: the splits are not apart")


def compare_counts(report: CheckReport) -> None:
    """Notes splits whose number of clips is not the published one."""
    for split in SPLITS:
        found, due = report.counts.get(split, 0), report.published.get(split)
        if due is not None and found != due:
            report.add("clip count", split, f"has {found} clips, the published data set {due}")
