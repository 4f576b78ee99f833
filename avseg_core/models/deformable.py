"""Multi-scale deformable attention in plain PyTorch: nothing to compile, the same numbers on every device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LevelShapes = Sequence[tuple[int, int]]
"""Height and width of every level, finest first, in the order in which their tokens are concatenated."""


class DeformableAttention(nn.Module):
    """Every token looks at `points` places per head and level around itself and adds up what it finds there."""

    def __init__(self, dim: int, heads: int, points: int, levels: int = 3) -> None:
        super().__init__()
        self.heads, self.points, self.levels = heads, points, levels
        self.sampling_offsets = nn.Linear(dim, heads * levels * points * 2)
        self.attention_weights = nn.Linear(dim, heads * levels * points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Head k starts out looking in direction k of a circle, point p at distance p + 1, all weights equal."""
        angles = torch.arange(self.heads) * (2 * math.pi / self.heads)
        directions = torch.stack([angles.cos(), angles.sin()], dim=-1)
        directions = directions / directions.abs().amax(dim=-1, keepdim=True)
        distances = torch.arange(1, self.points + 1)[:, None]
        offsets = directions[:, None, None] * distances  # [heads,1,points,2]
        with torch.no_grad():
            self.sampling_offsets.weight.zero_()
            self.sampling_offsets.bias.copy_(offsets.expand(-1, self.levels, -1, -1).flatten())
            self.attention_weights.weight.zero_()
            self.attention_weights.bias.zero_()
        for linear in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, queries: Tensor, references: Tensor, tokens: Tensor, shapes: LevelShapes) -> Tensor:
        """queries and tokens [N,L,D], references [L,2] (x, y in 0..1), L = tokens of all levels -> [N,L,D]."""
        split = (self.heads, self.levels, self.points)
        offsets = self.sampling_offsets(queries).unflatten(-1, (*split, 2))  # [N,L,heads,levels,points,2], in pixels
        weights = self.attention_weights(queries).unflatten(-1, (self.heads, -1)).softmax(-1)
        values = self.value_proj(tokens).unflatten(-1, (self.heads, -1))  # [N,L,heads,d]
        sizes = torch.tensor(
            [(width, height) for height, width in shapes], device=queries.device, dtype=references.dtype
        )
        places = references[:, None, None, None] * sizes[:, None] + offsets  # pixels, their centres at .5
        sample = _gather if _is_plain_cpu(values, offsets) else _grid_sample
        return self.output_proj(sample(values, places, weights.unflatten(-1, split[1:]), shapes).flatten(2))


def _is_plain_cpu(*tensors: Tensor) -> bool:
    """Float32 on the CPU without gradients, where gathering rows is 5 to 9 times as fast as grid_sample."""
    if torch.compiler.is_exporting():  # other programs know grid_sample
        return False
    return all(t.device.type == "cpu" and t.dtype == torch.float32 and not t.requires_grad for t in tensors)


def _grid_sample(values: Tensor, places: Tensor, weights: Tensor, shapes: LevelShapes) -> Tensor:
    """Weighted sum of bilinear samples, zero outside.

    values [N,L,heads,d], places [N,L,heads,levels,points,2] in pixels, weights [N,L,heads,levels,points]
    -> [N,L,heads,d].
    """
    samples = []
    levels = values.split([height * width for height, width in shapes], dim=1)
    for index, ((height, width), level) in enumerate(zip(shapes, levels, strict=True)):
        maps = level.permute(0, 2, 3, 1).flatten(0, 1).unflatten(-1, (height, width))  # [N*heads,d,h,w]
        size = places.new_tensor([width, height])
        grid = (places[:, :, :, index] * (2 / size) - 1).transpose(1, 2).flatten(0, 1)  # [N*heads,L,points,2]
        samples.append(F.grid_sample(maps.to(grid.dtype), grid, align_corners=False))  # [N*heads,d,L,points]
    stacked = torch.cat(samples, dim=-1)  # [N*heads,d,L,levels*points]
    share = weights.transpose(1, 2).flatten(0, 1).flatten(2)[:, None]  # [N*heads,1,L,levels*points]
    return (stacked * share).sum(-1).to(values.dtype).unflatten(0, (-1, values.shape[2])).permute(0, 3, 1, 2)


def _gather(values: Tensor, places: Tensor, weights: Tensor, shapes: LevelShapes) -> Tensor:
    """The same sum as `_grid_sample`: every corner of every sample is one weighted row of a single embedding bag."""
    batch, tokens, heads, _ = values.shape
    level = _level_constants(tuple(shapes), tokens, heads, places.shape[-2])
    columns = _ends(places[..., 0].flatten(3), level.last_column)
    rows = _ends(places[..., 1].flatten(3), level.last_row)
    rows = [(y * level.width + level.start, share * weights.flatten(3)) for y, share in rows]
    token = torch.stack([y + x for y, _ in rows for x, _ in columns], dim=-2).int()  # [N,L,heads,4,samples]
    share = torch.stack([a * b for _, a in rows for _, b in columns], dim=-2)
    first = torch.arange(batch, dtype=torch.int32).view(-1, 1, 1, 1, 1) * (tokens * heads)
    row = token.mul_(heads).add_(first + torch.arange(heads, dtype=torch.int32).view(-1, 1, 1))
    bags = F.embedding_bag(
        row.view(batch * tokens * heads, -1),
        values.reshape(batch * tokens * heads, -1),
        mode="sum",
        per_sample_weights=share.view(batch * tokens * heads, -1),
    )
    return bags.view(values.shape)


class _LevelConstants(NamedTuple):
    """What depends on a sample's level only, written out for all samples [L,heads,levels*points].

    Broadcasting over a handful of levels would keep the processor from working on whole vectors.
    """

    width: Tensor
    last_column: Tensor
    last_row: Tensor
    start: Tensor


@lru_cache(maxsize=4)
def _level_constants(shapes: tuple[tuple[int, int], ...], tokens: int, heads: int, points: int) -> _LevelConstants:
    def spread(per_level: list[int]) -> Tensor:
        column = torch.tensor(per_level, dtype=torch.float32)[:, None]
        return column.expand(tokens, heads, len(shapes), points).flatten(2)

    counts = [height * width for height, width in shapes]
    starts = [sum(counts[:level]) for level in range(len(counts))]
    widths, heights = [width for _, width in shapes], [height for height, _ in shapes]
    return _LevelConstants(
        spread(widths),
        spread([width - 1 for width in widths]),
        spread([height - 1 for height in heights]),
        spread(starts),
    )


def _ends(place: Tensor, last: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The pixels before and after `place` on one axis, each with its bilinear share, which is 0 outside [0, last]."""
    place = place - 0.5  # pixel centres
    low = place.floor()
    near = place - low
    ends = []
    for index, share in ((low, 1 - near), (low + 1, near)):
        inside = index.fmax(index.new_zeros(())).fmin(last)  # a number even where the place is none
        ends.append((inside, share.mul_(index == inside)))
    return ends
