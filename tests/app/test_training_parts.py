"""Parts of the training tab by themselves: curves, the form of all settings, the words of the command."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from avseg_app.theme import load_theme
from avseg_app.training import words
from avseg_app.training.compare_dialog import CompareDialog, figures
from avseg_app.training.curves import CurvesView, smoothed
from avseg_app.training.jobs import RunView, free_run_name
from avseg_app.training.mask_history import list_steps, load_frames, overlay
from avseg_app.training.recipe import FINETUNE, HOLD_OUT, LEARNING, Recipe, base_config, command_words, recipes_for
from avseg_app.training.setting_docs import explanations
from avseg_app.training.settings_form import DECIDED_ELSEWHERE, SettingsForm
from avseg_app.training.sidebar import Sidebar
from avseg_app.training.watch import WatchView
from avseg_app.widgets.swatches import OVERLAY_COLORS
from avseg_core.commands import train
from avseg_core.config import ModelConfig, TrainConfig, with_overrides
from avseg_core.models.registry import build_model
from avseg_core.presets import preset, preset_names
from avseg_core.training.events import Evaluated, Started
from avseg_core.training.optim import set_trainable
from avseg_core.training.run_store import Run, RunStatus
from avseg_core.training.survey_report import Survey
from tests.app.conftest import MODEL
from tests.avsbench_fixtures import make_folder, make_s4
from tests.segment_fixtures import small_model_config


def survey_of(root: Path, dataset: str = "folder", **changes: object) -> Survey:
    values: dict[str, object] = {
        "root": str(root),
        "dataset": dataset,
        "title": "",
        "num_classes": 1,
        "counts": {"train": 2, "val": 1},
        "masks": 9,
        "published": {},
        "findings": (),
        "totals": {},
        "others": (),
    }
    return Survey(**(values | changes))  # type: ignore[arg-type]


def configured(words: list[str]) -> TrainConfig:
    """The configuration that the command `train` makes of its options."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    args = parser.parse_args(["--out", "run", *words])
    return with_overrides(train._new_config(args), train._assignments(args))


@pytest.mark.parametrize("with_names", [True, False])
def test_head_only_is_what_draws_the_masks_and_nothing_before(with_names: bool) -> None:
    settings = ("label_prior", "label_grouping", "label_kinship", "label_detector", "label_queries", "gate")
    names = dict.fromkeys(settings, with_names)
    model = build_model(
        replace(small_model_config(), backbone="tf_efficientnet_lite2", audio_encoder="yamnet", reformer="qr", **names)
    )
    config = TrainConfig(model=model.config, freeze=LEARNING["head"].freeze)
    set_trainable(model, config, 0)
    learning = {name.partition(".")[0] for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == {"mask_feature", "mask_head", *(["gate"] if with_names else [])}
    assert {name for name, part in model.named_children() if part.training} == learning


def test_smoothing_keeps_constants_gaps_and_the_first_value() -> None:
    assert smoothed(np.array([1.0, 3.0]), 0.0).tolist() == [1.0, 3.0]
    np.testing.assert_allclose(smoothed(np.full(5, 2.0), 0.9), 2.0)
    values = smoothed(np.array([4.0, math.nan, 2.0]), 0.5)
    assert values[0] == 4.0
    assert math.isnan(values[1])
    assert values[2] == pytest.approx((0.25 * 4 + 1 * 2) / 1.25)


def test_every_setting_has_an_editor_with_its_explanation(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)
    names = {f"{p}.{f}" if p else f for p, k in _sections() for f in k.__dataclass_fields__}
    assert set(form.editors) == names - DECIDED_ELSEWHERE
    assert explanations(TrainConfig)["max_steps"] == "Stop after this many optimiser steps; 0 for no limit."
    assert explanations(ModelConfig)["label_prior"].startswith("Tell the model where things are")


@pytest.mark.parametrize("name", preset_names())
def test_the_form_says_nothing_where_nothing_was_changed(qtbot: QtBot, name: str) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)
    form.set_base(preset(name), with_model=True)
    assert form.assignments() == []
    assert form.is_valid
    assert form.config() == preset(name)


def test_what_is_typed_is_checked_and_only_changes_are_handed_on(qtbot: QtBot) -> None:
    form = SettingsForm()
    qtbot.addWidget(form)
    form.set_base(preset(FINETUNE), with_model=False)
    form.editors["learning_rate"].setText("-1")
    qtbot.waitUntil(lambda: not form.is_valid)
    assert "learning_rate must be positive" in form.problem.text()
    assert form.editors["learning_rate"].property("invalid")
    form.editors["learning_rate"].setText("3e-4")
    form.editors["epochs"].setText("two")
    qtbot.waitUntil(lambda: "epochs" in form.problem.text())
    form.editors["epochs"].setText("2")
    qtbot.waitUntil(lambda: form.is_valid)
    assert form.assignments() == ["epochs=2", "learning_rate=3e-4"]
    assert form.config().learning_rate == 3e-4
    form.filter.setText("gradient norm")
    assert form.editors["clip_norm"].isVisibleTo(form)
    assert not form.editors["epochs"].isVisibleTo(form)


