"""Sound output: one thread that reads a file's sound ahead of time, and the sound card's callback that plays it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from avseg_app.playback.clock import Chunk, SoundClock
from avseg_core.errors import AVSegError
from avseg_core.media.audio import AudioReader
from avseg_core.media.capture import SourceError
from avseg_core.media.capture_microphone import sound_library

RATE = 48000
CHANNELS = 2
_BLOCK_SECONDS = 0.1
_AHEAD_SECONDS = 0.4
_LATENCY_SECONDS = 0.12
"""Enough for a callback in Python on a busy machine; the clock takes it into account."""
_PRIMING_SECONDS = 0.3
"""Sound servers first ask for a buffer full at once and begin to play a second later."""
_STALL_SECONDS = 0.4
_LOST_SECONDS = 4.0
_MAX_LATENCY = 2.0
_TAIL_SECONDS = 0.5
"""Silence after the end, so that the clock surely passes it."""
log = logging.getLogger(__name__)


class Tempo:
    """Changes the speed of sound and keeps its pitch (FFmpeg's atempo)."""

    def __init__(self, speed: float) -> None:
        graph = av.filter.Graph()
        self._source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="stereo", time_base=f"1/{RATE}")
        last = self._source
        for factor in _tempo_factors(speed):
            stage = graph.add("atempo", f"{factor:.6f}")
            last.link_to(stage)
            last = stage
        self._sink = graph.add("abuffersink")
        last.link_to(self._sink)
        graph.configure()
        self._graph = graph
        self._pts = 0

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes [n,2], gives what is ready, [m,2]."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts = RATE, self._pts
        self._pts += len(samples)
        self._source.push(frame)
        ready = [np.zeros((0, CHANNELS), np.float32)]
        while True:
            try:
                ready.append(self._sink.pull().to_ndarray().reshape(-1, CHANNELS))
            except (av.error.BlockingIOError, av.error.EOFError):
                return np.concatenate(ready)


def _tempo_factors(speed: float) -> list[float]:
    """Steps of at least one half, below which atempo does not go."""
    factors = []
    while speed < 0.5:
        factors.append(0.5)
        speed /= 0.5
    return [*factors, speed]


@dataclass(frozen=True)
class _Playing:
    position: float
    speed: float
    ticket: int


@dataclass(frozen=True)
class _Wanted:
    """What the thread should be doing; replaced as a whole, never changed."""

    version: int = 0
    path: Path | None = None
    loads: int = 0
    """Tells a file that is opened once more, and may be another by now, from one that goes on."""
    duration: float = 0.0
    playing: _Playing | None = None
    fresh_device: int = 0
    closing: bool = False


