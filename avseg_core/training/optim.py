"""Which parameters learn, with which optimiser, and how fast."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Adam, AdamW, Optimizer

from avseg_core.config import TrainConfig
from avseg_core.errors import InputError

AUDIO_ENCODER = "audio_encoder"
BACKBONE = "backbone"


def set_trainable(model: nn.Module, config: TrainConfig, epoch: int) -> None:
    """Puts `model` in training mode for `epoch` with the frozen boxes frozen.

    The audio encoder and `config.freeze` get no gradient and stay in evaluation mode. The backbone gets no gradient
    before `config.freeze_backbone_epochs`, but stays in training mode: its BatchNorm statistics move, as released.

    Raises:
        InputError: `config.freeze` names no part of this model.
    """
    boxes = dict(model.named_children())
    unknown = [name for name in config.freeze if name not in boxes]
    if unknown:
        raise InputError(f"freeze: this model has no part {unknown[0]!r}; choose from {', '.join(boxes)}.")
    model.train().requires_grad_(True)
    if epoch < config.freeze_backbone_epochs:
        boxes[BACKBONE].requires_grad_(False)
    for name in {AUDIO_ENCODER, *config.freeze} & boxes.keys():
        boxes[name].requires_grad_(False).eval()


def build_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """One group with every parameter that is not frozen for good; a frozen backbone has no gradient and is skipped."""
    frozen = {AUDIO_ENCODER, *config.freeze}
    parameters = [
        parameter for name, box in model.named_children() if name not in frozen for parameter in box.parameters()
    ]
    parameters += list(model.parameters(recurse=False))
    kind = AdamW if config.optimizer == "adamw" else Adam
    return kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)


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
