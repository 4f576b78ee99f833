"""What the frozen networks say about the scenes, computed once: backbone maps, things by name, the person probe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from catalogue import PEOPLE
from numpy.typing import NDArray
from scenes import SceneSet
from torch import Tensor, nn

from avseg_core.models.backbones import IMAGENET_MEAN, IMAGENET_STD, Backbone
from avseg_core.models.label_bridge import PERSON, THINGS, LabelPrior

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
def name_items(prior: LabelPrior, scenes: SceneSet, coarse: NDArray[np.float16]) -> Tensor:
    """What the classifier calls every item, averaged over the scenes it is in: [items,1001], largest 1."""
    items = scenes.things
    sums, seen = torch.zeros(len(items), THINGS), torch.zeros(len(items))
    for index in range(len(scenes.kinds)):
        things = prior.locate(torch.from_numpy(coarse[index : index + 1].astype(np.float32)))[0]  # [1001,h,w]
        for number, share in instance_shares(scenes, index, things.shape[1:]).items():
            if float(share.sum()) > 0.5:
                sums[number] += (things * share).sum(dim=(1, 2)) / share.sum()
                seen[number] += 1
    named = sums / seen.clamp(min=1)[:, None]
    for number, item in enumerate(items):
        named[number, PERSON] = float(item.label in PEOPLE)
    named[named < 0.02] = 0.0
    return named / named.amax(dim=1, keepdim=True).clamp(min=1e-6)


def instance_shares(scenes: SceneSet, index: int, grid: Sequence[int]) -> dict[int, Tensor]:
    """Item number -> how much of each cell of the grid (h, w) it covers, for one scene."""
    instances = torch.from_numpy(np.array(scenes.instances[index]))
    shares = {}
    for order, number in enumerate(scenes.items[index], start=1):
        if number >= 0:
            mask = (instances == order).float()[None, None]
            shares[int(number)] = F.adaptive_avg_pool2d(mask, tuple(grid))[0, 0]
    return shares


def train_person_probe(
    prior: LabelPrior, scenes: SceneSet, coarse: NDArray[np.float16], limit: int = 2500
) -> dict[str, Any]:
    """Fits the classifier's last row to tell people from the rest of the pictures, by logistic regression."""
    features, targets = [], []
    with torch.no_grad():
        for index in range(min(limit, len(scenes.kinds))):
            hidden = F.relu6(prior.hidden(torch.from_numpy(coarse[index : index + 1].astype(np.float32))))[0]
            shares = instance_shares(scenes, index, hidden.shape[1:])
            people = sum(
                (share for number, share in shares.items() if scenes.things[number].label in PEOPLE),
                torch.zeros(hidden.shape[1:]),
            )
            for cells, target in ((people > 0.5, 1.0), (people < 0.02, 0.0)):
                places = hidden[:, cells].T
                chosen = torch.randperm(len(places), generator=torch.Generator().manual_seed(index))[
                    : 12 if target else 10
                ]
                features.append(places[chosen])
                targets.append(torch.full((len(chosen),), target))
    x, y = torch.cat(features), torch.cat(targets)
    probe = nn.Linear(x.shape[1], 1)
    nn.init.zeros_(probe.weight)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=3e-3, weight_decay=0.3)
    weight = (len(y) - y.sum()) / y.sum().clamp(min=1)
    for step in range(400):
        batch = torch.randint(len(x), (2048,), generator=torch.Generator().manual_seed(step))
        loss = F.binary_cross_entropy_with_logits(probe(x[batch])[:, 0], y[batch], pos_weight=weight.sqrt())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        prior.things.weight[PERSON], prior.things.bias[PERSON] = probe.weight[0], probe.bias[0]
        right = ((probe(x)[:, 0] > 0) == (y > 0.5)).float()
    return {
        "places": len(y),
        "people": int(y.sum()),
        "found": float(right[y > 0.5].mean()),
        "others right": float(right[y < 0.5].mean()),
    }
