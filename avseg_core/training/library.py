"""The user's models: a finished run becomes one, and they are listed, renamed, copied out and deleted. No torch here.

A model is a folder in the user's model folder with model.safetensors, config.toml and a manifest.json: its card.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from avseg_core.config import ModelConfig, save_toml
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.onnx_files import forget_onnx
from avseg_core.models.library import (
    MANIFEST,
    WEIGHTS,
    available_models,
    find_model,
    model_folders,
    read_config,
    read_metadata,
    sha256,
    user_models,
)
from avseg_core.training.run_store import Run

_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model without loading it."""

    name: str
    file: Path
    size: int
    """Bytes of the weights."""
    config: ModelConfig
    facts: dict[str, Any] = field(default_factory=dict)
    """What its manifest and its file say: parent, data, miou, fscore, date, source, ..."""

    @property
    def is_own(self) -> bool:
        """It lies in the user's folder, so it may be renamed and deleted."""
        return user_models() in self.file.parents


@dataclass(frozen=True)
class Speed:
    """How fast a model is on this machine, as `bench --quick` measured it."""

    milliseconds: float
    """Per frame and its sound, one at a time."""
    device: str
    threads: int


def known_speed(card: ModelCard) -> Speed | None:
    """What was measured of this very file; None if nothing was."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return Speed(**json.loads(_speeds_file().read_text(encoding="utf-8"))[_speed_key(card)])
    return None


def keep_speed(card: ModelCard, speed: Speed) -> None:
    """Keeps a measurement beside the user's models. Raises AVSegError if it cannot be written."""
    _keep(_speed_key(card), asdict(speed))


def known_runtimes(card: ModelCard) -> dict[str, float] | None:
    """Milliseconds per frame on "torch" and "onnx", as `bench --runtimes` measured this very file, if it did."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(_speeds_file().read_text(encoding="utf-8"))[_runtimes_key(card)]
        return {runtime: float(found[runtime]) for runtime in ("torch", "onnx")}
    return None


def keep_runtimes(card: ModelCard, milliseconds: dict[str, float]) -> None:
    """Keeps a comparison of runtimes beside the user's models. Raises AVSegError if it cannot be written."""
    _keep(_runtimes_key(card), milliseconds)


def _keep(key: str, measured: dict[str, Any]) -> None:
    path = _speeds_file()
    speeds: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        speeds = json.loads(path.read_text(encoding="utf-8"))
    speeds[key] = measured

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(speeds, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)

    _guarded(write, path)


def _speeds_file() -> Path:
    return user_models() / "speeds.json"


def _runtimes_key(card: ModelCard) -> str:
    return f"{_speed_key(card)} runtimes"


def _speed_key(card: ModelCard) -> str:
    """The file as it is now: another model of the same name has another key."""
    return f"{card.file.resolve()} {card.size} {card.file.stat().st_mtime_ns}"


def user_runs() -> Path:
    """Where the application keeps run folders: $AVSEG_RUNS, or `runs` beside the user's models."""
    return Path(os.environ["AVSEG_RUNS"]) if os.environ.get("AVSEG_RUNS") else user_models().parent / "runs"


def list_models() -> tuple[list[ModelCard], list[str]]:
    """The cards of all models by name, and a line for each one that cannot be read."""
    cards, problems = [], []
    for name in available_models():
        try:
            cards.append(read_card(name))
        except InputError as error:
            problems.append(str(error))
    return cards, problems


def read_card(name: str) -> ModelCard:
    """The card of the model `name`. Raises InputError if there is none or its file is damaged."""
    file = find_model(name)
    told = {key: value for key, value in read_metadata(file).items() if key != "avseg_config"}
    facts: dict[str, Any] = dict(told)
    with suppress(OSError, ValueError, TypeError):  # a model without a card is still a model
        facts |= json.loads(file.with_name(MANIFEST).read_text(encoding="utf-8")) if file.name == WEIGHTS else {}
    # The figures of these very weights; the card of a run has the best of each that any of its weights reached.
    facts |= {key: told[key] for key in ("miou", "fscore") if key in told}
    return ModelCard(name, file, file.stat().st_size, read_config(file), facts)


