"""A model small enough to train in a test, with all that makes training state: BatchNorm, dropout, frozen parts; and
how tests train it and act on what it tells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig, TrainConfig, with_overrides
from avseg_core.models.output import AVSOutput
from avseg_core.models.registry import ARCHITECTURES
from avseg_core.presets import preset
from avseg_core.training.events import Event, StepDone, read_events
from avseg_core.training.job import JobResult, train
from avseg_core.training.run_store import Run

SIZE = 32
TINY = [
    "model.architecture=tiny",
    f"model.image_size=[{SIZE},{SIZE}]",
    "from_scratch=true",
    "device=cpu",
    "learning_rate=3e-3",
    "freeze_backbone_epochs=0",
    "tensorboard=false",
    "checkpoint_seconds=0",
    "evaluate_every=0",
]


class TinyEar(nn.Module):
    """Log-mel -> its bands averaged over time."""

    front_end: ClassVar[str] = "vggish"
    embed_dim = 64

    def forward(self, logmel: Tensor) -> Tensor:
        return logmel.mean(dim=(1, 2))


@ARCHITECTURES.register("tiny")
class Tiny(nn.Module):
    """`config.backbone` "plain" leaves the BatchNorm out."""

    clip_length = None
    most_frames: ClassVar[int | None] = None
    """Memory is out beyond so many frames."""
    nan_after: ClassVar[int | None] = None
    """Answers NaN from this training pass on."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        norm = nn.Identity() if config.backbone == "plain" else nn.BatchNorm2d(8)
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), norm, nn.ReLU())
        self.audio_encoder = TinyEar()
        self.mixer = nn.Linear(TinyEar.embed_dim, 8)
        self.dropout = nn.Dropout(config.dropout)
        self.unused = nn.Linear(2, 2)
        self.mask_head = nn.Conv2d(8, config.num_classes, 3, padding=1)
        self.passes = 0

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        if self.most_frames is not None and len(frames) > self.most_frames:
            raise torch.OutOfMemoryError("CUDA out of memory (a test says so)")
        self.passes += self.training
        if self.nan_after is not None and self.passes > self.nan_after:
            frames = frames * torch.nan
        weights = torch.sigmoid(self.mixer(self.audio_encoder(logmel)))
        feature = self.backbone(frames) * weights[:, :, None, None]
        logits = F.interpolate(self.mask_head(self.dropout(feature)), scale_factor=2, mode="bilinear")
        return AVSOutput(logits, feature, weights)


def tiny_config(data: Path, name: str = "v2-ms3-r50", *assignments: str) -> TrainConfig:
    """The recipe `name` with the tiny model."""
    return with_overrides(preset(name), [f"data.root={data}", *TINY, *assignments])


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: the write fails like on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


if __name__ == "__main__":
    from avseg_core.cli import main

    sys.exit(main(sys.argv[1:]))


def of_kind(run: Run, kind: type[Event]) -> list[Any]:
    return [event for event in read_events(run.events_file) if isinstance(event, kind)]


def when(condition: Callable[[Event], bool], action: Callable[[], None]) -> Callable[[Event], None]:
    """A listener that acts on the first event that fits."""
    done: list[bool] = []

    def listen(event: Event) -> None:
        if not done and condition(event):
            done.append(True)
            action()

    return listen


def at_step(number: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepDone) and event.step == number


def fit(config: TrainConfig, folder: Path, **options: Any) -> tuple[Run, JobResult]:
    run = Run(folder)
    return run, train(config, run, **options)
