"""Which places of a picture belong to one thing, so that what is known of a part of it is known of all of it.

A classifier is sure of a thing where it is most itself, the head of a goat, and says little of its back. The label
prior (`label_bridge`) is therefore spread: every place takes the mean of the places that it belongs together with, told
by an attention that is trained on whole things. Neither the paper nor its code has such a box.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from avseg_core.models.deformable import LevelShapes
from avseg_core.models.encoder import sine_position, split_levels
from avseg_core.models.label_bridge import AddedMaps, resize, share_maps

LEVEL = 1
"""Of the encoder's levels the one at stride 16."""
_MAPS = 3


class Grouping(AddedMaps):
    """Attention between the places of one frame, and the label prior spread by it."""

    def __init__(self, dim: int) -> None:
        super().__init__(_MAPS, dim)
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)

    def together(self, memory: Tensor, shapes: LevelShapes) -> Tensor:
        """memory [N,L,D] -> logits [N,P,P] whose softmax says with which places each of the P at stride 16 belongs."""
        height, width = shapes[LEVEL]
        tokens = split_levels(memory, shapes)[LEVEL].flatten(2).transpose(1, 2)  # [N,P,D]
        dim = tokens.shape[-1]
        tokens = tokens + sine_position(height, width, dim, tokens.device).to(tokens.dtype)
        return self.query(tokens) @ self.key(tokens).transpose(1, 2) / math.sqrt(dim)

    def spread(self, memory: Tensor, share: Tensor, shapes: LevelShapes) -> Tensor:
        """share [N,M,h,w], 0..1 at any stride -> the same at stride 16, spread over what belongs together."""
        coarse = resize(share, shapes[LEVEL])
        spread = self.together(memory, shapes).softmax(dim=-1) @ coarse.flatten(2).transpose(1, 2)  # [N,P,M]
        return spread.transpose(1, 2).unflatten(-1, shapes[LEVEL])

    def forward(
        self, memory: Tensor, mask_feature: Tensor, spread: Tensor, shapes: LevelShapes
    ) -> tuple[Tensor, Tensor]:
        """memory [N,L,D] and mask feature [N,D,h,w], each with the spread share [N,1,.,.] added in as three maps."""
        maps = torch.cat(share_maps(spread), dim=1)
        return self.add(maps, memory, mask_feature, shapes)
