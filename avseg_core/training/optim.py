"""Which parameters learn, with which optimiser, and how fast."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Adam, AdamW, Optimizer

from avseg_core.config import TrainConfig
from avseg_core.errors import InputError
from avseg_core.training.adapters import adapter_parameters, add_adapters

AUDIO_ENCODER = "audio_encoder"
BACKBONE = "backbone"
CLASSIFIER = ("label_prior.sounds", "label_prior.presence", "label_prior.hidden", "label_prior.things", "detector")
"""What names sounds and things, as fixed as the audio encoder."""


def frozen_parts(model: nn.Module, config: TrainConfig) -> list[nn.Module]:
    """What never learns: the networks that only name things, and the boxes of `config.freeze`.

    Raises:
        InputError: `config.freeze` names no part of this model.
    """
    boxes = dict(model.named_children())
    # A box that a model can have and this one is without (None) cannot learn anyway.
    unknown = [name for name in config.freeze if name not in boxes and getattr(model, name, boxes) is not None]
    if unknown:
        raise InputError(f"freeze: this model has no part {unknown[0]!r}; choose from {', '.join(boxes)}.")
    parts = dict(model.named_modules())
    return [parts[name] for name in (AUDIO_ENCODER, *CLASSIFIER, *config.freeze) if name in parts]


def prepare_tuning(model: nn.Module, config: TrainConfig, new: Collection[str] = ()) -> None:
    """Adds the adapters that `config.tuning` asks for, to all that is neither frozen nor among the `new` parameters.

    A small addition to a weight that is random would be all that such a layer ever learns.

    Raises:
        InputError: `config.freeze` names no part of this model.
    """
    if config.tuning == "lora":
        layers = [layer for name, layer in model.named_modules() if f"{name}.weight" in new]
        add_adapters(model, config.lora_rank, leave_out=[*frozen_parts(model, config), *layers])


def set_trainable(model: nn.Module, config: TrainConfig, epoch: int, new: Collection[str] = ()) -> None:
    """Puts `model` in training mode for `epoch` with the frozen parts frozen; beside adapters only `new` weights learn.

    The frozen parts get no gradient and stay in evaluation mode. The backbone gets no gradient
    before `config.freeze_backbone_epochs`, but stays in training mode: its BatchNorm statistics move, as released.

    Raises:
        InputError: `config.freeze` names no part of this model.
    """
    frozen = frozen_parts(model, config)
    model.train().requires_grad_(False)
    for parameter in _learning(model, new):
        parameter.requires_grad_(True)
    if epoch < config.freeze_backbone_epochs:
        model.get_submodule(BACKBONE).requires_grad_(False)
    for part in frozen:
        part.requires_grad_(False).eval()


def build_optimizer(model: nn.Module, config: TrainConfig, new: Collection[str] = ()) -> Optimizer:
    """One group with every parameter that is not frozen for good; a frozen backbone has no gradient and is skipped.

    Raises:
        InputError: nothing is left to learn.
    """
    frozen = {id(parameter) for part in frozen_parts(model, config) for parameter in part.parameters()}
    parameters = [parameter for parameter in _learning(model, new) if id(parameter) not in frozen]
    if not parameters:
        raise InputError("freeze: nothing is left that could learn; take a part out of it.")
    kind = AdamW if config.optimizer == "adamw" else Adam
    return kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)


def _learning(model: nn.Module, new: Collection[str]) -> list[nn.Parameter]:
    """All parameters; beside adapters only these and the `new` ones."""
    adapters = adapter_parameters(model)
    if not adapters:
        return list(model.parameters())
    return [*adapters, *(parameter for name, parameter in model.named_parameters() if name in new)]


def learning_rate(step: int, total_steps: int, config: TrainConfig) -> float:
    """Rate of step `step` (counted from 0): linear warm-up from 0, then constant or half a cosine down to 0."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - config.warmup_steps) / max(total_steps - config.warmup_steps, 1)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def batch_norms(model: nn.Module) -> Iterable[_BatchNorm]:
    """The layers whose statistics differ between a joint batch and its shares."""
    return (module for module in model.modules() if isinstance(module, _BatchNorm))
