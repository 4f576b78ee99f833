"""The data page in the real window: annotations and plain videos are imported, splits edited, clips heard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidgetItem
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.training import preview_grid
from avseg_app.training.data_page import DataPage
from avseg_core.data.folder_table import read_moves
from tests.app.conftest import PATIENCE
from tests.avsbench_fixtures import THINGS, make_folder
from tests.core.test_data_import import SIZE, coco


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("own"), {"train": 2}, size=SIZE, classes=True)


@pytest.fixture
def page(shared_window: MainWindow) -> DataPage:
    """The first step of a new training."""
    shared_window.modes.set_mode("training")
    shared_window.training.show_new()
    return shared_window.training.new.data


def surveyed(qtbot: QtBot, page: DataPage) -> None:
    qtbot.waitUntil(lambda: page.survey is not None, timeout=PATIENCE)


def test_annotations_are_offered_and_become_a_data_set(qtbot: QtBot, page: DataPage, own: Path, tmp_path: Path) -> None:
    labels, videos = tmp_path / "labels", tmp_path / "videos"
    labels.mkdir()
    (labels / "all.json").write_text(json.dumps(coco(own)))
    shutil.copytree(own / "train", videos, ignore=shutil.ignore_patterns("*.masks"))
    page.scan(labels)
    offer = page.offer
    qtbot.waitUntil(lambda: offer.isVisible(), timeout=PATIENCE)
    assert "COCO" in offer.headline.text()
    assert "2 clips with 6 annotated pictures" in offer.about.text()
    assert "neither a video train_0.mp4 nor its pictures" in offer.missing.text()
    assert not offer.start.isEnabled()
    offer.media_chosen.emit(videos)
    qtbot.waitUntil(offer.start.isEnabled, timeout=PATIENCE)
    assert not offer.missing.isVisible()
    assert offer.chosen == tuple(thing.name for thing in THINGS)
    offer.categories.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert offer.chosen == tuple(thing.name for thing in THINGS[1:])
    offer.classes.setChecked(True)
    offer.out.setText(str(tmp_path / "set"))
    qtbot.mouseClick(offer.start, Qt.MouseButton.LeftButton)
    surveyed(qtbot, page)
    assert page.report.isVisible()
    assert (page.survey.counts, page.survey.masks, page.survey.num_classes) == ({"all": 2}, 6, 3)
    assert page.can_go_on


def test_videos_without_masks_get_pictures_to_annotate(qtbot: QtBot, page: DataPage, own: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    shutil.copytree(own / "train", clips, ignore=shutil.ignore_patterns("*.masks"))
    page.scan(clips)
    qtbot.waitUntil(page.offer.isVisible, timeout=PATIENCE)
    assert "2 videos without masks" in page.offer.headline.text()
    assert page.offer.out.text() == str(clips)
    assert not page.offer.categories.isVisible()
    page.offer.rate.setValue(2.0)
    qtbot.mouseClick(page.offer.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.refusal.isVisible, timeout=PATIENCE)
    assert page.refusal_text.text().startswith("12 pictures are written below")
    assert page.refusal.property("kind") == "success"
    frames = sorted((clips / "train_0.frames").iterdir())
    assert len(frames) == 6
    shutil.copytree(own / "train" / "train_0.masks", clips / "train_0.masks")
    page.scan(clips)
    surveyed(qtbot, page)
    assert page.survey.counts == {"all": 1}
    assert page.report.pictures_button.isVisible()
    qtbot.mouseClick(page.report.pictures_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.offer.isVisible, timeout=PATIENCE)
    assert "1 videos without masks" in page.offer.headline.text()


def test_a_clip_changes_its_split_and_back(qtbot: QtBot, page: DataPage, own: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(own, root)
    page.scan(root)
    surveyed(qtbot, page)
    assert not page.can_go_on  # nothing to measure with
    editor = page.report.edit_splits()
    assert editor.table.rowCount() == 2
    assert editor.split("train/train_1") == "train"
    choice = editor.table.cellWidget(1, 3)
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    qtbot.waitUntil(lambda: read_moves(root) == {"train/train_1": "val"}, timeout=PATIENCE)
    assert editor.counts.text().startswith("1 training   ·   1 validation")
    editor.undo.undo()
    qtbot.waitUntil(lambda: read_moves(root) == {}, timeout=PATIENCE)
    assert choice.currentIndex() == 0
    editor.undo.redo()
    qtbot.waitUntil(lambda: read_moves(root) == {"train/train_1": "val"}, timeout=PATIENCE)
    editor.reject()
    qtbot.waitUntil(lambda: page.survey is not None and page.survey.counts == {"train": 1, "val": 1}, timeout=PATIENCE)
    assert page.can_go_on
    assert 'classes = ["guitar"' in (root / "dataset.toml").read_text()
    assert "Heard, by clips:" in page.report.heard.text()


def test_clips_that_the_editor_does_not_list_keep_their_split(
    qtbot: QtBot, page: DataPage, own: Path, tmp_path: Path
) -> None:
    """A video whose masks are still to be drawn is no clip yet; that it is for the test is said already."""
    root = tmp_path / "set"
    shutil.copytree(own, root)
    shutil.copy(root / "train" / "train_0.mp4", root / "train" / "later.mp4")
    table = root / "dataset.toml"
    before = table.read_text() + '\n[splits]\n"train/later" = "test"   # locked away\n'
    table.write_text(before)
    page.scan(root)
    surveyed(qtbot, page)
    editor = page.report.edit_splits()
    assert editor.table.rowCount() == 2
    editor.choose("train/train_1", "val")
    moved = {"train/later": "test", "train/train_1": "val"}
    qtbot.waitUntil(lambda: read_moves(root) == moved, timeout=PATIENCE)
    editor.undo.undo()
    qtbot.waitUntil(lambda: table.read_text() == before, timeout=PATIENCE)
    table.write_text("splits = {}\n")
    editor.choose("train/train_1", "val")
    qtbot.waitUntil(editor.problem.isVisible, timeout=PATIENCE)
    assert "write a section [splits]" in editor.problem.text()
    editor.reject()


class Recorder:
    """Stands in for the sound card."""

    asked: list[tuple[object, ...]]

    def __init__(self, parent: object) -> None:
        Recorder.asked = []
        self.unavailable = self
        self.connect = lambda slot: None

    def load(self, path: Path, until: float) -> None:
        Recorder.asked.append(("load", path.name, until))

    def play(self, start: float, speed: float) -> None:
        Recorder.asked.append(("play", start, speed))

    def pause(self) -> None:
        Recorder.asked.append(("pause",))

    def close(self) -> None:
        Recorder.asked.append(("close",))


def test_a_click_lets_a_clip_be_heard(qtbot: QtBot, page: DataPage, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_grid, "SoundOutput", Recorder)
    page.scan(own)
    surveyed(qtbot, page)
    grid = page.report.previews
    first: QListWidgetItem = grid.item(0)
    place = grid.visualItemRect(first).center()
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert grid.playing == "train/train_0"
    assert Recorder.asked == [("load", "train_0.mp4", 3.0), ("play", 0.0, 1.0)]
    grid.setCurrentRow(0)
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert grid.playing == ""
    assert Recorder.asked[-1] == ("pause",)
    assert first.text().startswith("train/train_0\n")
