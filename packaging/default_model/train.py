"""Training of everything between the two frozen networks, on cached features with ever new sounds."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from director import Cached, Director, Habits, SoundTable, visible_items
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from validate import validate

from avseg_core.models.avsegformer import AVSegFormer, VisualFeatures
from avseg_core.models.encoder import level_shapes
from avseg_core.models.grouping import LEVEL as GROUPING_LEVEL
from avseg_core.training.optim import CLASSIFIER


@dataclass(frozen=True)
class TrainOptions:
    """One run; the defaults are the shipped model's."""

    steps: int = 6000
    minutes: float = 0.0
    """Stop after this long instead, with the learning rate following the clock; 0 for not at all."""
    sounds_per_scene: int = 3
    learning_rate: float = 6e-4
    weight_decay: float = 0.02
    warmup: int = 60
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    intermediate_weight: float = 0.3
    intermediate_every: int = 6
    """The mask reformer costs as much as the rest; every so many steps it is trained too."""
    habits: Habits = field(default_factory=Habits)
    gate_weight: float = 0.5
    """Weight of whether anything in the frame sounds; where is learnt only from frames in which something does."""
    grouping_weight: float = 0.5
    thing_weight: float = 0.3
    """Weights of what belongs together (`grouping_loss`) and of where there is any thing, which the visual half learns
    by itself."""
    views: tuple[tuple[float, int, float], ...] = ((0.6, 4, 0.4), (0.8, 3, 0.2), (1.0, 2, 0.4))
    """(share of height and width, scenes per step, probability): many steps see a part of their scenes only, which
    costs less; the whole model is a convolution or attention and works at any size."""
    composites: float = 1.6
    """How much more often a scene of cut-outs on a background is drawn than any other."""
    log_every: int = 50
    validate_every: int = 500
    seed: int = 1


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy on all frames, Dice on those with something to find."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=(1, 2))
    probability = logits.sigmoid()
    overlap = (probability * target).sum(dim=(1, 2))
    total = probability.square().sum(dim=(1, 2)) + target.sum(dim=(1, 2))
    sounds = target.amax(dim=(1, 2)) > 0
    dice = (1 - 2 * overlap / (total + 1.0)) * sounds
    return (2.0 * entropy + dice).mean()


def grouping_loss(together: Tensor, shares: Tensor) -> Tensor:
    """How far from certain every place is of the places that belong to its own thing.

    together [N,P,P], logits of `Grouping`; shares [N,K,P], how much of each place the k-th thing (or, first, none of
    them) covers.
    """
    own = shares.transpose(1, 2) @ shares  # [N,P,P], 1 where two places belong wholly to the same thing
    inside = (together.log_softmax(dim=-1) + own.clamp(min=1e-6).log()).logsumexp(dim=-1)  # [N,P]
    sure = shares.square().sum(dim=1)  # places that several things share teach little
    # The background is most of the picture; a thing's places count more.
    weight = sure * (0.3 + 0.7 * (1 - shares[:, 0]))
    return -(inside * weight).sum() / weight.sum()


def thing_shares(parts: Sequence[NDArray[np.uint8]], grid: tuple[int, int]) -> Tensor:
    """Instance maps [H,W] of N pictures -> [N,1+most,P]: how much of each of the P cells each instance covers."""
    most = max(int(part.max()) for part in parts)
    masks = torch.stack([torch.from_numpy(part) == k for part in parts for k in range(most + 1)]).float()
    return F.adaptive_avg_pool2d(masks[:, None], grid).view(len(parts), most + 1, -1)


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

    def boxes(self, boxes: NDArray[np.float16], cells: tuple[int, int]) -> NDArray[np.float32]:
        """Boxes [K,84] of the whole picture of so many cells as this part has them."""
        moved = boxes.astype(np.float32)
        for first, start, count, full in (
            (0, self.left, self.columns, cells[1]),
            (1, self.top, self.rows, cells[0]),
        ):
            moved[:, first:4:2] = (moved[:, first:4:2] * full - start) / count
        return moved


def draw_view(rng: Generator, share: float, cells: tuple[int, int]) -> View:
    rows, columns = (max(1, round(share * full)) for full in cells)
    return View(int(rng.integers(cells[0] - rows + 1)), int(rng.integers(cells[1] - columns + 1)), rows, columns)


def trainable(model: AVSegFormer) -> list[nn.Parameter]:
    """Everything but the pretrained networks and the classifiers that name sounds and things."""
    for part in (model.backbone, model.audio_encoder):
        part.requires_grad_(False)
    for name, part in model.named_modules():
        if name in CLASSIFIER:
            part.requires_grad_(False)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def repeat_visual(visual: VisualFeatures, times: int) -> VisualFeatures:
    return VisualFeatures._make(part.repeat_interleave(times, dim=0) for part in visual)


