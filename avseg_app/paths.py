"""Where the application's own files are, and where it may keep what it computed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths

import resources

RESOURCES = Path(resources.__file__).parent
DEMO_CLIP = RESOURCES / "demo" / "demo.mp4"


def cache_dir() -> Path:
    """The per-user cache folder of the application, made if missing."""
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.CacheLocation))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
