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
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from avseg_app.live.page import LivePage
from avseg_app.live.source_bar import ADDRESS, FILE
from avseg_app.main_window import MainWindow
from avseg_app.workers.frame_ring import SharedFrame
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import (
    Calibrated,
    DeviceLists,
    LiveTick,
    LiveUpdate,
    RecordingStarted,
    ShownToOthers,
)
from avseg_core.inference.live_config import Latency, LiveCounters
from avseg_core.inference.live_recording import masks_of
from avseg_core.media.capture import DeviceInfo, DeviceState, DeviceStatus
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
    assert document.peaks.max() == pytest.approx(0.25, abs=0.02), "the test tone"
    assert window.actions_by_name["export"].isEnabled()
    assert not computed, "nothing was segmented"
    # Segmented anew and back, by the keyboard too.
    bar.switch_button.setFocus()
    qtbot.keyClick(bar.switch_button, Qt.Key.Key_Space)
    _until(qtbot, lambda: window.controller.document is not document and is_done(window))
    assert "1 per second" in bar.text
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


def test_device_lines_say_what_to_do(live: LivePage) -> None:
    line = live.panel.microphone
    message = "The microphone is silent: check that it is not muted and that its level is up."
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.RUNNING, message, None, ("silent",)))
    assert "muted" in line.text
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.LOST, "USB is gone.", "unplugged", (), 2.0))
    assert line.text == "USB  ·  not available USB is gone. It is tried again and again."
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.RUNNING))
    assert line.text == "USB"


def test_devices_come_and_go_in_the_lists(live: LivePage, qtbot: QtBot) -> None:
    camera = DeviceInfo("0", "Desk camera", "camera")
    test = DeviceInfo("test", "Test picture", "camera")
    microphone = DeviceInfo("usb", "USB", "microphone")
    live._hot_plug.stop()
    with_it, without_it = DeviceLists((camera, test), (microphone,)), DeviceLists((test,), ())
    choice = live.bar.source_choice
    live.client.devices_listed.emit(with_it)
    assert choice.findData("0") == 0
    assert choice.currentData() == "test", "what is chosen stays chosen"
    choice.setCurrentIndex(0)
    live.client.devices_listed.emit(without_it)
    assert (choice.currentData(), choice.currentText()) == ("0", "Desk camera (not connected)")
    live.client.devices_listed.emit(with_it)
    assert (choice.currentData(), choice.currentText()) == ("0", "Desk camera")
    assert [choice.itemData(k) for k in range(choice.count())].count("0") == 1
    # Asked for again and again while the page is shown, and no longer.
    live._hot_plug.setInterval(50)
    live._hot_plug.start()
    with qtbot.waitSignal(live.client.devices_listed, timeout=WAIT_MS):
        pass
    live.leave()
    assert not live._hot_plug.isActive()


def test_a_file_or_an_address_is_asked_for(live: LivePage, qtbot: QtBot) -> None:
    bar = live.bar
    for kind, place in ((FILE, "/videos/street.mp4"), (ADDRESS, "rtsp://camera.local/1")):
        bar.source_choice.setCurrentIndex(bar.source_choice.findData(kind))
        bar.source_choice.activated.emit(bar.source_choice.currentIndex())
        (dialog,) = (child for child in bar.findChildren(QDialog) if child.isVisible())
        dialog.reject()
        assert bar.source_choice.currentData() == "test", "as before"
        bar.ask_for_place(kind, "", "test")
        (dialog,) = (child for child in bar.findChildren(QDialog) if child.isVisible())
        (dialog.fileSelected if kind == FILE else dialog.textValueSelected).emit(place)
        assert (bar.source_choice.currentData(), bar.sound_choice.currentData()) == (place, "source")
        assert live._settings.values.live_source == place
        dialog.close()
        live._settings.update(live_source="test")


def test_the_panel_shows_delay_drift_losses_and_clipping(live: LivePage) -> None:
    panel = live.panel
    parts = Latency(capture=0.01, wait=0.02, visual=0.06, audio=0.005, head=0.015, total=0.11)
    panel.timing.show_display(0.03)
    panel.show_update(LiveUpdate(1.0, 0.1, (("Dog", 0.9),), -20.0, None, parts, False))
    assert panel.timing._values["visual"].text().strip() == "60 ms"
    assert panel.timing._values["shown"].text().strip() == "30 ms"
    assert panel.timing._values["total"].text().strip() == "140 ms", "from the camera to the screen"
    counters = LiveCounters(frames=100, frames_lost=3, frames_seen=40, skipped=7, overflows=2, gaps=1.5)
    columns = np.zeros((0, 64), np.uint8)
    panel.show_tick(LiveTick(-6.0, -0.1, True, columns, 30.0, 25.4, counters, None))
    said = panel.timing._left_out.text()
    for words in ("40 of 100", "3 lost", "7 updates skipped", "2 sound overflows", "1.5 s of sound", "drift by 25 ppm"):
        assert words in said
    assert panel.meter.clipping
    panel.show_tick(LiveTick(-60.0, -50.0, False, columns, 30.0, 0.0, counters, None))
    assert not panel.meter.clipping
    assert "drift" not in panel.timing._left_out.text()


