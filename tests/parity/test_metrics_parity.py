"""Metrics equal what the published scripts answer for the recorded inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.metrics import make_meter

PUBLISHED = {
    "binary_miou": 0.26860368251800537,
    "binary_fscore": 0.3254494071006775,
    "semantic_miou": 0.010177849791944027,
    "semantic_fscore": 0.01762210950255394,
}


@pytest.fixture(scope="module")
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits and masks [6,48,64] and class logits [6,71,24,32] with labels, as behind the recorded values."""
    generator = np.random.Generator(np.random.PCG64(11))
    logits = torch.from_numpy((generator.standard_normal((6, 48, 64)) * 2).astype(np.float32))
    target = torch.from_numpy((generator.random((6, 48, 64)) > 0.7).astype(np.int64))
    target[1] = 0
    target[5, :, :32] = 0
    logits[5, :, 32:] += 2
    class_logits = torch.from_numpy(generator.standard_normal((6, 71, 24, 32)).astype(np.float32))
    labels = torch.from_numpy(generator.integers(0, 71, (6, 24, 32)).astype(np.int64))
    labels[:, :12] = 0
    class_logits[:, 0, :12] += 1.5
    class_logits[2] = 0
    labels[2] = 0
    return logits, target, class_logits, labels


def test_binary_metrics_equal_the_published_scripts(inputs: tuple[torch.Tensor, ...]) -> None:
    logits, target, _, _ = inputs
    every = torch.ones(6, dtype=torch.bool)
    meter = make_meter(protocols=["avsbench"], batch_sizes=[1])
    meter.add(logits[:, None], target, every, every)
    (scores,) = meter.results()
    assert scores.values["miou"] == pytest.approx(PUBLISHED["binary_miou"], abs=1e-6)
    assert scores.values["fscore"] == pytest.approx(PUBLISHED["binary_fscore"], abs=1e-6)


def test_semantic_metrics_equal_the_published_scripts(inputs: tuple[torch.Tensor, ...]) -> None:
    _, _, logits, labels = inputs
    every = torch.ones(6, dtype=torch.bool)
    meter = make_meter(AVSS_CLASSES, ["avsbench"])
    meter.add(logits[:2], labels[:2], every[:2], every[:2])
    meter.add(logits[2:], labels[2:], every[2:], every[2:])
    (scores,) = meter.results()
    assert scores.values["miou"] == pytest.approx(PUBLISHED["semantic_miou"], abs=1e-7)
    assert scores.values["fscore"] == pytest.approx(PUBLISHED["semantic_fscore"], abs=1e-7)
