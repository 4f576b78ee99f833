"""The sound of a file at any rate, addressed by time to the sample."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Iterator

import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet

from avseg_core.closing import Closing
from avseg_core.errors import InputError
from avseg_core.media.index import media_index
from avseg_core.media.resample import Resampler, Samples
from avseg_core.media.rows import RowCursor
from avseg_core.media.sound_layout import SoundLayout, sound_layout
from avseg_core.media.sound_samples import SampleDecoder
from avseg_core.progress import CancelCheck, ProgressCallback

_SEGMENT_SECONDS = 8.0
_RUN_IN_SECONDS = 0.25
"""Sound decoded and thrown away before a segment: the memory of lossy codecs (bit reservoir, overlap, convergence)."""
_KEPT_SEGMENTS = 3


class AudioReader(Closing):
    """One sound track as float32 in [-1, 1] at `rate`, with zeros wherever the file has no sound.

    Time 0 is that of the video: both count from the earliest stream start. Every sample comes out the same whatever was
    read before: the track is decoded in segments that always begin at the same packet, and resampled on a fixed grid.
    Reading on from where the last read ended takes each packet from the file once. One channel is the mean of all
    channels of the file; two are its sides, surround channels mixed in. Memory does not grow with the length. One
    reader belongs to one thread.

    Args:
        track: place among the file's sound tracks, from 0; None for the first.
        require: a file without sound is an error instead of silence.

    Raises:
        InputError: the file cannot be read, has no such track, or no track at all and `require` is set.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: int = 16000,
        channels: int = 1,
        track: int | None = None,
        *,
        require: bool = False,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
    ) -> None:
        if channels not in (1, 2):
            raise ValueError(f"channels must be 1 or 2, not {channels}")
        index = media_index(path, progress, cancel)
        if track is not None and not 0 <= track < len(index.sounds):
            raise InputError(f"{path}: has no sound track {track}; it has {len(index.sounds)}, counted from 0.")
        if require and not index.sounds:
            raise InputError(f"{path}: has no sound; choose a video with a sound track.")
        self.info = index.info
        self.rate = rate
        self.channels = channels
        self._warnings = index.warnings
        self._segments: _Segments | None = None
        if index.sounds:
            sound = index.sounds[track or 0]
            layout = sound_layout(os.fspath(path), sound, index.start)
            self._segments = _Segments(path, sound.stream_index, layout, channels)
            self._resampler = Resampler(layout.rate, rate)

    @property
    def has_audio(self) -> bool:
        """False where the file has no sound track and all that is read is silence."""
        return self._segments is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for everything that is wrong with the file but could be worked around."""
        problems = self._segments.cursor.problems if self._segments is not None else []
        return tuple(dict.fromkeys((*self._warnings, *problems)))

    def close(self) -> None:
        """Closes the file."""
        if self._segments is not None:
            self._segments.cursor.close()

    def read(self, start: float, duration: float) -> Samples:
        """The sound from `start` for `duration` seconds; both are rounded to whole samples.

        Returns:
            float32 [round(duration * rate)] for one channel, [round(duration * rate), 2] for two.
        """
        return self.read_samples(round(start * self.rate), round(duration * self.rate))

    def read_samples(self, first: int, count: int) -> Samples:
        """Samples `first` to `first + count` at `rate`, counted from t = 0; either may lie outside the file."""
        if self._segments is None or count <= 0:
            samples = np.zeros((max(count, 0), self.channels), np.float32)
        else:
            begin, end = self._resampler.span(first, count)
            samples = self._resampler(self._segments.read(begin, end), begin, first, count)
        return samples[:, 0].copy() if self.channels == 1 else samples


class _Segments:
    """The decoded track in stretches of some seconds, each always decoded from the same packet on."""

    def __init__(self, path: str | os.PathLike[str], stream_index: int, layout: SoundLayout, channels: int) -> None:
        self.cursor = RowCursor(path, AudioStream, stream_index, layout.rows)
        self._layout = layout
        self._channels = channels
        self._length = round(_SEGMENT_SECONDS * layout.rate)
        self._run_in = round(_RUN_IN_SECONDS * layout.rate)
        self._decoded: OrderedDict[int, tuple[int, Samples]] = OrderedDict()
        self._recent: deque[tuple[int, Packet[AudioStream]]] = deque()

    def read(self, begin: int, end: int) -> Samples:
        """Samples [begin, end) of the file's own rate as [end - begin, C]."""
        out = np.zeros((end - begin, self._channels), np.float32)
        # A packet belongs to the segment it begins in and may reach into the next one.
        for number in range(begin // self._length - 1, (end - 1) // self._length + 1):
            origin, samples = self._segment(number)
            low, high = max(begin, origin), min(end, origin + len(samples))
            if low < high:
                out[low - begin : high - begin] = samples[low - origin : high - origin]
        return out

    def _segment(self, number: int) -> tuple[int, Samples]:
        """First sample number and samples of the packets that begin in segment `number`."""
        if number not in self._decoded:
            first, stop = np.searchsorted(self._layout.position, [number * self._length, (number + 1) * self._length])
            if first == stop:
                return 0, np.zeros((0, self._channels), np.float32)
            self._decoded[number] = self._decode(int(first), int(stop))
            while len(self._decoded) > _KEPT_SEGMENTS:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(number)
        return self._decoded[number]

    def _decode(self, first: int, stop: int) -> tuple[int, Samples]:
        position, kept = self._layout.position, self._layout.kept
        origin = int(position[first])
        out = np.zeros((int(position[stop - 1] + kept[stop - 1]) - origin, self._channels), np.float32)
        run_in = int(np.searchsorted(position, origin - self._run_in))
        self._start_at(min(run_in, max(first - 2, 0)))
        decoder = SampleDecoder(self.cursor.stream, self._channels, self._layout.rate)
        for row, packet in self._packets(stop):
            samples = decoder(packet)
            if row == len(position) - 1:
                samples = np.concatenate([samples, decoder(None)])
            if row >= first:
                count = min(len(samples), int(kept[row]))
                at = int(position[row]) - origin
                out[at : at + count] = samples[:count]
        self._layout.silence(out, origin)
        return origin, out

    def _start_at(self, row: int) -> None:
        """Makes `row` the first that `_packets` gives, from memory if it was just read."""
        while self._recent and self._recent[0][0] < row:
            self._recent.popleft()
        if not self._recent and self.cursor.next_row == row:
            return
        if not self._recent or self._recent[0][0] != row:
            self._recent.clear()
            self.cursor.seek(row)

    def _packets(self, stop: int) -> Iterator[tuple[int, Packet[AudioStream]]]:
        """The packets up to row `stop`; those of the last moments stay at hand for the run-in of the next segment."""
        position = self._layout.position
        yield from [item for item in self._recent if item[0] < stop]
        while self.cursor.next_row < stop and (item := self.cursor.read()) is not None:
            self._recent.append(item)
            while position[self._recent[0][0]] < position[item[0]] - 2 * self._run_in and len(self._recent) > 4:
                self._recent.popleft()
            yield item
