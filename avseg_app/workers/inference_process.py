"""The inference process: the only one that owns a model. Everything here runs in the child."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from avseg_app.workers.protocol import (
    Answer,
    JobEnded,
    LoadModel,
    ModelFailed,
    ModelReady,
    Playhead,
    Request,
    StartJob,
    StopJob,
    WantMaps,
)
from avseg_core.errors import AVSegError

if TYPE_CHECKING:
    from avseg_app.workers.segment_job import SegmentJob
    from avseg_core.inference.segmenter import Segmenter

_NICENESS = 5
log = logging.getLogger(__name__)


def main(connection: Connection) -> None:
    """Serves requests until the window goes away; the window's process decides when to end it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(connection)
    if hasattr(os, "nice"):  # only now: getting ready is what the user waits for
        os.nice(_NICENESS)
    worker.run()


class Inbox:
    """Requests as they come in; a second thread reads the pipe, so that nothing waits for the model to look."""

    def __init__(self, connection: Connection, gone: Callable[[], object]) -> None:
        self._connection, self._gone = connection, gone
        self._requests: deque[Request] = deque()
        self._wake = threading.Condition()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()

    def take(self, wait: bool) -> list[Request]:
        """All waiting requests; with `wait`, at least one."""
        with self._wake:
            while wait and not self._requests:
                self._wake.wait()
            taken = list(self._requests)
            self._requests.clear()
        return taken

    def _listen(self) -> None:
        while True:
            try:
                request = self._connection.recv()
            except (EOFError, OSError):
                self._gone()
                return
            with self._wake:
                self._requests.append(request)
                self._wake.notify()


class Worker:
    """Does what is most urgent: a click, then what is in view, then the rest of the video."""

    def __init__(self, connection: Connection, gone: Callable[[], object] = lambda: os._exit(0)) -> None:
        """`gone` is called when the window is no more; the store is whole after every commit, so exiting is safe."""
        self._connection = connection
        self._inbox = Inbox(connection, gone)
        from avseg_app.workers import segment_job  # brings torch, while requests already queue up

        self._jobs = segment_job
        self._segmenter: Segmenter | None = None
        self._job: SegmentJob | None = None
        self._generation = 0

    def run(self) -> None:
        """Serves for ever."""
        while True:
            idle = self._job is None or not self._job.busy
            for request in latest(self._inbox.take(wait=idle)):
                self._guard(lambda request=request: self._handle(request))
            if self._job is not None and self._job.busy:
                self._guard(self._advance)

    def _handle(self, request: Request) -> None:
        if isinstance(request, LoadModel):
            self._load(request.model)
        elif isinstance(request, StartJob):
            self._start(request)
        elif self._job is None or request.generation != self._job.generation:
            return
        elif isinstance(request, Playhead):
            self._job.look_at(request.time)
        elif isinstance(request, WantMaps):
            maps = self._job.maps(request.index)
            if maps is not None:
                self._say(maps)
        elif isinstance(request, StopJob):
            self._job.stop()
            self._say(JobEnded(request.generation, "stopped"))

    def _load(self, model: str) -> bool:
        """Makes `model` the loaded one; False (and said) if it cannot be."""
        if self._segmenter is None or self._segmenter.config.model != model:
            self._segmenter = None
            try:
                self._segmenter = self._jobs.load(model)
            except AVSegError as error:
                self._say(ModelFailed(model, str(error)))
                return False
        self._say(ModelReady(model, self._segmenter.device.type, self._segmenter.device_reason))
        return True

    def _start(self, request: StartJob) -> None:
        self._drop_job()
        self._generation = request.generation
        if not self._load(request.model) or self._segmenter is None:
            self._say(JobEnded(request.generation, "failed"))
            return
        self._job = self._jobs.SegmentJob(request, self._segmenter)
        self._say(self._job.started())
        if not self._job.busy:
            self._say(JobEnded(request.generation, "done"))

    def _advance(self) -> None:
        job = self._job
        if job is None:
            return
        self._say(job.advance())
        if not job.busy:
            self._say(JobEnded(job.generation, "done"))

    def _guard(self, action: Callable[[], None]) -> None:
        """Whatever goes wrong ends the job with a line for the user, never the process."""
        try:
            action()
        except AVSegError as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("segmentation failed")
            self._fail(f"Segmentation failed unexpectedly: {error}")

    def _fail(self, message: str) -> None:
        if self._job is not None:
            self._job.stop()
        self._say(JobEnded(self._generation, "failed", message))

    def _drop_job(self) -> None:
        if self._job is not None:
            self._job.close()
            self._job = None

    def _say(self, answer: Answer) -> None:
        self._connection.send(answer)


def latest(requests: list[Request]) -> list[Request]:
    """Without what a later request makes pointless: of each kind that replaces the one before, only the last."""
    kept: list[Request] = []
    seen: set[type] = set()
    for request in reversed(requests):
        if type(request) in seen and isinstance(request, Playhead | WantMaps | StartJob | LoadModel):
            continue
        seen.add(type(request))
        kept.append(request)
    return kept[::-1]
