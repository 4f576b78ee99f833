"""What every AVS model answers, and the contract it answers under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from avseg_core.config import ModelConfig
from avseg_core.models.audio_encoders import AudioEncoder


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
    """One [N,C,H,W] per decoder layer with a mask reformer, in training mode or if `model.return_intermediate`."""
    stage_features: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    """TPAVI in training mode only, per stage: visual [N,D,h_i,w_i] with the sound mixed in, and sound [N,D]."""
    gate: Tensor | None = None
    """[N], the logit that anything in the frame makes the sound, see `models.gate`; None for a model without one."""


class AVSModel(Protocol):
    """The contract: `model(frames, logmel)` is exactly `segment(encode_visual(frames), logmel)`."""

    config: ModelConfig
    audio_encoder: AudioEncoder
    clip_length: int | None
    """None: every frame is independent. Otherwise frames come in whole clips of this many."""

    def encode_visual(self, frames: Tensor) -> Any:
        """frames [N,3,H,W], ImageNet-normalised -> all that does not depend on sound, batched along N."""
        ...

    def segment(self, visual: Any, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """visual of N frames, logmel [N,1,96,64] -> AVSOutput; `is_frame` [N] bool is False for padding."""
        ...

    def __call__(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput: ...


VisualT = TypeVar("VisualT", bound=NamedTuple)


def slice_visual(visual: VisualT, frames: slice) -> VisualT:
    """The visual features of some frames, without copying."""
    return type(visual)._make(tensor[frames] for tensor in visual)


def cat_visual(parts: Sequence[VisualT]) -> VisualT:
    """The visual features of all frames of all parts, in order."""
    return type(parts[0])._make(torch.cat(tensors) for tensors in zip(*parts, strict=True))


def keep_frames(output: AVSOutput, is_frame: Tensor | None) -> AVSOutput:
    """Sets logits and mask feature of padded frames (`is_frame` [N] False) to 0, as the released AVSS code does."""
    if is_frame is not None:
        keep = is_frame.to(output.logits.dtype).view(-1, 1, 1, 1)
        output.logits = output.logits * keep
        if output.mask_feature is not None:
            output.mask_feature = output.mask_feature * keep
    return output
