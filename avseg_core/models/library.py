"""Which models there are and what their files say, without loading torch.

A model is `NAME/model.safetensors` or `NAME.safetensors` in one of `model_folders()`. The file's own metadata holds the
configuration; a `manifest.json` beside `model.safetensors` may hold its "sha256", which is then verified.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from avseg_core.config import ModelConfig, from_dict
from avseg_core.errors import InputError

WEIGHTS = "model.safetensors"
MANIFEST = "manifest.json"
CONFIG_KEY = "avseg_config"
_LONGEST_HEADER = 100_000_000


def user_models() -> Path:
    """Where imported and trained models are kept: $AVSEG_MODELS, or the platform's folder for application data."""
    if chosen := os.environ.get("AVSEG_MODELS"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "avseg" / "models"


def model_folders() -> tuple[Path, ...]:
    """Where models are looked for, first find wins: the user's folder, then what the application ships."""
    return user_models(), Path(str(files("resources"))) / "models"


def available_models() -> list[str]:
    """Names of all shipped and imported models."""
    return sorted({name for folder in model_folders() for name, _ in _models_in(folder)})


def short_name(name_or_path: str) -> str:
    """What a model is called in tables: its own name, its file's, or its folder's if the file is called as all are."""
    path = Path(name_or_path)
    return path.parent.name if path.name == WEIGHTS and path.parent.name else path.name.removesuffix(".safetensors")


def find_model(name_or_path: str | Path) -> Path:
    """The weights file that a name, a file or a model's folder stands for.

    Raises:
        InputError: there is no such model; the line lists those that there are.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    if (path / WEIGHTS).is_file():
        return path / WEIGHTS
    for folder in model_folders():
        for name, weights in _models_in(folder):
            if name == str(name_or_path):
                return weights
    known = ", ".join(available_models()) or "none is installed"
    raise InputError(f"{name_or_path}: no such model; available: {known}. A file must end in .safetensors.")


def _models_in(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.suffix == ".safetensors" and entry.is_file():
            yield entry.stem, entry
        elif (entry / WEIGHTS).is_file() and entry.suffix != ".partial":
            yield entry.name, entry / WEIGHTS


def read_metadata(path: Path) -> dict[str, str]:
    """The free metadata of a safetensors file, read from its header alone.

    Raises:
        InputError: the file cannot be read or is no safetensors file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_HEADER, path.stat().st_size):
                raise ValueError("its header is damaged")
            header: Any = json.loads(file.read(length))
        metadata = header.get("__metadata__", {})
        return {str(key): str(value) for key, value in metadata.items()}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: not a safetensors file ({error}); get the model again.") from None


def read_config(path: Path) -> ModelConfig:
    """The configuration inside a model file of ours.

    Raises:
        InputError: the file cannot be read, or holds no configuration or one that no model can have.
    """
    text = read_metadata(path).get(CONFIG_KEY)
    if text is None:
        raise InputError(f"{path}: holds no configuration; published checkpoints go through import-checkpoint first.")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{path}: its configuration is damaged; get the model again.")
    config = from_dict(ModelConfig, values, source=str(path))
    try:
        config.check()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return config


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path) -> None:
    """Compares a model's file with the "sha256" of the manifest beside it, if there is one.

    Raises:
        InputError: they differ, or the manifest cannot be read.
    """
    manifest = path.with_name(MANIFEST)
    if path.name != WEIGHTS or not manifest.is_file():
        return
    try:
        values: Any = json.loads(manifest.read_text(encoding="utf-8"))
        expected = values.get("sha256")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{manifest}: cannot be read ({error}); get the model again.") from None
    if expected is not None and sha256(path) != expected:
        raise InputError(f"{path}: damaged, its SHA-256 is not the one in {MANIFEST}; get the model again.")
