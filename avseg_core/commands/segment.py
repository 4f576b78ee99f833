"""`segment`: masks, overlays and annotations of what sounds in one or more videos."""

from __future__ import annotations

import argparse
import json
import sys
import typing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avseg_core.commands.export import (
    Files,
    add_output_arguments,
    check_formats,
    describe_files,
    export_store,
    names_of,
)
from avseg_core.commands.options import number
from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.config import InferenceConfig, Runtime
from avseg_core.errors import AVSegError, Cancelled, InputError
from avseg_core.media import probe
from avseg_core.media.info import only_sound
from avseg_core.progress import CancelCheck
from avseg_core.results.exporters import ExportOptions
from avseg_core.results.identity import file_id
from avseg_core.results.naming import free_stem, is_of_another
from avseg_core.results.store import SUFFIX, MaskStore
from avseg_core.results.writing import make_folder

if TYPE_CHECKING:
    from avseg_core.inference.run import RunReport
    from avseg_core.inference.segmenter import Segmenter

_HIGHEST_RATE = 240.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `segment`."""
    defaults = InferenceConfig()
    devices = ("auto", "cpu", "cuda", "mps")
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument("--model", default=defaults.model, help="name or file of the model (default: %(default)s)")
    add_output_arguments(parser)
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--rate", type=_rate, default=defaults.rate, metavar="HZ", help="masks per second (default: %(default)s)"
    )
    when.add_argument("--at", type=number, nargs="+", metavar="T", help="masks of exactly these seconds instead")
    parser.add_argument(
        "--raw-edges", action="store_true", help="masks as the model draws them, not fitted to the edges of the picture"
    )
    parser.add_argument("--device", default=defaults.device, choices=devices, help="default: %(default)s")
    parser.add_argument(
        "--fast", action="store_true", help="half precision on a CUDA device: faster, at slightly other numbers"
    )
    parser.add_argument(
        "--runtime",
        default=defaults.runtime,
        choices=typing.get_args(Runtime),
        help="what the model runs on; auto: onnx where `bench --runtimes` found it faster (default: %(default)s)",
    )


@dataclass(frozen=True)
class _Outcome:
    """What became of one video: a report with its files, or an error."""

    video: Path
    report: RunReport | None = None
    files: Files | None = None
    error: AVSegError | None = None

    @property
    def exit_code(self) -> int:
        return 0 if self.error is None else 2 if isinstance(self.error, InputError) else 1


def run(args: argparse.Namespace) -> int:
    """Segments every video; one that fails does not stop the others, and the worst exit code is returned.

    Raises:
        InputError: an option or the model is wrong, or the only video cannot be segmented.
        AVSegError: the only video fails for another reason, for instance a full disk.
        Cancelled: the user stopped it; what was finished is kept, and the same command continues.
    """
    check_formats(args.export)
    stores = name_stores(args.videos, args.out)
    problems = _unreadable(stores)
    segmenter = None
    if len(problems) < len(stores):  # otherwise there is nothing to write
        make_folder(args.out)
        segmenter = _load(args)
    outcomes = []
    with stoppable() as cancel:
        for outcome in _segment_each(segmenter, stores, problems, args, cancel):
            outcomes.append(outcome)
            if outcome.error is not None:
                if len(stores) == 1:
                    raise outcome.error
                print(f"avseg: {outcome.error}", file=sys.stderr)
            elif not args.json:
                print(_sentence(outcome))
    if args.json:
        print(json.dumps(_as_json(segmenter, args.threshold, outcomes), indent=2))
    return max(outcome.exit_code for outcome in outcomes)


def name_stores(videos: Sequence[Path], out_dir: Path) -> dict[Path, Path]:
    """The mask store of each video: `<stem>.avseg`, and `<stem>-2.avseg` and so on where names would clash.

    Names clash with those of the other videos, with the masks and exports of another video in `out_dir`, and with masks
    that were recorded live.

    Raises:
        InputError: an overlay would take the place of one of the videos.
    """
    stores: dict[Path, Path] = {}
    taken: set[str] = set()
    wanted = {video.stem.casefold() for video in videos}
    for video in dict.fromkeys(videos):
        others = taken | (wanted - {video.stem.casefold()})
        stem = free_stem(video.stem, partial(_is_taken, others, video, out_dir))
        taken.add(stem.casefold())
        stores[video] = out_dir / (stem + SUFFIX)
    inputs = {video.resolve() for video in videos}
    for store in stores.values():
        overlay = store.with_name(f"{store.stem}_overlay.mp4").resolve()
        if overlay in inputs:
            raise InputError(f"{overlay}: would be overwritten by an overlay; choose another --out.")
    return stores


def _is_taken(others: set[str], video: Path, out_dir: Path, stem: str) -> bool:
    """Whether another video of the command, recorded masks, or masks or exports of another video have this name."""
    if stem.casefold() in others:
        return True
    store = out_dir / (stem + SUFFIX)
    with suppress(InputError):  # of a video that cannot be read, which is told in its turn
        path, video_id = str(video.absolute()), file_id(video)
        if store.exists():
            return _must_stay(store, {path, video_id})
        return is_of_another(out_dir, stem, path, video_id)
    return False


def _must_stay(store: Path, own: set[str]) -> bool:
    """Whether its masks are those of another video, or were recorded along with one: nothing could make them again.

    `own`: path and id of the video to segment.
    """
    with suppress(AVSegError), MaskStore(store) as kept:
        return "live" in kept.header.settings or not own & {kept.header.video, kept.header.video_id}
    return False  # whatever it is, it is told when it is continued


def _unreadable(videos: Iterable[Path]) -> dict[Path, AVSegError]:
    """What is wrong with videos that cannot even be opened; told before the model is loaded for nothing."""
    problems: dict[Path, AVSegError] = {}
    for video in videos:
        try:
            if not probe(video).has_video:
                problems[video] = only_sound(video)
        except AVSegError as error:
            problems[video] = error
    return problems


def _load(args: argparse.Namespace) -> Segmenter:
    from avseg_core.inference.device import unattended
    from avseg_core.inference.segmenter import Segmenter

    config = InferenceConfig(
        model=args.model,
        device=args.device,
        rate=args.rate,
        refine=not args.raw_edges,
        fast=args.fast,
        runtime=args.runtime,
    )
    segmenter = Segmenter.load(unattended(config))
    print(f"Device: {segmenter.device_reason}", file=sys.stderr)
    return segmenter


def _segment_each(
    segmenter: Segmenter | None,
    stores: dict[Path, Path],
    problems: dict[Path, AVSegError],
    args: argparse.Namespace,
    cancel: CancelCheck,
) -> Iterator[_Outcome]:
    """Segments and exports one video after the other; without a segmenter there is a problem with each."""
    for video, store in stores.items():
        if video in problems or segmenter is None:
            yield _Outcome(video, error=problems[video])
        else:
            yield _segment_one(segmenter, video, store, args, cancel)


def _segment_one(
    segmenter: Segmenter, video: Path, store: Path, args: argparse.Namespace, cancel: CancelCheck
) -> _Outcome:
    from avseg_core.inference.run import segment_video

    line = ProgressLine(video.name)
    try:
        report = segment_video(segmenter, video, store, at=args.at, progress=line, cancel=cancel)
        line.close()
        _tell(video, report)
        options = ExportOptions(threshold=args.threshold, video=video)
        files = export_store(store, args.out, args.export, options, line, cancel)
        return _Outcome(video, report, files)
    except Cancelled:
        raise
    except AVSegError as error:
        return _Outcome(video, error=error)
    finally:
        line.close()


def _tell(video: Path, report: RunReport) -> None:
    """What the user should know about a run that is not said by its files."""
    if report.reused:
        print(f"{video.name}: continued a run that had {report.reused} of its masks.", file=sys.stderr)
    for note in report.header.notes:
        print(f"{video.name}: {note}", file=sys.stderr)


def _sentence(outcome: _Outcome) -> str:
    """The result for people."""
    assert outcome.report is not None
    assert outcome.files is not None
    report = outcome.report
    count = report.header.planned
    masks = f"{count} {'mask' if count == 1 else 'masks'} in {report.store}"
    return f"{outcome.video}: {masks} ({_speed(report)}), {describe_files(outcome.files)}"


def _speed(report: RunReport) -> str:
    factor = _real_time_factor(report)
    return "nothing was left to do" if factor is None else f"{factor:.1f} x real time"


def _real_time_factor(report: RunReport) -> float | None:
    """Seconds of video per second of work, over the share of the windows that this run computed."""
    share = report.computed / max(report.header.planned, 1)
    return report.header.duration * share / report.seconds if report.computed and report.seconds else None


def _as_json(segmenter: Segmenter | None, threshold: float, outcomes: list[_Outcome]) -> dict[str, Any]:
    """The result for programs."""
    videos = [_video_as_json(outcome) for outcome in outcomes]
    if segmenter is None:
        return {"videos": videos}
    return {
        "model": segmenter.name,
        "model_sha256": segmenter.model_hash,
        "device": str(segmenter.device),
        "device_reason": segmenter.device_reason,
        "threshold": threshold,
        "videos": videos,
    }


def _video_as_json(outcome: _Outcome) -> dict[str, Any]:
    report = outcome.report
    if report is None or outcome.files is None:
        return {"video": str(outcome.video), "error": str(outcome.error), "exit_code": outcome.exit_code}
    header = report.header
    return {
        "video": str(outcome.video),
        "duration": header.duration,
        "width": header.width,
        "height": header.height,
        "fps": str(header.fps),
        "settings": header.settings,
        "masks": header.planned,
        "continued_from": report.reused,
        "seconds": round(report.seconds, 3),
        "real_time_factor": _real_time_factor(report),
        "notes": list(header.notes),
        "store": str(report.store),
        "files": names_of(outcome.files),
    }


def _rate(text: str) -> float:
    value = number(text)
    if not 0 < value <= _HIGHEST_RATE:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most {_HIGHEST_RATE:g}")
    return value
