"""The live page without its process, which takes seconds to start: what it shows, asks for and hands on by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from avseg_app.live.page import LivePage
from avseg_app.live.source_bar import ADDRESS, FILE
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.workers.frame_ring import SharedFrame
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import (
    Calibrated,
    DeviceLists,
    ListDevices,
    LiveTick,
    LiveUpdate,
    RecordingDone,
    RecordingStarted,
    Request,
)
from avseg_core.inference.live_config import Latency, LiveCounters
from avseg_core.media.capture import DeviceInfo, DeviceState, DeviceStatus


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What was asked of the process that is not there."""
    asked: list[Request] = []
    monkeypatch.setattr(LiveClient, "send", lambda client, request: asked.append(request))
    return asked


@pytest.fixture
def messages(qtbot: QtBot) -> MessageBar:
    bar = MessageBar()
    qtbot.addWidget(bar)
    return bar


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, "light")


@pytest.fixture
def live(theme: ThemeManager, qtbot: QtBot, asked: list[Request], messages: MessageBar, tmp_path: Path) -> LivePage:
    """The page on screen, the devices listed, the test source chosen."""
    settings = SettingsStore(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    settings.update(live_source="test", live_sound="source", live_record_dir=str(tmp_path / "recorded"))
    page = LivePage(settings, messages)
    qtbot.addWidget(page, before_close_func=lambda page: page.shut_down())
    page.resize(1200, 760)
    page.show()
    page.enter()
    assert asked == [ListDevices()]
    page.client.devices_listed.emit(DeviceLists((DeviceInfo("test", "Test picture", "camera"),), ()))
    assert page.bar.start_button.isEnabled()
    return page


def test_device_lines_say_what_to_do(live: LivePage) -> None:
    line = live.panel.microphone
    message = "The microphone is silent: check that it is not muted and that its level is up."
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.RUNNING, message, None, ("silent",)))
    assert "muted" in line.text
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.LOST, "USB is gone.", "unplugged", (), 2.0))
    assert line.text == "USB  ·  not available USB is gone. It is tried again and again."
    line.show_status(DeviceStatus("microphone", "USB", DeviceState.RUNNING))
    assert line.text == "USB"


def test_devices_come_and_go_in_the_lists(live: LivePage, asked: list[Request], qtbot: QtBot) -> None:
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
    asked.clear()
    live._hot_plug.setInterval(50)
    live._hot_plug.start()
    qtbot.waitUntil(lambda: len(asked) > 1)
    assert set(asked) == {ListDevices()}
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


def test_the_window_says_why_nothing_could_be_recorded(live: LivePage, messages: MessageBar) -> None:
    live.client.recording_done.emit(RecordingDone(None, 0.0, 0, "a.mkv: the disk is full."))
    assert messages.text == "a.mkv: the disk is full."
    live.client.recording_done.emit(RecordingDone(None, 0.0, 0, ""))
    assert messages.text == "Nothing came that could be recorded."


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


def test_calibration_is_one_click(live: LivePage, messages: MessageBar, qtbot: QtBot) -> None:
    pairing = live.panel.pairing
    qtbot.mouseClick(pairing.calibrate_button, Qt.MouseButton.LeftButton)
    assert "Start the camera first" in messages.text
    live.client.calibrated.emit(Calibrated(0, 0.118, ""))
    assert pairing.offset.value() == 118
    assert live._config().av_offset == pytest.approx(0.118)
    assert "118 ms after the picture" in messages.text
    live.client.calibrated.emit(Calibrated(0, None, "No clap or flash stood out."))
    assert messages.text == "No clap or flash stood out."
    assert pairing.offset.value() == 118
