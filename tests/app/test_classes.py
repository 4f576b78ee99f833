"""A model with the 71 classes of AVSBench-Semantic in the window: canvas, legend and export agree on the colours."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.models.checkpoints import save_model
from avseg_core.models.registry import build_model
from avseg_core.results.exporters import EXPORTERS, ExportOptions
from avseg_core.results.store import MaskStore
from tests.app.conftest import PATIENCE, SIZE, grab, is_done
from tests.segment_fixtures import small_model_config


@pytest.fixture
def window(shared_window: MainWindow) -> MainWindow:
    """One window for all tests here, as new for each."""
    return shared_window


@pytest.fixture
def classes(window: MainWindow, models: Path, clip: Path, qtbot: QtBot) -> MainWindow:
    """The window with every second segmented by a small model that knows 71 classes."""
    torch.manual_seed(5)
    model = build_model(dataclasses.replace(small_model_config(), num_classes=len(AVSS_CLASSES)))
    save_model(model, models / "classes.safetensors")
    window.settings.update(model="classes", opacity=1.0)
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window) and window.controller.result is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.controller.player.frame is not None, timeout=PATIENCE)
    return window


def test_canvas_legend_and_export_agree(classes: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    result, look = classes.controller.result, classes.workspace.inspector.look
    sounding = np.unique(result.labels[result.labels > 0])
    assert len(sounding), "a random model is of some opinion"
    counts = np.bincount(result.labels.ravel(), minlength=len(AVSS_CLASSES))
    assert look.legend.isVisible()
    assert (
        look.legend.names
        == [AVSS_CLASSES[index] for index in np.argsort(-counts[1:], kind="stable")[:6] + 1][: len(sounding)]
    )
    assert not look._colors.isVisible()
    assert not look.threshold.isEnabled()

    with MaskStore(classes.controller.document.store) as store:
        assert store.header.class_names == AVSS_CLASSES
        EXPORTERS["png"](store, tmp_path, "clip", ExportOptions())
    exported = np.asarray(Image.open(tmp_path / "clip_0.png").convert("RGB"))
    canvas = classes.workspace.canvas
    picture, rect = grab(canvas), canvas.frame_rect()
    y, x = _inside(exported)
    shown = picture[
        int(rect.y() + (y + 0.5) * rect.height() / SIZE[1]), int(rect.x() + (x + 0.5) * rect.width() / SIZE[0])
    ]
    assert shown.tolist() == exported[y, x].tolist()

    qtbot.mouseMove(canvas, QPoint(5, canvas.height() // 2))
    point = rect.topLeft() + (rect.bottomRight() - rect.topLeft()) / 2
    qtbot.mouseMove(canvas, point.toPoint())
    height, width = result.labels.shape
    label = int(result.labels[height // 2, width // 2])
    assert classes._readout.text().endswith(AVSS_CLASSES[label] if label else "%")


def _inside(picture: np.ndarray) -> tuple[int, int]:
    """Row and column of a pixel in the middle of an area of one colour."""
    height, width = picture.shape[:2]
    for y in range(12, height - 12):
        for x in range(12, width - 12):
            around = picture[y - 10 : y + 11, x - 10 : x + 11]
            if picture[y, x].any() and np.all(around == picture[y, x]):
                return y, x
    raise AssertionError("no area is large enough")


def test_a_model_without_classes_has_its_colours_back(classes: MainWindow, qtbot: QtBot) -> None:
    classes.settings.update(model="small")
    qtbot.waitUntil(lambda: is_done(classes) and classes.controller.result is not None, timeout=PATIENCE)
    look = classes.workspace.inspector.look
    qtbot.waitUntil(lambda: look._colors.isVisible(), timeout=PATIENCE)
    assert not look.legend.isVisible()
    assert look.threshold.isEnabled()
