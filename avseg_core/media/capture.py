"""Capture: what a camera and a microphone are to the live mode, whatever stands behind them.

All times are seconds of `time.monotonic()`, so that pictures and sounds of any two devices can be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import AVSegError

DeviceKind = Literal["camera", "microphone"]
Trouble = Literal["missing", "refused", "busy", "unplugged", "unreadable", "ended"]


class SourceError(AVSegError):
    """A device or stream that cannot be opened or that failed in mid-run; `trouble` says in which way."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble: Trouble = trouble


class DeviceState(StrEnum):
    """Where a device is in its life; `capture_feed` walks through these states."""

    OPENING = "opening"
    RUNNING = "running"
    STALLED = "stalled"
    """Open, but nothing has come for a while."""
    LOST = "lost"
    """Could not be opened or failed; it is tried again after a pause."""
    ENDED = "ended"
    """A file that has reached its end."""
    STOPPED = "stopped"


@dataclass(frozen=True)
class DeviceStatus:
    """What the user is told about a device."""

    kind: DeviceKind
    name: str
    state: DeviceState
    message: str = ""
    """One sentence: what is wrong and what can be done; empty while all is well."""
    trouble: Trouble | None = None
    warnings: tuple[str, ...] = ()
    """What is odd about a device that runs: "silent", "invalid" (NaN), "late", "clipping", "slow" or "frozen"."""
    retry_in: float | None = None
    """Seconds until it is tried again, when `state` is LOST."""


@dataclass(frozen=True)
class DeviceInfo:
    """One entry of a device list."""

    spec: str
    """What `--source` or `--mic` takes, for instance "0", "pulse:NAME", "test"."""
    name: str
    """Human name."""
    kind: DeviceKind
    is_default: bool = False
    is_loopback: bool = False
    """True for a device that hears what this machine plays."""


@dataclass(frozen=True, eq=False)
class CapturedFrame:
    """One picture of a camera."""

    index: int
    """Counts the frames of one source from 0; what the source itself skipped is counted too."""
    time: float
    """When the light fell on the sensor, as far as the source tells."""
    arrived: float
    """When the picture was here."""
    image: NDArray[np.uint8]
    """[H,W,3] RGB."""


@dataclass(frozen=True, eq=False)
class SoundBlock:
    """Some consecutive samples of a microphone."""

    samples: NDArray[np.float32]
    """[n,channels] in -1..1 at the source's rate; may hold NaN, the feed cleans it."""
    time: float
    """When the first sample was taken."""
    overflow: bool = False
    """True if samples were lost before this block."""


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """What is asked of a camera; it may give something else."""

    width: int = 640
    height: int = 480
    fps: float = 30.0


class CameraSource(Protocol):
    """A source of pictures. `open`, `read` and `close` are called from one thread."""

    name: str
    fps: float
    """Pictures per second that it promises, known after `open`."""
    is_live: bool
    """True if identical pictures in a row mean trouble (a real camera has noise)."""

    def open(self) -> None:
        """Starts it. Raises SourceError."""
        ...

    def read(self) -> CapturedFrame | None:
        """Waits for the next picture; None if none came within a second. Raises SourceError."""
        ...

    def close(self) -> None:
        """Ends it; may be called in any state."""
        ...


class MicrophoneSource(Protocol):
    """A source of sound. `open`, `read` and `close` are called from one thread."""

    name: str
    rate: int
    channels: int
    is_live: bool
    """True if silence to the last bit means trouble."""

    def open(self) -> None:
        """Starts it; `rate` and `channels` are right from here on. Raises SourceError."""
        ...

    def read(self) -> SoundBlock | None:
        """Waits for the next block; None if none came within a second. Raises SourceError."""
        ...

    def close(self) -> None:
        """Ends it; may be called in any state."""
        ...
