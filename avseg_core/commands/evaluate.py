"""`evaluate`: how good a model is on a data set under named protocols, or whether a data set is whole."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.config import DataConfig
from avseg_core.data.check import CheckReport
from avseg_core.data.importing import look
from avseg_core.data.registry import DATASETS, build_dataset, detect_layout, detect_layouts
from avseg_core.errors import InputError
from avseg_core.evaluation import EvaluationReport, evaluate_model
from avseg_core.evaluation.tables import tables
from avseg_core.evaluation.writing import to_json, to_markdown, write_results
from avseg_core.inference.device import choose_device
from avseg_core.inference.fast import use_half_precision
from avseg_core.metrics import PROTOCOLS
from avseg_core.models.library import short_name
from avseg_core.progress import CancelCheck, ProgressCallback
from avseg_core.results.writing import make_folder

EXAMPLES = 8
"""Worst and best frames on the page."""
FAST_NOTE = "Computed in half precision (--fast): not to be compared with others to the last digit."
_LISTED = 5
"""Problems of one kind that `--check` prints; `--json` has more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", nargs="+", metavar="NAME|PATH", help="models to measure, one row each")
    what.add_argument("--check", type=Path, metavar="DIR", help="only look what is missing or odd in a data set")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data set's folder")
    parser.add_argument("--dataset", choices=sorted(DATASETS), help="its layout (default: recognised)")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: test")
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS), help="default: all three")
    parser.add_argument(
        "--batch-size",
        nargs="+",
        type=int,
        default=[4, 2],
        metavar="CLIPS",
        help="clips per batch behind the avsbench protocol's F, one table each (default: 4 2)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where results.md, results.json and report.html go")
    parser.add_argument("--published", action="store_true", help="put the published rows of Table 1 beside")
    parser.add_argument(
        "--save-predictions", action="store_true", help="write the masks to DIR/pred_masks (with --out)"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument(
        "--fast", action="store_true", help="half precision on a CUDA device: faster, at slightly other numbers"
    )
    parser.add_argument("--exclude", nargs="+", default=[], metavar="SPLIT/CLIP", help="clips to leave out")
    parser.add_argument(
        "--hold-out", type=float, default=0.0, metavar="SHARE", help="share of a folder without splits that is val"
    )
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes that read clips ahead")


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 1 when `--check` found a problem."""
    with stoppable() as cancel:
        if args.check is not None:
            return _check(args, cancel)
        return _evaluate(args, cancel)


def _check(args: argparse.Namespace, cancel: CancelCheck) -> int:
    root: Path = args.check
    names = [args.dataset] if args.dataset else detect_layouts(root)
    line = ProgressLine(str(root))
    reports = {name: DATASETS[name].check(root, progress=line, cancel=cancel) for name in names}
    line.close()
    if not names and (offer := look(root)) is not None:
        reports = {offer.kind: offer.report}
    if not reports:
        detect_layout(root)  # says that there is none
    fine = all(report.fine for report in reports.values())
    if args.json:
        print(json.dumps({"fine": fine, "datasets": {name: report.to_dict() for name, report in reports.items()}}))
    else:
        print("\n\n".join(describe(report) for report in reports.values()))
        if not names:
            print(f"  To train on it: import-data {root} --out DIR")
    return 0 if fine else 1


def describe(report: CheckReport) -> str:
    """The findings as text: clips per split, then each kind of problem with its first few places."""
    lines = [f"{report.title} in {report.root}"]
    for split in {**report.published, **report.counts}:
        due = report.published.get(split)
        lines.append(f"  {split}: {report.counts.get(split, 0)} clips" + (f" of {due} published" if due else ""))
    lines += [f"  {name.replace('_', ' ')}: {value:.4%}" for name, value in report.facts.items()]
    for kind, total in report.totals.items():
        lines.append(f"  {kind}: {total}")
        places = [problem for problem in report.problems if problem.kind == kind][:_LISTED]
        for problem in places:
            prefix = "" if problem.what.startswith(problem.where) else f"{problem.where}: "
            lines.append(f"    {prefix}{problem.what}")
        if total > len(places):
            lines.append(f"    ... and {total - len(places)} more")
    return "\n".join([*lines, "  Nothing is missing or odd." if report.fine else ""]).rstrip()


def _evaluate(args: argparse.Namespace, cancel: CancelCheck) -> int:
    if args.data is None:
        raise InputError("--model needs --data DIR, the folder of the data set.")
    if min(args.batch_size) < 1:
        raise InputError("--batch-size: a batch has at least one clip.")
    if args.save_predictions and args.out is None:
        raise InputError("--save-predictions needs --out DIR.")
    dataset = args.dataset or detect_layout(args.data)
    if args.out is not None:
        make_folder(args.out)  # better now than after an hour
    reports = []
    for name, title in titles(args.model).items():
        line = ProgressLine(title)
        reports.append(_measure(args, name, title, dataset, len(args.model) > 1, line, cancel))
        line.close()
    _tell(args, reports, dataset)
    return 0


def titles(models: Sequence[str]) -> dict[str, str]:
    """Each model, once, and what its row is called: its short name, or all that was given where two share that."""
    short = {given: short_name(given) for given in models}
    count = Counter(short.values())
    return {given: name if count[name] == 1 else given for given, name in short.items()}


def _measure(
    args: argparse.Namespace,
    name: str,
    title: str,
    dataset: str,
    several: bool,
    progress: ProgressCallback,
    cancel: CancelCheck,
) -> EvaluationReport:
    from avseg_core.models.checkpoints import load_model  # seconds of import that --check does not need

    device, _ = choose_device(args.device)
    model = load_model(name, device)
    if args.fast:
        use_half_precision(model, device)
    layout = DATASETS[dataset]
    config = DataConfig(
        dataset=dataset,
        root=str(args.data),
        image_size=model.config.image_size,
        front_end=model.audio_encoder.front_end,
        frames_per_clip=layout.length if layout.published else model.clip_length or layout.length,
        workers=args.workers,
        exclude=tuple(args.exclude),
        hold_out=args.hold_out,
    )
    save_to = args.out / "pred_masks" if args.save_predictions else None
    return evaluate_model(
        model,
        build_dataset(config, args.split, model.config.num_classes),
        name=title,
        protocols=list(dict.fromkeys(args.protocol)),
        batch_sizes=list(dict.fromkeys(args.batch_size)),
        device=device,
        notes=(FAST_NOTE,) if args.fast else (),
        examples=EXAMPLES if args.out else 0,
        save_to=save_to / re.sub(r"[^\w.-]+", "_", title) if save_to and several else save_to,
        progress=progress,
        cancel=cancel,
    )


def _tell(args: argparse.Namespace, reports: Sequence[EvaluationReport], dataset: str) -> None:
    written = write_results(reports, dataset, args.out, published=args.published) if args.out else []
    if args.json:
        result = to_json(reports, dataset, published=args.published)
        print(json.dumps({**result, "files": [str(path) for path in written]}))
        return
    print(to_markdown(reports, list(tables(reports, dataset, published=args.published))), end="")
    for path in written:
        print(path)