def free_name(wanted: str) -> str:
    """`wanted` as a model's name, with a number behind it if the name is taken."""
    base = re.sub(r"[^\w.-]+", "-", wanted).strip(".-") or "model"
    taken = set(available_models())
    names = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def adopt(run: Run, name: str) -> ModelCard:
    """Copies the result of `run` into the user's models as `name`, with a card; all or nothing.

    Raises:
        InputError: the run has no result yet, or the name is taken or no file name.
        AVSegError: the folder cannot be written.
    """
    if not run.exported_model.is_file():
        raise InputError(f"{run.folder}: has no model yet; let the run finish, or stop it and keep the best.")
    _check_name(name)
    folder = user_models() / name
    partial = folder.with_name(f"{name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        shutil.copyfile(run.exported_model, partial / WEIGHTS)
        save_toml(read_config(partial / WEIGHTS), partial / "config.toml")
        card = {"sha256": sha256(partial / WEIGHTS), **_facts(run)}
        (partial / MANIFEST).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, folder)
    except OSError as error:
        raise AVSegError(f"{folder}: cannot be written ({error.strerror or error}); free some space.") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return read_card(name)


def _facts(run: Run) -> dict[str, Any]:
    """The parent, the data and the figures of a run, for the card."""
    config, status = run.config(), run.status()
    facts = {"parent": config.init_from, "data": config.data.root, "dataset": config.data.dataset, **status.best}
    return {**facts, "run": run.folder.name, "steps": status.step, "date": time.strftime("%Y-%m-%d")}


def rename(card: ModelCard, name: str) -> None:
    """Gives a model of the user's another name.

    Raises:
        InputError: it is not the user's, or the name is taken or no file name.
        AVSegError: the system refuses.
    """
    _check_own(card)
    _check_name(name)
    source = _place(card)
    target = source.with_name(name + source.suffix if source.is_file() else name)
    _guarded(lambda: os.rename(source, target), target)


def delete(card: ModelCard) -> None:
    """Deletes a model of the user's for good, with the ONNX files that were made of it.

    Raises:
        InputError: it is not the user's.
        AVSegError: it stays.
    """
    _check_own(card)
    place = _place(card)
    made_of = _hashed(card.file)
    _guarded(place.unlink if place.is_file() else lambda: shutil.rmtree(place), place)
    _forget_onnx(card.size, made_of)


def copy_out(card: ModelCard, target: Path) -> None:
    """Copies the weights with their configuration inside to `target`. Raises AVSegError if it cannot be written."""
    partial = target.with_name(target.name + ".partial")

    def write() -> None:
        try:
            shutil.copyfile(card.file, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)

    _guarded(write, target)


def delete_run(run: Run) -> None:
    """Deletes a run folder for good.

    Raises:
        InputError: a process is training in it, or it is no run.
        AVSegError: the system refuses.
    """
    if not run.config_file.is_file():
        raise InputError(f"{run.folder}: holds no run.")
    if run.status().state in ("running", "paused"):
        raise InputError(f"{run.folder}: is being trained in; cancel the run first.")
    with run.held():  # also of a process that has said nothing yet
        pass
    model = run.exported_model
    size, made_of = (model.stat().st_size, _hashed(model)) if model.is_file() else (0, "")
    _guarded(lambda: shutil.rmtree(run.folder), run.folder)
    _forget_onnx(size, made_of)


def _hashed(file: Path) -> str:
    with suppress(OSError):
        return sha256(file)
    return ""


def _forget_onnx(size: int, made_of: str) -> None:
    """Unless another model is a copy of the one that is gone."""
    with suppress(OSError, InputError):
        others = [find_model(name) for name in available_models()]
        if made_of and not any(other.stat().st_size == size and _hashed(other) == made_of for other in others):
            forget_onnx(made_of)


def _place(card: ModelCard) -> Path:
    """The model's own folder, or its file where that lies among other models."""
    parent = card.file.parent.resolve()
    is_shared = any(folder.resolve().is_relative_to(parent) for folder in model_folders())
    return card.file.parent if card.file.name == WEIGHTS and not is_shared else card.file


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.endswith(".partial"):
        raise InputError(f"{name!r} is no name for a model: use letters, digits, dots, dashes and underscores.")
    if name in available_models():
        raise InputError(f"There is a model {name} already; choose another name.")


def _check_own(card: ModelCard) -> None:
    if not card.is_own:
        raise InputError(f"{card.name} came with the application and stays as it is.")


def _guarded(action: Any, path: Path) -> None:
    try:
        action()
    except OSError as error:
        raise AVSegError(f"{path}: cannot be changed ({error.strerror or error}); check its permissions.") from None
