"""What a media file holds, told from its headers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from avseg_core.errors import InputError
from avseg_core.media.container import audio_streams, open_input, packets, start_time, video_stream
from avseg_core.media.pixels import Orientation

_STANDARD_RATES = tuple(
    sorted({Fraction(n) for n in range(1, 241)} | {Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 90, 120, 240)})
)
_RATE_TOLERANCE = 2e-4
"""Relative; millisecond time stamps blur a rate by less than this, 30 and 30000/1001 differ by five times as much."""

_WIDEST = 8
"""Most heights that a pixel is wide, or widths that it is high; what says more is damaged."""
_FINEST_ASPECT = 1000
"""H.264 takes 16 bits for each side of a pixel."""


@dataclass(frozen=True)
class AudioTrack:
    """One sound track; times in seconds on the file's clock (t = 0 is the earliest stream start)."""

    index: int
    """Place among the file's sound tracks, from 0."""
    rate: int
    channels: int
    start: float
    duration: float
    language: str
    title: str
    codec: str


@dataclass(frozen=True)
class MediaInfo:
    """A media file at a glance. Width and height are those of the displayed picture (rotation applied)."""

    path: Path
    duration: float
    """Seconds from t = 0 to the end of the last stream."""
    width: int
    height: int
    fps: Fraction
    """Average frames per second, exact for the usual rates (30000/1001); 0 without video."""
    has_video: bool
    audio: tuple[AudioTrack, ...]
    pixel_aspect: Fraction
    """Width of a displayed pixel in its heights: 1, or another for anamorphic video (DVD, DV, HDV)."""


def only_sound(path: str | os.PathLike[str]) -> InputError:
    """What is told of a file in which there is nothing to see."""
    return InputError(f"{path}: has sound but no video; choose a video file.")


def read_headers(path: str | os.PathLike[str]) -> MediaInfo:
    """What the headers and the first picture of `path` say; the duration is 0 where they do not tell it.

    Raises:
        InputError: the file cannot be read, or has neither video nor sound that can be decoded.
    """
    with open_input(path) as container:
        return _describe(container, Path(path))


def _describe(container: InputContainer, path: Path) -> MediaInfo:
    video = video_stream(container)
    sounds = audio_streams(container)
    if video is None and not sounds:
        raise InputError(f"{path}: has neither video nor sound that can be decoded; convert it to MP4 (H.264, AAC).")
    total = float(container.duration or 0) / av.time_base
    tracks = tuple(_describe_track(i, stream, container, total) for i, stream in enumerate(sounds))
    height, width, pixel_aspect = _displayed_shape(container, video) if video else (0, 0, Fraction(1))
    return MediaInfo(
        path=path,
        duration=total or max((track.start + track.duration for track in tracks), default=0.0),
        width=width,
        height=height,
        fps=header_rate(video) if video else Fraction(0),
        has_video=video is not None,
        audio=tracks,
        pixel_aspect=pixel_aspect,
    )


def _describe_track(index: int, stream: AudioStream, container: InputContainer, total: float) -> AudioTrack:
    time_base = stream.time_base or Fraction(1, av.time_base)
    start = 0.0 if stream.start_time is None else float(stream.start_time * time_base - start_time(container))
    duration = float(stream.duration * time_base) if stream.duration else max(0.0, total - start)
    return AudioTrack(
        index=index,
        rate=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels,
        start=start,
        duration=duration,
        language="" if stream.language in (None, "und") else stream.language,
        title=stream.metadata.get("title", ""),
        codec=stream.codec_context.codec.canonical_name,
    )


def _displayed_shape(container: InputContainer, stream: VideoStream) -> tuple[int, int, Fraction]:
    """Height, width and shape of a pixel after rotation, from the first picture; else from the header."""
    for packet in packets(container, [stream], []):
        try:
            for frame in stream.codec_context.decode(packet):
                turn, aspect = Orientation.of(frame), _pixel_aspect(stream)
                return *turn.displayed(frame.height, frame.width), 1 / aspect if turn.transpose else aspect
        except (av.FFmpegError, MemoryError):
            continue
    return stream.codec_context.height, stream.codec_context.width, _pixel_aspect(stream)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    """Width over height of a stored pixel; 1 where the file says nothing, or nothing that can be meant."""
    aspect = stream.sample_aspect_ratio
    return aspect.limit_denominator(_FINEST_ASPECT) if aspect and 1 / _WIDEST <= aspect <= _WIDEST else Fraction(1)


def header_rate(stream: VideoStream) -> Fraction:
    """Frames per second as the header and FFmpeg's probing give them, snapped to a standard rate when close to one."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return snap_rate(rate)
    return Fraction(25)


def snap_rate(rate: Fraction, blur: float = 0.0) -> Fraction:
    """The standard rate that `rate`, known to a share of `blur`, is meant to be, or `rate` itself."""
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= max(_RATE_TOLERANCE, blur) * rate else rate
