"""Test videos whose every frame and sample is known, made with PyAV alone.

A picture made by `picture(number)` carries its number as sixteen black or white blocks that survive any codec, and a
coloured square whose place follows from the number (`square`). `read_number` reads the number back, also after rotation
has been undone. `Tone` describes a sound track: a sine of known phase on the clock of the video, so that sample k of a
track that starts at `start` is `amplitude * sin(2 pi f (start + k / rate))`.

    path = write_clip(tmp_path / "clip.mp4", frames=60, tones=[Tone()])
    assert [read_number(f.image) for f in VideoReader(path).frames()] == list(range(60))
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

NTSC = Fraction(30000, 1001)
SIZE = (96, 64)
"""Width and height of a clip."""
_BITS = 16
_X264 = {"preset": "ultrafast", "crf": "12"}


@dataclass(frozen=True)
class Tone:
    """A sound track with a sine in it; `start` and `seconds` in seconds on the clock of the video."""

    frequency: float = 440.0
    amplitude: float = 0.5
    rate: int = 48000
    channels: int = 1
    start: float = 0.0
    seconds: float = 2.0
    codec: str = "aac"
    gaps: tuple[tuple[float, float], ...] = ()
    """Stretches (from, to) for which there are no packets."""
    language: str = ""
    noise: float = 0.0
    """Standard deviation of white noise added to what is written; `samples` leaves it out."""

    def samples(self, rate: int, first: int, count: int) -> NDArray[np.float32]:
        """What the track should sound like from sample `first` on, counted from t = 0 at `rate`; mono, no gaps."""
        time = (first + np.arange(count)) / rate
        heard = (time >= self.start - 1e-9) & (time < self.start + self.seconds - 1e-9)
        return (self.amplitude * np.sin(2 * np.pi * self.frequency * time) * heard).astype(np.float32)


@dataclass(frozen=True)
class Clip:
    """How a clip is coded. `pts` are ticks of `time_base`, by default one frame after the other at `fps`."""

    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    format: str | None = None
    fps: Fraction = NTSC
    time_base: Fraction | None = None
    pts: tuple[int, ...] | None = None
    pixel_aspect: Fraction = Fraction(1)


def picture(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """[H,W,3] a grey picture with its number in the upper half and a square in the lower; at least 32 x 32."""
    width, height = size
    image = np.full((height, width, 3), 96, np.uint8)
    for bit in range(_BITS):
        top, bottom, left, right = _block(bit, height, width)
        image[top:bottom, left:right] = 235 if number >> bit & 1 else 16
    top, left, side = square(number, size)
    image[top : top + side, left : left + side] = square_color(number)
    return image


def square(number: int, size: tuple[int, int] = SIZE) -> tuple[int, int, int]:
    """Top, left and side of the coloured square of frame `number`."""
    width, height = size
    side = height // 4
    return height // 2 + height // 8, number * 2 % (width - side), side


def square_color(number: int) -> tuple[int, int, int]:
    """RGB of the square of frame `number`."""
    return ((220, 40, 40), (40, 220, 40), (40, 40, 220))[number // 10 % 3]


def read_number(image: NDArray[np.uint8]) -> int:
    """The number in a picture that came out of a codec."""
    height, width = image.shape[:2]
    number = 0
    for bit in range(_BITS):
        top, bottom, left, right = _block(bit, height, width)
        block = image[top:bottom, left:right].mean()
        number |= int(block > 126) << bit
    return number


def _block(bit: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of a bit's block: two rows of eight in the upper half."""
    row, column = divmod(bit, _BITS // 2)
    tall, wide = height // 4, width // (_BITS // 2)
    return row * tall, (row + 1) * tall, column * wide, (column + 1) * wide


def write_clip(
    path: Path,
    frames: int = 60,
    *,
    size: tuple[int, int] = SIZE,
    clip: Clip | None = None,
    tones: Sequence[Tone] = (),
    image: NDArray[np.uint8] | None = None,
    movflags: str = "",
) -> Path:
    """Writes `frames` numbered pictures (or `image` again and again) and the tones; 0 frames leave out the video."""
    clip = clip or Clip()
    container_options = {"movflags": movflags} if movflags else {}
    with av.open(str(path), "w", format=clip.format, container_options=container_options) as container:
        made: list[list[Packet]] = []
        streams = [_add_video(container, clip, size)] if frames else []
        sounds = [_add_sound(container, tone) for tone in tones]
        for stream in streams:
            made.append(list(_video_packets(stream, clip, frames, size, image)))
        for stream, tone in zip(sounds, tones, strict=True):
            made.append(list(_sound_packets(stream, tone)))
        container.start_encoding()
        everything = [packet for packets in made for packet in packets]
        for packet in sorted(everything, key=lambda p: (p.dts if p.dts is not None else 0) * p.time_base):
            container.mux(packet)
    return path


def _add_video(container: OutputContainer, clip: Clip, size: tuple[int, int]) -> av.VideoStream:
    options = {**(_X264 if clip.codec == "libx264" else {}), **clip.options}
    stream = container.add_stream(clip.codec, rate=clip.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = *size, clip.pixels
    stream.codec_context.time_base = clip.time_base or 1 / clip.fps
    stream.codec_context.sample_aspect_ratio = clip.pixel_aspect
    return stream


def _video_packets(
    stream: av.VideoStream, clip: Clip, frames: int, size: tuple[int, int], image: NDArray[np.uint8] | None
) -> Iterator[Packet]:
    ticks = Fraction(1) if clip.time_base is None else 1 / clip.fps / clip.time_base
    for number in range(frames):
        pixels = picture(number, size) if image is None else image
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=clip.pixels)
        frame.pts = clip.pts[number] if clip.pts is not None else round(number * ticks)
        frame.time_base = clip.time_base or 1 / clip.fps
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _add_sound(container: OutputContainer, tone: Tone) -> av.AudioStream:
    stream = container.add_stream(tone.codec, rate=tone.rate, layout={1: "mono", 2: "stereo", 6: "5.1"}[tone.channels])
    if tone.codec == "wmav2":
        stream.bit_rate = 96000
    if tone.language:
        stream.metadata["language"] = tone.language
    return stream


def _sound_packets(stream: av.AudioStream, tone: Tone) -> Iterator[Packet]:
    first, count = round(tone.start * tone.rate), round(tone.seconds * tone.rate)
    samples = np.tile(tone.samples(tone.rate, first, count), (tone.channels, 1))
    samples += np.random.default_rng(0).normal(0, tone.noise, samples.shape).astype(np.float32)
    sample_format = stream.codec_context.format.name
    for begin in range(0, count, 1024):
        frame = _sound_frame(samples[:, begin : begin + 1024], sample_format, stream.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = tone.rate, first + begin, Fraction(1, tone.rate)
        yield from _outside(stream.encode(frame), tone)
    yield from _outside(stream.encode(None), tone)


def _sound_frame(samples: NDArray[np.float32], sample_format: str, layout: str) -> av.AudioFrame:
    kind = np.dtype({"s16": "i2", "s32": "i4", "flt": "f4", "u8": "u1"}[sample_format.removesuffix("p")])
    full = 2.0 ** (8 * kind.itemsize - 1)
    values = samples if kind.kind == "f" else np.round(samples * full + full * (kind.kind == "u")).astype(kind)
    if not sample_format.endswith("p"):
        values = values.T.reshape(1, -1)
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(values), format=sample_format, layout=layout)


def _outside(packets: Sequence[Packet], tone: Tone) -> Iterator[Packet]:
    for packet in packets:
        time = float(packet.pts * packet.time_base)
        if not any(begin <= time < end for begin, end in tone.gaps):
            yield packet


def remux(source: Path, target: Path, *, shift: float = 0.0, format: str | None = None) -> Path:
    """Copies all packets into another container, `shift` seconds later (earlier: MP4 trims with an edit list)."""
    with av.open(str(source)) as container, av.open(str(target), "w", format=format) as copy:
        streams = {s.index: copy.add_stream_from_template(s, opaque=True) for s in container.streams}
        for packet in container.demux():
            if packet.size == 0:
                continue
            ticks = round(shift / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream.index]
            copy.mux(packet)
    return target


def rotate(path: Path, degrees: int, *, mirror: bool = False) -> Path:
    """Has an MP4's pictures turned clockwise for display, by the matrix in its track header, as phones do."""
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    if mirror:
        a, c = -a, -c
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + (52 if data[at] == 1 else 40)
    one = 1 << 16
    struct.pack_into(">9i", data, matrix, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path
