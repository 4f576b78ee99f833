"""Clips for `finetune.py`: things that the default model cannot know, and scenes of the demo clip's dog and hen.

Every clip lasts five seconds, shows two things that move over a computed ground, and in every second one of the two
sounds; the mask of the frame in the middle of each second is known exactly.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.io import wavfile

import resources
from avseg_core.data.folder import mask_folder
from avseg_core.data.synthesis import SAMPLE_RATE, Image, Sound, compose, excerpt, mix, render
from avseg_core.media import AudioReader, VideoReader, VideoWriter

HEIGHT, WIDTH, FPS, SECONDS = 360, 640, 12, 5
DEMO = Path(resources.__file__).parent / "demo" / "demo.mp4"
T = TypeVar("T")
Thing = tuple[Callable[[Generator], Image], Callable[[Generator], Sound]]
"""Draws a cut-out [H,W,4] and makes a sound of one second; each time another one of its kind."""


def write_clips(folder: Path, count: int, things: Mapping[str, Thing], seed: int) -> None:
    """Clips with masks in the layout of a user's own folder."""
    folder.mkdir(parents=True)
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        _write_clip(folder / f"clip{index}.mp4", list(things.values()), rng)


def _write_clip(path: Path, things: list[Thing], rng: Generator) -> None:
    scene = compose(rng, ground(rng), [draw(rng) for draw, _ in things])
    sounding = [int(rng.integers(len(things)))]
    while len(sounding) < SECONDS:  # changes over two times in three
        change = rng.random() < 2 / 3
        sounding.append((sounding[-1] + change) % len(things))
    track = np.concatenate(
        [mix(rng, [excerpt(rng, things[k][1](rng))], rng.normal(0, 1, SAMPLE_RATE)) for k in sounding]
    )
    mask_folder(path).mkdir()
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "sound.wav"
        wavfile.write(wave, SAMPLE_RATE, track)
        with VideoWriter(path, WIDTH, HEIGHT, fps=Fraction(FPS), sound_from=wave) as writer:
            for index in range(SECONDS * FPS):
                image, instances = render(scene, HEIGHT, WIDTH, index / FPS)
                writer.write(image, index / FPS)
                second, rest = divmod(index, FPS)
                if rest == FPS // 2:
                    save_mask(mask_folder(path) / f"{index / FPS:.3f}.png", instances == sounding[second] + 1)


def _second(rng: Generator, play: Callable[[Generator], Sound]) -> Sound:
    return mix(rng, [excerpt(rng, play(rng))], rng.normal(0, 1, SAMPLE_RATE).astype(np.float32))


def save_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    cv2.imwrite(str(path), np.where(mask, 255, 0).astype(np.uint8))


def ground(rng: Generator) -> Image:
    """Soft patches in the colours of earth, water or walls."""
    low, high = rng.uniform(30, 150, 3), rng.uniform(90, 230, 3)
    layers = [rng.normal(0, 1, (cells, 2 * cells)) for cells in (3, 8, 30, 120)]
    height = sum(
        cv2.resize(layer, (800, 450), interpolation=cv2.INTER_CUBIC) / (k + 1) for k, layer in enumerate(layers)
    )
    share = 1 / (1 + np.exp(-np.asarray(height)))[..., None]
    return np.clip(low * (1 - share) + high * share, 0, 255).astype(np.uint8)


# --- things that nobody has heard of ---------------------------------------------------------------------------------


def draw_lantern(rng: Generator) -> Image:
    """A striped box on three legs with a row of lights."""
    canvas = np.zeros((300, 260, 4), np.uint8)
    body, stripe = _colour(rng, (200, 90, 30)), _colour(rng, (240, 220, 80))
    for x in (60, 130, 200):
        cv2.line(canvas, (130, 180), (x, 295), _colour(rng, (60, 60, 60)), 12)
    cv2.rectangle(canvas, (40, 30), (220, 210), body, -1)
    for y in range(50, 200, 44):
        cv2.rectangle(canvas, (40, y), (220, y + 18), stripe, -1)
    for x in range(70, 200, 30):
        cv2.circle(canvas, (x, 22), 14, _colour(rng, (250, 250, 250)), -1)
    return canvas


