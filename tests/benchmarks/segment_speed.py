"""How fast `segment` is on a 720p clip at one mask per second, and whether its memory depends on the length.

    python -m tests.benchmarks.segment_speed [--model SPEC]

Targets: at least 5 x real time on two idle cores without a GPU; 20 minutes of video take at most 5 % more memory than
one minute. The exit code is 1 if one of them is missed. Other programs on the machine count against the first, less so
against the processor time, which is told too; the parts are timed one at a time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from avseg_core.config import InferenceConfig
from avseg_core.inference.speed import Contestant, compare, measure_run
from avseg_core.inference.speed_clip import make_clip

SPEED_TARGET = 5.0
MEMORY_TARGET = 1.05
RUNS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=InferenceConfig().model, metavar="SPEC", help="as for `avseg bench`")
    contestant = Contestant.parse(parser.parse_args().model)
    with tempfile.TemporaryDirectory() as folder:
        minute = make_clip(Path(folder) / "1.mp4", 60)
        runs = [measure_run(contestant, minute) for _ in range(RUNS)]
        factor = max(run.factor for run in runs)
        short = max(run.peak for run in runs)
        print(f"{contestant.spec}: {factor:.2f} x real time at 720p, 1 mask/s (best of {RUNS}; target {SPEED_TARGET})")
        print(f"processor time: {min(run.processor for run in runs):.0f} ms per second of video, all threads together")
        print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        (parts,) = compare([contestant], minute)
        times = ", ".join(f"{part} {milliseconds:.0f}" for part, milliseconds in parts.milliseconds.items())
        print(f"parts on {parts.threads} thread(s), ms per mask: {times}")
        long = measure_run(contestant, make_clip(Path(folder) / "20.mp4", 1200)).peak
    growth = long / short
    print(f"peak memory: {short:.0f} MB for 1 min, {long:.0f} MB for 20 min ({growth:.3f} x; target {MEMORY_TARGET})")
    return 0 if factor >= SPEED_TARGET and growth <= MEMORY_TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
