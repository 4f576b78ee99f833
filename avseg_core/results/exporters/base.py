"""What all exporters share: the registry, the options, and masks in the video's own pixels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.registry import Registry
from avseg_core.results.mask import binary, upscale_labels
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore


@dataclass(frozen=True)
class ExportOptions:
    """How masks are cut out and drawn."""

    threshold: float = 0.5
    """A pixel sounds if its probability is above this; models with classes take the most probable class instead."""
    color: tuple[int, int, int] = (255, 64, 96)
    """RGB of the overlay; models with classes use the palette instead."""
    opacity: float = 0.5
    """Of the overlay's filling, 0..1; its outline is always opaque."""
    video: Path | None = None
    """Where the video is now, if not where it was segmented."""


class Exporter(Protocol):
    """Writes the results in `store` as files in `out_dir` whose names begin with `stem`, and returns their paths.

    Every file takes its name only once it is whole. Raises InputError (the place is not writable, the video is gone),
    AVSegError (full disk) or Cancelled.
    """

    def __call__(
        self,
        store: MaskStore,
        out_dir: Path,
        stem: str,
        options: ExportOptions,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
    ) -> list[Path]: ...


EXPORTERS: Registry[Exporter] = Registry("export format")


def pixel_labels(result: WindowResult, header: RunHeader, threshold: float) -> NDArray[np.uint8]:
    """Labels in the video's own pixels, [H,W] with 0 = silent: the class, or 1 where a model without classes hears."""
    if result.labels is not None:
        return upscale_labels(result.labels, header.height, header.width)
    return binary(result.probability, (header.height, header.width), threshold).view(np.uint8)


def each_result(
    store: MaskStore, phase: str, progress: ProgressCallback | None, cancel: CancelCheck | None
) -> Iterator[WindowResult]:
    """All results by index, reporting progress and stopping on request."""
    total = len(store)
    for done, result in enumerate(store.iterate()):
        check(cancel)
        yield result
        if progress is not None:
            progress(Progress(phase, done + 1, total))


def write_json(file: TextIO, head: dict[str, Any], lists: Mapping[str, Iterable[dict[str, Any]]]) -> None:
    """Writes one object: the items of `head`, then each of `lists`, an item a line and one in memory at a time."""
    file.write("{")
    for number, (key, value) in enumerate(head.items()):
        file.write(f"{',' if number else ''}\n{json.dumps(key)}: {json.dumps(value)}")
    for number, (key, items) in enumerate(lists.items()):
        file.write(f"{',' if number or head else ''}\n{json.dumps(key)}: [")
        for position, item in enumerate(items):
            file.write(("," if position else "") + "\n" + json.dumps(item))
        file.write("\n]")
    file.write("\n}\n")


def describe_run(header: RunHeader, options: ExportOptions) -> dict[str, Any]:
    """What every JSON file says about its run."""
    return {
        "video": header.video,
        "video_id": header.video_id,
        "width": header.width,
        "height": header.height,
        "fps": str(header.fps),
        "duration": header.duration,
        "model": header.model,
        "model_sha256": header.model_hash,
        "settings": header.settings,
        "threshold": None if header.class_names else options.threshold,
        "classes": list(header.class_names),
        "notes": list(header.notes),
    }
