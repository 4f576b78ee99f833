"""Mask edges follow the picture's edges where it has some, and stay where they are where it has none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.inference.refine import refine

HEIGHT, WIDTH = 160, 240


def _disc() -> NDArray[np.uint8]:
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(truth, (120, 80), 45, 255, -1)
    return truth


def _iou(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    inside, wanted = mask > 127, truth > 127
    return float((inside & wanted).sum() / (inside | wanted).sum())


@pytest.mark.parametrize("thing", [(200, 40, 60), (60, 120, 220)])
def test_a_coarse_mask_gets_the_edges_of_its_thing(thing: tuple[int, int, int]) -> None:
    truth = _disc()
    image = np.where(truth[..., None] > 0, np.uint8(thing), np.uint8((60, 120, 40))).astype(np.float32)
    image = np.clip(image + np.random.default_rng(0).normal(0, 5, image.shape), 0, 255).astype(np.uint8)
    small = cv2.resize(truth, (WIDTH // 16, HEIGHT // 16), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(cv2.resize(small, (WIDTH, HEIGHT)), np.uint8)
    assert _iou(coarse, truth) < 0.96 < 0.98 < _iou(refine(coarse, image), truth)


def test_without_edges_in_the_picture_the_mask_keeps_its_own() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert _iou(refine(_disc(), flat), _disc()) > 0.97


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_mask_stays_as_it_is(level: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    even = np.full((HEIGHT, WIDTH), level, np.uint8)
    assert np.abs(refine(even, image).astype(int) - level).max() <= 1


def test_the_smallest_pictures_are_no_trouble() -> None:
    assert refine(np.full((1, 1), 200, np.uint8), np.zeros((1, 1, 3), np.uint8)).shape == (1, 1)
