"""Reads the convolutions of a TensorFlow.js graph model, without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TYPES = {"float32": np.float32, "int32": np.int32}


def read_convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Kernel [out,in,h,w] and bias [out] of every convolution of the model, in the order in which it counts them."""
    model = json.loads(path.read_text())
    weights = _read_weights(path.parent, model["weightsManifest"])
    nodes = model["modelTopology"]["node"]
    biases = {node["input"][0]: node["input"][1] for node in nodes if node["op"] == "Add"}
    convolutions = sorted((node for node in nodes if node["op"] == "Conv2D"), key=lambda node: _count(node["name"]))
    return [
        (
            torch.from_numpy(weights[node["input"][1]]).permute(3, 2, 0, 1).contiguous(),
            torch.from_numpy(weights[biases[node["name"]]]),
        )
        for node in convolutions
    ]


def _count(name: str) -> int:
    """ "convolution" -> 0, "convolution_12" -> 12."""
    _, _, number = name.partition("convolution_")
    return int(number or 0)


def _read_weights(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """All of the model's constants by name; half floats become floats."""
    found = {}
    for group in manifest:
        data, offset = b"".join((folder / name).read_bytes() for name in group["paths"]), 0
        for weight in group["weights"]:
            half = weight.get("quantization", {}).get("dtype") == "float16"
            kind = np.dtype(np.float16 if half else _TYPES[weight["dtype"]])
            count = int(np.prod(weight["shape"], dtype=int))
            values = np.frombuffer(data, kind, count, offset).reshape(weight["shape"])
            found[weight["name"]] = values.astype(np.float32) if half else values.copy()
            offset += count * kind.itemsize
    return found
