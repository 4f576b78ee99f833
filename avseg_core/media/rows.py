"""The packets of one stream as numbered rows, and a cursor that reads them from any row on.

Everything that must be the same in random and in sequential access is tied to rows: a row is the ordinal of a packet in
the file, found again after a seek by its byte position and size, never by an estimated time stamp.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.stream import VideoStream

from avseg_core.errors import InputError
from avseg_core.media.container import StreamT, only, open_input, packets

NO_TIME = np.iinfo(np.int64).min
"""Stands for a time stamp that the file does not give."""
_SEEK_MARGINS = (0.0, 0.02, 0.3, 1.5, 8.0, 40.0)
"""Seconds before a packet at which the seek to it is tried, the first that lands early enough wins."""
_BYTE_SEEK = len(_SEEK_MARGINS)
"""The attempt after those: at its place in the file."""
_UNMATCHED_LIMIT = 300
"""Packets after a seek that may be cut or unknown before the seek counts as failed."""


@dataclass(frozen=True)
class PacketRows:
    """All packets of one stream in file order; every array is [rows], time stamps are in `time_base`."""

    time_base: Fraction
    pts: npt.NDArray[np.int64]
    dts: npt.NDArray[np.int64]
    duration: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    size: npt.NDArray[np.int32]
    key: npt.NDArray[np.bool_]
    discard: npt.NDArray[np.bool_]
    """Packets outside the edit list: decoded for the sake of others, never shown."""
    shift: npt.NDArray[np.int64] | None = None
    """Ticks to add to the stamps of a file in which the clock jumps; None where it does not."""

    @property
    def presented(self) -> npt.NDArray[np.int64]:
        """[rows] `pts` on a clock without jumps, NO_TIME where unknown."""
        return self.pts if self.shift is None else np.where(self.pts == NO_TIME, NO_TIME, self.pts + self.shift)

    def __len__(self) -> int:
        return len(self.pts)

    def find(self, packet: Packet[StreamT], expected: int) -> int | None:
        """The row of a packet just read: `expected` if it fits, otherwise wherever it fits, None if nowhere."""
        position = -1 if packet.pos is None else packet.pos
        if expected < len(self) and self.position[expected] == position and self.size[expected] == packet.size:
            return expected
        fits = (self.position == position) & (self.size == packet.size)
        if position < 0 or np.count_nonzero(fits) > 1:
            fits &= self.pts == (NO_TIME if packet.pts is None else packet.pts)
        found = np.flatnonzero(fits)
        return int(found[0]) if len(found) else None


class RowCollector:
    """Grows into PacketRows, packet by packet, in compact arrays."""

    def __init__(self) -> None:
        self._times = array("q")
        self._sizes = array("q")
        self._flags = bytearray()

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, packet: Packet[StreamT], *, key: bool, discard: bool) -> None:
        """Appends one packet."""
        pts, dts, position = packet.pts, packet.dts, packet.pos
        self._times.extend(
            (
                NO_TIME if pts is None else pts,
                NO_TIME if dts is None else dts,
                packet.duration or 0,
                -1 if position is None else position,
            )
        )
        self._sizes.append(packet.size)
        self._flags.append(key | discard << 1)

    def rows(self, time_base: Fraction) -> PacketRows:
        """The finished table."""
        times = np.frombuffer(self._times, np.int64).reshape(-1, 4) if self._times else np.zeros((0, 4), np.int64)
        pts, dts, duration, position = (np.ascontiguousarray(column) for column in times.T)
        flags = np.frombuffer(bytes(self._flags), np.uint8)
        return PacketRows(
            time_base=time_base,
            pts=pts,
            dts=dts,
            duration=duration,
            position=position,
            size=np.array(self._sizes, np.int32),
            key=(flags & 1).astype(bool),
            discard=(flags & 2).astype(bool),
        )


class RowCursor(Generic[StreamT]):
    """Reads the packets of one stream from any row on; not thread-safe.

    `stream` is replaced when a file has to be opened anew, so take it from here whenever it is needed.
    """

    stream: StreamT

    def __init__(
        self,
        path: str | os.PathLike[str],
        kind: type[StreamT],
        stream_index: int,
        rows: PacketRows,
        threads: int = 0,
    ) -> None:
        self._path = path
        self._kind = kind
        self._stream_index = stream_index
        self._rows = rows
        self._threads = threads
        self._first_attempt = 0 if rows.shift is None else _BYTE_SEEK  # seeking by time needs one clock
        self.problems: list[str] = []
        self._packets: Iterator[Packet[StreamT]] = iter(())
        self._next_row = 0
        self._open()

    def close(self) -> None:
        """Closes the file."""
        self._packets = iter(())
        self._container.close()

    @property
    def next_row(self) -> int:
        """The row that `read` gives next."""
        return self._next_row

    def read(self) -> tuple[int, Packet[StreamT]] | None:
        """The next packet with its row, None at the end of the file. Unknown packets are passed over."""
        for packet in self._packets:
            row = self._rows.find(packet, self._next_row)
            if row is not None:
                self._next_row = row + 1
                return row, packet
        return None

    def seek(self, row: int) -> None:
        """Makes `row` the next one to be read; falls back to reading from the start where seeking is not exact."""
        for attempt in range(self._first_attempt, _BYTE_SEEK + 1):
            if self._try_seek(row, attempt):
                self._first_attempt = attempt
                return
        self._reopen()
        self._advance(row)

    def _try_seek(self, row: int, attempt: int) -> bool:
        by_bytes = attempt == _BYTE_SEEK
        target = int(self._rows.position[row]) if by_bytes else self._stamp_before(row, _SEEK_MARGINS[attempt])
        if target < 0 and (by_bytes or target < NO_TIME // 2):
            return False
        try:
            self._container.seek(target, stream=self.stream, unsupported_byte_offset=by_bytes)
        except av.FFmpegError:
            return False
        self._packets = packets(self._container, [self.stream], self.problems)
        for _, packet in zip(range(_UNMATCHED_LIMIT), self._packets, strict=False):
            landed = self._rows.find(packet, row)
            if landed is not None:
                return landed <= row and self._resume(landed, packet, row)
        return False

    def _stamp_before(self, row: int, margin: float) -> int:
        stamp = int(self._rows.pts[row] if margin == 0.0 else self._rows.dts[row])
        return stamp if stamp == NO_TIME else stamp - int(margin / self._rows.time_base)

    def _resume(self, landed: int, packet: Packet[StreamT], row: int) -> bool:
        """Continues after a seek that landed on `landed` <= `row`; True once `row` is the next one."""
        self._packets = _chain(packet, self._packets)
        self._next_row = landed
        return self._advance(row)

    def _advance(self, row: int) -> bool:
        while self._next_row < row:
            if self.read() is None:
                return False
        return self._next_row == row

    def _reopen(self) -> None:
        before = self._container
        self._open()  # a file that has gone leaves this cursor as it was
        before.close()

    def _open(self) -> None:
        self._container = open_input(self._path)
        stream = self._container.streams[self._stream_index]
        if not isinstance(stream, self._kind):
            raise InputError(f"{self._path}: has changed while it was being read; open it again.")
        self.stream = stream
        if isinstance(stream, VideoStream):
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads
        only(self._container, self.stream)
        self._packets = packets(self._container, [self.stream], self.problems)
        self._next_row = 0


def _chain(first: Packet[StreamT], rest: Iterator[Packet[StreamT]]) -> Iterator[Packet[StreamT]]:
    yield first
    yield from rest
