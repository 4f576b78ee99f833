"""Recordings that were cut together byte by byte: their clocks jump, and here they are made to run on.

MPEG transport and programme streams (television, camcorders, DVD) may be joined by appending files. Each piece keeps
its own clock, so time stamps jump back or far ahead where one piece ends; shown in the order of their stamps the pieces
would be shuffled together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from avseg_core.media.packet_pass import StreamTable
from avseg_core.media.rows import NO_TIME, PacketRows

SPLICEABLE_FORMATS = frozenset({"mpeg", "mpegts"})
_BACK_SECONDS = 0.5
_AHEAD_SECONDS = 10.0
"""Jumps of the decoding clock that are taken for a splice; smaller ones are gaps or disorder within a recording."""


def run_on(tables: dict[int, StreamTable], reference: int) -> dict[int, StreamTable]:
    """The tables with a `shift` that makes every piece begin where stream `reference` ended in the one before."""
    starts = {index: _piece_starts(table.rows) for index, table in tables.items()}
    if all(len(found) == 1 for found in starts.values()):
        return tables
    seconds = _shifts(tables[reference].rows, starts[reference])
    joined = {}
    for index, table in tables.items():
        own = starts[index]
        # A stream that shows other splices than the reference can only be made to run on by itself.
        piece_shifts = seconds if len(own) == len(seconds) else _shifts(table.rows, own)
        lengths = np.diff(own, append=len(table.rows))
        ticks = np.round(piece_shifts / float(table.rows.time_base)).astype(np.int64)
        joined[index] = replace(table, rows=replace(table.rows, shift=np.repeat(ticks, lengths)))
    return joined


def _piece_starts(rows: PacketRows) -> npt.NDArray[np.int64]:
    """The rows at which a piece begins, row 0 among them."""
    known = np.flatnonzero(rows.dts != NO_TIME)
    steps = np.diff(rows.dts[known]) * float(rows.time_base)
    jumps = known[1:][(steps < -_BACK_SECONDS) | (steps > _AHEAD_SECONDS)]
    return np.concatenate([[0], jumps]).astype(np.int64)


def _shifts(rows: PacketRows, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """[pieces] seconds to add to each piece's clock."""
    tick = float(rows.time_base)
    shifts = np.zeros(len(starts))
    for piece in range(1, len(starts)):
        before, after = _known(rows, starts[piece - 1], starts[piece]), starts[piece]
        end = (rows.dts[before].max() + rows.duration[before[-1]]) * tick + shifts[piece - 1]
        shifts[piece] = end - rows.dts[after] * tick
    return shifts


def _known(rows: PacketRows, begin: int, end: int) -> npt.NDArray[np.int64]:
    return begin + np.flatnonzero(rows.dts[begin:end] != NO_TIME)
