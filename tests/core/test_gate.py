"""No pixel is surer than the frame as a whole, with classes and without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avseg_core.config import TrainConfig
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.gate import Gate, close
from avseg_core.models.registry import build_model
from avseg_core.training.optim import set_trainable
from tests.segment_fixtures import small_model_config


def test_a_closed_gate_leaves_no_pixel_above_it() -> None:
    logits = torch.tensor([[[[3.0, -2.0]]], [[[3.0, -2.0]]]])
    assert close(logits, torch.tensor([1.0, -4.0])).flatten(1).tolist() == [[1.0, -2.0], [-4.0, -4.0]]
    classes = torch.tensor([[[[0.5]], [[2.5]], [[-1.0]]]])  # background, and two classes 2 above and 1.5 below it
    assert close(classes, torch.tensor([0.5])).flatten().tolist() == pytest.approx([0.5, 1.0, -1.0])
    shut = close(classes, torch.tensor([-1.0]))
    assert int(shut.argmax(dim=1)) == 0
    assert shut.flatten().tolist() == pytest.approx([0.5, -0.5, -1.0])


@torch.no_grad()
def test_a_single_sure_pixel_does_not_decide() -> None:
    gate = Gate(8)
    torch.nn.init.ones_(gate.decide.weight)
    torch.nn.init.zeros_(gate.hidden.weight)
    gate.hidden.weight.data[:, -1] = 1.0  # of all that it is given, only the surest place counts
    queries, logits = torch.zeros(1, 4, 8), torch.full((1, 1, 32, 32), -8.0)
    nothing = float(gate(queries, logits))
    logits[0, 0, 3, 3] = 8.0
    assert float(gate(queries, logits)) == pytest.approx(nothing)
    logits[0, 0, 16:, 16:] = 8.0
    assert float(gate(queries, logits)) > nothing + 1.0


@torch.no_grad()
@pytest.mark.parametrize("num_classes", [1, 3])
def test_a_model_with_a_new_gate_answers_as_before_until_it_is_trained(num_classes: int) -> None:
    torch.manual_seed(0)
    config = replace(small_model_config(), num_classes=num_classes)
    without, having = build_model(config).eval(), build_model(replace(config, gate=True)).eval()
    assert isinstance(having, AVSegFormer)
    missing = having.load_state_dict(without.state_dict(), strict=False).missing_keys
    assert {name.split(".")[0] for name in missing} == {"gate"}
    frames, logmel = torch.randn(2, 3, *config.image_size), torch.randn(2, 1, 96, 64)
    expected, answer = without(frames, logmel), having(frames, logmel)
    assert expected.gate is None
    torch.testing.assert_close(answer.logits, expected.logits)
    assert answer.gate is not None
    assert answer.gate.tolist() == pytest.approx([6.0, 6.0])
    assert having.gate is not None
    having.gate.decide.bias.fill_(-5.0)
    shut = having(frames, logmel).logits
    over = shut if num_classes == 1 else shut[:, 1:] - shut[:, :1]
    assert float(over.max()) <= -5.0 + 1e-4


def test_it_learns_with_the_rest() -> None:
    config = replace(small_model_config(), gate=True)
    model = build_model(config)
    set_trainable(model, TrainConfig(model=config), 0)
    assert isinstance(model, AVSegFormer)
    assert model.gate is not None
    assert all(parameter.requires_grad for parameter in model.gate.parameters())
