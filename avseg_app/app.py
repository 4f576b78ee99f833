"""Opens the application."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from avseg_app.icons import app_icon
from avseg_app.language import load_translators
from avseg_app.settings import Language, SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.workers.inference_client import InferenceClient

if TYPE_CHECKING:
    from avseg_app.main_window import MainWindow

_SIGNAL_POLL_MS = 250


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the window until it is closed and returns the exit code; a file name in `argv` is opened."""
    multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    settings = SettingsStore()
    app = make_application(settings.values.language)
    window = open_window(app, settings)
    sys.excepthook = _show_fault(window)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    heartbeat = QTimer(interval=_SIGNAL_POLL_MS)  # lets Python see Ctrl+C while Qt waits
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start()
    for word in words:
        if not word.startswith("-") and word != "gui":
            window.open(Path(word).absolute())
    return app.exec()


def make_application(language: Language = "system") -> QApplication:
    """The QApplication with name and icon, in the given language."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    QCoreApplication.setApplicationName("avseg-studio")
    QCoreApplication.setOrganizationName("AVSeg Studio")
    app.setApplicationDisplayName("AVSeg Studio")
    app.setDesktopFileName("avseg-studio")
    app.setWindowIcon(app_icon())
    for translator in load_translators(language, app):
        app.installTranslator(translator)
    return app


def open_window(app: QApplication, settings: SettingsStore) -> MainWindow:
    """The main window on screen; the model loads in its process while the window is still being built."""
    client = InferenceClient()
    client.start(settings.values.model)
    from avseg_app.main_window import MainWindow  # takes seconds, and a spawned process imports this module too

    window = MainWindow(settings, ThemeManager(app, settings.values.theme), client)
    window.show()
    return window


def _show_fault(window: MainWindow):
    """A fault of ours is logged and said; the window stays."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger(__name__).error("unexpected error", exc_info=(kind, error, trace))
        if issubclass(kind, Exception):
            text = QCoreApplication.translate(
                "MainWindow", "Unexpected error: {0}. The video stays open; if it happens again, restart."
            )
            window.messages.show_message("error", text.format(error))

    return hook


if __name__ == "__main__":
    sys.exit(main())
