"""A device kept alive: opened, read in its own thread, watched, given up, tried again, taken back when it returns."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from avseg_core.media.capture import (
    CameraSource,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    MicrophoneSource,
    SourceError,
)

STALL_SECONDS = 1.5
"""Silence of a device after which the user is told."""
START_SECONDS = 4.0
"""The same while it is being opened: a sound server may take seconds before its first block."""
ABANDON_SECONDS = 12.0
"""Silence of a device after which its thread is left behind and it is opened anew."""
FIRST_PAUSE, LAST_PAUSE = 0.5, 8.0
"""Seconds before a lost device is tried again; doubled with each failure."""
HEALTHY_SECONDS = 3.0
"""How long a device must have run for the pause to be short again, and how long an oddity must last to be told."""
_MESSAGES = {
    "silent": "The microphone is silent: check that it is not muted and that its level is up.",
    "invalid": "The microphone delivers broken samples; they are replaced by silence.",
    "late": "The sound comes more than half a second late: masks are of earlier sound; try a wired microphone.",
    "clipping": "The sound is too loud and is cut off; lower the microphone's level.",
    "slow": "The camera delivers few pictures; give it more light or a smaller picture.",
    "frozen": "The camera repeats one picture; unplug it and plug it in again.",
}
Source = TypeVar("Source", CameraSource, MicrophoneSource)
Item = TypeVar("Item")
StatusCallback = Callable[[DeviceStatus], None]
log = logging.getLogger(__name__)


class _Run:
    """One life of a feed's thread; a thread that hangs in its device is left behind with its run."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None


class Feed(ABC, Generic[Source, Item]):
    """What cameras and microphones have in common. `tick` is to be called a few times a second by the owner."""

    kind: DeviceKind

    def __init__(self, make: Callable[[], Source], on_status: StatusCallback, clock: Callable[[], float]) -> None:
        self.reopened = 0
        """How often the device was opened again."""
        self._make: Callable[[], Source] = make
        self._on_status, self._clock = on_status, clock
        self._lock = threading.RLock()
        self._run: _Run | None = None
        self._name = self.kind.capitalize()
        self._status = DeviceStatus(self.kind, self._name, DeviceState.STOPPED)
        self._last = clock()
        self._is_open = False

    @property
    def status(self) -> DeviceStatus:
        """The latest state."""
        return self._status

    @property
    def running(self) -> bool:
        """True while data comes."""
        return self._status.state is DeviceState.RUNNING

    def start(self) -> None:
        """Opens the device in a thread of its own; never waits for it."""
        with self._lock:
            run = self._run = _Run()
            self._last, self._is_open = self._clock(), False
            run.thread = threading.Thread(target=self._live, args=(run,), name=self.kind, daemon=True)
            run.thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Closes the device; a device that hangs is left behind after `timeout` seconds."""
        run = self._leave()
        if run is not None and run.thread is not None and run.thread is not threading.current_thread():
            run.thread.join(timeout)
        self._announce(DeviceState.STOPPED)

    def restart(self) -> None:
        """Opens the device anew, for instance after the machine has slept."""
        self._leave()
        self.reopened += 1
        self.start()

    def tick(self) -> None:
        """Looks for a device that delivers nothing, and tells about oddities."""
        state, run = self._status.state, self._run
        if run is None or state not in (DeviceState.OPENING, DeviceState.RUNNING, DeviceState.STALLED):
            return
        quiet = self._clock() - self._last
        # One that hangs in opening is not opened a second time beside that: it would only find itself busy.
        if quiet > ABANDON_SECONDS and self._is_open:
            self.restart()
        elif quiet > (START_SECONDS if state is DeviceState.OPENING else STALL_SECONDS):
            message = f"{self._name} has delivered nothing for {quiet:.0f} s; it is waited for."
            self._announce(DeviceState.STALLED, message, run=run)
        elif state is DeviceState.RUNNING:
            self._announce(DeviceState.RUNNING, run=run)

    @abstractmethod
    def _begin(self, source: Source) -> None:
        """Called after a source was opened."""

    @abstractmethod
    def _read(self, source: Source) -> Item | None:
        """Reads one item."""

    @abstractmethod
    def _take(self, item: Item) -> None:
        """Uses one item."""

    @abstractmethod
    def _warnings(self) -> tuple[str, ...]:
        """What is odd about the running device."""

    def _leave(self) -> _Run | None:
        with self._lock:
            run, self._run = self._run, None
            if run is not None:
                run.stop.set()
            return run

    def _live(self, run: _Run) -> None:
        """The thread: opens, reads until it fails, pauses, and so on until stopped."""
        pause = FIRST_PAUSE
        while not run.stop.is_set():
            source, opened = self._make(), self._clock()
            self._name, self._last, self._is_open = source.name, opened, False
            self._announce(DeviceState.OPENING, run=run)
            error = self._use(source, run)
            if run.stop.is_set() or error is None:
                return
            if error.trouble == "ended":
                self._announce(DeviceState.ENDED, str(error), run=run)
                return
            if self._clock() - opened > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            self._announce(DeviceState.LOST, str(error), run=run, error=error, retry_in=pause)
            run.stop.wait(pause)
            pause = min(2 * pause, LAST_PAUSE)
            self.reopened += 1

    def _use(self, source: Source, run: _Run) -> SourceError | None:
        """One opening of the source until it fails (returned) or the run is stopped (None)."""
        try:
            source.open()
            if run.stop.is_set():  # it was left behind meanwhile: what it says is of no concern any more
                return None
            self._begin(source)
            self._last, self._is_open = self._clock(), True
            while not run.stop.is_set():
                item = self._read(source)
                if item is None or run.stop.is_set():
                    continue
                self._last = self._clock()
                self._take(item)
                if self._status.state is not DeviceState.RUNNING:
                    self._announce(DeviceState.RUNNING, run=run)
        except SourceError as error:
            return error
        except Exception as error:  # a driver may raise anything; the device is lost, the rest goes on
            log.exception("%s failed", source.name)
            return SourceError("unreadable", f"{source.name} failed ({error}); it is tried again.")
        finally:
            source.close()
        return None

    def _announce(
        self,
        state: DeviceState,
        message: str = "",
        *,
        run: _Run | None = None,
        error: SourceError | None = None,
        retry_in: float | None = None,
    ) -> None:
        """Changes the state and tells the owner if it is news; a run that was left behind has no say."""
        with self._lock:
            if run is not None and run is not self._run:
                return
            warnings = self._warnings() if state is DeviceState.RUNNING else ()
            message = message or " ".join(_MESSAGES[warning] for warning in warnings)
            trouble = error.trouble if error else None
            status = DeviceStatus(self.kind, self._name, state, message, trouble, warnings, retry_in)
            # The number of quiet seconds in a message alone is no news.
            news = replace(status, message="") != replace(self._status, message="")
            self._status = status
        if news:
            self._on_status(status)
