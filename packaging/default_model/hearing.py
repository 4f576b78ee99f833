"""Teaches the sound's classifier to name one of several sounds in noise, as YAMNet does a clean recording.

The teacher is YAMNet on the clean second, corrected by the recording's label; the pupil hears it quiet, reverberant,
among noise and other sounds. Half of what it says comes from the published blocks, of which only the last layer is
tuned, half from the copies of the last four blocks, which are tuned as well; both are pulled to their start, so that
what has no recording here keeps its name. Whether anything sounds at all is learnt apart, and how sure to be of it from
labels that were left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from catalogue import related
from numpy.random import Generator
from sound_labels import LABEL_SOUNDS
from soundbank import SoundBank
from torch import Tensor, nn

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import window_logmel
from avseg_core.data.synthesis import mix
from avseg_core.models.audio_encoders import TunedYAMNet
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.label_bridge import LabelPrior

_SURE = 0.9
_PULL = 0.003
"""Weight of the distance to the published layer."""
_BLOCKS_PULL = 5.0
"""Weight of the distance to the published blocks, as share of their own length."""
_BEST_NAME = 0.5
"""Weight of the best name's score beside what is read from the embedding, both in standard deviations."""
_GROUPS = 4
"""Labels are left out by so many groups in turn."""


@dataclass(frozen=True)
class Seconds:
    """Mixed seconds and what is in them."""

    maps: Tensor
    """[N,512,6,4], see `TunedYAMNet.begin`."""
    clean: Tensor
    """[N,521] the teacher's scores."""
    labels: list[tuple[str, ...]]


