"""Views of the training tab by themselves: divider, moments of two models, insight."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from avseg_app.training import wipe_dialog
from avseg_app.training.insight import InsightView, class_names, mixer_matrix
from avseg_app.training.wipe import Wipe
from avseg_app.training.wipe_dialog import WipeDialog, load_moments, moments_of
from avseg_core.config import DataConfig
from avseg_core.errors import InputError
from avseg_core.presets import preset
from avseg_core.training.run_store import Run
from tests.app.conftest import MODEL, PATIENCE
from tests.app.made_up_runs import FakeTask, evaluated, finished_run, view_of
from tests.avsbench_fixtures import make_folder
from tests.segment_fixtures import write_video

COLORS = ("red", "blue")


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
    folders = [Path(dialog._folder.name) / "1" / name for name in ("before", "after")]
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
    (tmp_path / "longer").mkdir()
    namesake = write_video(tmp_path / "longer" / video.name, ("low",) * 5, size=(64, 64))
    dialog.compare(namesake)
    qtbot.waitUntil(lambda: len(dialog.moments) == 5, timeout=PATIENCE)
    folder = Path(dialog._folder.name)
    dialog.reject()
    assert not folder.exists()


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
