"""Some seconds of everything at once: nothing overflows, nothing piles up. Hours: `tests/benchmarks/live_soak.py`."""

import time
import tracemalloc
from pathlib import Path

from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.live_recording import RecordOptions
from avseg_core.media.capture import CameraOptions
from avseg_core.media.capture_test_source import TestCamera, TestMicrophone
from tests.live_fixtures import running, scene_model, wait_for


def test_some_seconds_leave_no_trace(tmp_path: Path) -> None:
    options = CameraOptions(width=320, height=240)
    session = LiveSession(lambda: TestCamera(options), TestMicrophone, LiveConfig(), SessionListener(), show_masks=True)
    with running(session):
        session.segment_with(scene_model())
        session.record(RecordOptions(folder=tmp_path))
        assert wait_for(lambda: session.counters.results > 15)
        time.sleep(1.2)  # rings and histories are full now
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        results = session.counters.results
        time.sleep(3)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        counters = session.counters
        recorded = session.stop_recording()
    assert counters.results > results + 8
    assert (counters.overflows, counters.gaps, counters.broken_samples) == (0, 0, 0)
    assert (counters.camera_reopened, counters.microphone_reopened) == (0, 0)
    # What is allocated in the meantime replaces what was there before and was not traced: the pictures of a second.
    assert after - before < 25 << 20
    assert recorded is not None
    assert recorded.dropped_masks == 0
    assert recorded.media.problem == ""
