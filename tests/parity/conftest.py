"""What the parity tests share: the published layouts, deterministic weights and inputs, and the recorded answers."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

FIXTURES = Path(__file__).parent / "fixtures"
StateDict = dict[str, torch.Tensor]


def _tensor_for(key: str, shape: list[int]) -> torch.Tensor:
    """The value that the recorded answers assume under `key`, seeded by the key's own name."""
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(tuple(shape))
    if key.endswith("running_var"):
        value = 1 + 0.1 * np.abs(noise)
    elif key.endswith("running_mean"):
        value = 0.1 * noise
    elif len(shape) == 1:
        value = 1 + 0.1 * noise if key.endswith("weight") else 0.02 * noise
    else:
        value = noise / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


LAYOUTS = tuple(
    f"{model}_s4_{net}" for model in ("avsegformer_v1", "avsegformer_v2", "tpavi") for net in ("r50", "pvt")
)


def _shapes(layout: str, classes: int) -> dict[str, list[int]]:
    shapes: dict[str, list[int]] = json.loads((FIXTURES / f"keys_{layout}.json").read_text())
    for key in ("head.fc.4.weight", "head.attn_fc.4.weight", "output_conv.4.weight", "output_conv.4.bias"):
        if key in shapes:
            shapes[key][0] = classes
    return shapes


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    """Every published layout in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def released_state() -> Callable[..., StateDict]:
    """released_state("avsegformer_v2_s4_r50", prefix=""): the deterministic weights, all or those under a prefix."""

    def build(layout: str, prefix: str = "") -> StateDict:
        return {key: _tensor_for(key, shape) for key, shape in _shapes(layout, 1).items() if key.startswith(prefix)}

    return build


@pytest.fixture(scope="session")
def hollow_state() -> Callable[..., StateDict]:
    """hollow_state("avsegformer_v2_s4_r50", classes=71): the layout's keys and shapes without any numbers."""

    def build(layout: str, classes: int = 1) -> StateDict:
        shapes = _shapes(layout, classes)
        integer = {key: torch.int64 if key.endswith("num_batches_tracked") else torch.float32 for key in shapes}
        return {key: torch.empty(shape, dtype=integer[key], device="meta") for key, shape in shapes.items()}

    return build


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], dict[str, np.ndarray]]:
    """recorded("logmel"): the arrays that the published implementation answered."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(FIXTURES / f"{name}.npz") as archive:
            return {key: archive[key] for key in archive.files}

    return load


@pytest.fixture(scope="session")
def avsegformer_inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames [2,3,224,224] and log-mel [2,1,96,64] behind the recorded AVSegFormer answers."""
    generator = np.random.Generator(np.random.PCG64(20261122))
    frames = generator.standard_normal((2, 3, 224, 224)).astype(np.float32)
    logmel = (generator.standard_normal((2, 1, 96, 64)) * 1.5 - 3).astype(np.float32)
    return torch.from_numpy(frames), torch.from_numpy(logmel)


@pytest.fixture(scope="session")
def tpavi_inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames [5,3,224,224] and VGGish embeddings [5,128] behind the recorded TPAVI answer."""
    generator = np.random.Generator(np.random.PCG64(20261122))
    frames = generator.standard_normal((5, 3, 224, 224)).astype(np.float32)
    embedding = np.abs(generator.standard_normal((5, 128))).astype(np.float32)
    return torch.from_numpy(frames), torch.from_numpy(embedding)
