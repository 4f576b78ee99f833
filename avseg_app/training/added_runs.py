"""Run folders that lie elsewhere, for instance copied back from another machine, and are shown like local ones."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from avseg_core.errors import InputError
from avseg_core.results.writing import atomic, make_folder
from avseg_core.training.run_store import Run

_LIST = "added.json"


def read_added(runs: Path) -> list[Path]:
    """The folders that were added to those in `runs` and still hold a run."""
    return [folder for folder in _listed(runs) if _is_run(folder)]


def add_runs(runs: Path, place: Path) -> list[Path]:
    """Remembers the run in `place`, or all runs in it; returns their folders.

    Raises:
        InputError: there is none, or the list cannot be written.
    """
    found = [place] if _is_run(place) else [entry for entry in _entries(place) if _is_run(entry)]
    found = [folder.absolute() for folder in found]
    if not found:
        raise InputError(f"{place}: holds no run; choose the folder with config.toml and events.jsonl in it.")
    _write(runs, [*_listed(runs), *(folder for folder in found if folder.parent != runs.absolute())])
    return found


def forget_run(runs: Path, folder: Path) -> None:
    """Takes a folder off the list; its files stay. Raises InputError if the list cannot be written."""
    _write(runs, [added for added in _listed(runs) if added != folder])


def _listed(runs: Path) -> list[Path]:
    """Also those that are not there now: their disk may come back."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        listed = json.loads((runs / _LIST).read_text(encoding="utf-8"))
        return [Path(name) for name in listed if isinstance(name, str)]
    return []


def _is_run(folder: Path) -> bool:
    run = Run(folder)
    return os.path.isfile(run.config_file) and os.path.isfile(run.events_file)  # False for a disk that answers no more


def _entries(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _write(runs: Path, folders: list[Path]) -> None:
    make_folder(runs)
    with atomic(runs / _LIST) as temporary:
        temporary.write_text(json.dumps([str(folder) for folder in dict.fromkeys(folders)]) + "\n", encoding="utf-8")
