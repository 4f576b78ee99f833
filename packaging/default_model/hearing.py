"""Teaches the sound's classifier to name one of several sounds in noise, as YAMNet does a clean recording.

The teacher is YAMNet on the clean second, corrected by the recording's label; the pupil hears it quiet, reverberant,
among noise and other sounds. Only the last layer is tuned, towards its start, so that what has no recording here keeps
its name. Whether anything sounds at all is learnt apart, and how sure to be of it from labels that were left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from catalogue import related
from numpy.random import Generator
from sound_labels import LABEL_SOUNDS
from soundbank import SoundBank
from torch import Tensor

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import window_logmel
from avseg_core.data.synthesis import mix
from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.label_bridge import LabelPrior

_SURE = 0.9
_PULL = 0.003
"""Weight of the distance to the published layer."""
_BEST_NAME = 0.5
"""Weight of the best name's score beside what is read from the embedding, both in standard deviations."""
_GROUPS = 4
"""Labels are left out by so many groups in turn."""


@dataclass(frozen=True)
class Seconds:
    """Mixed seconds and what is in them."""

    embeddings: Tensor
    """[N,1024]."""
    clean: Tensor
    """[N,521] the teacher's scores."""
    labels: list[tuple[str, ...]]


def draw_seconds(bank: SoundBank, yamnet: YAMNet, per_label: int, seed: int) -> Seconds:
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
    scores = yamnet.name_sounds(_embed(yamnet, [part for parts in clean for part in parts]))
    teacher = torch.stack([part.amax(dim=0) for part in scores.split([len(parts) for parts in clean])])
    return Seconds(_embed(yamnet, noisy), teacher, plans)


def _second(rng: Generator, bank: SoundBank, labels: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    if not labels:
        noise = bank.second(rng, [])
        return noise, [noise]
    parts = [bank.one(rng, label) for label in labels]
    return mix(rng, parts, bank.noise(rng) if rng.random() < 0.6 else None), parts


def _embed(yamnet: YAMNet, seconds: Sequence[np.ndarray]) -> Tensor:
    logmels = torch.from_numpy(np.stack([window_logmel(second, "yamnet") for second in seconds]))
    return torch.cat([yamnet(part) for part in logmels.split(64)])


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


def tune_hearing(prior: LabelPrior, seconds: Seconds, steps: int = 1500, learning_rate: float = 2e-3) -> None:
    """Trains `prior.sounds`, which must hold YAMNet's own classifier, on the seconds."""
    wanted = targets(seconds)
    start = [parameter.detach().clone() for parameter in prior.sounds.parameters()]
    prior.sounds.requires_grad_(True)
    optimizer = torch.optim.AdamW(prior.sounds.parameters(), learning_rate, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        chosen = torch.randint(len(wanted), (256,), generator=generator)
        embeddings = seconds.embeddings[chosen]
        loss = F.binary_cross_entropy_with_logits(prior.sounds(embeddings), wanted[chosen], reduction="sum") / 256
        drift = sum((now - then).square().sum() for now, then in zip(prior.sounds.parameters(), start, strict=True))
        optimizer.zero_grad()
        (loss + _PULL * drift).backward()
        optimizer.step()
    prior.sounds.requires_grad_(False)


def tune_presence(prior: LabelPrior, seconds: Seconds) -> None:
    """Trains `prior.presence`, once `prior.sounds` is tuned."""
    assert prior.presence is not None
    with torch.no_grad():
        best = prior.presence.best_name(prior.sounds(seconds.embeddings))
    sounds = torch.tensor([bool(labels) for labels in seconds.labels])
    names = sorted({label for row in seconds.labels for label in row})
    scores, truth = [], []
    for group in range(_GROUPS):
        away = _left_out(seconds.labels, set(names[group::_GROUPS]), group)
        weight, bias = _fit_presence(seconds.embeddings[~away], best[~away], sounds[~away])
        scores.append(torch.cat([seconds.embeddings[away], best[away]], dim=1) @ weight + bias)
        truth.append(sounds[away])
    slope, shift = _fit_certainty(torch.cat(scores), torch.cat(truth))
    weight, bias = _fit_presence(seconds.embeddings, best, sounds)
    with torch.no_grad():
        prior.presence.linear.weight.copy_(slope * weight[None])
        prior.presence.linear.bias.copy_(slope * bias + shift)
    prior.presence.requires_grad_(False)


def _left_out(rows: Sequence[tuple[str, ...]], labels: set[str], group: int) -> Tensor:
    """Which seconds have one of the labels; of those with none, every so many."""
    silent = itertools.count()
    return torch.tensor([bool(labels.intersection(row)) if row else next(silent) % _GROUPS == group for row in rows])


def _fit_presence(embeddings: Tensor, best: Tensor, sounds: Tensor) -> tuple[Tensor, Tensor]:
    """Weight [1025] and bias of a score, about 0 between what sounds and what does not."""
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
def recognised(prior: LabelPrior, seconds: Seconds) -> dict[str, tuple[float, int]]:
    """Per label: how often its things weigh more than those of any unrelated label of the seconds, of how many."""
    known = {label: LABEL_SOUNDS[label] for labels in seconds.labels for label in labels if label in LABEL_SOUNDS}
    rows = torch.stack([prior.bridge[YAMNET_CLASSES.index(sound)] for sound in known.values()])
    weights = prior.hear(seconds.embeddings)
    fit = F.normalize(weights, dim=1) @ F.normalize(rows, dim=1).T  # [N,labels]
    hits: dict[str, list[bool]] = {}
    for scores, labels in zip(fit, seconds.labels, strict=True):
        if len(labels) == 1 and labels[0] in known:
            best = list(known)[int(scores.argmax())]
            hits.setdefault(labels[0], []).append(best == labels[0] or related(best, labels[0]))
    return {label: (float(np.mean(values)), len(values)) for label, values in sorted(hits.items())}
