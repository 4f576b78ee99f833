"""Scores of class maps (AVSS and folders with classes): pixel counts per frame and class, gathered by each protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from avseg_core.metrics.binary import f_measure
from avseg_core.metrics.scores import ClassScore, Protocol, Scores

EPSILON = 2.22e-16
"""numpy's spacing(1), which the released code adds to the union."""


@dataclass(frozen=True)
class ClassCounts:
    """Pixels of N frames and C classes; all on the CPU, [N,C] int64."""

    hits: Tensor
    predicted: Tensor
    true: Tensor

    @property
    def union(self) -> Tensor:
        """[N,C]."""
        return self.predicted + self.true - self.hits


def predict_classes(logits: Tensor, is_frame: Tensor) -> Tensor:
    """logits [N,C,H,W] -> [N,H,W] classes: the argmax of the softmax as released, a tie going to the lowest class.

    Padding is background: the released models set its logits to 0, so that all tie.
    """
    predicted = torch.zeros(logits.shape[0], *logits.shape[2:], dtype=torch.int64, device=logits.device)
    for k in is_frame.nonzero().flatten().tolist():  # frame by frame: a third of the memory and half of the time
        predicted[k] = torch.softmax(logits[k].detach().float(), dim=0).argmax(0)
    return predicted


def count_classes(predicted: Tensor, labels: Tensor, classes: int) -> ClassCounts:
    """predicted [N,H,W] against labels [N,H,W], both of 0..classes-1."""
    frames = labels.shape[0]
    offset = (torch.arange(frames, device=labels.device) * classes)[:, None, None]

    def count(index: Tensor) -> Tensor:
        return torch.bincount(index.flatten(), minlength=frames * classes).view(frames, classes).cpu()

    return ClassCounts(
        hits=count((labels + offset)[predicted == labels]),
        predicted=count(predicted + offset),
        true=count(labels + offset),
    )


def frame_iou(counts: ClassCounts) -> Tensor:
    """[N] float64: the mean over the classes that are true or predicted in a frame."""
    union = counts.union
    return (counts.hits / (union + EPSILON)).double().sum(1) / (union > 0).sum(1).clamp(min=1)


class MeanPerClass:
    """IoU and F of each class as means over the frames in which it is true or predicted, then the mean over classes.

    As protocol "avsbench" (released `compute_color_metrics`) the mean runs over all classes with background, a class
    that is never seen nor predicted counts as 0, and padded frames belong to the frames. The released scripts also
    print a "noBg" that leaves out the last class (woman) instead of background; it is not given here. As protocol
    "frame" the caller leaves padding out, and only classes that occur are in the mean.
    """

    def __init__(self, protocol: Protocol, class_names: Sequence[str]) -> None:
        self._protocol = protocol
        self._names = tuple(class_names)
        self._iou = torch.zeros(len(class_names), dtype=torch.float64)
        self._f = torch.zeros_like(self._iou)
        self._frames = torch.zeros(len(class_names), dtype=torch.int64)

    def add(self, clip: ClassCounts) -> None:
        """The counted frames of the next clip."""
        hits, union = clip.hits.double(), clip.union
        self._iou += (hits / (union + EPSILON)).sum(0)
        self._f += f_measure(hits / clip.predicted, hits / clip.true).sum(0)
        self._frames += (union > 0).sum(0)

    def result(self) -> Scores:
        """Means over the frames so far."""
        iou = (self._iou / self._frames).nan_to_num(nan=0.0)
        fscore = (self._f / self._frames).nan_to_num(nan=0.0)
        return _scores(self._protocol, self._names, iou, fscore, self._frames, everything=self._protocol == "avsbench")


class DatasetPerClass:
    """IoU and F of each class over the pixels of all frames together, then the mean over the classes that occur."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._hits = torch.zeros(len(class_names), dtype=torch.int64)
        self._predicted, self._true = torch.zeros_like(self._hits), torch.zeros_like(self._hits)
        self._frames = torch.zeros_like(self._hits)

    def add(self, clip: ClassCounts) -> None:
        """The counted frames of the next clip."""
        self._hits += clip.hits.sum(0)
        self._predicted += clip.predicted.sum(0)
        self._true += clip.true.sum(0)
        self._frames += (clip.union > 0).sum(0)

    def result(self) -> Scores:
        """Over the pixels so far."""
        hits, union = self._hits.double(), self._predicted + self._true - self._hits
        iou = (hits / union).nan_to_num(nan=0.0)
        fscore = f_measure(hits / self._predicted, hits / self._true)
        return _scores("dataset", self._names, iou, fscore, self._frames, everything=False)


def _scores(
    protocol: Protocol, names: tuple[str, ...], iou: Tensor, fscore: Tensor, frames: Tensor, *, everything: bool
) -> Scores:
    counted = torch.ones_like(frames, dtype=torch.bool) if everything else frames > 0
    values = {
        "miou": _mean(iou, counted),
        "fscore": _mean(fscore, counted),
        "miou_without_background": _mean(iou[1:], counted[1:]),
        "fscore_without_background": _mean(fscore[1:], counted[1:]),
        "classes": float(counted.sum()),
    }
    rows = zip(names, iou.tolist(), fscore.tolist(), frames.tolist(), strict=True)
    return Scores(protocol, values, classes=tuple(ClassScore(*row) for row in rows))


def _mean(values: Tensor, counted: Tensor) -> float:
    return float(values[counted].mean()) if bool(counted.any()) else 0.0
