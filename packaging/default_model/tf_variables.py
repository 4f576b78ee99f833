"""Reads the variables of a TensorFlow SavedModel with numpy alone.

`variables.index` is an uncompressed sorted-string table (LevelDB's format) of BundleEntryProto messages, which say
where in `variables.data-00000-of-00001` each tensor lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FOOTER_BYTES, _MAGIC = 48, 0xDB4775248B80FB57
_FLOAT32 = 1


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The base-128 number at `at` and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The key-value pairs of one table block; keys share prefixes with their predecessor."""
    block = data[offset : offset + size]
    restarts = int.from_bytes(block[-4:], "little")
    at, end, key = 0, size - 4 - 4 * restarts, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field of a protobuf message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind == 5:
            value, at = message[at : at + 4], at + 4
        else:
            value, at = message[at : at + 8], at + 8
        yield tag >> 3, value


def _shape(message: bytes) -> tuple[int, ...]:
    sizes = []
    for number, value in _fields(message):
        if number == 2 and isinstance(value, bytes):
            sizes.append(next((int(v) for n, v in _fields(value) if n == 1 and isinstance(v, int)), 0))
    return tuple(sizes)


def read_variables(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    """All float32 variables of the SavedModel's `variables` folder by name.

    Raises:
        ValueError: the index is not an uncompressed table.
    """
    index = (folder / "variables.index").read_bytes()
    footer = index[-_FOOTER_BYTES:]
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError(f"{folder / 'variables.index'}: not a variables index")
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    offset, at = _varint(footer, at)
    size, at = _varint(footer, at)
    data = (folder / "variables.data-00000-of-00001").read_bytes()
    variables = {}
    for _, handle in _block(index, offset, size):
        start, at = _varint(handle, 0)
        length, _ = _varint(handle, at)
        for key, entry in _block(index, start, length):
            values = dict(_fields(entry))
            if not key or values.get(1) != _FLOAT32:
                continue
            shape, begin, count = values.get(2, b""), values.get(4, 0), values[5]
            assert isinstance(shape, bytes)
            assert isinstance(begin, int)
            assert isinstance(count, int)
            variables[key.decode()] = np.frombuffer(data[begin : begin + count], "<f4").reshape(_shape(shape)).copy()
    return variables
