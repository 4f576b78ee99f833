"""Can each model learn at all? Trains AVSegFormer V1, V2 and TPAVI on 8 generated MS3 clips until mIoU passes 0.9.

    python tests/benchmarks/overfit.py [--models v1 v2 tpavi] [--size 64] [--epochs 300]

The clips are validated on themselves. ResNet-50 starts from random weights and VGGish from random ones of healthy
scale, so that nothing has to be downloaded. So that two cores do: small pictures, encoder and decoder of three layers
instead of six, 32 queries, MLP(.) 256 wide.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from avseg_core.config import with_overrides  # noqa: E402
from avseg_core.models.audio_encoders import VGGish  # noqa: E402
from avseg_core.presets import preset  # noqa: E402
from avseg_core.training import control  # noqa: E402
from avseg_core.training.events import Evaluated, Event, StepDone  # noqa: E402
from avseg_core.training.job import train  # noqa: E402
from avseg_core.training.run_store import Run  # noqa: E402
from tests.avsbench_fixtures import make_ms3  # noqa: E402

CLIPS = 8
GOAL = 0.9


def main() -> int:
    """Prints one row per model; exit code 0 if all reach the goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=("v1", "v2", "tpavi"), default=["v1", "v2", "tpavi"])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=300)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = training_clips_as_validation(make_ms3(folder, {"train": CLIPS}, size=args.size))
        audio = healthy_vggish(folder / "vggish.pth")
        rows = [overfit(model, data, audio, folder / model, args) for model in args.models]
    print(f"\n{CLIPS} MS3 clips at {args.size} x {args.size}; ResNet-50 from random weights, reduced head")
    print("| model | parameters learnt | epochs | s per step | first loss | last loss | mIoU | F (batches of 4) |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(row for row, _ in rows))
    return 0 if all(miou > GOAL for _, miou in rows) else 1


def overfit(name: str, data: Path, audio: Path, folder: Path, args: argparse.Namespace) -> tuple[str, float]:
    """One row of the table, and the best mIoU."""
    settings = [
        f"data.root={data}",
        f"model.image_size=[{args.size},{args.size}]",
        "model.num_queries=32",
        "model.mask_mlp_dim=256",
        "model.encoder_layers=3",
        "model.decoder_layers=3",
        "from_scratch=true",
        f"audio_weights={audio}",
        f"epochs={args.epochs}",
        "batch_size=4",
        "learning_rate=3e-4",
        "warmup_steps=20",
        "clip_norm=1",
        "freeze_backbone_epochs=0",
        "evaluate_from=9",
        "evaluate_every=5",
        "checkpoint_seconds=0",
        "tensorboard=false",
    ]
    run = Run(folder)

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            print(f"{name}: epoch {event.epoch + 1}, mIoU {event.miou:.4f}, {time.strftime('%X')}", flush=True)
            if event.miou > GOAL + 0.01:
                control.send(run.folder, "stop")

    train(with_overrides(preset(f"{name}-ms3-r50"), settings), run, listeners=[watch])
    events = run.events()
    steps = [event for event in events if isinstance(event, StepDone)]
    best = max((event for event in events if isinstance(event, Evaluated)), key=lambda event: event.miou)
    learnt = next(event.trained_parameters for event in events if hasattr(event, "trained_parameters"))
    seconds = sum(step.data_ms + step.compute_ms for step in steps) / len(steps) / 1000
    row = f"| {name} | {learnt / 1e6:.1f} M | {best.epoch + 1} | {seconds:.2f} | {steps[0].loss:.3f} "
    return row + f"| {steps[-1].loss:.3f} | {best.miou:.4f} | {best.fscore:.4f} |", best.miou


def training_clips_as_validation(data: Path) -> Path:
    """Lists every training clip a second time, in the validation split."""
    table = data / "ms3_meta_data.csv"
    rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*rows, *(row.replace(",train", ",val") for row in rows[1:])]) + "\n", encoding="utf-8")
    for kind in ("gt_masks", "audio_log_mel", "audio_wav"):
        shutil.copytree(data / "ms3_data" / kind / "train", data / "ms3_data" / kind / "val")
    return data


def healthy_vggish(path: Path) -> Path:
    """Random VGGish weights under which different sounds stay different through all nine layers."""
    torch.manual_seed(0)
    encoder = VGGish()
    for parameter in encoder.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        else:
            nn.init.zeros_(parameter)
    torch.save(encoder.state_dict(), path)
    return path


if __name__ == "__main__":
    sys.exit(main())
