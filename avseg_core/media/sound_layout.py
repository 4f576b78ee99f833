"""Where on the time line the samples of every sound packet lie, worked out once from all time stamps of the track.

Time stamps are rounded (to a millisecond in Matroska), so placing packets by them one by one would cut clicks into the
sound. Instead packets follow one another without a seam as long as their stamps agree with the number of samples before
them; where they do not, there is a gap (left silent) or an overlap (the earlier packet is cut).
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

from avseg_core.media.index import SoundRows
from avseg_core.media.resample import Samples
from avseg_core.media.rows import NO_TIME, PacketRows, RowCursor
from avseg_core.media.sound_samples import SampleDecoder

_CONSTANT_LENGTH = frozenset(
    {"aac", "aac_latm", "ac3", "alac", "amr_nb", "amr_wb", "dts", "eac3", "gsm", "mp1", "mp2", "mp3", "truehd"}
)
"""Codecs whose packets all hold the same number of samples (the last one of ALAC may hold fewer)."""
_MEASURED_PACKETS = 12
_LONGEST_PACKET_SECONDS = 10
"""What a damaged time stamp may claim at the most."""
_GAP_SECONDS = 0.010
"""Disagreement between stamps and sample count that is taken for a real gap; the shortest usual packet lasts 20 ms."""


@dataclass(frozen=True)
class SoundLayout:
    """Sample positions count from t = 0 at the track's own rate."""

    rows: PacketRows
    rate: int
    position: npt.NDArray[np.int64]
    """[rows] first sample of every packet, ascending."""
    kept: npt.NDArray[np.int64]
    """[rows] samples of the packet up to the next packet."""
    silent: tuple[tuple[int, int], ...]
    """Stretches [begin, end) that are decoded for the codec's sake but not meant to be heard."""

    def silence(self, samples: Samples, origin: int) -> None:
        """Zeroes what is not meant to be heard in `samples` [n, C], the first of which is number `origin`."""
        for begin, end in self.silent:
            samples[max(begin - origin, 0) : max(end - origin, 0)] = 0


@functools.lru_cache(maxsize=4)
def sound_layout(path: str, sound: SoundRows, start: Fraction) -> SoundLayout:
    """Lays out one track; packets are decoded only where neither their bytes nor their stamps tell their length."""
    rate, counts = _measure(path, sound, _MEASURED_PACKETS)
    lengths = _known_lengths(sound, rate, counts)
    if lengths is None:
        rate, counts = _measure(path, sound, len(sound.rows))
        lengths = np.array(counts, np.int64)
    lengths = np.clip(lengths, 0, _LONGEST_PACKET_SECONDS * rate)
    stamped = _stamped_positions(sound.rows, start, rate)
    half_tick = float(sound.rows.time_base * rate / 2)
    position = _without_seams(stamped, lengths, half_tick, _GAP_SECONDS * rate, _expected_first(sound, start, rate))
    position = np.maximum.accumulate(position)
    kept = np.minimum(lengths, np.diff(position, append=np.iinfo(np.int64).max))
    return SoundLayout(
        rows=sound.rows,
        rate=rate,
        position=position,
        kept=kept,
        silent=tuple(_silent(sound, position, lengths, start, rate)),
    )


def _measure(path: str, sound: SoundRows, count: int) -> tuple[int, list[int]]:
    """The track's real rate and the samples that come out for each of the first `count` packets."""
    cursor = RowCursor(path, AudioStream, sound.stream_index, sound.rows)
    try:
        usual_rate = cursor.stream.codec_context.sample_rate
        decoder = SampleDecoder(cursor.stream, 1, usual_rate)
        counts = [0] * min(count, len(sound.rows))
        rates: Counter[int] = Counter()
        for row, packet in islice(iter(cursor.read, None), len(counts)):
            frames = decoder.frames(packet)
            counts[row] = sum(frame.samples for frame in frames)
            rates.update(frame.sample_rate for frame in frames)
        if counts and len(counts) == len(sound.rows):
            counts[-1] += sum(frame.samples for frame in decoder.frames(None))
        return rates.most_common(1)[0][0] if rates else usual_rate, counts
    finally:
        cursor.close()


