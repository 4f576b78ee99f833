"""Writing an H.264 MP4 that keeps the times of its source to the tick and its sound to the sample."""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from avseg_core.errors import AVSegError, InputError
from avseg_core.media.container import file_url
from avseg_core.media.video import VideoReader
from avseg_core.media.writer_sound import sound_feed

_FINE_TICKS = 90_000
"""Ticks per second that a track has at least."""
_MAX_TICKS = 10_000_000
_FAILURES = (OSError, MemoryError, av.FFmpegError)
"""What disk, memory and encoder throw; many of FFmpeg's errors are no OSError."""
_BT709 = 1
"""Code point of BT.709 for matrix, primaries and transfer (Rec. ITU-T H.273)."""


class VideoWriter:
    """Writes RGB pictures and, if asked, the sound of another file into one MP4 that plays everywhere.

    Pictures are H.264, yuv420p, BT.709; sides of odd length get one more row or column, a copy of the last, because
    4:2:0 has none (`width` and `height` are as given, `coded_width` and `coded_height` as stored). There are no
    B-frames, so players that do not know edit lists show the right times too. Sound is copied packet by packet where
    MP4 holds the codec, else encoded to AAC.

    Everything goes to `<name>.partial`, which becomes `path` in `finish` and is removed by `abort`. As a context
    manager the writer finishes on success and aborts on an exception.

    Args:
        path: the file to write; it is replaced only when the new one is whole.
        width, height: of the pictures.
        fps: frame rate the file names; exact (30000/1001), and the grid of the times if `time_base` is None.
        time_base: tick of variable frame times, as `VideoReader.time_base`; None for a constant rate.
        sound_from: media file whose sound goes along; one without sound is fine.
        sound_track: place among its sound tracks.
        comment: what the file says of itself.
        pixel_aspect: width of a pixel over its height, as `MediaInfo.pixel_aspect`.

    Raises:
        InputError: the folder of `path` cannot be written to, or `sound_from` cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        width: int,
        height: int,
        *,
        fps: Fraction,
        time_base: Fraction | None = None,
        sound_from: str | os.PathLike[str] | None = None,
        sound_track: int | None = None,
        comment: str = "",
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        self.path = Path(path)
        self.width, self.height = width, height
        self.coded_width, self.coded_height = width + width % 2, height + height % 2
        self._fps, self._pixel_aspect = fps, pixel_aspect
        self._constant = time_base is None
        self._ticks = _ticks_per_second(fps.numerator if time_base is None else time_base.denominator)
        self._partial = self.path.with_name(self.path.name + ".partial")
        self._reformatter = VideoReformatter()
        self._first_time: float | None = None
        self._last_pts = -1
        self._held: Packet[VideoStream] | None = None
        self._closed = False
        self._sound = sound_feed(sound_from, sound_track) if sound_from is not None else None
        try:
            self._container = self._open(self._sound.rate if self._sound else 1)
            self._container.metadata["comment"] = comment
        except BaseException:
            self._clear_away()
            raise
        with self._failing_cleanly():
            self._stream = self._add_video()
            if self._sound is not None:
                self._sound.attach(self._container)

    @classmethod
    def like(
        cls, path: str | os.PathLike[str], reader: VideoReader, *, sound: bool = True, comment: str = ""
    ) -> VideoWriter:
        """A writer for pictures of the size, shape and times of those of `reader`, with the sound of its file."""
        rate = reader.constant_rate
        return cls(
            path,
            reader.info.width,
            reader.info.height,
            fps=rate or reader.info.fps,
            time_base=None if rate else reader.time_base,
            sound_from=reader.info.path if sound else None,
            comment=comment,
            pixel_aspect=reader.info.pixel_aspect,
        )

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()

    def write(self, image: npt.NDArray[np.uint8], time: float) -> None:
        """Adds a picture, uint8 RGB [height, width, 3], shown from `time` seconds on; times must ascend.

        Raises:
            AVSegError: the disk is full or fails; nothing half-written is left.
        """
        if image.shape != (self.height, self.width, 3):
            raise ValueError(f"expected a picture of shape {(self.height, self.width, 3)}, got {image.shape}")
        with self._failing_cleanly():
            if self._sound is not None:
                self._sound.feed(self._container, time)
            self._mux(self._stream.codec_context.encode(self._picture(image, time)))

    def finish(self) -> None:
        """Writes what is still on its way and gives the file its name.

        Raises:
            AVSegError: nothing was written, or the disk is full or fails.
        """
        if self._closed:
            return
        with self._failing_cleanly():
            if self._first_time is None:
                raise AVSegError(f"{self.path}: not written, there is no picture to put in it.")
            self._mux(self._stream.codec_context.encode(None))
            self._mux_held(round(self._ticks / self._fps))
            if self._sound is not None:
                self._sound.feed(self._container, math.inf)
                self._sound.close()
            self._container.close()
            os.replace(self._partial, self.path)
            self._closed = True

    def abort(self) -> None:
        """Stops and removes what was written; does nothing after `finish`."""
        if self._closed:
            return
        self._closed = True
        self._remove()  # first: closing would copy the whole file to make room for the index at its front
        with contextlib.suppress(*_FAILURES):
            self._container.close()
        self._clear_away()

    def _clear_away(self) -> None:
        """Lets go of the sound's source and removes what was written."""
        if self._sound is not None:
            self._sound.close()
        self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # such as that Windows removes no open file
            self._partial.unlink(missing_ok=True)

    def _open(self, sound_rate: int) -> OutputContainer:
        # Edit lists count in ticks of the movie: with a common multiple neither track's start is rounded.
        movie_ticks = math.lcm(self._ticks, sound_rate)
        options = {
            "movflags": "+faststart",
            "video_track_timescale": str(self._ticks),
            "movie_timescale": str(movie_ticks if movie_ticks <= _MAX_TICKS else self._ticks),
        }
        try:
            self._partial.open("wb").close()
            return av.open(file_url(self._partial), "w", format="mp4", container_options=options)
        except (OSError, av.FFmpegError) as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another folder or check its permissions."
            ) from None

    def _add_video(self) -> VideoStream:
        stream = self._container.add_stream(
            "libx264",
            rate=self._fps,
            time_base=Fraction(1, self._ticks),
            width=self.coded_width,
            height=self.coded_height,
            pix_fmt="yuv420p",
            options={"crf": "18", "preset": "veryfast", "bf": "0", "g": str(max(1, math.ceil(2 * self._fps)))},
        )
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        context.sample_aspect_ratio = self._pixel_aspect
        return stream

    def _picture(self, image: npt.NDArray[np.uint8], time: float) -> VideoFrame:
        padding = (self.coded_height - self.height, self.coded_width - self.width)
        if any(padding):
            image = np.pad(image, ((0, padding[0]), (0, padding[1]), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base = self._stamp(time), Fraction(1, self._ticks)
        return frame

    def _stamp(self, time: float) -> int:
        if self._first_time is None:
            self._first_time = time
        pts = round(time * self._ticks)
        if self._constant:
            number = round((time - self._first_time) * self._fps)
            pts = round(self._first_time * self._ticks) + round(number * self._ticks / self._fps)
        self._last_pts = max(pts, self._last_pts + 1)  # two frames of one time, which MP4 cannot hold
        return self._last_pts

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        """Passes packets on one late, when their duration is known."""
        for packet in packets:
            if self._held is not None and self._held.pts is not None and packet.pts is not None:
                self._mux_held(packet.pts - self._held.pts)
            self._held = packet

    def _mux_held(self, duration: int) -> None:
        if self._held is not None:
            self._held.duration = duration
            self._held.stream = self._stream
            self._container.mux(self._held)
            self._held = None

    @contextlib.contextmanager
    def _failing_cleanly(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            self.abort()
            reason = getattr(error, "strerror", None) or str(error) or "out of memory"
            raise AVSegError(f"{self.path}: could not be written ({reason}); {_remedy(error)} and try again.") from None
        except BaseException:
            self.abort()
            raise


def _remedy(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "close other programs"
    if isinstance(error, OSError):
        return "free some space" if error.errno == errno.ENOSPC else "check the disk"
    return "check the disk and the size of the pictures"


def _ticks_per_second(base: int) -> int:
    """The least multiple of `base` that is fine enough."""
    ticks = base * math.ceil(_FINE_TICKS / base)
    return ticks if ticks <= _MAX_TICKS else 1_000_000
