"""`export-model`: a model as an ONNX file for other programs, compared with PyTorch before it is kept."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from avseg_core.errors import InputError


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
    from avseg_core.inference.runtime import demo_inputs
    from avseg_core.models.checkpoints import load_model
    from avseg_core.models.onnx_export import export_onnx

    model = load_model(args.model)
    report = export_onnx(model, args.out, [] if model.clip_length else [demo_inputs(model)])
    if args.json:
        print(json.dumps({**dataclasses.asdict(report), "path": str(report.path)}))
    else:
        print(
            f"{report.path}: {report.size / 1e6:.1f} MB; on {report.checked} random and real inputs the logits differ "
            f"from PyTorch's by at most {report.difference:.1e}"
        )
    return 0
