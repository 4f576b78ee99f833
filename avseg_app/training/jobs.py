"""The runs that there are, followed through their folders: started, queued, driven and re-attached without a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from avseg_app.training.added_runs import add_runs, forget_run, read_added
from avseg_app.training.processes import start_detached
from avseg_app.workers.background import Background
from avseg_core.config import TrainConfig
from avseg_core.errors import AVSegError, InputError
from avseg_core.training import control
from avseg_core.training.events import Evaluated, Notice, Started
from avseg_core.training.history import Curves, History
from avseg_core.training.library import delete_run
from avseg_core.training.run_store import Run, RunStatus, process_exists

POLL_MS = 700
LAUNCH_FILE = "launch.json"
LOG_FILE = "log.txt"
_SLEPT_SECONDS = 15.0
"""Nobody looked for so long: this machine slept, and the runs on it too."""
_DIVERGED = "Training diverged"
"""How the message of such a failure begins."""
_LOG_TAIL = 64 * 1024
_LONGEST_NAME = 60
_START_SECONDS = 600.0
"""A process that has said nothing for so long after its start is another one that got its number."""


@dataclass(frozen=True)
class CurveData:
    """The curves of a run as arrays of equal length; a copy that nobody changes."""

    steps: NDArray[np.float64]
    series: dict[str, NDArray[np.float64]]
    """loss, lr, compute, data, and "part:NAME" for every part of the loss"""

    @classmethod
    def of(cls, curves: Curves) -> CurveData:
        series = {"loss": curves.loss, "lr": curves.learning_rate, "compute": curves.compute_ms, "data": curves.data_ms}
        series |= {f"part:{name}": values for name, values in curves.parts.items()}
        return cls(np.array(curves.steps, float), {name: np.array(values, float) for name, values in series.items()})


@dataclass(frozen=True)
class RunView:
    """Everything the window shows of one run, at one moment."""

    run: Run
    status: RunStatus
    queued: bool
    config: TrainConfig | None
    started: Started | None
    evaluations: tuple[Evaluated, ...]
    notices: tuple[Notice, ...]
    best: Evaluated | None
    memory_mb: float
    curves: CurveData | None
    """Only of watched runs."""

    @property
    def name(self) -> str:
        return self.run.folder.name

    @property
    def is_active(self) -> bool:
        """A process works in it, or is about to."""
        return self.status.state in ("running", "paused") or (self.status.state == "new" and not self.queued)

    @property
    def diverged(self) -> bool:
        """The loss or a weight was no number any more."""
        return self.status.state == "failed" and self.status.message.startswith(_DIVERGED)

    @property
    def can_resume(self) -> bool:
        """It stopped where it can go on."""
        interrupted = self.status.state == "finished" and self.status.message in ("interrupted", "cancelled")
        return self.status.state in ("dead", "failed") or interrupted


class _Watched:
    """One run folder as the background thread follows it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.history = History(run.events_file)
        self.launch: dict = {}
        self.refused = ""
        """Why its process could not be started when its turn came."""
        self._config: TrainConfig | None = None
        self._curves: CurveData | None = None

    def view(self, *, with_curves: bool, launched_here: bool, woke: float) -> RunView:
        """`launched_here`: what the folder says of its start is ours; one from elsewhere must start nothing."""
        fresh = self.history.poll()
        self.launch = _read_launch(self.run) if launched_here else {}
        if self._config is None or fresh:
            with contextlib.suppress(AVSegError):
                self._config = self.run.config()
        if with_curves and (fresh or self._curves is None):
            self._curves = CurveData.of(self.history.curves)
        history = self.history
        return RunView(
            run=self.run,
            status=self._status(woke),
            queued=bool(self.launch.get("queued")) and not self.refused,
            config=self._config,
            started=history.started,
            evaluations=tuple(history.evaluations),
            notices=tuple(history.notices[-50:]),
            best=history.best(),
            memory_mb=history.memory_mb,
            curves=self._curves if with_curves else None,
        )

    def _status(self, woke: float) -> RunStatus:
        """As the events say; where there are none since the launch, as the process and its log say."""
        status = self.history.status(woke=woke)
        pid, began = self.launch.get("pid"), float(self.launch.get("time", 0.0))
        if self.refused:
            status.state, status.message = "failed", self.refused
        elif self.launch.get("queued"):
            status.state = "new"
        elif status.last_sign_of_life < began:
            if isinstance(pid, int) and time.time() - began < _START_SECONDS and process_exists(pid):
                status.state, status.phase = "new", "starting"
            else:
                status.state = "failed"
                status.message = _last_words(self.run)
        ours = isinstance(pid, int) and status.pid in (0, pid)
        if ours and status.state in ("running", "paused") and not process_exists(pid):
            status.state = "dead"  # seen before a heartbeat is missed
        return status