def test_settings_of_the_panel_reach_the_session(live: LivePage) -> None:
    pairing, recording = live.panel.pairing, live.panel.recording
    pairing.offset.setValue(-120)
    pairing.smoothing.set_real(0.4)
    pairing.refine_box.setChecked(False)
    pairing.mirror_box.setChecked(True)
    pairing.window_choice.setCurrentIndex(1)
    pairing.window_choice.activated.emit(1)
    config = live._config()
    assert (config.av_offset, config.smoothing, config.refine) == (-0.12, pytest.approx(0.4), False)
    assert (config.mirror, config.window) == (True, "centred")
    pairing.fps_choice.activated.emit(pairing.fps_choice.findData(60.0))
    assert live._settings.values.live_fps == 60.0
    recording.picture_box.setChecked(False)
    assert not recording.masks_box.isEnabled(), "masks lie on a picture"


def test_history_and_presentation_name_the_most_telling_sound(live: LivePage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(live.client), "running", True)
    parts = Latency(capture=0.01, wait=0.02, visual=0.06, audio=0.005, head=0.015, total=0.11)
    tags = (("Animal", 0.9), ("Dog", 0.8), ("Bark", 0.5))
    live.client.updated.emit(LiveUpdate(1.0, 0.1, tags, -20.0, None, parts, False))
    assert live.history.moments[-1].tag == "Dog"
    assert live._words == "Dog"
    live.client.updated.emit(LiveUpdate(1.1, 0.1, (("Dog", 0.2),), -20.0, None, parts, False))
    assert live.history.moments[-1].tag == "Dog"
    assert live._words == "", "not sure enough for an audience"


def test_a_frozen_picture_is_presented_and_gone_with_a_new_start(
    live: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(live.client), "running", True)
    mask = np.full((12, 16), 200, np.uint8)
    live.client.frame_ready.emit(SharedFrame(1, 0.0, np.zeros((48, 64, 4), np.uint8), mask, 0.0))
    live.bar.freeze_button.setChecked(True)
    live.client.status_changed.emit(DeviceStatus("camera", "USB", DeviceState.LOST, "USB is gone.", "unplugged"))
    assert live.canvas._probability is mask, "what is frozen stays as it was"
    live.present()
    assert live.presentation is not None
    assert live.presentation.canvas._frame is not None
    assert live.presentation.canvas._probability is mask
    live.presentation.close()
    live.start()
    assert not live.bar.freeze_button.isChecked()


def test_no_recording_runs_when_the_process_has_given_up(live: LivePage) -> None:
    live.client.recording_started.emit(RecordingStarted(Path("a.mkv")))
    live.client.gave_up.emit("signal 9 (SIGKILL)")
    assert live.saving.recording is None


def test_a_start_that_is_refused_does_not_look_like_running(live: LivePage, monkeypatch: pytest.MonkeyPatch) -> None:
    live.bar.show_running(True)
    live.client.start_refused.emit("--source 'Desk': no such camera.")
    assert live.bar.start_button.text() == "Start"
    assert live.canvas._note == "--source 'Desk': no such camera."
    live.client.without_masks = "There is no device cuda."
    monkeypatch.setattr(LiveClient, "running", True)
    live.client.model_refused.emit()
    assert live.canvas._note == "There is no device cuda."
    live.client.status_changed.emit(DeviceStatus("camera", "Desk", DeviceState.RUNNING))
    assert live.canvas._note == "There is no device cuda.", "not taken for running as it should"
    live.client.without_masks = ""


def test_calibration_is_one_click(live: LivePage, window: MainWindow, qtbot: QtBot) -> None:
    pairing = live.panel.pairing
    qtbot.mouseClick(pairing.calibrate_button, Qt.MouseButton.LeftButton)
    assert "Start the camera first" in window.messages.text
    live.client.calibrated.emit(Calibrated(0, 0.118, ""))
    assert pairing.offset.value() == 118
    assert live._config().av_offset == pytest.approx(0.118)
    assert "118 ms after the picture" in window.messages.text
    live.client.calibrated.emit(Calibrated(0, None, "No clap or flash stood out."))
    assert window.messages.text == "No clap or flash stood out."
    assert pairing.offset.value() == 118


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
