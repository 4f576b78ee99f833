"""Video of any length to measure speed on, made on the spot: moving texture and a changing tone."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from avseg_core.media.writer import VideoWriter

FPS = Fraction(30)
_RATE = 48000
_PERIOD = 10
"""Seconds that are encoded; a longer clip repeats them without encoding again."""


def make_clip(path: Path, seconds: int, width: int = 1280, height: int = 720) -> Path:
    """Writes an MP4 (H.264, AAC) of at least `seconds` at 30 frames per second.

    Raises:
        AVSegError: the disk is full.
    """
    period = path.with_name(path.stem + "-period.mp4")
    try:
        _encode_period(period, width, height)
        _repeat(period, path, -(-seconds // _PERIOD))
    finally:
        period.unlink(missing_ok=True)
    return path


def _encode_period(path: Path, width: int, height: int) -> None:
    sound = path.with_suffix(".wav")
    time = np.arange(_RATE * _PERIOD) / _RATE
    tone = 0.3 * np.sin(2 * np.pi * (300 + 100 * np.floor(time)) * time)
    texture = _texture(height, 2 * width)
    try:
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, _RATE, len(tone), "NONE", ""))
            file.writeframes((tone * 32767).astype("<i2").tobytes())
        with VideoWriter(path, width, height, fps=FPS, sound_from=sound) as writer:
            for number in range(int(_PERIOD * FPS)):
                shift = round((0.5 - 0.5 * np.cos(2 * np.pi * number / (_PERIOD * FPS))) * width)
                writer.write(np.ascontiguousarray(texture[:, shift : shift + width]), float(number / FPS))
    finally:
        sound.unlink(missing_ok=True)


def _texture(height: int, width: int) -> NDArray[np.uint8]:
    """Blobs of many sizes, [height,width,3], about as hard to code as a photograph."""
    rng = np.random.default_rng(0)
    total = np.zeros((height, width, 3), np.float32)
    for block in (8, 32, 128):
        small = rng.normal(size=(height // block + 2, width // block + 2, 3)).astype(np.float32)
        total += 24 * np.kron(small, np.ones((block, block, 1), np.float32))[:height, :width]
    noisy = 128 + total + rng.normal(scale=4, size=total.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _repeat(source: Path, target: Path, times: int) -> None:
    """Writes all packets of `source`, `times` times one after the other; overlapping packets of sound are left out."""
    last: dict[int, int] = {}
    with av.open(str(target), "w", format="mp4") as output, av.open(str(source)) as first:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in first.streams}
        for turn in range(times):
            with av.open(str(source)) as container:
                for packet in container.demux():
                    if packet.dts is None or packet.pts is None or packet.time_base is None:
                        continue
                    shift = round(turn * _PERIOD / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    if packet.dts > last.get(packet.stream_index, packet.dts - 1):
                        last[packet.stream_index] = packet.dts
                        packet.stream = streams[packet.stream_index]
                        output.mux(packet)
