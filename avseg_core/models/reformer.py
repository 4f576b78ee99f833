"""Mask reformer (paper section 3.6, Figure 5): a mask from every decoder layer, for the intermediate mask loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import xavier_
from avseg_core.models.deformable import LevelShapes
from avseg_core.models.encoder import split_levels
from avseg_core.models.mask_head import predictor


class Reformer(nn.Module):
    """Attention map of a decoder layer -> FPN -> intermediate logits; the weights are shared by all layers.

    "qr" multiplies the map with the layer's output queries; "ar" feeds the map alone, its Q channels projected to D.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.project: nn.Linear | None = None
        if config.reformer == "ar":
            self.project = nn.Linear(config.num_queries, config.embed_dim)
            xavier_(self.project)
        self.fpn = FPN(config.embed_dim)
        self.attn_fc = predictor(config)

    def forward(self, queries: Tensor, attention: Tensor, shapes: LevelShapes) -> Tensor:
        """queries [N,Q,D], attention [N,Q,L] -> logits [N,C,H,W]."""
        by_place = attention.transpose(1, 2)  # [N,L,Q]
        tokens = by_place @ queries if self.project is None else self.project(by_place)  # [N,L,D]
        return self.attn_fc(self.fpn(split_levels(tokens, shapes)))


class FPN(nn.Module):
    """Strides 32, 16, 8 -> 4: upsample, convolve, add the next finer level."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.up1, self.up2, self.up3 = (nn.Conv2d(dim, dim, 3, padding=1) for _ in range(3))
        xavier_(self)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps at strides 8, 16 and 32 -> map at stride 4, all [N,D,.,.]."""
        fine, middle, coarse = maps
        x = self.up1(_double(coarse)) + middle
        x = self.up2(_double(x)) + fine
        return self.up3(_double(x))


def _double(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
