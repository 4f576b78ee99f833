"""What adds maps to a model changes nothing until it is trained: weights of before go on as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.checkpoints import load_model
from avseg_core.models.label_bridge import AddedMaps
from avseg_core.models.registry import build_model

SETTINGS = ("label_grouping", "label_kinship", "label_detector")
"""Each needs those before it."""


@torch.no_grad()
@pytest.mark.parametrize(
    ("count", "box", "boxes"),
    [(0, "grouping", {"grouping"}), (1, "kinship", {"kinship"}), (2, "detections", {"detector", "detections"})],
)
def test_a_model_with_new_maps_answers_as_before_until_they_are_trained(count: int, box: str, boxes: set[str]) -> None:
    shipped = load_model("avsegformer-lite")
    assert isinstance(shipped, AVSegFormer)
    settings = {name: number < count for number, name in enumerate(SETTINGS)}
    without, having = (
        build_model(replace(shipped.config, **settings | {SETTINGS[count]: on})).eval() for on in (False, True)
    )
    without.load_state_dict(shipped.state_dict(), strict=False)
    missing = having.load_state_dict(without.state_dict(), strict=False).missing_keys
    assert {name.split(".")[0] for name in missing} == boxes
    generator = torch.Generator().manual_seed(3)
    frames, logmel = torch.randn(1, 3, 64, 96, generator=generator), torch.randn(1, 1, 96, 64, generator=generator)
    expected = without(frames, logmel).logits
    assert torch.allclose(having(frames, logmel).logits, expected, atol=1e-4)
    added = having.get_submodule(box)
    assert isinstance(added, AddedMaps)
    torch.nn.init.ones_(added.to_memory.weight)
    assert not torch.allclose(having(frames, logmel).logits, expected, atol=1e-2)
