"""Rehearsal: pictures and sounds on which a fine-tuned model must go on answering as the one it started from.

The pictures are frames of the demo clip in ever other cuts and colours, half of them set into a picture of the new
data. Most keep the sound of their own second, some get another one's, and some a sound of the new data: so the model
also learns that the new sounds do not belong to what it knew before. The answers are those of the model before
training, so rehearsal needs no masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from avseg_core.audio.front_end import SAMPLE_RATE, FrontEnd, window_logmel
from avseg_core.config import DataConfig
from avseg_core.data.augmentation import Augmentation, Fit
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.transforms import normalise
from avseg_core.losses import soft_dice
from avseg_core.media import AudioReader, VideoReader
from avseg_core.models.output import AVSModel
from avseg_core.training.checkpoint import load_state, save_state

POOL = 48
"""Frames that are made ready once per run; every step rehearses some of them."""
_ITS_OWN, _OF_NEW_DATA = 0.6, 0.2
"""Shares of the frames with the sound of their own second and with one of the new data; the rest has any second's."""
_AT_ONCE = 4
_SET_IN = 0.5
"""Share of the frames of old sounds that are set into a new picture."""
_NEW_CLIPS = 8
"""Clips of the new data that are looked at, however many there are."""
Picture = NDArray[np.uint8]
"""[H,W,3]."""
Sounds = list[NDArray[np.float32]]
"""Log-mels [96,64]."""


@dataclass(frozen=True)
class Rehearsal:
    """K frames with sounds, and how the model answered them before training."""

    frames: Tensor
    """[K,3,H,W] float16, ImageNet-normalised."""
    logmel: Tensor
    """[K,1,96,64] float32."""
    answers: Tensor
    """[K,H,W] float16: probability that a pixel sounds."""

    def draw(self, count: int, key: tuple[int, ...]) -> Rehearsal:
        """`count` of the frames, decided by `key` only."""
        chosen = np.random.default_rng(key).choice(len(self.frames), min(count, len(self.frames)), replace=False)
        return self._rows(torch.from_numpy(chosen))

    def split(self, most: int) -> Iterator[Rehearsal]:
        """Parts of at most `most` frames."""
        for rows in torch.arange(len(self.frames)).split(most):
            yield self._rows(rows)

    def to(self, device: torch.device) -> Rehearsal:
        """On `device`, in float32."""
        return Rehearsal(*(part.to(device, torch.float32) for part in (self.frames, self.logmel, self.answers)))

    def save(self, path: Path) -> None:
        """Keeps it beside a run's state. Raises SaveError."""
        save_state({"frames": self.frames, "logmel": self.logmel, "answers": self.answers}, path)

    @classmethod
    def load(cls, path: Path) -> Rehearsal:
        """What `save` wrote. Raises InputError."""
        state = load_state(path)
        return cls(state["frames"], state["logmel"], state["answers"])

    def _rows(self, rows: Tensor) -> Rehearsal:
        return Rehearsal(self.frames[rows], self.logmel[rows], self.answers[rows])


def rehearsal_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """How far logits [N,C,H,W] are from the earlier answers [N,H,W], per frame [N]; 0 where they are the same.

    Twice the Kullback-Leibler divergence of "sounds" per pixel and, where something sounded, the Dice loss.
    """
    sounds = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1:].logsumexp(dim=1) - logits[:, 0]
    entropy = F.binary_cross_entropy(answers, answers, reduction="none")
    divergence = F.binary_cross_entropy_with_logits(sounds, answers, reduction="none") - entropy
    anything = (answers > 0.5).any(-1).any(-1)
    return 2 * divergence.mean((1, 2)) + (1 - soft_dice(sounds.sigmoid(), answers)) * anything


