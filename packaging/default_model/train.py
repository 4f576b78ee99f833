"""Training of everything between the two frozen networks, on cached features with ever new sounds."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from catalogue import Item, related
from numpy.random import Generator
from numpy.typing import NDArray
from scenes import SceneSet
from soundbank import SoundBank
from torch import Tensor, nn

from avseg_core.audio.front_end import window_logmel
from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.avsegformer import AVSegFormer, VisualFeatures

_KNOWN = 0.3
"""How sure the classifier must be of a thing for its made-up sound to stand for it off screen."""
_UNLIKELY = 0.02
_FAINTEST = 0.1
"""Least strength of a made-up sound."""
SAME_THING, OTHER_THING = 0.6, 0.12
"""Cosine of two things' names from which they count as the same kind, and below which as surely different."""


@dataclass(frozen=True)
class TrainOptions:
    """One run; the defaults are the shipped model's."""

    steps: int = 6000
    minutes: float = 0.0
    """Stop after this long instead, with the learning rate following the clock; 0 for not at all."""
    sounds_per_scene: int = 3
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup: int = 60
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    intermediate_weight: float = 0.3
    intermediate_every: int = 6
    """The mask reformer costs as much as the rest; every so many steps it is trained too."""
    drop_embedding: float = 1.0
    """Share of the real sounds of which the model hears only what the bridge says, not the embedding; with 1 it never
    uses the embedding: from a few hundred recordings it learns which ones these are."""
    virtual: float = 0.3
    """Share of things with recorded sounds that are given a made-up sound all the same."""
    views: tuple[tuple[float, int, float], ...] = ((0.6, 4, 0.7), (0.8, 3, 0.15), (1.0, 2, 0.15))
    """(share of height and width, scenes per step, probability): most steps see a part of their scenes only, which
    costs a third; the whole model is a convolution or attention and works at any size."""
    log_every: int = 50
    seed: int = 1


@dataclass(frozen=True)
class Cached:
    """One set of scenes with all that is known about it."""

    scenes: SceneSet
    maps: list[NDArray[np.float16]]
    items: tuple[Item, ...]
    names: Tensor
    """[items,1001], see `naming.name_items`."""


@dataclass
class Sounding:
    """What one picture is played: embedding [1024], weights of things [1001], which instances sound."""

    embedding: Tensor
    weights: Tensor
    instances: list[int]


class SoundTable:
    """Embeddings of many mixed seconds per label, so that training need not run YAMNet."""

    def __init__(self, bank: SoundBank, yamnet: YAMNet, per_label: int, seed: int) -> None:
        self.bank, self.yamnet = bank, yamnet
        rng = np.random.default_rng(seed)
        self.embeddings: dict[str, Tensor] = {}
        for label in sorted(bank.sounds):
            count = per_label * {"noise": 4, "person": 4}.get(label, 1)
            seconds = [bank.second(rng, [] if label == "noise" else [label]) for _ in range(count)]
            self.embeddings[label] = self.embed(seconds)

    def embed(self, seconds: Sequence[NDArray[np.float32]]) -> Tensor:
        logmels = np.stack([window_logmel(second, "yamnet") for second in seconds])
        return torch.cat([self.yamnet(part) for part in torch.from_numpy(logmels).split(64)])

    def draw(self, rng: Generator, label: str) -> Tensor:
        choices = self.embeddings[label]
        return choices[int(rng.integers(len(choices)))]


