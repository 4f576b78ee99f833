"""Masks of a few fixed validation frames after every evaluation, as pictures in the run folder.

`snapshots/frame_0.png` is what the model sees, `truth_0.png` its annotation and `step_00000120_0.png` what the model
answers after step 120: 255 times the probability that a pixel sounds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.sample import AVSBatch, collate
from avseg_core.errors import AVSegError
from avseg_core.models.clips import answer_clips
from avseg_core.models.output import AVSModel

MOST = 6
"""Frames that are followed."""
_MEAN, _STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class Snapshots:
    """Follows the first annotated frame of clips that are spread over the validation set."""

    def __init__(self, folder: Path, clips: ClipDataset, device: torch.device) -> None:
        self._folder, self._device = folder, device
        places = np.unique(np.linspace(0, len(clips) - 1, min(MOST, len(clips))).round().astype(int))
        self._batches: list[tuple[AVSBatch, int]] = []
        with suppress(AVSegError, OSError):  # a damaged clip ends the run elsewhere, with words
            folder.mkdir(parents=True, exist_ok=True)
            for number, place in enumerate(places):
                self._follow(collate([clips[int(place)]]), number)

    def _follow(self, batch: AVSBatch, number: int) -> None:
        annotated = torch.nonzero(batch.has_label & batch.is_frame)
        frame = int(annotated[0]) if len(annotated) else 0
        pixels = (batch.frames[frame] * _STD[:, None, None] + _MEAN[:, None, None]).clamp(0, 1)
        self._save(_bytes(pixels.permute(1, 2, 0)), f"frame_{number}.png")  # [H,W,3]
        self._save(_bytes((batch.labels[frame] > 0).float()), f"truth_{number}.png")
        self._batches.append((batch, frame))

    @torch.no_grad()
    def write(self, model: AVSModel, step: int) -> None:
        """Pictures of what `model`, in evaluation mode, answers after `step`.

        Too little memory or disk costs only the pictures: a run that cannot go on says so itself.
        """
        for number, (batch, frame) in enumerate(self._batches):
            batch = batch.to(self._device)
            try:
                output = answer_clips(model, batch.frames, batch.logmel, batch.frames_per_clip, is_frame=batch.is_frame)
            except torch.OutOfMemoryError:
                return
            logits = output.logits[frame].float()  # [C,H,W]
            sounds = logits[0].sigmoid() if len(logits) == 1 else 1 - logits.softmax(dim=0)[0]
            self._save(_bytes(sounds.cpu()), f"step_{step:08d}_{number}.png")

    def _save(self, picture: NDArray[np.uint8], name: str) -> None:
        partial = self._folder / f"{name}.partial"
        try:
            Image.fromarray(picture).save(partial, format="PNG")
            os.replace(partial, self._folder / name)
        except OSError:
            partial.unlink(missing_ok=True)


def _bytes(values: torch.Tensor) -> NDArray[np.uint8]:
    return (255 * values).round().to(torch.uint8).numpy()
