"""Which settings cannot be meant. No torch here: the window checks while the user types."""

from __future__ import annotations

import math
from operator import attrgetter

from avseg_core.config import TrainConfig
from avseg_core.errors import InputError

_END_OF_NUMBERS = 2**63
"""TOML and the generators of random numbers know none beyond."""


def check_config(config: TrainConfig) -> None:
    """Raises InputError for numbers that cannot be meant."""
    at_least = {"epochs": 1, "batch_size": 1, "accumulate": 1, "max_steps": 0, "evaluate_every": 0, "evaluate_from": 0}
    at_least |= {"warmup_steps": 0, "checkpoint_steps": 0, "early_stop_epochs": 0, "freeze_backbone_epochs": 0}
    at_least |= {"lora_rank": 1, "rehearsal": 0, "seed": 0, "data.frames_per_clip": 1, "data.workers": 0}
    for name, least in at_least.items():
        if (value := attrgetter(name)(config)) < least:
            raise InputError(f"{name} must be at least {least}, not {value}.")
        if value >= _END_OF_NUMBERS:
            raise InputError(f"{name} must be less than 2^63.")
    for name in ("intermediate", "mix", "empty_mask", "audio_visual", "rehearsal"):
        weight = getattr(config.loss, f"{name}_weight")
        if not 0 <= weight < math.inf:
            raise InputError(f"loss.{name}_weight must be 0 or more, not {weight}.")
    for name in ("weight_decay", "clip_norm", "checkpoint_seconds"):
        if not getattr(config, name) >= 0:
            raise InputError(f"{name} must not be negative, but is {getattr(config, name)}.")
    if not 0 < config.learning_rate < math.inf:
        raise InputError(f"learning_rate must be positive, not {config.learning_rate}.")
    if not 0 <= config.ema_decay < 1:
        raise InputError(f"ema_decay must be in 0 .. 1 (1 excluded), not {config.ema_decay}.")
    if config.tuning == "lora" and not config.init_from:
        raise InputError("tuning=lora adds a little to a trained model: name that model with init_from.")
    if not config.keep_best:
        raise InputError("keep_best must name at least one of miou, miou+fscore.")