def draw_bloom(rng: Generator) -> Image:
    """A ring of violet blobs around an eye."""
    canvas = np.zeros((300, 300, 4), np.uint8)
    petal, eye = _colour(rng, (130, 40, 170)), _colour(rng, (60, 210, 190))
    count = int(rng.integers(6, 9))
    for angle in np.arange(count) * 2 * np.pi / count:
        centre = (int(150 + 85 * np.cos(angle)), int(150 + 85 * np.sin(angle)))
        cv2.circle(canvas, centre, 52, petal, -1)
        cv2.circle(canvas, centre, 20, _colour(rng, (190, 120, 220)), -1)
    cv2.circle(canvas, (150, 150), 66, eye, -1)
    cv2.circle(canvas, (150, 150), 26, (20, 20, 20, 255), -1)
    return canvas


def _colour(rng: Generator, rgb: tuple[int, int, int]) -> tuple[int, ...]:
    return (*(int(np.clip(value + rng.normal(0, 12), 0, 255)) for value in rgb), 255)


def play_arpeggio(rng: Generator) -> Sound:
    """Square waves that climb in steps, eight to a second."""
    base = rng.uniform(380, 520)
    steps = np.floor(_times() * rng.uniform(7, 9)).astype(int) % 5
    pitch = base * 2.0 ** (np.array([0, 4, 7, 12, 16])[steps] / 12)
    return (0.3 * np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE))).astype(np.float32)


def play_gurgle(rng: Generator) -> Sound:
    """A low tone whose pitch and strength wobble."""
    times, rate = _times(), rng.uniform(9, 13)
    pitch = rng.uniform(110, 150) * (1 + 0.5 * np.sin(2 * np.pi * rate * times))
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE + rng.uniform(0, 6))
    return (0.5 * tone * (0.5 + 0.5 * np.sin(2 * np.pi * rate / 2 * times)) ** 2).astype(np.float32)


def _times() -> NDArray[np.float64]:
    return np.arange(SAMPLE_RATE) / SAMPLE_RATE


UNKNOWN: dict[str, Thing] = {"lantern": (draw_lantern, play_arpeggio), "bloom": (draw_bloom, play_gurgle)}


# --- things that the default model knows: the demo clip's ------------------------------------------------------------


def demo_things() -> dict[str, Thing]:
    """The dog and the hen of the demo clip, cut out of its frames, with their own seconds of sound."""
    truth = json.loads(DEMO.with_suffix(".json").read_text(encoding="utf-8"))
    seconds = range(len(truth["sounding"]))
    with VideoReader(DEMO) as video, AudioReader(DEMO, rate=SAMPLE_RATE) as audio:
        images = [frame.image for frame in video.frames_at([second + 0.5 for second in seconds])]
        sounds = [audio.read(float(second), 1.0) for second in seconds]
    things: dict[str, Thing] = {}
    for name in ("dog", "hen"):
        cutouts = [_cut_out(images[k], truth["boxes"][k][name]) for k in seconds]
        heard = [sounds[k] for k in seconds if truth["sounding"][k] == name]
        things[name] = (_choose(cutouts), _choose(heard))
    return things


def _choose(choices: list[T]) -> Callable[[Generator], T]:
    return lambda rng: choices[int(rng.integers(len(choices)))]


def write_demo(folder: Path) -> None:
    """The demo clip itself with the masks of its nine seconds that sound."""
    truth = json.loads(DEMO.with_suffix(".json").read_text(encoding="utf-8"))
    folder.mkdir(parents=True)
    clip = folder / DEMO.name
    clip.write_bytes(DEMO.read_bytes())
    mask_folder(clip).mkdir()
    with VideoReader(DEMO) as video:
        for second, (name, boxes) in enumerate(zip(truth["sounding"], truth["boxes"], strict=True)):
            if name is not None:
                image = video.frame_at(second + 0.5).image
                save_mask(mask_folder(clip) / f"{second + 0.5:.3f}.png", _inside(image, boxes[name]))


def _cut_out(image: Image, box: list[float]) -> Image:
    mask = _inside(image, box)
    rows, columns = np.where(mask)
    part = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    return np.dstack([image[part], np.where(mask[part], 255, 0).astype(np.uint8)])


def _inside(image: Image, box: list[float]) -> NDArray[np.bool_]:
    """The thing in `box` (left, top, right, bottom as shares), told from the meadow by GrabCut."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(share * side) for share, side in zip(box, (width, height) * 2, strict=True))
    mask = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)
    rectangle = (left - 2, top - 2, right - left + 4, bottom - top + 4)
    cv2.grabCut(
        image[..., ::-1].copy(), mask, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT
    )
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))
