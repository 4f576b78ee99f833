"""Composites: cut-outs pasted into backgrounds, with known masks, and sounds mixed to go with them.

Everything is drawn from one `numpy.random.Generator`, so a seed gives the same scene again. Images are uint8 RGB,
cut-outs uint8 RGBA; instance maps are uint8 with 0 for the background and i for the i-th cut-out. Sound is float32 mono
at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Sound = NDArray[np.float32]

SAMPLE_RATE = 16000
_MAX_OVERLAP = 0.35
"""A cut-out is moved elsewhere when it would hide more than this share of another one."""
_PLACING_TRIES = 12


@dataclass(frozen=True)
class Pose:
    """Where and how a cut-out stands: centre and size (of its longer side) relative to the frame's shorter side."""

    x: float
    y: float
    size: float
    angle: float
    """Degrees, counter-clockwise."""
    flip: bool
    velocity: tuple[float, float] = (0.0, 0.0)
    """Movement of the centre per second, relative to the frame."""
    growth: float = 0.0
    """Relative growth per second."""

    def at(self, seconds: float) -> Pose:
        """The pose that many seconds later."""
        x, y = self.x + self.velocity[0] * seconds, self.y + self.velocity[1] * seconds
        return replace(self, x=x, y=y, size=self.size * (1.0 + self.growth * seconds))


@dataclass(frozen=True)
class Look:
    """What the camera does to the whole frame."""

    gain: tuple[float, float, float]
    blur: float
    noise: float
    jpeg_quality: int


@dataclass(frozen=True)
class Scene:
    """All that a composite consists of; `render` makes the picture of any moment."""

    background: Image
    cutouts: tuple[Image, ...]
    poses: tuple[Pose, ...]
    tints: tuple[tuple[float, float, float], ...]
    """Per cut-out: how its colours are scaled towards the light of the background."""
    shadow: float
    """Darkness of the cast shadows, 0 for none."""
    pan: tuple[float, float]
    zoom: float
    """Camera movement per second: shift relative to the background, and growth."""
    look: Look
    seed: int


def compose(rng: Generator, background: Image, cutouts: Sequence[Image], *, motion: float = 1.0) -> Scene:
    """Draws a scene of these cut-outs, first one farthest back. `motion` scales all movement, 0 for a still."""
    crowd = {1: (0.45, 0.95), 2: (0.38, 0.75), 3: (0.3, 0.6)}.get(len(cutouts), (0.22, 0.48))
    poses: list[Pose] = []
    for cutout in cutouts:
        poses.append(_place(rng, cutout, poses, crowd, motion))
    light = background.reshape(-1, 3).mean(0) / 128.0
    strength = rng.uniform(0.0, 0.6)
    tints = tuple(_tint(rng, light, strength) for _ in cutouts)
    look = draw_look(rng)
    shift = rng.normal(0.0, 0.02 * motion, 2)
    return Scene(
        background=background,
        cutouts=tuple(cutouts),
        poses=tuple(poses),
        tints=tints,
        shadow=float(rng.choice([0.0, rng.uniform(0.15, 0.5)])),
        pan=(float(shift[0]), float(shift[1])),
        zoom=float(rng.normal(0.0, 0.02 * motion)),
        look=look,
        seed=int(rng.integers(2**31)),
    )


def draw_look(rng: Generator) -> Look:
    """A camera of ordinary quality: exposure, colour cast, sometimes blurred or noisy, always compressed."""
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    return Look(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        blur=float(rng.choice([0.0, 0.0, rng.uniform(0.3, 1.2)])),
        noise=float(rng.choice([0.0, rng.uniform(1.0, 8.0)])),
        jpeg_quality=int(rng.integers(35, 98)),
    )


