"""`export-model`: a model as an ONNX file for other programs, compared with PyTorch before it is kept."""

from __future__ import annotations

import argparse
import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from avseg_core.errors import InputError

if TYPE_CHECKING:
    from avseg_core.models.onnx_export import Inputs
    from avseg_core.models.output import AVSModel

_SECONDS = (0, 3, 9)
"""Of the demo clip, which are compared: two things that sound in turn, and silence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export-model`."""
    parser.add_argument("model", metavar="NAME|PATH", help="the model")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="where to write it")


def run(args: argparse.Namespace) -> int:
    """Writes, compares and reports.

    Raises:
        InputError: no such model, not the name of an ONNX file, or a package is missing.
        AVSegError: the answers differ, or the file cannot be written.
    """
    if args.out.suffix != ".onnx":
        raise InputError(f"{args.out}: the name must end in .onnx.")
    from avseg_core.models.checkpoints import load_model
    from avseg_core.models.onnx_export import export_onnx

    model = load_model(args.model)
    report = export_onnx(model, args.out, [] if model.clip_length else [_real_inputs(model)])
    if args.json:
        print(json.dumps({**dataclasses.asdict(report), "path": str(report.path)}))
    else:
        print(
            f"{report.path}: {report.size / 1e6:.1f} MB; on {report.checked} random and real inputs the logits differ "
            f"from PyTorch's by at most {report.difference:.1e}"
        )
    return 0


def _real_inputs(model: AVSModel) -> Inputs:
    """Some seconds of the demo clip as `model` takes them."""
    import numpy as np
    import torch

    from avseg_core.inference.preprocess import normalise
    from avseg_core.inference.samples import read_samples
    from avseg_core.media.windows import Window

    clip = Path(str(files("resources"))) / "demo" / "demo.mp4"
    windows = [Window(second, second, second + 1.0, second + 0.5) for second in _SECONDS]
    size, front_end = model.config.image_size, model.audio_encoder.front_end
    samples = list(read_samples(clip, windows, size=size, front_end=front_end))
    frames = normalise(torch.stack([sample.frame for sample in samples]))
    return frames, torch.from_numpy(np.stack([sample.logmel for sample in samples]))
