"""The window's side of the inference process: typed signals, stale answers dropped, a dead process replaced."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from avseg_app.workers import inference_process
from avseg_app.workers.child import Child, describe_exit
from avseg_app.workers.protocol import (
    FeatureMaps,
    JobEnded,
    JobStarted,
    LoadModel,
    ModelFailed,
    ModelReady,
    Playhead,
    StartJob,
    StopJob,
    WantMaps,
    WindowsDone,
)

_DEATHS = 3
_DEATHS_WITHIN_SECONDS = 60.0


class InferenceClient(QObject):
    """One inference process at a time, and the job it works on."""

    model_ready = Signal(object)
    model_failed = Signal(object)
    job_started = Signal(object)
    windows_done = Signal(object)
    job_ended = Signal(object)
    maps_ready = Signal(object)
    restarted = Signal(str)
    """Why the process had to be replaced; its job goes on in the new one."""
    gave_up = Signal(str)
    """Why no new process was started; `start` tries again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: Child | None = None
        self._model = ""
        self._job: StartJob | None = None
        self._generation = 0
        self._deaths: list[float] = []

    @property
    def pid(self) -> int | None:
        """The process id of the worker."""
        return self._child.pid if self._child else None

    def start(self, model: str) -> None:
        """Starts the process if there is none, and has `model` loaded; an unfinished job goes on."""
        self._model = model
        self._deaths.clear()
        if self._child is None:
            self._spawn()
        else:
            self._child.send(LoadModel(model))

    def close(self) -> None:
        """Ends the process."""
        child, self._child = self._child, None
        self._deaths.clear()
        if child is not None:
            child.stop()

    def segment(self, video: Path, model: str, rate: float, store: Path, playhead: float) -> None:
        """Makes this the job; answers to earlier ones are no longer passed on.

        A process that was given up gets another chance: what killed it may have been the video.
        """
        self._model = model
        self._generation += 1
        self._job = StartJob(self._generation, video, model, rate, store, playhead)
        if self._child is None and self._deaths:
            self.start(model)
        else:
            self._send(self._job)

    def stop(self) -> None:
        """Stops the job; what is done stays."""
        if self._job is not None:
            self._send(StopJob(self._generation))
            self._job = None

    def forget(self) -> None:
        """Stops the job and hears nothing more of it."""
        self.stop()
        self._generation += 1

    def look_at(self, time: float) -> None:
        """Tells where the user looks, in seconds."""
        if self._job is not None:
            self._job = replace(self._job, playhead=time)
            self._send(Playhead(self._generation, time))

    def want_maps(self, index: int) -> None:
        """Asks for the mixed mask feature of window `index`."""
        self._send(WantMaps(self._generation, index))

    def _send(self, message: object) -> None:
        if self._child is not None:
            self._child.send(message)

    def _spawn(self) -> None:
        self._child = Child(inference_process.main, "inference", self)
        self._child.received.connect(self._on_answer)
        self._child.ended.connect(self._on_death)
        self._child.send(LoadModel(self._model))
        if self._job is not None:
            self._child.send(self._job)

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, ModelReady):
            self.model_ready.emit(answer)
        elif isinstance(answer, ModelFailed):
            self.model_failed.emit(answer)
        elif answer.generation != self._generation:
            return
        elif isinstance(answer, JobStarted):
            self.job_started.emit(answer)
        elif isinstance(answer, WindowsDone):
            self.windows_done.emit(answer)
        elif isinstance(answer, FeatureMaps):
            self.maps_ready.emit(answer)
        elif isinstance(answer, JobEnded):
            if answer.outcome != "done":  # a finished job stays open, for its maps
                self._job = None
            self.job_ended.emit(answer)

    def _on_death(self, code: object) -> None:
        """Replaces the process, unless it dies again and again."""
        if self._child is None or self.sender() is not self._child:
            return
        self._child.deleteLater()
        self._child = None
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < _DEATHS_WITHIN_SECONDS] + [now]
        reason = describe_exit(code)
        if len(self._deaths) >= _DEATHS:
            self.gave_up.emit(reason)
            return
        self._spawn()
        self.restarted.emit(reason)
