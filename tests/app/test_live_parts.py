"""Parts of the live page by themselves: the second screen, the history, and what is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pytestqt.qtbot import QtBot

from avseg_app.live.strips import HISTORY_SECONDS, HistoryStrip, Moment


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
