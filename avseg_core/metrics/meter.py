"""All protocols from one pass over the clips; memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol as TypingProtocol

import torch
from torch import Tensor

from avseg_core.metrics.binary import AVSBenchBinary, DatasetBinary, FrameBinary, FrameScores, score_frames
from avseg_core.metrics.scores import PROTOCOLS, Protocol, Scores
from avseg_core.metrics.semantic import (
    ClassCounts,
    DatasetPerClass,
    MeanPerClass,
    count_classes,
    frame_iou,
    predict_classes,
)


class Meter(TypingProtocol):
    """Takes one clip after the other and answers the chosen protocols."""

    def add(self, logits: Tensor, labels: Tensor, has_label: Tensor, is_frame: Tensor) -> Tensor:
        """One clip: logits [T,C,H,W], labels [T,H,W], has_label and is_frame [T].

        Returns:
            [T] float64: the IoU of each frame, NaN for padding and frames without annotation.
        """
        ...

    def results(self) -> list[Scores]:
        """The figures so far, in the order in which the protocols were asked for."""
        ...


def make_meter(
    class_names: Sequence[str] = (),
    protocols: Sequence[Protocol] = PROTOCOLS,
    batch_sizes: Sequence[int] = (4, 2),
) -> Meter:
    """A meter for masks of one kind (no class names) or for class maps.

    Args:
        batch_sizes: clips per batch of the avsbench protocol of S4 and MS3, one result each; no matter to AVSS.
    """
    return SemanticMeter(class_names, protocols) if class_names else BinaryMeter(protocols, batch_sizes)


class BinaryMeter:
    """Sounding / not sounding; only annotated frames count."""

    def __init__(self, protocols: Sequence[Protocol], batch_sizes: Sequence[int]) -> None:
        self._parts: list[AVSBenchBinary | FrameBinary | DatasetBinary] = []
        for protocol in protocols:
            if protocol == "avsbench":
                self._parts += [AVSBenchBinary(size) for size in batch_sizes]
            else:
                self._parts.append(FrameBinary() if protocol == "frame" else DatasetBinary())

    def add(self, logits: Tensor, labels: Tensor, has_label: Tensor, is_frame: Tensor) -> Tensor:
        counted = has_label & is_frame
        quality = torch.full(counted.shape, torch.nan, dtype=torch.float64)
        scores: FrameScores = score_frames(logits[counted, 0], labels[counted])
        for part in self._parts:
            part.add(scores)
        quality[counted.cpu()] = scores.iou
        return quality

    def results(self) -> list[Scores]:
        return [part.result() for part in self._parts]


class SemanticMeter:
    """Classes. Padding counts in the avsbench protocol, as background that is always right; nowhere else."""

    def __init__(self, class_names: Sequence[str], protocols: Sequence[Protocol]) -> None:
        self._parts: list[tuple[Protocol, MeanPerClass | DatasetPerClass]] = [
            (protocol, DatasetPerClass(class_names) if protocol == "dataset" else MeanPerClass(protocol, class_names))
            for protocol in protocols
        ]

    def add(self, logits: Tensor, labels: Tensor, has_label: Tensor, is_frame: Tensor) -> Tensor:
        real, published = has_label & is_frame, has_label | ~is_frame
        predicted = predict_classes(logits, real)
        counts = count_classes(predicted[published], labels[published], logits.shape[1])
        inside = real[published].cpu()
        real_counts = ClassCounts(counts.hits[inside], counts.predicted[inside], counts.true[inside])
        for protocol, part in self._parts:
            part.add(counts if protocol == "avsbench" else real_counts)
        quality = torch.full(real.shape, torch.nan, dtype=torch.float64)
        quality[real.cpu()] = frame_iou(real_counts)
        return quality

    def results(self) -> list[Scores]:
        return [part.result() for _, part in self._parts]
