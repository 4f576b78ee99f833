"""The index of a media file: one pass over its packets, nothing decoded unless the file gives no usable times."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from avseg_core.errors import InputError
from avseg_core.media.container import audio_streams, open_input, start_time, video_stream
from avseg_core.media.info import MediaInfo, header_rate, read_headers, snap_rate
from avseg_core.media.mp4_index import read_tables
from avseg_core.media.ordering import output_order
from avseg_core.media.packet_pass import StreamTable, read_packets
from avseg_core.media.rows import NO_TIME, PacketRows
from avseg_core.media.splices import SPLICEABLE_FORMATS, run_on
from avseg_core.progress import CancelCheck, ProgressCallback

HEADERS_SUFFICE_FROM = 32 << 20
"""Bytes from which on the headers of an MP4 are used instead of a pass over its packets."""
_KEPT_INDEXES = 2
_DAMAGED_START = 1
"""Seconds that pictures may begin before the file's start without its being taken for damaged."""
_ROUNDING = 1e-6
"""Seconds by which float arithmetic may miss the stamps."""
_ORDER_SAMPLE = 200
"""Packets decoded to see whether time stamps that FFmpeg made up are in order."""
_TRUNCATION_SLACK = 1.0
"""Seconds that the data may end before the header's duration without being called truncated."""
_COUNTED_FROM_ZERO = frozenset({"asf", "matroska,webm", "nut"})
"""Formats whose header names the end on the file's clock; some programs write the length instead."""
_STRAY_SECONDS = 24 * 3600
"""What is stamped so much later than what precedes it was not recorded then: its stamp is damaged."""
_LONGEST_SECONDS = 1000 * 3600
"""No recording is longer; a file that says so is damaged, or made to exhaust the memory."""


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
    strays: int = 0
    """Pictures that are left out because their time stamps are damaged."""


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
    tables = _tables_in_headers(info.path) if size >= HEADERS_SUFFICE_FROM else None
    with open_input(info.path) as container:
        start, video, sounds = start_time(container), video_stream(container), audio_streams(container)
        if tables is None:
            streams = [*([video] if video else []), *sounds]
            tables = read_packets(container, streams, problems, progress, cancel)
        from_zero = container.format.name in _COUNTED_FROM_ZERO
        if container.format.name in SPLICEABLE_FORMATS and tables:
            tables = run_on(tables, reference=video.index if video else sounds[0].index)
        start = _first_shown(tables[video.index].rows, start) if video else start
        pictures = _index_pictures(info.path, video, tables[video.index].rows, start) if video else None
        filled = [place for place, sound in enumerate(sounds) if len(tables[sound.index].rows)]
        tracks = tuple(_sound_rows(sounds[place], tables[sounds[place].index]) for place in filled)
    info = replace(info, audio=tuple(replace(info.audio[old], index=new) for new, old in enumerate(filled)))
    info, notes = _measured(info, start, pictures, tracks, from_zero=from_zero)
    return MediaIndex(info=info, start=start, video=pictures, sounds=tracks, warnings=(*problems, *notes))


def _tables_in_headers(path: Path) -> dict[int, StreamTable] | None:
    with open_input(path) as container:
        video = video_stream(container)
        return read_tables(path, container, [*([video] if video else []), *audio_streams(container)])


def _first_shown(rows: PacketRows, start: Fraction) -> Fraction:
    """Where the pictures really begin if FFmpeg took `start` from a damaged stamp far behind them, else `start`."""
    stamps = rows.presented[(rows.pts != NO_TIME) & ~rows.discard]
    first = int(stamps.min()) * rows.time_base if len(stamps) else start
    return first if first < start - _DAMAGED_START else start


def _sound_rows(stream: AudioStream, table: StreamTable) -> SoundRows:
    return SoundRows(
        stream_index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        start=None if stream.start_time is None else stream.start_time * table.rows.time_base,
        rows=table.rows,
        samples=table.samples,
        skips=table.skips,
    )


