"""Opening a media file safely: one local file, no playlists, no network, and errors a user can act on."""

from __future__ import annotations

import functools
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, TypeVar, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from avseg_core.errors import InputError

StreamT = TypeVar("StreamT", bound=Stream)

# Demuxers that follow references to other files, hosts or devices: what they name is not what the user chose.
_REFERRING_FORMATS = frozenset(
    {"alsa", "concat", "dash", "fbdev", "hls", "image2", "image2pipe", "imf", "jack", "kmsgrab", "lavfi", "oss"}
    | {"pulse", "rtp", "rtsp", "sdp", "video4linux2,v4l2", "vobsub", "webm_dash_manifest", "x11grab"}
)
# Demuxers that draw any text or binary file as a picture of characters.
_CHARACTER_FORMATS = frozenset({"adf", "bin", "idf", "tty", "xbin"})
_STILL_STARTS = re.compile(
    rb"(?P<jpeg>\xff\xd8\xff)|(?P<png>\x89PNG)|(?P<tiff>II\*\0|MM\0\*)|(?P<webp>RIFF....WEBP)|(?P<bmp>BM.{12}[(l|]\0\0\0)",
    re.DOTALL,
)
"""The heads of still pictures; a group's name is that of FFmpeg's demuxer, which reads this one file and no other."""
_PLAYLIST_STARTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"v=0")
_HIGHEST_SOUND_RATE = 3_000_000
"""Samples per second; above DSD at its highest a header is damaged or means harm: buffers are as long as seconds."""
_MAX_BROKEN_READS = 100
"""So many failed reads in a row end a damaged file."""


def file_url(path: str | os.PathLike[str]) -> str:
    """What FFmpeg calls the file at `path`: so that a colon in a name is not taken for the end of a protocol."""
    return f"file:{Path(path).absolute()}"


def open_input(path: str | os.PathLike[str]) -> InputContainer:
    """Opens one local media file; FFmpeg may read no other file and no host through it.

    Raises:
        InputError: the path cannot be read, or holds no video or sound that FFmpeg knows.
    """
    file = Path(path)
    _check_readable(file)
    try:
        return _open(file)
    except (av.FFmpegError, ValueError) as error:
        if still := _STILL_STARTS.match(_head(file)):  # by its name FFmpeg takes it for one of a series, with image2
            with suppress(av.FFmpegError, ValueError):
                return _open(file, f"{still.lastgroup}_pipe", fflags="noparse")  # what phones append is no second one
        _refuse(file, error)


def _open(file: Path, format: str | None = None, **options: str) -> InputContainer:
    safe = {"protocol_whitelist": "file", "format_whitelist": _format_whitelist()}
    return av.open(
        file_url(file),
        format=format,
        metadata_errors="replace",
        container_options={**safe, **options},
    )


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(64)


def _check_readable(file: Path) -> None:
    """Raises InputError unless `file` is a regular, readable file with something in it."""
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{file}: is a folder; name a video file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{file}: is not an ordinary file; save the video to a file first.")
        with file.open("rb"):
            pass
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{file}: cannot be read ({reason}); check its permissions.") from None
    if status.st_size == 0:
        raise InputError(f"{file}: is empty (0 bytes); copy or download it again.")


def _refuse(file: Path, error: Exception) -> NoReturn:
    head = _head(file).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(_PLAYLIST_STARTS):
        raise InputError(f"{file}: is a playlist that points to other files; open the media file itself.") from None
    reason = getattr(error, "strerror", None) or str(error)
    raise InputError(
        f"{file}: is not a video or sound file that can be read ({reason}); it may be damaged or incomplete."
    ) from None


@functools.cache
def _format_whitelist() -> str:
    return ",".join(sorted(av.formats_available - _REFERRING_FORMATS - _CHARACTER_FORMATS))


def video_stream(container: InputContainer) -> VideoStream | None:
    """The stream to look at: FFmpeg's best one that is not a cover picture and can be decoded."""
    cover = Disposition.attached_pic
    candidates = [s for s in container.streams.video if s.codec_context and not s.disposition & cover]
    best = container.streams.best("video")
    return next((s for s in candidates if s is best), candidates[0] if candidates else None)


def audio_streams(container: InputContainer) -> list[AudioStream]:
    """The sound tracks that can be decoded, in the order of the file."""
    candidates = [s for s in container.streams.audio if s.codec_context]
    return [s for s in candidates if 0 < s.codec_context.sample_rate <= _HIGHEST_SOUND_RATE]


def only(container: InputContainer, *wanted: Stream) -> None:
    """Lets the demuxer skip everything but `wanted`."""
    indices = {stream.index for stream in wanted}
    for stream in container.streams:
        stream.discard = av.stream.Discard.none if stream.index in indices else av.stream.Discard.all


def start_time(container: InputContainer) -> Fraction:
    """Seconds of the earliest stream start on the container's own clock: the t = 0 of this project, exact."""
    video = video_stream(container)
    streams: list[Stream] = [*([video] if video else []), *audio_streams(container)]
    starts = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base]
    return min(starts, default=Fraction(0))


def packets(container: InputContainer, streams: Sequence[StreamT], problems: list[str]) -> Iterator[Packet[StreamT]]:
    """All packets of `streams` from the current position; damaged stretches are stepped over and told in `problems`."""
    broken = 0
    while broken < _MAX_BROKEN_READS:
        try:
            for packet in container.demux(tuple(streams)):
                if packet.size == 0:  # the flush packets that PyAV adds at the end
                    continue
                broken = 0
                yield cast("Packet[StreamT]", packet)
            return
        except IndexError:  # PyAV at the end of a file in which further streams have turned up on the way
            return
        except av.FFmpegError as error:
            broken += 1
            note = f"damaged data was stepped over ({error.strerror})"
            if note not in problems:
                problems.append(note)
