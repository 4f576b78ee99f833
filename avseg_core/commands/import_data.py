"""`import-data`: COCO or YouTube-VIS annotations, or plain videos, become a data set folder to train on."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from avseg_core.commands.options import positive
from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.data.import_report import ImportOptions, ImportReport
from avseg_core.data.importing import import_data

_LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `import-data`."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="an annotation file or a folder of them, a video or a folder of videos",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the data set folder to make or add to")
    parser.add_argument(
        "--media", type=Path, metavar="DIR", help="where videos, or pictures and sounds, lie (default: beside SOURCE)"
    )
    parser.add_argument("--categories", nargs="+", default=[], metavar="NAME", help="what sounds (default: everything)")
    parser.add_argument("--classes", action="store_true", help="keep the categories apart as classes of the masks")
    parser.add_argument(
        "--fps", type=positive, metavar="N", help="pictures per second, where there are pictures instead of videos"
    )
    parser.add_argument(
        "--frames",
        type=float,
        default=1.0,
        metavar="HZ",
        help="pictures per second to annotate, of videos without masks (default: 1; 0 for none)",
    )


def run(args: argparse.Namespace) -> int:
    """Imports and says what was left out."""
    options = ImportOptions(args.media, tuple(args.categories), args.classes, args.fps, args.frames)
    line = ProgressLine(str(args.source))
    with stoppable() as cancel:
        report = import_data(args.source, args.out, options, progress=line, cancel=cancel)
    line.close()
    if args.json:
        values = dataclasses.asdict(report)
        print(json.dumps({**values, "folder": str(report.folder)}))
    else:
        print(describe(report))
    return 0


def describe(report: ImportReport) -> str:
    """What was imported, in words."""
    counts = [f"{report.clips} clips", f"{report.masks} masks" if report.masks else ""]
    counts += [f"{report.pictures} pictures to annotate" if report.pictures else ""]
    counts += [f"{report.kept} clips were there already" if report.kept else ""]
    lines = [f"{report.folder}: {', '.join(part for part in counts if part)}"]
    lines += [f"  left out: {problem.what}" for problem in report.problems[:_LISTED]]
    if len(report.problems) > _LISTED:
        lines.append(f"  ... and {len(report.problems) - _LISTED} more")
    if report.pictures:
        lines.append(
            "Save the mask of a picture clip.frames/1.500.png as clip.masks/1.500.png, not black where it sounds."
        )
    return "\n".join(lines)
