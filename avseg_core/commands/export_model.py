"""`export-model`: a model for other programs, as ONNX (compared with PyTorch before it is kept) or as published."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from avseg_core.errors import InputError
from avseg_core.results.writing import atomic, make_folder

if TYPE_CHECKING:
    from torch import nn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export-model`."""
    parser.add_argument("model", metavar="NAME|PATH", help="the model")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="FILE.onnx, or FILE.pth for its authors' code"
    )


def run(args: argparse.Namespace) -> int:
    """Writes, compares and reports.

    Raises:
        InputError: no such model, another kind of file, no published architecture, a package is missing, or the place
            is not writable.
        AVSegError: the answers differ, or the disk is full or failed.
    """
    if args.out.suffix == ".pth":
        return _export_released(args.model, args.out, as_json=args.json)
    if args.out.suffix != ".onnx":
        raise InputError(f"{args.out}: the name must end in .onnx or .pth.")
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


def _export_released(name: str, out: Path, *, as_json: bool) -> int:
    """The weights under the names that the authors' code gives them."""
    import torch

    from avseg_core.models.checkpoints import load_model, to_released

    model = cast("nn.Module", load_model(name))
    state = to_released(model)
    make_folder(out.parent)
    with atomic(out) as temporary, temporary.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch reports a short write as a RuntimeError
            raise error.__context__ if isinstance(error.__context__, OSError) else OSError(str(error)) from None
    if as_json:
        print(json.dumps({"path": str(out), "tensors": len(state)}))
    else:
        print(f"{out}: {len(state)} tensors as published; import-checkpoint reads it too.")
    return 0
