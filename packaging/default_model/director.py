"""Decides what every scene is played: recordings and made-up sounds of its things, of others, noise and silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from catalogue import Item, related
from clips import SoundClip, draw_clip, draw_course
from numpy.random import Generator
from numpy.typing import NDArray
from scenes import SceneSet
from soundbank import SoundBank, merged
from torch import Tensor

from avseg_core.audio.front_end import window_logmel
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.label_bridge import LabelPrior

_KNOWN = 0.3
"""How sure the classifier must be of a thing for its made-up sound to stand for it off screen."""
_UNLIKELY = 0.02
_FAINTEST = 0.1
"""Least strength of a made-up sound beside another one."""
_PAUSING = 0.3
"""Share of the clips for noise and silence in which something sounds in other seconds."""
_ALONE = 0.25
"""Share of the clips whose seconds are heard without the others."""
_UNSURE = 0.5
"""Least presence of a made-up sound."""
SAME_THING, OTHER_THING = 0.6, 0.12
"""Cosine of two things' names from which they count as the same kind, and below which as surely different."""


@dataclass(frozen=True)
class Habits:
    """How often what is played; the defaults are the shipped model's."""

    drop_embedding: float = 1.0
    """Share of the real sounds of which the model hears only what the bridge says, not the embedding; with 1 it never
    uses the embedding: from a few hundred recordings it learns which ones these are."""
    virtual: float = 0.3
    """Share of things with recorded sounds that are given a made-up sound all the same."""
    unheard: float = 0.4
    """Share of the noises of which the bridge hears nothing at all, as of silence."""


@dataclass(frozen=True)
class Cached:
    """One set of scenes with all that is known about it."""

    scenes: SceneSet
    maps: list[NDArray[np.float16]]
    boxes: NDArray[np.float16]
    """[N,20,84], see `Detector`."""
    items: tuple[Item, ...]
    names: Tensor
    """[items,1001], see `naming.name_items`."""
    unmet: NDArray[np.float16] | None = None
    """[N,1001,h/32,w/32], see `naming.unmet_names`."""


@dataclass
class Sounding:
    """What one picture is played: embedding [E], weights of things [1001], which instances sound."""

    embedding: Tensor
    weights: Tensor
    instances: list[int]


