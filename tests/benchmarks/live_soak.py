"""The live mode for a long time: `python -m tests.benchmarks.live_soak [--minutes 60]`.

Prints memory, updates and everything that was lost once a minute, and fails if memory grows or sound overflows.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.live_model import LiveModel
from avseg_core.inference.live_recording import RecordOptions
from avseg_core.media.capture import CameraOptions
from avseg_core.media.capture_sources import camera, default_sound, microphone
from avseg_core.media.capture_stream import PlayClock

SETTLED_SECONDS = 90.0
"""Rings and caches are full by then; memory is compared from here on."""
MOST_GROWTH = 30 << 20


def main() -> int:
    """Runs, prints a line per interval, and judges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between lines")
    parser.add_argument("--source", default="test")
    parser.add_argument("--mic")
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    config, play = LiveConfig(), PlayClock()
    session = LiveSession(
        camera(args.source, CameraOptions(), play, loop=True),
        microphone(args.mic or default_sound(args.source), args.source, play, loop=True),
        config,
        SessionListener(on_trouble=lambda text: print(text)),
        show_masks=True,
    )
    session.start()
    session.segment_with(LiveModel.load(config))
    if args.record:
        session.record(RecordOptions(folder=args.record))
    growth = watch(session, args.minutes * 60, args.every)
    counters = session.counters
    session.stop()
    good = growth < MOST_GROWTH and counters.overflows == 0
    print(f"memory grew by {growth / 1e6:.1f} MB; overflows {counters.overflows}: {'good' if good else 'BAD'}")
    return 0 if good else 1


def watch(session: LiveSession, seconds: float, every: float) -> int:
    """Prints a line per interval; returns by how many bytes memory grew since it had settled."""
    start, settled, growth, seen = time.monotonic(), 0, 0, 0
    while (passed := time.monotonic() - start) < seconds:
        time.sleep(min(every, seconds - passed))
        passed, memory, counters = time.monotonic() - start, resident(), session.counters
        if passed >= min(SETTLED_SECONDS, seconds / 2):
            settled = settled or memory
            growth = memory - settled
        rate, seen = (counters.results - seen) / every, counters.results
        p50, p95 = (session.latency.percentile(share) or 0.0 for share in (50, 95))
        print(
            f"{passed:7.0f} s  {memory / 1e6:7.1f} MB  {rate:5.1f} masks/s  {session.camera.fps:5.1f} pictures/s  "
            f"p50 {p50 * 1000:4.0f} ms  p95 {p95 * 1000:4.0f} ms  overflows {counters.overflows}  "
            f"gaps {counters.gaps} s  drift {session.microphone.time.drift_ppm:+.0f} ppm",
            flush=True,
        )
    return growth


def resident() -> int:
    """Bytes of memory that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmRSS: this benchmark needs Linux")


if __name__ == "__main__":
    sys.exit(main())
