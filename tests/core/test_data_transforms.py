"""Fitting pictures and masks to the model, and augmentation that changes both alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from avseg_core.audio.front_end import logmel
from avseg_core.config import DataConfig
from avseg_core.data.augmentation import Augmentation, Fit
from avseg_core.data.registry import build_dataset
from avseg_core.data.transforms import denormalise, normalise
from tests.avsbench_fixtures import make_s4

NEUTRAL = Augmentation(
    box=(0.0, 0.0, 1.0, 1.0), flip=False, brightness=1, contrast=1, saturation=1, gain=1, noise=0, noise_seed=0
)


@pytest.fixture
def scene() -> tuple[Image.Image, np.ndarray]:
    """A red rectangle on grey, 120x80, and its mask."""
    mask = np.zeros((80, 120), np.uint8)
    mask[20:60, 10:50] = 1
    image = np.full((80, 120, 3), 100, np.uint8)
    image[mask > 0] = (250, 30, 30)
    return Image.fromarray(image), mask


def agreement(image: np.ndarray, mask: np.ndarray) -> float:
    """Share of pixels where redness and mask agree."""
    red = image[..., 0].astype(int) > image[..., 1].astype(int) + 60
    return float((red == (mask > 0)).mean())


def test_normalise_and_back() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 5, 3)).astype(np.uint8)
    frame = normalise(image)
    assert frame.shape == (3, 6, 5)
    assert frame.dtype == torch.float32
    assert float(frame[0, 0, 0]) == pytest.approx((image[0, 0, 0] / 255 - 0.485) / 0.229, abs=1e-6)
    np.testing.assert_array_equal(denormalise(frame), image)


def test_a_picture_of_the_right_size_is_not_touched(scene: tuple[Image.Image, np.ndarray]) -> None:
    image, mask = scene
    fit = Fit((120, 80))
    np.testing.assert_array_equal(fit.image(image), np.asarray(image))
    np.testing.assert_array_equal(fit.label(mask), mask)


@pytest.mark.parametrize("size", [(64, 64), (96, 32), (32, 96)])
@pytest.mark.parametrize("keep_aspect", [True, False])
def test_picture_and_mask_stay_together(
    size: tuple[int, int], keep_aspect: bool, scene: tuple[Image.Image, np.ndarray]
) -> None:
    fit = Fit(size, keep_aspect)
    image, mask = fit.image(scene[0]), fit.label(scene[1])
    assert image.shape == (size[1], size[0], 3)
    assert mask.shape == (size[1], size[0])
    assert agreement(image, mask) > 0.94


def test_neutral_augmentation_changes_nothing(scene: tuple[Image.Image, np.ndarray]) -> None:
    image, mask = scene
    fit, plain = Fit((64, 64), augmentation=NEUTRAL), Fit((64, 64))
    np.testing.assert_array_equal(fit.image(image), plain.image(image))
    np.testing.assert_array_equal(fit.label(mask), plain.label(mask))
    values = logmel(np.sin(np.arange(32000) * 0.3), "vggish")
    np.testing.assert_allclose(NEUTRAL.logmel(values, "vggish"), values, atol=1e-5)


def test_flip_mirrors_picture_and_mask(scene: tuple[Image.Image, np.ndarray]) -> None:
    image, mask = scene
    fit = Fit((120, 80), augmentation=replace(NEUTRAL, flip=True))
    np.testing.assert_array_equal(fit.image(image), np.asarray(image)[:, ::-1])
    np.testing.assert_array_equal(fit.label(mask), mask[:, ::-1])


def test_crop_enlarges_the_part(scene: tuple[Image.Image, np.ndarray]) -> None:
    fit = Fit((120, 80), augmentation=replace(NEUTRAL, box=(0.0, 0.0, 0.5, 1.0)))
    mask = fit.label(scene[1])
    assert mask.mean() == pytest.approx(2 * scene[1].mean(), rel=0.05)
    assert agreement(fit.image(scene[0]), mask) > 0.94


def test_colour_changes(scene: tuple[Image.Image, np.ndarray]) -> None:
    image = np.asarray(scene[0])
    assert replace(NEUTRAL, brightness=0.5).colour(image).mean() == pytest.approx(image.mean() / 2, rel=0.02)
    grey = replace(NEUTRAL, saturation=0.0).colour(image).astype(int)
    assert np.abs(grey[..., 0] - grey[..., 1]).max() <= 1
    flat = replace(NEUTRAL, contrast=0.0, saturation=0.0).colour(image)
    assert flat.std() < 1


def test_gain_is_the_gain_of_the_waveform() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 32000)
    louder = replace(NEUTRAL, gain=2.0).logmel(logmel(sound, "vggish"), "vggish")
    np.testing.assert_allclose(louder, logmel(2 * sound, "vggish"), atol=1e-4)


def test_noise_raises_what_was_silent_by_its_level() -> None:
    silence_and_tone = np.concatenate([np.zeros(16000), np.sin(np.arange(16000) * 0.4)])
    values = logmel(silence_and_tone, "vggish")
    noisy = replace(NEUTRAL, noise=0.1).logmel(values, "vggish")
    mel, noisy_mel = np.exp(values) - 0.01, np.exp(noisy) - 0.01
    expected = 0.1 * mel.mean() * np.sqrt(np.pi / 2)  # mean of the Rayleigh distribution
    assert noisy_mel[0].mean() == pytest.approx(expected, rel=0.05)


def test_draws_stay_in_range_and_keep_at_least_half_of_the_area() -> None:
    rng = np.random.default_rng(0)
    draws = [Augmentation.draw(rng) for _ in range(300)]
    for draw in draws:
        left, top, right, bottom = draw.box
        assert 0 <= left < right <= 1 + 1e-9
        assert 0 <= top < bottom <= 1 + 1e-9
        assert (right - left) * (bottom - top) > 0.4
    assert 100 < sum(draw.flip for draw in draws) < 200


def test_augmentation_depends_on_seed_epoch_and_clip_only(tmp_path: Path) -> None:
    make_s4(tmp_path, {"train": 2}, size=64)
    config = DataConfig(dataset="s4", root=str(tmp_path), image_size=(64, 64), augment=True)
    dataset, again = build_dataset(config, "train", 1), build_dataset(config, "train", 1)
    dataset.set_epoch(3, seed=7)
    first = dataset[1].frames
    assert torch.equal(dataset[1].frames, first)
    dataset.set_epoch(4, seed=7)
    assert not torch.equal(dataset[1].frames, first)
    again.set_epoch(3, seed=7)
    again[0]
    assert torch.equal(again[1].frames, first)
    assert torch.equal(again[1].logmel, again[1].logmel)
    plain = build_dataset(replace(config, augment=False), "train", 1)
    assert not torch.equal(plain[1].frames, first)
