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
        offsets = self.sampling_offsets(queries)  # [N,L,heads*levels*points*2], in pixels
        weights = self.attention_weights(queries).unflatten(-1, (self.heads, -1)).softmax(-1)
        values = self.value_proj(tokens).unflatten(-1, (self.heads, -1))  # [N,L,heads,d]
        sizes = torch.tensor(
            [(width, height) for height, width in shapes], device=queries.device, dtype=references.dtype
        )
        homes = (references[:, None] * sizes).flatten(1)  # [L,levels*2]
        # Written out, so that the sum is one pass; this way, because `expand` copies two numbers at a time.
        column = torch.arange(2 * self.levels, device=queries.device).view(self.levels, 1, 2)
        homes = homes.index_select(1, column.expand(*split, 2).flatten())
        places = (homes + offsets).unflatten(-1, (*split, 2))  # pixels, their centres at .5
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
    framed = _frame(values, shapes)  # [N,P,heads,d]
    level = _level_constants(tuple(shapes), tokens, heads, places.shape[-2])
    x, right = _split_place(places[..., 0].flatten(3), level.width)
    y, below = _split_place(places[..., 1].flatten(3), level.height)
    row = x.mul_(heads).addcmul_(y, level.line).add_(level.start).int()
    row.clamp_(min=0)  # what is no number has become any
    row.add_(torch.arange(batch, dtype=torch.int32).view(-1, 1, 1, 1) * (framed.shape[1] * heads))
    next_row = row + level.line_int
    rows = torch.stack([row, row + heads, next_row, next_row + heads], dim=-2)  # [N,L,heads,4,samples]
    lower = weights.flatten(3) * below
    upper = weights.flatten(3) - lower
    lower_right, upper_right = lower * right, upper * right
    shares = [upper.sub_(upper_right), upper_right, lower.sub_(lower_right), lower_right]
    bags = F.embedding_bag(
        rows.view(batch * tokens * heads, -1),
        framed.flatten(0, 2),
        mode="sum",
        per_sample_weights=torch.stack(shares, dim=-2).view(batch * tokens * heads, -1),
    )
    return bags.view(values.shape)


def _frame(values: Tensor, shapes: LevelShapes) -> Tensor:
    """values [N,L,heads,d] -> [N,P,heads,d], every level with a frame of zeros, 1 pixel before and 2 after.

    So no corner of a sample needs to be looked at: all of them are rows, those outside are 0.
    """
    batch, _, heads, width = values.shape
    levels = values.flatten(2).split([rows * columns for rows, columns in shapes], dim=1)
    framed = [
        F.pad(level.unflatten(1, shape), (0, 0, 1, 2, 1, 2)).flatten(1, 2)
        for level, shape in zip(levels, shapes, strict=True)
    ]
    return torch.cat(framed, dim=1).view(batch, -1, heads, width)


class _LevelConstants(NamedTuple):
    """What depends on a sample's level (and head) only, written out for all samples [L,heads,levels*points].

    Broadcasting over a handful of levels would keep the processor from working on whole vectors. Row numbers are
    counted in float32, which is exact up to 2^24.
    """

    width: Tensor
    height: Tensor
    line: Tensor
    """Rows of the framed values from a pixel to the one below it."""
    line_int: Tensor
    start: Tensor
    """Row of pixel (0, 0)."""


@lru_cache(maxsize=4)
def _level_constants(shapes: tuple[tuple[int, int], ...], tokens: int, heads: int, points: int) -> _LevelConstants:
    def spread(per_level: list[int]) -> Tensor:
        column = torch.tensor(per_level, dtype=torch.float32)[:, None]
        return column.expand(tokens, heads, len(shapes), points).flatten(2)

    counts = [(height + 3) * (width + 3) for height, width in shapes]
    first = [sum(counts[:level]) + width + 4 for level, (_, width) in enumerate(shapes)]
    line = spread([(width + 3) * heads for _, width in shapes])
    return _LevelConstants(
        spread([width for _, width in shapes]),
        spread([height for height, _ in shapes]),
        line,
        line.int(),
        spread([row * heads for row in first]) + torch.arange(heads)[:, None],
    )


def _split_place(place: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """The pixel before `place` on one axis, -1 to `size`, and the share of the pixel after it."""
    place = (place - 0.5).clamp_(min=-1.0)  # pixel centres
    torch.minimum(place, size, out=place)
    low = place.floor()
    return low, place.sub_(low)
