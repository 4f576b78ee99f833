"""How fast video and sound are read: python -m tests.benchmarks.media_speed [VIDEO] (default: a minute of 720p).

Prints the time to open, pictures per second one after the other, times real time for one picture per second, the wait
for a picture somewhere else, times real time for sound, and the memory held at the most.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from avseg_core.media import AudioReader, VideoReader
from tests.media_fixtures import Clip, Tone, write_clip


def timed(action: Callable[[], object]) -> float:
    """Seconds that `action` takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def measure(path: Path) -> None:
    """Prints one line per figure."""
    print(f"open                {timed(lambda: VideoReader(path).close()):8.3f} s")
    with VideoReader(path) as reader:
        stop = min(reader.info.duration, 60.0)
        count = reader.index_at(stop) + 1
        print(f"all pictures        {count / timed(lambda: list(map(id, reader.frames(0, stop)))):8.0f} per second")
    with VideoReader(path) as reader:
        seconds = np.arange(0.5, stop)
        spent = timed(lambda: [id(frame) for frame in reader.frames_at(seconds.tolist())])
        print(f"one per second      {stop / spent:8.1f} x real time")
        places = [random.Random(k).uniform(0, reader.info.duration) for k in range(20)]
        print(f"somewhere else      {1000 * timed(lambda: [reader.frame_at(t) for t in places]) / 20:8.0f} ms")
    for rate, channels in ((16000, 1), (48000, 2)):
        with AudioReader(path, rate, channels) as sound:
            spent = timed(lambda sound=sound: [sound.read(float(second), 1.0) for second in range(int(stop))])
            print(f"sound {rate} x {channels}     {stop / spent:8.0f} x real time")
    print(f"memory              {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            clip = Clip(options={"preset": "veryfast", "bf": "3"})
            measure(write_clip(Path(folder) / "a.mp4", 1800, size=(1280, 720), clip=clip, tones=[Tone(seconds=60.0)]))
