"""Views of the training tab by themselves: recipe, variations, divider, insight, runs from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QTextBrowser
from pytestqt.qtbot import QtBot

from avseg_app.training import jobs as jobs_module
from avseg_app.training import library_page, wipe_dialog
from avseg_app.training.added_runs import add_runs, forget_run, read_added
from avseg_app.training.augment_strip import vary
from avseg_app.training.insight import InsightView, class_names, mixer_matrix
from avseg_app.training.jobs import LAUNCH_FILE, Jobs, RunView
from avseg_app.training.library_page import LibraryPage
from avseg_app.training.recipe import LEARNING, learning_of
from avseg_app.training.recipe_page import RecipePage
from avseg_app.training.wipe import Wipe
from avseg_app.training.wipe_dialog import WipeDialog, load_moments, moments_of
from avseg_core.config import DataConfig, TrainConfig, preset, save_toml
from avseg_core.errors import InputError
from avseg_core.training.events import Evaluated, Finished, to_line
from avseg_core.training.library import Speed, keep_runtimes, keep_speed, read_card
from avseg_core.training.run_store import Run, RunStatus
from avseg_core.training.survey_report import Preview, Survey
from tests.app.conftest import MODEL, PATIENCE
from tests.avsbench_fixtures import make_folder

COLORS = ("red", "blue")


class FakeTask(QObject):
    """Stands in for a process; the test answers for it."""

    done = Signal(dict)
    failed = Signal(str)

    def __init__(self, words: list[str], parent: QObject) -> None:
        super().__init__(parent)
        self.words = words


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


def filled(color: str) -> QImage:
    image = QImage(100, 50, QImage.Format.Format_RGB888)
    image.fill(QColor(color))
    return image


def test_the_divider_follows_the_mouse_and_the_keys(qtbot: QtBot) -> None:
    wipe = Wipe("old", "new")
    qtbot.addWidget(wipe)
    wipe.resize(400, 200)
    wipe.show_pair(*map(filled, COLORS))
    wipe.show()
    qtbot.mousePress(wipe, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert wipe.share == pytest.approx(0.25)
    picture = wipe.grab().toImage()
    ratio = picture.width() / wipe.width()
    seen = [QColor(picture.pixel(round(x * ratio), round(180 * ratio))).name() for x in (50, 150, 390)]
    assert seen == [QColor("red").name(), QColor("blue").name(), QColor("blue").name()]
    qtbot.keyClick(wipe, Qt.Key.Key_Right)
    assert wipe.share == pytest.approx(0.3)
    qtbot.keyClick(wipe, Qt.Key.Key_End)
    qtbot.keyClick(wipe, Qt.Key.Key_Right)
    assert wipe.share == 1.0


def write_masks(folder: Path, sounds: bool, time: float) -> None:
    """One mask of train_0.mp4 as `segment --export png` writes it: everything or nothing sounds."""
    folder.mkdir(parents=True)
    Image.fromarray(np.full((64, 64), 255 * sounds, np.uint8)).save(folder / "train_0_0.png")
    listed = {"masks": [{"index": 0, "file": "train_0_0.png", "time": time, "frame_time": time}]}
    (folder / "train_0.json").write_text(json.dumps(listed))


def test_moments_show_the_masks_of_both_models(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, size=64)
    video = root / "train" / "train_0.mp4"
    for name in ("before", "after"):
        write_masks(tmp_path / name, name == "after", 1.5)
    (moment,) = load_moments(video, tmp_path / "before", tmp_path / "after")
    assert moment.time == 1.5
    assert moment.before.pixelColor(32, 32) != moment.after.pixelColor(32, 32)
    assert moments_of(3.4) == [0.567, 1.7, 2.833]
    assert len(moments_of(500.0)) == 12
    assert moments_of(0.4) == [0.2]
    (tmp_path / "after" / "train_0.json").write_text("{}")
    with pytest.raises(InputError, match="holds no masks of train_0"):
        load_moments(video, tmp_path / "before", tmp_path / "after")


def test_one_model_looks_after_the_other(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    class Segment(FakeTask):
        """Answers at once, with masks as the command writes them."""

        def __init__(self, words: list[str], parent: QObject) -> None:
            super().__init__(words, parent)
            asked.append(words)
            write_masks(Path(words[words.index("--out") + 1]), len(asked) == 2, 1.5)
            QTimer.singleShot(0, self, lambda: self.done.emit({}))

        def stop(self) -> None:
            pass

    monkeypatch.setattr(wipe_dialog, "CommandTask", Segment)
    run = Run(finished_run(tmp_path / "mine"))
    dialog = WipeDialog(view_of(run, preset("finetune")))
    qtbot.addWidget(dialog)
    dialog.open()
    video = make_folder(tmp_path, {"train": 1}, size=64) / "train" / "train_0.mp4"
    dialog.compare(video)
    qtbot.waitUntil(lambda: bool(dialog.moments))
    folders = [Path(dialog._folder.name) / name for name in ("before", "after")]
    times = ["--export", "png", "--at", "0.5", "1.5", "2.5"]
    assert asked == [
        ["segment", str(video), "--model", model, "--out", str(folder), *times]
        for model, folder in zip((preset("finetune").init_from, str(run.exported_model)), folders, strict=True)
    ]
    assert dialog.moments[0].before != dialog.moments[0].after
    assert dialog.caption.text() == "1.5 s"
    dialog.reject()
    assert not folders[0].exists()


def test_both_models_look_at_a_video(
    qtbot: QtBot, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVSEG_MODELS", str(models))
    run = Run(finished_run(tmp_path / "mine"))
    shutil.copyfile(models / f"{MODEL}.safetensors", run.exported_model)
    dialog = WipeDialog(view_of(run, replace(preset("finetune"), init_from=MODEL)))
    qtbot.addWidget(dialog)
    dialog.open()
    video = make_folder(tmp_path, {"train": 1}, size=64) / "train" / "train_0.mp4"
    dialog.compare(video)
    qtbot.waitUntil(lambda: bool(dialog.moments), timeout=PATIENCE)
    assert [moment.time for moment in dialog.moments] == [0.5, 1.5, 2.5]
    assert dialog.wipe.names == (MODEL, "mine")
    assert all(moment.before == moment.after for moment in dialog.moments)  # the same weights
    folder = Path(dialog._folder.name)
    dialog.reject()
    assert not folder.exists()


def evaluated(number: int, **changes: object) -> Evaluated:
    values = {"step": number, "epoch": number, "miou": 0.1 * number, "fscore": 0.5, "batch_size": 4, "seconds": 1.0}
    return Evaluated(**values, improved=[], **changes)  # type: ignore[arg-type]


def view_of(run: Run, config: TrainConfig, *evaluations: Evaluated) -> RunView:
    return RunView(run, RunStatus(state="finished"), False, config, None, evaluations, (), None, 0.0, None)


def test_mixer_weights_are_ordered_by_the_last_evaluation() -> None:
    events = [evaluated(0, mixer_weights=[0.1, 0.9, 0.5]), evaluated(1, mixer_weights=[0.8, 0.2, 0.4])]
    np.testing.assert_allclose(mixer_matrix(events), [[0.9, 0.5, 0.1], [0.2, 0.4, 0.8]])
    assert mixer_matrix([*events, evaluated(2)]).size == 0
    assert mixer_matrix([]).size == 0


def test_insight_follows_the_evaluations(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").write_text('classes = ["guitar", "dog"]\n')
    data = DataConfig(dataset="folder", root=str(tmp_path))
    assert class_names(data) == ("background", "guitar", "dog")
    assert class_names(DataConfig(dataset="avss"))[0] == "background"
    view = InsightView()
    qtbot.addWidget(view)
    config = replace(preset("finetune"), data=data)
    run = Run(tmp_path / "run")
    view.show_run(view_of(run, config))
    view.show()
    assert view.empty.isVisible()
    first = evaluated(1, mixer_weights=[0.2, 0.4], confusion_classes=[0, 2], confusion=[[1.0, 0.0], [0.7, 0.3]])
    view.show_run(view_of(run, config, first))
    assert view.mixer.isVisible()
    assert view.confusion.isVisible()
    qtbot.waitUntil(lambda: "dog taken for background, 70 %" in view.hint.text())
    second = evaluated(2, mixer_weights=[0.6, 0.4], confusion_classes=[0, 2], confusion=[[0.9, 0.1], [0.0, 1.0]])
    view.show_run(view_of(run, config, first, second))
    assert view.slider.value() == 1
    assert "background taken for dog, 10 %" in view.hint.text()
    assert "mean 0.500" in view.hint.text()
    view.slider.setValue(0)
    assert view.caption.text().startswith("after epoch 2 (mIoU 0.100)")
    assert "dog taken for background" in view.hint.text()
    view.close_threads()


def finished_run(folder: Path) -> Path:
    """A run folder as it is copied back from another machine."""
    run = Run(folder)
    run.create()
    save_toml(preset("finetune"), run.config_file)
    end = Finished(outcome="done", step=9, best={"miou": 0.5}, model="model.safetensors")
    run.events_file.write_text(to_line(evaluated(9)) + to_line(end))
    return folder


def test_the_library_knows_the_speed_and_shows_the_card(
    qtbot: QtBot, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVSEG_MODELS", str(tmp_path))
    page = LibraryPage()
    qtbot.addWidget(page)
    page.show()
    page.refresh("", "avsegformer-lite")
    qtbot.waitUntil(lambda: page.card is not None)

    def lines() -> dict[str, str]:
        return dict(page._lines(page.card))

    assert lines()["Speed here"] == "not measured yet"
    keep_speed(page.card, Speed(milliseconds=125.0, device="cpu", threads=2))
    assert lines()["Speed here"] == "125 ms per frame, 8.0 frames per second (cpu, 2 threads)"
    assert "Runs on" not in lines()
    keep_runtimes(page.card, {"torch": 150.0, "onnx": 120.0})
    assert lines()["Runs on"] == "onnxruntime (120 ms per frame on onnxruntime, 150 on PyTorch)"
    keep_runtimes(page.card, {"torch": 110.0, "onnx": 120.0})
    assert lines()["Runs on"].startswith("PyTorch (")
    assert lines()["Speed here"].startswith("125 ms")
    assert page.story_button.isVisible()
    dialog = page.show_story(page.card)
    assert "avsegformer-lite" in dialog.findChild(QTextBrowser).toPlainText().lower()
    dialog.close()
    page.close_threads()


def test_a_model_is_saved_as_onnx_by_the_command(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_page, "CommandTask", FakeTask)
    page = LibraryPage()
    qtbot.addWidget(page)
    said: list[tuple[str, str]] = []
    page.said.connect(lambda kind, text: said.append((kind, text)))
    card = read_card("avsegformer-lite")
    page.save_copy(card, tmp_path / "lite.onnx")
    task = page.findChild(FakeTask)
    assert task.words == ["export-model", "avsegformer-lite", "--out", str(tmp_path / "lite.onnx")]
    task.done.emit({"difference": 2e-6})
    task.failed.emit("ONNX needs the package onnx")
    assert [kind for kind, _ in said] == ["info", "success", "error"]
    assert said[1][1].endswith("differ from PyTorch's by at most 2.0e-06.")
    page.save_copy(card, tmp_path / "lite.safetensors")
    qtbot.waitUntil((tmp_path / "lite.safetensors").is_file)
    page.close_threads()


def test_the_faster_runtime_is_found_by_the_command(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_page, "CommandTask", FakeTask)
    page = LibraryPage()
    qtbot.addWidget(page)
    said: list[str] = []
    page.said.connect(lambda kind, text: said.append(text))
    page.compare_runtimes(read_card("avsegformer-lite"))
    task = page.findChild(FakeTask)
    assert task.words == ["bench", "--runtimes", "--model", "avsegformer-lite"]
    assert not page.runtime_button.isEnabled()
    task.failed.emit("ONNX needs the package onnxruntime")
    assert said == ["The speed could not be measured: ONNX needs the package onnxruntime"]
    page.close_threads()


def test_runs_from_elsewhere_are_remembered_and_forgotten(tmp_path: Path) -> None:
    runs, away = tmp_path / "runs", tmp_path / "usb"
    folders = [finished_run(away / name) for name in ("one", "two")]
    assert add_runs(runs, folders[0]) == folders[:1]
    assert add_runs(runs, away) == folders
    assert read_added(runs) == folders
    forget_run(runs, folders[0])
    assert read_added(runs) == folders[1:]
    assert folders[0].is_dir()
    with pytest.raises(InputError, match="holds no run"):
        add_runs(runs, tmp_path / "nothing")
    local = finished_run(runs / "local")
    add_runs(runs, local)
    assert read_added(runs) == folders[1:]
    away.rename(tmp_path / "unplugged")
    assert read_added(runs) == []
    add_runs(runs, finished_run(tmp_path / "third"))
    (tmp_path / "unplugged").rename(away)
    assert read_added(runs) == [*folders[1:], tmp_path / "third"]


def test_a_run_from_elsewhere_is_shown_like_a_local_one(qtbot: QtBot, tmp_path: Path) -> None:
    finished_run(tmp_path / "runs" / "local")
    away = finished_run(tmp_path / "usb" / "cluster")
    jobs = Jobs(tmp_path / "runs")
    jobs.watch(away)
    with qtbot.waitSignal(jobs.added) as added:
        jobs.add(tmp_path / "usb")
    assert added.args == [away]
    qtbot.waitUntil(lambda: {view.name for view in jobs.views} == {"local", "cluster"})
    view = next(view for view in jobs.views if view.name == "cluster")
    assert (view.status.state, view.status.message, view.best.step) == ("finished", "done", 9)
    assert jobs.is_added(view)
    jobs.delete(view)
    qtbot.waitUntil(lambda: [view.name for view in jobs.views] == ["local"])
    assert away.is_dir()
    with qtbot.waitSignal(jobs.failed) as failed:
        jobs.add(tmp_path / "runs" / "local" / "checkpoints")
    assert "holds no run" in failed.args[0]
    jobs.close()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started."""
    commands: list[list[str]] = []

    def start(words: list[str], log: Path) -> subprocess.Popen[bytes]:
        commands.append(words)
        return subprocess.Popen([sys.executable, "-c", "pass"])

    monkeypatch.setattr(jobs_module, "start_detached", start)
    return commands


