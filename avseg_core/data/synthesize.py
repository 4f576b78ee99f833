"""A labelled data set from a folder of cut-outs, backgrounds and sounds, in the layout of `data.folder`.

What goes in::

    <source>/cutouts/<class>/*.png       things with a transparent background
    <source>/sounds/<class>/*.wav ...    what they sound like; any format FFmpeg reads
    <source>/backgrounds/*.jpg ...       pictures in which nothing sounds
    <source>/sounds/noise/*.wav ...      optional: what nothing in a picture makes

Every clip shows one to five moving things; in each of its seconds one or two of them sound, or something that is not
in the picture, or nothing. Cut-outs, sounds and backgrounds are split as whole files, so that nothing of the
validation and test clips was in the training clips.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.io import wavfile

from avseg_core.data.folder import is_hidden, mask_folder
from avseg_core.data.synthesis import SAMPLE_RATE, Image, Scene, Sound, compose, excerpt, mix, render
from avseg_core.errors import InputError
from avseg_core.media import AudioReader, VideoWriter
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check

NOISE = "noise"
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_SOUNDS = (".wav", ".ogg", ".flac", ".mp3", ".m4a", ".opus")
_SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
_LONGEST_SOUND = 30.0


@dataclass(frozen=True)
class SynthesisOptions:
    """How many clips, and what they are like."""

    clips: int = 100
    seconds: int = 5
    height: int = 360
    width: int = 640
    fps: int = 12
    most_things: int = 3
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """The files of one split by class."""

    cutouts: dict[str, list[Path]]
    sounds: dict[str, list[Path]]
    backgrounds: list[Path]


def synthesize(
    source: Path,
    out: Path,
    options: SynthesisOptions,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> dict[str, int]:
    """Writes the clips to `out` and returns how many each split has. Clips that are there already are kept.

    Raises:
        InputError: something is missing in `source`, a file cannot be read, or `out` cannot be written to.
        Cancelled: the user stopped it; finished clips stay.
    """
    sources = find_sources(source)
    counts = {split: max(1, round(share * options.clips)) for split, share in _SHARES.items() if split in sources}
    done, total = 0, sum(counts.values())
    for number, (split, count) in enumerate(counts.items()):
        for index in range(count):
            check(cancel)
            rng = np.random.default_rng([options.seed, number, index])
            write_clip(out / split / f"clip{index:05d}.mp4", sources[split], options, rng)
            done += 1
            if progress is not None:
                progress(Progress("clips", done, total))
    return counts


def find_sources(source: Path) -> dict[str, Source]:
    """The files of every split; a class needs three cut-outs and three sounds to be in all of them.

    Raises:
        InputError: a folder is missing or holds nothing that can be used.
    """
    cutouts, sounds = _by_class(source / "cutouts", (".png", ".webp")), _by_class(source / "sounds", _SOUNDS)
    backgrounds = [path for path in _entries(source / "backgrounds") if path.suffix.lower() in _PICTURES]
    classes = [name for name in cutouts if name in sounds]
    if not classes:
        raise InputError(f"{source}: no class has both cutouts/<class>/*.png and sounds/<class>/*.wav.")
    if not backgrounds:
        raise InputError(f"{source / 'backgrounds'}: holds no picture; add one or more.")
    found: dict[str, Source] = {}
    for split in _SHARES:
        kept = {name: _part(cutouts[name], split) for name in classes}
        heard = {name: _part(paths, split) for name, paths in sounds.items() if name in classes or name == NOISE}
        usable = {name: paths for name, paths in kept.items() if paths and heard.get(name)}
        places = _part(backgrounds, split) or backgrounds
        if usable:
            found[split] = Source(usable, {name: paths for name, paths in heard.items() if paths}, places)
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror or error}); it is needed.") from None


def _by_class(folder: Path, suffixes: Iterable[str]) -> dict[str, list[Path]]:
    chosen = tuple(suffixes)
    found = {
        entry.name: [path for path in _entries(entry) if path.suffix.lower() in chosen]
        for entry in _entries(folder)
        if entry.is_dir()
    }
    return {name: paths for name, paths in found.items() if paths}


def _part(paths: Sequence[Path], split: str) -> list[Path]:
    """The files of that split: of three or more the last two serve validation and test (more of more files)."""
    held = max(1, round(_SHARES["test"] * len(paths))) if len(paths) >= 3 else 0
    cut = len(paths) - 2 * held
    return list({"train": paths[:cut], "val": paths[cut : cut + held], "test": paths[cut + held :]}[split])


def write_clip(path: Path, source: Source, options: SynthesisOptions, rng: Generator) -> None:
    """One clip with its masks; nothing is done when it is there.

    The masks folder is complete before the video appears, and a video without masks does not count as a clip.
    """
    if path.exists():
        return
    classes, scene = _draw_scene(source, options, rng)
    sounding = [_draw_sounding(rng, len(classes)) for _ in range(options.seconds)]
    track = np.concatenate([_second(source, classes, order, rng) for order in sounding])
    try:
        mask_folder(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            wave = Path(folder) / "sound.wav"
            wavfile.write(wave, SAMPLE_RATE, track)
            _write_video(path, scene, sounding, options, wave)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder.") from None


def _write_video(
    path: Path, scene: Scene, sounding: Sequence[tuple[int, ...] | None], options: SynthesisOptions, wave: Path
) -> None:
    """Frames, and the mask of the frame in the middle of every second."""
    rate = Fraction(options.fps)
    with VideoWriter(path, options.width, options.height, fps=rate, sound_from=wave) as writer:
        for index in range(options.seconds * options.fps):
            image, instances = render(scene, options.height, options.width, index / options.fps)
            writer.write(image, index / options.fps)
            second, rest = divmod(index, options.fps)
            if rest == options.fps // 2:
                mask = np.isin(instances, sounding[second] or ())
                _write_mask(mask_folder(path) / f"{index / options.fps:.3f}.png", mask)


def _write_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    coded, data = cv2.imencode(".png", np.where(mask, 255, 0).astype(np.uint8))
    assert coded
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data.tobytes())
    os.replace(partial, path)


def _draw_scene(source: Source, options: SynthesisOptions, rng: Generator) -> tuple[list[str], Scene]:
    """Things of different classes over a background, and their classes."""
    most = min(options.most_things, len(source.cutouts))
    classes = [str(name) for name in rng.choice(sorted(source.cutouts), int(rng.integers(1, most + 1)), replace=False)]
    cutouts = [read_cutout(_pick(rng, source.cutouts[name])) for name in classes]
    background = read_picture(_pick(rng, source.backgrounds), alpha=False)
    return classes, compose(rng, background, cutouts)


def _draw_sounding(rng: Generator, count: int) -> tuple[int, ...] | None:
    """Instances that sound in a second: one or two of `count`, none, or None for something off screen."""
    kind = rng.choice(["one", "two", "none", "away"], p=[0.6, 0.15, 0.12, 0.13])
    if kind == "away":
        return None
    wanted = {"one": 1, "two": 2, "none": 0}[str(kind)]
    return tuple(int(order) for order in rng.choice(range(1, count + 1), min(wanted, count), replace=False))


def _second(source: Source, classes: Sequence[str], sounding: tuple[int, ...] | None, rng: Generator) -> Sound:
    if sounding is None:
        away = [name for name in sorted(source.sounds) if name not in classes and name != NOISE]
        heard = [str(rng.choice(away))] if away else []
    else:
        heard = [classes[order - 1] for order in sounding]
    sounds = [excerpt(rng, read_sound(_pick(rng, source.sounds[name]))) for name in heard]
    noise = None
    if NOISE in source.sounds and rng.random() < 0.5:
        noise = excerpt(rng, read_sound(_pick(rng, source.sounds[NOISE])))
    return mix(rng, sounds, noise)


def _pick(rng: Generator, paths: Sequence[Path]) -> Path:
    return paths[int(rng.integers(len(paths)))]


def read_picture(path: Path, *, alpha: bool) -> Image:
    """uint8 RGB [H,W,3], or RGBA [H,W,4] as the file has it.

    Raises:
        InputError: no picture.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED if alpha else cv2.IMREAD_COLOR)
    if picture is None or picture.dtype != np.uint8:
        raise InputError(f"{path}: not an 8-bit picture; replace or remove it.")
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    order = [2, 1, 0, 3][: picture.shape[2]]
    return np.ascontiguousarray(picture[..., order], np.uint8)


def read_cutout(path: Path) -> Image:
    """uint8 RGBA [H,W,4], trimmed to what is not transparent.

    Raises:
        InputError: no picture, or nothing of it is transparent or all of it is.
    """
    picture = read_picture(path, alpha=True)
    if picture.shape[2] != 4 or bool((picture[..., 3] > 40).all()):
        raise InputError(f"{path}: has no transparent background; cut the thing out first.")
    rows, columns = np.where(picture[..., 3] > 40)
    if not len(rows):
        raise InputError(f"{path}: is transparent everywhere; replace or remove it.")
    return picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def read_sound(path: Path) -> Sound:
    """Mono at 16 kHz, its first half minute.

    Raises:
        InputError: no sound.
    """
    with AudioReader(path, SAMPLE_RATE) as reader:
        length = min(_LONGEST_SOUND, max((track.duration for track in reader.info.audio), default=0.0))
        if length <= 0:
            raise InputError(f"{path}: holds no sound; replace or remove it.")
        return np.asarray(reader.read(0.0, length), np.float32)
