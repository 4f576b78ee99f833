"""One optimiser step: micro-batches, mixed precision, several processes, and a stop when numbers run away."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from avseg_core.config import TrainConfig
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import AVSegError
from avseg_core.inference.fast import half_dtype
from avseg_core.losses import LossReport, compute_loss
from avseg_core.training.distributed import World
from avseg_core.training.optim import build_optimizer, learning_rate, set_trainable
from avseg_core.training.rehearsal import Rehearsal, rehearsal_loss

_ADAMW = "decoupled_weight_decay"
"""What PyTorch's AdamW has over its Adam."""


class Diverged(AVSegError):
    """The loss, a gradient or a weight is no number any more."""


class TooLarge(AVSegError):
    """Memory does not even hold one clip."""


@dataclass(frozen=True)
class StepReport:
    """Figures of the joint batch, before the step."""

    loss: float
    parts: dict[str, float]
    grad_norm: float
    learning_rate: float
    micro_batches: int
    """How many it took; more than asked for if memory was short."""


class Stepper:
    """Owns the optimiser of `model` and applies batches to it.

    Micro-batches and processes give the gradient of the joint batch exactly, but for BatchNorm: its statistics are
    those of each micro-batch, and of the first process.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        world: World,
        total_steps: int,
        rehearsal: Rehearsal | None = None,
        new: Collection[str] = (),
    ) -> None:
        """`new`: parameters that learn as a whole also where all else learns by adapters."""
        self.model, self.config, self.world, self.total_steps = model, config, world, total_steps
        self.rehearsal, self.new = rehearsal, new
        self.optimizer = build_optimizer(model, config, new)
        dtype = _half(config, world.device)
        self.autocast = torch.autocast(world.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
        self.scaler = torch.amp.GradScaler("cuda", enabled=dtype == torch.float16)
        self._parallel: nn.Module = model

    def begin(self, epoch: int) -> None:
        """Freezes and thaws what `epoch` says."""
        set_trainable(self.model, self.config, epoch, self.new)
        thawed = epoch == self.config.freeze_backbone_epochs
        if self.world.size > 1 and (thawed or self._parallel is self.model):
            self._parallel = self.model
            gc.collect()  # the old wrapper takes its hooks with it
            devices = [self.world.device] if self.world.device.type == "cuda" else None
            self._parallel = DistributedDataParallel(self.model, device_ids=devices, find_unused_parameters=True)

    def step(self, batch: AVSBatch, step: int, micro_batches: int) -> StepReport:
        """Takes optimiser step `step` (counted from 0) on this process's share of the joint batch.

        Raises:
            Diverged: the loss or a gradient is not finite; the weights are untouched.
            TooLarge: memory does not hold a single clip.
        """
        batch = batch.to(self.world.device, non_blocking=True)
        while True:
            try:
                seed_everything(self.config.seed, step, self.world.rank)
                found = self._backward(batch, micro_batches, step)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._forget_gradients()
            micro_batches = self._smaller(batch, micro_batches)
        parts = dict(zip(found, self.world.sum(torch.stack(list(found.values()))).tolist(), strict=True))
        rate = learning_rate(step, self.total_steps, self.config)
        return StepReport(sum(parts.values()), parts, self._apply(batch, parts, rate), rate, micro_batches)

    def _backward(self, batch: AVSBatch, micro_batches: int, step: int) -> dict[str, Tensor]:
        """Leaves the joint batch's gradient in the parameters; this process's loss parts by name."""
        losses = [*self._labelled(batch, micro_batches), *self._rehearsed(len(batch.frames) // micro_batches, step)]
        sums: dict[str, Tensor] = {}
        for number, loss in enumerate(losses):
            with self._no_exchange() if number < len(losses) - 1 else nullcontext():
                report = loss()
                # processes average their gradients, but their losses are to be added
                self.scaler.scale(report.total * self.world.size).backward()
            for name, value in report.parts.items():
                sums[name] = sums[name] + value if name in sums else value
        return sums

    def _labelled(self, batch: AVSBatch, micro_batches: int) -> Iterator[Callable[[], LossReport]]:
        """The loss of each micro-batch, to be computed when it is its turn."""
        labelled = self.world.total(int(batch.has_label.sum()))
        for piece in split(batch, micro_batches):

            def loss(piece: AVSBatch = piece) -> LossReport:
                with self.autocast:
                    output = self._parallel(piece.frames, piece.logmel, piece.is_frame)
                return compute_loss(output, piece, self.config.loss, labelled=labelled)

            yield loss

    def _rehearsed(self, most: int, step: int) -> Iterator[Callable[[], LossReport]]:
        """The loss on earlier answers, at most `most` frames at once."""
        if self.rehearsal is None:
            return
        drawn = self.rehearsal.draw(self.config.rehearsal, (self.config.seed, step, self.world.rank))
        share = self.config.loss.rehearsal_weight / len(drawn.frames) / self.world.size
        for piece in drawn.split(max(most, 1)):

            def loss(piece: Rehearsal = piece) -> LossReport:
                part = piece.to(self.world.device)
                with self.autocast:
                    output = self._parallel(part.frames, part.logmel)
                total = share * rehearsal_loss(output.logits.float(), part.answers).sum()
                return LossReport(total, {"rehearsal": total.detach()})

            yield loss

    def _apply(self, batch: AVSBatch, parts: dict[str, float], rate: float) -> float:
        """Changes the weights and forgets the gradients; returns the gradient's norm."""
        bad = [name for name, value in parts.items() if not math.isfinite(value)]
        if bad:
            raise Diverged(f"the {bad[0]} loss is not a finite number on {_named(batch)}")
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.scaler.unscale_(self.optimizer)
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = get_total_norm(gradients)
        if not math.isfinite(float(norm)) and not self.scaler.is_enabled():
            raise Diverged(f"the gradient is not a finite number on {_named(batch)}")
        if self.config.clip_norm:
            clip_grads_with_norm_(self.model.parameters(), self.config.clip_norm, norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self._forget_gradients()
        return float(norm)

    def _forget_gradients(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)

    def _smaller(self, batch: AVSBatch, micro_batches: int) -> int:
        """Twice as many micro-batches. Raises TooLarge."""
        if self.world.size > 1:
            raise TooLarge(f"Out of memory: start again with accumulate={2 * micro_batches} or a smaller image_size.")
        if micro_batches >= len(batch):
            raise TooLarge("Out of memory with a single clip: use a smaller image_size, backbone or frames_per_clip.")
        if self.world.device.type == "cuda":
            torch.cuda.empty_cache()
        return min(2 * micro_batches, len(batch))

    def _no_exchange(self) -> Any:
        """Gradients stay in this process until the last micro-batch."""
        return self._parallel.no_sync() if isinstance(self._parallel, DistributedDataParallel) else nullcontext()

    def state_dict(self) -> dict[str, Any]:
        """Of optimiser and loss scaler."""
        return {"optimizer": self.optimizer.state_dict(), "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave; the weight decay is the configuration's. Raises ValueError for another optimiser."""
        (saved, *_), (ours, *_) = state["optimizer"]["param_groups"], self.optimizer.param_groups
        if saved.get(_ADAMW, ours[_ADAMW]) != ours[_ADAMW]:
            raise ValueError(f"optimizer={self.config.optimizer}, but the run began with another one")
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["weight_decay"] = self.config.weight_decay
        if self.scaler.is_enabled() and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])


