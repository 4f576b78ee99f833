"""report.html: one file without anything from elsewhere, with the worst and the best frames as pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.evaluation.report import EvaluationReport, Example
from avseg_core.evaluation.tables import Table, text_of
from avseg_core.results.palette import voc_palette

_SOUNDING = np.array([[0, 0, 0], [255, 140, 0]], np.uint8)
"""Colours of masks of one kind: background, sounding."""
_OPACITY = 0.6
_LONG_SIDE = 224
"""Pixels of a picture on the page."""
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } p { max-width: 48rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { background: var(--soft); }
td { font-variant-numeric: tabular-nums; } tr.ours td { font-weight: 600; }
.note { border-left: 4px solid #e0902a; padding: .3rem .8rem; background: var(--soft); }
.examples { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
figure { margin: 0; } .shots { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3px; }
.shots img { width: 100%; height: auto; display: block; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
"""


def to_html(heading: str, notes: Sequence[str], shown: Sequence[Table], reports: Sequence[EvaluationReport]) -> str:
    """The whole page. All text is escaped; clip names come from files of others."""
    title = html.escape(heading)
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
        *(f'<p class="note">{html.escape(note)}</p>' for note in notes),
        "<p>mIoU, IoU and F in percent. Each table is one protocol; figures of different tables do not compare.</p>",
    ]
    names = {report.model for report in reports}
    parts += [_table(table, names) for table in shown]
    for report in reports:
        parts += _examples(f"{report.model}: worst frames", report.worst, report)
        parts += _examples(f"{report.model}: best frames with a sounding object", report.best, report)
    return "\n".join([*parts, "</body></html>\n"])


def _table(table: Table, ours: set[str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header)
    rows = "\n".join(
        f"<tr{' class=ours' if row[0] in ours else ''}>"
        + "".join(f"<td>{html.escape(text_of(cell))}</td>" for cell in row)
        + "</tr>"
        for row in table.rows
    )
    return (
        f"<h2>{html.escape(table.title)}</h2><p>{html.escape(table.text)}</p>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
    )


def _examples(title: str, examples: Sequence[Example], report: EvaluationReport) -> list[str]:
    if not examples:
        return []
    colours = voc_palette(256) if report.scores[0].classes else _SOUNDING
    text = "Picture, truth and prediction."
    figures = [_figure(example, colours) for example in examples]
    return [f"<h2>{html.escape(title)}</h2><p>{text}</p>", '<div class="examples">', *figures, "</div>"]


def _figure(example: Example, colours: NDArray[np.uint8]) -> str:
    shots = {
        "picture": example.image,
        "truth": overlay(example.image, example.truth, colours),
        "prediction": overlay(example.image, example.prediction, colours),
    }
    images = "".join(f'<img src="{_data_url(image)}" alt="{name}">' for name, image in shots.items())
    caption = html.escape(f"{example.clip_id}, frame {example.frame}: IoU {100 * example.iou:.1f}")
    return f'<figure><div class="shots">{images}</div><figcaption>{caption}</figcaption></figure>'


def overlay(image: NDArray[np.uint8], labels: NDArray[np.uint8], colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """image [H,W,3] with every class but 0 tinted in its colour and outlined in white; labels [H,W]."""
    tinted = image.astype(np.float32) * (1 - _OPACITY) + colours[labels].astype(np.float32) * _OPACITY
    shown = np.where(labels[..., None] > 0, np.rint(tinted), image).astype(np.uint8)
    shown[cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0] = 255
    return shown


def _data_url(image: NDArray[np.uint8]) -> str:
    scale = min(1.0, _LONG_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
