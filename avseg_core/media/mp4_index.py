"""The packet table of an MP4 or MOV straight from its headers, so that opening a long film does not read it through.

FFmpeg keeps the sample table it parsed, edit lists applied, and shows all of it but the composition offsets; those are
read here from the `ctts` box (ISO/IEC 14496-12, 8.6.1.3). The result is compared with packets really read at the
beginning, in the middle and at the end; whatever does not agree to the tick is left to the pass over all packets.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from avseg_core.media.container import only, packets
from avseg_core.media.entry_points import CODECS_WITH_HIDDEN_PICTURES, is_entry_point
from avseg_core.media.packet_pass import StreamTable
from avseg_core.media.packet_samples import pcm_bytes
from avseg_core.media.rows import NO_TIME, PacketRows

_MAX_HEADER_BYTES = 512 << 20
_CHECKED_PACKETS = 48
_MAX_PACKETS_TO_FIRSTS = 5000
_SAMPLED_KEYS = 16
_KEY_BYTES = 1 << 16
"""Enough of a packet to hold its parameter sets and the head of its first slice."""
_CONTAINER_BOXES = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})

Integers = npt.NDArray[np.int64]


@dataclass
class _Track:
    """What is read of one `trak`: composition offsets as runs [runs, (count, offset)], and [samples] sizes."""

    number: int = -1
    offsets: Integers | None = None
    sizes: Integers | None = None


def read_tables(path: Path, container: InputContainer, streams: list[Stream]) -> dict[int, StreamTable] | None:
    """Tables by stream index without reading the media data, or None if this file needs a pass over its packets."""
    if "mp4" not in container.format.name.split(","):
        return None
    with path.open("rb") as file:
        tracks = _read_tracks(file)
        size = file.seek(0, 2)
    if tracks is None:
        return None
    firsts = _first_packets(container, streams)
    tables: dict[int, StreamTable] = {}
    for stream in streams:
        rows = _rows(stream, tracks.get(stream.id), firsts.get(stream.index))
        if rows is None or np.any(rows.position + rows.size > size) or not _agrees(container, stream, rows):
            return None
        if not _can_start_at_keys(path, stream, rows):
            return None
        samples = (rows.size // max(pcm_bytes(stream), 1)) * (pcm_bytes(stream) > 0)
        tables[stream.index] = StreamTable(rows, samples.astype(np.int32))
    return tables


def _can_start_at_keys(path: Path, stream: Stream, rows: PacketRows) -> bool:
    """Whether a sample of the marked key frames are clean starts and no picture is hidden, so that all will be."""
    if not isinstance(stream, VideoStream):
        return True
    codec, extradata = stream.codec_context.codec.canonical_name, stream.codec_context.extradata or b""
    keys = np.flatnonzero(rows.key)
    with path.open("rb") as file:
        for row in keys[:: max(1, len(keys) // _SAMPLED_KEYS)]:
            file.seek(int(rows.position[row]))
            data = file.read(min(int(rows.size[row]), _KEY_BYTES))
            if not is_entry_point(data, codec, extradata, first=False):
                return False
    return codec not in CODECS_WITH_HIDDEN_PICTURES and len(keys) > 0 and keys[0] == 0


def _rows(stream: Stream, track: _Track | None, first: Packet[Stream] | None) -> PacketRows | None:
    entries = stream.index_entries
    if track is None or not len(entries) or stream.time_base is None:
        return None
    if first is None or first.pts is None or first.dts is None:
        return None
    table = array("q")
    for entry in entries:
        table.extend((entry.timestamp, entry.pos, entry.size, entry.is_keyframe, entry.is_discard))
    columns = np.frombuffer(table, np.int64).reshape(-1, 5).T
    dts, position, sizes, key, discard = (np.ascontiguousarray(column) for column in columns)
    offsets = _offsets(track, sizes)
    if offsets is None:
        return None
    duration = np.diff(dts, append=dts[-1] + (dts[-1] - dts[-2] if len(dts) > 1 else 1))
    return PacketRows(
        time_base=Fraction(stream.time_base),
        pts=dts + offsets + (first.pts - dts[0] - offsets[0]),
        dts=dts + (first.dts - dts[0]),
        duration=duration,
        position=position,
        size=sizes.astype(np.int32),
        key=key.astype(bool),
        discard=discard.astype(bool),
    )


def _offsets(track: _Track, sizes: Integers) -> Integers | None:
    """[entries] composition offset of every index entry; None where entries and samples cannot be told to match."""
    if track.offsets is None:
        return np.zeros(len(sizes), np.int64)
    counts = track.offsets[:, 0]
    if track.sizes is None or np.any(counts < 0) or counts.sum() != len(track.sizes):
        return None
    offsets = np.repeat(track.offsets[:, 1], counts)
    # An edit list makes FFmpeg leave out samples at both ends.
    for skipped in range(len(track.sizes) - len(sizes) + 1):
        if track.sizes[skipped] == sizes[0] and np.array_equal(track.sizes[skipped : skipped + len(sizes)], sizes):
            return offsets[skipped : skipped + len(sizes)]
    return None


def _first_packets(container: InputContainer, streams: list[Stream]) -> dict[int, Packet[Stream]]:
    """The packet of row 0 of every stream, by stream index; `container` must not have been read yet."""
    firsts: dict[int, Packet[Stream]] = {}
    only(container, *streams)
    for packet in islice(packets(container, streams, []), _MAX_PACKETS_TO_FIRSTS):
        firsts.setdefault(packet.stream_index, packet)
        if len(firsts) == len(streams):
            break
    return firsts


def _agrees(container: InputContainer, stream: Stream, rows: PacketRows) -> bool:
    """Whether packets read at the beginning, around the middle and up to the end are those of the table."""
    only(container, stream)
    for row in (0, len(rows) // 2, len(rows) - 1):
        try:
            container.seek(int(rows.dts[row]), stream=stream)
        except av.FFmpegError:
            return False
        last = row == len(rows) - 1
        expected: int | None = None
        for packet in islice(packets(container, [stream], []), None if last else _CHECKED_PACKETS):
            found = rows.find(packet, expected or 0)
            if found is None or (expected is not None and found != expected) or not _same(packet, rows, found):
                return False
            expected = found + 1
        if expected is None or (last and expected != len(rows)):
            return False
    return True


def _same(packet: Packet[Stream], rows: PacketRows, row: int) -> bool:
    pts = NO_TIME if packet.pts is None else packet.pts
    dts = NO_TIME if packet.dts is None else packet.dts
    flags = (packet.is_keyframe, packet.is_discard)
    return (pts, dts) == (rows.pts[row], rows.dts[row]) and flags == (rows.key[row], rows.discard[row])


def _read_tracks(file: BinaryIO) -> dict[int, _Track] | None:
    """The tracks of the `moov` box by their number; None for fragmented or odd files."""
    file.seek(0)
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        header = file.read(16)
        size, kind = struct.unpack_from(">I4s", header)
        if size == 1 and len(header) == 16:
            size = struct.unpack_from(">Q", header, 8)[0]
        elif size == 0:
            size = end - at
        if kind == b"moof" or size < 8 or (kind == b"moov" and size > _MAX_HEADER_BYTES):
            return None
        if kind == b"moov":
            file.seek(at)
            return _tracks_of(file.read(size))
        at += size
    return None


def _tracks_of(data: bytes) -> dict[int, _Track] | None:
    tracks: list[_Track] = []
    try:
        for kind, begin, end in _boxes(data, 0, len(data)):
            if kind == b"mvex":
                return None
            if kind == b"trak":
                tracks.append(_Track())
            elif tracks:
                _read_box(tracks[-1], kind, data[begin:end])
    except (struct.error, ValueError, IndexError):
        return None
    return {track.number: track for track in tracks}


def _boxes(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """All boxes in data[begin:end], containers before what they hold, as (kind, start and end of the content)."""
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, begin + 8)[0], 16
        if size < head or begin + size > end:
            raise ValueError("a box reaches beyond the one around it")
        yield kind, begin + head, begin + size
        if kind in _CONTAINER_BOXES:
            yield from _boxes(data, begin + head, begin + size)
        begin += size


def _read_box(track: _Track, kind: bytes, content: bytes) -> None:
    if kind == b"tkhd":
        track.number = struct.unpack_from(">I", content, 20 if content[0] == 1 else 12)[0]
    elif kind == b"ctts":
        runs = struct.unpack_from(">I", content, 4)[0]
        track.offsets = np.frombuffer(content, ">i4", 2 * runs, 8).reshape(-1, 2).astype(np.int64)
    elif kind == b"stsz":
        size, count = struct.unpack_from(">II", content, 4)
        if not size:  # else all have one size, which does not tell samples apart
            track.sizes = np.frombuffer(content, ">u4", count, 12).astype(np.int64)
