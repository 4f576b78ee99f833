"""Which value a category gets in imported masks, so that the masks a data set has already keep their meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avseg_core.data.folder import find_videos, list_masks, split_folders
from avseg_core.data.folder_table import MOST_CLASSES, RESERVED, TABLE, read_classes, write_classes
from avseg_core.errors import InputError


@dataclass(frozen=True)
class MaskValues:
    """Category name -> value in a mask, of those that sound."""

    out: Path
    values: dict[str, int]
    classes: tuple[str, ...]
    """What dataset.toml has to name; empty without classes."""

    def save(self) -> None:
        """Writes dataset.toml unless it says so already; to be called before the first mask is there."""
        if self.classes and read_classes(self.out)[1:] != self.classes:
            write_classes(self.out, self.classes)


def mask_values(names: Sequence[str], out: Path, *, classes: bool) -> MaskValues:
    """The values of `names`: those that `out` has for them, and new ones after them.

    Raises:
        InputError: a name that no class can have, too many, or masks in `out` that would not go together with these.
    """
    known = read_classes(out)[1:]
    if not classes:
        if known:
            raise InputError(f"{out}: its masks are classes ({TABLE}); import with --classes, or into another folder.")
        return MaskValues(out, dict.fromkeys(names, 255), ())
    odd = next((name for name in names if name in RESERVED or not name.isprintable()), None)
    if odd is not None:
        raise InputError(f"A class cannot be called {odd!r}; rename this category, or name the others (--categories).")
    merged = tuple(dict.fromkeys((*known, *names)))
    if len(merged) > MOST_CLASSES:
        raise InputError(f"{len(merged)} classes are more than the {MOST_CLASSES} a mask can hold; name some.")
    if not known and _has_masks(out):
        raise InputError(f"{out}: has masks without classes; import without --classes, or into another folder.")
    return MaskValues(out, {name: merged.index(name) + 1 for name in names}, merged)


def _has_masks(out: Path) -> bool:
    folders = {out, *split_folders(out).values()}
    return any(list_masks(video) for folder in folders if folder.is_dir() for video in find_videos(folder))
