"""Validation of a model in training: the published protocol, one pass over the validation clips."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.loading import load_in_order
from avseg_core.data.sample import AVSBatch
from avseg_core.metrics import make_meter
from avseg_core.models.clips import answer_clips
from avseg_core.models.output import AVSModel, AVSOutput


@dataclass(frozen=True)
class Validation:
    """Figures of the avsbench protocol, from 0 to 1."""

    miou: float
    fscore: float
    class_iou: tuple[float, ...]
    """AVSS: one per class."""
    seconds: float
    mixer_weights: tuple[float, ...] = ()
    """Mean weight of every channel of the mixer over the frames; empty without a channel mixer."""
    confusion: Tensor | None = None
    """With classes: [C,C] int64 pixels, true class by predicted class."""

    def confusion_shares(self) -> tuple[list[int], list[list[float]]]:
        """The classes that occur, and of each one's pixels the share that was answered as each of them."""
        if self.confusion is None:
            return [], []
        present = (self.confusion.sum(0) + self.confusion.sum(1)).nonzero().flatten()
        part = self.confusion[present][:, present].double()
        shares = part / part.sum(dim=1, keepdim=True).clamp(min=1)
        return present.tolist(), [[round(share, 4) for share in row] for row in shares.tolist()]


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
    tally = _Tally(len(clips.class_names))
    done = 0
    for batch in load_in_order(clips, clips_at_once, workers=workers, pin=device.type == "cuda"):
        batch = batch.to(device, non_blocking=True)
        with autocast or torch.autocast(device.type, enabled=False):
            output = answer_clips(model, batch.frames, batch.logmel, batch.frames_per_clip, is_frame=batch.is_frame)
        logits = output.logits.float()
        tally.add(output, batch)
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
        mixer_weights=tally.mixer_weights(),
        confusion=tally.confusion if clips.class_names else None,
    )


class _Tally:
    """What is counted beside the scores, over annotated frames."""

    def __init__(self, classes: int) -> None:
        self.confusion = torch.zeros(classes, classes, dtype=torch.int64)
        self._weights: Tensor | None = None
        self._frames = 0

    def add(self, output: AVSOutput, batch: AVSBatch) -> None:
        counted = batch.has_label & batch.is_frame
        if output.mixer_weights is not None:
            total = output.mixer_weights[counted].float().sum(0).cpu()  # [D]
            self._weights = total if self._weights is None else self._weights + total
            self._frames += int(counted.sum())
        if classes := len(self.confusion):
            pairs = batch.labels[counted] * classes + output.logits[counted].argmax(dim=1)
            self.confusion += torch.bincount(pairs.flatten(), minlength=classes**2).view(classes, classes).cpu()

    def mixer_weights(self) -> tuple[float, ...]:
        return () if self._weights is None or not self._frames else tuple((self._weights / self._frames).tolist())
