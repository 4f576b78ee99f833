"""What all data sets share: from pictures, label maps and log-mels of a clip to one `ClipSample`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from avseg_core.config import DataConfig
from avseg_core.data.augmentation import Augmentation, Fit
from avseg_core.data.check import SPLITS
from avseg_core.data.sample import ClipSample
from avseg_core.data.transforms import normalise
from avseg_core.errors import InputError

LabelMap = NDArray[np.uint8]
"""[H,W] class indices, 0 = background."""


@dataclass(frozen=True)
class RawClip:
    """A clip as it lies on disk, before it is resized; at most `frames_per_clip` pictures."""

    images: list[Image.Image]
    labels: list[LabelMap | None]
    """One per picture; None where the layout has no annotation."""
    logmel: NDArray[np.float32]
    """[frames_per_clip,96,64]."""


@dataclass(frozen=True)
class SoundPlace:
    """A stretch of sound in a file."""

    file: Path
    start: float
    """Seconds."""
    seconds: float


class ClipDataset(Dataset[ClipSample]):
    """Clips of one split in a fixed order. A new layout implements `__len__`, `clip_id` and `read`."""

    keep_aspect = False
    """True: short side to the target size, then a centre crop; False: resized without keeping the aspect."""

    def __init__(self, config: DataConfig, split: str, class_names: tuple[str, ...] = ()) -> None:
        if split not in SPLITS:
            raise InputError(f"Unknown split {split!r}; choose one of: {', '.join(SPLITS)}.")
        self.config = config
        self.split = split
        self.class_names = class_names
        """Names of classes 0.. (0 = background); empty for masks of one kind."""
        self._epoch_seed = (0, 0)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def clip_id(self, index: int) -> str:
        """Unique in the split, with "/" between folders."""

    @abstractmethod
    def read(self, index: int) -> RawClip:
        """The clip's pictures, label maps and log-mels. Raises InputError that names the file at fault."""

    @abstractmethod
    def sound_place(self, index: int) -> SoundPlace:
        """Where the sound of the clip can be listened to."""

    def prediction_name(self, index: int, frame: int) -> str | None:
        """Where a saved prediction goes, as in the published code: `<clip id>/<name>_<0-based frame>.png`.

        None for a frame that is not to be saved.
        """
        clip = self.clip_id(index)
        return f"{clip}/{clip.rpartition('/')[2]}_{frame}.png"

    def set_epoch(self, epoch: int, seed: int = 0) -> None:
        """Augmentation depends on (seed, epoch, index) only, so that a resumed run sees the same pictures."""
        self._epoch_seed = (seed, epoch)

    def __getitem__(self, index: int) -> ClipSample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        raw = self.read(index)
        augmentation = self._augmentation(index) if self.config.augment else None
        (height, width), length = self.config.image_size, self.config.frames_per_clip
        frames = torch.zeros(length, 3, height, width)
        labels = torch.zeros(length, height, width, dtype=torch.int64)
        has_label = torch.zeros(length, dtype=torch.bool)
        is_frame = torch.zeros(length, dtype=torch.bool)
        fit = Fit((width, height), self.keep_aspect, augmentation)
        for k, (image, label) in enumerate(zip(raw.images, raw.labels, strict=True)):
            frames[k] = normalise(fit.image(image))
            is_frame[k] = True
            if label is not None:
                labels[k] = torch.from_numpy(fit.label(label).astype(np.int64))
                has_label[k] = True
        logmel = raw.logmel if augmentation is None else augmentation.logmel(raw.logmel, self.config.front_end)
        return ClipSample(
            clip_id=self.clip_id(index),
            frames=frames,
            logmel=torch.from_numpy(logmel).unsqueeze(1),
            labels=labels,
            has_label=has_label,
            is_frame=is_frame,
        )

    def _augmentation(self, index: int) -> Augmentation:
        return Augmentation.draw(np.random.default_rng([*self._epoch_seed, index]))
