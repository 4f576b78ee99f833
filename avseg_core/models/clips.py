"""Whole clips through a model: one that knows sounds by name hears every second among the clip's others."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from avseg_core.models.output import AVSModel, AVSOutput


def answer_clips(
    model: AVSModel,
    frames: Tensor,
    logmel: Tensor,
    frames_per_clip: int,
    *,
    is_frame: Tensor | None = None,
    chosen: Tensor | None = None,
) -> AVSOutput:
    """`model(frames, logmel, is_frame)` of clips of that many frames, as `segment` answers for a video.

    frames [B*T,3,H,W] and logmel [B*T,1,96,64], a second apart from one another; `chosen` [B*T] bool: only these are
    answered, by models for which every frame is independent.
    """
    prior = getattr(model, "label_prior", None)
    if prior is None:
        if chosen is not None:
            frames, logmel = frames[chosen], logmel[chosen]
        return model(frames, logmel, is_frame)
    named: Any = model  # beyond the contract of all models
    embedding = named.embed_audio(logmel)
    things = prior.hear_clips(embedding.float().view(-1, frames_per_clip, embedding.shape[1])).flatten(0, 1)
    if chosen is not None:
        frames, embedding, things = frames[chosen], embedding[chosen], things[chosen]
    answer: AVSOutput = named.segment_embedding(named.encode_visual(frames), embedding, is_frame, things)
    return answer
