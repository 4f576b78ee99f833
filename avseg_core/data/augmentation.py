"""Augmentation and the released resizing rules, on numpy arrays. No torch here: the window shows what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avseg_core.audio.front_end import LOG_OFFSET, FrontEnd

_BILINEAR, _NEAREST = Image.Resampling.BILINEAR, Image.Resampling.NEAREST
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class Augmentation:
    """One draw of random changes, the same for all frames of a clip."""

    box: tuple[float, float, float, float]
    """Left, top, right and bottom of the crop as shares of width and height."""
    flip: bool
    brightness: float
    contrast: float
    saturation: float
    gain: float
    """Factor on the sound's magnitude."""
    noise: float
    """Level of the added noise relative to the clip's mean mel magnitude."""
    noise_seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Augmentation:
        """Flip 1/2; crop of 50 to 100 % of the area; colour +-30 %; sound +-10 dB with noise 10 to 40 dB below it."""
        area, aspect = rng.uniform(0.5, 1.0), np.exp(rng.uniform(-0.2, 0.2))
        width, height = min(1.0, np.sqrt(area * aspect)), min(1.0, np.sqrt(area / aspect))
        left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        brightness, contrast, saturation = rng.uniform(0.7, 1.3, 3)
        return cls(
            box=(float(left), float(top), float(left + width), float(top + height)),
            flip=bool(rng.random() < 0.5),
            brightness=float(brightness),
            contrast=float(contrast),
            saturation=float(saturation),
            gain=float(10 ** (rng.uniform(-10, 10) / 20)),
            noise=float(10 ** (rng.uniform(-40, -10) / 20)),
            noise_seed=int(rng.integers(2**31)),
        )

    def colour(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """image [H,W,3] with brightness, contrast (around its mean grey) and saturation changed."""
        pixels = image.astype(np.float32) * self.brightness
        grey = pixels @ _LUMA
        pixels = grey[..., None] + (pixels - grey[..., None]) * self.saturation
        mean = float(grey.mean())
        changed: NDArray[np.uint8] = np.clip(np.rint(mean + (pixels - mean) * self.contrast), 0, 255).astype(np.uint8)
        return changed

    def logmel(self, logmel: NDArray[np.float32], front_end: FrontEnd) -> NDArray[np.float32]:
        """logmel [T,96,64] as if the waveform had been scaled and noise (equal in every mel band) been mixed in.

        The gain is exact: log(g * mel + offset). Noise adds as powers do, with Rayleigh-distributed magnitudes.
        """
        offset = LOG_OFFSET[front_end]
        mel = np.maximum(np.exp(logmel.astype(np.float64)) - offset, 0.0)
        noise = np.random.default_rng(self.noise_seed).rayleigh(self.noise * mel.mean(), mel.shape)
        mixed: NDArray[np.float32] = np.log(self.gain * np.hypot(mel, noise) + offset).astype(np.float32)
        return mixed


@dataclass(frozen=True)
class Fit:
    """Brings pictures and label maps of one clip to the target size by the same rule.

    Pictures are resized bilinearly with antialiasing, label maps by the nearest pixel: what PIL does in the released
    loaders. `keep_aspect` is AVSS's training rule: the short side to the target, then a centre crop; everything else
    is resized without keeping the aspect. With an augmentation its crop takes the place of either rule.
    """

    size: tuple[int, int]
    """Target width and height in pixels."""
    keep_aspect: bool = False
    augmentation: Augmentation | None = None

    def image(self, image: Image.Image) -> NDArray[np.uint8]:
        """RGB picture -> [H,W,3]."""
        pixels = np.asarray(self._place(image, _BILINEAR))
        return pixels if self.augmentation is None else self.augmentation.colour(pixels)

    def label(self, label: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """label map [h,w] -> [H,W]."""
        return np.asarray(self._place(Image.fromarray(label), _NEAREST))

    def _place(self, image: Image.Image, resampling: Image.Resampling) -> Image.Image:
        if self.augmentation is not None:
            left, top, right, bottom = self.augmentation.box
            box = (left * image.width, top * image.height, right * image.width, bottom * image.height)
            placed = image.resize(self.size, resampling, box=box)
            return placed.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.augmentation.flip else placed
        if self.keep_aspect:
            return _cover(image, self.size, resampling)
        return image if image.size == self.size else image.resize(self.size, resampling)


def _cover(image: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    """Scaled until it just covers `size`, then the centre is cut out; long side and offsets rounded as released."""
    (width, height), (w, h) = image.size, size
    scaled = (int(width * h / height), h) if width * h > w * height else (w, int(height * w / width))
    left, top = round((scaled[0] - w) / 2), round((scaled[1] - h) / 2)
    return image.resize(scaled, resampling).crop((left, top, left + w, top + h))
