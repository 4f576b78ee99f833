"""What every AVS model answers, and the contract it answers under."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from avseg_core.config import ModelConfig


@dataclass
class AVSOutput:
    """Answer for N frames; H, W are the input's height and width, h = H/4, w = W/4, D the embedding dimension."""

    logits: Tensor
    """[N,C,H,W]; C = 1: sigmoid gives the probability to sound, C > 1: class scores with 0 = background."""
    mask_feature: Tensor | None = None
    """[N,D,h,w], the mask feature after the mixer (F-hat of eq. 2)."""
    mixer_weights: Tensor | None = None
    """[N,D], one weight per channel (omega of eq. 2); None without a channel mixer."""
    intermediate_logits: list[Tensor] = field(default_factory=list)
    """One [N,C,H,W] per decoder layer, in training mode with a mask reformer only."""
    stage_features: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    """TPAVI in training mode only, per stage: visual [N,D,h_i,w_i] with the sound mixed in, and sound [N,D]."""


class AVSModel(Protocol):
    """The contract: `model(frames, logmel)` is exactly `segment(encode_visual(frames), logmel)`."""

    config: ModelConfig
    clip_length: int | None
    """None: every frame is independent. Otherwise frames come in whole clips of this many."""

    def encode_visual(self, frames: Tensor) -> Any:
        """frames [N,3,H,W], ImageNet-normalised -> all that does not depend on sound, batched along N."""
        ...

    def segment(self, visual: Any, logmel: Tensor) -> AVSOutput:
        """visual of N frames, logmel [N,1,96,64] -> AVSOutput."""
        ...

    def __call__(self, frames: Tensor, logmel: Tensor) -> AVSOutput: ...
