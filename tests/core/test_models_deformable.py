"""Deformable attention: its two ways of sampling agree, and they are bilinear with zeros outside."""

import math

import pytest
import torch
from torch import Tensor

from avseg_core.models import deformable
from avseg_core.models.deformable import DeformableAttention
from avseg_core.models.encoder import pixel_centers, sine_position

SHAPES = [(6, 8), (3, 4), (2, 2)]
TOKENS = sum(height * width for height, width in SHAPES)


def sampling_inputs(spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """Values, places around and outside the maps, and weights."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, TOKENS, 4, 8, generator=generator)
    places = torch.randn(2, TOKENS, 4, 3, 5, 2, generator=generator) * spread + 2
    weights = torch.rand(2, TOKENS, 4, 3, 5, generator=generator)
    return values, places, weights


@pytest.mark.parametrize("spread", [0.5, 3.0, 1000.0])
def test_gathering_equals_grid_sample(spread: float) -> None:
    arguments = sampling_inputs(spread)
    gathered = deformable._gather(*arguments, SHAPES)
    torch.testing.assert_close(gathered, deformable._grid_sample(*arguments, SHAPES), rtol=0, atol=2e-5)


def test_gathering_survives_places_that_are_no_numbers() -> None:
    values, places, weights = sampling_inputs(1.0)
    places[0, 0], places[0, 1] = math.inf, math.nan
    assert deformable._gather(values, places, weights, SHAPES)[1].isfinite().all()


def test_what_lies_far_outside_adds_nothing() -> None:
    values, places, weights = sampling_inputs(1.0)
    for far in (1e4, -1e4, 1e30, -1e30, math.inf, -math.inf):
        for axis in (0, 1):
            outside = places.clone()
            outside[..., axis] = far
            assert deformable._gather(values, outside, weights, SHAPES).abs().max() == 0


def test_a_batch_is_gathered_as_its_parts_are() -> None:
    arguments = sampling_inputs(3.0)
    together = deformable._gather(*arguments, SHAPES)
    apart = torch.cat([deformable._gather(*(part[n : n + 1] for part in arguments), SHAPES) for n in range(2)])
    assert torch.equal(together, apart)


@pytest.mark.parametrize("sample", [deformable._gather, deformable._grid_sample])
def test_samples_are_bilinear_between_pixel_centres(sample: object) -> None:
    values = torch.arange(4.0).view(1, 4, 1, 1)  # a 2x2 map: 0 1 / 2 3
    places = torch.tensor([[0.5, 0.5], [1.5, 1.5], [1.0, 1.0], [0.5, 1.0]]).view(1, 4, 1, 1, 1, 2)
    found = sample(values, places, torch.ones(1, 4, 1, 1, 1), [(2, 2)])  # type: ignore[operator]
    assert found.flatten().tolist() == pytest.approx([0.0, 3.0, 1.5, 1.0])


def test_training_and_inference_agree() -> None:
    torch.manual_seed(0)
    attention = DeformableAttention(32, 4, 4)
    torch.nn.init.normal_(attention.sampling_offsets.weight, std=0.3)
    torch.nn.init.normal_(attention.attention_weights.weight, std=0.3)
    tokens = torch.randn(2, TOKENS, 32)
    references = torch.cat([pixel_centers(*shape, tokens.device) for shape in SHAPES])
    trained = attention(tokens, references, tokens, SHAPES)
    with torch.no_grad():
        inferred = attention(tokens, references, tokens, SHAPES)
    assert trained.requires_grad
    torch.testing.assert_close(trained, inferred, rtol=0, atol=1e-5)


def test_heads_start_out_looking_in_eight_directions() -> None:
    bias = DeformableAttention(32, 8, 4).sampling_offsets.bias.view(8, 3, 4, 2)
    assert torch.allclose(bias[0, 0], torch.tensor([[1.0, 0], [2, 0], [3, 0], [4, 0]]), atol=1e-6)
    assert torch.allclose(bias[1, 2], torch.tensor([[1.0, 1], [2, 2], [3, 3], [4, 4]]), atol=1e-5)


def test_pixel_centres_and_position_code() -> None:
    centres = pixel_centers(2, 4, torch.device("cpu"))
    assert centres[0].tolist() == [0.125, 0.25]
    assert centres[-1].tolist() == [0.875, 0.75]
    code = sine_position(2, 4, 8, torch.device("cpu"))
    assert code.shape == (8, 8)
    assert code[5].tolist() == pytest.approx(
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)] * 2  # row 2 and column 2, counted from 1
    )
