"""One clip as the model and the loss take it, and several of them as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClipSample:
    """T frames with the sound that belongs to each; T is the data set's `frames_per_clip`."""

    clip_id: str
    frames: Tensor
    """[T,3,H,W] float32, ImageNet-normalised; zero where `is_frame` is False."""
    logmel: Tensor
    """[T,1,96,64] float32."""
    labels: Tensor
    """[T,H,W] int64: 0 background, 1 sounding, or the class; 0 where nothing is annotated."""
    has_label: Tensor
    """[T] bool: the frame is annotated (in training on S4 only the first one is)."""
    is_frame: Tensor
    """[T] bool: False for padding behind a clip that has fewer than T frames."""


@dataclass(frozen=True)
class AVSBatch:
    """B clips, their frames one after the other along the first axis (N = B*T)."""

    clip_ids: tuple[str, ...]
    frames: Tensor
    """[B*T,3,H,W] float32."""
    logmel: Tensor
    """[B*T,1,96,64] float32."""
    labels: Tensor
    """[B*T,H,W] int64."""
    has_label: Tensor
    """[B*T] bool."""
    is_frame: Tensor
    """[B*T] bool."""
    frames_per_clip: int

    def __len__(self) -> int:
        return len(self.clip_ids)

    def clip(self, index: int) -> AVSBatch:
        """One of the clips as a batch of its own; no tensor is copied."""
        rows = slice(index * self.frames_per_clip, (index + 1) * self.frames_per_clip)
        return replace(self._map(lambda tensor: tensor[rows]), clip_ids=(self.clip_ids[index],))

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> AVSBatch:
        """The same batch on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> AVSBatch:
        """The same batch in page-locked memory; `DataLoader(pin_memory=True)` calls this."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, change: Callable[[Tensor], Tensor]) -> AVSBatch:
        return replace(
            self,
            frames=change(self.frames),
            logmel=change(self.logmel),
            labels=change(self.labels),
            has_label=change(self.has_label),
            is_frame=change(self.is_frame),
        )


def collate(samples: Sequence[ClipSample]) -> AVSBatch:
    """Joins clips of equal T, H and W into one batch (a DataLoader's `collate_fn`)."""
    return AVSBatch(
        clip_ids=tuple(sample.clip_id for sample in samples),
        frames=torch.cat([sample.frames for sample in samples]),
        logmel=torch.cat([sample.logmel for sample in samples]),
        labels=torch.cat([sample.labels for sample in samples]),
        has_label=torch.cat([sample.has_label for sample in samples]),
        is_frame=torch.cat([sample.is_frame for sample in samples]),
        frames_per_clip=samples[0].frames.shape[0],
    )
