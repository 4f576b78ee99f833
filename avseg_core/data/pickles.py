"""Reads the pickled log-mel tensors of AVSBench without executing anything they contain.

A pickle is a program: its opcodes may call whatever they name. This unpickler knows exactly the names that a pickled
`torch.Tensor` (with or without gradient) uses, and answers each with a stand-in that only writes down its arguments.
The records are turned into a tensor afterwards, with every size checked.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from avseg_core.errors import InputError

MAX_BYTES = 16 * 2**20
"""A log-mel of ten seconds has 0.25 MB; anything far larger is something else."""


class _Storage(NamedTuple):
    """The bytes of a pickled storage, not looked into yet."""

    data: Any


class _Tensor(NamedTuple):
    """The arguments of `torch._utils._rebuild_tensor_v2`."""

    storage: Any
    offset: Any
    size: Any
    stride: Any


class _Parameter(NamedTuple):
    """The first argument of `torch._utils._rebuild_parameter`."""

    tensor: Any


def _tensor(*arguments: Any) -> _Tensor:
    return _Tensor(*arguments[:4])


def _parameter(*arguments: Any) -> _Parameter:
    return _Parameter(arguments[0])


def _storage(*arguments: Any) -> _Storage:
    return _Storage(arguments[0])


def _bytes(text: Any, encoding: Any) -> bytes:
    """How pickle protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("its bytes are damaged")
    return text.encode("latin1")


def _hooks(*_: Any) -> tuple[()]:
    return ()


class _StandIn:
    """Callable without attributes, so that no opcode can change what later opcodes meet."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError("tries to change the reader")


_ALLOWED = {
    ("torch._utils", "_rebuild_tensor_v2"): _StandIn(_tensor),
    ("torch._utils", "_rebuild_parameter"): _StandIn(_parameter),
    ("torch.storage", "_load_from_bytes"): _StandIn(_storage),
    ("collections", "OrderedDict"): _StandIn(_hooks),
    ("_codecs", "encode"): _StandIn(_bytes),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which no log-mel needs") from None


def read_logmel_pickle(path: Path, examples: int) -> NDArray[np.float32]:
    """A pickled tensor [examples,1,96,64] -> [examples,96,64].

    Raises:
        InputError: the file is missing, damaged, of another shape, or contains anything but one float tensor.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("it is far larger than a log-mel")
        content = path.read_bytes()
        _check_notes(content)
        tensor = _build(_Unpickler(io.BytesIO(content)).load())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; the data set needs the log-mel of every clip.") from None
    except Exception as error:  # damaged pickles raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: is not a plain pickled log-mel tensor ({reason[:160]}); nothing was run.") from None
    if tuple(tensor.shape) != (examples, 1, 96, 64):
        shapes = f"shape {list(tensor.shape)}, expected [{examples}, 1, 96, 64]"
        raise InputError(f"{path}: holds a tensor of {shapes}; make it again or remove it to use the wav.")
    array = tensor[:, 0].to(torch.float32).numpy()
    if not np.isfinite(array).all():
        raise InputError(f"{path}: holds values that are not finite; make it again or remove it to use the wav.")
    return np.ascontiguousarray(array)


def _check_notes(content: bytes) -> None:
    """Raises ValueError for a pickle that numbers what it notes higher than it could ever note.

    The unpickler allocates its notes up to that number: nine bytes could ask for 34 GB.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise ValueError("it asks for far more memory than a log-mel needs")


def _build(record: Any) -> torch.Tensor:
    """The recorded tensor, as a view of its storage that is checked to lie inside it."""
    if isinstance(record, _Parameter):
        record = record.tensor
    if not isinstance(record, _Tensor) or not isinstance(record.storage, _Storage):
        raise ValueError("it holds something else than a tensor")
    if not isinstance(record.storage.data, bytes) or record.storage.data.startswith(b"PK"):  # never a zip inside
        raise ValueError("its storage is damaged")
    storage = torch.load(io.BytesIO(record.storage.data), map_location="cpu", weights_only=True)
    if not isinstance(storage, torch.storage.TypedStorage) or not storage.dtype.is_floating_point:
        raise ValueError("it holds no floating-point numbers")
    size, stride = _integers(record.size), _integers(record.stride)
    (offset,) = _integers((record.offset,))
    if len(size) != len(stride):
        raise ValueError("its sizes and strides do not match")
    flat = torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage)
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    if 0 not in size and last >= flat.numel():
        raise ValueError("its storage is too short")
    if math.prod(size) > flat.numel():  # strides of 0 would make a mountain of one number
        raise ValueError("it repeats what it stores")
    return flat.as_strided(size, stride, offset).clone()


def _integers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(type(value) is int and value >= 0 for value in values):
        raise ValueError("its sizes are damaged")
    return values
