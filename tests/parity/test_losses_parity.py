"""The losses against what the released V1 and V2 code answers for the same inputs (weights 1 and 0.1)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from avseg_core.config import LossConfig
from avseg_core.data.sample import AVSBatch
from avseg_core.losses import compute_loss
from avseg_core.models.output import AVSOutput
from avseg_core.presets import train_preset

PUBLISHED = json.loads((Path(__file__).parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))
CLIPS = 2


def loss_inputs(seed: int = 5) -> dict:
    g = np.random.Generator(np.random.PCG64(seed))

    def normal(*shape: int) -> Tensor:
        return torch.from_numpy(g.standard_normal(shape).astype(np.float32))

    inputs = {"pred5": normal(CLIPS * 5, 1, 32, 32), "mask_feature5": normal(CLIPS * 5, 256, 8, 8).abs()}
    inputs["target5"] = (normal(CLIPS * 5, 1, 32, 32) > 0.5).float()
    inputs["target_first"] = (normal(CLIPS, 1, 32, 32) > 0.5).float()
    inputs["pred10"] = normal(CLIPS * 10, 71, 16, 16)
    inputs["mask_feature10"] = normal(CLIPS * 10, 256, 4, 4).abs()
    inputs["labels10"] = torch.from_numpy(g.integers(0, 71, (CLIPS * 10, 16, 16)))
    inputs["target_flag10"] = torch.tensor([1.0] * 5 + [0.0] * 5 + [1.0] * 10)
    inputs["intermediate5"] = [normal(CLIPS * 5, 1, 32, 32) for _ in range(6)]
    inputs["intermediate10"] = [normal(CLIPS * 10, 71, 16, 16) for _ in range(6)]
    return inputs


def batch_of(labels: Tensor, has_label: Tensor) -> AVSBatch:
    n, height, width = labels.shape
    return AVSBatch(
        clip_ids=tuple(str(k) for k in range(CLIPS)),
        frames=torch.zeros(n, 3, height, width),
        logmel=torch.zeros(n, 1, 96, 64),
        labels=labels,
        has_label=has_label,
        is_frame=torch.ones(n, dtype=torch.bool),
        frames_per_clip=n // CLIPS,
    )


def case(task: str) -> tuple[AVSOutput, AVSBatch]:
    x = loss_inputs()
    if task == "avss":
        output = AVSOutput(x["pred10"], x["mask_feature10"], intermediate_logits=x["intermediate10"])
        return output, batch_of(x["labels10"], x["target_flag10"].bool())
    output = AVSOutput(x["pred5"], x["mask_feature5"], intermediate_logits=x["intermediate5"])
    if task == "ms3":
        return output, batch_of(x["target5"][:, 0].long(), torch.ones(10, dtype=torch.bool))
    labels, first = torch.zeros(10, 32, 32, dtype=torch.int64), torch.zeros(10, dtype=torch.bool)
    labels[::5], first[::5] = x["target_first"][:, 0].long(), True
    return output, batch_of(labels, first)


@pytest.mark.parametrize("generation", ["v1", "v2"])
@pytest.mark.parametrize("task", ["s4", "ms3", "avss"])
def test_total_loss_is_the_released_one(generation, task):
    config = train_preset(generation, task).loss
    report = compute_loss(*case(task), config)
    assert report.total.item() == pytest.approx(PUBLISHED[f"{generation}_{task}"], abs=1e-5)
    assert sum(part.item() for part in report.parts.values()) == pytest.approx(report.total.item(), abs=1e-6)


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_presets_leave_the_silence_term_off(generation):
    assert train_preset(generation, "ms3").loss.empty_mask_weight == LossConfig().empty_mask_weight == 0.0