class SoundTable:
    """Embeddings of many seconds of clips per label and what is heard in them, so that training need not run YAMNet.

    `parts`: recordings, each with a model that hears them; best one that was not tuned to them, see `Build.unmet`.
    """

    def __init__(self, parts: Sequence[tuple[SoundBank, AVSegFormer]], per_label: int, seed: int) -> None:
        self.parts = parts
        self.bank = merged([bank for bank, _ in parts])
        rng = np.random.default_rng(seed)
        self.seconds: dict[str, tuple[Tensor, Tensor]] = {}
        """Embeddings [N,E] and weights of things [N,1001] of every label."""
        for label in sorted(self.bank.sounds):
            count = per_label * {"noise": 4, "person": 4}.get(label, 1)
            heard = list(islice(self._seconds(rng, [label]), count))
            self.seconds[label] = torch.stack([one for one, _ in heard]), torch.stack([two for _, two in heard])

    def draw(self, rng: Generator, label: str) -> tuple[Tensor, Tensor]:
        """Embedding [E] and weights [1001] of a second of the label."""
        embeddings, weights = self.seconds[label]
        number = int(rng.integers(len(embeddings)))
        return embeddings[number], weights[number]

    def mixed(self, rng: Generator, labels: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Embedding [E] and weights [1001] of a new second with all of the labels."""
        return next(self._seconds(rng, labels))

    def _seconds(self, rng: Generator, labels: Sequence[str]) -> Iterator[tuple[Tensor, Tensor]]:
        """Embedding and weights of seconds of ever new clips in which just these labels sound ("noise": nothing)."""
        nothing = list(labels) == ["noise"]
        while True:
            bank, model = self._part(rng, labels[0])
            banks = [bank if bank.sounds.get(label) else self._part(rng, label)[0] for label in labels]
            known = sorted(label for label in bank.sounds if label != "noise")
            if nothing and known and rng.random() < _PAUSING:
                clip = draw_clip(rng, [bank], [str(rng.choice(known))], draw_course(rng, pause=True))
            elif nothing:
                clip = draw_clip(rng, [bank], [], "nothing")
            else:
                others = [label for label in known if not any(related(label, own) for own in labels)]
                other = (bank, str(rng.choice(others))) if others else None
                clip = draw_clip(rng, banks, labels, draw_course(rng), other)
            wanted = () if nothing else tuple(labels)
            chosen = [second for second, sounding in enumerate(clip.labels) if sounding == wanted]
            rng.shuffle(chosen)
            yield from self._listen(rng, clip, model, chosen[: 1 if len(labels) > 1 else None])

    def _part(self, rng: Generator, label: str) -> tuple[SoundBank, AVSegFormer]:
        counts = np.array([len(bank.sounds.get(label, ())) for bank, _ in self.parts], float)
        return self.parts[int(rng.choice(len(counts), p=counts / counts.sum()))]

    @torch.no_grad()
    def _listen(
        self, rng: Generator, clip: SoundClip, model: AVSegFormer, chosen: Sequence[int]
    ) -> list[tuple[Tensor, Tensor]]:
        """Some seconds of a clip heard among the others, or alone, as a live model hears its first."""
        prior = model.label_prior
        assert prior is not None
        logmel = torch.from_numpy(np.stack([window_logmel(one, "yamnet") for one in clip.seconds]))
        embeddings = model.audio_encoder(logmel)
        weights = prior.hear(embeddings) if rng.random() < _ALONE else prior.hear_clips(embeddings[None])[0]
        return [(embeddings[second], weights[second]) for second in chosen]


class Director:
    """Decides what is heard with a scene."""

    def __init__(self, cached: Cached, table: SoundTable, prior: LabelPrior, habits: Habits) -> None:
        self.cached, self.table, self.prior, self.habits = cached, table, prior, habits
        names = cached.names / cached.names.amax(dim=1, keepdim=True)
        self.names = names * (names > _UNLIKELY)
        self.unit = F.normalize(self.names, dim=1)
        self.bridge = self.prior.bridge  # [521,1001]
        self.unheard = torch.zeros(prior.sounds.in_features)
        self.bridge_unit = F.normalize(self.bridge, dim=1)
        self.known = torch.nonzero(cached.names.amax(dim=1) > _KNOWN)[:, 0].tolist()

    def play(self, rng: Generator, index: int, present: dict[int, int], avoid: set[int]) -> Sounding:
        """A sound for scene `index` in which item `present[i]` is instance i; `avoid` was played already."""
        kind = rng.choice(["one", "two", "noise", "away"], p=[0.56, 0.2, 0.1, 0.14])
        instances = [order for order in present if order not in avoid] or list(present)
        if not present or kind == "noise":
            return self._noise(rng)
        if kind == "away":
            return self._away(rng, present)
        count = 2 if kind == "two" and len(present) > 1 else 1
        chosen = [int(i) for i in rng.choice(instances, min(count, len(instances)), replace=False)]
        return self._sound(rng, present, chosen)

    def _noise(self, rng: Generator) -> Sounding:
        embedding, weights = self.table.draw(rng, "noise")
        return Sounding(self._maybe_drop(rng, embedding), weights * float(rng.random() >= self.habits.unheard), [])

    def _away(self, rng: Generator, present: dict[int, int]) -> Sounding:
        """The sound of something that is not in the picture."""
        items = self.cached.items
        labels = [label for label in self.table.seconds if label != "noise"]
        labels = [label for label in labels if not any(self._fits(items[n], label) for n in present.values())]
        if labels and rng.random() < 0.6:
            embedding, weights = self.table.draw(rng, str(rng.choice(labels)))
            if all(float(F.cosine_similarity(weights, self.unit[n], dim=0)) < 0.3 for n in present.values()):
                return Sounding(self._maybe_drop(rng, embedding), weights, [])
        for other in rng.choice(self.known, 20) if self.known else []:
            if all(float(self.unit[other] @ self.unit[n]) < OTHER_THING for n in present.values()) and not any(
                items[other].label and self._fits(items[n], items[other].label) for n in present.values()
            ):
                return Sounding(self.unheard, self._imagined(rng, [other]), [])
        return self._noise(rng)

    def _sound(self, rng: Generator, present: dict[int, int], chosen: list[int]) -> Sounding:
        """The instances `chosen` sound, with a recording where there is one and a made-up sound else."""
        items = self.cached.items
        labels = [self._recorded(items[present[order]]) for order in chosen]
        if all(labels) and rng.random() > self.habits.virtual:
            names = [str(rng.choice(label)) for label in labels]
            embedding, weights = self.table.draw(rng, names[0]) if len(names) == 1 else self.table.mixed(rng, names)
            sounding = [o for o, n in present.items() if any(items[n].label == items[present[c]].label for c in chosen)]
            return Sounding(self._maybe_drop(rng, embedding), weights, sounding)
        weights = self._imagined(rng, [present[order] for order in chosen])
        alike = [
            order
            for order, number in present.items()
            if any(float(self.unit[number] @ self.unit[present[c]]) > SAME_THING for c in chosen)
        ]
        return Sounding(self.unheard, weights, sorted({*chosen, *alike}))

    def _maybe_drop(self, rng: Generator, embedding: Tensor) -> Tensor:
        return torch.zeros_like(embedding) if rng.random() < self.habits.drop_embedding else embedding

    def _imagined(self, rng: Generator, numbers: Sequence[int]) -> Tensor:
        """Weights as if the bridge had heard these items."""
        weights = torch.stack([self._named(rng, number) for number in numbers]).amax(dim=0)
        return weights / weights.amax() * float(rng.uniform(_UNSURE, 1.0))

    def _named(self, rng: Generator, number: int) -> Tensor:
        """One item's own names, or a sound class that fits them."""
        weights = self.names[number] ** rng.uniform(0.5, 1.5)
        if rng.random() < 0.5:
            fit = self.bridge_unit @ self.unit[number]  # [521]
            best = torch.nonzero(fit > 0.35)[:, 0]
            if len(best):
                weights = self.bridge[best[int(rng.integers(len(best)))]]
        weights = weights * float(np.exp(rng.uniform(np.log(_FAINTEST), 0.0)))
        for _ in range(int(rng.integers(0, 3))):
            weights = torch.maximum(
                weights, self.bridge[int(rng.integers(len(self.bridge)))] * float(rng.uniform(0, 0.2))
            )
        return weights

    def _recorded(self, item: Item) -> list[str]:
        """Labels of recordings for the item. Drawings get none: the classifier calls a drawn hen a balloon, and a
        model that is told "hen" there would learn to guess."""
        return self.table.bank.labels_for(item.label) if item.photo or item.label == "person" else []

    @staticmethod
    def _fits(item: Item, label: str) -> bool:
        return bool(item.label) and related(item.label, label)


def visible_items(cached: Cached, index: int, instances: NDArray[np.uint8]) -> dict[int, int]:
    """Instance -> item number of what can be seen there (at least 0.3 % of `instances`, a part of scene `index`)."""
    counts = np.bincount(instances.reshape(-1), minlength=16)
    numbers = cached.scenes.items[index]
    return {o: int(n) for o, n in enumerate(numbers, start=1) if n >= 0 and counts[o] > 0.003 * instances.size}
