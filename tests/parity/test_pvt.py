"""PVTv2-B5 against a direct restatement of its definition on tensors named as its authors name them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from avseg_core.config import ModelConfig
from avseg_core.models.backbones import BACKBONES
from avseg_core.models.released import PVT_RULES, rename
from avseg_core.models.weights import load_backbone_weights

StateDict = dict[str, Tensor]
HEADS, REDUCTIONS, DEPTHS = (1, 2, 5, 8), (8, 4, 2, 1), (3, 6, 40, 3)


def norm(x: Tensor, state: StateDict, name: str, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)


def linear(x: Tensor, state: StateDict, name: str) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def attention(x: Tensor, size: tuple[int, int], state: StateDict, name: str, heads: int, reduction: int) -> Tensor:
    """Multi-head attention whose keys and values come from a map that is `reduction` times smaller."""
    width = x.shape[-1] // heads
    small = x
    if reduction > 1:
        maps = x.transpose(1, 2).unflatten(-1, size)
        maps = F.conv2d(maps, state[f"{name}.sr.weight"], state[f"{name}.sr.bias"], stride=reduction)
        small = norm(maps.flatten(2).transpose(1, 2), state, f"{name}.norm", 1e-5)
    q, kv = linear(x, state, f"{name}.q"), linear(small, state, f"{name}.kv")
    parts = []
    for head in range(heads):
        rows = slice(head * width, (head + 1) * width)
        key, value = kv[..., : heads * width][..., rows], kv[..., heads * width :][..., rows]
        parts.append((q[..., rows] @ key.transpose(1, 2) * width**-0.5).softmax(-1) @ value)
    return linear(torch.cat(parts, dim=-1), state, f"{name}.proj")


def mlp(x: Tensor, size: tuple[int, int], state: StateDict, name: str) -> Tensor:
    maps = linear(x, state, f"{name}.fc1").transpose(1, 2).unflatten(-1, size)
    depthwise = f"{name}.dwconv.dwconv"
    maps = F.conv2d(maps, state[f"{depthwise}.weight"], state[f"{depthwise}.bias"], padding=1, groups=maps.shape[1])
    return linear(F.gelu(maps.flatten(2).transpose(1, 2)), state, f"{name}.fc2")


def pvt_v2_b5(frames: Tensor, state: StateDict) -> list[Tensor]:
    maps, outputs = frames, []
    for stage in range(4):
        embed = f"patch_embed{stage + 1}"
        weight, bias = state[f"{embed}.proj.weight"], state[f"{embed}.proj.bias"]
        maps = F.conv2d(maps, weight, bias, stride=4 if stage == 0 else 2, padding=weight.shape[-1] // 2)
        size = (maps.shape[-2], maps.shape[-1])
        x = norm(maps.flatten(2).transpose(1, 2), state, f"{embed}.norm", 1e-5)
        for index in range(DEPTHS[stage]):
            block = f"block{stage + 1}.{index}"
            inner = norm(x, state, f"{block}.norm1", 1e-6)
            x = x + attention(inner, size, state, f"{block}.attn", HEADS[stage], REDUCTIONS[stage])
            x = x + mlp(norm(x, state, f"{block}.norm2", 1e-6), size, state, f"{block}.mlp")
        maps = norm(x, state, f"norm{stage + 1}", 1e-6).transpose(1, 2).unflatten(-1, size)
        outputs.append(maps)
    return outputs


def test_backbone_is_pvt_v2_b5_as_defined(released_state: Callable[..., StateDict]) -> None:
    loaded = released_state("avsegformer_v2_s4_pvt", prefix="backbone.")
    state = {key.removeprefix("backbone."): tensor for key, tensor in loaded.items()}
    with torch.device("meta"):
        backbone: Any = BACKBONES["pvt_v2_b5"](ModelConfig()).eval()
    names = {key: rename(PVT_RULES, key) for key in backbone.body.state_dict()}
    assert sorted(names.values()) == sorted(state)
    backbone.body.load_state_dict({key: state[name] for key, name in names.items()}, assign=True)
    frames = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, expected = backbone(frames), pvt_v2_b5(frames, state)
    assert [tuple(maps.shape[1:]) for maps in found] == [(64, 16, 24), (128, 8, 12), (320, 4, 6), (512, 2, 3)]
    for ours, direct in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, direct, rtol=0, atol=1e-4)


def test_imagenet_weights_as_the_authors_publish_them(hollow_state: Callable[..., StateDict], tmp_path: Path) -> None:
    whole = {key: tensor.shape for key, tensor in hollow_state("avsegformer_v2_s4_pvt").items() if "backbone." in key}
    published = {key.removeprefix("backbone."): torch.tensor(0.5).expand(shape) for key, shape in whole.items()}
    torch.save({**published, "head.weight": torch.zeros(2)}, tmp_path / "pvt_v2_b5.pth")
    model: Any = torch.nn.Module()
    model.backbone = BACKBONES["pvt_v2_b5"](ModelConfig())
    load_backbone_weights(model, tmp_path / "pvt_v2_b5.pth")
    assert all(parameter.unique().tolist() == [0.5] for parameter in model.backbone.parameters())
