"""results.md and results.json of one or several evaluations, and the folder they go to with report.html."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avseg_core import __version__
from avseg_core.evaluation.page import to_html
from avseg_core.evaluation.published import CAVEAT, SOURCE, TABLE_1
from avseg_core.evaluation.report import EvaluationReport
from avseg_core.evaluation.tables import Table, tables, text_of
from avseg_core.results.writing import atomic, make_folder


def write_results(
    reports: Sequence[EvaluationReport], dataset: str, folder: Path, *, published: bool = False
) -> list[Path]:
    """Writes results.md, results.json and report.html into `folder`, each whole or not at all.

    Args:
        dataset: the registry's name of the data set that all reports share.
        published: put the rows of Table 1 beside ours, where they were measured in the same way.

    Raises:
        InputError: the folder cannot be written to.
    """
    shown = list(tables(reports, dataset, published=published))
    make_folder(folder)
    contents = {
        "results.md": to_markdown(reports, shown),
        "results.json": json.dumps(to_json(reports, dataset, published=published), indent=1) + "\n",
        "report.html": to_html(heading(reports[0]), notes(reports), shown, reports),
    }
    for name, text in contents.items():
        with atomic(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in contents]


def heading(report: EvaluationReport) -> str:
    """What was measured on, in one line."""
    return f"{report.dataset}, {report.split}: {report.clips} clips, {report.frames} annotated frames"


def notes(reports: Sequence[EvaluationReport]) -> list[str]:
    """The notes of all reports, equal ones once."""
    return list(dict.fromkeys(note for report in reports for note in report.notes))


def to_markdown(reports: Sequence[EvaluationReport], shown: Sequence[Table]) -> str:
    """The tables with their explanations. Figures are percent."""
    parts = [f"# {heading(reports[0])}", *(f"> {note}" for note in notes(reports)), "mIoU, IoU and F in percent."]
    for table in shown:
        lines = ["| " + " | ".join(_escape(text_of(cell)) for cell in row) + " |" for row in table.rows]
        rule = "|" + "---|" * len(table.header)
        parts += [f"## {table.title}", table.text, "\n".join(["| " + " | ".join(table.header) + " |", rule, *lines])]
    return "\n\n".join(parts) + f"\n\nAVSeg Studio {__version__}\n"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def to_json(reports: Sequence[EvaluationReport], dataset: str, *, published: bool) -> dict[str, Any]:
    """Plain types; figures are shares of 1, published ones percent as printed."""
    result: dict[str, Any] = {
        "version": __version__,
        "dataset": dataset,
        "evaluations": [report.to_dict() for report in reports],
    }
    if published:
        rows = [(row, row.result(dataset)) for row in TABLE_1]
        result["published"] = {
            "source": SOURCE,
            "caveat": CAVEAT,
            "rows": [
                {"method": row.method, "backbone": row.backbone, "reference": row.reference, "fscore": f, "miou": miou}
                for row, (f, miou) in ((row, pair) for row, pair in rows if pair is not None)
            ],
        }
    return result
