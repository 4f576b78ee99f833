"""Boxes tell where what is heard was found, where its kin, and where something else, and name things as wholes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.detections import Detections, cover, paint, whole
from avseg_core.models.detector import BOX_VALUES, COCO_CLASSES
from avseg_core.models.kinship import Kinship
from avseg_core.models.label_bridge import PERSON, THINGS, detector_matrix

GOAT, OX, ROBIN, TRUMPET, BEAGLE = 350, 345, 15, 513, 162


def heard(**strength: float) -> torch.Tensor:
    weights = torch.zeros(1, THINGS)
    for name, value in strength.items():
        weights[0, globals()[name.upper()]] = value
    return weights


def scores(*boxes: dict[str, float]) -> torch.Tensor:
    rows = torch.zeros(1, len(boxes), len(COCO_CLASSES))
    for row, named in enumerate(boxes):
        for name, value in named.items():
            rows[0, row, COCO_CLASSES.index(name)] = value
    return rows


def test_the_detectors_names_meet_the_things() -> None:
    matrix = detector_matrix()
    assert matrix.shape == (len(COCO_CLASSES), THINGS)
    for name, thing in (("person", PERSON), ("dog", BEAGLE), ("cow", OX), ("bird", ROBIN)):
        assert matrix[:, thing].argmax() == COCO_CLASSES.index(name)
        assert matrix[COCO_CLASSES.index(name), thing] == 1.0
    assert 0 < matrix[COCO_CLASSES.index("sheep"), GOAT] < 1  # it knows no goats
    assert not matrix[:, TRUMPET].any()


def test_the_heard_its_kin_and_others_are_told_apart() -> None:
    judge, akin = Detections(32).judge, Kinship(32).akin
    found = scores({"cow": 0.6, "horse": 0.2}, {"bird": 0.7}, {"sheep": 0.5}, {"chair": 0.4})
    sound = heard(ox=0.5)
    fits, kin, other = judge(found, sound, akin(sound))[0]
    assert fits.tolist() == pytest.approx([0.3, 0.0, 0.0, 0.0], abs=1e-6)
    assert kin.tolist() == pytest.approx([0.4, 0.0, 0.25, 0.0], abs=1e-6)
    assert other.tolist() == pytest.approx([0.0, 0.7, 0.0, 0.4], abs=1e-6)
    sound = heard(trumpet=0.9)  # no name of the detector's: whatever it finds is something else
    fits, kin, other = judge(found, sound, akin(sound))[0]
    assert not fits.any()
    assert other.tolist() == pytest.approx([0.6, 0.7, 0.5, 0.4], abs=1e-6)


def boxes(*corners: tuple[float, float, float, float]) -> torch.Tensor:
    rows = torch.zeros(1, len(corners), BOX_VALUES)
    rows[0, :, :4] = torch.tensor(corners)
    return rows


def test_boxes_cover_cells_by_their_share() -> None:
    covered = cover(boxes((0.25, 0.0, 0.75, 0.75), (-0.5, 0.5, 0.25, 1.5), (1.2, 0.0, 1.5, 1.0)), (2, 4))[0]
    assert covered[0].tolist() == [[0.0, 1.0, 1.0, 0.0], [0.0, 0.5, 0.5, 0.0]]
    assert covered[1].tolist() == [[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
    assert not covered[2].any()  # beside the picture


def test_the_best_box_counts_and_gives_its_mean_to_all_of_itself() -> None:
    covered = cover(boxes((0.0, 0.0, 1.0, 0.5), (0.0, 0.0, 0.5, 1.0)), (2, 2))
    painted = paint(covered, torch.tensor([[[0.3, 0.8]]]))
    assert painted[0, 0].flatten().tolist() == pytest.approx([0.8, 0.3, 0.8, 0.0])
    part = torch.tensor([[[[0.6, 0.0], [0.0, 0.0]]]])  # only a corner of the thing was named
    assert whole(covered, part)[0, 0].flatten().tolist() == pytest.approx([0.3, 0.3, 0.3, 0.0])


def test_needs_kinship() -> None:
    with pytest.raises(InputError, match="label_kinship"):
        replace(ModelConfig(), label_detector=True).check()
