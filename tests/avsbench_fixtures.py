"""Small data sets in the published layouts, with content that can be learnt: a colour and a shape sound as one tone.

Each object is a filled shape of its own colour on a noisy background; its sound is a tone of its own pitch. What is
masked is what can be heard: the picture alone does not tell it.
"""

from __future__ import annotations

import csv
import pickle
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from avseg_core.audio.front_end import logmel
from avseg_core.data.palette import AVSS_CLASSES, colours_from_labels

RATE = 16000
SIZES = {"train": 4, "val": 2, "test": 2}


@dataclass(frozen=True)
class Thing:
    """Something that can be seen and heard."""

    name: str
    colour: tuple[int, int, int]
    hertz: float
    round: bool


THINGS = (
    Thing("guitar", (220, 40, 40), 440.0, True),
    Thing("dog", (40, 200, 60), 1200.0, False),
    Thing("helicopter", (60, 80, 230), 3000.0, True),
)
Picture = NDArray[np.uint8]


def make_s4(
    root: Path, clips: Mapping[str, int] = SIZES, *, size: int = 224, pickles: bool = True, seed: int = 0
) -> Path:
    """`root`/Single-source: one thing sounds all the time, a silent one stands beside it."""
    rng = np.random.default_rng(seed)
    data = root / "Single-source" / "s4_data"
    rows = []
    for split, count in clips.items():
        for number in range(count):
            name = f"{split:_<5}{number:06d}"
            shown = rng.permutation(len(THINGS))[:2]
            thing, place = THINGS[shown[0]], Path(split, THINGS[shown[0]].name)
            rows.append([name, number % 7, thing.name, split])
            boxes = [_boxes(rng, 5, size, slot) for slot in rng.permutation(2)]
            for k in range(5):
                image, masks = _scene(rng, size, size, [(THINGS[i], boxes[j][k]) for j, i in enumerate(shown)])
                _save(image, data / "visual_frames" / place / name / f"{name}_{k + 1}.png")
                if split != "train" or k == 0:
                    _save(masks[0] * 255, data / "gt_masks" / place / name / f"{name}_{k + 1}.png")
            sound = _sound(rng, [[thing]] * 5)
            write_wav(data / "audio_wav" / place / f"{name}.wav", sound)
            if pickles:
                write_pickle(data / "audio_log_mel" / place / f"{name}.pkl", sound)
    write_csv(data.parent / "s4_meta_data.csv", ["name", "start", "category", "split"], rows)
    return data.parent


def make_ms3(
    root: Path, clips: Mapping[str, int] = SIZES, *, size: int = 224, pickles: bool = True, seed: int = 1
) -> Path:
    """`root`/Multi-sources: two things of which in every second one, both or none sounds."""
    rng = np.random.default_rng(seed)
    data = root / "Multi-sources" / "ms3_data"
    rows = []
    for split, count in clips.items():
        for number in range(count):
            name = f"{split:_<5}{number:06d}" + f"_{number}"
            rows.append([name, split])
            things = [THINGS[i] for i in rng.permutation(len(THINGS))[:2]]
            heard = [
                [thing for j, thing in enumerate(things) if (k + number) % 4 in ((0, 1), (1, 2))[j]] for k in range(5)
            ]
            boxes = [_boxes(rng, 5, size, slot) for slot in range(2)]
            for k in range(5):
                image, masks = _scene(rng, size, size, [(thing, boxes[j][k]) for j, thing in enumerate(things)])
                sounding = [mask for thing, mask in zip(things, masks, strict=True) if thing in heard[k]]
                mask = np.maximum.reduce([np.zeros((size, size), np.uint8), *sounding])
                _save(image, data / "visual_frames" / name / f"{name}.mp4_{k + 1}.png")
                _save(mask * 255, data / "gt_masks" / split / name / f"{name}_{k + 1}.png")
            sound = _sound(rng, heard)
            write_wav(data / "audio_wav" / split / f"{name}.wav", sound)
            if pickles:
                write_pickle(data / "audio_log_mel" / split / f"{name}.pkl", sound)
    write_csv(data.parent / "ms3_meta_data.csv", ["video_id", "split"], rows)
    return data.parent


def make_avss(
    root: Path, clips: Mapping[str, int] = SIZES, *, width: int = 320, height: int = 240, seed: int = 2
) -> Path:
    """`root`/AVSS: clips of v1s, v1m (5 frames) and v2 (10 frames) in turn, labels in the palette's colours."""
    rng = np.random.default_rng(seed)
    folder = root / "AVSS"
    rows = []
    for split, count in clips.items():
        for number in range(count):
            label = ("v1s", "v1m", "v2")[number % 3]
            uid = f"{split:_<5}{number:06d}" + {"v1s": "_0_5000", "v1m": "_0", "v2": "_0_10000"}[label]
            frames = 10 if label == "v2" else 5
            things = [THINGS[i] for i in rng.permutation(len(THINGS))[:2]]
            heard = [things[:1] if label == "v1s" or k % 2 == 0 else things for k in range(frames)]
            boxes = [_boxes(rng, frames, min(width, height), slot) for slot in range(2)]
            for k in range(frames):
                image, masks = _scene(rng, width, height, [(thing, boxes[j][k]) for j, thing in enumerate(things)])
                _save(image, folder / label / uid / "frames" / f"{k}.jpg")
                if label == "v1s" and split == "train" and k > 0:
                    continue
                labels = np.zeros((height, width), np.uint8)
                for thing, mask in zip(things, masks, strict=True):
                    if thing in heard[k]:
                        labels[mask > 0] = AVSS_CLASSES.index(thing.name)
                _save(colours_from_labels(labels), folder / label / uid / "labels_rgb" / f"{k}.png")
            write_wav(folder / label / uid / "audio.wav", _sound(rng, heard))
            rows.append([uid[:11], uid, 0, 0, "_".join(thing.name for thing in things), split, label])
    write_csv(folder / "metadata.csv", ["vid", "uid", "s_min", "s_sec", "a_obj", "split", "label"], rows)
    names = ", ".join(f'"{name}": {index}' for index, name in enumerate(AVSS_CLASSES))
    (folder / "label2idx.json").write_text(f"{{{names}}}")
    return folder


