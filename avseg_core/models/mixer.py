"""Audio-visual mixers (paper section 3.4, Figure 4): the sound adjusts the channels of the mask feature."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from avseg_core.models.attention import xavier_
from avseg_core.models.queries import OneKeyAttention
from avseg_core.registry import Registry

MIXERS: Registry[Callable[[int, int], nn.Module]] = Registry("mixer")
"""name -> class(dim, heads) with forward(mask_feature [N,D,h,w], audio [N,D]) -> (mixed [N,D,h,w], weights or None)."""


@MIXERS.register("none")
class NoMixer(nn.Module):
    """The ablation without a mixer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()

    def forward(self, mask_feature: Tensor, audio: Tensor) -> tuple[Tensor, None]:
        """Returns the mask feature as it is."""
        return mask_feature, None


@MIXERS.register("cra")
class CrossAttentionMixer(nn.Module):
    """Figure 4(a): every pixel asks the sound, and adds the answer.

    A frame has one sound, so the softmax over its single key is 1 and every pixel receives the same shift W_o W_v a.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention = OneKeyAttention(dim)

    def forward(self, mask_feature: Tensor, audio: Tensor) -> tuple[Tensor, None]:
        """mask_feature [N,D,h,w], audio [N,D] -> (mixed [N,D,h,w], None)."""
        return mask_feature + self.attention(audio).transpose(1, 2)[..., None], None


@MIXERS.register("cha")
class ChannelAttentionMixer(nn.Module):
    """Figure 4(b) as released: omega = sigmoid(W softmax(q k^T / sqrt(d)) v), mixed = F * omega."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim, bias=False)
        self.kv_proj = nn.Linear(dim, 2 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        xavier_(self)

    def forward(self, mask_feature: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """mask_feature [N,D,h,w], audio [N,D] -> (mixed [N,D,h,w], omega [N,D] in 0..1)."""
        # One query per head: projecting the query back through W_k, and the mean pixel through W_v, is the same
        # as projecting all h*w pixels, for a thousandth of the work.
        key_weight, value_weight = (part.unflatten(0, (self.heads, -1)) for part in self.kv_proj.weight.chunk(2))
        query = self.q_proj(audio).unflatten(-1, (self.heads, -1))  # [N,heads,d]
        pixels = mask_feature.flatten(2)  # [N,D,h*w]
        scores = torch.einsum("nhd,hdc->nhc", query, key_weight) @ pixels / math.sqrt(query.shape[-1])
        seen = scores.softmax(dim=-1) @ pixels.transpose(1, 2)  # [N,heads,D]
        values = torch.einsum("nhc,hdc->nhd", seen, value_weight).flatten(1)
        weights = torch.sigmoid(self.proj(values))
        return mask_feature * weights[..., None, None], weights


@MIXERS.register("cha-paper")
class PaperMixer(nn.Module):
    """Eq. 2 exactly as printed: omega = (a F^T / sqrt(D/n_head)) F per head, mixed = F + F * omega; no weights.

    As printed nothing divides by the number of pixels: omega is about 100 at 224 px and grows with the frame's area.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, mask_feature: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """mask_feature [N,D,h,w], audio [N,D] -> (mixed [N,D,h,w], omega [N,D])."""
        pixels = mask_feature.flatten(2).unflatten(1, (self.heads, -1))  # [N,heads,d,h*w]
        query = audio.unflatten(-1, (self.heads, 1, -1))  # [N,heads,1,d]
        scores = query @ pixels / math.sqrt(query.shape[-1])  # [N,heads,1,h*w]
        weights = (scores @ pixels.transpose(-1, -2)).flatten(1)  # [N,D]
        return mask_feature * (1 + weights[..., None, None]), weights
