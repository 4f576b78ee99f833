"""Measures a model on held-out things, photos and sounds, beside what needs no training; writes the report."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from catalogue import related
from clips import SoundClip, draw_clip, draw_course
from features import to_frames
from numpy.random import Generator
from numpy.typing import NDArray
from scenes import Material, SceneMaker, photo_mask, picture
from soundbank import SoundBank
from teacher import Saliency

from avseg_core.audio.front_end import window_logmel
from avseg_core.inference.refine import refine
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.label_bridge import NEARBY, PERSON

Mask = NDArray[np.bool_]
Predict = Callable[["Case"], NDArray[np.float32]]
Heard = tuple[NDArray[np.float32], tuple[tuple[float, NDArray[np.float32]], ...]]
"""A case's `sound` and `nearby`."""
SIZES = (0.0, 0.02, 0.04, 0.08, 1.0)
"""Shares of the picture between which things of one size lie."""


@dataclass(frozen=True)
class Case:
    """A picture, what is heard, and what of it sounds."""

    group: str
    image: NDArray[np.uint8]
    """[H,W,3] at the model's size."""
    sound: NDArray[np.float32]
    nearby: tuple[tuple[float, NDArray[np.float32]], ...]
    """Other seconds of the same track, and how many seconds lie between."""
    instances: NDArray[np.uint8]
    sounding: tuple[int, ...]
    """Instances that sound; empty: nothing in the picture does."""
    name: str

    @property
    def truth(self) -> Mask:
        return np.isin(self.instances, self.sounding)


def build_cases(material: Material, bank: SoundBank, size: tuple[int, int], counts: dict[str, int]) -> list[Case]:
    """`counts`: cases per group of "one of several", "photo", "photo pair", "two at once", "nothing"."""
    maker = SceneMaker(material, size)
    stamps = [n for n, i in enumerate(material.cutouts) if i.photo and i.label and bank.labels_for(i.label)]
    shift = len(material.cutouts)
    photos = [shift + n for n, i in enumerate(material.photos) if i.label and bank.labels_for(i.label)]
    cases = []
    for group, count in counts.items():
        for index in range(count):
            rng = np.random.default_rng([sum(map(ord, group)), index])
            if group in ("one of several", "two at once"):
                cases.append(_several(rng, group, maker, stamps, bank))
            elif group == "photo":
                cases.append(_photo(rng, maker, photos[index % len(photos)], bank, size))
            elif group == "photo pair":
                cases.append(_pair(rng, maker, photos, bank))
            else:
                cases.append(_nothing(rng, maker, stamps, photos, bank))
    return cases


def _draw(rng: Generator, pool: Sequence[int], count: int, maker: SceneMaker) -> list[int]:
    """`count` things none of which could make another one's sound."""
    items, chosen = maker.material.items, list[int]()
    labels = sorted({items[number].label for number in pool})
    while len(chosen) < count:
        label = str(rng.choice(labels))  # every label as often, however many pictures it has
        number = int(rng.choice([number for number in pool if items[number].label == label]))
        if number not in chosen and not any(related(items[number].label, items[o].label) for o in chosen):
            chosen.append(number)
    return chosen


def _visible(instances: NDArray[np.uint8], count: int) -> bool:
    return all((instances == order).mean() > 0.004 for order in range(1, count + 1))


def _several(rng: Generator, group: str, maker: SceneMaker, stamps: Sequence[int], bank: SoundBank) -> Case:
    while True:
        chosen = _draw(rng, stamps, int(rng.integers(2, 4)) if group == "one of several" else 3, maker)
        image, instances, _ = maker.paste(rng, maker._background(rng), chosen)
        if _visible(instances, len(chosen)):
            break
    sounding = tuple(range(1, 3 if group == "two at once" else 2))
    labels = [bank.labels_for(maker.material.items[chosen[order - 1]].label)[0] for order in sounding]
    return Case(group, image, *_sound(rng, bank, labels), instances, sounding, "+".join(labels))


def _photo(rng: Generator, maker: SceneMaker, number: int, bank: SoundBank, size: tuple[int, int]) -> Case:
    item = maker.material.items[number]
    image, mask = picture(item.path)[..., :3], photo_mask(item.path, maker.material.masks)
    fit = (size[1], size[0])
    instances = (cv2.resize(mask, fit, interpolation=cv2.INTER_AREA) > 127).astype(np.uint8)
    label = bank.labels_for(item.label)[0]
    view = cv2.resize(image, fit, interpolation=cv2.INTER_AREA)
    return Case("photo", np.asarray(view, np.uint8), *_sound(rng, bank, [label]), instances, (1,), item.path.stem)


def _pair(rng: Generator, maker: SceneMaker, photos: Sequence[int], bank: SoundBank) -> Case:
    items = maker.material.items
    while True:
        image, instances, chosen = maker.pair(rng)
        labelled = all(number in photos for number in chosen)
        if labelled and not related(items[chosen[0]].label, items[chosen[1]].label) and _visible(instances, 2):
            break
    order = int(rng.integers(1, 3))
    item = items[chosen[order - 1]]
    sound = _sound(rng, bank, bank.labels_for(item.label)[:1])
    return Case("photo pair", image, *sound, instances, (order,), item.path.stem)


