"""The tables of the AVSBench data sets, and one of their clips as a list of files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from avseg_core.data.check import SPLITS
from avseg_core.errors import InputError


@dataclass(frozen=True)
class ClipFiles:
    """The files of one clip, whether they exist or not."""

    clip_id: str
    images: tuple[Path, ...]
    masks: tuple[Path | None, ...]
    """One per picture; None where the layout has no annotation."""
    wav: Path
    logmel: Path | None = None
    """Pickled log-mel; used instead of the wav where it exists."""


@dataclass(frozen=True)
class Row:
    """One clip's line of a table."""

    line: int
    """Line in the file; the header is line 1."""
    cells: tuple[str, ...]
    named: dict[str, str]
    split: str


def read_table(path: Path, *, columns: tuple[str, ...] = ("split",), least: int = 2) -> Iterator[Row]:
    """The rows of a CSV file with a header that names `columns` and has at least `least` columns.

    Raises:
        InputError: missing, not text, another header, a row of another length, a split that is none, or a cell that
            could not be the name of a file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True)
            header = [name.strip() for name in next(lines, [])]
            missing = [name for name in columns if name not in header]
            if missing or len(header) < least:
                lacks = ", ".join(missing) or f"{least - len(header)} columns"
                raise InputError(f"{path}: the header lacks {lacks} (found: {', '.join(header) or 'nothing'}).")
            for cells in lines:
                if cells:
                    yield _row(path, lines.line_num, header, [cell.strip() for cell in cells])
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; the data set needs its table of clips.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error}); download it again.") from None


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise InputError(f"{path}: line {line} has {len(cells)} values, the header {len(header)}; download it again.")
    named = dict(zip(header, cells, strict=True))
    if named["split"] not in SPLITS:
        raise InputError(f"{path}: line {line} has the split {named['split']!r}; known are {', '.join(SPLITS)}.")
    odd = next((cell for cell in cells if cell in (".", "..") or any(sign in cell for sign in "/\\\0")), None)
    if odd is not None:
        raise InputError(f"{path}: line {line} holds {odd!r}, which cannot be a file name; download it again.")
    return Row(line, tuple(cells), named, named["split"])