def launch_file(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LAUNCH_FILE).write_text(json.dumps({"words": [], "time": time.time(), "queued": False, **values}))


def test_a_folder_from_elsewhere_starts_nothing_and_chooses_no_options(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    away = finished_run(tmp_path / "usb" / "cluster")
    Run(away).events_file.write_text(to_line(Finished(outcome="cancelled", step=9, best={}, model="")))
    launch_file(away, words=["--out", str(tmp_path / "mine")], queued=True, time="soon")
    jobs = Jobs(tmp_path / "runs")
    jobs.add(away)
    qtbot.waitUntil(lambda: [view.name for view in jobs.views] == ["cluster"])
    with qtbot.waitSignal(jobs.changed):
        jobs.refresh()
    view = jobs.views[0]
    assert (launched, view.queued, view.status.message) == ([], False, "cancelled")
    jobs.resume(view)
    qtbot.waitUntil(lambda: len(launched) == 1)
    assert launched == [["train", "--out", str(away), "--config", str(away / "config.toml"), "--resume"]]
    jobs.close()


def test_a_process_with_the_number_of_one_that_died_before_its_first_word_is_not_waited_for(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    launch_file(tmp_path / "runs" / "old", pid=os.getpid(), time=time.time() - 3600)
    launch_file(tmp_path / "runs" / "unborn")
    launch_file(tmp_path / "runs" / "fresh", pid=os.getpid())
    jobs = Jobs(tmp_path / "runs")
    qtbot.waitUntil(lambda: len(jobs.views) == 3)
    states = {view.name: view.status.state for view in jobs.views}
    assert states == {"old": "failed", "unborn": "failed", "fresh": "new"}
    jobs.close()


def test_a_run_whose_turn_has_come_is_cancelled_and_not_deleted(
    qtbot: QtBot, tmp_path: Path, launched: list[list[str]]
) -> None:
    folder = tmp_path / "runs" / "next"
    launch_file(tmp_path / "runs" / "first", pid=os.getpid())
    launch_file(folder, queued=True)
    jobs = Jobs(tmp_path / "runs")
    qtbot.waitUntil(lambda: len(jobs.views) == 2)
    view = next(view for view in jobs.views if view.name == "next")
    assert view.queued
    launch_file(folder, pid=os.getpid())
    jobs.request(view, "cancel")
    qtbot.waitUntil(lambda: (folder / "control.json").is_file())
    launch_file(folder, queued=True)
    jobs.request(view, "cancel")
    qtbot.waitUntil(lambda: not folder.exists())
    jobs.close()
