"""Whatever FFmpeg can open as a camera or a microphone: network streams, files played in real time, the screen."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import InputError
from avseg_core.media.capture import CameraOptions, CapturedFrame, SoundBlock, SourceError, Trouble
from avseg_core.media.capture_clock import ClockMap
from avseg_core.media.container import audio_streams, open_input, start_time, video_stream

OPEN_SECONDS, READ_SECONDS = 8.0, 5.0
"""How long a network stream may keep us waiting before it counts as lost."""
LATE = 0.1
"""Pictures of a file that are due longer ago than this, in seconds, are skipped."""
MOST_SKIPPED = 1.0
"""Seconds after which a picture is shown although it is late: a machine may be too slow for its file."""
HEAD_START = 0.3
"""Seconds between asking for a file and its first picture, so that its sound can be opened too."""
_UNTIMED = ("mpjpeg", "mjpeg", "image2pipe", "jpeg_pipe")
"""Formats without time stamps of their own; their pictures count from when they arrive."""
_NETWORK = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay", "analyzeduration": "1000000"}
_SCREEN_FORMAT = {"linux": "x11grab", "darwin": "avfoundation", "win32": "gdigrab"}
_SCREEN_LIMIT = (1280, 720)
_TROUBLE: tuple[tuple[type[Exception], Trouble, str], ...] = (
    (av.error.FileNotFoundError, "missing", "does not exist; check the name"),
    (av.error.PermissionError, "refused", "may not be read; check the permissions"),
    (av.error.HTTPUnauthorizedError, "refused", "asks for a user name and password; give them in the address"),
    (av.error.HTTPForbiddenError, "refused", "refuses access; check the address"),
    (av.error.InvalidDataError, "unreadable", "is no picture or sound that can be read; check the address"),
)


class PlayClock:
    """The moment at which a file's time 0 is played; shared by its pictures and its sound."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._origin: float | None = None

    def origin(self) -> float:
        """The moment, in `time.monotonic()`; the first question sets it a little into the future."""
        if self._origin is None:
            self._origin = self._clock() + HEAD_START
        return self._origin

    def played(self) -> float:
        """Seconds that have been played; 0 before the beginning."""
        return max(self._clock() - self.origin(), 0.0)


@dataclass
class StreamOptions:
    """How a container is opened and played."""

    url: str
    name: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    play: PlayClock | None = None
    """Set for a file: it is played in real time by this clock. None: it comes by itself and is read at once."""
    loop: bool = False


class _Stream:
    """One stream of an open container as decoded frames with their times on `time.monotonic()`."""

    def __init__(self, options: StreamOptions, kind: str) -> None:
        self._options = options
        self._container = _open(options)
        sounds = audio_streams(self._container)
        stream: Any = video_stream(self._container) if kind == "video" else next(iter(sounds), None)
        if stream is None:
            self._container.close()
            raise SourceError("missing", f"{options.name} has no {'picture' if kind == 'video' else 'sound'}.")
        self.stream = stream
        self.stream.thread_type = "AUTO" if options.play else "SLICE"
        self._timed = self._container.format.name not in _UNTIMED
        self._clock = ClockMap()
        # A file whose end is not known (its recording was cut off) cannot be joined to its beginning.
        self._lap_seconds = (self._container.duration or 0) / av.time_base if options.play and options.loop else 0.0
        self._lap = 0
        if options.play is not None:
            self._join(options.play.played())
        self._frames = self._decoded()

    def next(self) -> tuple[Any, float, float]:
        """The next frame, the time it was taken or is to be played, and the time it was there; raises SourceError."""
        try:
            frame = next(self._frames)
        except StopIteration:
            raise self._ended() from None
        except (av.error.FFmpegError, OSError) as error:
            raise _error(error, self._options.name, running=True) from None
        arrived = time.monotonic()
        return frame, self._when(frame, arrived), arrived

    def close(self) -> None:
        """Closes the container."""
        self._container.close()

    def _join(self, played: float) -> None:
        """Goes to where a file that is opened again must be by now, instead of decoding all up to there."""
        if self._lap_seconds:
            laps, played = divmod(played, self._lap_seconds)
            self._lap = int(laps)
        if played > MOST_SKIPPED:
            with suppress(av.error.FFmpegError, OSError):  # without an index, or beyond the end: decoding gets there
                self._container.seek((self._container.start_time or 0) + round(played * av.time_base))

    def _decoded(self) -> Iterator[Any]:
        yield from self._container.decode(self.stream)
        while self._lap_seconds:
            self._lap += 1
            self._container.seek(self._container.start_time or 0)
            yield from self._container.decode(self.stream)

    def _when(self, frame: Any, arrived: float) -> float:
        if frame.time is None:
            return arrived
        if self._options.play is not None:
            lap = self._lap * self._lap_seconds
            return self._options.play.origin() + lap + float(frame.time - start_time(self._container))
        if not self._timed:
            return arrived
        self._clock.observe(float(frame.time), arrived)
        return min(self._clock.to_host(float(frame.time)), arrived)

    def _ended(self) -> SourceError:
        if self._options.play is not None:
            return SourceError("ended", f"{self._options.name} is at its end.")
        return SourceError("unplugged", f"{self._options.name} has ended; it is tried again.")


