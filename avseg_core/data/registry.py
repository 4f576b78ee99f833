"""The data set layouts that can be read, and how one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from avseg_core.config import DataConfig
from avseg_core.data.check import CheckReport
from avseg_core.data.dataset import ClipDataset
from avseg_core.errors import InputError
from avseg_core.progress import CancelCheck, ProgressCallback
from avseg_core.registry import Registry


class Layout(Protocol):
    """One way to lay clips, masks and sound in folders; a new one is one file (named at the end of this one)."""

    title: str
    length: int
    """Frames per clip: the published number, or a default where any will do."""

    @property
    def published(self) -> Mapping[str, int]:
        """Clips per split of the published data set; empty for a user's own."""
        ...

    def locate(self, root: Path) -> Path | None:
        """The folder at or below `root` that has this layout, or None."""
        ...

    def num_classes(self, root: Path) -> int:
        """1 for masks of one kind, otherwise the number of classes with background."""
        ...

    def open(self, config: DataConfig, split: str, num_classes: int) -> ClipDataset:
        """The clips of one split. Raises InputError for what cannot be read or does not fit."""
        ...

    def check(
        self, root: Path, *, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
    ) -> CheckReport:
        """Looks at every file of every split and tells what is missing or odd."""
        ...


DATASETS: Registry[Layout] = Registry("data set")


def build_dataset(config: DataConfig, split: str, num_classes: int) -> ClipDataset:
    """The clips of `split` ("train", "val" or "test") in the order of the published table.

    Args:
        num_classes: 1 for sounding / not sounding, otherwise the classes of the model with 0 = background.

    Raises:
        InputError: no such data set, folder or split, a damaged table, or classes that do not fit.
    """
    return DATASETS[config.dataset].open(config, split, num_classes)


def detect_layouts(root: Path) -> list[str]:
    """Names of all layouts found at `root` (a download of the whole of AVSBench holds three).

    Raises:
        InputError: `root` is no folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder that holds the data set.")
    return [name for name, layout in DATASETS.items() if layout.locate(root) is not None]


def detect_layout(root: Path) -> str:
    """The one layout found at `root`.

    Raises:
        InputError: none or several are found.
    """
    found = detect_layouts(root)
    if not found:
        raise InputError(
            f"{root}: holds no known data set (known: {', '.join(DATASETS)}); see the README for the layouts."
        )
    if len(found) > 1:
        raise InputError(f"{root}: holds several data sets ({', '.join(found)}); choose one with --dataset.")
    return found[0]


from avseg_core.data import avsbench_object, avsbench_semantic, folder  # noqa: E402, F401  (each registers its layout)