def render(scene: Scene, height: int, width: int, seconds: float = 0.0) -> tuple[Image, NDArray[np.uint8]]:
    """The frame [H,W,3] and its instance map [H,W] that many seconds into the scene."""
    canvas = _view(scene.background, height, width, scene.pan, scene.zoom, seconds).astype(np.float32)
    instances = np.zeros((height, width), np.uint8)
    for index, (cutout, pose, tint) in enumerate(zip(scene.cutouts, scene.poses, scene.tints, strict=True), start=1):
        layer = _warp(cutout, pose.at(seconds), height, width)  # [H,W,4]
        alpha = layer[..., 3:] / np.float32(255.0)
        if scene.shadow:
            canvas *= 1.0 - scene.shadow * _shadow(alpha[..., 0], height)[..., None]
        canvas += alpha * (np.clip(layer[..., :3] * np.asarray(tint, np.float32), 0.0, 255.0) - canvas)
        instances[alpha[..., 0] > 0.5] = index
    return photograph(canvas, scene.look, scene.seed + round(1000 * seconds)), instances


def _place(rng: Generator, cutout: Image, others: list[Pose], crowd: tuple[float, float], motion: float) -> Pose:
    """A pose whose box hides little of the ones already placed."""
    pose = None
    for _ in range(_PLACING_TRIES):
        size = float(rng.uniform(*crowd))
        velocity = rng.normal(0.0, 0.04 * motion, 2)
        pose = Pose(
            x=float(rng.uniform(0.12, 0.88)),
            y=float(rng.uniform(0.2, 0.85)),
            size=size,
            angle=float(rng.normal(0.0, 7.0)),
            flip=bool(rng.random() < 0.5),
            velocity=(float(velocity[0]), float(velocity[1])),
            growth=float(rng.normal(0.0, 0.03 * motion)),
        )
        if all(_overlap(pose, other) < _MAX_OVERLAP for other in others):
            break
    assert pose is not None
    return pose


def _overlap(first: Pose, second: Pose) -> float:
    """Share of the smaller one's box that the other one covers, both taken as squares."""
    reach = 0.8 * (first.size + second.size) / 2
    wide, high = max(0.0, reach - abs(first.x - second.x)), max(0.0, reach - abs(first.y - second.y))
    smaller = 0.8 * min(first.size, second.size)
    return min(wide, smaller) * min(high, smaller) / smaller**2


def _tint(rng: Generator, light: NDArray[np.float64], strength: float) -> tuple[float, float, float]:
    tint = (1.0 + strength * (np.clip(light, 0.4, 1.6) - 1.0)) * rng.uniform(0.85, 1.15)
    return float(tint[0]), float(tint[1]), float(tint[2])


def _view(image: Image, height: int, width: int, pan: tuple[float, float], zoom: float, seconds: float) -> Image:
    """The camera's crop of the background, moved and zoomed, at the frame's size."""
    rows, columns = image.shape[:2]
    share = float(np.clip(0.85 / (1.0 + zoom * seconds), 0.3, 1.0))
    high, wide = share * rows, share * columns
    top = float(np.clip((rows - high) * (0.5 + pan[1] * seconds), 0.0, rows - high))
    left = float(np.clip((columns - wide) * (0.5 + pan[0] * seconds), 0.0, columns - wide))
    crop = image[int(top) : int(top + high), int(left) : int(left + wide)]
    return np.asarray(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _warp(cutout: Image, pose: Pose, height: int, width: int) -> NDArray[np.float32]:
    """The cut-out in its pose on an empty frame [H,W,4], colours not premultiplied."""
    rows, columns = cutout.shape[:2]
    scale = pose.size * min(height, width) / max(rows, columns)
    small = cv2.resize(
        _premultiplied(cutout), None, fx=min(scale, 1.0), fy=min(scale, 1.0), interpolation=cv2.INTER_AREA
    )
    grown = max(scale, 1.0)
    matrix = cv2.getRotationMatrix2D((small.shape[1] / 2, small.shape[0] / 2), pose.angle, grown)
    if pose.flip:
        small = np.ascontiguousarray(small[:, ::-1])
    matrix[:, 2] += (pose.x * width - small.shape[1] / 2, pose.y * height - small.shape[0] / 2)
    layer = cv2.warpAffine(small, matrix, (width, height), flags=cv2.INTER_LINEAR)  # [H,W,4], premultiplied
    alpha = np.maximum(layer[..., 3:], 1e-3)
    return np.concatenate([layer[..., :3] / alpha * 255.0, layer[..., 3:]], axis=2).astype(np.float32)


def _premultiplied(cutout: Image) -> NDArray[np.float32]:
    """Colours times alpha, so that resizing does not draw in what lies under transparent pixels."""
    pixels = cutout.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255.0
    return pixels


def _shadow(alpha: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """A soft shadow below and beside the thing."""
    offset = max(1, round(0.03 * height))
    moved = np.zeros_like(alpha)
    moved[offset:, offset:] = alpha[:-offset, :-offset]
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), 0.02 * height), np.float32)


