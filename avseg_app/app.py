"""Opens the application."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from avseg_app.icons import app_icon
from avseg_app.main_window import MainWindow
from avseg_app.paths import RESOURCES
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager

_SIGNAL_POLL_MS = 250


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the window until it is closed and returns the exit code; a file name in `argv` is opened."""
    multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    app = make_application()
    settings = SettingsStore()
    window = MainWindow(settings, ThemeManager(app, settings.values.theme))
    sys.excepthook = _show_fault(window)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    heartbeat = QTimer(interval=_SIGNAL_POLL_MS)  # lets Python see Ctrl+C while Qt waits
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start()
    window.show()
    for word in words:
        if not word.startswith("-") and word != "gui":
            window.open(Path(word).absolute())
    return app.exec()


def make_application() -> QApplication:
    """The QApplication with name, icon and language."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    QCoreApplication.setApplicationName("avseg-studio")
    QCoreApplication.setOrganizationName("AVSeg Studio")
    app.setApplicationDisplayName("AVSeg Studio")
    app.setDesktopFileName("avseg-studio")
    app.setWindowIcon(app_icon())
    _translate(app)
    return app


def _translate(app: QApplication) -> None:
    """Installs the translations for the system's language, where there are any."""
    language = QLocale(os.environ.get("AVSEG_LANGUAGE", "")) if os.environ.get("AVSEG_LANGUAGE") else QLocale.system()
    for name, folder in (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("avseg", str(RESOURCES / "translations")),
    ):
        translator = QTranslator(app)
        if translator.load(language, name, "_", folder):
            app.installTranslator(translator)


def _show_fault(window: MainWindow):
    """A fault of ours is logged and said; the window stays."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger(__name__).error("unexpected error", exc_info=(kind, error, trace))
        if issubclass(kind, Exception):
            text = window.tr("Unexpected error: {0}. The video stays open; if it happens again, restart.")
            window.messages.show_message("error", text.format(error))

    return hook


if __name__ == "__main__":
    sys.exit(main())