class Director:
    """Decides what is heard with a scene."""

    def __init__(self, cached: Cached, table: SoundTable, model: AVSegFormer, options: TrainOptions) -> None:
        self.cached, self.table, self.options = cached, table, options
        assert model.label_prior is not None
        self.prior = model.label_prior
        names = cached.names / cached.names.amax(dim=1, keepdim=True)
        self.names = names * (names > _UNLIKELY)
        self.unit = F.normalize(self.names, dim=1)
        self.bridge = self.prior.bridge  # [521,1001]
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
        embedding = self.table.draw(rng, "noise")
        return Sounding(embedding, self._heard(embedding), [])

    def _away(self, rng: Generator, present: dict[int, int]) -> Sounding:
        """The sound of something that is not in the picture."""
        items = self.cached.items
        labels = [label for label in self.table.embeddings if label != "noise"]
        labels = [label for label in labels if not any(self._fits(items[n], label) for n in present.values())]
        if labels and rng.random() < 0.6:
            embedding = self.table.draw(rng, str(rng.choice(labels)))
            weights = self._heard(embedding)
            if all(float(F.cosine_similarity(weights, self.unit[n], dim=0)) < 0.3 for n in present.values()):
                return Sounding(self._maybe_drop(rng, embedding), weights, [])
        for other in rng.choice(self.known, 20) if self.known else []:
            if all(float(self.unit[other] @ self.unit[n]) < OTHER_THING for n in present.values()) and not any(
                items[other].label and self._fits(items[n], items[other].label) for n in present.values()
            ):
                return Sounding(torch.zeros(YAMNet.embed_dim), self._imagined(rng, other), [])
        return self._noise(rng)

    def _sound(self, rng: Generator, present: dict[int, int], chosen: list[int]) -> Sounding:
        """The instances `chosen` sound, with a recording where there is one and a made-up sound else."""
        items = self.cached.items
        labels = [self._recorded(items[present[order]]) for order in chosen]
        if all(labels) and rng.random() > self.options.virtual:
            names = [str(rng.choice(label)) for label in labels]
            embedding = self.table.draw(rng, names[0])
            if len(names) > 1:
                embedding = self.table.embed([self.table.bank.second(rng, names)])[0]
            sounding = [o for o, n in present.items() if any(items[n].label == items[present[c]].label for c in chosen)]
            return Sounding(self._maybe_drop(rng, embedding), self._heard(embedding), sounding)
        weights = torch.stack([self._imagined(rng, present[order]) for order in chosen]).amax(dim=0)
        alike = [
            order
            for order, number in present.items()
            if any(float(self.unit[number] @ self.unit[present[c]]) > SAME_THING for c in chosen)
        ]
        return Sounding(torch.zeros(YAMNet.embed_dim), weights, sorted({*chosen, *alike}))

    def _heard(self, embedding: Tensor) -> Tensor:
        return self.prior.weigh(self.prior.hear(embedding[None]))[0]

    def _maybe_drop(self, rng: Generator, embedding: Tensor) -> Tensor:
        return torch.zeros_like(embedding) if rng.random() < self.options.drop_embedding else embedding

    def _imagined(self, rng: Generator, number: int) -> Tensor:
        """Weights as if the bridge had heard this item: its own names, or a sound class that fits them."""
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


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy on all frames, Dice on those with something sounding."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=(1, 2))
    probability = logits.sigmoid()
    overlap = (probability * target).sum(dim=(1, 2))
    total = probability.square().sum(dim=(1, 2)) + target.sum(dim=(1, 2))
    dice = (1 - 2 * overlap / (total + 1.0)) * (target.amax(dim=(1, 2)) > 0)
    return (2.0 * entropy + dice).mean()


@dataclass(frozen=True)
class View:
    """A part of the picture, in cells of 32 pixels."""

    top: int
    left: int
    rows: int
    columns: int

    def of(self, level: NDArray[Any], stride: int) -> NDArray[Any]:
        """The same part of a map [...,h,w] at that stride."""
        step = 32 // stride
        rows = slice(step * self.top, step * (self.top + self.rows))
        return level[..., rows, step * self.left : step * (self.left + self.columns)]


def draw_view(rng: Generator, share: float, cells: tuple[int, int]) -> View:
    rows, columns = (max(1, round(share * full)) for full in cells)
    return View(int(rng.integers(cells[0] - rows + 1)), int(rng.integers(cells[1] - columns + 1)), rows, columns)


def visible_items(cached: Cached, index: int, instances: NDArray[np.uint8]) -> dict[int, int]:
    """Instance -> item number of what can be seen there (at least 0.3 % of `instances`, a part of scene `index`)."""
    counts = np.bincount(instances.reshape(-1), minlength=16)
    numbers = cached.scenes.items[index]
    return {o: int(n) for o, n in enumerate(numbers, start=1) if n >= 0 and counts[o] > 0.003 * instances.size}


def trainable(model: AVSegFormer) -> list[nn.Parameter]:
    """Everything but the two pretrained networks and the classifiers that name sounds and things."""
    for part in (model.backbone, model.audio_encoder):
        part.requires_grad_(False)
    if model.label_prior is not None:
        for tuned in (model.label_prior.sounds, model.label_prior.hidden, model.label_prior.things):
            tuned.requires_grad_(False)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def repeat_visual(visual: VisualFeatures, times: int) -> VisualFeatures:
    return VisualFeatures._make(part.repeat_interleave(times, dim=0) for part in visual)


