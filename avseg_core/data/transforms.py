"""From a picture of the model's size to its input, and back."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise(image: NDArray[np.uint8]) -> Tensor:
    """[H,W,3] uint8 RGB -> [3,H,W] float32 with the mean and deviation of ImageNet."""
    pixels = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)  # [3,H,W]
    return (pixels - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_STD)[:, None, None]


def denormalise(frame: Tensor) -> NDArray[np.uint8]:
    """The inverse of `normalise`, for pictures in reports."""
    pixels = frame.cpu() * torch.tensor(IMAGENET_STD)[:, None, None] + torch.tensor(IMAGENET_MEAN)[:, None, None]
    image: NDArray[np.uint8] = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return image
