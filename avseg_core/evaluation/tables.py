"""The tables of a result page, independent of the format; every table holds one protocol and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from avseg_core.evaluation.published import CAVEAT, CLIPS_PER_BATCH, IMAGE_SIZE, SOURCE, SPLIT, TABLE_1
from avseg_core.evaluation.report import EvaluationReport
from avseg_core.metrics import Scores

Cell = str | float | int
"""A float is a share of 1 and printed in percent; a string or an integer is printed as it is."""
_EXPLAINED = {
    "avsbench": "As the AVSBench and AVSegFormer scripts count. ",
    "frame": "Plain means over the annotated frames. ",
    "dataset": "Pixels of all annotated frames counted together; usually far higher than a mean over frames. ",
}
_BINARY = {
    "avsbench": "F is taken at the best threshold of each batch, so it depends on the batch size.",
    "frame": "F at 0.5, and at the one threshold that is best for all frames together.",
    "dataset": "Threshold 0.5.",
}
_SEMANTIC = {
    "avsbench": "Mean over all classes with background; padded frames count as background that is right.",
    "frame": "Mean over the classes that occur; no padded frames.",
    "dataset": "Mean over the classes that occur; no padded frames.",
}
_GROUPS = {True: " (models with classes)", False: " (models without classes)"}
_TITLES = {
    "miou": "mIoU",
    "fscore": "F",
    "best_fscore": "F, best threshold",
    "best_threshold": "best threshold",
    "object_miou": "mIoU, frames with a sounding object",
    "left_empty": "silent frames: share left empty",
    "precision": "precision",
    "recall": "recall",
    "miou_without_background": "mIoU without background",
    "fscore_without_background": "F without background",
}


@dataclass(frozen=True)
class Table:
    """Rows of equal length under a header."""

    title: str
    text: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(reports: Sequence[EvaluationReport], dataset: str, *, published: bool) -> Iterator[Table]:
    """One table per protocol (and batch size) with a row per model, then the per-class tables.

    All reports are of the same data set (`dataset` is its name in the registry), split and protocols. Models with
    classes and models without are counted differently, so each kind has tables of its own.
    """
    open_published = published and any(row.result(dataset) for row in TABLE_1)
    with_classes = [bool(report.scores[0].classes) for report in reports]
    for kind in dict.fromkeys(with_classes):
        alike = [report for report, has in zip(reports, with_classes, strict=True) if has == kind]
        group = "" if len(alike) == len(reports) else _GROUPS[kind]
        for number, scores in enumerate(alike[0].scores):
            beside = open_published and _comparable(alike[0], scores, dataset)
            open_published = open_published and not beside
            yield _protocol_table(alike, number, dataset if beside else "", group)
    if open_published:
        rows = tuple(_published_rows(dataset, []))
        yield Table("avsbench, published only", f"{SOURCE}. {CAVEAT}", ("Model", "px", "mIoU", "F", "Source"), rows)
    for report in reports:
        for scores in report.scores:
            if scores.classes:
                yield _class_table(report, scores)


def _comparable(report: EvaluationReport, scores: Scores, dataset: str) -> bool:
    """Whether published rows may stand in the same columns: same split, protocol, batch size and kind of mask."""
    measured_alike = scores.protocol == "avsbench" and scores.clips_per_batch in (None, CLIPS_PER_BATCH)
    return report.split == SPLIT and measured_alike and bool(scores.classes) == (dataset == "avss")


def _protocol_table(reports: Sequence[EvaluationReport], number: int, published: str, group: str) -> Table:
    first = reports[0].scores[number]
    keys = [key for key in first.values if key in _TITLES]
    batch = "" if first.clips_per_batch is None else f" (batches of {first.clips_per_batch} clips)"
    header = ["Model", "px", *(_TITLES[key] + (batch if key == "fscore" else "") for key in keys)]
    rows: list[tuple[Cell, ...]] = []
    text = _EXPLAINED[first.protocol] + (_SEMANTIC if first.classes else _BINARY)[first.protocol]
    if published:
        header.append("Source")
        rows += _published_rows(published, keys)
        text = f"{text} Published: {SOURCE}. {CAVEAT}"
    for report in reports:
        values = report.scores[number].values
        cells = [_cell(key, values[key]) for key in keys]
        rows.append((report.model, _pixels(report), *cells, *(["this evaluation"] if published else [])))
    return Table(first.title + group, text, tuple(header), tuple(rows))


def _published_rows(dataset: str, keys: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """Rows of Table 1 that have a result; a dash where it has none of our columns."""
    for row in TABLE_1:
        result = row.result(dataset)
        if result is not None:
            known = {"fscore": f"{result[0]:.1f}", "miou": f"{result[1]:.2f}"}
            cells = [known.get(key, "–") for key in keys or ("miou", "fscore")]
            yield (f"{row.method} ({row.backbone})", f"{IMAGE_SIZE}x{IMAGE_SIZE}", *cells, row.reference)


def _class_table(report: EvaluationReport, scores: Scores) -> Table:
    rows = tuple((row.name, row.iou, row.fscore, row.frames) for row in scores.classes)
    text = "A class that is neither true nor predicted anywhere has 0 frames."
    return Table(f"{report.model}: classes, {scores.title}", text, ("Class", "IoU", "F", "Frames"), rows)


def _pixels(report: EvaluationReport) -> str:
    return f"{report.image_size[1]}x{report.image_size[0]}"


def _cell(key: str, value: float) -> Cell:
    return f"{value:.3f}" if key == "best_threshold" else value


def text_of(cell: Cell) -> str:
    """A cell as it is printed."""
    return f"{100 * cell:.2f}" if isinstance(cell, float) else str(cell)
