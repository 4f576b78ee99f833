"""All architectures by name; a new one is a file that registers itself and a line in `_MODULES`."""

from __future__ import annotations

import importlib
from collections.abc import Callable

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


def _import_all() -> None:
    for module in _MODULES:
        importlib.import_module(f"avseg_core.models.{module}")
