"""What the three AVSBench layouts share: a table of clips, five or ten pictures per clip, sound from pickle or wav."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from avseg_core.config import DataConfig
from avseg_core.data.audio import LogMel, LogMelCache, from_vggish, wav_logmel
from avseg_core.data.check import CheckReport
from avseg_core.data.check_files import ClipChecker
from avseg_core.data.clip_files import ClipFiles, Row
from avseg_core.data.dataset import ClipDataset, LabelMap, RawClip, SoundPlace
from avseg_core.data.masks import read_frame
from avseg_core.data.pickles import read_logmel_pickle
from avseg_core.errors import InputError
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check


class AVSBenchLayout(ABC):
    """A published layout; subclasses say where its files are and what they hold."""

    title: str
    table: str
    """Name of the CSV file in the data set's folder."""
    folder: str
    """Name of that folder in a download of all of AVSBench."""
    published: Mapping[str, int]
    """Clips per split."""
    length: int
    """Frames per clip, padding included."""
    repeat_last: bool
    """What stands for missing seconds of sound: the last example again, or zeros."""
    crops_training: bool
    """Training pictures keep their aspect and lose their margins, others are squeezed."""
    classes: tuple[int, ...]
    """What `num_classes` may be; the last is the layout's own."""

    def locate(self, root: Path) -> Path | None:
        """`root` or its sub-folder that holds the table."""
        return next((path for path in (root, root / self.folder) if (path / self.table).is_file()), None)

    def num_classes(self, root: Path) -> int:
        """The layout's own number of classes."""
        return self.classes[-1]

    def class_names(self, folder: Path) -> tuple[str, ...]:
        """Names of the layout's classes, 0 = background; empty where there are none."""
        return ()

    @abstractmethod
    def rows(self, folder: Path) -> Iterator[Row]:
        """All clips of the table. Raises InputError for a damaged table."""

    @abstractmethod
    def files(self, folder: Path, row: Row) -> ClipFiles:
        """Where the files of a clip are."""

    @abstractmethod
    def read_label(self, path: Path) -> LabelMap:
        """A mask as class indices."""

    @abstractmethod
    def inspect_label(self, path: Path, checker: ClipChecker) -> LabelMap:
        """`read_label` that also notes what is odd."""

    def open(self, config: DataConfig, split: str, num_classes: int) -> AVSBenchDataset:
        """The clips of one split in the order of the table."""
        if config.frames_per_clip != self.length:
            raise InputError(f"{self.title} has {self.length} frames per clip; set frames_per_clip to {self.length}.")
        if num_classes not in self.classes:
            fitting = " or ".join(map(str, self.classes))
            raise InputError(f"{self.title} needs a model with num_classes {fitting}, not {num_classes}.")
        return AVSBenchDataset(self, self._located(Path(config.root)), config, split, num_classes)

    def check(
        self, root: Path, *, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
    ) -> CheckReport:
        """Reads every file of every split; see `CheckReport`."""
        folder = self._located(root)
        report = CheckReport(self.title, str(folder), published=dict(self.published))
        try:
            rows = list(self.rows(folder))
            self.class_names(folder)
        except InputError as error:
            report.add("damaged table", folder, str(error))
            return report
        checker = ClipChecker(report, self.inspect_label)
        for done, row in enumerate(rows):
            check(cancel)
            checker.clip(row.split, self.files(folder, row))
            if progress is not None:
                progress(Progress("check", done + 1, len(rows)))
        checker.finish()
        return report

    def _located(self, root: Path) -> Path:
        folder = self.locate(root)
        if folder is None:
            raise InputError(f"{root}: holds no {self.table}; give the folder of {self.title}.")
        return folder


class AVSBenchDataset(ClipDataset):
    """One split of a published layout."""

    def __init__(self, layout: AVSBenchLayout, folder: Path, config: DataConfig, split: str, num_classes: int) -> None:
        super().__init__(config, split, layout.class_names(folder) if num_classes > 1 else ())
        self.keep_aspect = layout.crops_training and split == "train"
        self._layout = layout
        self._folder = folder
        rows = [row for row in layout.rows(folder) if row.split == split]
        left_out = set(config.exclude)
        self._rows = [row for row in rows if not left_out or f"{split}/{self._id(row)}" not in left_out]
        if not self._rows:
            raise InputError(f"{folder / layout.table}: names no clip of the split {split!r}.")
        self._cache = LogMelCache(config.cache_dir)

    def __len__(self) -> int:
        return len(self._rows)

    def clip_id(self, index: int) -> str:
        return self._files(index).clip_id

    def read(self, index: int) -> RawClip:
        files = self._files(index)
        return RawClip(
            images=[read_frame(path) for path in files.images],
            labels=[None if path is None else self._label(path) for path in files.masks],
            logmel=self._logmel(files),
        )

    def sound_place(self, index: int) -> SoundPlace:
        """The whole clip."""
        return SoundPlace(self._files(index).wav, 0.0, float(self._layout.length))

    def _id(self, row: Row) -> str:
        return self._layout.files(self._folder, row).clip_id

    def _files(self, index: int) -> ClipFiles:
        return self._layout.files(self._folder, self._rows[index])

    def _label(self, path: Path) -> LabelMap:
        label = self._layout.read_label(path)
        return label if self.class_names else np.minimum(label, 1)

    def _logmel(self, files: ClipFiles) -> LogMel:
        length, front_end = self._layout.length, self.config.front_end
        if files.logmel is not None and files.logmel.exists():
            return from_vggish(read_logmel_pickle(files.logmel, length), front_end)
        return self._cache.get(
            files.wav,
            f"{front_end} {length} {self._layout.repeat_last}",
            lambda: wav_logmel(
                files.wav, length, front_end, frames=len(files.images), repeat_last=self._layout.repeat_last
            ),
        )
