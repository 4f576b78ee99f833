"""What an evaluation writes: a table for each protocol, published rows only beside their equals, a page of pictures."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from avseg_core.data.registry import build_dataset
from avseg_core.evaluation import evaluate_model
from avseg_core.evaluation.published import TABLE_1
from avseg_core.evaluation.writing import write_results
from tests.core.knowing_model import KnowsTheThings, config_for, measured


def read_results(folder: Path) -> tuple[str, dict[str, Any], str]:
    return (
        (folder / "results.md").read_text(),
        json.loads((folder / "results.json").read_text()),
        (folder / "report.html").read_text(),
    )


def markdown_tables(text: str) -> dict[str, list[list[str]]]:
    """Heading -> rows of cells, the header first."""
    found = {}
    for part in text.split("\n## ")[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        found[part.splitlines()[0]] = [line.strip("| ").split(" | ") for line in lines if not line.startswith("|---")]
    return found


def test_written_tables_hold_one_protocol_each(avsbench: Path, tmp_path: Path) -> None:
    reports = [
        measured(avsbench, "ms3"),
        replace(measured(avsbench, "ms3", model=KnowsTheThings(spoil=4)), model="worse"),
    ]
    write_results(reports, "ms3", tmp_path, published=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "results.json", "results.md"]
    text, data, _ = read_results(tmp_path)
    tables = markdown_tables(text)
    assert list(tables) == ["avsbench, batches of 4", "avsbench, batches of 2", "frame", "dataset"]
    assert tables["avsbench, batches of 4"][0] == ["Model", "px", "mIoU", "F (batches of 4 clips)", "Source"]
    assert tables["avsbench, batches of 2"][0] == ["Model", "px", "mIoU", "F (batches of 2 clips)"]
    published = [row for row in tables["avsbench, batches of 4"] if row[-1] not in ("Source", "this evaluation")]
    assert len(published) == 10  # AOT has no result on MS3
    assert ["AVSegFormer-PVTv2 (PVTv2)", "224x224", "58.36", "69.3", "AVSegFormer paper"] in published
    assert [row[0] for row in tables["frame"][1:]] == ["knows", "worse"]
    for number, title in enumerate(tables):
        ours = [row for row in tables[title][1:] if row[0] in ("knows", "worse")]
        for row, evaluation in zip(ours, data["evaluations"], strict=True):
            assert row[1] == "64x64"
            assert row[2] == f"{100 * evaluation['scores'][number]['values']['miou']:.2f}"
    assert data["published"]["rows"][0] == {
        "method": "LVS",
        "backbone": "ResNet-50",
        "reference": "CVPR 2021",
        "fscore": 33.0,
        "miou": 29.45,
    }
    assert "5 clips instead of the published 64" in text


def test_models_with_and_without_classes_have_tables_of_their_own(avsbench: Path, tmp_path: Path) -> None:
    dataset = build_dataset(config_for(avsbench, "avss"), "test", 1)
    binary = evaluate_model(KnowsTheThings(), dataset, name="binary", batch_sizes=[4])
    for reports in ([binary, measured(avsbench, "avss")], [measured(avsbench, "avss"), binary]):
        write_results(reports, "avss", tmp_path, published=True)
        text, data, _ = read_results(tmp_path)
        tables = markdown_tables(text)
        assert [row[0] for row in tables["frame (models without classes)"]] == ["Model", "binary"]
        assert "F, best threshold" in tables["frame (models without classes)"][0]
        assert [row[0] for row in tables["frame (models with classes)"]] == ["Model", "knows"]
        assert "mIoU without background" in tables["frame (models with classes)"][0]
        assert tables["avsbench (models with classes)"][0][-1] == "Source"
        assert "Source" not in tables["avsbench, batches of 4 (models without classes)"][0]
        assert len(data["evaluations"]) == 2


def test_published_rows_never_stand_beside_another_batch_size(avsbench: Path, tmp_path: Path) -> None:
    report = measured(avsbench, "s4", batch_sizes=[2], protocols=["avsbench"])
    write_results([report], "s4", tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert list(tables) == ["avsbench, batches of 2", "avsbench, published only"]
    assert len(tables["avsbench, batches of 2"]) == 2
    assert len(tables["avsbench, published only"]) == 11


@pytest.mark.parametrize(("name", "split"), [("avss", "test"), ("s4", "train")])
def test_published_rows_never_stand_beside_other_masks_or_another_split(
    name: str, split: str, avsbench: Path, tmp_path: Path
) -> None:
    dataset = build_dataset(config_for(avsbench, name), split, 1)
    report = evaluate_model(KnowsTheThings(), dataset, name="knows", batch_sizes=[4], protocols=["avsbench"])
    write_results([report], name, tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert list(tables) == ["avsbench, batches of 4", "avsbench, published only"]
    assert [row[0] for row in tables["avsbench, batches of 4"]] == ["Model", "knows"]


def test_avss_has_a_table_of_classes_and_five_published_rows(avsbench: Path, tmp_path: Path) -> None:
    write_results([measured(avsbench, "avss")], "avss", tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert tables["avsbench"][0] == [
        "Model",
        "px",
        "mIoU",
        "F",
        "mIoU without background",
        "F without background",
        "Source",
    ]
    assert [row[0] for row in tables["avsbench"][1:-1]] == [
        "3DC (ResNet-34)",
        "AOT (Swin-B)",
        "AVSBench-R50 (ResNet-50)",
        "AVSegFormer-R50 (ResNet-50)",
        "AVSBench-PVTv2 (PVTv2)",
        "AVSegFormer-PVTv2 (PVTv2)",
    ]
    classes = tables["knows: classes, avsbench"]
    assert len(classes) == 72
    assert {row[0] for row in classes[1:] if row[3] != "0"} == {"background", "dog", "guitar", "helicopter"}


def test_table_1_is_complete() -> None:
    assert len(TABLE_1) == 11
    pairs = [pair for row in TABLE_1 for pair in (row.s4, row.ms3, row.avss) if pair]
    assert len(pairs) == 26
    assert sum(pair[0] for pair in pairs) == pytest.approx(1516.1)
    assert sum(pair[1] for pair in pairs) == pytest.approx(1235.44)


def test_the_page_stands_alone_and_shows_pictures(avsbench: Path, tmp_path: Path) -> None:
    report = measured(avsbench, "s4", model=KnowsTheThings(spoil=4), examples=2)
    hostile = replace(report, worst=(replace(report.worst[0], clip_id="<script>alert(1)</script>"), report.worst[1]))
    write_results([hostile], "s4", tmp_path)
    page = read_results(tmp_path)[2]
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="(picture|truth|prediction)"', page)
    assert [name for _, name in pictures] == ["picture", "truth", "prediction"] * 4
    images = [cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), 1) for code, _ in pictures]
    assert all(image.shape == (64, 64, 3) for image in images)
    for plain, *masks in zip(images[::3], images[1::3], images[2::3], strict=True):
        for mask in masks:  # tinted orange where something is marked (OpenCV's order is blue, green, red)
            changed = np.abs(mask.astype(int) - plain).sum(-1) > 60
            assert 0.01 < changed.mean() < 0.3
            assert mask[changed][:, 2].mean() > mask[changed][:, 0].mean() + 20
            assert (mask[changed].min(-1) > 200).any()  # the white outline