def make_folder(
    root: Path,
    clips: Mapping[str, int] = SIZES,
    *,
    size: int = 96,
    times: Sequence[float] = (0.5, 1.5, 2.5),
    classes: bool = False,
    seed: int = 3,
) -> Path:
    """`root`/own: three-second MP4 clips of two things that sound in turn, with a mask at each of `times`."""
    rng = np.random.default_rng(seed)
    folder = root / "own"
    for split, count in clips.items():
        for number in range(count):
            things = [THINGS[i] for i in rng.permutation(len(THINGS))[:2]]
            heard = [[things[k % 2]] for k in range(3)]
            scene = [(thing, _boxes(rng, 1, size, slot)[0]) for slot, thing in enumerate(things)]
            image, masks = _scene(rng, size, size, scene)
            video = folder / split / f"{split}_{number}.mp4"
            write_video(video, image, _sound(rng, heard), seconds=3)
            for time in times:
                slot = things.index(heard[int(time)][0])
                value = 1 + THINGS.index(things[slot]) if classes else 255
                _save(masks[slot] * np.uint8(value), video.with_suffix(".masks") / f"{time:.3f}.png")
    if classes:
        names = ", ".join(f'"{thing.name}"' for thing in THINGS)
        (folder / "dataset.toml").write_text(f"classes = [{names}]\n")
    return folder


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table as published: header, then one line per clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def int16(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    """Sound [n] in -1..1 as the samples of a wav."""
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")


def write_wav(path: Path, sound: NDArray[np.float64], rate: int = RATE, channels: int = 1) -> None:
    """16-bit PCM; `sound` [n] goes to every channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.repeat(int16(sound)[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def write_pickle(path: Path, sound: NDArray[np.float64], examples: int = 5) -> None:
    """The log-mel as published: a pickled tensor [5,1,96,64] that wants a gradient."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = torch.from_numpy(logmel(int16(sound) / 32768, "vggish")[:examples]).unsqueeze(1).requires_grad_()
    path.write_bytes(pickle.dumps(values))


def write_video(path: Path, image: Picture, sound: NDArray[np.float64], *, seconds: int, fps: int = 10) -> None:
    """A still picture as H.264 with AAC sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "12", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for _ in range(seconds * fps):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        for first in range(0, len(sound) - 1023, 1024):
            block = av.AudioFrame.from_ndarray(sound[None, first : first + 1024].astype(np.float32), "fltp", "mono")
            block.rate, block.pts, block.time_base = RATE, first, Fraction(1, RATE)
            container.mux(audio.encode(block))
        container.mux(video.encode())
        container.mux(audio.encode())


def _sound(rng: np.random.Generator, heard: Sequence[Sequence[Thing]]) -> NDArray[np.float64]:
    """One second per entry: the tones of what is heard over faint noise."""
    time = np.arange(RATE) / RATE
    seconds = [sum((0.3 * np.sin(2 * np.pi * thing.hertz * time) for thing in now), np.zeros(RATE)) for now in heard]
    return np.concatenate(seconds) + rng.normal(0, 1e-3, RATE * len(heard))


def _boxes(rng: np.random.Generator, frames: int, size: int, slot: int) -> list[tuple[int, int, int]]:
    """Centre x, centre y and half width of an object in the left (0) or right (1) half that drifts a little."""
    half = int(size * rng.uniform(0.13, 0.2))
    x, y = int(size * (0.25 + 0.5 * slot)), int(size * rng.uniform(0.3, 0.7))
    return [(x, int(y + rng.integers(-size // 20, size // 20 + 1)), half) for _ in range(frames)]


def _scene(
    rng: np.random.Generator, width: int, height: int, things: Sequence[tuple[Thing, tuple[int, int, int]]]
) -> tuple[Picture, list[Picture]]:
    """The picture [H,W,3] and one mask [H,W] of 0 and 1 per thing."""
    image = rng.integers(90, 150, (height, width, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:height, :width]
    masks = []
    for thing, (x, y, half) in things:
        dx, dy = np.abs(columns - x), np.abs(rows - y)
        inside = np.hypot(dx, dy) <= half if thing.round else np.maximum(dx, dy) <= half
        image[inside] = thing.colour
        masks.append(inside.astype(np.uint8))
    return image, masks


def _save(picture: Picture, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **({"quality": 95} if path.suffix == ".jpg" else {"compress_level": 1}))
