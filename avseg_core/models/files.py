"""Reading checkpoint files of others: tensors only, no code."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from avseg_core.errors import InputError

StateDict = dict[str, Tensor]
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_MOST_WRAPPINGS = 4
"""A file can hold itself, so unwrapping has to end."""
_BEGINNINGS = (b"PK", b"\x80")
"""Of what PyTorch writes, now and formerly."""
_DAMAGE = (
    OSError,
    SafetensorError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    struct.error,
)
"""What reading a damaged file can end with."""


def read_state(path: Path) -> StateDict:
    """The tensors of a checkpoint file, safetensors or PyTorch's own, without usual wrappers; runs no code.

    Raises:
        InputError: the file cannot be read, holds more than tensors, or would have to run code.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path.") from None
    except (PermissionError, IsADirectoryError) as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a file that you may read.") from None
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) and _is_of_pytorch(path):
            raise InputError(
                f"{path}: holds more than tensors (code or objects), so it is not opened; get a file of weights alone."
            ) from None
        raise _no_checkpoint(path) from None
    except _DAMAGE:
        raise _no_checkpoint(path) from None
    state = unwrap(content, str(path))
    if any(tensor.is_meta for tensor in state.values()):
        raise InputError(f"{path}: holds the shapes of a model but not its numbers; get the whole file.")
    return state


def unwrap(content: Any, source: str) -> StateDict:
    """Takes off {"state_dict": ...} and the like, and DataParallel's "module." in front of every key.

    Raises:
        InputError: what is left is no state dict; `source` is named.
    """
    for _ in range(_MOST_WRAPPINGS):
        if isinstance(content, Mapping):
            content = next((content[w] for w in _WRAPPERS if isinstance(content.get(w), Mapping)), content)
    if not isinstance(content, Mapping) or not content:
        raise InputError(f"{source}: holds no state dict; name a file of weights.")
    other = [key for key, value in content.items() if not (isinstance(key, str) and _is_plain(value))]
    if other:
        raise InputError(f"{source}: {str(other[0])[:60]!r} is no tensor; name a plain state dict.")
    if all(key.startswith("module.") for key in content):
        return {key.removeprefix("module."): value for key, value in content.items()}
    return dict(content)


def _no_checkpoint(path: Path) -> InputError:
    return InputError(f"{path}: not a checkpoint, or damaged; get it again or name the .pth file itself.")


def _is_of_pytorch(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2).startswith(_BEGINNINGS)


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_quantized