class SoundOutput(QObject):
    """Plays the sound of one file; its clock is the master while `alive`.

    Nothing here blocks the caller: opening the file and the device, decoding and writing happen in a thread of its
    own. Without a device, or when it goes away, `unavailable` says why and the player uses another clock.
    """

    available = Signal()
    unavailable = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.clock = SoundClock(RATE, CHANNELS)
        self._wake = threading.Condition()
        self._wanted = _Wanted()
        self._heard = False
        self._first_callback = 0.0
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """True while a device asks for sound; a card may stall for a moment and come back."""
        return self._heard and self._silent_for() < _STALL_SECONDS

    @property
    def lost(self) -> bool:
        """True once a device that asked for sound has been mute for so long that it will not come back."""
        return self._heard and self._silent_for() > _LOST_SECONDS

    def _silent_for(self) -> float:
        last = self.clock.last_callback
        return time.monotonic() - last if last is not None else math.inf

    def load(self, path: Path | None, duration: float) -> None:
        """Makes `path` the file to play; None for silence."""
        self._change(path=path, loads=self._wanted.loads + 1, duration=duration, playing=None)

    def play(self, position: float, speed: float) -> None:
        """Starts at `position` (s) as soon as the first samples are decoded."""
        self._change(playing=_Playing(position, speed, self.clock.restart(position)))

    def pause(self) -> None:
        """Silence; the position holds."""
        self.clock.stop()
        self._change(playing=None)

    def forget_device(self) -> None:
        """Lets a device that no longer answers go; the next file tries again."""
        self._heard, self._first_callback = False, 0.0
        self._change(fresh_device=self._wanted.fresh_device + 1, playing=None)

    def close(self) -> None:
        """Ends the thread and lets the device go."""
        self._change(closing=True)
        self._thread.join(1.0)

    def _change(self, **changes: Any) -> None:
        with self._wake:
            self._wanted = replace(self._wanted, version=self._wanted.version + 1, **changes)
            self._wake.notify()

    def _run(self) -> None:
        """The thread: opens the device once a file has sound, then keeps the queue full."""
        stream: Any = None
        reader: AudioReader | None = None
        feed: Iterator[Chunk] | None = None
        done = _Wanted()
        while True:
            wanted = self._next(done, feed is not None)
            if wanted.closing:
                return _close(stream)
            if wanted.fresh_device != done.fresh_device:
                stream = _close(stream)
            if wanted.loads != done.loads:
                reader = _open_reader(wanted.path)
                if reader is not None and stream is None:
                    stream = self._open_device()
            if wanted.version != done.version:
                ready = reader is not None and stream is not None and wanted.playing is not None
                feed = _feed(reader, wanted.duration, wanted.playing) if ready else None
            done = wanted
            feed = self._fill_queue(feed, wanted)

    def _next(self, done: _Wanted, feeding: bool) -> _Wanted:
        """Waits for a change, or while feeding for the queue to need more."""
        with self._wake:
            if self._wanted.version == done.version:
                self._wake.wait(_BLOCK_SECONDS / 2 if feeding else None)
            return self._wanted

    def _fill_queue(self, feed: Iterator[Chunk] | None, wanted: _Wanted) -> Iterator[Chunk] | None:
        """Pushes until enough is queued; None when the sound has ended."""
        while feed and wanted.playing and wanted is self._wanted and self.clock.queued() < _AHEAD_SECONDS:
            chunk = next(feed, None)
            if chunk is None:
                return None
            self.clock.push(chunk, wanted.playing.ticket)
        return feed

    def _open_device(self) -> Any:
        """The default output, started; None (and `unavailable`) if there is none."""
        try:
            sounddevice = sound_library()
        except SourceError as error:
            return self._refuse(error)
        try:
            stream = sounddevice.OutputStream(
                samplerate=RATE, channels=CHANNELS, dtype="float32", latency=_LATENCY_SECONDS, callback=self._callback
            )
            stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            return self._refuse(error)
        return stream

    def _refuse(self, error: Exception) -> None:
        log.info("no sound output: %s", error)
        self.unavailable.emit(self.tr("No sound device: playing without sound."))

    def _callback(self, out: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
        """The card asks for sound; `times` are in its own clock, so only differences are used."""
        latency = times.outputBufferDacTime - times.currentTime
        if not 0 <= latency <= _MAX_LATENCY:
            latency = frames / RATE
        self.clock.fill(out, time.monotonic() + latency)
        self._first_callback = self._first_callback or time.monotonic()
        if not self._heard and time.monotonic() - self._first_callback > _PRIMING_SECONDS:
            self._heard = True
            self.available.emit()


def _open_reader(path: Path | None) -> AudioReader | None:
    if path is None:
        return None
    try:
        return AudioReader(path, rate=RATE, channels=CHANNELS)
    except AVSegError as error:
        log.info("%s", error)
        return None


def _feed(reader: AudioReader, duration: float, playing: _Playing) -> Iterator[Chunk]:
    """The sound from a position to the end of the video, block by block; silence from where the file cannot be read."""
    tempo = None if playing.speed == 1 else Tempo(playing.speed)
    read_at = media_time = playing.position
    readable = True
    while duration - read_at > 1 / RATE:
        seconds = min(_BLOCK_SECONDS, duration - read_at)
        samples = np.zeros((max(1, round(seconds * RATE)), CHANNELS), np.float32)
        try:
            samples = reader.read(read_at, seconds).reshape(-1, CHANNELS) if readable else samples
        except Exception:  # the file has gone with its disk; the clock must go on all the same
            log.exception("no more sound")
            readable = False
        read_at += len(samples) / RATE
        ready = tempo.process(samples) if tempo else samples
        if len(ready):
            yield Chunk(media_time, ready, playing.speed)
            media_time += len(ready) * playing.speed / RATE
    yield Chunk(media_time, np.zeros((round(_TAIL_SECONDS * RATE), CHANNELS), np.float32), playing.speed)


def _close(stream: Any) -> None:
    if stream is not None:
        stream.abort(ignore_errors=True)
        stream.close(ignore_errors=True)
