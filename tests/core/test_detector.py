"""The detector answers what the published network answers, and boxes are where things are."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from avseg_core.inference.fuse import prepare_for_inference
from avseg_core.inference.preprocess import normalise
from avseg_core.media import VideoReader
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.checkpoints import load_model
from avseg_core.models.detector import BOX_VALUES, BOXES, COCO_CLASSES, Detector

ANSWERS = Path(__file__).parents[1] / "parity" / "nanodet_answers.npz"
"""Of the published TensorFlow.js graph, run node by node: every 131st place's 80 scores and 4 x 11 logits."""
DEMO = Path(str(files("resources"))) / "demo" / "demo.mp4"


@pytest.fixture(scope="module")
def detector() -> Detector:
    model = load_model("avsegformer-lite")
    assert isinstance(model, AVSegFormer)
    assert model.detector is not None
    return model.detector


def test_there_are_the_eighty_names() -> None:
    assert len(COCO_CLASSES) == len(set(COCO_CLASSES)) == 80
    assert COCO_CLASSES.index("person") == 0
    assert COCO_CLASSES.index("toothbrush") == 79


@torch.no_grad()
def test_answers_are_those_of_the_published_network(detector: Detector) -> None:
    frame = np.random.default_rng(5).normal(size=(1, 3, 416, 416)).astype(np.float32)
    expected = np.load(ANSWERS)
    for answer, stride in zip(detector._answers(torch.from_numpy(frame)), (8, 16, 32), strict=True):
        assert answer.shape == (1, 124, 416 // stride, 416 // stride)
        rows = answer[0].flatten(1).T[::131]
        torch.testing.assert_close(rows[:, :80].sigmoid(), torch.from_numpy(expected[f"scores{stride}"]), **CLOSE)
        torch.testing.assert_close(rows[:, 80:], torch.from_numpy(expected[f"sides{stride}"]), **CLOSE)


CLOSE = {"atol": 2e-5, "rtol": 1e-4}


def test_the_surest_boxes_come_first_and_lie_where_their_things_do() -> None:
    """A network of one convolution that answers by hand: one sure place at stride 16."""
    detector = Detector()
    answer = torch.full((1, 124, 4, 6), -9.0)
    answer[0, COCO_CLASSES.index("cat"), 1, 3] = 2.0
    answer[0, COCO_CLASSES.index("dog"), 1, 4] = 1.0  # a neighbour of the better one
    for side, steps in enumerate((1, 0, 2, 1)):  # left, top, right, bottom in strides
        answer[0, 80 + 11 * side + steps, 1, 3] = 40.0
    empty = [torch.full((1, 124, 64 // stride, 96 // stride), -9.0) for stride in (8, 32)]
    detector._answers = lambda frames: [empty[0], answer, empty[1]]  # type: ignore[method-assign]
    boxes = detector(torch.zeros(1, 3, 64, 96))
    assert boxes.shape == (1, BOXES, BOX_VALUES)
    centre = np.array([3.5, 1.5]) * 16
    expected = [(centre[0] - 16) / 96, centre[1] / 64, (centre[0] + 32) / 96, (centre[1] + 16) / 64]
    assert boxes[0, 0, :4].tolist() == pytest.approx(expected, abs=1e-4)
    assert int(boxes[0, 0, 4:].argmax()) == COCO_CLASSES.index("cat")
    assert float(boxes[0, 0, 4:].max()) == pytest.approx(torch.tensor(2.0).sigmoid().item(), abs=1e-4)
    assert boxes[0, 1:, 4 + COCO_CLASSES.index("dog")].max() < 0.01  # the neighbour is no peak of its own


def test_it_finds_the_dog_and_the_hen_of_the_demo_clip(detector: Detector) -> None:
    corners = json.loads(DEMO.with_suffix(".json").read_text())["boxes"][4]
    with VideoReader(DEMO) as video:
        image = video.frame_at(4.0).image
    small = torch.from_numpy(cv2.resize(image, (480, 320), interpolation=cv2.INTER_AREA)).permute(2, 0, 1)
    found = detector(normalise(small[None]))[0]
    for row, (thing, name) in zip(found, (("hen", "bird"), ("dog", "dog")), strict=False):
        assert COCO_CLASSES[int(row[4:].argmax())] == name
        assert row[:4].tolist() == pytest.approx(corners[thing], abs=0.05)


@torch.no_grad()
def test_prepared_for_inference_it_answers_the_same(detector: Detector) -> None:
    frames = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(4))
    expected = detector(frames)
    ready = Detector()
    ready.load_state_dict(detector.state_dict())
    prepare_for_inference(ready, torch.device("cpu"))
    torch.testing.assert_close(ready(frames), expected, atol=1e-4, rtol=1e-3)


def test_the_smallest_frame_has_places_enough(detector: Detector) -> None:
    assert detector(torch.zeros(1, 3, 32, 32)).shape == (1, BOXES, BOX_VALUES)
