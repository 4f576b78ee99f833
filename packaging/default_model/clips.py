"""Some seconds of sound that belong together, with what sounds in each, as the track of a clip has them.

What a second is mixed of is drawn once for the clip: the recordings, the room, the noise and how loud it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from soundbank import SoundBank, coloured_noise

from avseg_core.data.synthesis import SAMPLE_RATE, Sound, mix

SECONDS = 5
Course = Literal["throughout", "change", "burst", "gap", "nothing"]
"""The labels throughout; at some time something else instead; for a second or two only; not for a second or two;
noise or silence all the time."""
COURSES: tuple[Course, ...] = get_args(Course)
_OFTEN = (0.55, 0.2, 0.1, 0.15)
"""How often a clip takes each of them but "nothing"."""
_PAUSES = (0.0, 0.2, 0.6, 1.2)
"""Seconds between the repetitions of a short recording."""
_FAINT = 0.15
"""Of the loudest second's level: what is below and still there is hard to hear."""


@dataclass(frozen=True)
class SoundClip:
    """`SECONDS` of one track."""

    seconds: list[Sound]
    """[16000] each."""
    labels: list[tuple[str, ...] | None]
    """Of each second what sounds in it; None where that is hard to say."""


def draw_clip(
    rng: Generator,
    banks: Sequence[SoundBank],
    labels: Sequence[str],
    course: Course,
    other: tuple[SoundBank, str] | None = None,
) -> SoundClip:
    """A clip of `labels`, each from its bank (the first one has the noise); `other` sounds before or after a change."""
    tracks: list[tuple[str, Sound]] = []
    if course != "nothing":
        heard = _when(rng, course)
        for bank, label in zip(banks, labels, strict=True):
            tracks.append((label, _during(_continue(rng, _any(rng, bank, label)), heard)))
        if other is not None and course == "change":
            bank, label = other
            tracks.append((label, _during(_continue(rng, _any(rng, bank, label)), ~heard)))
    sounding = course != "nothing"
    noise = _noise(rng, banks[0]) if rng.random() < (0.6 if sounding else 0.7) else None
    length = SECONDS * SAMPLE_RATE
    track = mix(rng, [sound for _, sound in tracks], noise) if sounding or noise is not None else np.zeros(length)
    parts = [np.asarray(track[start : start + SAMPLE_RATE], np.float32) for start in range(0, length, SAMPLE_RATE)]
    return SoundClip(parts, [_labels(tracks, second) for second in range(SECONDS)])


def draw_course(rng: Generator, *, pause: bool = False) -> Course:
    """Any course but "nothing"; with `pause` one in which nothing sounds at times."""
    if pause:
        return "burst" if rng.random() < 0.5 else "gap"
    return COURSES[int(rng.choice(len(_OFTEN), p=_OFTEN))]


def _any(rng: Generator, bank: SoundBank, label: str) -> Sound:
    choices = bank.sounds[label]
    return choices[int(rng.integers(len(choices)))]


def _when(rng: Generator, course: Course) -> NDArray[np.bool_]:
    """[SECONDS] bool: in which seconds the labels sound."""
    heard = np.ones(SECONDS, bool)
    if course == "change":
        cut = int(rng.integers(1, SECONDS))
        heard[cut:] = False
        return heard if rng.random() < 0.5 else ~heard
    if course in ("burst", "gap"):
        start = int(rng.integers(SECONDS))
        heard[start : start + int(rng.integers(1, 3))] = False
        return heard if course == "gap" else ~heard
    return heard


def _continue(rng: Generator, sound: Sound) -> Sound:
    """A stretch of the recording as long as the clip: a cut, or all of it again and again with pauses."""
    length = SECONDS * SAMPLE_RATE
    if len(sound) >= length:
        start = int(rng.integers(len(sound) - length + 1))
        return sound[start : start + length]
    track = np.zeros(length, np.float32)
    pause = float(rng.choice(_PAUSES)) * SAMPLE_RATE
    position = int(rng.integers(len(sound) // 2 + 1))
    while position < length:
        part = sound[: length - position]
        track[position : position + len(part)] = part
        position += len(sound) + int(pause * rng.uniform(0.5, 1.5))
    return track


def _during(track: Sound, heard: NDArray[np.bool_]) -> Sound:
    """The track in the seconds `heard`, silence in the others."""
    return np.asarray(track * np.repeat(heard, SAMPLE_RATE), np.float32)


def _noise(rng: Generator, bank: SoundBank) -> Sound:
    """Recorded noise, or coloured noise, for the whole clip."""
    if bank.sounds.get("noise") and rng.random() < 0.7:
        return _continue(rng, _any(rng, bank, "noise"))
    return coloured_noise(rng, SECONDS)


def _labels(tracks: Sequence[tuple[str, Sound]], second: int) -> tuple[str, ...] | None:
    """What sounds in that second; None where it is hard to say."""
    labels = []
    for label, track in tracks:
        levels = np.sqrt(np.square(track, dtype=np.float64).reshape(SECONDS, -1).mean(axis=1))
        if levels[second] > _FAINT * levels.max():
            labels.append(label)
        elif levels[second] > 0:
            return None
    return tuple(labels)