def test_the_tab_shows_what_the_command_would_do(models: Path, tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 2, "val": 1}, size=32)
    survey = survey_of(root)
    config = configured(command_words(Recipe(FINETUNE, MODEL, ("epochs=3",)), survey, ["train/train_1"]))
    base = base_config(FINETUNE, MODEL, survey)
    assert config.epochs == 3
    assert config.data.exclude == ("train/train_1",)
    changed = with_overrides(base, ["epochs=3", 'data.exclude=["train/train_1"]'])
    assert config == with_overrides(changed, [f"model.clip_length={config.model.clip_length}"])


def test_published_recipes_stay_as_they_are(models: Path, tmp_path: Path) -> None:
    make_s4(tmp_path, {"train": 1, "val": 1, "test": 1}, size=32)
    survey = survey_of(tmp_path, "s4", published={"train": 3452})
    names = recipes_for(survey)
    assert names[:2] == [FINETUNE, "scratch"]
    assert set(names[2:]) == {n for n in preset_names() if "-s4-" in n}
    config = configured(command_words(Recipe("v2-s4-r50", "", ()), survey, []))
    assert config == base_config("v2-s4-r50", "", survey)


def test_clips_are_kept_apart_where_there_are_no_splits(models: Path, tmp_path: Path) -> None:
    make_folder(tmp_path, {"": 4}, size=32)
    survey = survey_of(tmp_path / "own", counts={"all": 4})
    config = configured(command_words(Recipe(FINETUNE, MODEL, ()), survey, []))
    assert config.data.hold_out == HOLD_OUT == base_config(FINETUNE, MODEL, survey).data.hold_out
    config = configured(command_words(Recipe(FINETUNE, MODEL, ("data.hold_out=0.5",)), survey, []))
    assert config.data.hold_out == 0.5


def test_pictures_of_masks_are_drawn_into_their_frames(tmp_path: Path) -> None:
    from PIL import Image

    frame = np.full((4, 6, 3), 100, np.uint8)
    mask = np.zeros((4, 6), np.uint8)
    mask[:, :3] = 255
    Image.fromarray(frame).save(tmp_path / "frame_0.png")
    Image.fromarray(mask).save(tmp_path / "truth_0.png")
    for step in (0, 12):
        Image.fromarray(mask[:, ::-1].copy()).save(tmp_path / f"step_{step:08d}_0.png")
    (tmp_path / "step_00000020_0.png.partial").write_bytes(b"half")
    assert list_steps(tmp_path) == [0, 12]
    frames = load_frames(tmp_path, 12)
    answer, truth = frames.answers[0], frames.truths[0]
    assert answer.pixelColor(0, 0).getRgb()[:3] == (100, 100, 100)
    assert answer.pixelColor(5, 0) == truth.pixelColor(0, 0)
    assert 150 < answer.pixelColor(5, 0).red() < answer.pixelColor(3, 0).red()  # the outline is not transparent
    assert answer.pixelColor(3, 0).name().upper() == OVERLAY_COLORS["orange"]
    assert overlay(frame, np.zeros((4, 6), np.float32)).pixelColor(2, 2).red() == 100


def test_clips_of_any_name_can_be_left_out() -> None:
    excluded = ("train/\N{GRINNING FACE}", 'val/"quoted"\\ \t\x7f\x01')
    words = command_words(Recipe(FINETUNE, ""), survey_of(Path("/data"), counts={"train": 2, "val": 1}), excluded)
    assert with_overrides(TrainConfig(), words[words.index("--set") + 1 :]).data.exclude == excluded


def test_names_and_figures() -> None:
    assert free_run_name("own", ["own-1", "own-3"]) == "own-2"
    scores = [{"protocol": "frame", "values": {"miou": 0.25, "fscore": 0.5}}]
    better = [{"protocol": "frame", "values": {"miou": 0.75, "fscore": 0.75}}]
    answer = {"evaluations": [{"scores": scores}, {"scores": better}]}
    assert figures(answer) == [("mIoU  (frame)", 0.25, 0.75), ("F-score  (frame)", 0.5, 0.75)]


@pytest.mark.parametrize(("before", "after", "shown"), [((), ("dog",), 0), (("dog",), (), 0), ((), (), 2)])
def test_figures_with_classes_are_not_put_beside_figures_without(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: tuple, after: tuple, shown: int
) -> None:
    monkeypatch.setattr("avseg_app.training.compare_dialog.CommandTask", mock.MagicMock())
    run = mock.MagicMock(config=replace(preset(FINETUNE), init_from="parent"))
    run.name = "child"
    dialog = CompareDialog(run)
    qtbot.addWidget(dialog)
    values = {"miou": 0.25, "fscore": 0.5}
    dialog._show(
        {
            "evaluations": [
                {"scores": [{"protocol": "frame", "values": values, "classes": list(classes)}]}
                for classes in (before, after)
            ]
        }
    )
    assert dialog.table.rowCount() == shown
    assert ("cannot be compared" in dialog.text.text()) == (not shown)


