"""The live page with its real process: pictures, masks, sound, recording, presentation, trouble and its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from avseg_app.live.page import LivePage
from avseg_app.main_window import MainWindow
from avseg_app.workers.live_protocol import ShownToOthers
from avseg_core.inference.live_recording import masks_of
from avseg_core.results.store import MaskStore
from tests.app.conftest import is_done, open_window

WAIT_MS = 90_000


@pytest.fixture
def window(shared_window: MainWindow) -> Iterator[MainWindow]:
    """One window for all tests here; the live page and its process are new for each."""
    yield shared_window
    page = shared_window.live_page
    shared_window.leave_live()
    if page is not None:
        page.shut_down()
        shared_window.pages.removeWidget(page)
        shared_window.live_page = None
        page.deleteLater()


@pytest.fixture
def live(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> LivePage:
    """The window on its live page, the devices listed, the test source chosen."""
    return _enter(window, qtbot, tmp_path)


def _enter(window: MainWindow, qtbot: QtBot, folder: Path) -> LivePage:
    window.settings.update(live_source="test", live_sound="source", live_record_dir=str(folder / "recorded"))
    window.show_live()
    page = window.live_page
    assert page is not None
    qtbot.waitUntil(page.bar.start_button.isEnabled, timeout=WAIT_MS)
    return page


def _until(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=WAIT_MS)


def _start(page: LivePage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.bar.start_button, Qt.MouseButton.LeftButton)
    _until(qtbot, lambda: page.shown_frames > 3 and len(page.history.moments) > 2)


def test_what_sounds_is_seen_frozen_saved_mirrored_and_presented(
    live: LivePage, window: MainWindow, qtbot: QtBot
) -> None:
    assert not live.client.running
    assert live.bar.source_choice.currentText() == "Test picture"
    assert not live.bar.record_button.isEnabled()
    _start(live, qtbot)
    assert "Test picture" in live.panel.camera.text
    assert live._last is not None
    assert live._last.pixels.shape == (480, 640, 4)
    _until(qtbot, lambda: live._last is not None and live._last.mask is not None)
    _until(qtbot, lambda: live.spectrogram._values.max() > 100)
    live.save_snapshot()
    live.save_snapshot()
    saved = list(live.saving.folder.glob("*.png"))
    assert len(saved) == 2, "two in one second, and none is lost"
    image = QImage(str(saved[0]))
    assert (image.width(), image.height()) == (640, 480)
    live.bar.freeze_button.setChecked(True)
    count = live.shown_frames
    qtbot.wait(300)
    assert live.shown_frames == count
    live.bar.freeze_button.setChecked(False)
    _until(qtbot, lambda: live.shown_frames > count)
    live.panel.pairing.mirror_box.setChecked(True)

    def red_is_right() -> bool:
        assert live._last is not None
        red = live._last.pixels[..., 2].astype(int) - live._last.pixels[..., 0] > 80
        return bool(red[:, 320:].sum() > red[:, :320].sum())

    _until(qtbot, red_is_right)
    live.present()
    assert live.presentation is not None
    presented = live.presentation
    _until(qtbot, lambda: presented.canvas._frame is not None and presented.isActiveWindow())
    assert presented.isFullScreen()
    qtbot.keyClick(presented, Qt.Key.Key_Escape)
    _until(qtbot, lambda: live.presentation is None)
    live._take_source("http://127.0.0.1:9/")
    # The camera does not come; the sound goes on.
    live.bar.select_sound("test")
    live.bar.sound_chosen.emit("test")
    _until(qtbot, lambda: "cannot be reached" in live.panel.camera.text)
    assert "not available" in live.panel.camera.text
    assert live._last is None, "nothing of the camera before is shown"
    assert live.canvas._frame is None
    _until(qtbot, lambda: "Test tone" in live.panel.microphone.text)
    _until(qtbot, lambda: live.spectrogram._values.max() > 100)
    live.bar.leave_button.click()
    _until(qtbot, lambda: window.pages.currentWidget() is window.start_page)
    assert not live.client.running


def _record(live: LivePage, window: MainWindow, qtbot: QtBot) -> Path:
    """Records some masks of the test source and opens the recording by the button of the message."""
    _start(live, qtbot)
    live.bar.record_button.click()
    _until(qtbot, lambda: live.saving.recording is not None)
    path, count = live.saving.recording, len(live.history.moments)
    assert path is not None
    _until(qtbot, lambda: len(live.history.moments) > count + 8)
    with qtbot.waitSignal(live.client.recording_done, timeout=WAIT_MS):
        live.bar.record_button.click()
    assert "Recorded" in window.messages.text
    window.messages._button.click()
    _until(qtbot, lambda: window.controller.document is not None)
    return path


def _shown_index(window: MainWindow, qtbot: QtBot, time: float) -> int:
    """The index in the store of the mask that the canvas shows at `time`."""
    window.controller.player.seek(time)
    document = window.controller.document
    assert document is not None
    _until(qtbot, lambda: document.is_known(document.place_at(time)) and window.controller.result is not None)
    result = window.controller.result
    assert result is not None
    assert window.workspace.canvas._probability is result.probability
    return result.window.index


def test_a_recording_opens_with_the_masks_that_were_recorded(live: LivePage, window: MainWindow, qtbot: QtBot) -> None:
    path = _record(live, window, qtbot)
    computed: list[object] = []
    window.controller.client.windows_done.connect(computed.append)
    document = window.controller.document
    assert document is not None
    assert document.path == path
    assert window.pages.currentWidget() is window.workspace
    assert not live.client.running
    bar = window.workspace.job_bar
    store = masks_of(path)
    assert store is not None
    with MaskStore(store) as masks:
        recorded = {index: masks.get(index) for index in masks.indices()}
    moments = sorted((result.frame_time, index) for index, result in recorded.items() if result is not None)
    assert bar.text.startswith(f"Recorded live: {len(moments)} masks")
    for time, index in (moments[1], moments[-2], moments[len(moments) // 2]):
        assert _shown_index(window, qtbot, time) == index
        shown, kept = window.controller.result, recorded[index]
        assert shown is not None
        assert kept is not None
        assert np.array_equal(shown.probability, kept.probability)
    _until(qtbot, lambda: not np.isnan(document.area).any())
    assert document.area[document.place_of(moments[0][1])] == pytest.approx(
        np.mean(recorded[moments[0][1]].probability > 255 * window.settings.values.threshold), abs=1e-4
    )
    _until(qtbot, lambda: len(document.peaks) > 0)
    # Not the largest: where the machine lost a moment of sound, the cut rings.
    assert np.percentile(document.peaks, 95) == pytest.approx(0.25, abs=0.02), "the test tone"
    assert window.actions_by_name["export"].isEnabled()
    assert not computed, "nothing was segmented"
    # Segmented anew and back, by the keyboard too.
    bar.switch_button.setFocus()
    qtbot.keyClick(bar.switch_button, Qt.Key.Key_Space)
    _until(qtbot, lambda: window.controller.document is not document and is_done(window))
    assert bar.text.startswith("Segmented: ")
    assert computed
    assert "recorded" in bar.switch_button.text()
    qtbot.mouseClick(bar.switch_button, Qt.MouseButton.LeftButton)
    assert bar.text.startswith("Recorded live")
    assert _shown_index(window, qtbot, moments[1][0]) == moments[1][1]


def test_a_dead_process_is_replaced(live: LivePage, window: MainWindow, qtbot: QtBot) -> None:
    _start(live, qtbot)
    first, shown = live.client.pid, live.shown_frames
    assert first is not None
    with qtbot.waitSignal(live.client.restarted, timeout=WAIT_MS):
        os.kill(first, signal.SIGKILL)
    assert "started again" in window.messages.text
    _until(qtbot, lambda: live.shown_frames > shown + 5)
    assert live.client.pid != first


def test_closing_the_window_finishes_the_recording(
    qtbot: QtBot, qapp: QApplication, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    window = open_window(qapp, tmp_path)
    live = _enter(window, qtbot, tmp_path)
    _start(live, qtbot)
    live.bar.record_button.click()
    _until(qtbot, lambda: live.saving.recording is not None)
    path, count = live.saving.recording, len(live.history.moments)
    assert path is not None
    _until(qtbot, lambda: len(live.history.moments) > count + 5)
    window.close()
    window.deleteLater()
    store = masks_of(path)
    assert store is not None
    with MaskStore(store) as masks:
        assert masks.header.duration > 0


STAND_IN = """
import os, types
PixelFormat = types.SimpleNamespace(RGB="RGB")
class Camera:
    device = "Stand-in 7"
    def __init__(self, width, height, fps, fmt):
        self.pixels = width * height * 3
    def send(self, frame):
        assert frame.nbytes == self.pixels
        with open(os.environ["STAND_IN_PICTURES"], "ab") as file:
            file.write(b".")
    def close(self):
        with open(os.environ["STAND_IN_PICTURES"], "ab") as file:
            file.write(b"X")
"""


def test_the_virtual_camera_is_a_switch(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "pyvirtualcam.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path / "library")
    pictures = tmp_path / "pictures"
    monkeypatch.setenv("STAND_IN_PICTURES", str(pictures))
    live = _enter(window, qtbot, tmp_path)
    box = live.panel.recording.virtual_box
    box.setChecked(True)
    live.start()
    _until(qtbot, lambda: "as the camera Stand-in 7" in window.messages.text)
    _until(qtbot, lambda: pictures.is_file() and pictures.stat().st_size > 5)
    box.setChecked(False)
    _until(qtbot, lambda: pictures.read_bytes().endswith(b"X"))
    box.setChecked(True)
    _until(qtbot, lambda: pictures.read_bytes().endswith(b"."))
    live.client.shown_to_others.emit(ShownToOthers("", "There is no virtual camera."))
    assert not box.isChecked()
    assert window.messages.text == "There is no virtual camera."
    assert live.client.running
