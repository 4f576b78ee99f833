"""Pretrained weights to start training from: ImageNet for the backbones, AudioSet for the audio encoders."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from torch import nn

from avseg_core.errors import InputError
from avseg_core.models.audio_encoders import AudioEncoder
from avseg_core.models.backbones import Backbone
from avseg_core.models.files import StateDict, read_state
from avseg_core.models.released import PVT_RULES, rename
from avseg_core.models.timm_import import timm


def load_backbone_weights(model: nn.Module, path: Path | None = None) -> None:
    """Fills the backbone of `model` with ImageNet weights from a file, or from timm's hub if none is given.

    Accepted are state dicts of timm, of torchvision (ResNet-50), of PVTv2's authors and of `efficientnet-pytorch` with
    its Lite packages; their classifier is ignored.

    Raises:
        InputError: the file does not fit the backbone, or the hub cannot be reached.
    """
    backbone = cast(Backbone, model.backbone)
    source = str(path) if path else "timm's hub"
    state = _box(read_state(path), "backbone.body.") if path else _from_hub(backbone.timm_name)
    body = cast(nn.Module, backbone.body)
    counted = _counted_blocks(body.state_dict())
    found = {key: _first_of(state, (*_names(key), counted.get(key, key))) for key in body.state_dict()}
    missing = [key for key, tensor in found.items() if tensor is None]
    if missing:
        raise InputError(f"{source}: no weights of {backbone.timm_name}; {missing[0]} and others are missing.")
    _load(body, {key: tensor for key, tensor in found.items() if tensor is not None}, source)


def load_audio_weights(model: nn.Module, path: Path | None = None) -> None:
    """Fills the audio encoder of `model` from the usual VGGish `.pth`, YAMNet in our layout, or a model of ours.

    Raises:
        InputError: no file is given, or it does not fit the encoder.
    """
    encoder = cast(AudioEncoder, model.audio_encoder)
    kind = type(encoder).__name__
    if path is None:
        raise InputError(f"{kind} weights are needed and have no hub: name a file with --audio-weights.")
    state = _box(read_state(path), "audio_encoder.")
    own = encoder.state_dict()
    # PCA, which is not used, and blocks that only a label prior hears with.
    state = {key: tensor for key, tensor in state.items() if key in own or not key.startswith(("pproc.", "tuned."))}
    if missing := sorted(set(own) - set(state)):
        raise InputError(f"{path}: no weights of {kind}; {missing[0]} is missing.")
    _load(encoder, state, str(path))


def _box(state: StateDict, prefix: str) -> StateDict:
    """The part of a whole model's tensors that `prefix` names, in float32; other files as they are."""
    inside = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in inside.items()} or state


def _from_hub(timm_name: str) -> StateDict:
    try:
        network: Any = timm.create_model(timm_name, pretrained=True)
    except Exception as error:  # whatever the hub's client raises without a network
        raise InputError(
            f"ImageNet weights of {timm_name} cannot be fetched from timm's hub ({type(error).__name__}): "
            "go online, or name a file with --backbone-weights."
        ) from None
    return dict(network.state_dict())


def _names(key: str) -> tuple[str, ...]:
    """The names under which different publishers store the backbone tensor that we call `key`."""
    return key, re.sub(r"^stages_(\d)", r"stages.\1", key), rename(PVT_RULES, key)


_SEPARABLE = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
_INVERTED = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}


def _counted_blocks(keys: Collection[str]) -> dict[str, str]:
    """timm's names of an EfficientNet -> those of `efficientnet-pytorch`, which counts the blocks of all stages."""
    parts = {key: match.groups() for key in keys if (match := re.match(r"(blocks\.\d+\.\d+)\.(\w+)(\..+)", key))}
    blocks = list(dict.fromkeys(block for block, _, _ in parts.values()))
    inverted = {block for block, module, _ in parts.values() if module == "conv_pwl"}
    names = {key: re.sub(r"^bn1\.", "_bn0.", re.sub(r"^conv_stem\.", "_conv_stem.", key)) for key in keys}
    for key, (block, module, rest) in parts.items():
        words = _INVERTED if block in inverted else _SEPARABLE
        names[key] = f"_blocks.{blocks.index(block)}.{words.get(module, module)}{rest}"
    return names


def _first_of(state: StateDict, names: tuple[str, ...]) -> Any:
    return next((state[name] for name in names if name in state), None)


def _load(module: nn.Module, state: StateDict, source: str) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{source}: does not fit ({str(error).splitlines()[-1].strip()}).") from None
