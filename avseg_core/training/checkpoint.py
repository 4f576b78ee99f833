"""The whole state of a run in one file that is either the old one or the new one, never half of it."""

from __future__ import annotations

import os
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from avseg_core.errors import AVSegError, InputError


class SaveError(AVSegError):
    """The state could not be written; the previous file is still there."""


def save_state(state: dict[str, Any], path: Path) -> None:
    """Writes tensors and plain values to `path`: temporary file, fsync, rename, fsync of the folder.

    Raises:
        SaveError: no space, no permission, no folder; `path` is then untouched.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # torch reports a short write as a RuntimeError
        with suppress(OSError):
            partial.unlink()
        raise SaveError(f"{path}: the state could not be saved ({_reason(error)}); the previous one is kept.") from None
    sync_folder(path.parent)


def load_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote, on the CPU; the file cannot run code.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: is not a checkpoint that can be resumed (it is missing, cut off or something else).")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: is not a checkpoint that can be resumed ({_reason(error)}).") from None
    if not isinstance(state, dict):
        raise InputError(f"{path}: is not a checkpoint that can be resumed (it holds no training state).")
    return state


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last through a power cut, where the system can do that."""
    if os.name == "nt":
        return
    with suppress(OSError):  # network and removable disks often cannot; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error.__context__, OSError) and error.__context__.strerror:
        return error.__context__.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
