"""Exports from the window: what they write, where they cannot, and two videos of one name."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.workspace.export_dialog import ExportChoice
from avseg_core.media.video import VideoReader
from avseg_core.results.mask import binary
from tests.app.conftest import PATIENCE, SIZE, is_done
from tests.media_fixtures import Clip, write_clip


@pytest.fixture
def window(shared_window: MainWindow) -> MainWindow:
    """One window for all tests here, as new for each."""
    return shared_window


def test_export_writes_what_is_on_screen(segmented: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window, out = segmented, tmp_path / "out"
    dialog = window.exporting.ask()
    for box in dialog.boxes.values():
        box.setChecked(True)
    dialog.folder.setText(str(out))
    dialog.export_button.click()
    assert window.exporting.strip.isVisible()
    qtbot.waitUntil(lambda: window.messages.kind == "success", timeout=PATIENCE)
    assert not window.exporting.strip.isVisible()
    assert not list(out.glob("*.partial"))
    times = json.loads((out / "clip.json").read_text(encoding="utf-8"))
    assert str(times).count("clip_") >= 4
    with VideoReader(next(out.glob("*.mp4"))) as overlay:
        assert len(overlay) == 100
        size = (overlay.info.height, overlay.info.width)
    assert size == (128, 192)
    truth = binary(window.controller.result.probability, size, window.settings.values.threshold)
    assert np.array_equal(np.asarray(Image.open(out / "clip_0.png")) > 127, truth)


def test_the_dialog_says_what_is_missing_as_long_as_it_is(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    window.open(other_clip)
    controller = window.controller
    qtbot.waitUntil(lambda: controller.document is not None and controller.document.done > 1, timeout=PATIENCE)
    controller.cancel()
    with qtbot.waitSignal(controller.client.job_ended, timeout=PATIENCE):
        pass
    dialog = window.exporting.ask()
    assert f"{controller.document.count - controller.document.done} of 40 masks" in dialog.notes.text()
    controller.resume()
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert "missing" not in dialog.notes.text()
    assert "threshold" in dialog.notes.text()


def test_export_that_cannot_write_says_so(segmented: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    dialog = segmented.exporting.ask()
    dialog.folder.setText(str(blocked))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: segmented.messages.kind == "error", timeout=PATIENCE)
    assert str(blocked) in segmented.messages.text
    assert segmented.exporting.task is None
    assert segmented.exporting.ask() is not None


def test_exports_of_two_videos_of_one_name_stay_apart(
    segmented: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    """The second gets -2, as `segment` would name it; the first, exported again, takes its own place again."""
    window, out = segmented, tmp_path / "out"
    (tmp_path / "b").mkdir()
    namesake = write_clip(tmp_path / "b" / "clip.mp4", 25, size=SIZE, clip=Clip(fps=Fraction(25)))
    choice = ExportChoice(("overlay", "png", "coco"), out)

    def export() -> set[str]:
        window.messages.dismiss()
        window.exporting.run(choice)
        qtbot.waitUntil(lambda: window.messages.kind == "success", timeout=PATIENCE)
        return {path.name for path in out.iterdir()}

    first = export()
    before = {name: (out / name).read_bytes() for name in first}
    window.open(namesake)
    qtbot.waitUntil(lambda: window.controller.document.path == namesake and is_done(window), timeout=PATIENCE)
    second = {"clip-2_overlay.mp4", "clip-2.json", "clip-2.coco.json", "clip-2_0.png"}
    assert export() == first | second
    assert {name: (out / name).read_bytes() for name in first} == before
    assert export() == first | second
    window.open(clip)
    qtbot.waitUntil(lambda: window.controller.document.path == clip and is_done(window), timeout=PATIENCE)
    assert export() == first | second


def test_a_video_that_has_gone_keeps_no_other_format_from_being_written(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    video = write_clip(tmp_path / "gone.mp4", 25, size=SIZE, clip=Clip(fps=Fraction(25)))
    window.open(video)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    video.unlink()
    window.exporting.run(ExportChoice(("overlay", "png", "coco"), tmp_path / "out"))
    qtbot.waitUntil(lambda: window.messages.kind == "error", timeout=PATIENCE)
    assert window.messages.text.startswith(f"{video}: the video of these masks is not there; put it back")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"gone.json", "gone.coco.json", "gone_0.png"}