class Jobs(QObject):
    """All runs in one folder. Reading, starting and asking happen on a thread; views come by signal."""

    changed = Signal(list)
    """All runs as RunView, the newest first"""
    failed = Signal(str)
    added = Signal(object)
    """Folder of a run from elsewhere"""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self.views: list[RunView] = []
        self._shown: frozenset[Path] = frozenset()
        self._known: dict[Path, _Watched] = {}
        self._children: dict[Path, subprocess.Popen[bytes]] = {}
        self._work = Background("runs", self)
        self._waiting = False
        self._looked, self._woke = time.time(), 0.0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self.refresh()

    def close(self) -> None:
        """Stops looking; the runs go on."""
        self._timer.stop()
        self._work.close()

    def watch(self, *folders: Path) -> None:
        """From now on views of these runs carry their curves."""
        self._shown = frozenset(folders)
        self.refresh()

    def refresh(self) -> None:
        """Looks again, unless a look is under way."""
        if not self._waiting:
            self._waiting = True
            shown = self._shown
            self._work.submit(lambda: self._look(shown), self._on_views, self._on_problem)

    def start(self, name: str, words: Sequence[str], *, wait: bool) -> Path:
        """Starts `avseg train --out FOLDER/name WORDS`, or lets it wait until no other run is active."""
        folder = self.folder / name
        self._ask(lambda: self._launch(folder, list(words), queued=wait))
        return folder

    def resume(self, view: RunView) -> None:
        """Starts a process that goes on with a run that stopped; one that diverged learns ten times slower."""
        if self.is_added(view):
            words = ["--config", str(view.run.config_file)]
        else:
            words = list(_read_launch(view.run).get("words") or [])
        if view.diverged and view.config is not None:
            words += ["--set", f"learning_rate={view.config.learning_rate / 10:g}"]
        self._ask(lambda: self._launch(view.run.folder, words, queued=False))

    def request(self, view: RunView, request: control.Request) -> None:
        """Asks the process of a run for something; a queued run is only taken off the queue."""

        def ask() -> None:
            if view.queued and _read_launch(view.run).get("queued"):
                shutil.rmtree(view.run.folder)
            else:  # its turn may have come since the window was drawn
                control.send(view.run.folder, request)

        self._ask(ask)

    def add(self, place: Path) -> None:
        """Shows the run, or the runs, in a folder from elsewhere; `added` tells the first one."""
        self._work.submit(lambda: add_runs(self.folder, place), self._on_added, self._on_problem)

    def is_added(self, view: RunView) -> bool:
        """Whether a run lies elsewhere than the runs of this machine."""
        return view.run.folder.parent != self.folder

    def delete(self, view: RunView) -> None:
        """Deletes the folder of a run that is not active; one from elsewhere is only not shown any more."""
        if self.is_added(view):
            self._ask(lambda: forget_run(self.folder, view.run.folder))
        elif view.run.config_file.is_file():
            self._ask(lambda: delete_run(view.run))
        else:
            self._ask(lambda: shutil.rmtree(view.run.folder))

    # --- on the thread ----------------------------------------------------------------------------------------------

    def _look(self, shown: frozenset[Path]) -> list[RunView]:
        now = time.time()
        if now - self._looked > _SLEPT_SECONDS:
            self._woke = now
        self._looked = now
        for child in self._children.values():
            child.poll()  # collects those that have ended
        folders = _run_folders(self.folder)
        self._known = {folder: self._known.get(folder) or _Watched(Run(folder)) for folder in folders}
        views = [self._view(folder, shown) for folder in self._known]
        waiting = [number for number, view in enumerate(views) if view.queued]
        if waiting and not any(view.is_active for view in views):
            folder = views[waiting[-1]].run.folder
            watched = self._known[folder]
            try:
                self._launch(folder, list(watched.launch.get("words") or []), queued=False)
            except InputError as error:  # told once, in its place, and not tried again by itself
                watched.refused = str(error)
            views[waiting[-1]] = self._view(folder, shown)  # nobody is to see it queued any more
        return views

    def _view(self, folder: Path, shown: frozenset[Path]) -> RunView:
        here = folder.parent == self.folder or folder in self._children
        return self._known[folder].view(with_curves=folder in shown, launched_here=here, woke=self._woke)

    def _launch(self, folder: Path, words: list[str], *, queued: bool) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            control.clear(folder)  # of an earlier start; from now on every request is meant for this one
            launch: dict[str, object] = {"words": words, "time": time.time(), "queued": queued}
            _write_launch(folder, launch)
            if queued:
                return
            command = ["train", "--out", str(folder), *words, "--resume"]
            child = start_detached(command, folder / LOG_FILE)
            self._children[folder] = child
            _write_launch(folder, {**launch, "pid": child.pid})
            if folder in self._known:
                self._known[folder].refused = ""
        except OSError as error:
            raise InputError(f"{folder}: cannot hold a run ({error.strerror or error}).") from None

    # --- back in the window -----------------------------------------------------------------------------------------

    def _ask(self, work) -> None:
        def guarded() -> None:
            try:
                work()
            except OSError as error:
                raise AVSegError(str(error)) from None

        self._work.submit(guarded, lambda _: self.refresh(), lambda error: self.failed.emit(str(error)))

    def _on_added(self, folders: list[Path]) -> None:
        self.refresh()
        self.added.emit(folders[0])

    def _on_views(self, views: list[RunView]) -> None:
        self._waiting = False
        self.views = views
        self.changed.emit(views)

    def _on_problem(self, error: AVSegError) -> None:
        self._waiting = False
        self.failed.emit(str(error))


