"""The recipe page: the slider, what learns, the run as commands, variations of the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from avseg_app.training.augment_strip import vary
from avseg_app.training.recipe import LEARNING, learning_of
from avseg_app.training.recipe_page import RecipePage
from avseg_core.config import TrainConfig
from avseg_core.presets import preset
from avseg_core.training.survey_report import Preview, Survey
from tests.app.conftest import MODEL


def preview_of(shape: tuple[int, int] = (30, 40)) -> Preview:
    mask = np.zeros(shape, np.uint8)
    mask[10:20, 5:15] = 1
    return Preview("train/a", np.full((*shape, 3), 120, np.uint8), mask, (80, 60), "a.mp4", 0.0, 1.0)


def survey_of(root: Path) -> Survey:
    return Survey(str(root), "folder", "", 1, {"train": 2, "val": 1}, 9, {}, (), {}, (), (preview_of(),))


@pytest.fixture
def recipe(qtbot: QtBot, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipePage:
    monkeypatch.setenv("AVSEG_MODELS", str(models))
    page = RecipePage(tmp_path / "runs")
    qtbot.addWidget(page)
    page.prefer_parent(MODEL)
    page.set_data(survey_of(tmp_path), (), "mine")
    yield page
    page.close_process()
    page.close_threads()


def test_the_slider_sets_what_learns_and_for_how_long(recipe: RecipePage) -> None:
    usual = preset("finetune")
    assert recipe.quality_name.text() == "Balanced"
    assert recipe.form.assignments() == []
    recipe.quality.set_real(3)
    assert recipe.learning.currentData() == "all"
    assert set(recipe.form.assignments()) == {f"epochs={2 * usual.epochs}", "freeze=[]"}
    recipe.quality.set_real(0)
    assert recipe.learning.currentData() == "head"
    config = recipe.form.config()
    assert (learning_of(config), config.epochs) == ("head", round(usual.epochs / 4))
    recipe.quality.set_real(1)
    assert set(recipe.form.assignments()) == {f"epochs={usual.epochs // 2}", "tuning=lora"}
    recipe.epochs.setValue(usual.epochs + 1)
    assert recipe.quality_name.text() == "Own choice"
    recipe.quality.set_real(2)
    assert recipe.form.assignments() == []


def test_every_choice_of_what_learns_is_recognised() -> None:
    for name, item in LEARNING.items():
        config = replace(TrainConfig(), freeze=item.freeze[::-1], tuning=item.tuning)  # type: ignore[arg-type]
        assert learning_of(config) == name
    assert learning_of(replace(TrainConfig(), freeze=("mixer",))) is None


def test_the_run_is_shown_as_commands(recipe: RecipePage) -> None:
    recipe.epochs.setValue(7)
    dialog = recipe.show_command()
    lines = dialog.text.toPlainText().splitlines()
    assert lines[1].startswith("avseg train --out mine --preset finetune --data ")
    assert lines[1].endswith("--set epochs=7")
    dialog.cards.setValue(8)
    assert "torchrun --nproc-per-node 8 main.py train --out mine" in dialog.text.toPlainText()
    dialog.close()


def test_variations_are_shown_while_augmentation_is_on(qtbot: QtBot, recipe: RecipePage) -> None:
    recipe.show()
    qtbot.waitUntil(lambda: not recipe.variations.pictures[5].image.isNull())
    assert recipe.variations.isVisible()
    first = recipe.variations.pictures[1].image.copy()
    qtbot.mouseClick(recipe.variations.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: recipe.variations.pictures[1].image != first)
    recipe.augment.setChecked(False)
    assert not recipe.variations.isVisible()


def test_variations_are_those_of_training() -> None:
    preview = preview_of()
    images = vary(preview, seed=4)
    assert len(images) == 6
    assert images[0].size() == images[1].size()
    assert vary(preview, seed=4) == images
    assert vary(preview, seed=5)[1:] != images[1:]
    assert images[0].pixelColor(30, 5).getRgb()[:3] == (120, 120, 120)