class StreamCamera:
    """Pictures from anything that FFmpeg opens, in display orientation."""

    is_live = False

    def __init__(
        self,
        options: StreamOptions,
        *,
        crop: tuple[int, int, int, int] | None = None,
        limit: tuple[int, int] | None = None,
    ) -> None:
        """`crop`: x, y, width, height that are cut out; `limit`: largest width and height, larger is scaled down."""
        self.name = options.name
        self.fps = 30.0
        self._options, self._crop, self._limit = options, crop, limit
        self._stream: _Stream | None = None
        self._count = 0

    def open(self) -> None:
        """Opens the stream.

        Raises:
            SourceError: it cannot be reached or read, or has no picture.
        """
        self._stream = _Stream(self._options, "video")
        rate = self._stream.stream.average_rate or self._stream.stream.guessed_rate
        self.fps = float(rate) if rate and 1 <= rate <= 240 else 30.0

    def read(self) -> CapturedFrame:
        """Waits for a picture.

        Raises:
            SourceError: the stream has failed or ended.
        """
        assert self._stream is not None
        begun = time.monotonic()
        while True:
            frame, when, arrived = self._stream.next()
            self._count += 1
            if self._options.play is None:
                return CapturedFrame(self._count - 1, when, arrived, self._image(frame))
            if when < arrived - LATE and arrived - begun < MOST_SKIPPED:
                continue
            time.sleep(max(when - arrived, 0.0))
            return CapturedFrame(self._count - 1, when, time.monotonic(), self._image(frame))

    def close(self) -> None:
        """Closes the stream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _image(self, frame: Any) -> NDArray[np.uint8]:
        if self._limit is not None:
            scale = min(self._limit[0] / frame.width, self._limit[1] / frame.height, 1.0)
            frame = frame.reformat(width=round(frame.width * scale), height=round(frame.height * scale))
        image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
        if self._crop is not None:
            x, y, width, height = self._crop
            image = image[y : y + height, x : x + width]
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else np.ascontiguousarray(image)


class StreamMicrophone:
    """Sound from anything that FFmpeg opens, at its own rate, in one or two channels."""

    is_live = False

    def __init__(self, options: StreamOptions) -> None:
        self.name = options.name
        self.rate, self.channels = 48000, 1
        self._options = options
        self._stream: _Stream | None = None
        self._resampler: av.AudioResampler | None = None

    def open(self) -> None:
        """Opens the stream.

        Raises:
            SourceError: it cannot be reached or read, or has no sound.
        """
        self._stream = _Stream(self._options, "audio")
        self.rate = int(self._stream.stream.rate or 48000)
        self.channels = 1 if self._stream.stream.channels == 1 else 2
        layout = "mono" if self.channels == 1 else "stereo"
        self._resampler = av.AudioResampler(format="flt", layout=layout, rate=self.rate)

    def read(self) -> SoundBlock:
        """Waits for some sound.

        Raises:
            SourceError: the stream has failed or ended.
        """
        assert self._stream is not None
        assert self._resampler is not None
        frame, when, arrived = self._stream.next()
        pieces = [piece.to_ndarray().reshape(-1, self.channels) for piece in self._resampler.resample(frame)]
        samples: NDArray[np.float32] = np.concatenate([np.zeros((0, self.channels), np.float32), *pieces])
        if self._options.play is not None:
            time.sleep(max(when + len(samples) / self.rate - arrived, 0.0))
            return SoundBlock(samples, when)
        # Sound without time stamps has arrived with its last sample.
        return SoundBlock(samples, when if when != arrived else arrived - len(samples) / self.rate)

    def close(self) -> None:
        """Closes the stream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def network(url: str) -> StreamOptions:
    """How an http, rtsp, rtmp, udp... stream is opened. The name leaves out a password in the address."""
    options = dict(_NETWORK) if not url.startswith("http") else {"fflags": "nobuffer"}
    return StreamOptions(url, re.sub(r"//[^/@]*@", "//", url), options=options)


