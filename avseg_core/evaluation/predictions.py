"""Predicted masks as PNG files with the names and formats of the published code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.palette import colours_from_labels
from avseg_core.results.writing import atomic, make_folder

AVSS_SIZE = (360, 240)
"""Width and height to which the published code resizes the colour masks of AVSS."""


def predicted_labels(logits: Tensor) -> Tensor:
    """logits [T,C,H,W] -> [T,H,W] uint8 classes; for one class 1 where the probability is above 0.5."""
    labels = torch.sigmoid(logits[:, 0].float()) > 0.5 if logits.shape[1] == 1 else logits.argmax(1)
    return labels.to(torch.uint8)


def save_masks(folder: Path, dataset: ClipDataset, index: int, logits: Tensor) -> None:
    """Writes one clip's masks from logits [T,C,H,W] below `folder`.

    One class: 8-bit grey, 255 where the probability is above 0.5. Classes: the palette's RGB colours, resized to
    360x240 by the nearest pixel, which keeps the colours exact (the published code leaves the filter to PIL's default,
    which newer versions changed to one that invents colours between classes).
    """
    for frame, labels in enumerate(predicted_labels(logits).cpu().numpy()):
        name = dataset.prediction_name(index, frame)
        if name is None:
            continue
        path = folder / name
        make_folder(path.parent)
        if dataset.class_names:
            image = Image.fromarray(colours_from_labels(labels)).resize(AVSS_SIZE, Image.Resampling.NEAREST)
        else:
            image = Image.fromarray(labels * np.uint8(255))
        with atomic(path) as temporary:
            image.save(temporary, format="PNG")
