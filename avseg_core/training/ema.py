"""A moving average of the weights, which often segments better than the weights themselves."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class ModelAverage:
    """A second model whose weights follow those of `model`: avg += (1 - d) * (weight - avg) after every step.

    d = min(decay, (1 + step) / (10 + step)), so that the average forgets the start in a short run too.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Follows `model` after optimiser step `step` (counted from 0); counters are copied."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages: list[Tensor] = []
        weights: list[Tensor] = []
        current = model.state_dict()
        for name, average in self.model.state_dict().items():
            if average.is_floating_point():
                averages.append(average)
                weights.append(current[name])
            else:
                average.copy_(current[name])
        torch._foreach_lerp_(averages, weights, 1 - decay)
