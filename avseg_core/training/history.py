"""What the events of a run add up to, in columns of numbers, so that curves of any length are cheap. No torch here."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from avseg_core.training.events import (
    CheckpointSaved,
    Evaluated,
    Event,
    EventReader,
    Heartbeat,
    Notice,
    Phase,
    Started,
    StepDone,
)
from avseg_core.training.run_store import RunStatus, summarise

_COLLAPSED = (StepDone, Phase, Heartbeat, CheckpointSaved)
"""Of a row of events of these kinds only the last one of each says how the run is, in whatever order they are."""


@dataclass
class Curves:
    """One value per finished step, steps ascending; what was redone after a resume appears once."""

    steps: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)
    """NaN where a step did not have this part."""
    learning_rate: list[float] = field(default_factory=list)
    compute_ms: list[float] = field(default_factory=list)
    data_ms: list[float] = field(default_factory=list)

    def add(self, event: StepDone) -> None:
        """Appends one step."""
        for name in event.parts:
            self.parts.setdefault(name, [math.nan] * len(self.steps))
        self.steps.append(event.step)
        self.loss.append(event.loss)
        for name, values in self.parts.items():
            values.append(event.parts.get(name, math.nan))
        self.learning_rate.append(event.learning_rate)
        self.compute_ms.append(event.compute_ms)
        self.data_ms.append(event.data_ms)

    def forget_after(self, step: int) -> None:
        """Drops the steps behind `step`, which a resumed process does again."""
        kept = bisect_right(self.steps, step)
        del self.steps[kept:]
        for column in (self.loss, self.learning_rate, self.compute_ms, self.data_ms, *self.parts.values()):
            del column[kept:]


class History:
    """A run read so far; `poll` reads on where the last one stopped."""

    def __init__(self, events_file: Path) -> None:
        self.curves = Curves()
        self.evaluations: list[Evaluated] = []
        self.notices: list[Notice] = []
        self.started: Started | None = None
        self.memory_mb = 0.0
        self._reader = EventReader(events_file)
        self._digest: list[Event] = []

    def poll(self) -> bool:
        """Takes in the new events; True if there were any."""
        events = self._reader.poll()
        self.add(events)
        return bool(events)

    def add(self, events: Iterable[Event]) -> None:
        """Takes in `events`, which follow those before."""
        for event in events:
            self._remember(event)
            match event:
                case Started():
                    self.started = event
                    self.curves.forget_after(event.resumed_step)
                    self.evaluations = [old for old in self.evaluations if old.step <= event.resumed_step]
                case StepDone():
                    self.curves.add(event)
                    self.memory_mb = event.memory_mb
                case Evaluated():
                    self.evaluations = [old for old in self.evaluations if old.step != event.step] + [event]
                case Notice():
                    self.notices.append(event)

    def status(self, *, woke: float = 0.0) -> RunStatus:
        """The run at a glance, now; `woke` as in `summarise`."""
        return summarise(self._digest, woke=woke)

    def best(self) -> Evaluated | None:
        """The evaluation with the highest mIoU, the first one of equals."""
        return max(self.evaluations, key=lambda event: event.miou, default=None)

    def _remember(self, event: Event) -> None:
        row = takewhile(lambda old: isinstance(old, _COLLAPSED), reversed(self._digest))
        place = next((place for place, old in enumerate(row, 1) if type(old) is type(event)), None)
        if place is not None and isinstance(event, _COLLAPSED):
            del self._digest[-place]
        self._digest.append(event)
