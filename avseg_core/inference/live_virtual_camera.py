"""The live picture with its mask as a camera that other programs can choose, through pyvirtualcam.

The package is optional: it stands on a driver of the platform (v4l2loopback on Linux, OBS elsewhere) that not
everybody has.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import AVSegError, InputError
from avseg_core.results.look import OverlayStyle, compose

_DRIVER = (
    "load the kernel module v4l2loopback (sudo modprobe v4l2loopback)"
    if sys.platform == "linux"
    else "install OBS Studio and start its virtual camera once"
)
log = logging.getLogger(__name__)
Picture = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]


class VirtualCamera:
    """Sends the newest picture that was offered; `offer` never waits, and what is not sent in time is left out."""

    def __init__(self, width: int, height: int, fps: float, style: OverlayStyle, on_end: Callable[[str], None]) -> None:
        """Opens the first virtual camera of the machine; its size cannot change any more.

        Args:
            on_end: called in the camera's thread with the reason if it must end by itself.

        Raises:
            InputError: pyvirtualcam is not installed.
            AVSegError: there is no virtual camera, or it is in use.
        """
        self.style = style
        """How masks are drawn; may be replaced at any time."""
        self.sent = 0
        """Pictures that were sent."""
        self._on_end = on_end
        self._size = (width // 2 * 2, height // 2 * 2)
        self._camera = _open(_library(), *self._size, fps)
        self.device = str(self._camera.device)
        """Its name, under which other programs list it."""
        self._newest: Picture | None = None
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="virtual camera", daemon=True)
        self._thread.start()

    def offer(self, image: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
        """Sends image [H,W,3] RGB with the mask [h,w] (255 * p) over it."""
        with self._changed:
            self._newest = (image, mask)
            self._changed.notify()

    def stop(self) -> None:
        """Gives the device back."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while (picture := self._next()) is not None:
                self._camera.send(self._drawn(*picture))
                self.sent += 1
        except Exception as error:  # a driver may raise anything; the camera is lost, the rest goes on
            log.exception("the virtual camera failed")
            self._on_end(f"The virtual camera {self.device} has ended ({_one_line(error)}); switch it on again.")
        finally:
            self._camera.close()

    def _next(self) -> Picture | None:
        """Waits for a picture; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._newest is not None)
            picture, self._newest = self._newest, None
            return None if self._stopped else picture

    def _drawn(self, image: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
        fitted = _fit(image if mask is None else compose(image, mask, self.style), self._size)
        return np.ascontiguousarray(fitted)


def _library() -> ModuleType:
    try:
        return importlib.import_module("pyvirtualcam")
    except ImportError:
        raise InputError(
            f"The virtual camera needs the package pyvirtualcam: {sys.executable} -m pip install pyvirtualcam"
        ) from None


def _open(library: ModuleType, width: int, height: int, fps: float) -> Any:
    try:
        return library.Camera(width=width, height=height, fps=fps, fmt=library.PixelFormat.RGB)
    except (RuntimeError, OSError, ValueError) as error:
        raise AVSegError(f"There is no virtual camera ({_one_line(error)}); {_DRIVER}.") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _fit(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """image [H,W,3] as large as it goes into `size` (width, height), in the middle, black around it."""
    width, height = size
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    fitted = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    fitted[top : top + inner[1], left : left + inner[0]] = small
    return fitted
