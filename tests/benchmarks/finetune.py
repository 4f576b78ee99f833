"""Does fine-tuning teach something new without costing what was known? The default model on things it cannot know.

    python tests/benchmarks/finetune.py [--keep DIR] [--set NAME=VALUE ...]

The `train` command learns from ten annotated seconds (two clips) of two drawn things with computed sounds, of which one
sounds at a time. mIoU (every frame counts alike) before and after on 40 seconds of other such clips (new), and on what
was known before (old): the demo clip together with scenes of its dog and hen on other grounds, which are also given
apart. Exit code 0: new rises by at least .15, old loses at most .01, and the command took at most five minutes of
processor time, which on an idle machine is about the time that passes with one thread (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from avseg_core.config import DataConfig  # noqa: E402
from avseg_core.data.registry import build_dataset  # noqa: E402
from avseg_core.evaluation import evaluate_model  # noqa: E402
from avseg_core.models.checkpoints import load_model  # noqa: E402
from avseg_core.presets import finetune_preset  # noqa: E402
from avseg_core.training.run_store import Run  # noqa: E402
from tests.benchmarks.finetune_clips import UNKNOWN, demo_things, write_clips, write_demo  # noqa: E402

RISE, LOSS, SECONDS = 0.15, 0.01, 300
OLD = ("demo", "scenes")


def main() -> int:
    """Prints a table; exit code 0 if all goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder for clips and run (default: a temporary one)")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings of train")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        make_clips(folder / "clips")
        run = Run(folder / time.strftime("run-%H%M%S"))
        seconds, used, peak = train(folder / "clips" / "train", run, args.set)
        before, after = (
            measure(model, folder / "clips") for model in (finetune_preset().init_from, run.exported_model)
        )
    print("| clips | mIoU before | after | change |\n|---|---|---|---|")
    for part, score in before.items():
        print(f"| {part} | {score:.4f} | {after[part]:.4f} | {after[part] - score:+.4f} |")
    print(f"train: {seconds:.0f} s ({used:.0f} s of processor time), at most {peak:.0f} MB")
    learnt = after["new"] - before["new"] >= RISE
    return 0 if learnt and before["old"] - after["old"] <= LOSS and used <= SECONDS else 1


def make_clips(folder: Path) -> None:
    """The four data sets; those that are there already are kept."""
    if not folder.is_dir():
        write_clips(folder / "train", 2, UNKNOWN, seed=1)
        write_clips(folder / "new", 8, UNKNOWN, seed=2)
        write_clips(folder / "scenes", 6, demo_things(), seed=3)
        write_demo(folder / "demo")


def train(data: Path, run: Run, settings: list[str]) -> tuple[float, float, float]:
    """The fine-tuning as a user starts it; seconds, seconds of processor time, and peak memory in MB."""
    words = ["train", "--preset", "finetune", "--data", str(data), "--out", str(run.folder), "--device", "cpu"]
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "main.py", *words, *(["--set", *settings] if settings else [])], cwd=ROOT, check=True
    )
    seconds = time.monotonic() - started
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(name: str | Path, folder: Path) -> dict[str, float]:
    """mIoU over frames on each of the test sets, and over all frames of the old ones."""
    model = load_model(name)
    scores, frames = {}, {}
    for part in ("new", *OLD):
        config = DataConfig(
            dataset="folder",
            root=str(folder / part),
            image_size=model.config.image_size,
            front_end=model.audio_encoder.front_end,
        )
        report = evaluate_model(model, build_dataset(config, "test", 1), protocols=("frame",))
        scores[part], frames[part] = report.scores[0].values["miou"], report.frames
    known = sum(frames[part] for part in OLD)
    return {**scores, "old": sum(scores[part] * frames[part] for part in OLD) / known}


if __name__ == "__main__":
    sys.exit(main())