def _nothing(rng: Generator, maker: SceneMaker, stamps: Sequence[int], photos: Sequence[int], bank: SoundBank) -> Case:
    """Silence or noise, in the pauses of what the picture shows or all the time, or what it does not show."""
    if rng.random() < 0.5:
        chosen = [int(rng.choice(photos))]
        image, mask = maker._photo_view(rng, chosen[0])
        instances = (mask > 127).astype(np.uint8)
    else:
        chosen = _draw(rng, stamps, 2, maker)
        image, instances, _ = maker.paste(rng, maker._background(rng), chosen)
    kind = str(rng.choice(["pause", "noise", "away"]))
    shown = [maker.material.items[number].label for number in chosen]
    own = [label for name in shown for label in bank.labels_for(name)]
    if kind == "pause":
        sound = _second(rng, lambda: draw_clip(rng, [bank], [str(rng.choice(own))], draw_course(rng, pause=True)), ())
    elif kind == "noise":
        sound = _second(rng, lambda: draw_clip(rng, [bank], [], "nothing"), ())
    else:
        labels = [label for label in bank.sounds if label != "noise" and not any(related(label, s) for s in shown)]
        kind = str(rng.choice(labels))
        sound = _sound(rng, bank, [kind], own)
    return Case("nothing", image, *sound, instances, (), kind)


def _sound(rng: Generator, bank: SoundBank, labels: Sequence[str], before: Sequence[str] = ()) -> Heard:
    """A second in which the labels sound, of a clip in which one of `before` or of all others may sound as well."""
    others = before or [
        other for other in bank.sounds if other != "noise" and not any(related(other, label) for label in labels)
    ]
    other = (bank, str(rng.choice(sorted(others)))) if others else None
    return _second(rng, lambda: draw_clip(rng, [bank] * len(labels), labels, draw_course(rng), other), tuple(labels))


def _second(rng: Generator, draw: Callable[[], SoundClip], wanted: tuple[str, ...]) -> Heard:
    """One of a clip's seconds in which just the wanted labels sound, and those nearby."""
    while True:
        clip = draw()
        if fitting := [second for second, labels in enumerate(clip.labels) if labels == wanted]:
            own = int(rng.choice(fitting))
            apart = [(abs(second - own), sound) for second, sound in enumerate(clip.seconds) if second != own]
            return clip.seconds[own], tuple((float(away), sound) for away, sound in apart if away <= NEARBY)


def model_predictors(model: AVSegFormer) -> dict[str, Predict]:
    """The model as the application runs it; before that, without the label bridge, with every second heard alone, and
    with the edges as the model draws them."""
    prior = model.label_prior
    assert prior is not None
    latest: dict[str, Any] = {}

    def predict(case: Case, bridge: float = 1.0, alone: bool = False) -> NDArray[np.float32]:
        with torch.no_grad():
            if latest.get("case") is not case:
                sounds = [case.sound, *(sound for _, sound in case.nearby)]
                logmel = torch.from_numpy(np.stack([window_logmel(sound, "yamnet") for sound in sounds]))
                visual = model.encode_visual(to_frames(case.image[None]))
                latest.update(case=case, heard=model.embed_audio(logmel), visual=visual)
            own = latest["heard"][:1]
            among = own if alone else latest["heard"]
            apart = torch.tensor([[0.0, *(away for away, _ in case.nearby)]])
            things = prior.hear_among(among[None], apart[:, : len(among)])
            output = model.segment_embedding(latest["visual"], own, things=bridge * things)
        return np.asarray(output.logits[0, 0].sigmoid())

    def refined(case: Case) -> NDArray[np.float32]:
        probability = np.rint(255 * predict(case)).astype(np.uint8)
        return refine(probability, case.image).astype(np.float32) / np.float32(255)

    return {
        "without the bridge": partial(predict, bridge=0.0),
        "every second alone": partial(predict, alone=True),
        "raw edges": predict,
        "avsegformer-lite": refined,
    }


