"""Scenes of one split: pictures with instance maps, drawn once and kept, and which item each instance is."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from catalogue import Item, related
from numpy.random import Generator
from numpy.typing import NDArray
from teacher import mask_path, read_picture

from avseg_core.data.synthesis import Image, compose, draw_look, photograph, render

MAX_ITEMS = 5
_CHOOSING_TRIES = 60
MIXTURE = {"composite": 0.36, "portrait": 0.3, "sides": 0.24, "guest": 0.1}
"""Kinds of training scenes: cut-outs on a background, one large thing (a photo, or a cut-out that fills the picture),
two of these side by side, cut-outs in a photo."""
_LARGE = (0.3, 0.3, 0.18, 0.14, 0.08)
"""How often a portrait is a photo whose sound is known, any photo, a photographed cut-out whose sound is known, another
one, a person."""


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
        photos = range(len(cutouts), len(material.items))
        named = [number for number in photos if material.items[number].label]
        self.large_pools = [named, list(photos), self.pools[0], self.pools[1], self.pools[4]]
        self.large_weights = np.array(_LARGE) * [bool(pool) for pool in self.large_pools]
        self.large_weights /= self.large_weights.sum()

    def draw(self, rng: Generator, kind: str) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """(picture [H,W,3], instances [H,W], numbers of the items)."""
        kinds = {"composite": self.composite, "portrait": self.portrait, "sides": self.sides, "guest": self.guest}
        return kinds[kind](rng)

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

    def portrait(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        number = self._choose_large(rng)
        image, mask = self._large(rng, number, self.height, self.width)
        return photograph(image.astype(np.float32), draw_look(rng), int(rng.integers(2**31))), mask, [number]

    def sides(self, rng: Generator) -> tuple[Image, NDArray[np.uint8], list[int]]:
        """Two large things, each with its own surroundings, beside or above each other."""
        chosen = [self._choose_large(rng)]
        chosen.append(self._choose_large(rng, self.material.items[chosen[0]].label))
        beside, share = rng.random() < 0.75, rng.uniform(0.4, 0.6)
        image = np.empty((self.height, self.width, 3), np.float32)
        instances = np.zeros((self.height, self.width), np.uint8)
        cut = round(share * (self.width if beside else self.height))
        for order, (number, part) in enumerate(zip(chosen, (slice(0, cut), slice(cut, None)), strict=True), start=1):
            place = (slice(None), part) if beside else (part, slice(None))
            view, mask = self._large(rng, number, *instances[place].shape)
            image[place] = np.clip(view * rng.uniform(0.8, 1.2, 3), 0, 255)
            instances[place] = order * mask
        return photograph(image, draw_look(rng), int(rng.integers(2**31))), instances, chosen

    def _choose_large(self, rng: Generator, beside: str = "") -> int:
        """A photo, or a cut-out that is a photograph or a person, which could not make the sound of a `beside`."""
        for _ in range(_CHOOSING_TRIES):
            pool = self.large_pools[int(rng.choice(len(self.large_pools), p=self.large_weights))]
            number = int(rng.choice(pool))
            label = self.material.items[number].label
            if not (beside and label and related(label, beside)):
                break
        return number

    def _large(self, rng: Generator, number: int, height: int, width: int) -> tuple[Image, NDArray[np.uint8]]:
        """A view [height,width,3] that the thing all but fills, and its mask of 0 and 1."""
        if number < len(self.material.cutouts):
            cutout = as_cutout(picture(self.material.items[number].path))
            scene = compose(rng, self._background(rng), [cutout])
            longest = max(cutout.shape[:2])
            # So large that it fits both ways, or is cut a little by the edge.
            fits = min(height * longest / cutout.shape[0], width * longest / cutout.shape[1]) / min(height, width)
            x, y = rng.normal(0.5, 0.07, 2)
            pose = replace(scene.poses[0], x=float(x), y=float(y), size=float(fits * rng.uniform(0.6, 1.15)))
            return render(replace(scene, poses=(pose,)), height, width)
        image, mask = self._framed(rng, number, width / height)
        if rng.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        return _squeeze(image, width, height), (_squeeze(mask, width, height) > 127).astype(np.uint8)

    def _framed(self, rng: Generator, number: int, aspect: float) -> tuple[Image, NDArray[np.uint8]]:
        """A crop of a photo that keeps most of the thing, about as wide to high as `aspect`, and its mask 0 or 255."""
        path = self.material.items[number].path
        image, mask = picture(path)[..., :3], photo_mask(path, self.material.masks)
        rows, columns = np.where(mask > 127)
        margin = rng.uniform(-0.08, 0.9)
        high, wide = ((1 + margin) * (np.ptp(part) + 1) for part in (rows, columns))
        aspect *= float(rng.uniform(0.75, 1.33))
        high, wide = max(high, wide / aspect), max(wide, high * aspect)
        sides = []
        for part, length, full in ((rows, high, mask.shape[0]), (columns, wide, mask.shape[1])):
            middle = (part.min() + part.max()) / 2 + rng.uniform(-0.3, 0.3) * max(0.0, length - np.ptp(part))
            first = int(np.clip(middle - length / 2, 0, max(0, full - length)))
            sides.append(slice(first, min(full, first + max(16, int(length)))))
        return image[sides[0], sides[1]], mask[sides[0], sides[1]]

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
        draw = partial(_draw, maker, seed)
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
            drawn = pool.map(draw, range(count), kinds, chunksize=16)
            for index, (image, instance, chosen) in enumerate(drawn):
                images[index], instances[index] = image, instance
                items[index, : len(chosen)] = chosen
        images.flush()
        instances.flush()
        np.save(folder / "items.npy", items)
        things = [[os.path.relpath(i.path, folder), i.label, i.key, i.split, i.photo] for i in maker.material.items]
        (folder / "items.json").write_text(json.dumps(things))
        (folder / "scenes.json").write_text(json.dumps({"kinds": list(kinds)}))
    return open_scenes(folder)


def _draw(maker: SceneMaker, seed: int, index: int, kind: str) -> tuple[Image, NDArray[np.uint8], list[int]]:
    return maker.draw(np.random.default_rng([seed, index]), kind)


def open_scenes(folder: Path) -> SceneSet:
    """The scenes that `make_scenes` left in `folder`."""
    kinds = json.loads((folder / "scenes.json").read_text())["kinds"]
    images, instances = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "instances"))
    rows = json.loads((folder / "items.json").read_text())
    things = tuple(Item((folder / path).resolve(), *rest) for path, *rest in rows)
    return SceneSet(images, instances, np.load(folder / "items.npy"), kinds, things)
