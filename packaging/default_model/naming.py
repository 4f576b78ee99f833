"""Teaches the picture's classifier to name small things among others, and where there is none of them.

The published classifier is sure of one large thing in the middle. Its own word for every thing alone ("portrait"),
corrected by the label where there is one, is what the tuned one must say at every place of a scene.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from catalogue import PEOPLE, Item
from features import instance_shares, to_frames
from numpy.typing import NDArray
from scenes import SceneSet, as_cutout, photo_mask, picture
from sound_labels import LABEL_SOUNDS
from torch import Tensor

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.inference.fuse import prepare_for_inference
from avseg_core.models.backbones import Backbone
from avseg_core.models.label_bridge import NOTHING, PERSON, THINGS, LabelPrior, bridge_matrix

SIDE = 288
_FITS = 0.4
"""Weight of the bridge from which a thing is one that the label may mean."""
_UNSURE = 0.1
"""Share of a labelled thing's name that goes to all that the label may mean, however little the classifier sees it."""
_CELLS_OF_NOTHING = 0.25
"""Share of the places without a thing that are learnt from in each step."""


@torch.no_grad()
def name_items(backbone: Backbone, prior: LabelPrior, items: Sequence[Item], masks: Path) -> Tensor:
    """What every item is, [items,1001], adding up to 1: the published classifier's word, within its label."""
    backbone = deepcopy(backbone)
    prepare_for_inference(backbone, torch.device("cpu"))
    named = []
    for item in items:
        if item.label in PEOPLE:
            named.append(F.one_hot(torch.tensor(PERSON), THINGS).float())
            continue
        coarse = backbone(to_frames(np.stack(portraits(item, masks))))[-1]
        pooled = F.relu6(prior.hidden(coarse)).mean(dim=(2, 3))
        names = F.pad(prior.things(pooled)[:, :PERSON].softmax(dim=1).mean(dim=0), (0, THINGS - PERSON))
        allowed = meant_by(item.label)
        if allowed is not None:
            names = names * allowed
            names = (1 - _UNSURE) * names / names.sum().clamp(min=1e-3) + _UNSURE * allowed / allowed.sum()
        named.append(names / names.sum())
    return torch.stack(named)


def meant_by(label: str) -> Tensor | None:
    """[1001] of 0 and 1: the things that make the label's sound; None where the bridge does not know it."""
    if label not in LABEL_SOUNDS:
        return None
    allowed = torch.from_numpy(bridge_matrix()[YAMNET_CLASSES.index(LABEL_SOUNDS[label])]) >= _FITS
    return allowed.float()


def portraits(item: Item, masks: Path) -> list[NDArray[np.uint8]]:
    """The item alone, large and in the middle, twice, each uint8 [288,288,3]."""
    image = picture(item.path)
    if not item.key.startswith("photo:"):
        return [_on_ground(as_cutout(image), grey) for grey in (110, 200)]
    rows, columns = np.where(photo_mask(item.path, masks) > 127)
    margin = max(np.ptp(rows), np.ptp(columns)) // 12
    top, left = max(0, int(rows.min()) - margin), max(0, int(columns.min()) - margin)
    crop = image[top : int(rows.max()) + margin, left : int(columns.max()) + margin, :3]
    view = np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    return [view, np.ascontiguousarray(view[:, ::-1])]


