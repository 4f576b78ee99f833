"""A bridge between what a sound network and a picture network know by name: which things make which sounds.

YAMNet tells 521 AudioSet classes, an ImageNet classifier 1000 things. `label_bridge.txt` says by hand which things can
make which sounds; the matrix made from it turns the sound's scores into a weight per thing, and the classifier applied
at every place of the picture tells where such things are. Both classifiers are the published ones, tuned: the sound's
to seconds of mixed and noisy sound, the picture's to small things among others. `LabelPrior` gives that to AVSegFormer
as further input to its memory and mask feature. Neither the paper nor its code has such a box; models without
`label_prior` are unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.models.deformable import LevelShapes
from avseg_core.models.detector import COCO_CLASSES

THINGS = 1001
"""ImageNet's 1000 classes and, last, "person"."""
PERSON = 1000
NOTHING = 1001
"""The classifier's last row: none of these things is here."""
HIDDEN = 1280
"""Width of the classifier's head in all EfficientNet-Lite."""
CHANNELS = 4
_LEAST = 1e-4
_HEARD = 0.1
"""Scores below say nothing: silence has some, too. Only where no `Presence` tells silence."""
MEANT = 0.3
"""Weight of the bridge from which a sound means a thing; "Animal" means none."""
NEARBY = 2
"""So many seconds before and after one are heard with it."""
_FORGOTTEN = 3.0
"""Seconds after which another second counts for 1/e."""
_SAME_NAME, _SAME_PRESENCE, _STEEPNESS = 0.5, 0.7, 16.0
"""Agreement at which another second counts half for the name, and for whether anything sounds, and how fast that
changes with it. From half on most seconds are of the same thing; a pause between two barks resembles them more."""


class Presence(nn.Module):
    """How sure it is that something with a name sounds, not noise or silence.

    YAMNet's scores are low for what is rare, short or among noise, and high for some noises: which of its names fits
    best is far surer than whether any does. So that is asked of the embedding itself, beside the best name's score.
    """

    named: Tensor

    def __init__(self, hearing: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hearing + 1, 1)
        named = np.flatnonzero(bridge_matrix().max(axis=1) >= MEANT)
        # `from_numpy` also makes real numbers where a model is built on the meta device; no file holds these.
        self.register_buffer("named", torch.from_numpy(named), persistent=False)

    def best_name(self, logits: Tensor) -> Tensor:
        """The largest of the logits [N,521] whose class means a thing [N,1]."""
        return logits[:, self.named].amax(dim=1, keepdim=True)

    def forward(self, embedding: Tensor, logits: Tensor) -> Tensor:
        """YAMNet's embedding [N,E] and the classes' logits [N,521] -> logit [N,1]."""
        surely: Tensor = self.linear(torch.cat([embedding, self.best_name(logits)], dim=1))
        return surely


