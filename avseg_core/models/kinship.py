"""Where things are that are at least akin to what is heard: the names that either network mixes up are near each other.

A picture network takes a goat for an ox sooner than for a lorry, a sound network a pig for a lion sooner than for a
trumpet. So beside where things are that could make the very sound (`label_bridge`) a model may be told where there is
anything of their family, and where there surely is something else. Neither the paper nor its code has such a box.
"""

from __future__ import annotations

import torch
from torch import Tensor

from avseg_core.models.deformable import LevelShapes
from avseg_core.models.grouping import LEVEL
from avseg_core.models.label_bridge import AddedMaps, family_matrix, resize, share_maps

_MAPS = 8
_LEAST = 1e-4


class Kinship(AddedMaps):
    """The label prior once more, for whole families of things."""

    families: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(_MAPS, dim)
        # No file holds these; `from_numpy` also makes real numbers where a model is built on the meta device.
        self.register_buffer("families", torch.from_numpy(family_matrix().copy()), persistent=False)

    def akin(self, weights: Tensor) -> Tensor:
        """How strongly the sound speaks for every thing [N,1001] -> for it or any of its family [N,1001]."""
        of_family = (weights[:, None] * self.families).amax(dim=2)  # [N,F]
        return torch.maximum(weights, (of_family[:, :, None] * self.families).amax(dim=1))

    def locate(self, things: Tensor, weights: Tensor) -> Tensor:
        """things [N,1001,h,w], weights [N,1001] -> [N,2,h,w]: what is akin to the heard, and what is named else."""
        akin = self.akin(weights)
        fitting = akin / akin.amax(dim=1, keepdim=True).clamp(min=_LEAST)
        share, else_named = (torch.einsum("nchw,nc->nhw", things, part) for part in (akin, 1.0 - fitting))
        return torch.stack([share, else_named], dim=1).clamp(0.0, 1.0)

    def forward(
        self, memory: Tensor, mask_feature: Tensor, located: Tensor, spread: Tensor, shapes: LevelShapes
    ) -> tuple[Tensor, Tensor]:
        """memory [N,L,D] and mask feature [N,D,h,w] with `locate`'s two maps, as they are and spread, added in."""
        located = resize(located, shapes[LEVEL])
        maps = [map_ for source in (located, spread) for map_ in (*share_maps(source[:, :1]), source[:, 1:])]
        return self.add(torch.cat(maps, dim=1), memory, mask_feature, shapes)
