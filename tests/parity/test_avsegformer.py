"""AVSegFormer against what the published V1 and V2 answer for the same weights and inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from avseg_core.models.checkpoints import ImportReport, load_released, to_released
from avseg_core.models.output import AVSOutput

TOLERANCE = 1e-4
StateDict = dict[str, Tensor]


class Answer(NamedTuple):
    generation: str
    state: StateDict
    model: Any
    report: ImportReport
    output: AVSOutput
    expected: dict[str, np.ndarray]


@pytest.fixture(scope="module", params=["v1", "v2"])
def answer(
    request: pytest.FixtureRequest,
    released_state: Callable[..., StateDict],
    recorded: Callable[[str], dict[str, np.ndarray]],
    avsegformer_inputs: tuple[Tensor, Tensor],
) -> Answer:
    layout = f"avsegformer_{request.param}_s4_r50"
    state = released_state(layout)
    model, report = load_released({f"module.{key}": tensor for key, tensor in state.items()})
    typed: Any = model
    typed.return_intermediate = True
    with torch.no_grad():
        output = typed(*avsegformer_inputs)
    return Answer(request.param, state, typed, report, output, recorded(layout))


def test_everything_that_was_recorded(answer: Answer, avsegformer_inputs: tuple[Tensor, Tensor]) -> None:
    output = answer.output
    assert output.mask_feature is not None
    found = {
        "logits_every_8th": output.logits[:, :, ::8, ::8],
        "mask_feature_every_4th": output.mask_feature[:, ::8, ::4, ::4],
        "audio_embedding": answer.model.embed_audio(avsegformer_inputs[1]),
        "logits_mean_std": torch.stack([output.logits.mean(), output.logits.std()]),
    }
    found |= {f"intermediate_{i}_every_8th": mask[:, :, ::8, ::8] for i, mask in enumerate(output.intermediate_logits)}
    assert len(output.intermediate_logits) == (6 if answer.generation == "v1" else 0)
    for name, expected in answer.expected.items():
        assert found[name].shape == expected.shape
        assert (found[name] - torch.from_numpy(expected)).abs().max() < TOLERANCE, name


def test_report_names_what_was_dropped(answer: Answer) -> None:
    dropped = {"second ResNet branch": 174} | (
        {"mask reformer, unused since V2": 11} if answer.generation == "v2" else {}
    )
    assert answer.report.layout == f"AVSegFormer {answer.generation.upper()}, ResNet-50, 1 class"
    assert answer.report.dropped == dropped
    assert not answer.report.audio_missing
    assert answer.report.config.image_size == ((512, 512) if answer.generation == "v2" else (224, 224))


def test_a_batch_of_one_frame_gives_the_same(answer: Answer, avsegformer_inputs: tuple[Tensor, Tensor]) -> None:
    frames, logmel = avsegformer_inputs
    with torch.no_grad():
        alone = answer.model(frames[1:], logmel[1:])
    assert (alone.logits - answer.output.logits[1:]).abs().max() < TOLERANCE


def test_71_classes_answer_as_their_weights_say(answer: Answer, avsegformer_inputs: tuple[Tensor, Tensor]) -> None:
    factors = torch.linspace(-1, 1, 71).view(71, 1, 1, 1)
    state = {**answer.state, "head.fc.4.weight": factors * answer.state["head.fc.4.weight"]}
    if answer.generation == "v1":
        state["head.attn_fc.4.weight"] = factors * state["head.attn_fc.4.weight"]
    model, report = load_released(state)
    with torch.no_grad():
        logits = model(avsegformer_inputs[0][:1], avsegformer_inputs[1][:1]).logits
    assert report.layout.endswith("71 classes")
    assert report.config.image_size == (224, 224)
    assert (logits - factors.view(1, 71, 1, 1) * answer.output.logits[:1]).abs().max() < TOLERANCE


def test_export_and_import_again_keep_every_live_weight(answer: Answer) -> None:
    exported = to_released(answer.model)
    assert {key: tensor.shape for key, tensor in exported.items()} == {
        key: tensor.shape for key, tensor in answer.state.items()
    }
    again, _ = load_released(exported)
    for key, tensor in answer.model.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor), key
