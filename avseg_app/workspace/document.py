"""The open video with everything known about it; plain data that the controller fills and the views read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avseg_app.workspace.tags import telling_tag
from avseg_app.workspace.timeline import TimelineData
from avseg_core.media.info import MediaInfo
from avseg_core.media.windows import RegularWindows, regular_windows
from avseg_core.results.codec import Summary
from avseg_core.results.result import WindowResult

_RESULT_BYTES = 64 << 20
Phase = Literal["loading", "running", "stopped", "done", "failed"]


@dataclass(frozen=True)
class JobState:
    """How far the segmentation of the document is."""

    phase: Phase = "loading"
    done: int = 0
    planned: int = 0
    seconds_left: float | None = None
    message: str = ""


class RecentResults:
    """The results that were needed last, within a budget of bytes; the store has them all."""

    def __init__(self, budget: int = _RESULT_BYTES) -> None:
        self._budget, self._held = budget, 0
        self._results: OrderedDict[int, WindowResult] = OrderedDict()

    def get(self, index: int) -> WindowResult | None:
        """The result of window `index` if it is at hand."""
        if index in self._results:
            self._results.move_to_end(index)
        return self._results.get(index)

    def put(self, result: WindowResult) -> None:
        """Keeps a result, the newest at the cost of the oldest."""
        previous = self._results.pop(result.window.index, None)
        self._held += result.probability.nbytes - (previous.probability.nbytes if previous else 0)
        self._results[result.window.index] = result
        while self._held > self._budget and len(self._results) > 1:
            self._held -= self._results.popitem(last=False)[1].probability.nbytes


@dataclass(eq=False)
class Document:
    """One video, cut into windows at one rate, segmented by one model."""

    info: MediaInfo
    model: str
    rate: float
    store: Path
    windows: RegularWindows = field(init=False)
    area: NDArray[np.float32] = field(init=False)
    """[windows] sounding share of the frame; NaN where it is not segmented yet."""
    tags: list[str] = field(init=False)
    peaks: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    results: RecentResults = field(default_factory=RecentResults)
    job: JobState = field(default_factory=JobState)

    def __post_init__(self) -> None:
        self.windows = regular_windows(self.info.duration, self.rate)
        self.area = np.full(len(self.windows), np.nan, np.float32)
        self.tags = [""] * len(self.windows)

    @property
    def path(self) -> Path:
        """The video's file."""
        return Path(self.info.path)

    @property
    def done(self) -> int:
        """Windows that are segmented."""
        return int(np.count_nonzero(~np.isnan(self.area)))

    def index_at(self, time: float) -> int:
        """The window whose mask belongs to `time` (s)."""
        return self.windows.nearest(time).index

    def is_known(self, index: int) -> bool:
        """True if window `index` is segmented."""
        return not np.isnan(self.area[index])

    def add(self, result: WindowResult, threshold: float) -> None:
        """Takes in a new result."""
        index = result.window.index
        self.area[index] = np.count_nonzero(result.probability > 255 * threshold) / result.probability.size
        self.tags[index] = telling_tag(result.tags)
        self.results.put(result)

    def take_summaries(self, stored: list[Summary]) -> None:
        """Takes over what a store says of its windows."""
        for summary in stored:
            if summary.index < len(self.area):
                self.area[summary.index] = summary.area
                self.tags[summary.index] = telling_tag(summary.tags)

    def keep_only(self, indices: tuple[int, ...]) -> None:
        """Forgets all windows but these: the store was begun anew."""
        lost = np.ones(len(self.area), bool)
        lost[list(indices)] = False
        if (lost & ~np.isnan(self.area)).any():
            self.area[lost] = np.nan
            self.tags = [tag if keep else "" for tag, keep in zip(self.tags, ~lost, strict=True)]
            self.results = RecentResults()

    def timeline(self) -> TimelineData:
        """What the timeline draws."""
        return TimelineData(self.info.duration, self.rate, self.area.copy(), tuple(self.tags), self.peaks)