def floor_predictors(model: AVSegFormer, saliency: Saliency, folder: Path) -> dict[str, Predict]:
    """What the pretrained networks do without training: saliency alone, and the label bridge times saliency.

    `model` is not trained; its rows for what ImageNet lacks are switched off. Saliency maps are kept in `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    assert model.label_prior is not None
    model.label_prior.presence = None  # not trained: the published scores say whether anything sounds
    with torch.no_grad():
        model.label_prior.things.bias[PERSON:] = -20.0

    def salient(case: Case) -> NDArray[np.float32]:
        path = folder / (hashlib.sha256(case.image.tobytes()).hexdigest()[:24] + ".png")
        if not path.exists():
            cv2.imwrite(str(path), saliency(case.image))
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.float32) / 255.0

    def bridge(case: Case) -> NDArray[np.float32]:
        assert model.label_prior is not None
        with torch.no_grad():
            embedding = model.embed_audio(torch.from_numpy(window_logmel(case.sound, "yamnet"))[None])
            weights = model.label_prior.hear(embedding)
            things = model.label_prior.locate(model.backbone(to_frames(case.image[None]))[-1])
            share = model.label_prior.match(things, weights)[:, :1]
            wide = F.interpolate(share, size=case.image.shape[:2], mode="bilinear")[0, 0].numpy()
        heard = float(weights.max()) > 0.1
        return wide / max(float(wide.max()), 1e-6) * salient(case) * heard * 1.6

    return {"saliency": salient, "label bridge x saliency": bridge}


def measure(case: Case, probability: NDArray[np.float32], threshold: float = 0.5) -> dict[str, float]:
    """IoU, whether the right thing was chosen, and the share of the picture masked."""
    mask = probability > threshold
    result = {"masked": float(mask.mean())}
    if case.sounding:
        truth = case.truth
        result["iou"] = float((mask & truth).sum() / max(1, (mask | truth).sum()))
        count = int(case.instances.max())
        inside = [float(mask[case.instances == o].sum()) for o in range(1, count + 1)]
        others = [value for o, value in enumerate(inside, start=1) if o not in case.sounding]
        best = max((inside[o - 1] for o in case.sounding), default=0.0)
        result["right"] = float(best > max(others, default=0.0))
    return result


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval."""
    data = np.asarray(values, float)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(len(data), size=(2000, len(data)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(data.mean()), float(low), float(high)


def evaluate(cases: Sequence[Case], predictors: dict[str, Predict]) -> dict[str, Any]:
    """Per group and predictor: {"iou"|"right"|"masked": [mean, low, high], "n"}; the rows of every case; and of the
    last predictor `by_size`."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in predictors}
    for case in cases:
        for name, predict in predictors.items():
            rows[name].append(measure(case, predict(case)))
    table: dict[str, Any] = {}
    for group in dict.fromkeys(case.group for case in cases):
        chosen = [index for index, case in enumerate(cases) if case.group == group]
        table[group] = {"n": len(chosen)}
        for name in predictors:
            values = [rows[name][index] for index in chosen]
            keys = ("iou", "right") if "iou" in values[0] else ("masked",)
            table[group][name] = {key: interval([value[key] for value in values]) for key in keys}
    return {"table": table, "rows": rows, "sizes": by_size(cases, rows[list(predictors)[-1]])}


def by_size(cases: Sequence[Case], rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    """What `evaluate` tells of one predictor's `rows` of "one of several", by how much of the picture sounds."""
    table: dict[str, Any] = {}
    for low, high in itertools.pairwise(SIZES):
        chosen = [
            row
            for case, row in zip(cases, rows, strict=True)
            if case.group == "one of several" and low <= case.truth.mean() < high
        ]
        if chosen:
            name = f"{low:.0%} to {high:.0%} of the picture" if high < 1 else f"more than {low:.0%}"
            table[name] = {"n": len(chosen)} | {key: interval([row[key] for row in chosen]) for key in ("iou", "right")}
    return table


def report(result: dict[str, Any]) -> str:
    """The tables in Markdown."""
    lines = ["| | n | method | mIoU | right thing | masked % |", "|---|---|---|---|---|---|"]
    for group, entry in result["table"].items():
        for name, values in entry.items():
            if name == "n":
                continue
            cells = [_cell(values.get("iou")), _cell(values.get("right")), _cell(values.get("masked"), 100)]
            lines.append(f"| {group} | {entry['n']} | {name} | " + " | ".join(cells) + " |")
    lines += ["", "| one of several, the sounding thing is | n | mIoU | right thing |", "|---|---|---|---|"]
    for name, entry in result["sizes"].items():
        lines.append(f"| {name} | {entry['n']} | {_cell(entry['iou'])} | {_cell(entry['right'])} |")
    return "\n".join(lines)


def _cell(value: Sequence[float] | None, scale: float = 1.0) -> str:
    if value is None:
        return ""
    mean, low, high = (scale * part for part in value)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def contact_sheet(cases: Sequence[Case], predictor: Predict, path: Path, columns: int = 6) -> None:
    """Pictures with the prediction (left, red) and the truth (right, green)."""
    tiles = []
    for case in cases:
        score = measure(case, predictor(case))
        left, right = case.image.copy(), case.image.copy()
        mask = predictor(case) > 0.5
        left[mask] = (0.45 * left[mask] + np.array([140, 0, 0])).astype(np.uint8)
        right[case.truth] = (0.45 * right[case.truth] + np.array([0, 140, 0])).astype(np.uint8)
        pair = cv2.resize(np.hstack([left, right]), (300, 100), interpolation=cv2.INTER_AREA)
        label = f"{case.name} {score.get('iou', score['masked']):.2f}"
        cv2.putText(pair, label, (3, 96), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1, cv2.LINE_AA)
        tiles.append(pair)
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])


def save_result(result: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(result["table"], indent=1))