def make_rehearsal(teacher: AVSModel, clips: ClipDataset, seed: int, pool: int = POOL) -> Rehearsal:
    """Frames of the demo clip, and what `teacher`, a model of independent frames in evaluation mode, answers.

    `clips` are those of the new data, in the teacher's size and with its sound features.
    """
    rng = np.random.default_rng([seed, pool])
    images, sounds = _demo(clips.config.front_end)
    chosen = rng.choice(len(clips), min(_NEW_CLIPS, len(clips)), replace=False)
    new = [_look(clips, int(index)) for index in chosen]
    drawn = [_draw(rng, images, sounds, number % len(images), new, clips.config) for number in range(pool)]
    frames, logmels = [normalise(picture) for picture, _ in drawn], [torch.from_numpy(sound) for _, sound in drawn]
    pictures, heard = torch.stack(frames).half(), torch.stack(logmels)
    device = next(teacher.parameters()).device  # type: ignore[attr-defined]
    answers = [
        _answer(teacher, part.float().to(device), sound.to(device))
        for part, sound in zip(pictures.split(_AT_ONCE), heard.split(_AT_ONCE), strict=True)
    ]
    return Rehearsal(pictures, heard, torch.cat(answers))


@torch.no_grad()
def _answer(teacher: AVSModel, frames: Tensor, logmel: Tensor) -> Tensor:
    logits = teacher(frames, logmel).logits.float()
    sounds = logits[:, 0].sigmoid() if logits.shape[1] == 1 else 1 - logits.softmax(dim=1)[:, 0]
    return sounds.half().cpu()


def _demo(front_end: FrontEnd) -> tuple[list[Image.Image], Sounds]:
    """The frame in the middle of every second of the demo clip, and that second's log-mel."""
    clip = Path(str(files("resources"))) / "demo" / "demo.mp4"
    with VideoReader(clip) as video, AudioReader(clip, rate=SAMPLE_RATE) as audio:
        seconds = range(max(1, int(video.info.duration)))
        images = [Image.fromarray(frame.image) for frame in video.frames_at([second + 0.5 for second in seconds])]
        sounds = [window_logmel(audio.read(float(second), 1.0), front_end)[0] for second in seconds]
    return images, sounds


def _look(clips: ClipDataset, index: int) -> tuple[Picture, NDArray[np.float32]]:
    """The first picture of a clip in the model's size, and its log-mel [1,96,64]."""
    raw = clips.read(index)
    height, width = clips.config.image_size
    return Fit((width, height)).image(raw.images[0]), raw.logmel[:1]


def _draw(
    rng: Generator,
    images: list[Image.Image],
    sounds: Sounds,
    second: int,
    new: list[tuple[Picture, NDArray[np.float32]]],
    config: DataConfig,
) -> tuple[Picture, NDArray[np.float32]]:
    """A picture of that second and a log-mel [1,96,64]."""
    augmentation = Augmentation.draw(rng)
    picture = Fit((config.image_size[1], config.image_size[0]), augmentation=augmentation).image(images[second])
    around, new_sound = new[int(rng.integers(len(new)))]
    place = rng.random()
    if place < _OF_NEW_DATA:
        return picture, augmentation.logmel(new_sound, config.front_end)
    heard = second if place < _OF_NEW_DATA + _ITS_OWN else int(rng.integers(len(sounds)))
    if rng.random() < _SET_IN:
        picture = _set_in(rng, picture, around)
    return picture, augmentation.logmel(sounds[heard][None], config.front_end)


def _set_in(rng: Generator, picture: Picture, around: Picture) -> Picture:
    """`picture` made smaller, somewhere in `around` [H,W,3]."""
    height, width = around.shape[:2]
    share = rng.uniform(0.5, 0.85)
    high, wide = round(share * height), round(share * width)
    top, left = int(rng.integers(height - high + 1)), int(rng.integers(width - wide + 1))
    canvas = around.copy()
    canvas[top : top + high, left : left + wide] = np.asarray(Image.fromarray(picture).resize((wide, high)))
    return canvas
