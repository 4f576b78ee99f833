"""From a configuration to what the loop needs: settings that agree, data, and a model with its first weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from torch import nn

from avseg_core.config import ModelConfig, TrainConfig
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.registry import build_dataset
from avseg_core.errors import InputError
from avseg_core.models.audio_encoders import AudioEncoder
from avseg_core.models.checkpoints import load_model, load_released
from avseg_core.models.library import available_models, find_model
from avseg_core.models.output import AVSModel
from avseg_core.models.registry import build_model
from avseg_core.models.weights import load_audio_weights, load_backbone_weights
from avseg_core.training.rehearsal import POOL, Rehearsal, make_rehearsal

Tell = Callable[[str], None]
PUBLISHED_SUFFIXES = (".pth", ".pt")


def open_clips(config: TrainConfig, model: nn.Module) -> tuple[ClipDataset, ClipDataset]:
    """Training and validation clips, in the size and with the sound features that `model` takes.

    Raises:
        InputError: the data set cannot be read or does not fit the model.
    """
    wanted = cast(ModelConfig, model.config)
    encoder = cast(AudioEncoder, model.audio_encoder)
    data = replace(config.data, image_size=wanted.image_size, front_end=encoder.front_end)
    train = build_dataset(data, "train", wanted.num_classes)
    return train, build_dataset(replace(data, augment=False), "val", wanted.num_classes)


def starting_model(config: TrainConfig, tell: Tell) -> tuple[nn.Module, frozenset[str]]:
    """The model with the weights that training starts from, and which parameters the model of `init_from` has not got.

    `tell` hears, in words, what is new or random.

    With `init_from` these are another model's, otherwise ImageNet's and the audio encoder's; `from_scratch` starts
    from random ones unless a file is named. What is random depends on `seed` only.

    Raises:
        InputError: weights are missing, cannot be read, or fit nowhere.
    """
    torch.manual_seed(config.seed)
    model = build_model(config.model)
    if config.init_from:
        return model, take_over(model, initial_model(config), config.init_from, tell)
    for path, load, box in (
        (config.backbone_weights, load_backbone_weights, "backbone"),
        (config.audio_weights, load_audio_weights, "audio encoder"),
    ):
        if path or not config.from_scratch:
            load(model, _weights_file(path) if path else None)
        else:
            tell(f"The {box} starts from random weights (from_scratch).")
    return model, frozenset()


def _weights_file(given: str) -> Path:
    """A file, or that of the model so called."""
    return find_model(given) if given in available_models() else Path(given)


def rehearses(config: TrainConfig, model: nn.Module) -> bool:
    """Whether the run rehearses: it is asked for, there is a model to start from, and frames are independent."""
    return config.rehearsal > 0 and bool(config.init_from) and cast(AVSModel, model).clip_length is None


def prepare_rehearsal(config: TrainConfig, model: nn.Module, clips: ClipDataset, pool: int = POOL) -> Rehearsal:
    """What the model of `config.init_from` answers now. Raises InputError."""
    teacher = initial_model(config).to(next(model.parameters()).device).eval()
    return make_rehearsal(cast(AVSModel, teacher), clips, config.seed, pool)


def initial_model(config: TrainConfig) -> nn.Module:
    """The model of `init_from`: one of ours by name or file, or a published checkpoint. Raises InputError."""
    if not config.init_from.endswith(PUBLISHED_SUFFIXES):
        return cast(nn.Module, load_model(config.init_from))
    hearing = _weights_file(config.audio_weights) if config.audio_weights else None
    model, report = load_released(config.init_from, hearing)
    if report.audio_missing:
        raise InputError(
            f"{config.init_from}: TPAVI's files hold no VGGish; name its weights with --audio-weights FILE."
        )
    return model


def take_over(model: nn.Module, source: nn.Module, name: str, tell: Tell) -> frozenset[str]:
    """Copies every weight of `source` that `model` has in the same shape; the others stay random and are told.

    Returns the parameters among these others.

    Raises:
        InputError: nothing that can be trained fits.
    """
    theirs, ours = source.state_dict(), model.state_dict()
    fitting = {key: value for key, value in theirs.items() if key in ours and ours[key].shape == value.shape}
    if not any(key in fitting for key, parameter in model.named_parameters() if parameter.requires_grad):
        raise InputError(f"{name}: has no weights in common with this model; check architecture and backbone.")
    model.load_state_dict(fitting, strict=False)
    resized = sorted(key for key in ours if key in theirs and key not in fitting)
    added = sorted({key.split(".")[0] for key in ours if key not in theirs})
    if resized:
        tell(f"New size, so starting from random weights: {_list(resized)}.")
    if added:
        tell(f"Not in {name}, so starting from random weights: {_list(added)}.")
    return frozenset(key for key, _ in model.named_parameters() if key not in fitting)


def _list(names: list[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
