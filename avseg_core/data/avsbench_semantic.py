"""AVSBench-Semantic (AVSS) as published: 71 classes as colours, clips of five frames padded to ten."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from avseg_core.data.avsbench import AVSBenchLayout
from avseg_core.data.check_files import ClipChecker
from avseg_core.data.clip_files import ClipFiles, Row, read_table
from avseg_core.data.dataset import LabelMap
from avseg_core.data.masks import read_colour_labels
from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.data.registry import DATASETS
from avseg_core.errors import InputError

_log = logging.getLogger(__name__)
_FRAMES = {"v1s": 5, "v1m": 5, "v2": 10}


class AVSSLayout(AVSBenchLayout):
    """AVSS/{metadata.csv,label2idx.json} and <v1s|v1m|v2>/<uid>/{frames/0.jpg..,labels_rgb/0.png..,audio.wav}.

    `has_label` is the released gt_flag in training: the first frame of v1s, all frames of v1m and v2. In val and test
    all five labels of v1s count, as in the released evaluation. `is_frame` is the released vid_flag.
    """

    title = "AVSBench-Semantic (AVSS)"
    table = "metadata.csv"
    folder = "AVSS"
    published = MappingProxyType({"train": 8498, "val": 1304, "test": 1554})
    length = 10
    repeat_last = False
    crops_training = True
    classes = (1, len(AVSS_CLASSES))

    def class_names(self, folder: Path) -> tuple[str, ...]:
        """The keys of label2idx.json in their order (its numbers differ between copies and are not used)."""
        path = folder / "label2idx.json"
        try:
            names = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return AVSS_CLASSES
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as JSON ({error}); download it again.") from None
        if not isinstance(names, dict) or len(names) != len(AVSS_CLASSES):
            raise InputError(f"{path}: must name {len(AVSS_CLASSES)} classes; download it again.")
        return tuple(names)

    def rows(self, folder: Path) -> Iterator[Row]:
        path = folder / self.table
        for row in read_table(path, columns=("uid", "split", "label")):
            if row.named["label"] not in _FRAMES:
                raise InputError(f"{path}: line {row.line} has the label {row.named['label']!r}; known: v1s, v1m, v2.")
            yield row

    def files(self, folder: Path, row: Row) -> ClipFiles:
        uid, label = row.named["uid"], row.named["label"]
        clip, count = folder / label / uid, _FRAMES[label]
        annotated = 1 if label == "v1s" and row.split == "train" else count
        return ClipFiles(
            clip_id=uid,
            images=tuple(clip / "frames" / f"{k}.jpg" for k in range(count)),
            masks=tuple(clip / "labels_rgb" / f"{k}.png" if k < annotated else None for k in range(count)),
            wav=clip / "audio.wav",
        )

    def read_label(self, path: Path) -> LabelMap:
        labels, unknown = read_colour_labels(path)
        if unknown:
            _say_unknown(path, unknown)
        return labels

    def inspect_label(self, path: Path, checker: ClipChecker) -> LabelMap:
        labels, unknown = read_colour_labels(path)
        checker.unknown_colours(path, unknown)
        return labels


@lru_cache(maxsize=4096)
def _say_unknown(path: Path, share: float) -> None:
    """One warning per file and process, not one per epoch."""
    _log.warning("%s: %.2f %% of the pixels have no class's colour and count as background.", path, 100 * share)


DATASETS.register("avss")(AVSSLayout())
