"""timm without the compiler of PyTorch, which timm and torchvision would load for what nothing here calls.

The compiler and its algebra system are more than two thirds of what importing timm costs. Whoever needs them gets them.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

_COMPILER, _USED = "torch._dynamo", "torch._dynamo.utils"


def _leave_alone(function: Callable[..., Any], recursive: bool = True, **options: Any) -> Callable[..., Any]:
    return function


@contextlib.contextmanager
def _stand_in() -> Iterator[None]:
    """The two names of the compiler that are used while modules load."""
    package, used = ModuleType(_COMPILER), ModuleType(_USED)
    vars(package).update(disable=_leave_alone, utils=used)
    vars(used).update(is_compile_supported=lambda device: False)
    sys.modules.update({_COMPILER: package, _USED: used})
    try:
        yield
    finally:
        del sys.modules[_COMPILER], sys.modules[_USED]


if _COMPILER not in sys.modules:
    with _stand_in(), contextlib.suppress(Exception):  # one that uses more is loaded below, with the compiler
        import timm

import timm  # noqa: E402
from timm.layers.conv2d_same import Conv2dSame  # noqa: E402

__all__ = ["Conv2dSame", "timm"]
