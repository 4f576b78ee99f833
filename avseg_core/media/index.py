"""The index of a media file: one pass over its packets, nothing decoded unless the file gives no usable times."""

from __future__ import annotations

import os
import struct
import threading
from array import array
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from avseg_core.media.container import audio_streams, only, open_input, packets, start_time, video_stream
from avseg_core.media.entry_points import hidden_picture, is_entry_point
from avseg_core.media.info import MediaInfo, header_rate, read_headers, snap_rate
from avseg_core.media.ordering import output_order
from avseg_core.media.packet_samples import sample_counter
from avseg_core.media.rows import NO_TIME, PacketRows, RowCollector
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check

_REPORT_EVERY = 4096
"""Packets between two looks at `cancel`."""
_KEPT_INDEXES = 2
_ORDER_SAMPLE = 200
"""Packets decoded to see whether time stamps that FFmpeg made up are in order."""
_MICROSECOND = Fraction(1, 1_000_000)
_TRUNCATION_SLACK = 1.0
"""Seconds that the data may end before the header's duration without being called truncated."""


@dataclass(frozen=True)
class VideoIndex:
    """Which packet makes which picture, and when it is shown."""

    stream_index: int
    rows: PacketRows
    shown: npt.NDArray[np.int64]
    """[frames] row of every picture in presentation order."""
    times: npt.NDArray[np.float64]
    """[frames] seconds from t = 0, ascending."""
    rank: npt.NDArray[np.int64]
    """[rows] place of a row's picture in presentation order, unshown rows included; tells what precedes a key frame."""


@dataclass(frozen=True, eq=False)
class SoundRows:
    """The packets of one sound track; `samples` is what a packet holds where its bytes tell, else 0."""

    stream_index: int
    codec: str
    start: Fraction | None
    """Seconds on the container's clock from which the track is meant to be heard, if the container says so."""
    rows: PacketRows
    samples: npt.NDArray[np.int32]
    skips: tuple[tuple[int, int, int], ...]
    """(row, samples to silence from its start, samples to silence at its end), as the container asks."""


@dataclass(frozen=True)
class MediaIndex:
    """All that is known of a file after one pass over its packets."""

    info: MediaInfo
    start: Fraction
    """The t = 0 of this project on the container's clock, seconds."""
    video: VideoIndex | None
    sounds: tuple[SoundRows, ...]
    warnings: tuple[str, ...]


_Key = tuple[str, int, int]
_cache: OrderedDict[_Key, MediaIndex] = OrderedDict()
_cache_lock = threading.Lock()
_scanning: defaultdict[_Key, threading.Lock] = defaultdict(threading.Lock)


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """What `path` holds, from its headers and first picture; read through only where they do not tell the duration.

    `VideoReader.info` corrects it where the packets tell another duration or frame rate.

    Raises:
        InputError: the file cannot be read, or has neither video nor sound that can be decoded.
    """
    info = read_headers(path)
    return info if info.duration > 0 else media_index(path).info


