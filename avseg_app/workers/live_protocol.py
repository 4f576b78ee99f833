"""What the live page and its process say to each other; only pictures go another way, through shared memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avseg_core.inference.live_config import Latency, LiveConfig, LiveCounters
from avseg_core.media.capture import CameraOptions, DeviceInfo
from avseg_core.results.look import OverlayStyle

# --- requests ---


@dataclass(frozen=True)
class ListDevices:
    """Tell which cameras and microphones there are."""


@dataclass(frozen=True)
class StartLive:
    """Open a camera and a microphone; replaces what runs."""

    source: str
    sound: str
    options: CameraOptions
    config: LiveConfig
    number: int = 0
    """Which start this is."""


@dataclass(frozen=True)
class StopLive:
    """Close both; a recording is finished."""


@dataclass(frozen=True)
class Configure:
    """Other settings from now on."""

    config: LiveConfig


@dataclass(frozen=True)
class StartRecording:
    """Record into `folder`."""

    folder: Path
    video: bool
    sound: bool
    masks: bool


@dataclass(frozen=True)
class StopRecording:
    """Finish the recording."""


@dataclass(frozen=True)
class ShowToOthers:
    """Offer the picture with masks in this style as a virtual camera; None ends it."""

    style: OverlayStyle | None


@dataclass(frozen=True)
class Calibrate:
    """Look and listen for claps for some seconds."""

    number: int
    """Which one this is; of the answers only that to the newest counts."""


@dataclass(frozen=True)
class Quit:
    """Finish what runs and end the process."""


Request = (
    ListDevices | StartLive | StopLive | Configure | StartRecording | StopRecording | ShowToOthers | Calibrate | Quit
)

# --- answers; device states come as `media.capture.DeviceStatus` ---


@dataclass(frozen=True)
class DeviceLists:
    """What can be chosen."""

    cameras: tuple[DeviceInfo, ...]
    microphones: tuple[DeviceInfo, ...]


@dataclass(frozen=True)
class LiveModelReady:
    """Masks come from now on."""

    model: str
    reason: str


@dataclass(frozen=True)
class LiveModelRefused:
    """The model or its device cannot be used, and why: pictures and sound go on without masks."""

    message: str


@dataclass(frozen=True)
class LiveRefused:
    """What was asked for cannot be done; one line for the user."""

    message: str
    start: int | None = None
    """The number of the `StartLive` that was refused: nothing runs then."""


@dataclass(frozen=True)
class LiveTrouble:
    """Something went wrong in mid-run; the rest goes on."""

    message: str


@dataclass(frozen=True, eq=False)
class LiveTick:
    """The state of things, some twenty times a second."""

    level: float
    peak: float
    """dBFS"""
    clipping: bool
    spectrum: NDArray[np.uint8]
    """[n,64], the log-mel columns since the last tick, 0..255, 10 ms each"""
    fps: float
    drift_ppm: float
    counters: LiveCounters
    recorded_seconds: float | None
    """Seconds recorded so far; None while nothing is recorded"""


@dataclass(frozen=True, eq=False)
class LiveUpdate:
    """One result of the model, without its mask (that comes with the pictures)."""

    when: float
    """`time.monotonic()` of the sound's end."""
    area: float
    """Share of the picture that sounds, at the threshold."""
    tags: tuple[tuple[str, float], ...]
    loudness: float
    mixer_weights: NDArray[np.float32] | None
    latency: Latency
    reused: bool


@dataclass(frozen=True)
class RecordingStarted:
    """It records into `path`."""

    path: Path


@dataclass(frozen=True)
class RecordingDone:
    """The files are whole; `path` is None if nothing came."""

    path: Path | None
    seconds: float
    dropped_frames: int
    problem: str


@dataclass(frozen=True)
class ShownToOthers:
    """The virtual camera runs under this name; "" if it does not, with the reason if that was not asked for."""

    device: str
    message: str = ""


@dataclass(frozen=True)
class Calibrated:
    """What the claps told: an offset in seconds, or why there is none."""

    number: int
    offset: float | None
    message: str
