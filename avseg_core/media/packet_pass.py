"""One pass over all packets of a file: the table of every stream, nothing decoded."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from avseg_core.media.container import only, packets
from avseg_core.media.entry_points import hidden_picture, is_entry_point
from avseg_core.media.packet_samples import sample_counter
from avseg_core.media.rows import PacketRows, RowCollector
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check

_REPORT_EVERY = 4096
"""Packets between two looks at `cancel`."""
_MICROSECOND = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class StreamTable:
    """The packets of one stream; the rest is for sound only."""

    rows: PacketRows
    samples: npt.NDArray[np.int32]
    """[rows] samples in the packet where its bytes tell, else 0."""
    skips: tuple[tuple[int, int, int], ...] = ()
    """(row, samples to silence from its start, samples to silence at its end), as the container asks."""


def read_packets(
    container: InputContainer,
    streams: Sequence[Stream],
    problems: list[str],
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> dict[int, StreamTable]:
    """The tables of `streams` by stream index; what is damaged is told in `problems`.

    Raises:
        Cancelled: `cancel` said so.
    """
    collectors: dict[int, _PictureCollector | _SoundCollector] = {}
    for stream in streams:
        if isinstance(stream, VideoStream):
            collectors[stream.index] = _PictureCollector(stream)
        elif isinstance(stream, AudioStream):
            collectors[stream.index] = _SoundCollector(stream)
    only(container, *streams)
    size = container.size
    for count, packet in enumerate(packets(container, streams, problems)):
        if count % _REPORT_EVERY == 0:
            check(cancel)
            if progress is not None:
                progress(Progress("Indexing", packet.pos or 0, size))
        collectors[packet.stream_index].add(packet)
    return {index: collector.table() for index, collector in collectors.items()}


class _PictureCollector:
    def __init__(self, stream: VideoStream) -> None:
        self._time_base = stream.time_base or _MICROSECOND
        self._collected = RowCollector()
        self._codec = stream.codec_context.codec.canonical_name
        self._extradata = stream.codec_context.extradata or b""

    def add(self, packet: Packet[Stream]) -> None:
        key = packet.is_keyframe and is_entry_point(packet, self._codec, self._extradata, first=not self._collected)
        self._collected.add(packet, key=key, discard=packet.is_discard or hidden_picture(packet, self._codec))

    def table(self) -> StreamTable:
        return StreamTable(self._collected.rows(self._time_base), np.zeros(0, np.int32))


class _SoundCollector:
    def __init__(self, stream: AudioStream) -> None:
        self._time_base = stream.time_base or _MICROSECOND
        self._collected = RowCollector()
        self._samples = array("i")
        self._skips: list[tuple[int, int, int]] = []
        self._count = sample_counter(stream)

    def add(self, packet: Packet[Stream]) -> None:
        if packet.has_sidedata("skip_samples"):
            head, tail = struct.unpack("<II", bytes(packet.get_sidedata("skip_samples"))[:8])
            self._skips.append((len(self._collected), head, tail))
        self._collected.add(packet, key=True, discard=packet.is_discard)
        self._samples.append(self._count(packet))

    def table(self) -> StreamTable:
        rows = self._collected.rows(self._time_base)
        return StreamTable(rows, np.array(self._samples, np.int32), tuple(self._skips))
