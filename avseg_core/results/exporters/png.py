"""One PNG mask per window, and a JSON file with the time of each."""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.progress import CancelCheck, ProgressCallback
from avseg_core.results.exporters.base import (
    EXPORTERS,
    ExportOptions,
    describe_run,
    each_result,
    pixel_labels,
    write_json,
)
from avseg_core.results.palette import voc_palette
from avseg_core.results.store import MaskStore
from avseg_core.results.writing import atomic


@EXPORTERS.register("png")
def export_png(
    store: MaskStore,
    out_dir: Path,
    stem: str,
    options: ExportOptions,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> list[Path]:
    """`<stem>_<index>.png` in the video's size: 0/255, or class indices with the VOC palette; `<stem>.json`.

    Nothing of an earlier export is touched before all masks are made; then the JSON file comes last, and the masks that
    the earlier one lists and this one does not are removed.
    """
    index_path = out_dir / f"{stem}.json"
    stale = _listed_masks(index_path, stem)
    written: list[Path] = []

    def entries() -> Iterator[dict[str, Any]]:
        for result in each_result(store, "png", progress, cancel):
            labels = pixel_labels(result, store.header, options.threshold)
            colours = None if result.labels is None else voc_palette(256)
            path = out_dir / f"{stem}_{result.window.index}.png"
            written.append(path)
            _partial(path).write_bytes(encode_png(255 * labels if colours is None else labels, colours))
            yield {
                "index": result.window.index,
                "file": path.name,
                "time": result.window.frame_time,
                "frame_time": result.frame_time,
                "start": result.window.start,
                "stop": result.window.stop,
                "area": float(np.count_nonzero(labels) / labels.size),
                "loudness_dbfs": result.loudness,
                "tags": [list(tag) for tag in result.tags],
            }

    try:
        with atomic(index_path) as temporary:
            with temporary.open("w", encoding="utf-8") as file:
                write_json(file, describe_run(store.header, options), {"masks": entries()})
            index_path.unlink(missing_ok=True)  # it must at no time tell of other masks than those that are there
            for path in written:
                os.replace(_partial(path), path)
    finally:
        for path in written:
            _partial(path).unlink(missing_ok=True)
    for path in stale - set(written):
        path.unlink(missing_ok=True)
    return [*written, index_path]


def _partial(path: Path) -> Path:
    """Where a mask waits for the others."""
    return path.with_name(path.name + ".partial")


def _listed_masks(index_path: Path, stem: str) -> set[Path]:
    """The masks of an earlier export to the same place, as its JSON file lists them."""
    try:
        names = [str(item["file"]) for item in json.loads(index_path.read_text(encoding="utf-8"))["masks"]]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return set()
    pattern = re.compile(re.escape(stem) + r"_\d+\.png")
    return {index_path.with_name(name) for name in names if pattern.fullmatch(name)}


def encode_png(pixels: NDArray[np.uint8], colours: NDArray[np.uint8] | None = None) -> bytes:
    """An 8-bit PNG of pixels [H,W]: grey levels, or indices into colours [256,3]."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, 0 = none
    rows[:, 1:] = pixels
    kind = 0 if colours is None else 3
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    if colours is not None:
        chunks.append((b"PLTE", colours.tobytes()))
    chunks += [(b"IDAT", zlib.compress(rows.data, 3)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
