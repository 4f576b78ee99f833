"""dataset.toml of a user's own data set: the names of the classes, and clips that belong to another split.

::

    classes = ["guitar", "dog"]

    [splits]
    "train/piano" = "val"      # train/piano.mp4 measures, although it lies in train
    "violin" = "test"          # violin.mp4 in a folder without split folders; clips that are not named are train
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from avseg_core.config import toml_string
from avseg_core.data.check import SPLITS
from avseg_core.errors import InputError
from avseg_core.results.writing import atomic

TABLE = "dataset.toml"
MOST_CLASSES = 254
RESERVED = ("", "background")
"""No names of classes."""
_SECTION = re.compile(r"\n*^\[splits\][^\n]*\n(?:(?!\s*\[)[^\n]*(?:\n|$))*\n*", re.MULTILINE)
_CLASSES = re.compile(r"^classes\s*=\s*\[[^\]]*\][^\n]*(?:\n|$)", re.MULTILINE)


def read_classes(root: Path) -> tuple[str, ...]:
    """("background", ...) as dataset.toml names them, or () without that file.

    Raises:
        InputError: dataset.toml is no TOML or has no list of names under `classes`.
    """
    path = root / TABLE
    names = _read(path).get("classes", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InputError(f'{path}: `classes` must be a list of names, for instance classes = ["guitar", "dog"].')
    if len(set(names)) < len(names) or any(name in RESERVED for name in names) or len(names) > MOST_CLASSES:
        raise InputError(f"{path}: `classes` must be up to {MOST_CLASSES} different names without background.")
    return ("background", *names) if names else ()


def read_moves(root: Path) -> dict[str, str]:
    """Clip as it lies -> the split it belongs to, of the clips that [splits] names.

    Raises:
        InputError: dataset.toml is no TOML, or [splits] holds something else than train, val and test.
    """
    path = root / TABLE
    moves = _read(path).get("splits", {})
    if not isinstance(moves, dict) or any(split not in SPLITS for split in moves.values()):
        raise InputError(f'{path}: [splits] must say train, val or test of each clip, for instance "piano" = "val".')
    return moves


def write_moves(root: Path, moves: Mapping[str, str]) -> None:
    """Writes [splits], or takes it away if `moves` is empty; everything else in the file stays as it is.

    Raises:
        InputError: dataset.toml is no TOML, or cannot be written.
    """
    lines = [f"{toml_string(name)} = {toml_string(split)}\n" for name, split in moves.items()]
    section = "".join(["[splits]\n", *lines]) if lines else ""
    text = _SECTION.sub("\n\n", _text(root / TABLE)).strip()
    _write(root / TABLE, "\n\n".join(part.rstrip() for part in (text, section) if part) + "\n")


def write_classes(root: Path, names: Sequence[str]) -> None:
    """Writes `classes` at the top; everything else in the file stays as it is.

    Raises:
        InputError: dataset.toml is no TOML, or cannot be written.
    """
    text = _CLASSES.sub("", _text(root / TABLE)).lstrip()
    listed = ", ".join(map(toml_string, names))
    _write(root / TABLE, f"classes = [{listed}]\n" + (f"\n{text}" if text else ""))


def _write(path: Path, text: str) -> None:
    tomllib.loads(text)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _text(path: Path) -> str:
    _read(path)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read as TOML ({error}).") from None
