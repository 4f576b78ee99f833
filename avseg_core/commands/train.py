"""`train`: one training job in its run folder; also what drives and shows a job that runs already.

Several GPUs or machines: `torchrun --nproc-per-node N main.py train ...`, everything else the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from pathlib import Path

from avseg_core.commands.terminal import stoppable
from avseg_core.config import TrainConfig, load_toml, toml_string, with_overrides
from avseg_core.data.registry import DATASETS
from avseg_core.errors import Cancelled, InputError
from avseg_core.models.library import find_model, read_config
from avseg_core.presets import OWN_PRESETS, preset, preset_names
from avseg_core.training import control
from avseg_core.training.events import Evaluated, Event, Notice, Phase, Started, StepDone
from avseg_core.training.recipe import fit_to_data, start_from
from avseg_core.training.run_store import Run

FINETUNE = "finetune"
NARRATE_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `train`."""
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run folder")
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--preset", metavar="NAME", help=f"recipe by name: {', '.join(preset_names())}")
    recipe.add_argument(
        "--config", type=Path, metavar="FILE", help="recipe from a TOML file, such as a RUN/config.toml"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data set's folder")
    parser.add_argument("--dataset", choices=sorted(DATASETS), help="its layout (default: the recipe's, or recognised)")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="settings, e.g. epochs=2"
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--init-from", default="", metavar="NAME|PATH", help="start from the weights of this model")
    start.add_argument("--from-scratch", action="store_true", help="start from random weights on purpose")
    parser.add_argument(
        "--backbone-weights", default="", metavar="FILE|NAME", help="ImageNet weights (default: timm's hub)"
    )
    parser.add_argument("--audio-weights", default="", metavar="FILE|NAME", help="VGGish or YAMNet weights")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="")
    parser.add_argument("--low-priority", action="store_true", help="leave the machine usable for other work")
    parser.add_argument("--resume", action="store_true", help="continue the run, or start it if there is none yet")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--estimate", action="store_true", help="only measure a few steps: time and memory of the run")
    action.add_argument("--status", action="store_true", help="only tell how the run in --out is doing")
    action.add_argument("--request", choices=control.REQUESTS, help="only ask the running job in --out for this")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: trained (or stopped early on request); 130: interrupted or cancelled."""
    job = Run(args.out)
    if args.status:
        return _status(job, as_json=args.json)
    if args.request:
        return _request(job, args.request)
    resume = args.resume and job.last_checkpoint.is_file()
    if not resume and not args.estimate:
        _refuse_used(job)
    if (status := job.status()).state in ("running", "paused") and not args.estimate:
        raise InputError(f"{args.out}: process {status.pid} is training here; use --request or another --out.")
    config = with_overrides(job.config() if resume else _new_config(args), _assignments(args))
    if args.low_priority:
        _be_nice()
    return _estimate(config, as_json=args.json) if args.estimate else _train(config, job, resume, as_json=args.json)


def _refuse_used(job: Run) -> None:
    if job.last_checkpoint.is_file():
        raise InputError(f"{job.folder}: holds a run already; add --resume to continue it, or choose another --out.")


def _new_config(args: argparse.Namespace) -> TrainConfig:
    """The recipe, fitted to the data and the model it starts from."""
    if not (args.preset or args.config or args.init_from):
        raise InputError("Give --preset NAME or --config FILE, or --init-from MODEL to fine-tune a model.")
    config = load_toml(TrainConfig, args.config) if args.config else preset(args.preset or FINETUNE)
    root = args.data or (Path(config.data.root) if config.data.root else None)
    if root is None:
        raise InputError("Give --data DIR, the folder of the data set.")
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder that holds the data set.")
    own = not args.config and (args.preset or FINETUNE) in OWN_PRESETS
    finetune = own and (args.preset or FINETUNE) == FINETUNE
    config = fit_to_data(config, root, args.dataset or ("" if own else config.data.dataset))
    init_from = args.init_from or config.init_from
    if finetune:
        return start_from(config, init_from, read_config(find_model(init_from)))
    return dataclasses.replace(config, init_from="" if args.from_scratch else init_from)


def _assignments(args: argparse.Namespace) -> list[str]:
    """The options that are settings too, and then those of --set."""
    named = {"backbone_weights": args.backbone_weights, "audio_weights": args.audio_weights, "device": args.device}
    given = [f"{name}={toml_string(value)}" for name, value in named.items() if value]
    return given + (["from_scratch=true"] if args.from_scratch else []) + list(args.set)


def _train(config: TrainConfig, job: Run, resume: bool, *, as_json: bool) -> int:
    launched = control.launched()
    from avseg_core.training.job import train  # seconds of import that --status does not need

    with stoppable() as interrupted:
        result = train(config, job, resume=resume, listeners=[Narrator()], interrupted=interrupted, launched=launched)
    if result.outcome == "interrupted":
        raise Cancelled(f"Interrupted after step {result.step}; continue with: train --out {job.folder} --resume")
    if result.outcome == "cancelled":
        raise Cancelled(f"Cancelled after step {result.step}; {job.folder} keeps what was done.")
    if os.environ.get("RANK", "0") != "0":
        return 0
    summary = {"run": str(job.folder), "outcome": result.outcome, "steps": result.step, "best": result.best}
    summary["model"] = str(result.model)
    if as_json:
        print(json.dumps(summary))
    else:
        scores = ", ".join(f"{name} {value:.4f}" for name, value in result.best.items()) or "not evaluated"
        print(f"{result.outcome} after {result.step} steps ({scores}): {result.model}")
    return 0


def _estimate(config: TrainConfig, *, as_json: bool) -> int:
    from avseg_core.training.estimate import estimate

    cost = estimate(config)
    if as_json:
        print(json.dumps(dataclasses.asdict(cost)))
    else:
        print(
            f"{cost.steps} steps of {cost.seconds_per_step:.2f} s on {cost.device}: about {_clock(cost.seconds)}, "
            f"{cost.memory_mb:.0f} MB"
        )
    return 0


def _status(job: Run, *, as_json: bool) -> int:
    if not job.events_file.is_file():
        raise InputError(f"{job.folder}: holds no run.")
    status = job.status()
    if as_json:
        print(json.dumps(dataclasses.asdict(status)))
        return 0
    best = "".join(f", best {name} {value:.4f}" for name, value in status.best.items())
    left = f", {_clock(status.seconds_left)} left" if status.seconds_left and status.state == "running" else ""
    print(f"{status.state}: step {status.step} of {status.total_steps}{best}{left}")
    if status.message:
        print(status.message)
    return 0


def _request(job: Run, request: control.Request) -> int:
    if job.status().state not in ("running", "paused"):
        raise InputError(f"{job.folder}: no training is running here.")
    control.send(job.folder, request)
    return 0


def _be_nice() -> None:
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), below_normal)
    else:
        os.nice(15)


class Narrator:
    """Tells on stderr how the run goes: every few seconds a step, and everything that is rare."""

    def __init__(self) -> None:
        self._total = 0
        self._told = -NARRATE_SECONDS

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        match event:
            case Started():
                self._total = event.total_steps
                _tell(f"{event.train_clips} clips, {event.trained_parameters / 1e6:.1f} M parameters learn")
                _tell(event.device_reason)
            case StepDone() if event.step == self._total or time.monotonic() - self._told >= NARRATE_SECONDS:
                self._told = time.monotonic()
                parts = ", ".join(f"{name} {value:.4f}" for name, value in event.parts.items())
                left = "" if event.seconds_left is None else f", {_clock(event.seconds_left)} left"
                _tell(f"step {event.step}/{self._total}  loss {event.loss:.4f} ({parts}){left}")
            case Evaluated():
                star = " (best so far)" if event.improved else ""
                _tell(
                    f"epoch {event.epoch + 1}  mIoU {event.miou:.4f}  "
                    f"F {event.fscore:.4f} (batches of {event.batch_size}){star}"
                )
            case Notice():
                _tell(event.text)
            case Phase() if event.name == "paused":
                _tell("paused")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