def draw_seconds(bank: SoundBank, yamnet: TunedYAMNet, per_label: int, seed: int) -> Seconds:
    """`per_label` seconds with each label, a third of them with a second one, and as many of noise for every fourth."""
    rng = np.random.default_rng(seed)
    names = sorted(label for label in bank.sounds if label != "noise")
    plans: list[tuple[str, ...]] = [()] * (per_label * max(1, len(names) // 4))
    for label in names:
        others = [other for other in names if not related(label, other)]
        for _ in range(per_label):
            second = (str(rng.choice(others)),) if others and rng.random() < 1 / 3 else ()
            plans.append((label, *second))
    noisy, clean = zip(*(_second(rng, bank, plan) for plan in plans), strict=True)
    scores = yamnet.name_sounds(embed(yamnet, _begin(yamnet, [part for parts in clean for part in parts])))
    teacher = torch.stack([part.amax(dim=0) for part in scores.split([len(parts) for parts in clean])])
    return Seconds(_begin(yamnet, noisy), teacher, plans)


def _second(rng: Generator, bank: SoundBank, labels: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    if not labels:
        noise = bank.second(rng, [])
        return noise, [noise]
    parts = [bank.one(rng, label) for label in labels]
    return mix(rng, parts, bank.noise(rng) if rng.random() < 0.6 else None), parts


@torch.no_grad()
def _begin(yamnet: TunedYAMNet, seconds: Sequence[np.ndarray]) -> Tensor:
    """[N,512,6,4] float16."""
    logmels = torch.from_numpy(np.stack([window_logmel(second, "yamnet") for second in seconds]))
    return torch.cat([yamnet.begin(part).half() for part in logmels.split(64)])


@torch.no_grad()
def embed(yamnet: TunedYAMNet, maps: Tensor) -> Tensor:
    """[N,512,6,4] -> [N,2048]."""
    return torch.cat([yamnet.finish(part.float()) for part in maps.split(256)])


def targets(seconds: Seconds) -> Tensor:
    """[N,521]: the clean second's scores, sure of the labels' own names and that no other label's is there."""
    wanted = seconds.clean.clone()
    for row, labels in zip(wanted, seconds.labels, strict=True):
        for label, sound in LABEL_SOUNDS.items():
            column = YAMNET_CLASSES.index(sound)
            if label in labels:
                row[column] = max(float(row[column]), _SURE)
            elif not any(related(label, other) or LABEL_SOUNDS.get(other) == sound for other in labels):
                row[column] = 0.0
    return wanted


def yamnet_of(model: AVSegFormer) -> TunedYAMNet:
    """The model's audio encoder."""
    assert isinstance(model.audio_encoder, TunedYAMNet)
    return model.audio_encoder


def tune(model: AVSegFormer, seconds: Seconds, steps: int) -> None:
    """Teaches `model` to name the seconds and to tell whether anything sounds."""
    prior, yamnet = model.label_prior, yamnet_of(model)
    assert prior is not None
    tune_hearing(prior, yamnet, seconds, steps)
    tune_presence(prior, embed(yamnet, seconds.maps), seconds.labels)


def tune_hearing(prior: LabelPrior, yamnet: TunedYAMNet, seconds: Seconds, steps: int) -> None:
    """Trains `yamnet.tuned` and `prior.sounds`, both anew from what is published."""
    wanted = targets(seconds)
    half = yamnet.naming_dim
    layers = [deepcopy(yamnet.classifier), deepcopy(yamnet.classifier)]
    _tune(layers[0], nn.Identity(), embed(yamnet, seconds.maps)[:, :half], wanted, steps)
    yamnet.tuned.load_state_dict(yamnet.layers[yamnet.shared :].state_dict())
    _tune(layers[1], yamnet.tuned, seconds.maps, wanted, steps * 3 // 5, batch=96, mixed=0.4)
    with torch.no_grad():
        prior.sounds.weight.copy_(torch.cat([layer.weight for layer in layers], dim=1) / 2)
        prior.sounds.bias.copy_((layers[0].bias + layers[1].bias) / 2)


def _tune(
    layer: nn.Linear,
    blocks: nn.Module,
    rows: Tensor,
    wanted: Tensor,
    steps: int,
    *,
    batch: int = 256,
    mixed: float = 0.0,
) -> None:
    """Trains the convolutions of `blocks`, which make embeddings of rows [N,...], and the layer on these."""
    convolutions = [parameter for parameter in blocks.parameters() if parameter.dim() == 4]
    trained = [*layer.parameters(), *convolutions]
    pulls = [_PULL, _PULL, *(_BLOCKS_PULL / float(weights.square().sum()) for weights in convolutions)]
    start = [parameter.detach().clone() for parameter in trained]
    groups = [{"params": list(layer.parameters()), "lr": 2e-3}, {"params": convolutions, "lr": 1e-4}]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 1 / steps, steps)
    generator = torch.Generator().manual_seed(0)
    for parameter in trained:
        parameter.requires_grad_(True)
    for _ in range(steps):
        chosen = torch.randint(len(wanted), (batch,), generator=generator)
        inputs, truth = _mixed(rows[chosen].float(), wanted[chosen], mixed, generator)
        embeddings = blocks(inputs)
        logits = layer(embeddings.mean(dim=(2, 3)) if embeddings.dim() == 4 else embeddings)
        loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="sum") / batch
        for pull, now, then in zip(pulls, trained, start, strict=True):
            loss = loss + pull * (now - then).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    for parameter in trained:
        parameter.requires_grad_(False)


def _mixed(rows: Tensor, wanted: Tensor, most: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows [N,...] and what is wanted of them [N,521], each with a share of another one, at most so much."""
    if not most:
        return rows, wanted
    share = 1 - most * torch.rand(len(rows), 1, generator=generator)
    other = torch.randperm(len(rows), generator=generator)
    wide = share.view(-1, *(1,) * (rows.dim() - 1))
    return wide * rows + (1 - wide) * rows[other], share * wanted + (1 - share) * wanted[other]


def tune_presence(prior: LabelPrior, embeddings: Tensor, labels: Sequence[tuple[str, ...]]) -> None:
    """Trains `prior.presence` on embeddings [N,E] and what is in them, once `tune_hearing` is done."""
    assert prior.presence is not None
    with torch.no_grad():
        best = prior.presence.best_name(prior.sounds(embeddings))
    sounds = torch.tensor([bool(row) for row in labels])
    names = sorted({label for row in labels for label in row})
    scores, truth = [], []
    for group in range(_GROUPS):
        away = _left_out(labels, set(names[group::_GROUPS]), group)
        weight, bias = _fit_presence(embeddings[~away], best[~away], sounds[~away])
        scores.append(torch.cat([embeddings[away], best[away]], dim=1) @ weight + bias)
        truth.append(sounds[away])
    slope, shift = _fit_certainty(torch.cat(scores), torch.cat(truth))
    weight, bias = _fit_presence(embeddings, best, sounds)
    with torch.no_grad():
        prior.presence.linear.weight.copy_(slope * weight[None])
        prior.presence.linear.bias.copy_(slope * bias + shift)
    prior.presence.requires_grad_(False)


def _left_out(rows: Sequence[tuple[str, ...]], labels: set[str], group: int) -> Tensor:
    """Which seconds have one of the labels; of those with none, every so many."""
    silent = itertools.count()
    return torch.tensor([bool(labels.intersection(row)) if row else next(silent) % _GROUPS == group for row in rows])


def _fit_presence(embeddings: Tensor, best: Tensor, sounds: Tensor) -> tuple[Tensor, Tensor]:
    """Weight [2049] and bias of a score, about 0 between what sounds and what does not."""
    mean, spread = embeddings.mean(dim=0), embeddings.std(dim=0) + 1e-2
    weight, bias = _logistic((embeddings - mean) / spread, sounds, weight_decay=3.0)
    weight = weight / spread
    bias = bias - mean @ weight
    read = embeddings @ weight
    joint = torch.cat([weight / read.std(), _BEST_NAME / best.std(dim=0)])
    return joint, bias / read.std() - _BEST_NAME * (best[sounds].mean() + best[~sounds].mean()) / 2 / best.std()


def _fit_certainty(scores: Tensor, sounds: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and shift that make probabilities of scores."""
    weight, bias = _logistic(scores[:, None] / scores.std(), sounds, weight_decay=0.0, learning_rate=0.05)
    return weight[0] / scores.std(), bias


def _logistic(rows: Tensor, sounds: Tensor, weight_decay: float, learning_rate: float = 3e-3) -> tuple[Tensor, Tensor]:
    """Weight [F] and bias of a logistic regression in which both answers weigh the same."""
    linear = torch.nn.Linear(rows.shape[1], 1)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    truth = sounds.float()
    share = truth.mean()
    balance = torch.where(sounds, 0.5 / share, 0.5 / (1 - share))
    optimizer = torch.optim.AdamW(linear.parameters(), learning_rate, weight_decay=weight_decay)
    for _ in range(300):
        loss = F.binary_cross_entropy_with_logits(linear(rows)[:, 0], truth, balance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return linear.weight[0].detach(), linear.bias[0].detach()


@torch.no_grad()
def recognised(
    prior: LabelPrior, embeddings: Tensor, labels: Sequence[tuple[str, ...]]
) -> dict[str, tuple[float, int]]:
    """Per label: how often its things weigh more than those of any unrelated label of the seconds, of how many."""
    known = {label: LABEL_SOUNDS[label] for row in labels for label in row if label in LABEL_SOUNDS}
    rows = torch.stack([prior.bridge[YAMNET_CLASSES.index(sound)] for sound in known.values()])
    weights = prior.hear(embeddings)
    fit = F.normalize(weights, dim=1) @ F.normalize(rows, dim=1).T  # [N,labels]
    hits: dict[str, list[bool]] = {}
    for scores, row in zip(fit, labels, strict=True):
        if len(row) == 1 and row[0] in known:
            best = list(known)[int(scores.argmax())]
            hits.setdefault(row[0], []).append(best == row[0] or related(best, row[0]))
    return {label: (float(np.mean(values)), len(values)) for label, values in sorted(hits.items())}
