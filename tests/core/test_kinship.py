"""What is akin to the heard counts, too, and what surely is something else is told apart from nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.kinship import Kinship
from avseg_core.models.label_bridge import PERSON, THINGS, family_matrix

GOAT, OX, ROBIN, TRUMPET, TEAPOT = 350, 345, 15, 513, 849
SUIT = 834


@pytest.fixture
def kinship() -> Kinship:
    return Kinship(32).eval()


def weights(**strength: float) -> torch.Tensor:
    heard = torch.zeros(1, THINGS)
    for name, value in strength.items():
        heard[0, globals()[name.upper()]] = value
    return heard


def test_no_thing_is_of_two_families() -> None:
    families = family_matrix()
    assert families.sum(axis=0).max() == 1
    assert families[:, PERSON].argmax() == families[:, SUIT].argmax()
    assert families[:, GOAT].argmax() != families[:, ROBIN].argmax()
    assert not families[:, TEAPOT].any()


def test_all_of_the_family_is_meant_as_strongly(kinship: Kinship) -> None:
    akin = kinship.akin(weights(goat=0.8, teapot=0.3))[0]
    assert akin[[GOAT, OX, ROBIN, TRUMPET, TEAPOT]].tolist() == pytest.approx([0.8, 0.8, 0.0, 0.0, 0.3])
    assert not kinship.akin(weights()).any()


def test_kin_something_else_and_nothing_are_told_apart(kinship: Kinship) -> None:
    things = torch.zeros(1, THINGS, 1, 3)
    things[0, OX, 0, 0] = 0.9
    things[0, TRUMPET, 0, 1] = 0.7
    akin, other = kinship.locate(things, weights(goat=0.5))[0, :, 0]
    assert akin.tolist() == pytest.approx([0.45, 0.0, 0.0])
    assert other.tolist() == pytest.approx([0.0, 0.7, 0.0])
    akin, other = kinship.locate(things, weights())[0, :, 0]  # nothing is heard: everything is something else
    assert akin.tolist() == [0.0, 0.0, 0.0]
    assert other.tolist() == pytest.approx([0.9, 0.7, 0.0])


def test_needs_grouping() -> None:
    with pytest.raises(InputError, match="label_grouping"):
        replace(ModelConfig(), label_kinship=True).check()