def _known_lengths(sound: SoundRows, rate: int, measured: list[int]) -> npt.NDArray[np.int64] | None:
    """[rows] samples per packet without decoding them all, None where that cannot be known."""
    if np.any(sound.samples > 0):
        return sound.samples.astype(np.int64)
    usual = Counter(measured[2:-1] or measured)
    if sound.codec in _CONSTANT_LENGTH and len(usual) == 1 and all(usual):
        return np.full(len(sound.rows), next(iter(usual)), np.int64)
    ticks_per_sample = 1 / (sound.rows.time_base * rate)
    if ticks_per_sample.denominator == 1 and np.all(sound.rows.duration > 0):
        return sound.rows.duration // ticks_per_sample.numerator
    return None


def _stamped_positions(rows: PacketRows, start: Fraction, rate: int) -> npt.NDArray[np.float64]:
    """[rows] where the time stamps put each packet, in samples from t = 0; NaN without a stamp."""
    offset = round(start / rows.time_base)
    rest = float((offset * rows.time_base - start) * rate)
    positions = (rows.presented - offset).astype(np.float64) * float(rows.time_base * rate) + rest
    return np.where(rows.pts == NO_TIME, np.nan, positions)


def _expected_first(sound: SoundRows, start: Fraction, rate: int) -> float:
    """Where the first packet lies if the encoder's delay ends exactly where the track is meant to be heard from."""
    delay = next((head for row, head, _ in sound.skips if row == 0), 0)
    return float((sound.start - start) * rate - delay) if sound.start is not None else np.nan


def _without_seams(
    stamped: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    half_tick: float,
    tolerance: float,
    first: float,
) -> npt.NDArray[np.int64]:
    """[rows] positions that follow one another exactly within every run of packets whose stamps agree.

    Args:
        stamped: [rows] samples, as the time stamps say, rounded to within `half_tick` samples.
        lengths: [rows] samples per packet.
        tolerance: samples by which stamps may disagree within a run.
        first: where the first packet should be, if the stamps allow it.
    """
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    offset = _filled(stamped - before)
    position = np.empty(len(stamped), np.int64)
    begin = 0
    while begin < len(offset):
        end = _end_of_run(offset, begin, tolerance)
        low, high = offset[begin:end].max() - half_tick, offset[begin:end].min() + half_tick
        # All stamps of the run were rounded from offsets in [low, high]; its first is the likeliest to be exact.
        guess = first if begin == 0 and low <= first <= high else offset[begin]
        place = min(max(guess, low), high) if low <= high else (low + high) / 2
        position[begin:end] = before[begin:end] + int(np.floor(place + 0.5))
        begin = end
    return position


def _end_of_run(offset: npt.NDArray[np.float64], begin: int, tolerance: float) -> int:
    """First row after `begin` whose offset differs from that of `begin` by more than `tolerance`."""
    step = 1024
    at = begin
    while at < len(offset):
        apart = np.flatnonzero(np.abs(offset[at : at + step] - offset[begin]) > tolerance)
        if len(apart):
            return at + int(apart[0])
        at, step = at + step, step * 2
    return len(offset)


def _filled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """NaNs take the last value before them, 0 where there is none."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(known)
    return np.where(last >= 0, values[np.maximum(last, 0)], 0.0)


def _silent(
    sound: SoundRows,
    position: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    start: Fraction,
    rate: int,
) -> list[tuple[int, int]]:
    """Encoder delay and padding, and what lies outside the edit list."""
    silent = []
    if sound.start is not None:
        silent.append((np.iinfo(np.int64).min // 2, round((sound.start - start) * rate)))
    for row, head, tail in sound.skips:
        end = int(position[row] + lengths[row])
        silent += [(int(position[row]), int(position[row]) + head), (end - tail, end)]
    silent += [(int(position[row]), int(position[row] + lengths[row])) for row in np.flatnonzero(sound.rows.discard)]
    return _merged(silent)


def _merged(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(stretch for stretch in stretches if stretch[0] < stretch[1]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
