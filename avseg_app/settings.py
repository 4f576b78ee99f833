"""What the application remembers between two starts: one dataclass, kept in the platform's settings."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

from PySide6.QtCore import QObject, QSettings, Signal

from avseg_app.theme import ThemeMode
from avseg_core.results.look import OverlayMode

Language = Literal["system", "en", "de"]
"""Two letters as in the names of `resources/translations`; English needs none."""
RECENT_LIMIT = 8
RATES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Masks per second on offer."""


@dataclass(frozen=True)
class Settings:
    """Every remembered choice with its first value."""

    theme: ThemeMode = "system"
    language: Language = "system"
    model: str = "avsegformer-lite"
    rate: float = 1.0
    overlay_mode: OverlayMode = "fill"
    overlay_color: str = "orange"
    opacity: float = 0.55
    threshold: float = 0.5
    volume: float = 0.8
    muted: bool = False
    loop: bool = False
    inspector_visible: bool = True
    recent_files: tuple[str, ...] = ()
    open_dir: str = ""
    export_dir: str = ""
    export_formats: tuple[str, ...] = ("overlay",)
    live_source: str = ""
    live_sound: str = ""
    live_size: str = "640x480"
    live_fps: float = 30.0
    live_window: Literal["ending", "centred"] = "ending"
    live_smoothing: float = 0.12
    live_offset: float = 0.0
    """Seconds by which the sound comes after its picture."""
    live_refine: bool = True
    live_mirror: bool = False
    live_record_video: bool = True
    live_record_masks: bool = True
    live_record_sound: bool = True
    live_record_dir: str = ""
    geometry: str = ""
    """Place and size of the window as Qt's own bytes in hexadecimal."""


class SettingsStore(QObject):
    """The settings in force; every change is written at once and announced by field name."""

    changed = Signal(str)

    def __init__(self, backend: QSettings | None = None) -> None:
        super().__init__()
        self._backend = backend or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "AVSeg Studio", "avseg-studio"
        )
        self.values = self._read()

    def update(self, **changes: Any) -> None:
        """Replaces the named fields, writes those that differ and emits `changed` for each."""
        before = self.values
        self.values = dataclasses.replace(before, **changes)
        for name in changes:
            value = getattr(self.values, name)
            if value != getattr(before, name):
                self._backend.setValue(name, json.dumps(value))
                self.changed.emit(name)

    def add_recent(self, path: Path) -> None:
        """Puts `path` at the head of the recent files."""
        others = [item for item in self.values.recent_files if item != str(path)]
        self.update(recent_files=(str(path), *others)[:RECENT_LIMIT])

    def forget_recent(self, path: Path) -> None:
        """Takes `path` off the recent files."""
        self.update(recent_files=tuple(item for item in self.values.recent_files if item != str(path)))

    def flush(self) -> None:
        """Waits until everything is on disk."""
        self._backend.sync()

    def _read(self) -> Settings:
        """What is stored; a value that does not fit its field counts as absent."""
        hints = get_type_hints(Settings)
        found: dict[str, Any] = {}
        for item in dataclasses.fields(Settings):
            try:
                value = json.loads(str(self._backend.value(item.name)))
            except ValueError:
                continue
            if isinstance(value, list):
                value = tuple(str(entry) for entry in value)
            if _fits(value, hints[item.name], item.default):
                found[item.name] = type(item.default)(value)
        return Settings(**found)


def _fits(value: Any, hint: Any, default: Any) -> bool:
    choices = getattr(hint, "__args__", ())
    if isinstance(default, str) and choices:
        return value in choices
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type(default))
