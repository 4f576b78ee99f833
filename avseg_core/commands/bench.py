"""`bench`: how fast this machine segments, part by part, and how much memory that takes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.config import InferenceConfig
from avseg_core.errors import InputError
from avseg_core.models.library import available_models
from avseg_core.progress import CancelCheck, Progress, check

if TYPE_CHECKING:
    from avseg_core.inference.speed import Contestant, Figures

_CLIP_SECONDS = 30
_SHORT, _LONG = 60, 1200
SIZE = "1280x720"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bench`."""
    parser.add_argument(
        "--model",
        default=InferenceConfig().model,
        metavar="SPEC",
        help="a model's name or file, lite, or a preset such as v2-s4-r50 (random weights); settings may follow, as in "
        "v2-s4-r50,image_size=[224,224],threads=2 (default: %(default)s)",
    )
    parser.add_argument("--compare", nargs="+", default=[], metavar="SPEC", help="others to time in turns with it")
    parser.add_argument("--rounds", type=int, default=3, help="how often each part is timed (default: %(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="only milliseconds per frame, which the model library then remembers"
    )
    parser.add_argument(
        "--runtimes",
        action="store_true",
        help="only PyTorch against onnxruntime, which `segment` and the window then use for this model where faster",
    )
    parser.add_argument("--memory", action="store_true", help="also peak memory of 1 minute against 20 minutes")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Prints a table (or JSON) of milliseconds per mask, real-time factor and memory.

    Raises:
        InputError: no such model, setting or device.
        Cancelled: the user stopped it.
    """
    if args.rounds < 1:
        raise InputError("--rounds must be at least 1.")
    if args.runtimes:
        return _runtimes(args.model, as_json=args.json)
    from avseg_core.inference.speed import Contestant, compare
    from avseg_core.inference.speed_clip import make_clip

    contestants = [Contestant.parse(spec, args.device) for spec in (args.model, *args.compare)]
    if args.quick:
        return _quick(contestants, as_json=args.json)
    line = ProgressLine("bench")
    with stoppable() as cancel, tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip.mp4", _CLIP_SECONDS)
        figures = compare(contestants, clip, rounds=args.rounds, progress=line, cancel=cancel)
        _measure_runs(contestants, figures, clip, min(args.rounds, 2), line, cancel)
        if args.memory:
            for seconds in (_SHORT, _LONG):
                clip = make_clip(Path(folder) / f"{seconds}.mp4", seconds)
                _measure_memory(contestants, figures, clip, seconds, line, cancel)
                clip.unlink()
    line.close()
    if args.json:
        print(json.dumps({"clip": SIZE, "masks_per_second": 1, "models": [dataclasses.asdict(f) for f in figures]}))
    else:
        print(as_markdown(figures))
    return 0


def _quick(contestants: Sequence[Contestant], *, as_json: bool) -> int:
    """Milliseconds per frame; of an installed model as it is they are kept for the library."""
    from avseg_core.inference.speed import time_frames
    from avseg_core.training.library import Speed, keep_speed, read_card

    found = [time_frames(contestant) for contestant in contestants]
    for contestant, figures in zip(contestants, found, strict=True):
        if contestant.weights in available_models() and not contestant.run.fast:
            speed = Speed(round(figures.milliseconds["frame"], 1), figures.device, figures.threads)
            keep_speed(read_card(contestant.weights), speed)
    if as_json:
        print(json.dumps({"models": [dataclasses.asdict(figures) for figures in found]}))
    else:
        for figures in found:
            per_frame = figures.milliseconds["frame"]
            print(f"{figures.spec}: {per_frame:.0f} ms per frame ({figures.device}, {figures.threads} threads)")
    return 0


def _runtimes(model: str, *, as_json: bool) -> int:
    """Both runtimes on a model of the library; what is found is kept for its card, too."""
    from avseg_core.inference.runtime_speed import choose_runtime
    from avseg_core.training.library import keep_runtimes, read_card

    line = ProgressLine("bench")
    with stoppable() as cancel:
        record = choose_runtime(model, progress=line, cancel=cancel)
    line.close()
    if model in available_models():
        keep_runtimes(read_card(model), record.milliseconds)
    if as_json:
        print(json.dumps({"model": model, "difference": record.difference, "milliseconds": record.milliseconds}))
    else:
        torch, onnx = record.milliseconds["torch"], record.milliseconds["onnx"]
        used = "onnxruntime" if record.faster else "PyTorch"
        print(
            f"{model}: {onnx:.0f} ms per frame on onnxruntime, {torch:.0f} on PyTorch; {used} is used from now on "
            f"(logits differ by at most {record.difference:.1e})."
        )
    return 0


def _measure_runs(
    contestants: Sequence[Contestant],
    figures: Sequence[Figures],
    clip: Path,
    turns: int,
    line: ProgressLine,
    cancel: CancelCheck,
) -> None:
    """Whole runs over the clip, in turns; the best counts."""
    from avseg_core.inference.speed import measure_run

    for turn in range(turns):
        for place, (contestant, found) in enumerate(zip(contestants, figures, strict=True)):
            check(cancel)
            run = measure_run(contestant, clip)
            found.real_time_factor = max(found.real_time_factor, run.factor)
            found.processor = min(found.processor or run.processor, run.processor)
            found.peak_megabytes[_CLIP_SECONDS] = max(found.peak_megabytes.get(_CLIP_SECONDS, 0.0), run.peak)
            line(Progress("whole runs", turn * len(contestants) + place + 1, turns * len(contestants)))


def _measure_memory(
    contestants: Sequence[Contestant],
    figures: Sequence[Figures],
    clip: Path,
    seconds: int,
    line: ProgressLine,
    cancel: CancelCheck,
) -> None:
    from avseg_core.inference.speed import measure_run

    for place, (contestant, found) in enumerate(zip(contestants, figures, strict=True)):
        check(cancel)
        found.peak_megabytes[seconds] = measure_run(contestant, clip).peak
        line(Progress(f"memory of {seconds // 60} min", place + 1, len(contestants)))


def as_markdown(figures: Sequence[Figures]) -> str:
    """A table with a column per contestant and, from the second on, how it compares with the first."""
    rows: list[tuple[str, Callable[[Figures], float], str]] = [
        (f"{part}, ms per mask", lambda found, part=part: found.milliseconds[part], "{:.1f}")  # type: ignore[misc]
        for part in figures[0].milliseconds
    ]
    rows.append(("sum of the parts, ms per mask", lambda found: sum(found.milliseconds.values()), "{:.1f}"))
    rows.append((f"real-time factor of segment, {SIZE}", lambda found: found.real_time_factor, "{:.2f}"))
    rows.append(("processor time of segment, ms per second of video", lambda found: found.processor, "{:.0f}"))
    for seconds in figures[0].peak_megabytes:
        title = f"peak memory for {seconds} s of video, MB"
        rows.append((title, lambda found, seconds=seconds: found.peak_megabytes[seconds], "{:.0f}"))  # type: ignore[misc]
    rows.append(("parameters, millions", lambda found: found.parameters / 1e6, "{:.2f}"))
    head = ["1 mask per second", *(f"{found.spec} ({found.device}, {found.threads} threads)" for found in figures)]
    lines = [f"| {' | '.join(head)} |", f"|---{'|---:' * len(figures)}|"]
    for title, value, style in rows:
        cells = [style.format(value(found)) for found in figures]
        first = value(figures[0])
        for place in range(1, len(figures)):
            cells[place] += f" (x{value(figures[place]) / first:.2f})" if first else ""
        lines.append(f"| {' | '.join([title, *cells])} |")
    return "\n".join(lines)
