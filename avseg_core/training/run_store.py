"""A run folder: what lies where, what state the run is in, and which runs there are. No torch here."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from avseg_core.config import TrainConfig, load_toml, save_toml
from avseg_core.errors import InputError
from avseg_core.training.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Heartbeat,
    Notice,
    Opened,
    Phase,
    Started,
    StepDone,
    effective,
    read_events,
)

State = Literal["new", "running", "paused", "finished", "failed", "dead"]
"""dead: the process is gone without a word; the run can be resumed."""
SILENCE_SECONDS = 60.0
"""A process that has not even sent a heartbeat for so long is taken for dead."""


@dataclass(frozen=True)
class Run:
    """The layout of a run folder."""

    folder: Path

    @property
    def config_file(self) -> Path:
        return self.folder / "config.toml"

    @property
    def events_file(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def last_checkpoint(self) -> Path:
        """The whole state, to resume from."""
        return self.folder / "checkpoints" / "last.pt"

    @property
    def rehearsal(self) -> Path:
        """Frames with the starting model's answers; see `training.rehearsal`."""
        return self.folder / "checkpoints" / "rehearsal.pt"

    @property
    def exported_model(self) -> Path:
        """The result: `--model RUN/model.safetensors`."""
        return self.folder / "model.safetensors"

    @property
    def board_folder(self) -> Path:
        return self.folder / "tensorboard"

    @property
    def snapshots_folder(self) -> Path:
        """Masks of fixed validation frames after every evaluation; see `training.snapshots`."""
        return self.folder / "snapshots"

    def best_weights(self, kept_by: str) -> Path:
        """The best model so far by one of `TrainConfig.keep_best`."""
        return self.folder / "checkpoints" / f"best_{kept_by.replace('+', '_')}.safetensors"

    def relative(self, path: Path) -> str:
        """`path` as events name it."""
        return path.relative_to(self.folder).as_posix()

    def create(self) -> None:
        """Makes the folder. Raises InputError if that is not possible."""
        self._guarded(lambda: (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True))

    def write_config(self, config: TrainConfig) -> None:
        """Raises InputError if the folder cannot be written."""
        self._guarded(lambda: save_toml(config, self.config_file))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps every other process from training here; the system lets go for a process that dies.

        Raises:
            InputError: another process trains here, or the folder cannot be written.
        """
        try:
            file = (self.folder / "lock").open("ab")
        except OSError as error:
            raise InputError(f"{self.folder}: cannot hold a run ({error.strerror}); choose another folder.") from None
        with file:
            if not _lock(file):
                raise InputError(f"{self.folder}: another process is training here; use --request or another --out.")
            yield

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            raise InputError(f"{self.folder}: cannot hold a run ({error.strerror}); choose another folder.") from None

    def config(self) -> TrainConfig:
        """Raises InputError if there is none or it cannot be read."""
        return load_toml(TrainConfig, self.config_file)

    def events(self) -> list[Event]:
        """As if the run had never been killed; see `events.effective`."""
        return list(effective(read_events(self.events_file)))

    def status(self) -> RunStatus:
        """What a list of runs shows; for a copied folder too."""
        return summarise(read_events(self.events_file))


@dataclass
class RunStatus:
    """A run at a glance."""

    state: State = "new"
    phase: str = ""
    done: float = 0.0
    total: float | None = None
    """How far the phase is."""
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    best: dict[str, float] = field(default_factory=dict)
    """Highest mIoU and F-score so far."""
    device: str = ""
    pid: int = 0
    temperature: float | None = None
    """Of the device in degrees Celsius, where the system tells."""
    last_sign_of_life: float = 0.0
    """Seconds since 1970."""
    message: str = ""
    """The last notice, how it ended, or why it failed."""
    model: str = ""
    """Exported model relative to the run folder, once there is one."""


def summarise(events: Iterable[Event], *, woke: float = 0.0) -> RunStatus:
    """The state of a run from its events.

    Args:
        woke: when this machine woke up last, in seconds since 1970; before that nobody here could give a sign of life.
    """
    status = RunStatus()
    host = ""
    for event in events:
        status.last_sign_of_life = event.time
        match event:
            case Opened():
                status.state, status.message, host, status.pid = "running", "", event.host, event.pid
            case Started():
                status.state, status.message, host, status.pid = "running", "", event.host, event.pid
                status.step, status.total_steps, status.device = event.resumed_step, event.total_steps, event.device
                status.temperature = None
            case Phase():
                status.state = "paused" if event.name == "paused" else "running"
                status.phase, status.done, status.total = event.name, event.done, event.total
            case StepDone():
                status.step, status.epoch, status.loss = event.step, event.epoch, event.loss
                status.seconds_left = event.seconds_left
            case Evaluated():
                status.best["miou"] = max(event.miou, status.best.get("miou", 0.0))
                status.best["fscore"] = max(event.fscore, status.best.get("fscore", 0.0))
            case Notice():
                status.message = event.text
            case Heartbeat():
                status.temperature = event.temperature
            case Finished():
                status.state, status.message, status.model = "finished", event.outcome, event.model
            case Failed():
                status.state, status.message = "failed", event.reason
    if status.state in ("running", "paused") and not _alive(host, status.pid, status.last_sign_of_life, woke):
        status.state = "dead"
    return status


def list_runs(folder: Path) -> list[Run]:
    """The run folders in `folder`, the newest first; empty if there is no such folder."""
    configs = folder.glob("*/config.toml") if folder.is_dir() else iter(())
    runs = [Run(config.parent) for config in configs if (config.parent / "checkpoints").is_dir()]
    return sorted(runs, key=lambda run: run.config_file.stat().st_mtime, reverse=True)


def _alive(host: str, pid: int, last_sign: float, woke: float) -> bool:
    """Whether the process still works: its heartbeat is fresh and, on this machine, it exists."""
    here = host == socket.gethostname()
    if time.time() - (max(last_sign, woke) if here else last_sign) > SILENCE_SECONDS:
        return False
    return not here or process_exists(pid)


def _lock(file: BinaryIO) -> bool:
    """False if another process has locked the file; where the disk knows no locks nobody has."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock's it is not inherited by the loader's workers
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def process_exists(pid: int) -> bool:
    """Whether `pid` runs on this machine; one that has ended but was not yet collected does not."""
    if not 0 < pid < 2**31:  # a copied folder may say anything
        return False
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        code = ctypes.c_ulong()
        alive = bool(handle) and ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code)) != 0
        ctypes.windll.kernel32.CloseHandle(handle)
        return alive and code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (OSError, UnicodeDecodeError):
        return True
