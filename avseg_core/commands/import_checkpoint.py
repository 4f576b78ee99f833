"""`import-checkpoint`: a published checkpoint becomes a model that every command finds by name."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avseg_core.config import save_toml, to_dict
from avseg_core.errors import InputError
from avseg_core.models.checkpoints import ImportReport, load_released, save_model
from avseg_core.models.library import MANIFEST, WEIGHTS, available_models, sha256, user_models
from avseg_core.results.writing import write_error


@dataclass(frozen=True)
class Imported:
    """A model that was written."""

    name: str
    folder: Path
    report: ImportReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `import-checkpoint`."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .pth of AVSegFormer V1 or V2, or of AVSBench's TPAVI"
    )
    parser.add_argument("--name", help="what the model is called from now on (default: the file's name)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to keep it (default: the user's model folder)")
    parser.add_argument(
        "--audio-weights", type=Path, metavar="FILE", help="VGGish .pth, needed for TPAVI, whose files hold none"
    )


def run(args: argparse.Namespace) -> int:
    """Converts, writes and reports."""
    imported = import_checkpoint(args.file, name=args.name, out=args.out, audio_weights=args.audio_weights)
    if args.json:
        print(json.dumps(_as_json(imported)))
    else:
        print(_as_text(imported, found_by_name=args.out is None))
    return 0


def import_checkpoint(
    file: Path, *, name: str | None = None, out: Path | None = None, audio_weights: Path | None = None
) -> Imported:
    """Writes `out`/`name` with model.safetensors, config.toml and manifest.json; all or nothing.

    Raises:
        InputError: the checkpoint is refused, it needs an audio encoder, the name is taken or no file name, or the
            folder is not writable.
        AVSegError: the disk is full or failed.
    """
    name = name or re.sub(r"[^\w.-]+", "_", file.stem)
    if not re.fullmatch(r"\w[\w.-]*", name) or name.endswith(".partial"):
        raise InputError(f"--name {name}: use letters, digits, dots, dashes and underscores.")
    folder = (out or user_models()) / name
    if folder.exists():
        raise InputError(f"{folder}: exists already; choose another --name.")
    if out is None and name in available_models():
        raise InputError(f"--name {name}: there is a model of this name already; choose another.")
    model, report = load_released(file, audio_weights)
    if report.audio_missing:
        raise InputError(f"{file}: TPAVI's files hold no VGGish; name its weights with --audio-weights FILE.")
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_model(model, partial / WEIGHTS, {"source": file.name, "layout": report.layout})
        save_toml(report.config, partial / "config.toml")
        manifest = {"sha256": sha256(partial / WEIGHTS), "source": file.name, "layout": report.layout}
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, folder)
    except OSError as error:
        raise write_error(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Imported(name, folder, report)


def _as_json(imported: Imported) -> dict[str, Any]:
    report = imported.report
    return {
        "name": imported.name,
        "folder": str(imported.folder),
        "layout": report.layout,
        "converted": report.converted,
        "dropped": report.dropped,
        "config": to_dict(report.config),
    }


def _as_text(imported: Imported, *, found_by_name: bool) -> str:
    report = imported.report
    size = "x".join(str(side) for side in report.config.image_size)
    lines = [f"{report.layout}: {report.converted} tensors taken over, frames of {size}."]
    lines += [f"Left out, never executed: {reason} ({count} tensors)." for reason, count in report.dropped.items()]
    lines.append(f"Written to {imported.folder}")
    lines.append(f"Use it with --model {imported.name if found_by_name else imported.folder}")
    return "\n".join(lines)