def train(
    model: AVSegFormer,
    cached: Cached,
    table: SoundTable,
    options: TrainOptions,
    run: Path,
    held_out: Cached | None = None,
) -> AVSegFormer:
    """Trains and returns the moving average of the weights; the curve goes to `run/events.jsonl`.

    With `held_out` scenes the average is validated every `options.validate_every` steps.
    """
    run.mkdir(parents=True, exist_ok=True)
    (run / "options.json").write_text(json.dumps(asdict(options), indent=1))
    things = nn.Conv2d(model.config.embed_dim, 1, 1)  # only here: where there is any thing at all
    parameters = [*trainable(model), *things.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    averaged = deepcopy(model).eval()
    director = _director(model, cached, table, options)
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    model.train()
    model.backbone.eval()
    reformer, started, losses = model.reformer, time.time(), list[float]()
    for step in itertools.count():
        progress = (time.time() - started) / 60 / options.minutes if options.minutes else step / options.steps
        if progress >= 1.0:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * _schedule(step, progress, options)
        model.reformer = reformer if step % options.intermediate_every == 0 else None
        loss = _step(model, things, director, rng, options)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, options.clip_norm)
        optimizer.step()
        _average(averaged, model, min(options.ema_decay, (1 + step) / (10 + step)))
        losses.append(float(loss.detach()))
        if (step + 1) % options.log_every == 0:
            event: dict[str, float] = {"step": step + 1, "loss": float(np.mean(losses[-options.log_every :]))}
            if held_out is not None and (step + 1) % options.validate_every == 0:
                event |= validate(averaged, _director(averaged, held_out, table, options))
            _record(run, averaged, event | {"seconds": round(time.time() - started, 1)})
    model.reformer = reformer
    torch.save(averaged.state_dict(), run / "averaged.pt")
    return averaged


def _director(model: AVSegFormer, cached: Cached, table: SoundTable, options: TrainOptions) -> Director:
    assert model.label_prior is not None
    return Director(cached, table, model.label_prior, options.habits)


def _record(run: Path, averaged: nn.Module, event: dict[str, float]) -> None:
    """One line of the curve, and the weights so far."""
    with (run / "events.jsonl").open("a") as stream:
        stream.write(json.dumps(event) + "\n")
    torch.save(averaged.state_dict(), run / "averaged.pt.partial")
    (run / "averaged.pt.partial").replace(run / "averaged.pt")


def _step(model: AVSegFormer, things: nn.Module, director: Director, rng: Generator, options: TrainOptions) -> Tensor:
    cached = director.cached
    share, count, _ = options.views[int(rng.choice(len(options.views), p=[view[2] for view in options.views]))]
    height, width = cached.scenes.instances.shape[1:]
    view = draw_view(rng, share, (height // 32, width // 32))
    often = np.where(np.asarray(cached.scenes.kinds) == "composite", options.composites, 1.0)
    indices = rng.choice(len(often), count, replace=False, p=often / often.sum())
    strides = (4, 8, 16, 32)
    levels = zip(cached.maps, strides, strict=True)
    maps = [np.stack([view.of(level[i], stride) for i in indices]).astype(np.float32) for level, stride in levels]
    parts = [np.array(view.of(cached.scenes.instances[index], 1)) for index in indices]
    played, targets = [], []
    for index, part in zip(indices, parts, strict=True):
        present, avoid = visible_items(cached, index, part), set[int]()
        for _ in range(options.sounds_per_scene):
            sounding = director.play(rng, index, present, avoid)
            avoid |= set(sounding.instances)
            played.append(sounding)
            targets.append(torch.from_numpy(np.isin(part, sounding.instances).astype(np.float32)))
    boxes = np.stack([view.boxes(cached.boxes[index], (height // 32, width // 32)) for index in indices])
    visual = model.encode_maps([torch.from_numpy(level) for level in maps], torch.from_numpy(boxes))
    if cached.unmet is not None:
        told = np.stack([view.of(cached.unmet[index], 32) for index in indices]).astype(np.float32)
        visual = visual._replace(things=torch.from_numpy(told))
    loss = _visual_loss(model, things, visual, parts, options)
    output = model.segment_embedding(
        repeat_visual(visual, options.sounds_per_scene),
        torch.stack([sounding.embedding for sounding in played]),
        things=torch.stack([sounding.weights for sounding in played]),
    )
    target = torch.stack(targets)
    sounds = target.amax(dim=(1, 2)) > 0
    assert output.gate is not None
    loss = loss + options.gate_weight * F.binary_cross_entropy_with_logits(output.gate, sounds.float())
    if not sounds.any():
        return loss
    loss = loss + loss_of(output.logits[sounds, 0], target[sounds])
    for logits in output.intermediate_logits:
        loss = loss + options.intermediate_weight * loss_of(logits[sounds, 0], target[sounds])
    return loss


def _visual_loss(
    model: AVSegFormer,
    things: nn.Module,
    visual: VisualFeatures,
    parts: Sequence[NDArray[np.uint8]],
    options: TrainOptions,
) -> Tensor:
    """What the half that hears nothing can learn by itself: where things are, and which places are one thing."""
    shapes = level_shapes(visual.mask_feature)
    fine: tuple[int, int] = visual.mask_feature.shape[-2:]  # type: ignore[assignment]
    anything = 1 - thing_shares(parts, fine)[:, 0].view(-1, *fine)
    loss = options.thing_weight * loss_of(things(visual.mask_feature)[:, 0], anything)
    if model.grouping is not None:
        shares = thing_shares(parts, shapes[GROUPING_LEVEL])
        loss = loss + options.grouping_weight * grouping_loss(model.grouping.together(visual.memory, shapes), shares)
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
