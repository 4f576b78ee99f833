"""Parts of the live page by themselves: the second screen, the history, and what is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from avseg_app.live.page import LivePage
from avseg_app.live.strips import HISTORY_SECONDS, HistoryStrip, Moment
from avseg_app.settings import SettingsStore
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.workers.live_protocol import DeviceLists, LiveModelReady
from avseg_core.media.capture import DeviceInfo, DeviceState, DeviceStatus
from tests.idle_client import IdleLiveClient


def test_presentation_goes_to_the_other_screen(tmp_path: Path) -> None:
    """In a process of its own: only there the screens can be chosen."""
    screens = [
        {"name": name, "x": x, "y": 0, "width": 800, "height": 600, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
        for name, x in (("first", 0), ("second", 800))
    ]
    (tmp_path / "screens.json").write_text(json.dumps({"screens": screens}))
    program = (
        "from PySide6.QtWidgets import QApplication, QDialog, QWidget\n"
        "from avseg_app.live.presentation import Presentation\n"
        "from avseg_core.results.look import OverlayStyle\n"
        "app = QApplication([])\n"
        "beside = QWidget(); beside.show()\n"
        "shown = Presentation(OverlayStyle()); shown.show_on_best_screen(beside); app.processEvents()\n"
        "print(beside.screen().name(), shown.screen().name(), shown.geometry().getRect(), shown.isFullScreen())"
    )
    environment = os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={tmp_path / 'screens.json'}"}
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert answer.stdout.strip() == "first second (800, 0, 800, 600) True"


def test_the_picture_says_what_is_waited_for(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices that are looked for, then the user, then the model, also while pictures come."""
    monkeypatch.setattr("avseg_app.live.page.LiveClient", IdleLiveClient)
    settings = SettingsStore(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    settings.update(live_source="test")
    page = LivePage(settings, MessageBar())
    qtbot.addWidget(page)
    page.enter()
    assert "Looking for" in page.canvas._note
    page.client.devices_listed.emit(DeviceLists((DeviceInfo("test", "Test picture", "camera"),), ()))
    assert "press Start" in page.canvas._note
    assert page.bar.sound_choice.currentData() == "source"
    page.start()
    for state in (DeviceState.OPENING, DeviceState.RUNNING):
        page.client.status_changed.emit(DeviceStatus("camera", "Test picture", state))
    assert "Preparing the model" in page.canvas._note
    page.client.model_ready.emit(LiveModelReady("small", "CPU."))
    assert page.canvas._note == ""
    page.start()
    assert "Preparing the model" in page.canvas._note
    page.client.without_masks = "There is no such model."
    page.client.model_refused.emit()
    assert page.canvas._note == "There is no such model."
    page.shut_down()


def test_the_window_knows_no_torch() -> None:
    program = "import sys, avseg_app.live.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_history_holds_a_minute(qtbot: QtBot) -> None:
    strip = HistoryStrip()
    qtbot.addWidget(strip)
    for k in range(200):
        strip.add(Moment(float(k), 0.1, -20.0, "Dog" if k < 100 else "Cat"))
    assert strip.moments[0].when == 199 - HISTORY_SECONDS
    assert [name for name, _, _ in strip._stretches(199.0)] == ["Cat"]
    strip.clear()
    assert strip.moments == ()
