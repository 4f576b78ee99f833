"""Pictures of the window for looking at: every state, in a language, at a scale and in a theme.

    python -m tests.benchmarks.screenshots FOLDER [en|de] [1|2] [light|dark]

Uses the shipped demo clip and default model, with settings and cache of its own, without a screen. Pictures of the live
page are `tests.benchmarks.screenshots_live`, those of the training tab `tests.benchmarks.screenshots_training`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QPointF, QSettings, QTimer
from PySide6.QtWidgets import QMenu, QWidget

from avseg_app.app import make_application
from avseg_app.help import AboutDialog
from avseg_app.main_window import MainWindow
from avseg_app.paths import DEMO_CLIP
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.workers.inference_client import InferenceClient
from tests.media_fixtures import Clip, write_clip

PATIENCE_MS = 300_000


def main(folder: Path, module: str, language: str = "en", scale: str = "1", theme: str = "light") -> int:
    """Takes the pictures in a process of its own: Qt reads the scale once."""
    if folder.name.startswith("-"):
        print(f"Usage: python -m tests.benchmarks.{module} FOLDER [en|de] [1|2] [light|dark]")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as private:
        environment = os.environ | {
            "QT_QPA_PLATFORM": "offscreen",
            "QT_SCALE_FACTOR": scale,
            "XDG_CACHE_HOME": f"{private}/cache",
            "XDG_DATA_HOME": f"{private}/data",
        }
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", str(folder), private, language, scale, theme]
        subprocess.run(command, env=environment, check=True)
    return 0


class Camera:
    """The window with settings of its own, and pictures of it or of its parts."""

    def __init__(self, words: list[str], client: InferenceClient | None = None) -> None:
        """`words` are the folder for the pictures, a private one, language, scale and theme."""
        folder, private, language, scale, theme = words
        self.private = Path(private)
        app = make_application(language)
        self.settings = SettingsStore(QSettings(str(self.private / "settings.ini"), QSettings.Format.IniFormat))
        self.settings.update(theme=theme, language=language)
        self.window = MainWindow(self.settings, ThemeManager(app, theme), client)
        self.window.resize(1280, 820)
        self.window.show()
        self._folder, self._name = Path(folder), f"{language}-{scale}x-{theme}"

    def shoot(self, what: str, widget: QWidget | None = None) -> None:
        """Saves `widget`, or else the window, as `what`."""
        pause(150)
        (widget or self.window).grab().save(str(self._folder / f"{what}-{self._name}.png"))
        print(what, flush=True)


def take(camera: Camera) -> None:
    """All pictures."""
    window, shoot, settings = camera.window, camera.shoot, camera.settings
    controller = window.controller
    pause(800)
    shoot("start-first")
    for name in ("street musicians.mp4", "parrot at the window.mov", "rehearsal 2024-05-17.mkv"):
        settings.add_recent(Path("/home/alex/Videos") / name)
    settings.add_recent(DEMO_CLIP)
    wait(lambda: "·" in window._device.text())
    shoot("start")
    take_menus(camera)
    window.open(DEMO_CLIP)
    wait(lambda: controller.result is not None)
    controller.client.stop()
    pause(300)
    shoot("half-segmented")
    controller.resume()
    pause(200)
    shoot("running")
    wait(lambda: controller.document.job.phase == "done")
    for second in (1.5, 3.5):
        controller.player.seek(second)
        wait(lambda: len(window.workspace.inspector.mixer.maps._images) > 0)
        pause(300)
        shoot(f"demo-{second:g}s")
    for mode in ("outline", "heat", "spotlight", "none"):
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
    take_troubles(camera)
    dialog = window.exporting.ask()
    shoot("export", dialog)
    dialog.close()
    window.show_veil(DEMO_CLIP)
    shoot("drop")
    window.show_veil(None)
    for name, (width, height) in {"small": (1000, 600), "narrow": (1024, 700), "large": (2200, 1300)}.items():
        window.resize(width, height)
        pause(300)
        shoot(name)
    window.controller.close_video()
    window.resize(window.minimumSize())
    pause(300)
    shoot("small-start")
    window.close()


def take_menus(camera: Camera) -> None:
    """Each menu opened, and the dialogs of the help menu."""
    window = camera.window
    for index, action in enumerate(window.menuBar().actions()):
        menu: QMenu = action.menu()
        menu.popup(QPoint(100, 100))
        camera.shoot(f"menu-{index}", menu)
        menu.close()
    shortcuts = window.show_shortcuts()
    camera.shoot("shortcuts", shortcuts)
    shortcuts.close()
    about = AboutDialog(window)
    about.open()
    camera.shoot("about", about)
    about.close()


def take_troubles(camera: Camera) -> None:
    """A file that is no video, a folder, a file that is gone, a video without sound."""
    window, private = camera.window, camera.private
    for name, path in {"bad-file": private / "settings.ini", "folder": private, "gone": private / "gone.mp4"}.items():
        window.open(path)
        wait(lambda: bool(window.messages.text))
        camera.shoot(name)
        window.messages.dismiss()
    silent = private / "a silent film with a name that is rather long and goes on and on until it is cut off.mp4"
    write_clip(silent, 50, size=(320, 180), clip=Clip(fps=Fraction(25)))
    window.open(silent)
    wait(lambda: window.controller.document.path == silent and window.controller.document.job.phase == "done")
    pause(400)
    camera.shoot("silent")
    window.open(DEMO_CLIP)
    wait(lambda: window.controller.document.path == DEMO_CLIP and window.controller.document.job.phase == "done")


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
    if len(sys.argv) == 6:
        take(Camera(sys.argv[1:]))
    else:
        sys.exit(main(Path(sys.argv[1]), "screenshots", *sys.argv[2:]))
