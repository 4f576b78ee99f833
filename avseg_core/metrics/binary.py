"""Scores of masks of one kind (S4, MS3): per frame first, then gathered by each protocol in constant memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from avseg_core.metrics.scores import Scores

BETA_SQUARED = 0.3
NUM_THRESHOLDS = 255


@dataclass(frozen=True)
class FrameScores:
    """What is known of N frames once their pixels are counted; all on the CPU."""

    iou: Tensor
    """[N] float64; on a frame without object the share of the picture that is left empty."""
    f_curve: Tensor
    """[N,255] float64: F at each threshold; 0 on frames without object."""
    has_object: Tensor
    """[N] bool: the truth marks at least one pixel."""
    hits: Tensor
    """[N] int64: pixels that are marked (probability > 0.5) and true."""
    marked: Tensor
    """[N] int64."""
    true: Tensor
    """[N] int64."""


def thresholds() -> Tensor:
    """[255] float32 from 0 to exactly 1, as the released code makes them."""
    return torch.linspace(0, 1 - 1e-10, NUM_THRESHOLDS)


def score_frames(logits: Tensor, target: Tensor) -> FrameScores:
    """Counts N frames: logits [N,H,W] against target [N,H,W] of 0 and 1 (released `mask_iou` and `Eval_Fmeasure`).

    IoU takes sigmoid > 0.5, F takes sigmoid >= threshold. Values that are not a number are never marked.
    """
    probability = torch.sigmoid(logits.detach().float()).nan_to_num(nan=-1.0)
    truth = target > 0
    frames, pixels = logits.shape[0], logits.shape[1] * logits.shape[2]
    marked = probability > 0.5
    # Counts leave the device before they become float64, which Apple's GPU does not have.
    hits, marked_count = (marked & truth).flatten(1).sum(1).cpu(), marked.flatten(1).sum(1).cpu()
    true_count = truth.flatten(1).sum(1).cpu()
    has_object = true_count > 0
    union = marked_count + true_count - hits
    iou = torch.where(has_object, hits / (union + 1e-7), (pixels - marked_count) / (pixels + 1e-7)).double()
    curve = _f_curve(probability, truth, true_count).masked_fill(~has_object[:, None], 0.0)
    assert curve.shape == (frames, NUM_THRESHOLDS)
    return FrameScores(iou, curve, has_object, hits, marked_count, true_count)


def f_measure(precision: Tensor, recall: Tensor) -> Tensor:
    """F with beta^2 = 0.3, 0 where both are 0."""
    value = (1 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    return value.nan_to_num(nan=0.0)


def _f_curve(probability: Tensor, truth: Tensor, true_count: Tensor) -> Tensor:
    """[N,255] from one histogram per frame: the pixels at or above a threshold are a sum from its bin upwards."""
    frames, bins = probability.shape[0], NUM_THRESHOLDS + 1
    reached = torch.bucketize(probability, thresholds().to(probability.device), right=True)  # thresholds <= p, 0..255
    index = (torch.arange(frames, device=truth.device)[:, None] * 2 + truth.flatten(1)) * bins + reached.flatten(1)
    counts = torch.bincount(index.flatten(), minlength=frames * 2 * bins).cpu().view(frames, 2, bins)
    at_least = counts.flip(-1).cumsum(-1).flip(-1)[..., 1:]  # [N,2,255]
    hits, marked = at_least[:, 1].double(), at_least.sum(1).double()
    return f_measure(hits / (marked + 1e-20), hits / (true_count[:, None].double() + 1e-20))


class AVSBenchBinary:
    """The published numbers: unweighted means over batches, and F at the best threshold of each batch.

    A smaller batch gives an equal or higher F for the same masks, so F says nothing without the batch size. A batch
    without any object counts as F = 0.
    """

    def __init__(self, clips_per_batch: int) -> None:
        self.clips_per_batch = clips_per_batch
        self._iou_sum, self._f_sum, self._batches = 0.0, 0.0, 0
        self._begin()

    def _begin(self) -> None:
        self._clips, self._frames, self._ious = 0, 0, 0.0
        self._curves, self._objects = torch.zeros(NUM_THRESHOLDS, dtype=torch.float64), 0

    def add(self, clip: FrameScores) -> None:
        """The counted frames of the next clip."""
        self._clips += 1
        self._frames += len(clip.iou)
        self._ious += float(clip.iou.sum())
        self._curves += clip.f_curve.sum(0)
        self._objects += int(clip.has_object.sum())
        if self._clips == self.clips_per_batch:
            self._iou_sum, self._f_sum, self._batches = self._with_open_batch()
            self._begin()

    def _with_open_batch(self) -> tuple[float, float, int]:
        if not self._frames:
            return self._iou_sum, self._f_sum, self._batches
        best = float(self._curves.max()) / self._objects if self._objects else 0.0
        return self._iou_sum + self._ious / self._frames, self._f_sum + best, self._batches + 1

    def result(self) -> Scores:
        """Means over the batches so far, the last one however small."""
        iou, fscore, batches = self._with_open_batch()
        values = {"miou": iou / max(batches, 1), "fscore": fscore / max(batches, 1), "batches": float(batches)}
        return Scores("avsbench", values, clips_per_batch=self.clips_per_batch)


class FrameBinary:
    """Means over frames, whatever the batches; F at 0.5, and at the one threshold that is best for all frames."""

    def __init__(self) -> None:
        self._frames, self._objects = 0, 0
        self._iou_objects, self._iou_empty, self._f_half = 0.0, 0.0, 0.0
        self._curves = torch.zeros(NUM_THRESHOLDS, dtype=torch.float64)

    def add(self, clip: FrameScores) -> None:
        """The counted frames of the next clip."""
        self._frames += len(clip.iou)
        self._objects += int(clip.has_object.sum())
        self._iou_objects += float(clip.iou[clip.has_object].sum())
        self._iou_empty += float(clip.iou[~clip.has_object].sum())
        self._curves += clip.f_curve.sum(0)
        f_half = f_measure(clip.hits / (clip.marked + 1e-20), clip.hits / (clip.true + 1e-20))
        self._f_half += float(f_half[clip.has_object].sum())

    def result(self) -> Scores:
        """Means over the frames so far."""
        objects, empty = max(self._objects, 1), self._frames - self._objects
        best = int(self._curves.argmax())
        values = {
            "miou": (self._iou_objects + self._iou_empty) / max(self._frames, 1),
            "fscore": self._f_half / objects,
            "best_fscore": float(self._curves[best]) / objects,
            "best_threshold": float(thresholds()[best]),
            "frames": float(self._frames),
        }
        if empty:
            values |= {"object_miou": self._iou_objects / objects, "left_empty": self._iou_empty / empty}
        return Scores("frame", values)


class DatasetBinary:
    """One IoU and one F over the pixels of all frames together; higher than a mean over frames by some 10 points."""

    def __init__(self) -> None:
        self._hits, self._marked, self._true = 0, 0, 0

    def add(self, clip: FrameScores) -> None:
        """The counted frames of the next clip."""
        self._hits += int(clip.hits.sum())
        self._marked += int(clip.marked.sum())
        self._true += int(clip.true.sum())

    def result(self) -> Scores:
        """Over the pixels so far."""
        precision, recall = self._hits / max(self._marked, 1), self._hits / max(self._true, 1)
        values = {
            "miou": self._hits / max(self._marked + self._true - self._hits, 1),
            "fscore": float(f_measure(torch.tensor(precision), torch.tensor(recall))),
            "precision": precision,
            "recall": recall,
        }
        return Scores("dataset", values)