def photograph(canvas: NDArray[np.float32], look: Look, seed: int) -> Image:
    """The picture [H,W,3], 0..255, after exposure, lens blur, sensor noise and compression."""
    canvas = canvas * np.asarray(look.gain, np.float32)
    if look.blur:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), look.blur), np.float32)
    if look.noise:
        canvas = canvas + np.random.default_rng(seed).normal(0.0, look.noise, canvas.shape).astype(np.float32)
    frame = np.clip(canvas, 0.0, 255.0).astype(np.uint8)
    _, code = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality])
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def excerpt(rng: Generator, sound: Sound, seconds: float = 1.0) -> Sound:
    """A random stretch of the sound; a shorter one is repeated or followed by silence."""
    length = round(seconds * SAMPLE_RATE)
    if len(sound) >= length:
        start = int(rng.integers(len(sound) - length + 1))
        return sound[start : start + length]
    if len(sound) < length // 3 or rng.random() < 0.5:
        repeats = -(-length // max(1, len(sound)))
        return np.tile(sound, repeats)[:length]
    result = np.zeros(length, np.float32)
    start = int(rng.integers(length - len(sound) + 1))
    result[start : start + len(sound)] = sound
    return result


def mix(rng: Generator, sounds: Sequence[Sound], noise: Sound | None = None) -> Sound:
    """The sounds together at random gains and with reverberation, over `noise` at 5 to 30 dB below them."""
    length = max((len(sound) for sound in sounds), default=len(noise) if noise is not None else SAMPLE_RATE)
    total = np.zeros(length, np.float32)
    for sound in sounds:
        total[: len(sound)] += _level(sound, rng.uniform(-6.0, 0.0))
    if len(sounds) and rng.random() < 0.4:
        total = _reverberate(rng, total)
    if noise is not None:
        below = rng.uniform(5.0, 30.0) if len(sounds) else rng.uniform(0.0, 30.0)
        total[: len(noise)] += _level(noise[:length], -below)
    return np.asarray(np.clip(total * 10 ** (rng.uniform(-15.0, 0.0) / 20), -1.0, 1.0), np.float32)


def _level(sound: Sound, decibels: float) -> Sound:
    """The sound at an RMS of 0.1 (-20 dBFS) changed by that many decibels; silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
    return np.asarray(sound * (0.1 * 10 ** (decibels / 20) / rms if rms > 1e-6 else 0.0), np.float32)


def _reverberate(rng: Generator, sound: Sound) -> Sound:
    """Convolved with exponentially decaying noise, as in a room of 0.1 to 0.6 s decay."""
    decay = rng.uniform(0.1, 0.6)
    times = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(0.0, 1.0, len(times)) * np.exp(-6.9 * times / decay)
    tail *= rng.uniform(0.1, 0.4) / np.sqrt(np.sum(tail**2))
    size = len(sound) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
    return np.asarray(sound + wet, np.float32)
