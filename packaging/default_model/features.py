"""What the frozen picture networks say about the scenes, computed once, and where their things are on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scenes import SceneSet
from torch import Tensor

from avseg_core.inference.fuse import prepare_for_inference
from avseg_core.models.backbones import IMAGENET_MEAN, IMAGENET_STD, Backbone
from avseg_core.models.detector import BOX_VALUES, BOXES, Detector

_BATCH = 16
_MEAN = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
_STD = torch.tensor(IMAGENET_STD).view(3, 1, 1)


def to_frames(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [N,H,W,3] -> ImageNet-normalised [N,3,H,W]."""
    return (torch.from_numpy(np.array(images)).permute(0, 3, 1, 2) / 255.0 - _MEAN) / _STD


@torch.no_grad()
def cache_maps(folder: Path, scenes: SceneSet, backbone: Backbone) -> list[NDArray[np.float16]]:
    """The backbone's maps of every scene as float16 memory maps [N,C,h,w], computed unless they are there."""
    count, height, width = scenes.images.shape[:3]
    files = [folder / f"maps{level}.npy" for level in range(4)]
    if not (folder / "maps.done").exists():
        backbone = deepcopy(backbone)
        prepare_for_inference(backbone, torch.device("cpu"))
        shapes = [
            (count, channels, height // step, width // step)
            for channels, step in zip(backbone.channels, (4, 8, 16, 32), strict=True)
        ]
        stores = [
            np.lib.format.open_memmap(file, "w+", np.float16, shape) for file, shape in zip(files, shapes, strict=True)
        ]
        for start in range(0, count, _BATCH):
            part = slice(start, start + _BATCH)
            for store, maps in zip(stores, backbone(to_frames(scenes.images[part])), strict=True):
                store[part] = maps.half().numpy()
        for store in stores:
            store.flush()
        (folder / "maps.done").touch()
    return [np.load(file, mmap_mode="r") for file in files]


@torch.no_grad()
def cache_boxes(folder: Path, scenes: SceneSet, detector: Detector) -> NDArray[np.float16]:
    """The detector's boxes of every scene [N,20,84], computed unless they are there."""
    path = folder / "boxes.npy"
    if not path.exists():
        detector = deepcopy(detector)
        prepare_for_inference(detector, torch.device("cpu"))
        boxes = np.zeros((len(scenes.images), BOXES, BOX_VALUES), np.float16)
        for start in range(0, len(boxes), _BATCH):
            part = slice(start, start + _BATCH)
            boxes[part] = detector(to_frames(scenes.images[part])).half().numpy()
        np.save(path, boxes)
    return np.asarray(np.load(path))


def instance_shares(scenes: SceneSet, index: int, grid: Sequence[int]) -> dict[int, Tensor]:
    """Item number -> how much of each cell of the grid (h, w) it covers, for one scene."""
    instances = torch.from_numpy(np.array(scenes.instances[index]))
    shares = {}
    for order, number in enumerate(scenes.items[index], start=1):
        if number >= 0:
            mask = (instances == order).float()[None, None]
            shares[int(number)] = F.adaptive_avg_pool2d(mask, tuple(grid))[0, 0]
    return shares
