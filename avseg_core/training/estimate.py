"""What a run will cost, from a few steps that change nothing on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass

from avseg_core.config import TrainConfig
from avseg_core.inference.device import choose_device
from avseg_core.training.distributed import World
from avseg_core.training.optim import prepare_tuning
from avseg_core.training.order import StepOrder, count_evaluations, load_steps
from avseg_core.training.pace import memory_mb
from avseg_core.training.settings_check import check_config
from avseg_core.training.setup import open_clips, prepare_rehearsal, rehearses, starting_model
from avseg_core.training.step import Stepper

FORWARD_SHARE = 1 / 3
"""A forward pass costs about a third of a training step on the same clips."""


@dataclass(frozen=True)
class Estimate:
    """Measured on this machine; evaluation is estimated from the steps."""

    device: str
    steps: int
    seconds_per_step: float
    seconds: float
    """The whole run, evaluations included."""
    memory_mb: float


def estimate(config: TrainConfig, steps: int = 3) -> Estimate:
    """Takes `steps` real steps (the first only warms up) on the clips that a run would start with.

    Raises:
        InputError: data, weights or settings are at fault.
        TooLarge: memory does not even hold one clip.
    """
    check_config(config)
    device, _ = choose_device(config.device)
    world = World(device)
    model, new = starting_model(config, lambda text: None)
    model = model.to(device)
    train, val = open_clips(config, model)
    order = StepOrder(len(train), config.batch_size, config.seed)
    total = config.epochs * order.steps_per_epoch
    total = min(total, config.max_steps) if config.max_steps else total
    rehearsal = prepare_rehearsal(config, model, train, config.rehearsal) if rehearses(config, model) else None
    prepare_tuning(model, config, new)
    stepper = Stepper(model, config, world, total, rehearsal, new)
    stepper.begin(config.freeze_backbone_epochs)  # as costly as it will become
    marks = [time.monotonic()]
    for step, batch in enumerate(load_steps(train, order, start=0, stop=steps, world=world, workers=0, pin=False)):
        stepper.step(batch, step, config.accumulate)
        marks.append(time.monotonic())
    per_step = (marks[-1] - marks[1]) / (steps - 1)
    evaluations = count_evaluations(config, total, order.steps_per_epoch)
    evaluation = FORWARD_SHARE * per_step * len(val) / config.batch_size
    return Estimate(str(device), total, per_step, total * per_step + evaluations * evaluation, memory_mb(device))
