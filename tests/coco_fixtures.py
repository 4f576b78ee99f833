"""COCO and YouTube-VIS annotations of the clips of `avsbench_fixtures.make_folder(..., classes=True)`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from tests.avsbench_fixtures import THINGS

SIZE = 64
TIMES = (0.5, 1.5, 2.5)
CATEGORIES = [{"id": 10 * (k + 1), "name": thing.name} for k, thing in enumerate(THINGS)]


def encoded(mask: np.ndarray) -> dict[str, object]:
    packed = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": packed["size"], "counts": packed["counts"].decode()}


def masks_of(clip: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(clip.with_suffix(".masks").glob("*.png"))]


def youtube_vis(own: Path) -> dict[str, object]:
    """Every fifth frame of each clip is listed; those at 0.5, 1.5 and 2.5 s show one thing, the others nothing."""
    videos, annotations = [], []
    for number, clip in enumerate(sorted(own.glob("train/*.mp4")), 1):
        names = [f"{clip.stem}/{frame:05d}.jpg" for frame in range(0, 30, 5)]
        videos.append({"id": number, "width": SIZE, "height": SIZE, "length": 6, "file_names": names})
        for time, mask in zip(TIMES, masks_of(clip), strict=True):
            value = int(mask.max())
            shapes: list[object] = [None] * 6
            shapes[round(time * 2)] = encoded(mask == value)
            annotations.append(
                {"id": len(annotations) + 1, "video_id": number, "category_id": 10 * value, "segmentations": shapes}
            )
    return {"videos": videos, "annotations": annotations, "categories": CATEGORIES}


def coco(own: Path) -> dict[str, object]:
    """As `segment --export coco` writes it: pictures with their times."""
    images, annotations = [], []
    for clip in sorted(own.glob("train/*.mp4")):
        for number, (time, mask) in enumerate(zip(TIMES, masks_of(clip), strict=True)):
            image = {"id": len(images) + 1, "file_name": f"{clip.stem}_{number}.png", "time": time}
            images.append({**image, "width": SIZE, "height": SIZE})
            value = int(mask.max())
            annotations.append(
                {
                    "id": len(images),
                    "image_id": len(images),
                    "category_id": 10 * value,
                    "segmentation": encoded(mask == value),
                    "area": int((mask == value).sum()),
                    "bbox": [0, 0, 1, 1],
                    "iscrowd": 0,
                }
            )
    return {"images": images, "annotations": annotations, "categories": CATEGORIES}


def placed(folder: Path, own: Path, name: str, data: dict[str, object]) -> Path:
    """A download: the annotations and the videos."""
    shutil.copytree(own / "train", folder / "videos", ignore=shutil.ignore_patterns("*.masks"))
    (folder / name).write_text(json.dumps(data))
    return folder
