"""Composites and the data sets made of them: masks that fit the picture, sounds that fit the masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import wavfile

from avseg_core import cli
from avseg_core.config import DataConfig
from avseg_core.data.registry import build_dataset
from avseg_core.data.synthesis import SAMPLE_RATE, Image, compose, excerpt, mix, render
from avseg_core.data.synthesize import find_sources
from avseg_core.errors import InputError


def disk(color: tuple[int, int, int], size: int = 96) -> Image:
    """An opaque disk on a transparent ground, RGBA."""
    y, x = np.mgrid[:size, :size]
    inside = (x - size / 2) ** 2 + (y - size / 2) ** 2 < (size / 2 - 2) ** 2
    picture = np.zeros((size, size, 4), np.uint8)
    picture[inside] = (*color, 255)
    return picture


GREY = np.full((120, 200, 3), 90, np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_instances_lie_where_the_cutout_shows(seed: int) -> None:
    scene = compose(np.random.default_rng(seed), GREY, [disk((250, 20, 20))], motion=0.0)
    image, instances = render(scene, 96, 160)
    assert image.shape == (96, 160, 3)
    inside = cv2.erode((instances == 1).astype(np.uint8), np.ones((5, 5))) > 0
    redness = image[..., 0].astype(int) - image[..., 1]
    assert inside.any()
    assert redness[inside].mean() > 60
    outside = cv2.dilate((instances == 1).astype(np.uint8), np.ones((7, 7))) == 0
    assert abs(redness[outside].mean()) < 25


def test_later_cutouts_hide_earlier_ones_and_the_same_seed_gives_the_same_picture() -> None:
    first = compose(np.random.default_rng(3), GREY, [disk((250, 0, 0)), disk((0, 0, 250))])
    second = compose(np.random.default_rng(3), GREY, [disk((250, 0, 0)), disk((0, 0, 250))])
    for seconds in (0.0, 1.5):
        image, instances = render(first, 96, 160, seconds)
        again, same = render(second, 96, 160, seconds)
        assert np.array_equal(image, again)
        assert np.array_equal(instances, same)
        assert set(np.unique(instances)) == {0, 1, 2}


def test_things_move_with_time() -> None:
    scene = compose(np.random.default_rng(1), GREY, [disk((250, 0, 0))], motion=3.0)
    centers = [np.argwhere(render(scene, 96, 160, seconds)[1] == 1).mean(axis=0) for seconds in (0.0, 2.0)]
    assert np.abs(centers[0] - centers[1]).max() > 1.0


def test_mixed_sounds_are_there_and_noise_is_quieter() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 1, SAMPLE_RATE).astype(np.float32)
    mixed = mix(np.random.default_rng(2), [tone], noise)
    spectrum = np.abs(np.fft.rfft(mixed))
    assert mixed.dtype == np.float32
    assert int(spectrum.argmax()) == 440
    assert np.abs(mixed).max() <= 1.0
    assert not mix(np.random.default_rng(2), [], None).any()


def test_a_short_sound_fills_the_excerpt_or_leaves_silence() -> None:
    short = np.ones(SAMPLE_RATE // 2, np.float32)
    lengths = {int(excerpt(np.random.default_rng(seed), short).sum()) for seed in range(8)}
    assert lengths == {SAMPLE_RATE, SAMPLE_RATE // 2}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two classes with three cut-outs and sounds each: red things at 400 Hz, blue ones at 1500 Hz."""
    root = tmp_path / "source"
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for name, color, hertz in (("red", (0, 0, 250), 400), ("blue", (250, 0, 0), 1500)):
        for kind in ("cutouts", "sounds"):
            (root / kind / name).mkdir(parents=True)
        for index in range(3):
            cv2.imwrite(str(root / "cutouts" / name / f"{index}.png"), disk(color, 80 + 10 * index))
            tone = (0.5 * np.sin(2 * np.pi * (hertz + 10 * index) * time)).astype(np.float32)
            wavfile.write(root / "sounds" / name / f"{index}.wav", SAMPLE_RATE, tone)
    (root / "backgrounds").mkdir()
    cv2.imwrite(str(root / "backgrounds" / "grey.png"), GREY)
    return root


def test_whole_files_are_split(source: Path) -> None:
    sources = find_sources(source)
    assert set(sources) == {"train", "val", "test"}
    for name in ("red", "blue"):
        files = [path for split in sources.values() for path in split.cutouts[name]]
        assert len(files) == len(set(files)) == 3


def test_the_command_makes_a_set_that_the_loader_reads(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    words = ["synthesize", str(source), "--out", str(out), "--clips", "4", "--seconds", "2", "--size", "128x96"]
    assert cli.main([*words, "--json"]) == 0
    assert '"train": 3' in capsys.readouterr().out
    data = build_dataset(
        DataConfig(dataset="folder", root=str(out), image_size=(96, 128), front_end="yamnet"), "train", 1
    )
    assert len(data) == 3
    samples = [data[index] for index in range(3)]
    assert all(sample.has_label.sum() == 2 for sample in samples)
    shown = [bool(labels.any()) for sample in samples for labels in sample.labels[:2]]
    heard = [float(logmel.std()) > 0.2 for sample in samples for logmel in sample.logmel[:2]]
    assert any(shown)
    assert all(sound for mask, sound in zip(shown, heard, strict=True) if mask)
    before = sorted(out.rglob("*.mp4"))[0].stat().st_mtime_ns
    assert cli.main(words) == 0
    assert sorted(out.rglob("*.mp4"))[0].stat().st_mtime_ns == before


def test_what_is_missing_is_named_in_one_line(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"cutouts.*cannot be read"):
        find_sources(tmp_path / "nowhere")
    (source / "backgrounds" / "grey.png").unlink()
    assert cli.main(["synthesize", str(source), "--out", str(tmp_path / "out")]) == 2
    assert "backgrounds" in capsys.readouterr().err
    assert cli.main(["synthesize", str(source), "--out", str(tmp_path / "out"), "--size", "wide"]) == 2
