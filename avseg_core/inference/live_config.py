"""Settings of the live mode, and what it answers; plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avseg_core.audio.front_end import EXAMPLE_SAMPLES

HEARD_SAMPLES = EXAMPLE_SAMPLES
"""Samples at 16 kHz that the model hears at a time (0.975 s)."""
MOST_OFFSET = 1.0
"""Largest `av_offset`, either way: so long pictures must be kept until their sound has come."""
WindowPlace = Literal["ending", "centred"]


@dataclass(frozen=True, kw_only=True)
class LiveConfig:
    """How live pictures and sound become masks. All but the first three may change while it runs."""

    model: str = "avsegformer-lite"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: int = 0
    """CPU threads; 0: all but one, at least one."""
    window: WindowPlace = "ending"
    """Where the second of sound lies: "ending" with the frame, or "centred" on it (masks come 0.5 s later)."""
    av_offset: float = 0.0
    """Seconds by which the sound arrives later than its picture, beyond what the clocks tell; see `calibrate`."""
    smoothing: float = 0.12
    """Time constant of the masks' smoothing in seconds; 0 for none."""
    refine: bool = True
    """Whether the edges of shown masks are drawn to the edges in the picture."""
    mirror: bool = False
    """Whether left and right are exchanged: in the view, the recording and the virtual camera alike."""
    max_rate: float = 15.0
    """Most mask updates per second."""
    threshold: float = 0.5


@dataclass(frozen=True)
class Latency:
    """Where the time went between the newest thing that a mask knows of and the mask, in seconds."""

    capture: float
    """From the light on the sensor (or the last sample in the microphone) to its arrival here."""
    wait: float
    """Until the model was free and the frame's sound was there."""
    visual: float
    """The part of the model that sees; 0 if its last answer was used again."""
    audio: float
    """Log-mel and audio encoder."""
    head: float
    """The rest of the model and the smoothing."""
    total: float
    """From capture to mask: the sum."""


@dataclass(frozen=True)
class LiveCounters:
    """What has come, what was used and what was left out since the start."""

    frames: int = 0
    """Pictures that came from the camera."""
    frames_lost: int = 0
    """Pictures that the camera or its driver left out."""
    frames_seen: int = 0
    """Pictures that the model looked at; the others were overtaken by newer ones."""
    results: int = 0
    reused: int = 0
    """Results for new sound with the last picture's features."""
    skipped: int = 0
    """Updates that were due by `max_rate` and had to be left out because the model was busy."""
    overflows: int = 0
    """Blocks of sound before which samples were lost."""
    broken_samples: int = 0
    """Samples that were NaN or infinite."""
    gaps: float = 0.0
    """Seconds of sound that never came."""
    camera_reopened: int = 0
    microphone_reopened: int = 0
    recorder_dropped: int = 0
    """Pictures that the recorder had to leave out."""


@dataclass(frozen=True, eq=False)
class LiveResult:
    """One mask update. All times are seconds of `time.monotonic()`."""

    index: int
    frame_index: int
    frame_time: float
    """When the picture was taken that the model looked at."""
    sound_start: float
    sound_stop: float
    """The sound that it heard."""
    done: float
    """When this result was there."""
    probability: NDArray[np.uint8]
    """[h,w] on the model's grid, 255 * p, smoothed."""
    labels: NDArray[np.uint8] | None
    """[h,w], the most probable class of a model with classes (0 background)."""
    mixer_weights: NDArray[np.float32] | None
    """[D], one weight per channel of the mask feature."""
    tags: tuple[tuple[str, float], ...]
    """What the sound is, the surest first, with probabilities."""
    loudness: float
    """dBFS of the window's sound."""
    reused: bool
    """True if only the sound is new."""
    latency: Latency