@pytest.mark.parametrize("folder", ['Bach\'s "Suite" (copy)', ".hidden", "Geige & Flöte", "", "竹笛", 255 * "a"])
def test_any_folder_gives_a_run_a_name_that_it_may_have(folder: str) -> None:
    name = free_run_name(folder, ["run-1"])
    assert re.fullmatch(r"\w[\w. -]*", name)
    assert len(name.encode()) < 250
    assert free_run_name(folder, [name]) != name


def test_a_run_that_diverged_offers_to_learn_slower(tmp_path: Path) -> None:
    reason = (
        "Training diverged at step 7: the loss is nan; the run is back at its last good checkpoint, "
        "continue with --resume --set learning_rate=1e-05."
    )
    status = RunStatus(state="failed", message=reason)
    view = RunView(Run(tmp_path), status, False, preset(FINETUNE), None, (), (), None, 0.0, None)
    assert view.diverged
    assert view.can_resume
    assert words.trouble(view).startswith(reason.rpartition(", ")[0] + ". Resume continues from there")
    assert "--set" not in words.trouble(view)


@pytest.mark.parametrize(("state", "degrees"), [("running", 61.6), ("running", None), ("finished", 61.6)])
def test_the_temperature_of_the_device_is_shown_where_it_is_known(
    qtbot: QtBot, tmp_path: Path, state: str, degrees: float | None
) -> None:
    status = RunStatus(state=state, temperature=degrees, last_sign_of_life=1.0)
    started = Started(
        resumed_step=0, total_steps=9, steps_per_epoch=3, pid=1, host="", processes=1, device="cpu",
        device_reason="", parameters=2, trained_parameters=1, train_clips=3, val_clips=1,
    )  # fmt: skip
    view = RunView(Run(tmp_path / "mine"), status, False, None, started, (), (), None, 0.0, None)
    watch, sidebar = WatchView(), Sidebar()
    for widget in (watch, sidebar):
        qtbot.addWidget(widget)
    watch.show_run(view, [])
    sidebar.show_runs([view])
    known = state == "running" and degrees is not None
    assert ("on CPU, 62 °C" in watch.facts.text()) == known
    assert ("°C" in watch.facts.text()) == known
    assert ("62 °C" in sidebar.runs.item(0).text()) == known
    watch.close_threads()


def test_curves_are_as_thick_on_a_fine_screen(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = Evaluated(step=1, epoch=0, miou=0.5, fscore=0.5, batch_size=4, seconds=1.0, improved=[])
    view = RunView(Run(tmp_path), RunStatus(), False, None, None, (event,), (), event, 0.0, None)
    widths = []
    for ratio in (1.0, 2.0):
        monkeypatch.setattr(CurvesView, "devicePixelRatioF", lambda self, ratio=ratio: ratio)
        curves = CurvesView()
        qtbot.addWidget(curves)
        curves.show_runs(view, [])
        pens = [line.opts["pen"] for line in curves.scores.plotItem.listDataItems()]
        widths.append([pen.widthF() for pen in (*pens, curves.best_line.pen)])
    assert widths[0] == [2.0, 1.6, 1.5]
    assert widths[1] == [4.0, 3.2, 3.0]


def test_the_bar_moves_until_the_number_of_steps_is_known(qtbot: QtBot, tmp_path: Path) -> None:
    watch = WatchView()
    qtbot.addWidget(watch)
    for status, most in (
        (RunStatus(state="new"), 0),
        (RunStatus(state="running", phase="preparing the rehearsal"), 0),
        (RunStatus(state="running", phase="training", step=1, total_steps=4), 1000),
        (RunStatus(state="paused", phase="paused", step=1, total_steps=4), 1000),
    ):
        watch.show_run(RunView(Run(tmp_path), status, False, None, None, (), (), None, 0.0, None), [])
        assert watch.bar.maximum() == most
    assert watch.bar.value() == 250
    watch.close_threads()


@pytest.mark.parametrize(("step", "total", "share"), [(3, 4, 0.75), (2**50, 1, 1.0), (-(2**50), 1, 0.0), (3, 0, 0.0)])
def test_progress_fits_its_bar_whatever_a_copied_run_says(tmp_path: Path, step: int, total: int, share: float) -> None:
    status = RunStatus(state="running", step=step, total_steps=total)
    assert words.share(RunView(Run(tmp_path), status, False, None, None, (), (), None, 0.0, None)) == share


def test_every_state_has_a_colour_in_both_themes() -> None:
    for name in ("light", "dark"):
        tokens = load_theme(name).tokens
        assert {"accent", "success", "warning", "error", "text-muted"} <= tokens.keys()


def _sections() -> list[tuple[str, type]]:
    from avseg_app.training.settings_form import SECTIONS

    return list(SECTIONS)
