"""Masks land on the video's own pixels: resize of a frame and its inverse, for any aspect ratio."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from avseg_core.inference.preprocess import normalise, resize_frame
from avseg_core.results.mask import binary, resize_matrix, upscale, upscale_labels

SIZES = [
    (720, 1280),  # wide
    (1280, 720),  # portrait
    (480, 640),  # 4:3
    (300, 2400),  # panorama
    (1999, 333),  # odd, tall
    (97, 131),  # smaller than the model's grid
    (100, 900),  # smaller one way, larger the other
    (4320, 7680),  # 8K
]


def square_through_the_model(height: int, width: int, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """A white box (top, bottom, left, right) through resize, a model that answers its input, and back."""
    top, bottom, left, right = box
    image = np.zeros((height, width, 3), np.uint8)
    image[top:bottom, left:right] = 255
    seen = resize_frame(image, (224, 224))[0].numpy()
    return binary(seen, (height, width), 0.5)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("shift", [0.0, 0.23, 0.5, 0.81])
def test_edges_of_a_square_are_at_most_one_pixel_off(height: int, width: int, shift: float) -> None:
    top, bottom = round(0.25 * height + shift * height / 224), round(0.7 * height - shift * height / 224)
    left, right = round(0.3 * width + shift * width / 224), round(0.8 * width - shift * width / 224)
    mask = square_through_the_model(height, width, (top, bottom, left, right))
    row, column = mask[(top + bottom) // 2], mask[:, (left + right) // 2]
    xs, ys = np.flatnonzero(row), np.flatnonzero(column)
    found = np.array([ys[0], ys[-1] + 1, xs[0], xs[-1] + 1])
    assert np.abs(found - [top, bottom, left, right]).max() <= 1
    assert len(xs) == xs[-1] + 1 - xs[0]  # no holes
    assert len(ys) == ys[-1] + 1 - ys[0]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_square_at_the_border_stays_at_the_border(height: int, width: int) -> None:
    mask = square_through_the_model(height, width, (0, height // 2, width // 2, width))
    ys, xs = np.flatnonzero(mask[:, -1]), np.flatnonzero(mask[0])
    assert (ys[0], xs[-1]) == (0, width - 1)
    assert abs(ys[-1] + 1 - height // 2) <= 1
    assert abs(xs[0] - width // 2) <= 1


@pytest.mark.parametrize("value", [0, 255])
def test_a_frame_of_one_pixel(value: int) -> None:
    seen = resize_frame(np.full((1, 1, 3), value, np.uint8), (224, 224))
    assert (seen == value).all()
    assert binary(seen[0].numpy(), (1, 1), 0.5).tolist() == [[value == 255]]
    assert upscale(seen[0].numpy(), 1, 1).tolist() == [[value]]


def test_the_same_size_is_the_identity() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    assert np.array_equal(upscale(noise, 64, 48), noise)
    assert np.array_equal(upscale_labels(noise, 64, 48), noise)
    assert np.array_equal(binary(noise, (64, 48), 0.5), noise > 127.5)


def test_a_plane_stays_a_plane() -> None:
    ramp = np.broadcast_to(np.arange(0, 224, dtype=np.uint8), (224, 224))
    wide = upscale(ramp, 224, 2240).astype(float)
    expected = (np.arange(2240) + 0.5) / 10 - 0.5
    inner = slice(20, -20)  # the border repeats its last value
    assert np.abs(wide[100, inner] - expected[inner]).max() <= 0.51


@pytest.mark.parametrize(("target", "source"), [(1280, 224), (100, 224), (224, 224), (1, 224), (7, 1)])
def test_weights_keep_a_constant_constant(target: int, source: int) -> None:
    assert resize_matrix(target, source).shape == (target, source)
    assert np.allclose(resize_matrix(target, source).sum(axis=1), 1, atol=1e-6)


def test_blocks_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (56, 56), np.uint8)
    in_one = upscale(noise, 300, 60)
    monkeypatch.setattr("avseg_core.results.mask._ROWS", 7)
    assert np.array_equal(upscale(noise, 300, 60), in_one)


@pytest.mark.parametrize("size", [(720, 1280), (100, 900), (60, 60)])
def test_nothing_overshoots(size: tuple[int, int]) -> None:
    levels = np.random.default_rng(3).choice(np.array([40, 120], np.uint8), (224, 224))
    enlarged = upscale(levels, *size)
    assert enlarged.min() >= 40
    assert enlarged.max() <= 120
    assert not binary(levels, size, 120 / 255).any()


def test_the_threshold_is_strict() -> None:
    half = np.full((8, 8), 51, np.uint8)  # exactly 0.2
    assert not binary(half, (16, 16), 51 / 255).any()
    assert binary(half, (16, 16), 0.19).all()


def test_labels_take_the_pixel_that_they_lie_in() -> None:
    labels = np.array([[1, 2], [3, 4]], np.uint8)
    assert upscale_labels(labels, 4, 6).tolist() == [[1, 1, 1, 2, 2, 2]] * 2 + [[3, 3, 3, 4, 4, 4]] * 2
    assert upscale_labels(np.arange(9, dtype=np.uint8).reshape(3, 3), 1, 1).tolist() == [[4]]


@pytest.mark.parametrize("size", [(720, 1280), (101, 33), (300, 100), (1, 1), (1080, 1920)])
def test_the_resize_is_that_of_pil(size: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    ours = resize_frame(image, (96, 224)).permute(1, 2, 0).numpy().astype(int)
    theirs = np.asarray(Image.fromarray(image).resize((224, 96), Image.Resampling.BILINEAR))
    assert np.abs(ours - theirs).max() <= 1


def test_normalised_frames_have_imagenet_statistics() -> None:
    frames = resize_frame(np.full((4, 4, 3), 255, np.uint8), (8, 8))[None]
    expected = (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    assert np.allclose(normalise(frames)[0, :, 0, 0], expected, atol=1e-5)