def media_index(
    path: str | os.PathLike[str],
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> MediaIndex:
    """The index of `path`; the last ones are kept, so the readers of one file share a single pass.

    Raises:
        InputError: the file cannot be read, or has neither video nor sound.
        Cancelled: `cancel` said so.
    """
    info = read_headers(path)
    status = os.stat(path)
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    with _scanning[key]:
        index = _cache.get(key)
        if index is None:
            index = _scan(info, status.st_size, progress, cancel)
    with _cache_lock:
        _cache[key] = index
        _cache.move_to_end(key)
        while len(_cache) > _KEPT_INDEXES:
            _cache.popitem(last=False)
        _scanning.pop(key, None)
    return index


def _scan(info: MediaInfo, size: int, progress: ProgressCallback | None, cancel: CancelCheck | None) -> MediaIndex:
    problems: list[str] = []
    with open_input(info.path) as container:
        start = start_time(container)
        video = video_stream(container)
        picture = _PictureCollector(video) if video else None
        sounds = [_SoundCollector(stream) for stream in audio_streams(container)]
        collectors: list[_PictureCollector | _SoundCollector] = [*([picture] if picture else []), *sounds]
        takers = {collector.stream.index: collector.add for collector in collectors}
        streams: list[Stream] = [collector.stream for collector in collectors]
        only(container, *streams)
        for count, packet in enumerate(packets(container, streams, problems)):
            if count % _REPORT_EVERY == 0:
                check(cancel)
                if progress is not None:
                    progress(Progress("Indexing", packet.pos or 0, size))
            takers[packet.stream_index](packet)
        pictures = _index_pictures(info.path, picture, start) if picture else None
        tracks = tuple(sound.rows() for sound in sounds)
    info, notes = _measured(info, start, pictures, tracks)
    return MediaIndex(info=info, start=start, video=pictures, sounds=tracks, warnings=(*problems, *notes))


class _PictureCollector:
    def __init__(self, stream: VideoStream) -> None:
        self.stream = stream
        self.collected = RowCollector()
        self._codec = stream.codec_context.codec.canonical_name
        self._extradata = stream.codec_context.extradata or b""

    def add(self, packet: Packet[Stream]) -> None:
        key = packet.is_keyframe and is_entry_point(packet, self._codec, self._extradata, first=not self.collected)
        self.collected.add(packet, key=key, discard=packet.is_discard or hidden_picture(packet, self._codec))


class _SoundCollector:
    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
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

    def rows(self) -> SoundRows:
        time_base = self.stream.time_base or _MICROSECOND
        return SoundRows(
            stream_index=self.stream.index,
            codec=self.stream.codec_context.codec.canonical_name,
            start=None if self.stream.start_time is None else self.stream.start_time * time_base,
            rows=self._collected.rows(time_base),
            samples=np.array(self._samples, np.int32),
            skips=tuple(self._skips),
        )


def _index_pictures(path: Path, collector: _PictureCollector, start: Fraction) -> VideoIndex:
    """Puts the pictures in presentation order: by their time stamps, or by decoding where those cannot be right."""
    stream, time_base = collector.stream, collector.stream.time_base or _MICROSECOND
    rows = collector.collected.rows(time_base)
    shown = np.flatnonzero(~rows.discard)
    stamped = bool(np.all(rows.pts[shown] != NO_TIME))
    if stamped and not _order_is_wrong(path, stream, rows):
        order = np.lexsort((np.arange(len(rows)), rows.pts))
        rank = np.empty(len(rows), np.int64)
        rank[order] = np.arange(len(rows))
        shown = order[~rows.discard[order]]
        times = _seconds(rows.pts[shown], time_base, start)
        return VideoIndex(stream_index=stream.index, rows=rows, shown=shown, times=times, rank=rank)
    shown = output_order(path, stream.index, len(rows))
    rank = np.full(len(rows), -1, np.int64)
    rank[shown] = np.arange(len(shown))
    rows = replace(rows, key=rows.key & (rank >= 0))
    stamps = np.sort(rows.dts[shown])
    if len(stamps) and stamps[0] != NO_TIME and np.all(np.diff(stamps) > 0):
        times = _seconds(stamps, time_base, start)
    else:
        times = np.arange(len(shown)) / float(stream.guessed_rate or header_rate(stream))
    return VideoIndex(stream_index=stream.index, rows=rows, shown=shown, times=times, rank=rank)


def _order_is_wrong(path: Path, stream: VideoStream, rows: PacketRows) -> bool:
    """AVI holds no presentation times; those made up for reordered pictures are checked against the decoder."""
    if stream.container.format.name != "avi" or not stream.codec_context.has_b_frames:
        return False
    decoded = output_order(path, stream.index, min(len(rows), _ORDER_SAMPLE))
    return bool(np.any(np.diff(rows.pts[decoded]) <= 0))


def _seconds(pts: npt.NDArray[np.int64], time_base: Fraction, start: Fraction) -> npt.NDArray[np.float64]:
    """Seconds from `start`; the integers are made small first so that nothing is lost in float64."""
    offset = round(start / time_base)
    rest = float(offset * time_base - start)
    return (pts - offset).astype(np.float64) * float(time_base) + rest


def _measured(
    info: MediaInfo, start: Fraction, pictures: VideoIndex | None, sounds: tuple[SoundRows, ...]
) -> tuple[MediaInfo, list[str]]:
    """`info` with the duration and frame rate that the packets show, where the header is silent or wrong."""
    ends = [_end_of(sound.rows, start) for sound in sounds]
    notes = []
    if pictures is not None and len(pictures.times):
        info = replace(info, fps=_average_rate(pictures.times, info.fps))
        ends.append(_end_of(pictures.rows, start) or float(pictures.times[-1] + 1 / info.fps))
    end = max(ends, default=0.0)
    if info.duration > end + _TRUNCATION_SLACK:
        notes.append(f"the file ends at {end:.1f} s of {info.duration:.1f} s: it was cut short, what is there is used")
    if info.duration == 0 or abs(info.duration - end) > _TRUNCATION_SLACK:
        info = replace(info, duration=end)
    return info, notes


def _end_of(rows: PacketRows, start: Fraction) -> float:
    """Seconds from `start` to the end of the last packet that is presented."""
    known = (rows.pts != NO_TIME) & ~rows.discard
    if not known.any():
        return 0.0
    last = int(np.max(rows.pts[known] + rows.duration[known]))
    return float(last * rows.time_base - start)


def _average_rate(times: npt.NDArray[np.float64], header: Fraction) -> Fraction:
    span = float(times[-1] - times[0])
    if len(times) < 2 or span <= 0:
        return header
    measured = Fraction((len(times) - 1) / span).limit_denominator(100_000)
    return header if abs(measured - header) <= header / 1000 else snap_rate(measured)
