"""Validation of a model in training: the published protocol, one pass over the validation clips."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.loading import load_in_order
from avseg_core.metrics import make_meter
from avseg_core.models.output import AVSModel


@dataclass(frozen=True)
class Validation:
    """Figures of the avsbench protocol, from 0 to 1."""

    miou: float
    fscore: float
    class_iou: tuple[float, ...]
    """AVSS: one per class."""
    seconds: float


@torch.no_grad()
def validate(
    model: AVSModel,
    clips: ClipDataset,
    *,
    batch_size: int,
    clips_at_once: int,
    device: torch.device,
    workers: int = 0,
    autocast: torch.autocast | None = None,
    after_batch: Callable[[int], None] = lambda done: None,
) -> Validation:
    """Scores `model`, which is in evaluation mode, on all `clips`.

    Args:
        batch_size: clips per batch of the protocol, which the published F-score depends on.
        clips_at_once: clips per forward pass; changes nothing but speed and memory.
        after_batch: is told how many clips are done; it may raise to end the pass.
    """
    started = time.monotonic()
    meter = make_meter(clips.class_names, ("avsbench",), (batch_size,))
    done = 0
    for batch in load_in_order(clips, clips_at_once, workers=workers, pin=device.type == "cuda"):
        batch = batch.to(device, non_blocking=True)
        with autocast or torch.autocast(device.type, enabled=False):
            logits = model(batch.frames, batch.logmel, batch.is_frame).logits.float()
        for clip in range(len(batch)):
            rows = slice(clip * batch.frames_per_clip, (clip + 1) * batch.frames_per_clip)
            meter.add(logits[rows], batch.labels[rows], batch.has_label[rows], batch.is_frame[rows])
        done += len(batch)
        after_batch(done)
    scores = meter.results()[0]
    return Validation(
        miou=scores.values["miou"],
        fscore=scores.values["fscore"],
        class_iou=tuple(row.iou for row in scores.classes),
        seconds=time.monotonic() - started,
    )
