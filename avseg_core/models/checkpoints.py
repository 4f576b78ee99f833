"""Saving and loading: models of ours as safetensors, published checkpoints without ever running their code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from avseg_core.config import ModelConfig, to_dict
from avseg_core.errors import AVSegError, InputError
from avseg_core.models import released
from avseg_core.models.audio_encoders import AUDIO_ENCODERS
from avseg_core.models.files import StateDict, read_state, unwrap
from avseg_core.models.library import CONFIG_KEY, available_models, find_model, read_config, verify
from avseg_core.models.output import AVSModel
from avseg_core.models.registry import build_model
from avseg_core.models.timm_import import no_compiler
from avseg_core.models.weights import load_audio_weights
from avseg_core.results.writing import atomic, make_folder

__all__ = ["ImportReport", "available_models", "load_model", "load_released", "save_model", "to_released"]


@dataclass(frozen=True)
class ImportReport:
    """What `load_released` found in a checkpoint."""

    layout: str
    """For instance "AVSegFormer V2, ResNet-50, 1 class"."""
    config: ModelConfig
    converted: int
    """Tensors that were taken over."""
    dropped: dict[str, int]
    """Why tensors were left out -> how many; only what no forward pass of the authors' code reads."""
    audio_missing: bool
    """The layout holds no audio encoder and none was given: the model's is random."""


def save_model(
    model: nn.Module, path: Path, metadata: Mapping[str, str] | None = None, *, dtype: torch.dtype | None = None
) -> None:
    """Writes weights and configuration of `model` as one safetensors file, or nothing at all.

    `dtype` stores floating point weights as, for instance, torch.float16; loading gives float32 again. `metadata` goes
    into the file's header beside the configuration.

    Raises:
        InputError: the place is not writable.
        AVSegError: the disk is full or failed.
    """
    config = cast(AVSModel, model).config
    tensors = {key: _stored(tensor, dtype) for key, tensor in model.state_dict().items()}
    make_folder(path.parent)
    try:
        with atomic(path) as partial:
            save_file(tensors, partial, {**(metadata or {}), CONFIG_KEY: json.dumps(to_dict(config))})
    except SafetensorError as error:  # what it makes of a disk that is full or failed
        raise AVSegError(f"{path}: cannot be written ({error}); free some space or choose another folder.") from None


def _stored(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


def load_model(name_or_path: str | Path, device: torch.device | str = "cpu") -> AVSModel:
    """A model of ours, in float32 and evaluation mode, by name or file.

    Raises:
        InputError: no such model, or its file is damaged, of another model, or not one of ours.
    """
    path = find_model(name_or_path)
    config = read_config(path)
    verify(path)
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: damaged ({error}); get the model again.") from None
    # Copied because a file's tensors are not aligned, for which the CPU has other kernels with other roundings.
    state = {key: t.to(torch.float32 if t.is_floating_point() else t.dtype, copy=True) for key, t in stored.items()}
    model = _assemble(config, state, str(path))
    cast(Any, model).file = path
    return cast(AVSModel, model.to(device).eval())


def _assemble(config: ModelConfig, state: StateDict, source: str) -> nn.Module:
    """The model of `config` around the tensors of `state`, without filling it with random numbers first."""
    with torch.device("meta"), no_compiler():
        model = build_model(config)
    expected = model.state_dict()
    problems = [f"missing {key}" for key in expected if key not in state]
    problems += [f"left over {key}" for key in state if key not in expected]
    problems += [
        f"{key} has another shape" for key in expected if key in state and state[key].shape != expected[key].shape
    ]
    if problems:
        raise InputError(
            f"{source}: weights and configuration do not fit ({_in_short(problems)}); get the model again."
        )
    model.load_state_dict(state, assign=True)
    return model


def _in_short(problems: list[str], most: int = 4) -> str:
    rest = len(problems) - most
    return ", ".join(problems[:most]) + (f" and {rest} more" if rest > 0 else "")


def load_released(
    source: str | Path | Mapping[str, Tensor], audio_weights: Path | None = None
) -> tuple[nn.Module, ImportReport]:
    """A published checkpoint of AVSegFormer (V1, V2) or AVSBench's TPAVI -> (our model in evaluation mode, report).

    TPAVI's files hold no audio encoder: `audio_weights` is the usual VGGish file for it.

    Raises:
        InputError: the file cannot be read, is none of these, or something is missing, left over or misshapen.
    """
    if isinstance(source, str | Path):
        state, name = read_state(Path(source)), str(source)
    else:
        state, name = unwrap(source, "state dict"), "state dict"
    try:
        layout = released.recognise(state)
        with torch.device("meta"):  # no need to fill 150 M weights with random numbers first
            model = build_model(layout.config)
        converted = released.from_released(layout, model, state)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    missing = model.load_state_dict(converted, strict=False, assign=True).missing_keys
    dropped = Counter(word for key in state if (word := layout.dead_word(key)) is not None)
    if missing:
        model.audio_encoder = AUDIO_ENCODERS[layout.config.audio_encoder]()
        if audio_weights is not None:
            load_audio_weights(model, audio_weights)
    report = ImportReport(
        layout.name, layout.config, len(converted), dict(dropped), audio_missing=bool(missing) and audio_weights is None
    )
    return model.eval(), report


def to_released(model: nn.Module) -> StateDict:
    """The state dict of `model` in the layout of its authors; raises InputError if it is no published model."""
    return released.to_released(model, cast(AVSModel, model).config)
