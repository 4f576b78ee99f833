"""`synthesize`: a labelled data set from cut-outs, backgrounds and sounds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `synthesize`."""
    parser.add_argument(
        "source", type=Path, help="folder with cutouts/<class>/*.png, sounds/<class>/*.wav and backgrounds/*.jpg"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the new data set, for `train` and `evaluate`"
    )
    parser.add_argument("--clips", type=int, default=100, help="over all splits (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=int, default=5, help="of each clip, one mask per second (default: %(default)s)"
    )
    parser.add_argument("--size", default="640x360", metavar="WxH", help="of the clips (default: %(default)s)")
    parser.add_argument("--things", type=int, default=3, help="most things in a clip, at most 5 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same clips (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Writes the data set and says how many clips each split has.

    Raises:
        InputError: a bad option, or something is missing in the source folder.
        Cancelled: the user stopped it; finished clips stay and the next call continues.
    """
    from avseg_core.data.synthesize import SynthesisOptions, synthesize

    width, height = _size(args.size)
    if args.clips < 1 or args.seconds < 1 or not 1 <= args.things <= 5:
        raise InputError("--clips and --seconds must be at least 1, --things 1 to 5.")
    options = SynthesisOptions(
        clips=args.clips, seconds=args.seconds, width=width, height=height, most_things=args.things, seed=args.seed
    )
    line = ProgressLine("synthesize")
    with stoppable() as cancel:
        counts = synthesize(args.source, args.out, options, progress=line, cancel=cancel)
    line.close()
    if args.json:
        print(json.dumps({"out": str(args.out), "clips": counts}))
    else:
        print(f"{args.out}: " + ", ".join(f"{count} {split} clips" for split, count in counts.items()))
    return 0


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 32):
        raise InputError(f"--size {text}: write width x height in pixels, for instance 640x360.")
    return int(width), int(height)
