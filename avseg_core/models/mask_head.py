"""Mask generation (paper eq. 3): output queries x mixed mask feature -> class scores of every pixel."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import xavier_


def predictor(config: ModelConfig) -> nn.Sequential:
    """Map [N,D,h,w] at stride 4 -> logits [N,C,4h,4w]; `mask_head` says which one.

    "released": 3x3 to D/2, x4, 3x3 to 32, ReLU, 1x1. "paper": the linear layer of eq. 3, then x4 to the frame's size.
    "light": the released one's idea at a fifth of its work, D/4 channels at half size.
    """
    dim, classes = config.embed_dim, config.num_classes
    layers: dict[str, list[nn.Module]] = {
        "released": [
            nn.Conv2d(dim, dim // 2, 3, padding=1),
            _upsample(4),
            nn.Conv2d(dim // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, classes, 1, bias=False),
        ],
        "paper": [nn.Conv2d(dim, classes, 1), _upsample(4)],
        "light": [
            nn.Conv2d(dim, dim // 4, 3, padding=1),
            _upsample(2),
            nn.ReLU(),
            nn.Conv2d(dim // 4, dim // 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(dim // 4, classes, 1),
            _upsample(2),
        ],
    }
    block = nn.Sequential(*layers[config.mask_head])
    xavier_(block)
    return block


def _upsample(factor: int) -> nn.Upsample:
    return nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False)


class PixelMLP(nn.Module):
    """MLP(.) of eq. 3 over the queries' scores of one pixel; 1x1 convolutions written as matrix products."""

    def __init__(self, inputs: int, hidden: int, outputs: int, depth: int) -> None:
        super().__init__()
        sizes = [inputs, *[hidden] * (depth - 1), outputs]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        xavier_(self)

    def forward(self, pixels: Tensor) -> Tensor:
        """[N,P,inputs] -> [N,P,outputs]."""
        for layer in self.layers[:-1]:
            pixels = F.relu(layer(pixels), inplace=True)
        return self.layers[-1](pixels)


class MaskHead(nn.Module):
    """M = predictor(F + MLP(F . Q)) with F the mixed mask feature."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        # The light head's MLP is two layers; the 2048-wide hidden one costs more than all the rest of the model.
        depth = 2 if config.mask_head == "light" else 3
        self.mlp = PixelMLP(config.num_queries, config.mask_mlp_dim, config.embed_dim, depth)
        self.fc = predictor(config)

    def forward(self, queries: Tensor, mask_feature: Tensor) -> Tensor:
        """queries [N,Q,D], mask_feature [N,D,h,w] -> logits [N,C,4h,4w]."""
        pixels = mask_feature.flatten(2).transpose(1, 2)  # [N,h*w,D]
        pixels = pixels + self.mlp(pixels @ queries.transpose(1, 2))
        return self.fc(pixels.unflatten(1, mask_feature.shape[-2:]).permute(0, 3, 1, 2))
