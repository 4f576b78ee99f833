"""timm without the compiler of PyTorch, which timm and torchvision would load for what nothing here calls.

The compiler and its algebra system are more than two thirds of what importing timm costs, and more than reading a model
does. Whoever needs them gets them.
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
def no_compiler() -> Iterator[None]:
    """The two names of the compiler that are used while modules load and models are built on the meta device.

    What asks for it in here is run as it is, as the compiler would; nothing changes where it is loaded already.
    """
    if _COMPILER in sys.modules:
        yield
        return
    package, used = ModuleType(_COMPILER), ModuleType(_USED)
    vars(package).update(disable=_leave_alone, utils=used)
    vars(used).update(is_compile_supported=lambda device: False)
    sys.modules.update({_COMPILER: package, _USED: used})
    try:
        yield
    finally:
        for name in (_COMPILER, _USED):  # two threads may load a model each
            sys.modules.pop(name, None)


with no_compiler(), contextlib.suppress(Exception):  # one that uses more is loaded below, with the compiler
    import timm

import timm  # noqa: E402
from timm.layers.conv2d_same import Conv2dSame  # noqa: E402

__all__ = ["Conv2dSame", "no_compiler", "timm"]
