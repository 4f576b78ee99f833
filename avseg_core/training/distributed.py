"""One process or several: what `torchrun` says, and the few sums that processes exchange."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(hours=12)
"""How long the others wait while the first process evaluates, or while the run is paused overnight."""


@dataclass(frozen=True)
class World:
    """This process among all; alone by default."""

    device: torch.device
    """What this process computes on."""
    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """The one that evaluates and writes the run folder."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Sum over all processes."""
        if self.size > 1:
            values = values.to(self.device)
            dist.all_reduce(values)
        return values

    def total(self, count: int) -> int:
        """Sum of a number over all processes."""
        return int(self.sum(torch.tensor(count))) if self.size > 1 else count

    def highest(self, number: int) -> int:
        """The largest number of any process."""
        if self.size == 1:
            return number
        value = torch.tensor(number, device=self.device)
        dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return int(value)

    def from_first(self, numbers: list[float]) -> list[float]:
        """What the first process gave; the others give as many numbers of any value."""
        if self.size == 1:
            return numbers
        values = torch.tensor(numbers, dtype=torch.float64).to(self.device)
        dist.broadcast(values, src=0)
        return [float(value) for value in values.cpu()]


def launched_by_torchrun() -> bool:
    """True inside of `torchrun`."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@contextmanager
def join(device: torch.device) -> Iterator[World]:
    """This process's place among those that `torchrun` started; leaves the group at the end."""
    if not launched_by_torchrun():
        yield World(device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield World(device, dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
