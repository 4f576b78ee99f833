"""Recording a camera and a microphone without ever holding them up, into a file that survives a crash.

The container is Matroska, written in clusters of half a second: whatever was written before a crash can be played. The
picture is H.264 with the real time of every frame, the sound is lossless FLAC. Sound is laid on the picture's clock:
where its own clock drifts it is stretched by a fraction no ear can hear, where it is missing there is silence.
"""

from __future__ import annotations

import errno
import logging
import math
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from avseg_core.errors import AVSegError
from avseg_core.media.capture import CapturedFrame
from avseg_core.media.container import file_url

SUFFIX = ".mkv"
WAITING = {"frame": 24, "sound": 600}
"""Pictures and blocks of sound that may wait for the encoder; more are left out and counted."""
RESERVE_BYTES = 300 << 20
"""Recording ends when less than this is free on the disk."""
CHECK_SECONDS = 1.0
TICKS = 90000
"""Ticks per second of the picture's time stamps."""
SILENCE_AFTER = 1.0
"""Seconds by which the sound may lag behind what is due before silence is put in."""
_CONTAINER = {"cluster_time_limit": "500", "flush_packets": "1", "reserve_index_space": "65536"}
_X264 = {"preset": "superfast", "tune": "zerolatency", "crf": "20"}
_DEFAULT_SOUND = (48000, 1)
log = logging.getLogger(__name__)
Kind = Literal["frame", "sound"]


@dataclass(frozen=True)
class Recorded:
    """What a recording has become."""

    path: Path | None
    """None if nothing came that could be recorded."""
    seconds: float
    frames: int
    dropped_frames: int
    dropped_blocks: int
    problem: str = ""
    """Why it ended by itself; empty if it was stopped."""