def _on_ground(cutout: NDArray[np.uint8], grey: int) -> NDArray[np.uint8]:
    scale = 0.9 * SIDE / max(cutout.shape[:2])
    small = cv2.resize(cutout, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    canvas = np.full((SIDE, SIDE, 3), grey, np.float32)
    top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    place = canvas[top : top + small.shape[0], left : left + small.shape[1]]
    place += small[..., 3:] / 255.0 * (small[..., :3] - place)
    return canvas.astype(np.uint8)


def tune_names(
    prior: LabelPrior,
    scenes: SceneSet,
    coarse: NDArray[np.float16],
    names: Tensor,
    steps: int,
    learning_rate: float = 3e-4,
    batch: int = 24,
    left_out: NDArray[np.bool_] | None = None,
) -> Iterator[float]:
    """Trains `prior.hidden` and `prior.things` on the backbone's last maps of the scenes; yields the loss per step.

    Places of the items `left_out` [items] teach nothing.
    """
    grid = coarse.shape[2:]
    parameters = [*prior.hidden.parameters(), *prior.things.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps, pct_start=0.1)
    rng = np.random.default_rng(7)
    for _ in range(steps):
        features, targets = [], []
        for index in rng.choice(len(coarse), batch, replace=False):
            target = dense_names(scenes, int(index), names, grid)  # [1002,h,w]
            chosen = (target[NOTHING] < 0.95) | (torch.from_numpy(rng.random(grid)) < _CELLS_OF_NOTHING)
            if left_out is not None:
                shares = instance_shares(scenes, int(index), grid)
                chosen &= ~torch.stack([(shares[n] > 0) & bool(left_out[n]) for n in shares]).any(dim=0)
            features.append(torch.from_numpy(coarse[index].astype(np.float32))[:, chosen].T)
            targets.append(target[:, chosen].T)
        hidden = F.relu6(F.linear(torch.cat(features), prior.hidden.weight[:, :, 0, 0], prior.hidden.bias))
        loss = F.cross_entropy(prior.things(hidden), torch.cat(targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield float(loss.detach())
    for parameter in parameters:
        parameter.requires_grad_(False)


def dense_names(scenes: SceneSet, index: int, names: Tensor, grid: Sequence[int]) -> Tensor:
    """What is at every place of a scene, [1002,h,w] adding up to 1, last that nothing is."""
    target = torch.zeros(THINGS + 1, *grid)
    for number, share in instance_shares(scenes, index, grid).items():
        target[:THINGS] += names[number][:, None, None] * share
    target[NOTHING] = (1 - target[:THINGS].sum(dim=0)).clamp(min=0)
    return target


@torch.no_grad()
def unmet_names(
    priors: Sequence[LabelPrior], scenes: SceneSet, coarse: NDArray[np.float16], folds: NDArray[np.int64], path: Path
) -> None:
    """Writes to `path` what is where in every scene [N,1001,h,w], told by a classifier that never met the thing.

    The k-th of the `priors` was tuned without the items whose fold is k. What is built on the classifier learns from
    this how far to trust it: of things that it was tuned to it is sure all over, of others in parts.
    """
    grid = coarse.shape[2:]
    store = np.lib.format.open_memmap(path, "w+", np.float16, (len(coarse), THINGS, *grid))
    for index in range(len(coarse)):
        maps = torch.from_numpy(coarse[index : index + 1].astype(np.float32))
        told = torch.cat([prior.locate(maps) for prior in priors])  # [FOLDS,1001,h,w]
        fold = torch.full(tuple(grid), index % len(priors))
        most = torch.zeros(tuple(grid))
        for number, share in instance_shares(scenes, index, grid).items():
            fold = torch.where(share > most, int(folds[number]), fold)
            most = torch.maximum(share, most)
        store[index] = told.gather(0, fold.expand(1, THINGS, *grid))[0].half().numpy()
    store.flush()


@torch.no_grad()
def choice(prior: LabelPrior, scenes: SceneSet, coarse: NDArray[np.float16]) -> tuple[float, int]:
    """How often the place of a labelled thing answers to its sound's name more than any other thing does, of how many.

    Scenes with several things; the sound is heard perfectly.
    """
    right = []
    for index in range(len(coarse)):
        shares = instance_shares(scenes, index, coarse.shape[2:])
        if len(shares) < 2:
            continue
        things = prior.locate(torch.from_numpy(coarse[index : index + 1].astype(np.float32)))[0]
        for number in shares:
            label = scenes.things[number].label
            if label not in LABEL_SOUNDS or float(shares[number].sum()) < 0.5:
                continue
            weights = torch.from_numpy(bridge_matrix()[YAMNET_CLASSES.index(LABEL_SOUNDS[label])])
            fit = torch.einsum("chw,c->hw", things, weights)
            means = {other: float((fit * part).sum() / part.sum().clamp(min=1e-6)) for other, part in shares.items()}
            right.append(max(means, key=lambda other: means[other]) == number)
    return float(np.mean(right)), len(right)