def _index_pictures(path: Path, stream: VideoStream, rows: PacketRows, start: Fraction) -> VideoIndex:
    """Puts the pictures in presentation order: by their time stamps, or by decoding where those cannot be right."""
    time_base = rows.time_base
    shown = np.flatnonzero(~rows.discard)
    stamped = bool(np.all(rows.pts[shown] != NO_TIME))
    if stamped and not _order_is_wrong(path, stream, rows):
        order = np.lexsort((np.arange(len(rows)), rows.presented))
        rank = np.empty(len(rows), np.int64)
        rank[order] = np.arange(len(rows))
        shown = order[~rows.discard[order]]
        kept = _before_strays(rows.presented[shown], time_base)
        times = _seconds(rows.presented[shown[:kept]], time_base, start)
        strays = len(shown) - kept
        return VideoIndex(
            stream_index=stream.index, rows=rows, shown=shown[:kept], times=times, rank=rank, strays=strays
        )
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


def _before_strays(stamps: npt.NDArray[np.int64], time_base: Fraction) -> int:
    """How many of the ascending stamps come before one that is damaged."""
    far = np.flatnonzero(np.diff(stamps) > round(_STRAY_SECONDS / time_base))
    return int(far[0]) + 1 if len(far) else len(stamps)


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
    info: MediaInfo, start: Fraction, pictures: VideoIndex | None, sounds: tuple[SoundRows, ...], *, from_zero: bool
) -> tuple[MediaInfo, list[str]]:
    """`info` with the duration and frame rate that the packets show, where the header is silent or wrong."""
    ends = [_end_of(sound.rows, start) for sound in sounds]
    notes = []
    if pictures is not None and len(pictures.times):
        info = replace(info, fps=_average_rate(pictures.times, info.fps, float(pictures.rows.time_base)))
        ends.append(_end_of(pictures.rows, start) or float(pictures.times[-1] + 1 / info.fps))
    end = max(ends, default=0.0)
    if end > _LONGEST_SECONDS:
        raise InputError(
            f"{info.path}: its time stamps claim {end / 3600:.0f} hours, so it is damaged; "
            "save it anew with another program."
        )
    if from_zero:
        info = replace(info, duration=_length(info.duration, float(start), end))
    if pictures is not None and pictures.strays:
        notes.append(f"pictures that are stamped days after the others are left out: {pictures.strays}")
    elif info.duration > end + _TRUNCATION_SLACK:
        notes.append(f"the file ends at {end:.1f} s of {info.duration:.1f} s: it was cut short, what is there is used")
    if info.duration == 0 or abs(info.duration - end) > _TRUNCATION_SLACK:
        info = replace(info, duration=end)
    return info, notes


def _length(claimed: float, start: float, end: float) -> float:
    """Seconds from `start`, of a header that counts from there or from 0: whichever is nearer to the data's `end`."""
    return min(claimed, claimed - start, key=lambda length: abs(length - end)) if 0 < start < claimed else claimed


def _end_of(rows: PacketRows, start: Fraction) -> float:
    """Seconds from `start` to the end of the last packet that is presented."""
    known = (rows.pts != NO_TIME) & ~rows.discard
    if not known.any():
        return 0.0
    ends = np.sort(rows.presented[known] + rows.duration[known])
    return float(int(ends[_before_strays(ends, rows.time_base) - 1]) * rows.time_base - start)


def _average_rate(times: npt.NDArray[np.float64], header: Fraction, tick: float) -> Fraction:
    """The rate that the header names if stamps of so many seconds a `tick` bear it out, else what they measure."""
    span = float(times[-1] - times[0])
    if len(times) < 2 or span <= 0:
        return header
    steps = len(times) - 1
    blur = min(tick, 0.25 * span / steps) + _ROUNDING  # by as much do rounded stamps mistake the span
    if abs(steps / float(header) - span) <= blur:
        return header
    return snap_rate(Fraction(steps / span).limit_denominator(100_000), blur / span)