class Recorder:
    """Records what is offered until `stop`; `offer_*` may be called from any thread and never wait."""

    def __init__(
        self,
        path: Path,
        *,
        video: bool,
        sound: bool,
        av_offset: float = 0.0,
        on_end: Callable[[str], None] | None = None,
    ) -> None:
        """`on_end` is called in the recorder's thread with the reason if it must end by itself.

        Raises:
            AVSegError: too little is free on the disk, or the place is not writable.
        """
        self.path = path
        self.av_offset = av_offset
        """Seconds by which the sound comes later than its picture, made good in the file; may change at any time."""
        self.pictures_ended = False
        """Whether no more pictures are taken, only the sound that belongs to them."""
        self.origin: float | None = None
        """The moment, in `time.monotonic()`, that is 0 in the file; None until the first picture (or sound) came."""
        self.size = (0, 0)
        """Width and height of the recorded picture, once it is known."""
        self.dropped: dict[Kind, int] = {"frame": 0, "sound": 0}
        self._video, self._sound, self._on_end = video, sound, on_end
        self._queue: queue.Queue[tuple[Kind, Any] | None] = queue.Queue()
        self._waiting: dict[Kind, int] = {"frame": 0, "sound": 0}
        self._lock = threading.Lock()
        self._seen_until = self._heard_until = -math.inf  # seconds, of what was offered
        self._sound_format: tuple[int, int] | None = None
        self._file: _File | None = None
        self._problem = ""
        self._checked = 0.0
        _check_space(path.parent)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """Why it has ended by itself; empty while it records."""
        return self._problem

    @property
    def awaits_sound(self) -> bool:
        """Whether sound that belongs to the pictures so far has not been offered yet."""
        return self._video and self._sound and not self._problem and self._heard_until < self._seen_until

    def offer_frame(self, frame: CapturedFrame) -> None:
        """Records a picture."""
        if self._video and not self.pictures_ended:
            self._seen_until = frame.time
            self._offer("frame", frame)

    def offer_sound(self, samples: NDArray[np.float32], begins: float, rate: int) -> None:
        """Records samples [n,channels] that were heard from the time `begins` on."""
        if self._sound:
            begins -= self.av_offset
            self._heard_until = begins + len(samples) / rate
            self._offer("sound", (samples, begins, rate))

    def end_pictures(self) -> None:
        """Takes no more pictures; their sound may still come until `stop`."""
        self.pictures_ended = True

    def stop(self) -> Recorded:
        """Writes what still waits, closes the file and tells what it has become."""
        self._queue.put(None)
        self._thread.join()
        file = self._file
        return Recorded(
            path=self.path if file and _holds_anything(self.path) else None,
            seconds=file.seconds if file else 0.0,
            frames=file.frames if file else 0,
            dropped_frames=self.dropped["frame"],
            dropped_blocks=self.dropped["sound"],
            problem=self._problem,
        )

    def _offer(self, kind: Kind, item: Any) -> None:
        with self._lock:
            if self._problem:
                return
            if self._waiting[kind] >= WAITING[kind]:
                self.dropped[kind] += 1
                return
            self._waiting[kind] += 1
        self._queue.put((kind, item))

    def _run(self) -> None:
        try:
            while (entry := self._queue.get()) is not None:
                kind, item = entry
                with self._lock:
                    self._waiting[kind] -= 1
                self._guard_space()
                self._write(kind, item)
        except (AVSegError, av.error.FFmpegError, OSError) as error:
            self._give_up(_reason(self.path, error))
        finally:
            self._close()

    def _write(self, kind: Kind, item: Any) -> None:
        if kind == "sound":
            samples, begins, rate = item
            self._sound_format = self._sound_format or (rate, min(samples.shape[1], 2))
            if self._file is None and not self._video:
                self._begin(begins, None)
            if self._file is not None:
                self._file.add_sound(samples, begins, rate)
            return
        if self._file is None:
            self._begin(item.time, item.image)
        assert self._file is not None
        self._file.add_frame(item, late=max(self.av_offset, 0.0))

    def _begin(self, origin: float, image: NDArray[np.uint8] | None) -> None:
        sound = (self._sound_format or _DEFAULT_SOUND) if self._sound else None
        size = (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2) if image is not None else None
        self._file = _File(self.path, origin, size, sound)
        self.size = size or (0, 0)
        self.origin = origin

    def _guard_space(self) -> None:
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            _check_space(self.path.parent)

    def _give_up(self, reason: str) -> None:
        """Ends the recording; whoever is offering from now on is not listened to."""
        log.info("%s", reason)
        with self._lock:
            self._problem = reason
        if self._on_end is not None:
            self._on_end(reason)

    def _close(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except (av.error.FFmpegError, OSError) as error:
            if not self._problem:
                self._give_up(_reason(self.path, error))


class _File:
    """The open Matroska file; lives in the recorder's thread."""

    def __init__(self, path: Path, origin: float, size: tuple[int, int] | None, sound: tuple[int, int] | None) -> None:
        self.origin, self.frames, self.seconds = origin, 0, 0.0
        self._container = av.open(file_url(path), "w", format="matroska", container_options=_CONTAINER)
        self._video: Any = self._add_video(*size) if size else None
        self._sound: _SoundTrack | None = _SoundTrack(self._container, *sound) if sound else None
        self._last_pts = -1

    def add_frame(self, frame: CapturedFrame, *, late: float) -> None:
        """Encodes a picture at its own time; one that is not later than the last is left out.

        Its sound is due `late` seconds after it.
        """
        pts = round((frame.time - self.origin) * TICKS)
        if pts <= self._last_pts:
            return
        self._last_pts = pts
        picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24").reformat(
            width=self._video.width,
            height=self._video.height,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        picture.pts, picture.time_base = pts, Fraction(1, TICKS)
        self._container.mux(self._video.encode(picture))
        self.frames += 1
        self.seconds = max(self.seconds, pts / TICKS)
        if self._sound is not None:
            self._sound.keep_up(pts / TICKS - late)

    def add_sound(self, samples: NDArray[np.float32], begins: float, rate: int) -> None:
        """Encodes samples [n,channels] where they belong."""
        if self._sound is not None:
            self.seconds = max(self.seconds, self._sound.add(samples, begins - self.origin, rate))

    def close(self) -> None:
        """Writes what the encoders hold, the index and the duration."""
        try:
            if self._video is not None:
                self._container.mux(self._video.encode(None))
            if self._sound is not None:
                self._sound.finish()
        finally:
            self._container.close()

    def _add_video(self, width: int, height: int) -> Any:
        stream = self._container.add_stream("libx264", rate=30, options=_X264)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        context = stream.codec_context
        context.gop_size, context.thread_count = 60, 1
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries = context.color_trc = 1  # BT.709
        return stream


class _SoundTrack:
    """The sound track: block after block without seams, its time kept at the time at which it was heard."""

    GAP = 0.1
    """Seconds off the clock within sound that are mended at once, with silence or a cut; less is stretched."""
    STRETCH = 0.004
    """Largest stretching, as a share: 7 cents of pitch."""

    def __init__(self, container: Any, rate: int, channels: int) -> None:
        self._container, self._rate, self._channels = container, rate, channels
        self._layout = "mono" if channels == 1 else "stereo"
        self._stream = container.add_stream("flac", rate=rate, layout=self._layout)
        self._written = 0
        self._after_silence = True

    def add(self, samples: NDArray[np.float32], begins: float, rate: int) -> float:
        """Adds samples [n,channels] of `rate` that begin `begins` seconds into the file; returns where they end."""
        count = len(samples) * self._rate / rate
        late = begins - self._written / self._rate
        gap = 0.0 if self._after_silence else self.GAP  # beside silence, or at the start, a cut has no seam to hear
        if late < -gap:
            kept = len(samples) - min(round(-late * rate), len(samples))
            samples, count, late = samples[len(samples) - kept :], kept * self._rate / rate, 0.0
        elif late > gap:
            self._silence(round(late * self._rate))
            late = 0.0
        most = self.STRETCH * count
        self._encode(_stretch(samples, round(count + np.clip(late * self._rate, -most, most))))
        self._after_silence = self._after_silence and not len(samples)
        return self._written / self._rate

    def keep_up(self, seconds: float) -> None:
        """Puts in silence if sound is missing that was due long before `seconds`: a player needs both tracks."""
        behind = seconds - self._written / self._rate
        if behind > SILENCE_AFTER:
            self._silence(round((behind - SILENCE_AFTER / 2) * self._rate))

    def finish(self) -> None:
        """Writes what the encoder holds."""
        self._container.mux(self._stream.encode(None))

    def _silence(self, count: int) -> None:
        self._after_silence = True
        while count > 0:
            piece = min(count, self._rate)
            self._encode(np.zeros((piece, self._channels), np.float32))
            count -= piece

    def _encode(self, samples: NDArray[np.float32]) -> None:
        """samples [n,any channels] at the track's rate."""
        if not len(samples):
            return
        if samples.shape[1] != self._channels:
            samples = np.repeat(samples.mean(axis=1, keepdims=True), self._channels, axis=1)
        whole = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._written
        self._container.mux(self._stream.encode(frame))
        self._written += len(samples)


def _stretch(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """samples [n,channels] -> [count,channels] by linear interpolation; untouched if the count is right."""
    if len(samples) == count or not len(samples):
        return samples
    positions = (np.arange(count) + 0.5) * len(samples) / count - 0.5
    old = np.arange(len(samples))
    return np.stack([np.interp(positions, old, channel) for channel in samples.T], axis=1).astype(np.float32)


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < RESERVE_BYTES:
        raise AVSegError(f"{folder}: only {free >> 20} MB are free, too little to record; free some space.")


def _holds_anything(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:  # such as that its disk was pulled out
        return False


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, AVSegError):
        return str(error)
    if getattr(error, "errno", None) == errno.ENOSPC:
        return f"{path}: the disk is full; the recording has ended, what was written is kept."
    return f"{path}: the recording has ended ({getattr(error, 'strerror', None) or error}); what was written is kept."