class LabelPrior(nn.Module):
    """Where in the picture are things that could make this sound, by name."""

    bridge: Tensor

    def __init__(self, channels: int, hearing: int, dim: int, *, presence: bool = False) -> None:
        super().__init__()
        self.sounds = nn.Linear(hearing, len(YAMNET_CLASSES))
        self.presence = Presence(hearing) if presence else None
        self.hidden = nn.Conv2d(channels, HIDDEN, 1)
        self.things = nn.Linear(HIDDEN, THINGS + 1)
        self.register_buffer("bridge", torch.tensor(bridge_matrix()))  # a copy: loading weights overwrites it
        self.to_memory = nn.Linear(CHANNELS, dim)
        self.to_mask_feature = nn.Conv2d(CHANNELS, dim, 3, padding=1)

    def locate(self, coarse: Tensor) -> Tensor:
        """The backbone's last map [N,C,h,w] -> probability of every thing at every place [N,1001,h,w].

        What is missing to 1 is the probability that none of them is there.
        """
        hidden = F.relu6(self.hidden(coarse)).permute(0, 2, 3, 1)  # [N,h,w,HIDDEN]
        return self.things(hidden).softmax(dim=-1)[..., :THINGS].permute(0, 3, 1, 2)

    def hear(self, embedding: Tensor) -> Tensor:
        """YAMNet's embedding [N,E] -> how strongly the sound speaks for every thing [N,1001], 0..1."""
        return self.hear_among(embedding[:, None], torch.zeros_like(embedding[:, :1]))

    def hear_among(self, embedding: Tensor, apart: Tensor) -> Tensor:
        """`hear` of seconds among others of the same recording.

        What sounds mostly goes on, and several seconds name it surer than one: YAMNet's scores, and how sure it is that
        anything sounds, are averaged over the seconds that agree with the one in question. Where that itself seems
        silent, the others say little of it.

        Args:
            embedding: [N,S,E], of N seconds (the first of S) and the others.
            apart: [N,S], how many seconds lie between; infinite where there is no other.
        """
        logits = self.sounds(embedding)  # [N,S,521]
        scores = logits.sigmoid()
        kind = F.normalize(scores.sqrt(), dim=2)
        agreement = (kind * kind[:, :1]).sum(dim=2)  # [N,S], 1 for the first
        fading = torch.exp(-apart / _FORGOTTEN)
        named = fading * torch.sigmoid(_STEEPNESS * (agreement - _SAME_NAME))
        if self.presence is None:
            return self.weigh(_average(scores, named))
        surely = self.presence(embedding.flatten(0, 1), logits.flatten(0, 1)).view(*apart.shape, 1)
        alike = fading * torch.sigmoid(_STEEPNESS * (agreement - _SAME_PRESENCE))
        present = _average(surely, alike).sigmoid()  # [N,1]
        return present * self.compare(_average(scores, named * present))

    def hear_clips(self, embedding: Tensor) -> Tensor:
        """[B,T,E], T seconds in a row of B clips, each heard among those nearby -> [B,T,1001]."""
        count = embedding.shape[1]
        offsets = torch.tensor([0, *(sign * away for away in range(1, NEARBY + 1) for sign in (-1, 1))])
        places = torch.arange(count)[:, None] + offsets  # [T,S]
        apart = offsets.abs().float().where((places >= 0) & (places < count), torch.inf)
        among = embedding[:, places.clamp(0, count - 1)]  # [B,T,S,E]
        heard = self.hear_among(among.flatten(0, 1), apart.to(embedding).repeat(len(embedding), 1))
        return heard.view(*embedding.shape[:2], -1)

    def weigh(self, scores: Tensor) -> Tensor:
        """Scores of YAMNet's classes [N,521] -> how strongly the sound speaks for every thing [N,1001], 0..1.

        What speaks for a thing weakly counts even less where something speaks for another thing strongly: "Animal"
        comes with every "Dog" and then says nothing about hens.
        """
        heard = scores * (scores > _HEARD)
        weights = (heard[:, :, None] * self.bridge).amax(dim=1)
        return weights.square() / weights.amax(dim=1, keepdim=True).clamp(min=_LEAST)

    def compare(self, scores: Tensor) -> Tensor:
        """Scores of YAMNet's classes [N,521] -> how well every thing fits beside the best [N,1001], 1 for that."""
        meant = self.bridge * (self.bridge >= MEANT)
        weights = (scores[:, :, None] * meant).amax(dim=1)
        return (weights / weights.amax(dim=1, keepdim=True).clamp(min=1e-12)).square()

    def match(self, things: Tensor, weights: Tensor) -> Tensor:
        """things [N,1001,h,w], weights [N,1001] -> maps [N,4,h,w], all about 0..1.

        The share of fitting things, the same as logarithm, the same relative to the best place, and (equal everywhere)
        how much the sound says at all.
        """
        share = torch.einsum("nchw,nc->nhw", things, weights)[:, None].clamp(0.0, 1.0)
        strength = weights.amax(dim=1).view(-1, 1, 1, 1).expand_as(share)
        return torch.cat([*share_maps(share), strength], dim=1)

    def describe(self, weights: Tensor) -> Tensor:
        """weights [N,1001] -> what the heard things look like to the classifier [N,HIDDEN], as long as it is sure."""
        looks = F.normalize(self.things.weight[:THINGS], dim=1)
        mean = weights @ looks / weights.sum(dim=1, keepdim=True).clamp(min=_LEAST)
        return F.normalize(mean, dim=1) * weights.amax(dim=1, keepdim=True)

    def forward(self, memory: Tensor, mask_feature: Tensor, maps: Tensor, shapes: LevelShapes) -> tuple[Tensor, Tensor]:
        """memory [N,L,D] and mask feature [N,D,h,w], each with the maps [N,4,.,.] added in."""
        return add_maps(maps, memory, mask_feature, shapes, self.to_memory, self.to_mask_feature)


