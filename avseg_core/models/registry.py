"""All architectures by name; a new one is a file that registers itself and a line in `_MODULES`."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import torch
from torch import nn

from avseg_core.config import ModelConfig
from avseg_core.registry import Registry

ARCHITECTURES: Registry[Callable[[ModelConfig], nn.Module]] = Registry("architecture")
_MODULES = ("avsegformer", "tpavi")


def build_model(config: ModelConfig) -> nn.Module:
    """The model that `config` describes, with random weights, in training mode.

    Raises:
        InputError: an unknown name, or sizes that do not fit together.
    """
    _import_all()
    return ARCHITECTURES[config.architecture](config)


def available() -> list[str]:
    """Names of the architectures."""
    _import_all()
    return sorted(ARCHITECTURES)


def for_inference(model: nn.Module, device: torch.device) -> nn.Module:
    """`model` in evaluation mode on `device`, its convolutions with channels last, which is faster.

    Training keeps the plain layout, so that a run resumes with bit-identical sums.
    """
    return model.eval().to(device).to(memory_format=torch.channels_last)


def _import_all() -> None:
    for module in _MODULES:
        importlib.import_module(f"avseg_core.models.{module}")
