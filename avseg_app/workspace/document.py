"""The open video with everything known about it; plain data that the controller fills and the views read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from avseg_app.workspace.tags import telling_tag
from avseg_app.workspace.timeline import TimelineData
from avseg_core.media.info import MediaInfo
from avseg_core.media.windows import place_at, regular_windows
from avseg_core.results.codec import Summary
from avseg_core.results.recorded import RecordedMasks
from avseg_core.results.result import WindowResult

_RESULT_BYTES = 64 << 20
Phase = Literal["loading", "running", "stopped", "done", "failed", "recorded"]


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
    """One video with its masks: segmented by one model at one rate, or recorded along with it.

    Windows are counted by their place in time, which for a segmentation is also their index in the store.
    """

    info: MediaInfo
    model: str
    rate: float
    """Masks per second, of a recording on average."""
    store: Path
    recorded: RecordedMasks | None = None
    """Masks that were recorded along with the video, whether they are the ones that are shown or not."""
    peaks: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    spans: NDArray[np.float64] = field(init=False)
    """[windows,2] seconds: from when to when the mask of each window holds."""
    area: NDArray[np.float32] = field(init=False)
    """[windows] sounding share of the frame; NaN where it is not known yet."""
    tags: list[str] = field(init=False)
    class_names: tuple[str, ...] = ()
    """One per class of a model with classes, as soon as it is known; the first is the background."""
    results: RecentResults = field(default_factory=RecentResults)
    job: JobState = field(default_factory=JobState)

    def __post_init__(self) -> None:
        if self.recorded is not None and self.shows_recorded:
            self.spans = self.recorded.windows.spans
            self.class_names = self.recorded.class_names
            self.job = JobState("recorded", self.count, self.count)
        else:
            self.spans = regular_windows(self.info.duration, self.rate).spans()
        self.area = np.full(self.count, np.nan, np.float32)
        self.tags = [""] * self.count

    @classmethod
    def of_recording(cls, info: MediaInfo, recorded: RecordedMasks, peaks: NDArray[np.float32] | None = None) -> Self:
        """A video shown with the masks that were recorded along with it."""
        rate = len(recorded.windows) / max(info.duration, 1e-3)
        known = {} if peaks is None else {"peaks": peaks}
        return cls(info, recorded.model, rate, recorded.store, recorded, **known)

    @property
    def path(self) -> Path:
        """The video's file."""
        return Path(self.info.path)

    @property
    def shows_recorded(self) -> bool:
        """True if the masks are those that were recorded along with the video."""
        return self.recorded is not None and self.store == self.recorded.store

    @property
    def count(self) -> int:
        """Windows that there are, or will be once all is segmented."""
        return len(self.spans)

    @property
    def done(self) -> int:
        """Windows that are segmented."""
        return self.count if self.shows_recorded else int(np.count_nonzero(~np.isnan(self.area)))

    def place_at(self, time: float) -> int:
        """The window whose mask belongs to `time` (s); -1 where none was recorded."""
        place = place_at(self.spans, min(max(time, 0.0), self.info.duration))
        return -1 if place is None else place

    def index_of(self, place: int) -> int:
        """The index in the store of the window at `place`."""
        return self.recorded.windows.index_of(place) if self.shows_recorded else place

    def place_of(self, index: int) -> int | None:
        """Where the window stands that the store calls `index`; None if it is none of these."""
        if self.shows_recorded:
            return self.recorded.windows.place_of(index)
        return index if 0 <= index < self.count else None

    def is_known(self, place: int) -> bool:
        """True if there is a mask of the window at `place`."""
        return 0 <= place < self.count and (self.shows_recorded or not np.isnan(self.area[place]))

    def result_at(self, place: int) -> WindowResult | None:
        """The result of the window at `place` if it is at hand."""
        return self.results.get(self.index_of(place)) if 0 <= place < self.count else None

    def add(self, result: WindowResult, threshold: float) -> None:
        """Takes in a new result; one past the end, of a video that has grown since it was examined, is left out."""
        index = result.window.index
        if self.place_of(index) is None:
            return
        self.area[index] = np.count_nonzero(result.probability > 255 * threshold) / result.probability.size
        self.tags[index] = telling_tag(result.tags)
        self.results.put(result)

    def take_summaries(self, stored: list[Summary]) -> None:
        """Takes over what a store says of its windows."""
        for summary in stored:
            place = self.place_of(summary.index)
            if place is not None:
                self.area[place] = summary.area
                self.tags[place] = telling_tag(summary.tags)

    def keep_only(self, indices: tuple[int, ...]) -> None:
        """Forgets all windows but these: the store was begun anew."""
        lost = np.ones(len(self.area), bool)
        lost[[index for index in indices if self.place_of(index) is not None]] = False
        if (lost & ~np.isnan(self.area)).any():
            self.area[lost] = np.nan
            self.tags = [tag if keep else "" for tag, keep in zip(self.tags, ~lost, strict=True)]
            self.results = RecentResults()

    def timeline(self) -> TimelineData:
        """What the timeline draws."""
        return TimelineData(self.info.duration, self.spans, self.area.copy(), tuple(self.tags), self.peaks)
