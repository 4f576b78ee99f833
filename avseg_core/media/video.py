"""Random and sequential access to the pictures of a video, by presentation time."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avseg_core.closing import Closing
from avseg_core.errors import InputError
from avseg_core.media.index import media_index
from avseg_core.media.info import only_sound
from avseg_core.media.ordering import decode_row
from avseg_core.media.pixels import RgbConverter
from avseg_core.media.rows import RowCursor
from avseg_core.progress import CancelCheck, ProgressCallback

_TINY = 1e-6
"""Seconds by which a frame may start after the asked time and still be the one on screen: float rounding only."""
_SEEK_WORTH = 16
"""Packets that must lie between the decoder and the next entry point before a seek is cheaper than decoding on."""
_KEPT_BEFORE = 12
"""Pictures before a wanted one that are decoded whole, for stepping back; farther ones only if others refer to them."""
_MOST_LOST = 32
"""Pictures at the beginning that may lack what they refer to."""
_NO_FLOOR = int(np.iinfo(np.int64).min)
_CACHE_BYTES = 96 << 20


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture. `image` is uint8 RGB [H,W,3] in display orientation and belongs to the caller."""

    index: int
    time: float
    """Seconds from t = 0 at which it appears."""
    image: npt.NDArray[np.uint8]


class VideoReader(Closing):
    """The pictures of one video file.

    Random access gives byte for byte what sequential reading gives. The decoder stays where it is, so stepping and
    playing forward decode each picture once; the last decoded pictures are kept (within `cache_bytes`), so stepping
    back is cheap too. Memory does not grow with the length, save for the index (about 50 bytes per frame).

    A picture that cannot be decoded leaves the one before it on screen, as in a player. One reader belongs to one
    thread; open another for another thread, the index is shared.

    Args:
        cache_bytes: for pictures that are kept beside the last.
        threads: of the decoder; 0: one per core. Several get to a picture sooner, for a third more work.

    Raises:
        InputError: the file cannot be read, has no video, or no picture of it can be decoded.
        Cancelled: `cancel` said so while the file was being indexed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
        cache_bytes: int = _CACHE_BYTES,
        threads: int = 0,
    ) -> None:
        index = media_index(path, progress, cancel)
        if index.video is None:
            raise only_sound(path)
        if len(index.video.shown) == 0:
            raise InputError(f"{path}: has a video track without a single frame; it may be damaged or incomplete.")
        self._index = index
        self._rows = index.video.rows
        self._rank = index.video.rank
        self._entries = np.flatnonzero(index.video.rows.key)
        self._cursor = RowCursor(path, VideoStream, index.video.stream_index, self._rows, threads)
        self._cache = _FrameCache(cache_bytes)
        self._kept_before = _KEPT_BEFORE if cache_bytes else 0
        self._waiting: deque[tuple[int, VideoFrame]] = deque()
        self._drained = False
        self._floor = _NO_FLOOR
        self._last = -1
        self._fresh = False
        self._entry_row = 0
        self._complete_from = 0
        self._show_from_first_decodable(index.video.shown, index.video.times)

    def _show_from_first_decodable(self, shown: npt.NDArray[np.int64], times: npt.NDArray[np.float64]) -> None:
        """Decodes the first picture; what comes before it in time refers to something cut away and is dropped."""
        self._number = np.full(len(self._rows), -1, np.int64)
        self._number[shown] = np.arange(len(shown))
        first = self._next_picture()
        if first is None:
            self._cursor.close()
            raise InputError(f"{self._index.info.path}: no picture of its video can be decoded; it may be damaged.")
        number, picture = first
        # More than a group of them is not a cut but a damaged stamp on the first picture.
        lost = number if number <= _MOST_LOST else 0
        self._shown, self.times = shown[lost:], times[lost:]
        self._number -= lost
        self._shown_rank = self._rank[self._shown]
        self._absent = np.zeros(len(self._shown), bool)
        self._last = 0 if lost == number else -1
        self._first = picture
        self._cache.put(number - lost, picture)
        self._to_rgb = RgbConverter(picture)
        self.info = replace(self._index.info, width=self._to_rgb.width, height=self._to_rgb.height)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for everything that is wrong with the file but could be worked around."""
        return tuple(dict.fromkeys((*self._index.warnings, *self._cursor.problems)))

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the file's own video time stamps."""
        return self._rows.time_base

    @property
    def constant_rate(self) -> Fraction | None:
        """The exact frame rate if every frame lies on its grid (to within one tick of the file), else None."""
        if len(self.times) < 2:
            return None
        grid = self.times[0] + np.arange(len(self.times)) / float(self.info.fps)
        tolerance = min(float(self.time_base), 0.25 / float(self.info.fps)) + _TINY
        return self.info.fps if bool(np.all(np.abs(self.times - grid) <= tolerance)) else None

    def __len__(self) -> int:
        return len(self.times)

    def close(self) -> None:
        """Closes the file and lets go of all pictures."""
        self._cursor.close()
        self._cache.clear()
        self._waiting.clear()

    def index_at(self, time: float) -> int:
        """Index of the frame on screen at `time`: the last that starts no later; the first if `time` is before it."""
        return max(0, int(np.searchsorted(self.times, time + _TINY, side="right")) - 1)

    def frame_at(self, time: float) -> Frame:
        """The frame on screen at `time` seconds."""
        return self.frame_by_index(self.index_at(time))

    def frame_by_index(self, index: int) -> Frame:
        """Frame `index` in presentation order, from 0.

        Raises:
            IndexError: there is no such frame.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        return Frame(index=index, time=float(self.times[index]), image=self._to_rgb(self._picture(index)))

    def frames(self, start: float = 0.0, stop: float | None = None) -> Iterator[Frame]:
        """All frames from the one on screen at `start` up to those that appear before `stop` seconds."""
        end = len(self) if stop is None else int(np.searchsorted(self.times, stop - _TINY, side="left"))
        for index in range(self.index_at(start), end):
            yield self.frame_by_index(index)

    def frames_at(self, times: Iterable[float]) -> Iterator[Frame]:
        """The frame on screen at each of `times`; ascending times read the file through once."""
        for time in times:
            yield self.frame_at(time)

    def _picture(self, index: int) -> VideoFrame:
        while (index := self._present(index)) >= 0:
            picture = self._cache.get(index)
            if picture is not None:
                return picture
            self._approach(index)
            self._decode_until(index)
            if self._cache.get(index) is None:
                self._absent[index] = True
        return self._first

    def _present(self, index: int) -> int:
        """The nearest index at or before `index` that is not known to be without a picture of its own, -1 if none."""
        if not self._absent[index]:
            return index
        before = np.flatnonzero(~self._absent[:index])
        return int(before[-1]) if len(before) else -1

    def _approach(self, index: int) -> None:
        """Seeks unless decoding on from where the decoder is gets to `index` sooner."""
        entry = self._entry_before(int(self._shown[index]))
        ahead = self._last < index and not (self._drained and not self._waiting)
        if ahead and entry <= self._cursor.next_row + _SEEK_WORTH:
            return
        self._cursor.seek(entry)
        self._waiting.clear()
        self._drained = False
        # From the beginning everything comes out, also where damaged stamps put later packets before the first.
        self._floor = int(self._rank[entry]) if entry else _NO_FLOOR
        self._last = int(np.searchsorted(self._shown_rank, self._floor)) - 1
        self._fresh = entry != 0
        self._entry_row = entry
        self._complete_from = 0

    def _entry_before(self, row: int) -> int:
        """The last row from which the decoder can start to get `row` right.

        In an open group of pictures those shown before the key frame but stored after it need the group before.
        """
        place = int(np.searchsorted(self._entries, row, side="right")) - 1
        while place >= 0 and self._rank[self._entries[place]] > self._rank[row]:
            place -= 1
        return int(self._entries[place]) if place >= 0 else 0

    def _decode_until(self, index: int) -> None:
        """Decodes to `index` or past it, keeps the pictures and notes which ones do not exist."""
        self._complete_from = max(self._complete_from, index - self._kept_before)
        while self._last < index:
            found = self._next_picture()
            number, picture = found if found is not None else (len(self), None)
            if self._fresh and (number != self._last + 1 or (picture is not None and picture.is_corrupt)):
                # Not a clean start after all: take the one before it.
                self._entries = self._entries[self._entries != self._entry_row]
                self._last = len(self)
                self._approach(index)
                continue
            self._fresh = False
            if picture is not None:
                self._cache.put(number, picture)
            if not self._is_early(number):
                self._absent[max(self._last + 1, self._complete_from) : number] = True
                self._last = number
            if number == index or picture is None:
                return

    def _is_early(self, number: int) -> bool:
        """Whether a picture comes out before others that it should follow are even read: its stamp is wrong."""
        if number <= self._last + 1:
            return False
        return bool(np.any(self._shown[self._last + 1 : number] >= self._cursor.next_row))

    def _next_picture(self) -> tuple[int, VideoFrame] | None:
        """The decoder's next picture that is shown, with its index; None at the end."""
        while True:
            while self._waiting:
                row, picture = self._waiting.popleft()
                if self._number[row] >= 0 and self._rank[row] >= self._floor:
                    return int(self._number[row]), picture
            if self._drained:
                return None
            self._feed()

    def _feed(self) -> None:
        """Gives the decoder the next packet, or the end of the stream."""
        item = self._cursor.read()
        self._drained = item is None
        row, packet = item if item is not None else (len(self._rows), None)
        decoder = self._cursor.stream.codec_context
        on_the_way = packet is not None and 0 <= self._number[row] < self._complete_from and not self._rows.key[row]
        decoder.skip_frame = "NONREF" if on_the_way else "DEFAULT"
        self._waiting.extend(decode_row(decoder, row, packet))


class _FrameCache:
    """The last decoded pictures, least recently used first out, in their compact decoded form."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held = 0
        self._pictures: OrderedDict[int, VideoFrame] = OrderedDict()

    def get(self, index: int) -> VideoFrame | None:
        if index in self._pictures:
            self._pictures.move_to_end(index)
        return self._pictures.get(index)

    def put(self, index: int, picture: VideoFrame) -> None:
        """Adds a picture; the newest stays whatever its size."""
        previous = self._pictures.pop(index, None)
        self._held += _size_of(picture) - (_size_of(previous) if previous is not None else 0)
        self._pictures[index] = picture
        while self._held > self._budget and len(self._pictures) > 1:
            self._held -= _size_of(self._pictures.popitem(last=False)[1])

    def clear(self) -> None:
        self._pictures.clear()
        self._held = 0


def _size_of(picture: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in picture.planes)
