"""Delays of the live mode on this machine: `python -m tests.benchmarks.live_latency [--seconds 60]`.

Prints, for both places of the sound's window, mask updates per second and the delay from capture to mask with its
parts. Close everything else first: another busy program doubles the numbers on two cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig, LiveResult
from avseg_core.inference.live_model import LiveModel
from avseg_core.media.capture import CameraOptions
from avseg_core.media.capture_sources import camera, default_sound, microphone
from avseg_core.media.capture_stream import PlayClock

WARM_UP = 10
"""Masks that do not count: the first ones compile and fill caches."""
PARTS = ("capture", "wait", "visual", "audio", "head", "total")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--source", default="test")
    parser.add_argument("--mic")
    parser.add_argument("--model", default=LiveConfig().model)
    parser.add_argument("--no-flow", action="store_true", help="without laying masks onto every picture")
    args = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    print(f"{'window':<9}{'masks/s':>8}{'pic/s':>7}{'p50':>6}{'p95':>6}  " + "".join(f"{part:>9}" for part in PARTS))
    for window in ("ending", "centred"):
        measure(LiveConfig(model=args.model, window=window), args)  # type: ignore[arg-type]


def measure(config: LiveConfig, args: argparse.Namespace) -> None:
    """One line of the table; times in milliseconds, parts as medians of updates that looked at a new picture."""
    results: list[LiveResult] = []
    play = PlayClock()
    session = LiveSession(
        camera(args.source, CameraOptions(), play, loop=True),
        microphone(args.mic or default_sound(args.source), args.source, play, loop=True),
        config,
        SessionListener(on_result=results.append),
        show_masks=not args.no_flow,
    )
    model = LiveModel.load(config)
    session.start()
    session.segment_with(model)
    while len(results) < WARM_UP:
        if session.model_problem:
            sys.exit(session.model_problem)
        time.sleep(0.05)
    results.clear()
    start, frames = time.monotonic(), session.camera.frames
    time.sleep(args.seconds)
    seconds, pictures = time.monotonic() - start, session.camera.frames - frames
    measured, counters = list(results), session.counters
    session.stop()
    if not any(not result.reused for result in measured):
        print(f"{config.window:<9}no new picture was looked at in {seconds:.0f} s: measure for longer")
        return
    totals = sorted(result.latency.total * 1000 for result in measured)
    p50, p95 = totals[len(totals) // 2], totals[int(len(totals) * 0.95)]
    fresh = [result.latency for result in measured if not result.reused]
    parts = "".join(f"{statistics.median(vars(latency)[part] for latency in fresh) * 1000:9.0f}" for part in PARTS)
    print(f"{config.window:<9}{len(measured) / seconds:8.1f}{pictures / seconds:7.1f}{p50:6.0f}{p95:6.0f}  {parts}")
    print(
        f"{'':<9}overflows {counters.overflows}, missing sound {counters.gaps} s, reused {counters.reused}, "
        f"updates skipped {counters.skipped}, pictures lost by the source {counters.frames_lost}"
    )


if __name__ == "__main__":
    main()
