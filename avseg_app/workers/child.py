"""A child process that talks through a pipe: started, listened to and ended without ever blocking the window."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from PySide6.QtCore import QObject, Signal, SignalInstance

_GRACE_SECONDS = 1.0
log = logging.getLogger(__name__)


class Child(QObject):
    """One life of a spawned process that runs `target(connection)`."""

    received = Signal(object)
    ended = Signal(object)
    """The exit code, negative for a signal, or why it could not be started; not after `stop`."""

    def __init__(self, target: Callable[[Connection], None], name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs,), name=name, daemon=True)
        self._stopping = False
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(theirs,), name=name, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id, once it runs."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Hands `message` to the process; one that is gone hears nothing."""
        try:
            self._connection.send(message)
        except OSError as error:
            log.info("%s: %s", self._process.name, error)

    def stop(self) -> None:
        """Ends the process for good and waits until it has gone (at once: it keeps nothing that a kill could hurt)."""
        self._stopping = True
        self._started.wait(_GRACE_SECONDS)
        if self._process.pid is not None:
            self._process.terminate()
            self._thread.join(_GRACE_SECONDS)
            if self._thread.is_alive():
                self._process.kill()
                self._thread.join(_GRACE_SECONDS)

    def finish(self, farewell: object, seconds: float) -> None:
        """Sends `farewell`, after which the process ends by itself; one that has not after `seconds` is ended."""
        self._stopping = True
        self._started.wait(_GRACE_SECONDS)
        self.send(farewell)
        if self._process.pid is not None:
            self._thread.join(seconds)
        self.stop()

    def _listen(self, theirs: Connection) -> None:
        """The thread: starts the process, passes on what it says, and tells how it ended."""
        if self._stopping:
            return
        try:
            self._process.start()
        except OSError as error:
            self._tell(self.ended, str(error))
            return
        finally:
            theirs.close()
            self._started.set()
        try:
            while True:
                self._tell(self.received, self._connection.recv())
        except (EOFError, OSError):
            self._process.join()
        self._connection.close()
        if not self._stopping:
            self._tell(self.ended, self._process.exitcode)

    def _tell(self, announcement: SignalInstance, value: object) -> None:
        try:
            announcement.emit(value)
        except RuntimeError:
            log.info("%s: nobody listens any more", self._process.name)


def describe_exit(code: int | str | None) -> str:
    """What `ended` carries in words: "signal 9 (SIGKILL)", "exit code 3", or why it could not be started."""
    if isinstance(code, str):
        return code
    if isinstance(code, int) and code < 0:
        try:
            return f"signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