def screen_available() -> bool:
    """True if this machine's FFmpeg can read the screen."""
    has_display = sys.platform != "linux" or bool(os.environ.get("DISPLAY"))
    return has_display and _SCREEN_FORMAT.get(sys.platform, "") in av.formats_available


def screen_camera(region: str, options: CameraOptions) -> StreamCamera:
    """The screen as a camera; `region` is empty or "X,Y,WIDTHxHEIGHT" in pixels.

    Raises:
        InputError: the region is not of this form, or the screen cannot be read here.
    """
    if not screen_available():
        raise InputError("The screen cannot be read on this machine; choose a camera, a file or an address.")
    crop = _parse_region(region)
    settings = {"framerate": f"{options.fps:g}"}
    url = {"linux": os.environ.get("DISPLAY", ""), "darwin": "Capture screen 0:none"}.get(sys.platform, "desktop")
    if crop and sys.platform != "darwin":
        x, y, width, height = crop
        settings["video_size"] = f"{width}x{height}"
        if sys.platform == "linux":
            url = f"{url}+{x},{y}"
        else:
            settings |= {"offset_x": str(x), "offset_y": str(y)}
        crop = None
    stream = StreamOptions(url, "Screen", format=_SCREEN_FORMAT[sys.platform], options=settings)
    return StreamCamera(stream, crop=crop, limit=_SCREEN_LIMIT)


def _parse_region(region: str) -> tuple[int, int, int, int] | None:
    if not region:
        return None
    match = re.fullmatch(r"(\d+),(\d+),(\d+)x(\d+)", region)
    if match is None or 0 in (int(match[3]), int(match[4])):
        raise InputError(f"screen:{region}: is no region; write screen:X,Y,WIDTHxHEIGHT, like screen:0,0,640x480.")
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])


def _open(options: StreamOptions) -> Any:
    """Opens a container; Motion JPEG over http is not always recognised and is tried by name."""
    if options.play is not None:
        try:
            return open_input(options.url)
        except InputError as refusal:
            raise SourceError("unreadable", str(refusal)) from None
    formats = [options.format] if options.format or not options.url.startswith("http") else [None, "mpjpeg"]
    error: Exception | None = None
    for name in formats:
        try:
            timeout = (OPEN_SECONDS, READ_SECONDS)
            return av.open(options.url, format=name, options=options.options, timeout=timeout)
        except (av.error.FFmpegError, OSError, ValueError) as failure:
            error = error or failure
    assert error is not None
    raise _error(error, options.name, running=False) from None


def _error(error: Exception, name: str, *, running: bool) -> SourceError:
    for kind, trouble, text in _TROUBLE:
        if isinstance(error, kind):
            return SourceError(trouble, f"{name} {text}.")
    if running:
        return SourceError("unplugged", f"{name} has stopped ({_reason(error)}); it is tried again.")
    return SourceError("missing", f"{name} cannot be reached ({_reason(error)}); check the address and the network.")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
