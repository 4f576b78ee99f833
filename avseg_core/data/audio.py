"""The sound of a clip as log-mel examples, the way the published data sets were made, with a cache on disk."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import torchaudio.functional
from numpy.typing import NDArray

from avseg_core.audio.front_end import LOG_OFFSET, FrontEnd, logmel
from avseg_core.errors import InputError
from avseg_core.media.container import audio_streams, open_input

LogMel = NDArray[np.float32]
RATE = 16000
EXAMPLE_SECONDS = 0.96
_log = logging.getLogger(__name__)


def read_wav(path: Path) -> tuple[NDArray[np.int16], int]:
    """Any sound file as 16-bit samples [n,channels], and its rate in Hz.

    Raises:
        InputError: missing, unreadable or without sound.
    """
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file; the data set needs the sound of every clip.")
    chunks: list[NDArray[Any]] = []
    try:
        with open_input(path) as container:
            stream = audio_streams(container)[0]
            rate, channels = stream.rate, stream.channels
            to_int16 = av.AudioResampler(format="s16", layout=stream.layout, rate=rate)
            for frame in container.decode(stream):
                chunks += [part.to_ndarray().reshape(-1, channels) for part in to_int16.resample(frame)]
            chunks += [part.to_ndarray().reshape(-1, channels) for part in to_int16.resample(None)]
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read as sound ({reason}); copy it again.") from None
    return np.concatenate([np.zeros((0, channels), np.int16), *chunks]), rate


def mono_16k(samples: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """[n,channels] -> [n * 16000 / rate] in -1..1: channels averaged, then resampled.

    The filter is a Kaiser-windowed sinc with the constants of resampy's "kaiser_best" (64 zero crossings, roll-off
    .9476, beta 14.77), through which the published log-mels went.
    """
    waveform = torch.from_numpy((samples / 32768.0).mean(axis=1))
    if rate != RATE:
        length = waveform.shape[0] * RATE // rate
        waveform = torchaudio.functional.resample(
            waveform,
            rate,
            RATE,
            lowpass_filter_width=64,
            rolloff=0.9475937167399596,
            resampling_method="sinc_interp_kaiser",
            beta=14.769656459379492,
        )[:length]
    result: NDArray[np.float64] = waveform.numpy()
    return result


def wav_logmel(path: Path, examples: int, front_end: FrontEnd, *, frames: int, repeat_last: bool) -> LogMel:
    """The first `examples` log-mel examples [examples,96,64] of a sound file.

    Example k begins at 0.96 k seconds, as published. What is missing at the end is filled with the last example
    (`repeat_last`, S4 and MS3) or with zeros (AVSS). Sound for fewer than `frames` examples is said once per file.

    Raises:
        InputError: unreadable, or nothing to repeat.
    """
    found: LogMel = logmel(mono_16k(*read_wav(path)), front_end)[:examples]
    missing = examples - len(found)
    if not missing:
        return found
    if repeat_last and len(found) == 0:
        raise InputError(
            f"{path}: sound is shorter than one example of {EXAMPLE_SECONDS} s; use the clip's whole sound."
        )
    if len(found) < frames:
        _say_short(path, len(found), frames, "the last one is repeated" if repeat_last else "zeros follow")
    if repeat_last:
        return np.concatenate([found, np.repeat(found[-1:], missing, axis=0)])
    return np.concatenate([found, np.zeros((missing, *found.shape[1:]), np.float32)])


@lru_cache(maxsize=4096)
def _say_short(path: Path, found: int, frames: int, remedy: str) -> None:
    """One warning per file and process, not one per epoch."""
    _log.warning("%s: sound gives %d of %d log-mel examples; %s.", path, found, frames, remedy)


def from_vggish(values: LogMel, front_end: FrontEnd) -> LogMel:
    """VGGish log-mels (what the published pickles hold) as those of `front_end`: only the offset differs."""
    if front_end == "vggish":
        return values
    mel = np.maximum(np.exp(values.astype(np.float64)) - LOG_OFFSET["vggish"], 0.0)
    changed: LogMel = np.log(mel + LOG_OFFSET[front_end]).astype(np.float32)
    return changed


class LogMelCache:
    """Keeps computed log-mels as .npy files; without a folder it only computes."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder) if folder else None

    def get(self, source: Path, settings: str, compute: Callable[[], LogMel]) -> LogMel:
        """The log-mel of `source` under `settings` (front end, padding, times): kept while the file stays the same."""
        if self.folder is None or not source.exists():
            return compute()
        stat = source.stat()
        key = f"{source.resolve()}|{stat.st_mtime_ns}|{stat.st_size}|{settings}"
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npy"
        try:
            kept: LogMel = np.load(path, allow_pickle=False)
            return kept
        except (OSError, ValueError, EOFError):  # not there yet, or damaged: made again
            value = compute()
        _write(path, value)
        return value


def _write(path: Path, value: LogMel) -> None:
    """Atomic even when several workers write the same entry; a full disk costs the cache, not the run."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.save(file, value)
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        _log.warning("%s: log-mel could not be kept (%s).", path, error.strerror)
