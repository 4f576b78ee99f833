"""The player: one position, moved by the clock, by seeking or by stepping; frames and sound follow it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from avseg_app.playback.clock import MonotonicClock
from avseg_app.playback.sound import SoundOutput
from avseg_app.workers.decode_thread import DisplayFrame, FrameSource
from avseg_core.media.info import MediaInfo

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_TICK_MS = 8


class Player(QObject):
    """Plays one video. All methods return at once; what happens is told by signals."""

    frame_shown = Signal(object)
    """DisplayFrame"""
    position_changed = Signal(float)
    """seconds"""
    playing_changed = Signal(bool)
    sound_changed = Signal(str)
    """A note why there is no sound; empty when there is."""
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frames = FrameSource(self)
        self.sound = SoundOutput(self)
        self._backup = MonotonicClock()
        self._by_sound = False
        self._has_sound = False
        self._generation = 0
        self._times: NDArray[np.float64] = np.zeros(0)
        self._frame: DisplayFrame | None = None
        self._position, self.duration = 0.0, 0.0
        self._speed, self.loop = 1.0, False
        self._volume, self._muted = 1.0, False
        self.playing = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.frames.opened.connect(self._on_opened)
        self.frames.shown.connect(self._on_shown)
        self.frames.failed.connect(self._on_failed)
        self.sound.available.connect(self._on_sound_available)
        self.sound.unavailable.connect(self.sound_changed)

    @property
    def position(self) -> float:
        """Where the player is, in seconds from the start of the video."""
        return self._position

    @property
    def frame(self) -> DisplayFrame | None:
        """The frame on screen."""
        return self._frame

    @property
    def speed(self) -> float:
        """Media seconds per second."""
        return self._speed

    def load(self, info: MediaInfo) -> None:
        """Opens a video at its start, paused."""
        self.pause()
        self._generation += 1
        self._frame, self._times = None, np.zeros(0)
        self.duration, self._position = info.duration, 0.0
        self._has_sound = bool(info.audio)
        self.frames.open(Path(info.path), self._generation)
        self.frames.show(0.0)
        self.sound.load(Path(info.path) if info.audio else None, info.duration)
        self.position_changed.emit(0.0)

    def unload(self) -> None:
        """Closes the video."""
        self.pause()
        self._generation += 1
        self._frame, self._times, self.duration, self._position = None, np.zeros(0), 0.0, 0.0
        self.frames.open(None, self._generation)
        self.sound.load(None, 0.0)

    def close(self) -> None:
        """Ends the threads."""
        self._timer.stop()
        self.sound.close()
        self.frames.close()

    def toggle(self) -> None:
        """Plays or pauses."""
        self.pause() if self.playing else self.play()

    def play(self) -> None:
        """Plays from the position; at the end, from the start."""
        if self.playing or self.duration <= 0:
            return
        if self._position >= self.duration - 0.01:
            self._position = 0.0
        self.playing = True
        self._start_clock()
        self.frames.play(self._position)
        self._timer.start()
        self.playing_changed.emit(True)

    def pause(self) -> None:
        """Stops on the frame that is on screen."""
        if not self.playing:
            return
        self.playing = False
        self._timer.stop()
        self.sound.pause()
        self._backup.stop()
        self.frames.stop()
        self.playing_changed.emit(False)

    def seek(self, time: float) -> None:
        """Goes to `time` (s), playing on if it plays."""
        self._move(time)
        if self.playing:
            self._start_clock()
            self.frames.play(self._position)
        else:
            self.frames.show(self._position)

    def step(self, frames: int) -> None:
        """Pauses and moves by whole frames."""
        self.pause()
        if not len(self._times):
            return
        here = self._frame.index if self._frame else 0
        index = int(np.clip(here + frames, 0, len(self._times) - 1))
        self._move(float(self._times[index]))
        self.frames.show_index(index)

    def set_speed(self, speed: float) -> None:
        """Plays at `speed` times real time; the pitch of the sound stays."""
        self._speed = speed
        if self.playing:
            self._start_clock()

    def set_volume(self, volume: float, muted: bool) -> None:
        """Loudness from 0 to 1 (felt as even steps: squared)."""
        self.sound.clock.set_gain(0.0 if muted else volume**2)

    def _move(self, time: float) -> None:
        self._position = min(max(time, 0.0), self.duration)
        self.position_changed.emit(self._position)

    def _start_clock(self) -> None:
        """The sound card's clock if it is there, else the computer's."""
        self._by_sound = self._has_sound and self.sound.alive
        if self._by_sound:
            self.sound.play(self._position, self._speed)
        else:
            self._backup.start(self._position, self._speed)

    def _tick(self) -> None:
        self._watch_sound()
        self._position = self.sound.clock.position() if self._by_sound else self._backup.position()
        if self._position >= self.duration:
            return self._reach_end()
        frame = self.frames.take(self._position)
        if frame is not None:
            self._show(frame)
        self.position_changed.emit(self._position)

    def _watch_sound(self) -> None:
        """A card that stalls must not stop the picture; when it is back, it is the clock again."""
        if self._has_sound and self._by_sound != self.sound.alive:
            self._start_clock()
        if self.sound.lost:
            self.sound.forget_device()
            self.sound_changed.emit(self.tr("The sound device stopped: playing without sound."))

    def _reach_end(self) -> None:
        if self.loop:
            return self.seek(0.0)
        last = self.frames.take(self.duration)
        if last is not None:
            self._show(last)
        self.pause()
        self._move(self.duration)

    def _show(self, frame: DisplayFrame) -> None:
        self._frame = frame
        self.frame_shown.emit(frame)

    def _on_opened(self, generation: int, times: NDArray[np.float64]) -> None:
        if generation == self._generation:
            self._times = times

    def _on_shown(self, generation: int, frame: DisplayFrame) -> None:
        if generation == self._generation and not self.playing:
            self._show(frame)

    def _on_failed(self, generation: int, message: str) -> None:
        if generation == self._generation:
            self.pause()
            self.failed.emit(message)

    def _on_sound_available(self) -> None:
        self.sound_changed.emit("")