def split(batch: AVSBatch, parts: int) -> Iterator[AVSBatch]:
    """The clips of `batch` in at most `parts` micro-batches of nearly equal size."""
    clips, length = len(batch), batch.frames_per_clip
    size = -(-clips // parts)
    for first in range(0, clips, size):
        rows = slice(first * length, (first + size) * length)
        yield replace(
            batch,
            clip_ids=batch.clip_ids[first : first + size],
            frames=batch.frames[rows],
            logmel=batch.logmel[rows],
            labels=batch.labels[rows],
            has_label=batch.has_label[rows],
            is_frame=batch.is_frame[rows],
        )


def seed_everything(seed: int, step: int, rank: int) -> None:
    """Makes every random draw of a step (dropout, stochastic depth) a function of the arguments.

    A resumed run so needs no saved generator states to continue as if it had never stopped.
    """
    number = int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory, on whatever device."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in words)


def _half(config: TrainConfig, device: torch.device) -> torch.dtype | None:
    """What to compute in (float16 needs a scaled loss); None for float32: unless asked for and on CUDA."""
    if not config.amp or device.type != "cuda":
        return None
    return half_dtype()


def _named(batch: AVSBatch) -> str:
    return f"clip{'s' if len(batch) > 1 else ''} {', '.join(batch.clip_ids)}"
