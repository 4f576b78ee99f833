"""What a detector found, as a third source of names: boxes of things that could make the sound, and of other things.

A classifier names places, and a thing's head sooner than its back; a detector (`detector`) names whole things and says
how far they reach. So the model is told where it found what is heard, where anything of its family, and where surely
something else, and what the classifier says of each box as a whole. Neither the paper nor its code has such a box.
"""

from __future__ import annotations

import torch
from torch import Tensor

from avseg_core.models.deformable import LevelShapes
from avseg_core.models.grouping import LEVEL
from avseg_core.models.label_bridge import AddedMaps, detector_matrix, resize, share_maps

_LEAST = 1e-4
_MAPS = 20


class Detections(AddedMaps):
    """The label prior once more, for boxes."""

    names: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(_MAPS, dim)
        # No file holds these; `from_numpy` also makes real numbers where a model is built on the meta device.
        self.register_buffer("names", torch.from_numpy(detector_matrix().copy()), persistent=False)

    def judge(self, scores: Tensor, weights: Tensor, akin: Tensor) -> Tensor:
        """The detector's scores [N,K,80], and how strongly the sound speaks for every thing [N,1001] and for its kin
        -> [N,3,K]: how surely each box holds what is heard, any of its family, and something else."""
        heard, kin = ((part[:, None] * self.names).amax(dim=2) for part in (weights, akin))  # [N,80]
        strange = 1.0 - kin / kin.amax(dim=1, keepdim=True).clamp(min=_LEAST)
        fitting = (scores @ torch.stack([heard, kin], dim=2)).transpose(1, 2)  # [N,2,K]
        other = (scores * strange[:, None]).amax(dim=2)[:, None]
        return torch.cat([fitting, other], dim=1).clamp(0.0, 1.0)

    def locate(self, boxes: Tensor, weights: Tensor, akin: Tensor, shapes: LevelShapes) -> Tensor:
        """boxes [N,K,84] (see `Detector`) -> `judge` as maps [N,3,h,w] at stride 16."""
        return paint(cover(boxes, shapes[LEVEL]), self.judge(boxes[..., 4:], weights, akin))

    def forward(
        self,
        memory: Tensor,
        mask_feature: Tensor,
        boxes: Tensor,
        located: Tensor,
        found: Tensor,
        spread: Tensor,
        shapes: LevelShapes,
    ) -> tuple[Tensor, Tensor]:
        """memory [N,L,D] and mask feature [N,D,h,w] with all that is known of the boxes [N,K,84] added in.

        Args:
            located: [N,2,.,.], where the classifier sees what is heard and what is akin to it.
            found: [N,3,.,.] of `locate`, and `spread` the same over what belongs together.
        """
        pooled = whole(cover(boxes, shapes[LEVEL]), resize(located, shapes[LEVEL]))  # [N,2,.,.]
        graded = torch.cat([found[:, :2], spread[:, :2], pooled], dim=1).unbind(dim=1)
        maps = [map_ for part in graded for map_ in share_maps(part[:, None])]
        maps += [found[:, 2:], spread[:, 2:]]
        return self.add(torch.cat(maps, dim=1), memory, mask_feature, shapes)


def cover(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """boxes [N,K,4 or more], corners as shares of the frame -> how much of every cell each of them covers [N,K,h,w]."""
    (height, width), (left, top, right, bottom) = shape, boxes[..., :4].unbind(dim=2)
    columns, rows = (_overlap(*ends) for ends in ((left, right, width), (top, bottom, height)))
    return rows[..., :, None] * columns[..., None, :]


def _overlap(start: Tensor, end: Tensor, cells: int) -> Tensor:
    """Intervals [N,K] in 0..1 -> the share of each of the cells that lies inside [N,K,cells]."""
    edges = torch.arange(cells, device=start.device, dtype=start.dtype)
    inside = torch.minimum(end[..., None] * cells, edges + 1) - torch.maximum(start[..., None] * cells, edges)
    return inside.clamp(0.0, 1.0)


def paint(covered: Tensor, values: Tensor) -> Tensor:
    """covered [N,K,h,w], values [N,M,K] -> [N,M,h,w]: at every place the largest value of a box there."""
    maps = [(covered * value[:, :, None, None]).amax(dim=1) for value in values.unbind(dim=1)]
    return torch.stack(maps, dim=1)


def whole(covered: Tensor, maps: Tensor) -> Tensor:
    """maps [N,M,h,w] -> the same, every place with the mean over the box [N,K,h,w] there that has the largest."""
    areas, flat = covered.flatten(2), maps.flatten(2)
    means = flat @ areas.transpose(1, 2) / areas.sum(dim=2).clamp(min=1.0)[:, None]  # [N,M,K]
    return paint(covered, means)
