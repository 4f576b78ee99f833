"""Data order: every clip once per epoch, a function of seed and step only, shared out exactly."""

from collections import Counter

import pytest
import torch

from avseg_core.training.distributed import World
from avseg_core.training.order import StepOrder

CPU = torch.device("cpu")


def test_every_epoch_has_every_clip_once_and_its_own_order():
    order = StepOrder(clips=10, batch_size=4, seed=1)
    epochs = [[key for step in range(3 * e, 3 * e + 3) for key in order.keys(step)] for e in range(2)]
    for number, keys in enumerate(epochs):
        assert sorted(index for _, index in keys) == list(range(10))
        assert {epoch for epoch, _ in keys} == {number}
    assert [index for _, index in epochs[0]] != [index for _, index in epochs[1]]
    assert len(order.keys(2)) == 2  # what is left


def test_the_order_depends_on_seed_and_step_only():
    forward = [StepOrder(10, 4, seed=1).keys(step) for step in range(9)]
    order = StepOrder(10, 4, seed=1)
    assert [order.keys(step) for step in reversed(range(9))] == forward[::-1]
    assert [StepOrder(10, 4, seed=2).keys(step) for step in range(9)] != forward


@pytest.mark.parametrize("size", [2, 3, 5])
def test_processes_share_every_step_without_doubles_or_gaps(size):
    order = StepOrder(clips=10, batch_size=4, seed=3)
    for step in range(6):
        shares = [order.share(step, World(CPU, rank, size)) for rank in range(size)]
        idle = [order.is_idle(step, World(CPU, rank, size)) for rank in range(size)]
        working = [key for share, rests in zip(shares, idle, strict=True) if not rests for key in share]
        assert Counter(working) == Counter(order.keys(step))
        assert all(share for share in shares)