def _average(values: Tensor, weight: Tensor) -> Tensor:
    """values [N,S,C] of a second (the first of S) and others, weight [N,S] of those beside its own of 1 -> [N,C]."""
    weight = torch.cat([torch.ones_like(weight[:, :1]), weight[:, 1:]], dim=1)[..., None]
    return (weight * values).sum(dim=1) / weight.sum(dim=1)


def share_maps(share: Tensor) -> list[Tensor]:
    """share [N,1,h,w] in 0..1 -> itself, its logarithm and it relative to the best place, all about 0..1."""
    best = share.amax(dim=(2, 3), keepdim=True)
    logarithm = 1.0 - (share + _LEAST).log10() / torch.tensor(_LEAST).log10()
    return [share, logarithm, share / (best + 1e-2)]


def add_maps(
    maps: Tensor,
    memory: Tensor,
    mask_feature: Tensor,
    shapes: LevelShapes,
    to_memory: nn.Module,
    to_mask_feature: nn.Module,
) -> tuple[Tensor, Tensor]:
    """memory [N,L,D] and mask feature [N,D,h,w], each with the maps [N,M,.,.] added in by its layer."""
    levels: Sequence[Tensor] = [resize(maps, shape).flatten(2).transpose(1, 2) for shape in shapes]
    height, width = mask_feature.shape[-2:]
    fine = to_mask_feature(resize(maps, (height, width)))
    return memory + to_memory(torch.cat(list(levels), dim=1)), mask_feature + fine


class AddedMaps(nn.Module):
    """What adds further maps to the memory and to the mask feature by a layer each: nothing until these are trained."""

    def __init__(self, maps: int, dim: int) -> None:
        super().__init__()
        self.to_memory = nn.Linear(maps, dim)
        self.to_mask_feature = nn.Conv2d(maps, dim, 3, padding=1)
        for added in (self.to_memory, self.to_mask_feature):
            for parameter in added.parameters():
                nn.init.zeros_(parameter)

    def add(self, maps: Tensor, memory: Tensor, mask_feature: Tensor, shapes: LevelShapes) -> tuple[Tensor, Tensor]:
        """memory [N,L,D] and mask feature [N,D,h,w], each with the maps [N,M,.,.] added in."""
        return add_maps(maps, memory, mask_feature, shapes, self.to_memory, self.to_mask_feature)


def resize(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """Bilinear, [N,C,.,.] -> [N,C,*shape]."""
    return F.interpolate(maps, size=shape, mode="bilinear", align_corners=False)


@cache
def bridge_matrix() -> NDArray[np.float32]:
    """[521,1001] in 0..1: how surely a sound of class k comes from thing c."""
    matrix = np.zeros((len(YAMNET_CLASSES), THINGS), np.float32)
    rows = {name: row for row, name in enumerate(YAMNET_CLASSES)}
    for names, things in _lines("sound"):
        for name in names.split(" | "):
            np.maximum(matrix[rows[name]], things, out=matrix[rows[name]])
    return matrix


@cache
def detector_matrix() -> NDArray[np.float32]:
    """[80,1001] in 0..1: how likely the detector's class k is what it calls thing c."""
    matrix = np.zeros((len(COCO_CLASSES), THINGS), np.float32)
    for name, things in _lines("detected"):
        matrix[COCO_CLASSES.index(name)] = things
    return matrix


@cache
def family_matrix() -> NDArray[np.float32]:
    """[families,1001] of 0 and 1: which things are of one kind."""
    return np.stack([things for _, things in _lines("family")])


def _lines(wanted: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What stands left of the "=" of every such line, and the things [1001] on its right."""
    groups: dict[str, list[int]] = {}
    for line in files("avseg_core.models").joinpath("label_bridge.txt").read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.strip().partition(" ")
        left, _, right = rest.partition(" = ")
        if kind == "group":
            groups[left] = [index for word in right.split() for index in _indices(word)]
        elif kind == wanted:
            yield left, _things(right, groups)


def _things(text: str, groups: dict[str, list[int]]) -> NDArray[np.float32]:
    """ "group*0.5, 402 546" -> [1001], the largest weight where things are named twice."""
    weights = np.zeros(THINGS, np.float32)
    for word in text.replace(",", " ").split():
        name, _, weight = word.partition("*")
        chosen = groups.get(name) or _indices(name)
        weights[chosen] = np.maximum(weights[chosen], float(weight or 1.0))
    return weights


def _indices(word: str) -> list[int]:
    """ "7-9" -> [7, 8, 9]."""
    first, _, last = word.partition("-")
    return list(range(int(first), int(last or first) + 1))
