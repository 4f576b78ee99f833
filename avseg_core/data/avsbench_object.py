"""AVSBench-Object as published: S4 (one source, in training only the first frame is annotated) and MS3 (several)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from avseg_core.data.avsbench import AVSBenchLayout
from avseg_core.data.check_files import ClipChecker
from avseg_core.data.clip_files import ClipFiles, Row, read_table
from avseg_core.data.dataset import LabelMap
from avseg_core.data.masks import binary, read_binary_mask, read_image
from avseg_core.data.registry import DATASETS

_FRAMES = range(1, 6)


class _ObjectLayout(AVSBenchLayout):
    """What S4 and MS3 have in common."""

    length = 5
    repeat_last = True
    crops_training = False
    classes = (1,)
    may_be_empty: bool
    """Whether a frame without a sounding object is normal."""

    def read_label(self, path: Path) -> LabelMap:
        return read_binary_mask(path)

    def inspect_label(self, path: Path, checker: ClipChecker) -> LabelMap:
        image = read_image(path)
        checker.binary_mask(path, image)
        label = binary(image)
        if not self.may_be_empty and not label.any():
            checker.report.add("empty mask", path, "marks no pixel; every S4 frame has a sounding object")
        return label


class S4Layout(_ObjectLayout):
    """s4_meta_data.csv and s4_data/{visual_frames,gt_masks,audio_log_mel,audio_wav}/<split>/<category>/<name>."""

    title = "AVSBench S4"
    table = "s4_meta_data.csv"
    folder = "Single-source"
    published = MappingProxyType({"train": 3452, "val": 740, "test": 740})
    may_be_empty = False

    def rows(self, folder: Path) -> Iterator[Row]:
        return read_table(folder / self.table, least=4)

    def files(self, folder: Path, row: Row) -> ClipFiles:
        name, category = row.cells[0], row.cells[2]  # by position, whatever the header calls them
        data, place = folder / "s4_data", Path(row.split, category)
        annotated = _FRAMES[:1] if row.split == "train" else _FRAMES
        masks = data / "gt_masks" / place / name
        return ClipFiles(
            clip_id=f"{category}/{name}",
            images=tuple(data / "visual_frames" / place / name / f"{name}_{k}.png" for k in _FRAMES),
            masks=tuple(masks / f"{name}_{k}.png" if k in annotated else None for k in _FRAMES),
            wav=data / "audio_wav" / place / f"{name}.wav",
            logmel=data / "audio_log_mel" / place / f"{name}.pkl",
        )


class MS3Layout(_ObjectLayout):
    """ms3_meta_data.csv and ms3_data/; frames have no split level and ".mp4_" in their names."""

    title = "AVSBench MS3"
    table = "ms3_meta_data.csv"
    folder = "Multi-sources"
    published = MappingProxyType({"train": 296, "val": 64, "test": 64})
    may_be_empty = True

    def rows(self, folder: Path) -> Iterator[Row]:
        return read_table(folder / self.table)

    def files(self, folder: Path, row: Row) -> ClipFiles:
        name = row.cells[0]
        data = folder / "ms3_data"
        return ClipFiles(
            clip_id=name,
            images=tuple(data / "visual_frames" / name / f"{name}.mp4_{k}.png" for k in _FRAMES),
            masks=tuple(data / "gt_masks" / row.split / name / f"{name}_{k}.png" for k in _FRAMES),
            wav=data / "audio_wav" / row.split / f"{name}.wav",
            logmel=data / "audio_log_mel" / row.split / f"{name}.pkl",
        )


DATASETS.register("s4")(S4Layout())
DATASETS.register("ms3")(MS3Layout())
