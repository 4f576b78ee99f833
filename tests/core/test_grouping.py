"""What is known of a part spreads over the whole thing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.grouping import LEVEL, Grouping

BUILD = Path(__file__).parents[2] / "packaging" / "default_model"
SHAPES = [(8, 12), (4, 6), (2, 3)]


@pytest.fixture
def memory() -> torch.Tensor:
    """Two things: the left half of the places looks one way, the right half another."""
    generator = torch.Generator().manual_seed(0)
    looks = torch.randn(2, 32, generator=generator)
    levels = []
    for height, width in SHAPES:
        right = (torch.arange(width) >= width // 2).long().expand(height, width).flatten()
        levels.append(looks[right] + 0.1 * torch.randn(height * width, 32, generator=generator))
    return torch.cat(levels)[None]


def trained(memory: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> Grouping:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    from train import grouping_loss

    torch.manual_seed(1)
    grouping = Grouping(32)
    height, width = SHAPES[LEVEL]
    right = (torch.arange(width) >= width // 2).float().expand(height, width).flatten()
    shares = torch.stack([torch.zeros_like(right), 1 - right, right])[None]
    optimizer = torch.optim.Adam(grouping.parameters(), 1e-2)
    for _ in range(60):
        loss = grouping_loss(grouping.together(memory, SHAPES), shares)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05  # untrained about ln 2: half of the places are its own
    return grouping


def test_a_spot_spreads_over_its_thing_only(memory: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    grouping = trained(memory, monkeypatch)
    share = torch.zeros(1, 1, *SHAPES[LEVEL])
    share[0, 0, 1, 0] = 0.9  # one place of the left thing
    spread = grouping.spread(memory, share, SHAPES)[0, 0].detach()
    assert spread[:, :3].min() > 10 * spread[:, 3:].max()


@torch.no_grad()
def test_spreading_keeps_what_is_equal_everywhere(memory: torch.Tensor) -> None:
    share = torch.full((1, 1, 2, 3), 0.3)
    assert torch.allclose(Grouping(32).spread(memory, share, SHAPES), torch.tensor(0.3))


@pytest.mark.parametrize("name", ["label_grouping", "label_queries", "label_presence"])
def test_needs_the_label_prior(name: str) -> None:
    with pytest.raises(InputError, match="label_prior"):
        replace(ModelConfig(), **{name: True}).check()
