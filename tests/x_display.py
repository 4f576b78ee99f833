"""A real X server without a screen: its picture, its mouse and its keyboard, and programs that run on it."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PATIENCE = 60.0
"""Seconds; only a broken program needs them."""
_POLL = 0.1


class Display:
    """An Xvfb server of its own. `folder` keeps its frame buffer."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._buffer = folder / "Xvfb_screen0"
        reading, writing = os.pipe()
        screen = ["-screen", "0", f"{width}x{height}x24", "-fbdir", str(folder)]
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), *screen, "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.name = f":{number}"

    def close(self) -> None:
        """Ends the server."""
        self._server.terminate()
        self._server.wait()

    @contextmanager
    def running(self, command: list[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """A program on this display; killed in the end if it has not ended by itself."""
        inherited = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        program = subprocess.Popen(
            command, env=inherited | {"DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb", **environment}
        )
        try:
            yield program
        finally:
            program.kill()
            program.wait()

    def do(self, *words: object) -> str:
        """Runs xdotool; returns what it prints."""
        command = ["xdotool", *map(str, words)]
        answer = subprocess.run(
            command, env=os.environ | {"DISPLAY": self.name}, capture_output=True, text=True, timeout=PATIENCE
        )
        return answer.stdout.strip()

    def picture(self) -> NDArray[np.uint8]:
        """The root window with all that is on it, [H,W,3] RGB; the server keeps it as a file in XWD format."""
        data = self._buffer.read_bytes()
        header = struct.unpack(">25I", data[:100])
        size, width, height, stride, colors = header[0], header[4], header[5], header[12], header[19]
        pixels = np.frombuffer(data, np.uint8, height * stride, size + 12 * colors).reshape(height, stride)
        return pixels[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].copy()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Waits until `condition` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(_POLL)
