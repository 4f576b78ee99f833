"""The first thing that anyone does: the default model on the demo clip, from the command line, read back by others."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

import resources
from avseg_core import cli
from avseg_core.media import AudioReader, VideoReader

DEMO = Path(resources.__file__).parent / "demo" / "demo.mp4"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    words = ["segment", str(DEMO), "--out", str(out), "--export", "png", "overlay", "coco", "--device", "cpu", "--json"]
    assert cli.main(words) == 0
    return out


def test_the_masks_follow_the_sound(out: Path) -> None:
    truth = json.loads(DEMO.with_suffix(".json").read_text())
    masks = json.loads((out / "demo.json").read_text())["masks"]
    assert [mask["time"] for mask in masks] == [second + 0.5 for second in range(10)]
    for mask, sounding, boxes in zip(masks, truth["sounding"], truth["boxes"], strict=True):
        pixels = np.asarray(Image.open(out / mask["file"])) > 0
        height, width = pixels.shape
        covered = {
            name: pixels[int(top * height) : int(bottom * height), int(left * width) : int(right * width)].mean()
            for name, (left, top, right, bottom) in boxes.items()
        }
        if sounding is None:
            assert pixels.mean() < 0.01
        else:
            silent = next(name for name in covered if name != sounding)
            assert covered[sounding] > 0.4
            assert covered[sounding] > 1.15 * covered[silent], (mask["time"], covered)


def test_the_overlay_is_the_clip_with_its_sound(out: Path) -> None:
    with VideoReader(DEMO) as before, VideoReader(out / "demo_overlay.mp4") as after:
        assert len(after) == len(before) == 250
        assert after.info.fps == before.info.fps == 25
        assert np.abs(after.times - before.times).max() < 1e-4
    with AudioReader(DEMO) as before, AudioReader(out / "demo_overlay.mp4") as after:
        assert np.array_equal(after.read(0.0, 10.0), before.read(0.0, 10.0))


def test_annotations_are_the_masks(out: Path) -> None:
    coco = json.loads((out / "demo.coco.json").read_text())
    assert len(coco["images"]) == 10
    for annotation in coco["annotations"]:
        pixels = np.asarray(Image.open(out / f"demo_{annotation['image_id'] - 1}.png")) > 0
        assert np.array_equal(rle.decode(annotation["segmentation"]) > 0, pixels)
