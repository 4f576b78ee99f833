"""How long the window's event loop is ever blocked while the demo clip plays, is scrubbed and is being segmented.

    python -m tests.benchmarks.gui_thread

The real main window with the shipped model at eight masks per second, without a screen. A timer that is due every 5 ms
measures how late it is; the processor time of the window's own thread tells its work from waiting for a busy machine.
Target: no block over 16 ms, so that every screen refresh can be met; the exit code is 1 if the work of the thread
alone misses it at the 99th percentile. Blocks over the target are listed with where the thread was.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings, Qt, QTimer

from avseg_app.app import make_application, open_window
from avseg_app.paths import DEMO_CLIP
from avseg_app.settings import SettingsStore

TARGET_MS = 16.0
_TICK_MS = 5
_SCRUB_MS = 33
_SECONDS = 6.0


class Probe:
    """Ticks in the event loop; a second thread looks where the first one is when a tick is overdue."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.work: list[float] = []
        self.culprits: Counter[str] = Counter()
        self._last, self._cpu = time.perf_counter(), time.thread_time()
        self._main, self._open = threading.get_ident(), True
        self._timer = QTimer(interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.late.append(max(0.0, 1000 * (now - self._last) - _TICK_MS))
        self.work.append(1000 * (cpu - self._cpu))
        self._last, self._cpu = now, cpu

    def _watch(self) -> None:
        while self._open:
            time.sleep(TARGET_MS / 2000)
            began = self._last
            if 1000 * (time.perf_counter() - began) > TARGET_MS + _TICK_MS:
                frames = traceback.extract_stack(sys._current_frames()[self._main])
                ours = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-3:]]
                self.culprits[" < ".join(reversed(ours))] += 1

    def stop(self) -> None:
        self._timer.stop()
        self._open = False


def main() -> int:
    with tempfile.TemporaryDirectory() as private:
        os.environ.update(
            QT_QPA_PLATFORM="offscreen", XDG_CACHE_HOME=f"{private}/cache", XDG_DATA_HOME=f"{private}/data"
        )
        missed = measure(Path(private))
    print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(missed)


def measure(private: Path) -> bool:
    """Plays and scrubs while the clip is segmented; True if the target is missed."""
    from tests.benchmarks.screenshots import pause, wait  # not above: the inference process imports this file too

    settings = SettingsStore(QSettings(str(private / "settings.ini"), QSettings.Format.IniFormat))
    settings.update(rate=8.0)
    window = open_window(make_application(), settings)
    player, controller = window.controller.player, window.controller
    ready: list[object] = []
    controller.device_changed.connect(ready.append)
    wait(lambda: bool(ready))
    probes = {"opening": Probe()}
    window.open(DEMO_CLIP)
    wait(lambda: controller.document is not None and controller.document.done > 0)
    probes["opening"].stop()
    missed = False
    for name, playing, scrubbing in (("playing", True, False), ("scrubbing", False, True), ("both", True, True)):
        probes[name] = Probe()
        if playing:
            player.play()
        began = time.perf_counter()
        while time.perf_counter() - began < _SECONDS:
            if scrubbing:
                share = (time.perf_counter() - began) / _SECONDS
                window.workspace.timeline.seek_requested.emit(player.duration * abs(1 - 2 * share))
            pause(_SCRUB_MS)
        player.pause()
        probes[name].stop()
        print(f"{name}: {controller.document.done} of {controller.document.count} masks done at its end")
    for name, probe in probes.items():
        missed |= _report(name, probe)
    window.close()
    return missed


def _report(name: str, probe: Probe) -> bool:
    work = float(np.percentile(probe.work, 99))
    for what, values in (("late", probe.late), ("work", probe.work)):
        low, high = np.percentile(values, [95, 99])
        print(f"{name:10} {what}: p95 {low:5.1f} ms, p99 {high:5.1f} ms, longest {max(values):5.1f} ms")
    for place, times in probe.culprits.most_common(5):
        print(f"{'':10} {times} x {place}")
    return name != "opening" and work > TARGET_MS


if __name__ == "__main__":
    sys.exit(main())
