"""Which clips each step sees, and the loader that brings them: a pure function of seed, epoch and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from avseg_core.config import TrainConfig
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.loading import leave_signals_to_main, plain_errors
from avseg_core.data.sample import AVSBatch, ClipSample, collate
from avseg_core.training.distributed import World

Key = tuple[int, int]
"""Epoch and index of a clip: the same clip is augmented differently in every epoch."""


class StepOrder:
    """All clips once per epoch in a new order; the last step of an epoch takes what is left."""

    def __init__(self, clips: int, batch_size: int, seed: int) -> None:
        self.clips, self.batch_size, self.seed = clips, batch_size, seed
        self.steps_per_epoch = -(-clips // batch_size)
        self._epoch, self._permutation = -1, np.zeros(0, dtype=np.int64)

    def keys(self, step: int) -> list[Key]:
        """The clips of `step` (counted from 0 over all epochs)."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._permutation = np.random.default_rng([self.seed, epoch]).permutation(self.clips)
        chosen = self._permutation[position * self.batch_size : (position + 1) * self.batch_size]
        return [(epoch, int(index)) for index in chosen]

    def share(self, step: int, world: World) -> list[Key]:
        """This process's part of the step: every clip goes to exactly one process.

        A process that is left without a clip gets the first one, which `without_labels` must make weightless.
        """
        keys = self.keys(step)
        return keys[world.rank :: world.size] or keys[:1]

    def is_idle(self, step: int, world: World) -> bool:
        """True if this process's share of the step is only a stand-in."""
        return world.rank >= len(self.keys(step))


def is_evaluated(config: TrainConfig, epoch: int) -> bool:
    """Whether the end of `epoch` (counted from 0) is followed by an evaluation."""
    every = config.evaluate_every
    return every > 0 and epoch >= config.evaluate_from and epoch % every == 0


def count_evaluations(config: TrainConfig, total_steps: int, steps_per_epoch: int, first_epoch: int = 0) -> int:
    """How often a whole run of `total_steps` evaluates from `first_epoch` on: after some epochs, and at its end."""
    epochs, rest = divmod(total_steps, steps_per_epoch)
    due = [is_evaluated(config, epoch) for epoch in range(epochs)]
    at_end = rest > 0 or not any(due) or (config.evaluate_last and not due[-1])
    return sum(due[first_epoch:]) + at_end


def without_labels(batch: AVSBatch) -> AVSBatch:
    """The batch with no annotated frame: it takes part in the step and changes nothing."""
    return replace(batch, has_label=torch.zeros_like(batch.has_label))


class _Shares(Sampler[list[Key]]):
    def __init__(self, order: StepOrder, start: int, stop: int, world: World) -> None:
        self._order, self._steps, self._world = order, range(start, stop), world

    def __iter__(self) -> Iterator[list[Key]]:
        return (self._order.share(step, self._world) for step in self._steps)

    def __len__(self) -> int:
        return len(self._steps)


class _EpochClips(Dataset[ClipSample]):
    """Clips by epoch and index, so that worker processes augment like the main process would."""

    def __init__(self, clips: ClipDataset, seed: int) -> None:
        self._clips, self._seed = clips, seed

    def __getitem__(self, key: Key) -> ClipSample:
        epoch, index = key
        self._clips.set_epoch(epoch, self._seed)
        return self._clips[index]


def load_steps(
    clips: ClipDataset, order: StepOrder, *, start: int, stop: int, world: World, workers: int, pin: bool
) -> Iterator[AVSBatch]:
    """This process's share of the steps `start` .. `stop` - 1, one batch per step, read ahead by the workers."""
    loader = DataLoader(
        _EpochClips(clips, order.seed),
        batch_sampler=_Shares(order, start, stop, world),
        collate_fn=collate,
        num_workers=workers,
        pin_memory=pin,
        worker_init_fn=leave_signals_to_main,
        generator=torch.Generator(),  # otherwise the loader would draw from the generator that dropout uses
    )
    return plain_errors(loader)
