"""The shipped files: weights, manifest with sources, licences and hashes, and the model card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from catalogue import Item
from fetch import sha256

from avseg_core.config import to_dict
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.checkpoints import save_model

CARD = Path(__file__).with_name("card_template.md")


def export(
    model: AVSegFormer,
    folder: Path,
    work: Path,
    run: Path,
    things: Sequence[Item],
    sounds: Sequence[Item],
    start: Path | None = None,
) -> None:
    """Writes model.safetensors (float16), manifest.json, card.md and the contact sheets to `folder`.

    `start`: the release whose weights the training went on from; what made that one is part of this one's manifest.
    """
    earlier = json.loads(start.with_name("manifest.json").read_text()) if start else {"training": [], "files": []}
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "model.safetensors"
    save_model(model, weights, {"name": "avsegformer-lite", "licence": "Apache-2.0"}, dtype=torch.float16)
    report = json.loads((run / "report.json").read_text())
    files = sorted({*earlier["files"], *(_source(item.path, work) for item in [*things, *sounds])})
    manifest = {
        "name": "avsegformer-lite",
        "sha256": sha256(weights),
        "bytes": weights.stat().st_size,
        "config": to_dict(model.config),
        "training": [*earlier["training"], json.loads((run / "options.json").read_text())],
        "metrics": report,
        "packages": json.loads((work / "packages.json").read_text()),
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    text = CARD.read_text(encoding="utf-8")
    text = text.replace("{{report}}", (run / "report.md").read_text().strip()).replace("{{packages}}", _packages(work))
    text = text.replace("{{parameters}}", f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f}")
    text = text.replace("{{megabytes}}", f"{weights.stat().st_size / 1e6:.1f}")
    (folder / "card.md").write_text(text, encoding="utf-8")
    for sheet in (run / f"sheet-{name}.jpg" for name in ("one-of-several", "photo", "photo-pair", "worst")):
        shutil.copy(sheet, folder / sheet.name)


def _source(path: Path, work: Path) -> str:
    """ "package/path inside it", or the folder of what the build made from a package."""
    inside = path.resolve().relative_to(work.resolve()).parts
    return "/".join(inside[1:] if inside[0] == "raw" else inside)


def _packages(work: Path) -> str:
    rows = json.loads((work / "packages.json").read_text())
    lines = ["| package | licence | SHA-256 |", "|---|---|---|"]
    lines += [f"| {row['package']} ({row['file']}) | {row['licence']} | `{row['sha256'][:16]}…` |" for row in rows]
    return "\n".join(lines)
