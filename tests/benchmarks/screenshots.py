"""Pictures of the window for looking at: every state, light and dark, at 1x and 2x.

    python -m tests.benchmarks.screenshots FOLDER

Uses the shipped demo clip and default model, with settings and cache of its own, without a screen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPointF, QSettings, QTimer

from avseg_app.app import make_application
from avseg_app.main_window import MainWindow
from avseg_app.paths import DEMO_CLIP
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager

PATIENCE_MS = 300_000


def main(folder: Path) -> int:
    """Takes the pictures of each scale in a process of its own: Qt reads the scale once."""
    folder.mkdir(parents=True, exist_ok=True)
    for scale in ("1", "2"):
        with tempfile.TemporaryDirectory() as private:
            environment = os.environ | {
                "QT_QPA_PLATFORM": "offscreen",
                "QT_SCALE_FACTOR": scale,
                "XDG_CACHE_HOME": f"{private}/cache",
                "XDG_DATA_HOME": f"{private}/data",
            }
            command = [sys.executable, "-m", "tests.benchmarks.screenshots", str(folder), scale, private]
            subprocess.run(command, env=environment, check=True)
    return 0


def take(folder: Path, scale: str, private: Path) -> None:
    """All pictures at one scale."""
    app = make_application()
    settings = SettingsStore(QSettings(str(private / "settings.ini"), QSettings.Format.IniFormat))
    themes = ThemeManager(app, "light")
    window = MainWindow(settings, themes)
    window.resize(1280, 820)
    window.show()
    controller = window.controller

    def shoot(name: str) -> None:
        for theme in ("light", "dark"):
            settings.update(theme=theme)
            pause(150)
            window.grab().save(str(folder / f"{name}-{theme}-{scale}x.png"))

    pause(800)
    shoot("start-first")
    for name in ("street musicians.mp4", "parrot at the window.mov", "rehearsal 2024-05-17.mkv"):
        settings.add_recent(Path("/home/alex/Videos") / name)
    wait(lambda: "·" in window._device.text())
    shoot("start")
    window.open(DEMO_CLIP)
    wait(lambda: controller.result is not None)
    controller.client.stop()
    pause(300)
    shoot("half-segmented")
    controller.resume()
    wait(lambda: controller.document.job.phase == "done")
    for second in (1.5, 3.5):
        controller.player.seek(second)
        wait(lambda: len(window.workspace.inspector.mixer.maps._images) > 0)
        pause(300)
        shoot(f"demo-{second:g}s")
    for mode in ("outline", "heat"):
        settings.update(overlay_mode=mode)
        shoot(f"demo-{mode}")
    settings.update(overlay_mode="fill")
    window.workspace.inspector.mixer.maps._point(0)
    shoot("demo-channel")
    window.workspace.inspector.mixer.maps._point(-1)
    canvas = window.workspace.canvas
    canvas.zoom_by(4.0, QPointF(canvas.width() * 0.3, canvas.height() * 0.5))
    shoot("demo-zoomed")
    canvas.fit()
    window.open(private / "settings.ini")
    wait(lambda: bool(window.messages.text))
    shoot("bad-file")
    window.messages.dismiss()
    dialog = window.exporting.ask()
    pause(300)
    for theme in ("light", "dark"):
        settings.update(theme=theme)
        pause(100)
        dialog.grab().save(str(folder / f"export-{theme}-{scale}x.png"))
    dialog.close()
    window._veil.show_over(window.centralWidget(), True)
    shoot("drop")
    window._veil.hide()
    window.resize(window.minimumSize())
    pause(300)
    shoot("small")
    window.close()


def pause(milliseconds: int) -> None:
    """Lets the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait(condition: Callable[[], bool]) -> None:
    """Lets the window live until the condition holds."""
    for _ in range(PATIENCE_MS // 50):
        if condition():
            return
        pause(50)
    raise TimeoutError("the window did not get there")


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 3:
        take(Path(words[0]), words[1], Path(words[2]))
    else:
        sys.exit(main(Path(words[0])))