def train(
    model: AVSegFormer, sets: Sequence[Cached], table: SoundTable, options: TrainOptions, run: Path
) -> AVSegFormer:
    """Trains and returns the moving average of the weights; the curve goes to `run/events.jsonl`."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "options.json").write_text(json.dumps(asdict(options), indent=1))
    parameters = trainable(model)
    optimizer = torch.optim.AdamW(parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    averaged = deepcopy(model).eval()
    directors = [Director(cached, table, model, options) for cached in sets]
    shares = np.array([len(cached.scenes.kinds) for cached in sets], float)
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    model.train()
    model.backbone.eval()
    reformer, started, losses = model.reformer, time.time(), []
    for step in itertools.count():
        progress = (time.time() - started) / 60 / options.minutes if options.minutes else step / options.steps
        if progress >= 1.0:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * _schedule(step, progress, options)
        director = directors[int(rng.choice(len(sets), p=shares / shares.sum()))]
        model.reformer = reformer if step % options.intermediate_every == 0 else None
        loss = _step(model, director, rng, options)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, options.clip_norm)
        optimizer.step()
        _average(averaged, model, min(options.ema_decay, (1 + step) / (10 + step)))
        losses.append(float(loss.detach()))
        if (step + 1) % options.log_every == 0:
            model.reformer = reformer
            event = {
                "step": step + 1,
                "loss": float(np.mean(losses[-options.log_every :])),
                "seconds": round(time.time() - started, 1),
            }
            with (run / "events.jsonl").open("a") as stream:
                stream.write(json.dumps(event) + "\n")
            if (step + 1) % (2 * options.log_every) == 0:
                torch.save(averaged.state_dict(), run / "averaged.pt.partial")
                (run / "averaged.pt.partial").replace(run / "averaged.pt")
    model.reformer = reformer
    if options.drop_embedding == 1.0:
        nn.init.zeros_(averaged.audio_proj.weight)
    torch.save(averaged.state_dict(), run / "averaged.pt")
    return averaged


def _step(model: AVSegFormer, director: Director, rng: Generator, options: TrainOptions) -> Tensor:
    cached = director.cached
    share, count, _ = options.views[int(rng.choice(len(options.views), p=[view[2] for view in options.views]))]
    height, width = cached.scenes.instances.shape[1:]
    view = draw_view(rng, share, (height // 32, width // 32))
    indices = rng.choice(len(cached.scenes.kinds), count, replace=False)
    strides = (4, 8, 16, 32)
    levels = zip(cached.maps, strides, strict=True)
    maps = [np.stack([view.of(level[i], stride) for i in indices]).astype(np.float32) for level, stride in levels]
    played, targets = [], []
    for index in indices:
        part = np.ascontiguousarray(view.of(cached.scenes.instances[index], 1))
        present, avoid = visible_items(cached, index, part), set[int]()
        for _ in range(options.sounds_per_scene):
            sounding = director.play(rng, index, present, avoid)
            avoid |= set(sounding.instances)
            played.append(sounding)
            targets.append(torch.from_numpy(np.isin(part, sounding.instances).astype(np.float32)))
    visual = repeat_visual(model.encode_maps([torch.from_numpy(level) for level in maps]), options.sounds_per_scene)
    output = model.segment_embedding(
        visual,
        torch.stack([sounding.embedding for sounding in played]),
        things=torch.stack([sounding.weights for sounding in played]),
    )
    target = torch.stack(targets)
    loss = loss_of(output.logits[:, 0], target)
    for logits in output.intermediate_logits:
        loss = loss + options.intermediate_weight * loss_of(logits[:, 0], target)
    return loss


def _schedule(step: int, progress: float, options: TrainOptions) -> float:
    """Warm-up, then cosine to a hundredth."""
    return min(1.0, (step + 1) / options.warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


@torch.no_grad()
def _average(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    current = dict(model.named_parameters())
    for name, parameter in averaged.named_parameters():
        if name in current and current[name].requires_grad:
            parameter.lerp_(current[name], 1 - decay)
