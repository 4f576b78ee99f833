"""Pickles of tensors: read exactly, and nothing in them is ever run."""

from __future__ import annotations

import collections
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from avseg_core.data.pickles import read_logmel_pickle
from avseg_core.errors import InputError


def one_line(error: pytest.ExceptionInfo[InputError], *parts: object) -> None:
    text = str(error.value)
    assert "\n" not in text
    for part in parts:
        assert str(part) in text


class Runs:
    """A pickle that runs `call` when it is loaded by a free unpickler."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


def tensor_pickle(values: torch.Tensor) -> bytes:
    return pickle.dumps(values)


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickled_tensor_is_read_exactly(requires_grad: bool, protocol: int, tmp_path: Path) -> None:
    values = torch.randn(5, 1, 96, 64)
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(values.clone().requires_grad_(requires_grad), protocol=protocol))
    np.testing.assert_array_equal(read_logmel_pickle(path, 5), values[:, 0].numpy())


def test_views_parameters_and_doubles_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    whole = torch.randn(9, 96, 64).double()
    path.write_bytes(tensor_pickle(whole[2:7].unsqueeze(1)))  # offset and a larger storage
    np.testing.assert_allclose(read_logmel_pickle(path, 5), whole[2:7].float().numpy())
    turned = torch.randn(5, 1, 64, 96).transpose(2, 3)
    path.write_bytes(tensor_pickle(turned))
    np.testing.assert_array_equal(read_logmel_pickle(path, 5), turned[:, 0].numpy())
    path.write_bytes(pickle.dumps(torch.nn.Parameter(whole[:5].float().unsqueeze(1))))
    np.testing.assert_allclose(read_logmel_pickle(path, 5), whole[:5].float().numpy())


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (os.system, ("touch {}",)),
        (eval, ("open({!r}, 'w').close()",)),
        (Path.touch, (Path("{}"),)),
        (torch.load, ("{}",)),
        (getattr, (os, "system")),
        (collections.Counter, (1,)),
    ],
)
def test_code_in_a_pickle_is_never_run(call: Callable[..., Any], arguments: tuple[Any, ...], tmp_path: Path) -> None:
    mark, path = tmp_path / "was_run", tmp_path / "a.pkl"
    filled = tuple(
        type(value)(str(value).format(str(mark))) if isinstance(value, str | Path) else 0 for value in arguments
    )
    path.write_bytes(pickle.dumps(Runs(call, *filled)))
    with pytest.raises(InputError) as caught:
        read_logmel_pickle(path, 5)
    one_line(caught, path, "is not a plain pickled log-mel tensor", "nothing was run")
    assert not mark.exists()


def test_code_behind_a_good_tensor_is_never_run(tmp_path: Path) -> None:
    mark, path = tmp_path / "was_run", tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps((torch.zeros(5, 1, 96, 64), Runs(os.system, f"touch {mark}"))))
    with pytest.raises(InputError) as caught:
        read_logmel_pickle(path, 5)
    one_line(caught, path, "posix.system" if os.name == "posix" else "nt.system")
    assert not mark.exists()


def test_code_in_the_storage_inside_is_never_run(tmp_path: Path) -> None:
    """The inner bytes are a pickle of their own; the usual loader would load them freely."""
    mark, path = tmp_path / "was_run", tmp_path / "a.pkl"
    inner = io.BytesIO()
    torch.save(Runs(os.system, f"touch {mark}"), inner, _use_new_zipfile_serialization=False)
    hostile = Runs(
        torch._utils._rebuild_tensor_v2,
        Runs(torch.storage._load_from_bytes, inner.getvalue()),
        0,
        (5, 1, 96, 64),
        (6144, 6144, 64, 1),
        False,
        collections.OrderedDict(),
    )
    path.write_bytes(pickle.dumps(hostile))
    with pytest.raises(InputError) as caught:
        read_logmel_pickle(path, 5)
    one_line(caught, path, "nothing was run")
    assert not mark.exists()


def test_the_reader_cannot_be_changed_by_what_it_reads(tmp_path: Path) -> None:
    """BUILD sets attributes on what a name gave; the stand-ins refuse it."""
    path = tmp_path / "a.pkl"
    build = b"ctorch.storage\n_load_from_bytes\n(N}V_make\nVevil\nstb."
    path.write_bytes(b"\x80\x02" + build)
    with pytest.raises(InputError, match="is not a plain pickled log-mel tensor"):
        read_logmel_pickle(path, 5)
    path.write_bytes(tensor_pickle(torch.ones(5, 1, 96, 64)))
    assert read_logmel_pickle(path, 5).sum() == 5 * 96 * 64


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5, 1, 96, 64), (10**12, 1, 1, 1)),
        (10**9, (5, 1, 96, 64), (6144, 6144, 64, 1)),
        (-1, (5, 1, 96, 64), (6144, 6144, 64, 1)),
        (0, (5, 1, 96, 64), (6144, 6144, -64, 1)),
        (0, (5, 1, 96), (6144, 6144, 64, 1)),
        (0, "5196", (1, 1, 1, 1)),
    ],
)
def test_sizes_that_leave_the_storage_are_refused(offset: int, size: object, stride: object, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    untyped = torch.zeros(5 * 96 * 64).untyped_storage()
    storage = torch.storage.TypedStorage(wrap_storage=untyped, dtype=torch.float32, _internal=True)
    path.write_bytes(pickle.dumps(Runs(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, {})))
    with pytest.raises(InputError, match="is not a plain pickled log-mel tensor"):
        read_logmel_pickle(path, 5)


@pytest.mark.parametrize("content", [b"\x80\x02Nr\xff\xff\xff\x7f.", b"Np2147483647\n."])
def test_a_pickle_cannot_ask_for_memory(content: bytes, tmp_path: Path) -> None:
    """Numbering a note 2^31 makes the usual unpickler take 34 GB."""
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_logmel_pickle(path, 5)
    one_line(caught, path, "it asks for far more memory than a log-mel needs")


def test_one_number_repeated_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(tensor_pickle(torch.zeros(1).expand(1 << 40)))
    with pytest.raises(InputError) as caught:
        read_logmel_pickle(path, 5)
    one_line(caught, path, "it repeats what it stores")


def test_every_cut_of_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    whole = tensor_pickle(torch.zeros(1, 1, 96, 64))
    for length in [*range(0, 400, 7), len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="is not a plain pickled log-mel tensor"):
            read_logmel_pickle(path, 1)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (tensor_pickle(torch.zeros(4, 1, 96, 64)), r"shape \[4, 1, 96, 64\], expected \[5, 1, 96, 64\]"),
        (tensor_pickle(torch.zeros(5, 1, 96, 64, dtype=torch.int32)), "no floating-point numbers"),
        (tensor_pickle(torch.full((5, 1, 96, 64), torch.nan)), "values that are not finite"),
        (pickle.dumps([1, 2, 3]), "something else than a tensor"),
        (b"\x00" * (16 * 2**20 + 1), "far larger than a log-mel"),
    ],
)
def test_a_pickle_of_something_else_is_refused(content: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=what):
        read_logmel_pickle(path, 5)
