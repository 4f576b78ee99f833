"""Masks move with the picture, vanish at a cut, are smoothed along the motion, and end at the edges of things."""

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.inference.live_motion import (
    MEMORY,
    FlowField,
    MaskFollower,
    MaskSmoother,
    grey_of,
    refined,
    small_picture,
)
from avseg_core.media.capture import CapturedFrame
from avseg_core.media.capture_test_source import TestScene, Thing

SCENE = TestScene(640, 480)


def _grid(mask: NDArray[np.bool_], height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """A mask of the scene on a coarser grid."""
    rows, columns = (np.arange(height) + 0.5) * 480 / height, (np.arange(width) + 0.5) * 640 / width
    return np.uint8(255) * mask[rows.astype(int)[:, None], columns.astype(int)]


def _grey(moment: float) -> NDArray[np.uint8]:
    return grey_of(small_picture(SCENE.image(moment)))


def _frame(index: int, image: NDArray[np.uint8] | None = None) -> CapturedFrame:
    return CapturedFrame(index, index / 30, index / 30, SCENE.image(index / 30) if image is None else image)


def _iou(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    a, b = first > 127, second > 127
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("thing", ["disc", "square"])
def test_a_mask_follows_its_thing_over_a_third_of_a_second(thing: Thing) -> None:
    follower = MaskFollower()
    mask = _grid(SCENE.mask(thing, 0.0))
    for k in range(11):
        follower.see(_frame(k))
    shown = follower.lay(mask, 0)
    moved = follower.lay(mask, 0, refine=False)
    assert shown is not None
    assert moved is not None
    truth = SCENE.mask(thing, 10 / 30)
    assert _iou(moved, _grid(truth)) > _iou(mask, _grid(truth)) + 0.1
    assert shown.shape == (240, 320)
    assert _iou(shown, _grid(truth, 240, 320)) > 0.9


def test_following_step_by_step_equals_following_at_once() -> None:
    mask, steady, late = _grid(SCENE.mask("disc", 0.0)), MaskFollower(), MaskFollower()
    for k in range(8):
        steady.see(_frame(k))
        late.see(_frame(k))
        stepped = steady.lay(mask, 0, refine=False)
    np.testing.assert_array_equal(stepped, late.lay(mask, 0, refine=False))


def test_nothing_moves_in_a_still_picture() -> None:
    follower, mask = MaskFollower(), _grid(SCENE.mask("disc", 0.0))
    for k in range(5):
        follower.see(_frame(k, SCENE.image(0.0)))
    np.testing.assert_array_equal(follower.lay(mask, 0, refine=False), mask)


def test_a_mask_does_not_outlive_a_cut_or_the_memory() -> None:
    follower, mask = MaskFollower(), _grid(SCENE.mask("disc", 0.0))
    other = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8).repeat(40, 0).repeat(40, 1)
    follower.see(_frame(0))
    follower.see(_frame(1, other))
    assert follower.lay(mask, 0) is None
    assert follower.lay(mask, 1, refine=False) is not None
    for k in range(2, MEMORY + 4):
        follower.see(_frame(k, other))
    assert follower.lay(mask, 1) is None
    assert follower.lay(mask, MEMORY) is not None
    assert follower.lay(mask, MEMORY + 9) is None


def test_flow_knows_a_cut() -> None:
    other = np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)
    assert FlowField().between(_grey(0.0), other) is None
    assert FlowField().between(_grey(0.0), _grey(0.1)) is not None


def test_edges_are_drawn_to_those_of_the_picture() -> None:
    """A mask that is a little too large and blurred ends where the disc ends."""
    truth = SCENE.mask("disc", 0.0)
    rows, columns = np.nonzero(truth)
    blob = np.zeros((480, 640), np.bool_)
    blob[rows.min() - 6 : rows.max() + 6, columns.min() - 6 : columns.max() + 6] = True
    rough = _grid(blob, 48, 64)
    assert _iou(rough, _grid(truth, 48, 64)) < 0.75
    assert _iou(refined(rough, SCENE.image(0.0)), _grid(truth, 240, 320)) > 0.9


def test_a_flat_picture_has_no_edges_to_draw_to() -> None:
    flat = np.full((480, 640, 3), 90, np.uint8)
    mask = _grid(SCENE.mask("square", 0.0))
    assert _iou(refined(mask, flat), _grid(SCENE.mask("square", 0.0), 240, 320)) > 0.85
    assert refined(np.full((96, 128), 255, np.uint8), flat).min() >= 254
    assert refined(np.zeros((96, 128), np.uint8), flat).max() == 0


def test_smoothing_has_its_time_constant() -> None:
    smooth, grey = MaskSmoother(), _grey(0.0)
    off, on = np.zeros((96, 128), np.uint8), np.full((96, 128), 255, np.uint8)
    smooth(off, grey, 0.0, 0.2)
    assert smooth(on, grey, 0.2, 0.2).mean() == pytest.approx(255 * (1 - np.exp(-1)), abs=1)
    assert smooth(on, grey, 0.4, 0.2).mean() == pytest.approx(255 * (1 - np.exp(-2)), abs=1)


def test_smoothing_does_not_depend_on_the_rate() -> None:
    grey = _grey(0.0)
    off, on = np.zeros((96, 128), np.uint8), np.full((96, 128), 255, np.uint8)
    levels = []
    for count in (2, 12):
        smooth = MaskSmoother()
        smooth(off, grey, 0.0, 0.3)
        levels.append([smooth(on, grey, (k + 1) * 0.6 / count, 0.3) for k in range(count)][-1].mean())
    assert levels[0] == pytest.approx(levels[1], abs=4)


def test_smoothing_follows_the_motion_and_can_be_off() -> None:
    smooth, truths = MaskSmoother(), []
    for k in range(12):
        moment = k * 0.1
        truths.append(_grid(SCENE.mask("disc", moment)))
        smoothed = smooth(truths[-1], _grey(moment), moment, 0.2)
    unmoved = np.average(truths, axis=0, weights=np.exp(np.arange(12) * 0.1 / 0.2))
    assert _iou(smoothed, truths[-1]) > 0.9
    assert _iou(smoothed, truths[-1]) > _iou(unmoved.astype(np.uint8), truths[-1])
    raw = np.full((96, 128), 9, np.uint8)
    np.testing.assert_array_equal(MaskSmoother()(raw, _grey(0.0), 0.0, 0.0), raw)


def test_smoothing_starts_anew_after_a_cut() -> None:
    smooth, other = MaskSmoother(), np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)
    smooth(np.full((96, 128), 255, np.uint8), _grey(0.0), 0.0, 10.0)
    assert smooth(np.zeros((96, 128), np.uint8), other, 0.1, 10.0).max() == 0
