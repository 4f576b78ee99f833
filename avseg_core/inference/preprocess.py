"""A frame as the model wants it: the whole frame at the model's size, ImageNet-normalised."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avseg_core.data.transforms import IMAGENET_MEAN, IMAGENET_STD


def resize_frame(image: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """Resizes image [H,W,3] uint8 to [3,h,w] uint8 without keeping the aspect, as the AVSBench loaders do.

    The filter is PIL's antialiased bilinear (torchvision's `Resize(antialias=True)`); `results.mask` is its inverse.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]  # [1,3,H,W], channels last
    return F.interpolate(pixels, size=size, mode="bilinear", antialias=True)[0]


def normalise(frames: Tensor) -> Tensor:
    """frames [N,3,h,w] uint8 -> float32 with ImageNet's mean and deviation, on the same device."""
    mean = torch.tensor(IMAGENET_MEAN, device=frames.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=frames.device).view(1, 3, 1, 1)
    return (frames.float() / 255 - mean) / std
