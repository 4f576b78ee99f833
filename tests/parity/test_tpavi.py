"""The AVSBench baseline against what the published code answers, and its attention against the plain one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avseg_core.models.checkpoints import load_released, to_released
from avseg_core.models.tpavi import AudioVisualInteraction

StateDict = dict[str, Tensor]


def test_logits(
    released_state: Callable[..., StateDict],
    recorded: Callable[[str], dict[str, np.ndarray]],
    tpavi_inputs: tuple[Tensor, Tensor],
) -> None:
    state = released_state("tpavi_s4_r50")
    loaded, report = load_released({"state_dict": state})
    model: Any = loaded
    frames, embedding = tpavi_inputs
    with torch.no_grad():
        output = model.segment_embedding(model.encode_visual(frames), embedding)
    expected = torch.from_numpy(recorded("tpavi_s4_r50")["logits_every_8th"])
    assert (output.logits[:, :, ::8, ::8] - expected).abs().max() < 1e-4
    assert model.clip_length == 5
    assert report.layout == "AVSBench TPAVI, ResNet-50, 1 class"
    assert report.dropped == {"second ResNet branch": 174, "skip unit of the coarsest stage": 4}
    assert report.audio_missing
    exported = to_released(model)
    assert {key: tensor.shape for key, tensor in exported.items()} == {k: t.shape for k, t in state.items()}
    again, _ = load_released(exported)
    ours = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith("audio_encoder.")}
    assert all(torch.equal(again.state_dict()[key], tensor) for key, tensor in ours.items())


def test_factorised_attention_is_the_full_one() -> None:
    torch.manual_seed(0)
    mix = AudioVisualInteraction(16, 8).eval()
    torch.nn.init.normal_(mix.norm_z.weight)
    maps, audio = torch.randn(6, 16, 3, 5), torch.randn(6, 8)
    with torch.no_grad():
        found, sound = mix(maps, audio, 3)
        pixels = maps.flatten(2).transpose(1, 2).reshape(2, 3 * 15, 16)  # [B,T*h*w,D]
        tiled = sound[:, None].expand(-1, 15, -1).reshape(2, 3 * 15, 16)
        attention = mix.theta(pixels) @ mix.phi(tiled).transpose(1, 2) / (3 * 15)  # [B,THW,THW]
        w = mix.w_z(attention @ mix.g(pixels))
        expected = mix.norm_layer(mix.norm_z(w.flatten(0, 1)).view_as(pixels) + pixels)
    torch.testing.assert_close(found.flatten(2).transpose(1, 2).reshape(2, 45, 16), expected, rtol=0, atol=1e-5)
