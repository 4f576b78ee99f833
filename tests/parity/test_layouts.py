"""Every published layout is recognised, taken over completely and written back with the same keys and shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from avseg_core.cli import main
from avseg_core.errors import InputError
from avseg_core.models import checkpoints
from avseg_core.models.checkpoints import load_released, to_released
from avseg_core.models.registry import build_model
from avseg_core.presets import lite_model_config

StateDict = dict[str, Tensor]


@pytest.mark.parametrize("classes", [1, 71])
def test_layout_is_recognised_and_written_back(
    layout: str, classes: int, hollow_state: Callable[..., StateDict]
) -> None:
    state = hollow_state(layout, classes)
    model, report = load_released(state)
    family, generation = ("TPAVI", "") if layout.startswith("tpavi") else ("AVSegFormer", layout.split("_")[1].upper())
    net = "PVTv2-B5" if layout.endswith("pvt") else "ResNet-50"
    assert family in report.layout
    assert generation in report.layout
    assert f"{net}, {classes} class" in report.layout
    assert report.config.num_classes == classes
    assert {key: tensor.shape for key, tensor in to_released(model).items()} == {k: t.shape for k, t in state.items()}


def test_export_model_writes_what_the_authors_code_loads(
    hollow_state: Callable[..., StateDict],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = hollow_state("avsegformer_v1_s4_pvt", 71)
    monkeypatch.setattr(checkpoints, "load_model", lambda name: load_released(state)[0])
    out = tmp_path / "new" / "AVSS.pth"
    assert main(["export-model", "avss", "--out", str(out)]) == 0
    assert f"{len(state)} tensors as published" in capsys.readouterr().out
    written = torch.load(out, weights_only=True)
    assert {key: tensor.shape for key, tensor in written.items()} == {key: t.shape for key, t in state.items()}
    assert [path.name for path in out.parent.iterdir()] == ["AVSS.pth"]
    own = build_model(lite_model_config())
    monkeypatch.setattr(checkpoints, "load_model", lambda name: own)
    assert main(["export-model", "lite", "--out", str(out)]) == 2
    assert "Only AVSegFormer V1, V2 and TPAVI" in capsys.readouterr().err


def test_missing_left_over_and_misshapen_tensors_are_all_named(
    layout: str, hollow_state: Callable[..., StateDict]
) -> None:
    state = hollow_state(layout)
    norm = next(key for key in state if key.endswith("norm2.weight") or key.endswith("bn2.weight"))
    del state[norm]
    state["head.extra.weight"] = state["head.extra.bias"] = next(iter(state.values()))
    live = "audio_proj.bias" if "audio_proj.bias" in state else "conv1.conv2d_list.0.bias"
    state[live] = state[live][:100]
    with pytest.raises(InputError) as failure:
        load_released(state)
    message = str(failure.value)
    assert "\n" not in message
    for part in (
        f"missing {norm}",
        "left over head.extra.weight",
        "left over head.extra.bias",
        f"{live} has shape (100,)",
    ):
        assert part in message


def test_packed_rows_and_single_numbers_are_not_taken_for_weights(hollow_state: Callable[..., StateDict]) -> None:
    state = hollow_state("avsegformer_v2_s4_r50")
    packed, single = (
        "head.transformer.decoder.layers.0.self_attn.in_proj_weight",
        "head.transformer.decoder.layers.0.norm1.bias",
    )
    state[packed], state[single] = state[packed].new_empty(1000, 256), state[single].new_empty(())
    with pytest.raises(InputError) as failure:
        load_released(state)
    assert f"{packed} has shape (1000, 256)" in str(failure.value)
    assert f"{single} has shape ()" in str(failure.value)
    state["head.fc.4.weight"] = state[single]
    with pytest.raises(InputError, match="num_classes must be at least 1"):
        load_released(state)


def test_dead_tensors_may_be_absent(hollow_state: Callable[..., StateDict]) -> None:
    state = hollow_state("avsegformer_v2_s4_r50")
    live = {key: tensor for key, tensor in state.items() if "_2." not in key and not key.startswith("head.fpn.")}
    _, report = load_released(live)
    assert report.dropped == {"mask reformer, unused since V2": 5}


def test_another_model_is_refused(hollow_state: Callable[..., StateDict]) -> None:
    state = {k: t for k, t in hollow_state("avsegformer_v2_s4_r50").items() if k.startswith("backbone.")}
    with pytest.raises(InputError, match="not a checkpoint of AVSegFormer"):
        load_released(state)
