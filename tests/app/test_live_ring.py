"""Pictures cross from one process to another: the newest wins, none is torn, large ones are scaled down."""

import multiprocessing
from collections.abc import Iterator

import numpy as np
import pytest

from avseg_app.workers.frame_ring import MOST_WIDTH, FrameRing


@pytest.fixture
def ring() -> Iterator[FrameRing]:
    made = FrameRing()
    yield made
    made.close()


def _image(value: int, height: int = 48, width: int = 64) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = value
    return image


def test_the_newest_picture_is_read_once(ring: FrameRing) -> None:
    writer = FrameRing(ring.name)
    assert ring.read() is None
    for value in range(1, 6):
        writer.write(_image(value), np.full((12, 16), value, np.uint8), value / 10)
    frame = ring.read()
    assert frame is not None
    assert (frame.number, frame.time) == (5, 0.5)
    assert frame.pixels.shape == (48, 64, 4)
    assert frame.pixels[0, 0].tolist() == [0, 0, 5, 255]
    assert frame.mask is not None
    assert (frame.mask == 5).all()
    assert ring.read() is None
    writer.write(_image(9), None, 1.0)
    frame = ring.read()
    assert frame is not None
    assert frame.mask is None
    writer.close()


@pytest.mark.parametrize("shape", [(768, 1024), (600, 40), (40, 600), (512, 512)])
def test_a_large_mask_is_scaled_down_and_not_left_out(ring: FrameRing, shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, np.uint8)
    mask[:, : shape[1] // 2] = 255
    writer = FrameRing(ring.name)
    writer.write(_image(1), mask, 0.0)
    writer.close()
    frame = ring.read()
    assert frame is not None
    assert frame.mask is not None
    height, width = frame.mask.shape
    assert max(height, width) == 512
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.02)
    assert (frame.mask[:, : width // 2 - 1] == 255).all()
    assert (frame.mask[:, width // 2 + 1 :] == 0).all()


def test_what_was_read_does_not_change_any_more(ring: FrameRing) -> None:
    writer = FrameRing(ring.name)
    writer.write(_image(1), None, 0.0)
    frame = ring.read()
    assert frame is not None
    for value in range(2, 8):
        writer.write(_image(value), None, 0.0)
    assert (frame.pixels[..., 2] == 1).all()
    writer.close()


def test_a_new_writer_starts_anew(ring: FrameRing) -> None:
    first = FrameRing(ring.name)
    for value in range(5):
        first.write(_image(value), None, 0.0)
    assert ring.read() is not None
    first.close()
    ring.forget()
    assert ring.read() is None
    second = FrameRing(ring.name)
    second.write(_image(7), None, 0.0)
    frame = ring.read()
    assert frame is not None
    assert frame.pixels[0, 0, 2] == 7
    second.close()


def test_a_large_picture_is_scaled_down(ring: FrameRing) -> None:
    ring.write(_image(200, 2160, 3840), None, 0.0)
    reader = FrameRing(ring.name)
    frame = reader.read()
    assert frame is not None
    assert frame.pixels.shape == (1080, MOST_WIDTH, 4)
    reader.close()


def _write_on(name: str, count: int) -> None:
    writer = FrameRing(name)
    for number in range(count):
        value = number % 251
        writer.write(_image(value, 240, 320), np.full((120, 160), value, np.uint8), float(value))


def test_pictures_are_never_torn(ring: FrameRing) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_write_on, args=(ring.name, 3000))
    process.start()
    seen = []
    while process.is_alive() or not seen:
        frame = ring.read()
        if frame is None:
            continue
        assert frame.mask is not None
        assert (frame.pixels[..., 2] == int(frame.time)).all()
        assert (frame.mask == int(frame.time)).all()
        seen.append(frame.number)
    process.join()
    assert len(seen) > 5
    assert seen == sorted(set(seen))
