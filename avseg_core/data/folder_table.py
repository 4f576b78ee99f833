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
_SECTION = re.compile(r"[ \t]*\[[ \t]*(?:splits|\"splits\"|'splits')[ \t]*\][ \t]*(?:#.*)?")
_TABLE_BEGINS = re.compile(r"[ \t]*\[")
_MOVE = re.compile(r"""([ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)[ \t]*=[ \t]*)(?:"\w+"|'\w+')([ \t]*(?:#.*)?)""")
"""`"clip" = "split"`, in three parts: all before the split, the clip, and all behind the split."""
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


def write_moves(root: Path, moves: Mapping[str, str | None]) -> None:
    """Writes where clips belong, None: where they lie; other clips' lines and the rest of the file stay as they are.

    Raises:
        InputError: dataset.toml is no TOML, spells [splits] in a way that is not changed here, or cannot be written.
    """
    path, before = root / TABLE, read_moves(root)
    wanted = {name: split for name, split in {**before, **moves}.items() if split is not None}
    if wanted == before:
        return
    text = _text(path)
    remedy = 'write a section [splits] with a line "clip" = "val" for each clip'
    _write(path, _with_moves(text, moves), {**_values(text), "splits": wanted}, remedy)


def write_classes(root: Path, names: Sequence[str]) -> None:
    """Writes `classes` at the top; everything else in the file stays as it is.

    Raises:
        InputError: dataset.toml is no TOML, spells `classes` in a way that is not changed here, or cannot be written.
    """
    text = _text(root / TABLE)
    before = _values(text)
    rest = _CLASSES.sub("", text, count=1).lstrip() if "classes" in before else text  # not those of another table
    listed = ", ".join(map(toml_string, names))
    remedy = 'write classes = ["guitar", "dog"] in one line at its top'
    written = f"classes = [{listed}]\n" + (f"\n{rest}" if rest else "")
    _write(root / TABLE, written, {**before, "classes": list(names)}, remedy)


def _with_moves(text: str, moves: Mapping[str, str | None]) -> str:
    """`text` with the lines of [splits] changed, added and taken away."""
    lines = text.rstrip().split("\n") if text.strip() else []  # only these end a line in TOML
    first = next((number for number, line in enumerate(lines) if _SECTION.fullmatch(line)), None)
    if first is None:
        above, header, body, below = [*lines, *([""] if lines else [])], "[splits]", [], []
    else:
        behind = range(first + 1, len(lines))
        end = next((number for number in behind if _TABLE_BEGINS.match(lines[number])), len(lines))
        above, header, body, below = lines[:first], lines[first], lines[first + 1 : end], lines[end:]
    body = _moved(body, moves)
    if any(line.strip() for line in body) or "#" in header:
        above += [header, *body]
    elif not below:
        above = "\n".join(above).rstrip().split("\n")
    return "".join(f"{line}\n" for line in [*above, *below])


def _moved(body: list[str], moves: Mapping[str, str | None]) -> list[str]:
    """The lines below [splits]: a changed one keeps its comment, new ones follow the last one."""
    kept: list[str] = []
    left, last = dict(moves), 0
    for line in body:
        move = _MOVE.fullmatch(line)
        name = next(iter(tomllib.loads(f"{move[2]} = 0"))) if move else None
        if move and name in left:
            split = left.pop(name)
            if split is None:
                continue
            line = f"{move[1]}{toml_string(split)}{move[3]}"
        kept.append(line)
        last = len(kept) if move else last
    new = [f"{toml_string(name)} = {toml_string(split)}" for name, split in left.items() if split is not None]
    return [*kept[:last], *new, *kept[last:]]


def _write(path: Path, text: str, meant: Mapping[str, Any], remedy: str) -> None:
    """Writes `text` if it says what is meant, and with it all that the file said before."""
    try:
        says = _values(text)
    except tomllib.TOMLDecodeError:
        says = {}
    if _without_empty(says) != _without_empty(meant):
        raise InputError(f"{path}: is written in a way that cannot be changed here; {remedy}, then try again.")
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _values(text: str) -> dict[str, Any]:
    """Floats as they are written, so that nan equals itself."""
    return tomllib.loads(text, parse_float=str)


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    """A [splits] without a line says as much as none."""
    return {key: value for key, value in table.items() if key != "splits" or value}


def _text(path: Path) -> str:
    _read(path)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML, or too many digits
        raise InputError(f"{path}: cannot be read as TOML ({error}).") from None
