"""A video that is still being written, as a download or a recording of the screen is, while it is opened."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.workers.protocol import JobStarted
from avseg_app.workspace.document import Document
from avseg_core.media import probe
from avseg_core.media.windows import regular_windows
from avseg_core.results.result import WindowResult
from tests.app.conftest import PATIENCE, SIZE, is_done
from tests.media_fixtures import Clip, write_clip


def write(path: Path, seconds: int) -> Path:
    return write_clip(path, 5 * seconds, size=SIZE, clip=Clip(fps=Fraction(5)))


def test_masks_of_a_video_that_has_grown_reach_to_its_end(
    shared_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    controller = shared_window.controller
    path, later = write(tmp_path / "screen.mkv", 2), write(tmp_path / "later.mkv", 5)
    counts: list[int] = []

    def grow() -> None:
        """Between the window's look at the file and the inference process' own."""
        if controller.document is not None:
            counts.append(controller.document.count)
            if later.exists():
                os.replace(later, path)

    controller.document_changed.connect(grow)
    try:
        shared_window.open(path)
        qtbot.waitUntil(lambda: is_done(shared_window), timeout=PATIENCE)
    finally:
        controller.document_changed.disconnect(grow)
    assert counts == [2, 5]
    assert controller.player.duration == pytest.approx(5.0, abs=0.3)
    assert not np.isnan(controller.document.area).any()


def test_a_video_that_grows_and_grows_is_not_begun_again_and_again(
    shared_window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = shared_window.controller
    shared_window.open(write(tmp_path / "screen.mkv", 2))
    qtbot.waitUntil(lambda: is_done(shared_window), timeout=PATIENCE)
    looked: list[Document] = []
    monkeypatch.setattr(controller, "_look_again", looked.append)
    for planned in (3, 4, 5, 2, 3):
        controller.client.job_started.emit(JobStarted(0, planned, tuple(range(planned)), (), ()))
        assert controller.document.job.planned == controller.document.count == 2
    assert looked == [controller.document] * 2  # at 3, and once more after it was as it had been


def test_what_lies_past_the_end_is_left_out(tmp_path: Path) -> None:
    document = Document(probe(write(tmp_path / "clip.mkv", 2)), "small", 1.0, tmp_path / "clip.avseg")
    for window in regular_windows(3.0):
        document.add(WindowResult(window, window.frame_time, np.full((4, 4), 255, np.uint8)), 0.5)
    assert document.area.tolist() == [1.0, 1.0]
    document.keep_only((0, 2, 7))
    assert document.area.tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
