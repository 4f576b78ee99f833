"""COCO annotations: run-length encoded masks in one JSON file that pycocotools reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from avseg_core.progress import CancelCheck, ProgressCallback
from avseg_core.results.exporters.base import (
    EXPORTERS,
    ExportOptions,
    describe_run,
    each_result,
    pixel_labels,
    write_json,
)
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore
from avseg_core.results.writing import atomic


@EXPORTERS.register("coco")
def export_coco(
    store: MaskStore,
    out_dir: Path,
    stem: str,
    options: ExportOptions,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> list[Path]:
    """`<stem>.coco.json`: an image per window (`file_name` as the png exporter's, with its times), an annotation per
    window and sounding class, and the classes as categories.
    """
    path = out_dir / f"{stem}.coco.json"
    lists = {
        "annotations": _annotations(store, options, progress, cancel),
        "images": _images(store, stem),  # last, so that a store that still grows lists every annotated window
        "categories": iter(_categories(store.header)),
    }
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        write_json(file, {"info": describe_run(store.header, options)}, lists)
    return [path]


def _categories(header: RunHeader) -> list[dict[str, Any]]:
    names = header.class_names[1:] or ("sounding object",)
    return [{"id": number, "name": name, "supercategory": "sound source"} for number, name in enumerate(names, 1)]


def _images(store: MaskStore, stem: str) -> Iterator[dict[str, Any]]:
    """One image per window; ids begin at 1, as some readers take 0 for "none"."""
    for summary in store.summaries():
        yield {
            "id": summary.index + 1,
            "file_name": f"{stem}_{summary.index}.png",
            "width": store.header.width,
            "height": store.header.height,
            "time": summary.frame_time,
            "start": summary.start,
            "stop": summary.stop,
        }


def _annotations(
    store: MaskStore, options: ExportOptions, progress: ProgressCallback | None, cancel: CancelCheck | None
) -> Iterator[dict[str, Any]]:
    number = 0
    for result in each_result(store, "coco", progress, cancel):
        for annotation in _of_window(result, store.header, options.threshold):
            number += 1
            yield {"id": number, "image_id": result.window.index + 1, **annotation}


def _of_window(result: WindowResult, header: RunHeader, threshold: float) -> Iterator[dict[str, Any]]:
    """One annotation per class that sounds."""
    labels = pixel_labels(result, header, threshold)
    for category in np.unique(labels[labels > 0]).tolist():
        encoded = rle.encode(np.asfortranarray(labels == category))
        yield {
            "category_id": category,
            "segmentation": {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")},
            "area": int(rle.area(encoded)),
            "bbox": rle.toBbox(encoded).tolist(),
            "iscrowd": 0,
            "time": result.window.frame_time,
        }
