"""Transformer encoder (paper section 3.3): fuses the maps at strides 8, 16 and 32 and makes the mask feature."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import xavier_
from avseg_core.models.deformable import DeformableAttention, LevelShapes

LEVELS = 3
GROUPS = 32


def sine_position(height: int, width: int, dim: int, device: torch.device) -> Tensor:
    """DETR's position code, not normalised: [height*width, dim]; first half y, second x, sines and cosines in turn."""
    frequency = 10000 ** (torch.arange(0, dim // 2, 2, device=device) / (dim // 2))  # [dim/4]

    def code(count: int) -> Tensor:
        angles = torch.arange(1, count + 1, device=device)[:, None] / frequency
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # [count,dim/2]

    y = code(height)[:, None].expand(-1, width, -1)
    x = code(width)[None].expand(height, -1, -1)
    return torch.cat([y, x], dim=-1).flatten(0, 1)


def pixel_centers(height: int, width: int, device: torch.device) -> Tensor:
    """Centre of every pixel as (x, y) in 0..1: [height*width, 2]."""
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    return torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=-1).flip(-1).flatten(0, 1)


def level_shapes(mask_feature: Tensor) -> LevelShapes:
    """Shapes of the encoder's levels, from a map at stride 4."""
    height, width = mask_feature.shape[-2:]
    return [(height // step, width // step) for step in (2, 4, 8)]


def split_levels(tokens: Tensor, shapes: LevelShapes) -> list[Tensor]:
    """tokens [N,L,C] -> one map [N,C,h_i,w_i] per level."""
    parts = tokens.split([height * width for height, width in shapes], dim=1)
    # In this order of views a single map counts as channels last, too.
    return [part.unflatten(1, shape).permute(0, 3, 1, 2) for part, shape in zip(parts, shapes, strict=True)]


class EncoderLayer(nn.Module):
    """Deformable self-attention and a feed-forward network, each followed by residual and norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.attention = DeformableAttention(dim, config.num_heads, config.num_points, LEVELS)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, config.ffn_dim, config.dropout)
        self.norm2 = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor, position: Tensor, references: Tensor, shapes: LevelShapes) -> Tensor:
        """tokens [N,L,D], position [L,D], references [L,2] -> [N,L,D]."""
        found = self.attention(tokens + position.to(tokens.dtype), references, tokens, shapes)
        tokens = self.norm1(tokens + self.dropout(found))
        return self.norm2(tokens + self.ffn(tokens))


class FeedForward(nn.Module):
    """Linear, GELU, linear, with dropout after both."""

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.dropout = nn.Dropout(dropout)
        xavier_(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """[...,D] -> [...,D]."""
        hidden = self.dropout(F.gelu(self.linear1(tokens)))
        return self.dropout(self.linear2(hidden))


class FeatureProjection(nn.ModuleList):
    """Section 3.2: a 1x1 convolution and group norm per stage, to the common width D."""

    def __init__(self, channels: Sequence[int], dim: int) -> None:
        super().__init__(conv_norm(width, dim, kernel=1) for width in channels)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps [N,C_i,h_i,w_i] -> maps [N,D,h_i,w_i]."""
        return [project(stage) for project, stage in zip(self, maps, strict=True)]


def conv_norm(inputs: int, outputs: int, *, kernel: int) -> nn.Sequential:
    """Convolution with bias and group norm, xavier-uniform at the start."""
    block = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.GroupNorm(GROUPS, outputs))
    xavier_(block)
    return block


class Encoder(nn.Module):
    """Maps at strides 8, 16 and 32 -> memory tokens that have looked at each other."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.level_embed = nn.Parameter(torch.randn(LEVELS, config.embed_dim))
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Three maps [N,D,h_i,w_i], finest first -> memory [N,L,D] with L = sum of h_i w_i."""
        shapes = [(stage.shape[-2], stage.shape[-1]) for stage in maps]
        device, dim = maps[0].device, maps[0].shape[1]
        tokens = torch.cat([stage.flatten(2).transpose(1, 2) for stage in maps], dim=1)
        codes = [
            sine_position(*shape, dim, device) + level for shape, level in zip(shapes, self.level_embed, strict=True)
        ]
        position = torch.cat(codes)
        references = torch.cat([pixel_centers(*shape, device) for shape in shapes])
        for layer in self.layers:
            tokens = layer(tokens, position, references, shapes)
        return tokens


class MaskFeature(nn.Module):
    """The mask feature F_mask: level 1/8 of the memory, upsampled, plus the backbone's map at stride 4.

    As released the map passes a lateral and the sum an output convolution; `plain` leaves both out (section 3.3).
    """

    def __init__(self, dim: int, *, plain: bool) -> None:
        super().__init__()
        self.lateral_conv: nn.Module = nn.Identity() if plain else conv_norm(dim, dim, kernel=1)
        self.out_conv: nn.Module = nn.Identity() if plain else nn.Sequential(*conv_norm(dim, dim, kernel=3), nn.ReLU())

    def forward(self, memory: Tensor, fine: Tensor) -> Tensor:
        """memory [N,L,D], fine [N,D,h,w] at stride 4 -> [N,D,h,w]."""
        eighth = split_levels(memory, level_shapes(fine))[0]
        upsampled = F.interpolate(eighth, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return self.out_conv(upsampled + self.lateral_conv(fine))
