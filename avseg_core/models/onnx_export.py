"""A model as one ONNX file, kept only if onnxruntime answers with it what PyTorch answers.

Inputs of the file: `frames` [N,3,H,W] float32, ImageNet-normalised, and `logmel` [N,1,96,64]; outputs: `logits`
[N,C,H,W] and, with a channel mixer, `mixer_weights` [N,D]. N is free, but for models that need whole clips. The model's
configuration stands in the file's metadata under "avseg_config".
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from avseg_core.audio.front_end import EXAMPLE_FRAMES, MEL_BANDS
from avseg_core.config import ModelConfig, to_dict
from avseg_core.errors import AVSegError, InputError
from avseg_core.models.library import CONFIG_KEY
from avseg_core.models.output import AVSModel
from avseg_core.results.writing import atomic, make_folder

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 20
TOLERANCE = 1e-3
"""Largest difference of a logit, relative to the largest one (or to 1)."""
Inputs = tuple[Tensor, Tensor]
"""frames and logmel."""


@dataclass(frozen=True)
class OnnxReport:
    """What was written, and how well it was checked."""

    path: Path
    size: int
    """Bytes."""
    checked: int
    """Inputs that were compared."""
    difference: float
    """Largest difference of a logit from PyTorch's, over all of them."""


class _Plain(nn.Module):
    """Tensors in, tensors out."""

    def __init__(self, model: AVSModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor, logmel: Tensor) -> tuple[Tensor, ...]:
        output = self.model(frames, logmel)
        return (output.logits,) if output.mixer_weights is None else (output.logits, output.mixer_weights)


def export_onnx(model: AVSModel, path: Path, real: Sequence[Inputs] = ()) -> OnnxReport:
    """Writes `model`, which is in evaluation mode on the CPU, to `path`, or nothing at all.

    Args:
        real: inputs to compare on beside random ones.

    Raises:
        InputError: a package is missing, or the place is not writable.
        AVSegError: the file answers otherwise than PyTorch, or the disk is full or failed.
    """
    need_packages()
    make_folder(path.parent)  # better now than after minutes of conversion
    with atomic(path) as partial:
        _write(model, partial)
        tests = [*(random_inputs(model, clips, seed=clips) for clips in (1, 3)), *real]
        difference = max(_difference(model, partial, test) for test in tests)
    return OnnxReport(path, path.stat().st_size, len(tests), difference)


def need_packages(names: Sequence[str] = PACKAGES) -> None:
    """Raises InputError if one of the packages is not installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"ONNX needs the package {missing[0]}: install avseg[onnx] (pip install {' '.join(PACKAGES)})."
        )


def random_inputs(model: AVSModel, clips: int, seed: int) -> Inputs:
    """Noise for `clips` frames, or as many whole clips."""
    frames = clips * (model.clip_length or 1)
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randn(frames, 3, *model.config.image_size, generator=generator)
    return pictures, torch.randn(frames, 1, EXAMPLE_FRAMES, MEL_BANDS, generator=generator)


def _write(model: AVSModel, path: Path) -> None:
    wrapped = _Plain(model).eval()
    example = random_inputs(model, 2, seed=0)
    names = ["frames", "logmel"], ["logits", "mixer_weights"]
    write_graph(wrapped, example, path, names, free=model.clip_length is None, config=model.config)


@torch.no_grad()
def write_graph(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    names: tuple[list[str], list[str]],
    *,
    free: bool,
    config: ModelConfig,
) -> None:
    """Writes a module of tensors, with the names of its inputs and (those that it has) outputs, as an ONNX file.

    Args:
        free: any number of rows instead of that of `example`.
    """
    axes = {0: torch.export.Dim.DYNAMIC}
    inputs, outputs = names
    with _no_chatter():
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs[: len(module(*example))],
            dynamic_shapes=tuple(axes for _ in example) if free else None,
        )
    assert program is not None
    program.model.metadata_props[CONFIG_KEY] = json.dumps(to_dict(config))
    program.save(path)


@contextmanager
def _no_chatter() -> Iterator[None]:
    """Leaves the exporter's errors, without its warnings of what it did not simplify."""
    logger = logging.getLogger("onnxscript.optimizer")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _difference(model: AVSModel, path: Path, inputs: Inputs) -> float:
    """Largest difference of a logit. Raises AVSegError beyond the tolerance."""
    frames, logmel = inputs
    with torch.inference_mode():
        expected = model(frames, logmel).logits
    answer = open_session(path).run(["logits"], {"frames": frames.numpy(), "logmel": logmel.numpy()})[0]
    return compare_logits(torch.from_numpy(answer), expected, path.name)


def compare_logits(answer: Tensor, expected: Tensor, name: str) -> float:
    """Largest difference of a logit. Raises AVSegError, which names `name`, beyond the tolerance."""
    difference = float((answer - expected).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise AVSegError(f"{name}: answers otherwise than PyTorch (by {difference:.2g}); it was not kept.")
    return difference


def open_session(path: Path, threads: int = 0) -> Any:
    """onnxruntime's session for a file, on so many threads; 0: as many as it takes."""
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # its threads share the cores
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
