"""Scenes of one split: pictures with instance maps, drawn once and kept, and which item each instance is."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from catalogue import Item, related
from numpy.random import Generator
from numpy.typing import NDArray
from teacher import mask_path, read_picture

from avseg_core.data.synthesis import Image, compose, render

MAX_ITEMS = 5
_CHOOSING_TRIES = 60
MIXTURE = {"composite": 0.58, "photo": 0.2, "pair": 0.1, "guest": 0.12}
"""Kinds of training scenes: cut-outs on a background, a whole photo, two photos side by side, cut-outs in a photo."""


@dataclass(frozen=True)
class Material:
    """The items of one split; photos come with their masks."""

    cutouts: tuple[Item, ...]
    photos: tuple[Item, ...]
    backgrounds: tuple[Item, ...]
    masks: Path

    @property
    def items(self) -> tuple[Item, ...]:
        """All things that can be in a scene, in the order that scenes count them."""
        return self.cutouts + self.photos


@dataclass(frozen=True)
class SceneSet:
    """N scenes on disk, read through memory maps."""

    images: NDArray[np.uint8]
    """[N,H,W,3]."""
    instances: NDArray[np.uint8]
    """[N,H,W]: 0 background, i the i-th item of the scene."""
    items: NDArray[np.int32]
    """[N,5] numbers in `things`, -1 for none."""
    kinds: list[str]
    things: tuple[Item, ...]
    """All items that could be drawn."""


@lru_cache(maxsize=400)
def picture(path: Path) -> Image:
    """RGB or RGBA, trimmed to what is not transparent."""
    image = read_picture(path, cv2.IMREAD_UNCHANGED)
    if image.shape[2] == 4:
        rows, columns = np.where(image[..., 3] > 40)
        if len(rows):
            image = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return image


@lru_cache(maxsize=200)
def photo_mask(path: Path, masks: Path) -> NDArray[np.uint8]:
    """0 or 255, [H,W]."""
    saliency = cv2.imread(str(mask_path(path, masks)), cv2.IMREAD_GRAYSCALE)
    if saliency is None:
        raise FileNotFoundError(mask_path(path, masks))
    return np.where(saliency > 128, 255, 0).astype(np.uint8)


def as_cutout(image: Image) -> Image:
    """With an alpha channel, opaque where the file has none."""
    if image.shape[2] == 4:
        return image
    return np.concatenate([image, np.full((*image.shape[:2], 1), 255, np.uint8)], axis=2)


class SceneMaker:
    """Draws scenes of one split."""

    def __init__(self, material: Material, size: tuple[int, int]) -> None:
        self.material, (self.height, self.width) = material, size
        numbers = range(len(material.cutouts))
        cutouts = material.cutouts
        self.pools = [
            [n for n in numbers if cutouts[n].photo and cutouts[n].label],
            [n for n in numbers if cutouts[n].photo and not cutouts[n].label],
            [n for n in numbers if not cutouts[n].photo and cutouts[n].label not in ("", "person")],
            [n for n in numbers if not cutouts[n].photo and not cutouts[n].label],
            [n for n in numbers if cutouts[n].label in ("person", "man", "woman")],
        ]
        self.pool_weights = np.array([0.34, 0.2, 0.14, 0.22, 0.1]) * [bool(pool) for pool in self.pools]
        self.pool_weights /= self.pool_weights.sum()

    def draw(self, rng: Generator, kind: str) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """(picture [H,W,3], instances [H,W], numbers of the items)."""
        return {"composite": self.composite, "photo": self.photo, "pair": self.pair, "guest": self.guest}[kind](rng)

    def composite(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        chosen = self._choose(rng, int(rng.choice([1, 2, 3, 4, 5], p=[0.12, 0.36, 0.34, 0.12, 0.06])))
        return self.paste(rng, self._background(rng), chosen)

    def paste(
        self, rng: Generator, background: Image, chosen: Sequence[int]
    ) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """The cut-outs `chosen` composed over the background; one hidden too far is dropped from the list."""
        cutouts = [as_cutout(picture(self.material.items[number].path)) for number in chosen]
        scene = compose(rng, background, cutouts)
        # Drawn at the aspect of some video, then squeezed to the model's, as every frame is.
        wide = int(self.height * rng.choice([1.0, 4 / 3, 1.5, 16 / 9], p=[0.1, 0.25, 0.15, 0.5]))
        image, instances = render(scene, self.height, wide, float(rng.uniform(0.0, 2.0)))
        return self._fit(image), self._fit(instances, cv2.INTER_NEAREST), list(chosen)

    def photo(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        number = len(self.material.cutouts) + int(rng.integers(len(self.material.photos)))
        image, mask = self._photo_view(rng, number)
        return image, (mask > 127).astype(np.uint8), [number]

    def pair(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """Two photos beside or above each other."""
        first, second = (
            len(self.material.cutouts) + int(n) for n in rng.choice(len(self.material.photos), 2, replace=False)
        )
        (left, left_mask), (right, right_mask) = self._photo_view(rng, first), self._photo_view(rng, second)
        beside = rng.random() < 0.7
        cut = self.width // 2 if beside else self.height // 2
        image, instances = np.empty_like(left), np.empty((self.height, self.width), np.uint8)
        for order, (view, mask) in enumerate(((left, left_mask), (right, right_mask)), start=1):
            part = slice(0, cut) if order == 1 else slice(cut, None)
            place = (slice(None), part) if beside else (part, slice(None))
            high, wide = instances[place].shape
            image[place] = _squeeze(view, wide, high)
            instances[place] = order * (_squeeze(mask, wide, high) > 127)
        return image, instances, [first, second]

    def guest(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """One or two cut-outs pasted into a photo of a thing."""
        number = len(self.material.cutouts) + int(rng.integers(len(self.material.photos)))
        image, mask = self._photo_view(rng, number)
        pasted, instances, chosen = self.paste(rng, image, self._choose(rng, int(rng.integers(1, 3))))
        # The composer crops the middle 85 % of its background; follow it with the mask.
        down, across = round(0.075 * self.height), round(0.075 * self.width)
        inner = self._fit(np.ascontiguousarray(mask[down : self.height - down, across : self.width - across]))
        instances = np.where(instances == 0, (len(chosen) + 1) * (inner > 127), instances).astype(np.uint8)
        return pasted, instances, [*chosen, number]

    def _fit(self, image: NDArray[np.uint8], how: int = cv2.INTER_AREA) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(image, (self.width, self.height), interpolation=how), np.uint8)

    def _choose(self, rng: Generator, count: int) -> list[int]:
        """Cut-outs none of which could make another one's sound."""
        chosen: list[int] = []
        for _ in range(_CHOOSING_TRIES):
            pool = self.pools[int(rng.choice(len(self.pools), p=self.pool_weights))]
            number = int(rng.choice(pool))
            label = self.material.items[number].label
            others = [self.material.items[other].label for other in chosen]
            if number not in chosen and not any(label and other and related(label, other) for other in others):
                chosen.append(number)
            if len(chosen) == count:
                break
        return chosen

    def _background(self, rng: Generator) -> Image:
        image = picture(self.material.backgrounds[int(rng.integers(len(self.material.backgrounds)))].path)[..., :3]
        share = rng.uniform(0.5, 1.0)
        rows, columns = (max(2, int(share * side)) for side in image.shape[:2])
        top, left = (
            int(rng.integers(full - part + 1)) for full, part in zip(image.shape[:2], (rows, columns), strict=True)
        )
        crop = image[top : top + rows, left : left + columns]
        return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)

    def _photo_view(self, rng: Generator, number: int) -> tuple[Image, NDArray[np.uint8]]:
        """A crop that keeps the thing, flipped and exposed at random, [H,W,3] and its mask [H,W]."""
        path = self.material.items[number].path
        image, mask = picture(path)[..., :3], photo_mask(path, self.material.masks)
        rows, columns = np.where(mask > 127)
        top, bottom = (
            int(rng.integers(0, rows.min() // 2 + 1)),
            mask.shape[0] - int(rng.integers(0, (mask.shape[0] - rows.max()) // 2 + 1)),
        )
        left, right = (
            int(rng.integers(0, columns.min() // 2 + 1)),
            mask.shape[1] - int(rng.integers(0, (mask.shape[1] - columns.max()) // 2 + 1)),
        )
        image = self._fit(image[top:bottom, left:right]).astype(np.float32)
        mask = self._fit(mask[top:bottom, left:right])
        image = np.clip(image * rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3), 0, 255).astype(np.uint8)
        if rng.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        return np.ascontiguousarray(image), np.ascontiguousarray(mask)


def _squeeze(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def make_scenes(folder: Path, maker: SceneMaker, kinds: Sequence[str], seed: int) -> SceneSet:
    """Draws one scene per entry of `kinds` into `folder`, or opens what is there."""
    if not (folder / "scenes.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        count, shape = len(kinds), (maker.height, maker.width)
        images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, *shape, 3))
        instances = np.lib.format.open_memmap(folder / "instances.npy", "w+", np.uint8, (count, *shape))
        items = np.full((count, MAX_ITEMS), -1, np.int32)
        for index, kind in enumerate(kinds):
            image, instance, chosen = maker.draw(np.random.default_rng([seed, index]), kind)
            images[index], instances[index] = image, instance
            items[index, : len(chosen)] = chosen
        images.flush()
        instances.flush()
        np.save(folder / "items.npy", items)
        things = [[os.path.relpath(i.path, folder), i.label, i.key, i.split, i.photo] for i in maker.material.items]
        (folder / "items.json").write_text(json.dumps(things))
        (folder / "scenes.json").write_text(json.dumps({"kinds": list(kinds)}))
    return open_scenes(folder)


def open_scenes(folder: Path) -> SceneSet:
    """The scenes that `make_scenes` left in `folder`."""
    kinds = json.loads((folder / "scenes.json").read_text())["kinds"]
    images, instances = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "instances"))
    rows = json.loads((folder / "items.json").read_text())
    things = tuple(Item((folder / path).resolve(), *rest) for path, *rest in rows)
    return SceneSet(images, instances, np.load(folder / "items.npy"), kinds, things)
