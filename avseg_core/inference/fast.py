"""`--fast`: half precision on an NVIDIA GPU. The only numerics here that are not those of float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import torch
from torch import nn

from avseg_core.errors import InputError
from avseg_core.models.output import AVSModel, AVSOutput

_METHODS = ("forward", "encode_visual", "embed_audio", "segment", "segment_embedding")


def half_dtype() -> torch.dtype:
    """What "half precision" is on this machine's CUDA device: bfloat16 where it has that, otherwise float16."""
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def use_half_precision(model: AVSModel, device: torch.device) -> None:
    """From now on `model`, on the CUDA `device`, multiplies in half precision; its logits are float32 again.

    Raises:
        InputError: `device` is another, where half precision is slower than float32 or unknown.
    """
    if device.type != "cuda":
        raise InputError(f"--fast: is half precision on a CUDA device, and this is {device.type}; leave it out.")
    cast(nn.Module, model).to(memory_format=torch.channels_last)  # how tensor cores take convolutions
    autocast_methods(model, device.type, half_dtype())


def autocast_methods(model: AVSModel, device_type: str, dtype: torch.dtype) -> None:
    """Puts all entry points of `model` under autocast; sums, norms and softmax stay in float32."""
    for name in _METHODS:
        if hasattr(model, name):
            setattr(model, name, _autocast(getattr(model, name), device_type, dtype))


def _autocast(method: Callable[..., Any], device_type: str, dtype: torch.dtype) -> Callable[..., Any]:
    @wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device_type, dtype=dtype):
            answer = method(*args, **kwargs)
        if isinstance(answer, AVSOutput):
            answer.logits = answer.logits.float()
        return answer

    return run
