"""`events.jsonl`: what a training run tells, one JSON object per line, appended and never rewritten.

Whoever opens the file later sees the same curves as whoever watched. No torch here: the window reads it too.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

_LARGEST = 2**53
"""Beyond it no number is meant; whoever draws or counts with it would fail."""
Outcome = Literal["done", "early stop", "stopped", "cancelled", "interrupted"]
"""Why a run ended well: all epochs, mIoU stalled, "stop and keep the best", "cancel", or a signal (to be resumed)."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events share."""

    kind: ClassVar[str] = ""
    time: float = field(default_factory=time.time)
    """Seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Opened(Event):
    """A process took the run folder; `Started` follows once the model and the data are ready."""

    kind: ClassVar[str] = "opened"
    pid: int
    host: str


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A process began or resumed the run; later steps than `resumed_step` of an earlier process do not count."""

    kind: ClassVar[str] = "started"
    resumed_step: int
    total_steps: int
    steps_per_epoch: int
    pid: int
    host: str
    processes: int
    device: str
    device_reason: str
    parameters: int
    trained_parameters: int
    train_clips: int
    val_clips: int


@dataclass(frozen=True, kw_only=True)
class Phase(Event):
    """What the process does now and how far it is: preparing, training, evaluating, saving, paused."""

    kind: ClassVar[str] = "phase"
    name: str
    done: float = 0.0
    total: float | None = None


@dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """One optimiser step; `loss` is that of the joint batch before the step."""

    kind: ClassVar[str] = "step"
    step: int
    """Steps finished, this one included."""
    epoch: int
    """Counted from 0."""
    loss: float
    parts: dict[str, float]
    learning_rate: float
    grad_norm: float
    data_ms: float
    """Waited for data."""
    compute_ms: float
    seconds_left: float | None
    memory_mb: float
    """Largest use so far, of the GPU if there is one, otherwise of the process."""


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """Validation after `step`, by the protocol of the published tables."""

    kind: ClassVar[str] = "evaluation"
    step: int
    epoch: int
    miou: float
    fscore: float
    batch_size: int
    """Clips per batch, which the published F-score depends on."""
    seconds: float
    improved: list[str]
    """Which of `keep_best` this is the best of so far."""
    class_iou: list[float] = field(default_factory=list)
    """AVSS: IoU of every class."""
    mixer_weights: list[float] = field(default_factory=list)
    """Mean weight of every channel of the mixer over the validation frames; empty without a channel mixer."""
    confusion_classes: list[int] = field(default_factory=list)
    """With classes: those that occur in the annotation or the answers, the rows and columns of `confusion`."""
    confusion: list[list[float]] = field(default_factory=list)
    """Share of each true class's pixels that were answered as each class; a row of zeros for one that is never true."""


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    kind: ClassVar[str] = "checkpoint"
    step: int
    file: str
    """Relative to the run folder."""


@dataclass(frozen=True, kw_only=True)
class Notice(Event):
    """Something the user should know, in words."""

    kind: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Event):
    """The process lives, whatever else it has to say."""

    kind: ClassVar[str] = "heartbeat"
    temperature: float | None = None
    """Of the device, in degrees Celsius, where the system tells."""


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    kind: ClassVar[str] = "finished"
    outcome: Outcome
    step: int
    best: dict[str, float]
    """Best value of each of `keep_best`."""
    model: str
    """Exported model relative to the run folder; empty if there is none (yet)."""


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    kind: ClassVar[str] = "failed"
    step: int
    reason: str
    """One line: what went wrong and what to do."""


KINDS: dict[str, type[Event]] = {
    event.kind: event
    for event in (Opened, Started, Phase, StepDone, Evaluated, CheckpointSaved, Notice, Heartbeat, Finished, Failed)
}
_MAY_BE_UNKNOWN = ("total", "seconds_left", "temperature")
_FIELD_TYPES: dict[str, dict[str, Any]] = {
    name: {item.name: get_type_hints(event)[item.name] for item in dataclasses.fields(event)}
    for name, event in KINDS.items()
}


def to_line(event: Event) -> str:
    """The event as one line of JSON; a number that is not finite becomes null."""
    values = {"kind": event.kind, **dataclasses.asdict(event)}
    return json.dumps(_finite(values), allow_nan=False, ensure_ascii=False) + "\n"


def from_line(line: str) -> Event | None:
    """The event of a line; None for one that is torn or of a kind that this version does not know."""
    try:
        values = json.loads(line)
        kind = KINDS[values.pop("kind")]
        wanted = _FIELD_TYPES[kind.kind]
        known = {name: _number(name, value) for name, value in values.items() if name in wanted}
        return kind(**known) if all(_fits(value, wanted[name]) for name, value in known.items()) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value from a file, which anybody may have written, is of the type that its readers count on."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if origin is Literal:
        return value in inner
    if inner:
        return any(_fits(value, one) for one in inner)
    if wanted in (int, float):
        return type(value) in (wanted, int) and not abs(value) > _LARGEST
    return isinstance(value, wanted)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(name: str, value: Any) -> Any:
    """null was a number that is not finite, except where "unknown" is an answer."""
    if isinstance(value, dict):
        return {key: _number(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_number(name, item) for item in value]
    return math.nan if value is None and name not in _MAY_BE_UNKNOWN else value


class EventWriter:
    """Appends events, from any thread; `listeners` hear each one after it was written.

    A disk that is full or gone does not end a run: the event is lost, the listeners still hear it.
    `path` None: nothing is written (a process that is not the first of several).
    `temperature` tells that of the device, for the heartbeats.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        heartbeat_seconds: float = 10.0,
        temperature: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.listeners: list[Callable[[Event], None]] = []
        self._lock = threading.Lock()
        self._file = None if path is None else open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        self._torn = path is not None and _ends_torn(path)
        self._closed = threading.Event()
        self._pulse = threading.Thread(
            target=self._beat, args=(heartbeat_seconds, temperature), daemon=True, name="heartbeat"
        )
        self._pulse.start()

    def write(self, event: Event) -> None:
        with self._lock:
            self._append(to_line(event).encode())
        for listener in self.listeners:
            listener(event)

    def _append(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            data = b"\n" + line if self._torn else line
            self._torn = self._file.write(data) != len(data)
        except OSError:
            self._torn = True

    def close(self) -> None:
        self._closed.set()
        self._pulse.join()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _beat(self, seconds: float, temperature: Callable[[], float | None]) -> None:
        while not self._closed.wait(seconds):
            self.write(Heartbeat(temperature=temperature()))


def _ends_torn(path: Path) -> bool:
    """True if the last line was cut off by a crash."""
    with open(path, "rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class EventReader:
    """Follows a file that grows: every `poll` gives the events since the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def poll(self) -> list[Event]:
        """New events in order; a line that is still being written is left for the next time."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:  # not there yet, or a disk that answers no more
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        events = (from_line(line) for line in complete.decode("utf-8", "replace").splitlines())
        return [event for event in events if event is not None]


def read_events(path: Path) -> list[Event]:
    """All events of a run, oldest first; empty if there are none."""
    return EventReader(path).poll()


def effective(events: Iterable[Event]) -> Iterator[Event]:
    """The run as if it had never been killed: steps and evaluations that were redone after a resume appear once."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Started):
            kept = [old for old in kept if _step_of(old) <= event.resumed_step]
        elif isinstance(event, Evaluated):
            kept = [old for old in kept if not (isinstance(old, Evaluated) and old.step == event.step)]
        kept.append(event)
    return iter(kept)


def _step_of(event: Event) -> int:
    return event.step if isinstance(event, StepDone | Evaluated | CheckpointSaved) else 0
