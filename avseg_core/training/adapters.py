"""Low-rank adapters: every matrix W that may learn becomes W + B A, and only the thin A and B do (LoRA).

They are merged into plain weights for the exported model, which loads like any other.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """W -> W + B A for a weight [out,...], which is taken as a matrix [out,in]; B starts at 0."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape[0], weight[0].numel()
        rank = min(rank, rows, columns)
        self.down = nn.Parameter(torch.empty(rank, columns))
        self.up = nn.Parameter(torch.zeros(rows, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """weight [out,...] -> the same shape."""
        return weight + (self.up @ self.down).view_as(weight)


def add_adapters(model: nn.Module, rank: int, *, leave_out: Iterable[nn.Module] = ()) -> None:
    """Adds an adapter to every linear layer and convolution outside of `leave_out`; the answers stay the same."""
    others = {layer for part in leave_out for layer in part.modules()}
    for layer in list(model.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer not in others:
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def adapter_parameters(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of all adapters; empty if there are none."""
    return [parameter for part in model.modules() if isinstance(part, LowRank) for parameter in part.parameters()]


def merged(model: nn.Module) -> nn.Module:
    """`model` itself if it has no adapters, otherwise a copy in which they are part of plain weights."""
    if not adapter_parameters(model):
        return model
    plain = copy.deepcopy(model)
    for layer in plain.modules():
        if parametrize.is_parametrized(layer, "weight"):
            # remove_parametrizations would take `weight` from a class that the copy shares with `model`.
            weight = nn.Parameter(cast(Tensor, layer.weight).detach().clone(), requires_grad=False)
            layer.__class__ = parametrize.type_before_parametrizations(layer)
            del layer.parametrizations
            layer.register_parameter("weight", weight)
    return plain