def free_run_name(wanted: str, taken: Sequence[str]) -> str:
    """`wanted`-1, or the next number that is free; of any name, such as a data folder's, what a run may be called."""
    base = re.sub(r"[^\w. -]+", "-", wanted)[:_LONGEST_NAME].strip(" .-") or "run"
    numbers = range(1, len(taken) + 2)
    return next(f"{base}-{number}" for number in numbers if f"{base}-{number}" not in taken)


def read_log(run: Run) -> str:
    """The end of what the process of a run printed."""
    try:
        with (run.folder / LOG_FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _run_folders(folder: Path) -> list[Path]:
    """Folders that hold a run, also one that has only been asked for or lies elsewhere; the newest first."""
    try:
        entries = [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
    found = [entry for entry in entries if (entry / LAUNCH_FILE).exists() or (entry / "config.toml").exists()]
    found += [added for added in read_added(folder) if added not in found]
    return sorted(found, key=_age, reverse=True)


def _age(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return max(path.stat().st_mtime for path in (folder / LAUNCH_FILE, folder / "config.toml") if path.exists())
    return 0.0


def _read_launch(run: Run) -> dict:
    try:
        values = json.loads((run.folder / LAUNCH_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write_launch(folder: Path, values: dict[str, object]) -> None:
    partial = folder / f"{LAUNCH_FILE}.partial"
    partial.write_text(json.dumps(values) + "\n", encoding="utf-8")
    os.replace(partial, folder / LAUNCH_FILE)


def _last_words(run: Run) -> str:
    lines = [line.strip() for line in read_log(run).splitlines() if line.strip()]
    return lines[-1].removeprefix("avseg: ") if lines else ""
