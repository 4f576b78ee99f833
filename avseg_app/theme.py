"""Light and dark: colour tokens, the application's style sheet and the palette, following the system or a choice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from avseg_app.paths import RESOURCES

ThemeMode = Literal["system", "light", "dark"]

SPACING = 8
"""The unit of every margin and gap, in device-independent pixels."""


@dataclass(frozen=True)
class Theme:
    """One set of colour tokens, as in `resources/styles/<name>.json`."""

    name: str
    tokens: dict[str, str]

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        """The colour named `token`; `alpha` from 0 (clear) to 1."""
        color = QColor(self.tokens[token])
        color.setAlphaF(alpha)
        return color


@cache
def load_theme(name: str) -> Theme:
    """The theme "light" or "dark"."""
    return Theme(name, json.loads((RESOURCES / "styles" / f"{name}.json").read_text(encoding="utf-8")))


def current() -> Theme:
    """The theme in force; widgets that paint themselves ask at paint time."""
    return _Current.theme


class _Current:
    theme = load_theme("light")


class ThemeManager(QObject):
    """Applies a theme to the application and keeps following the system while the mode is "system"."""

    changed = Signal(str)

    def __init__(self, app: QApplication, mode: ThemeMode) -> None:
        super().__init__(app)
        self._app = app
        self._hints = QGuiApplication.styleHints()
        self._hints.colorSchemeChanged.connect(self._apply)
        app.setStyle("Fusion")
        self._style = ""
        self._mode: ThemeMode = mode
        self.set_mode(mode)

    def set_mode(self, mode: ThemeMode) -> None:
        """Takes "system", "light" or "dark"; native dialogs and title bars follow where the platform can."""
        self._mode = mode
        scheme = {"system": Qt.ColorScheme.Unknown, "light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}[mode]
        self._hints.setColorScheme(scheme)
        self._apply()

    def _apply(self) -> None:
        by_system = "dark" if self._hints.colorScheme() == Qt.ColorScheme.Dark else "light"
        theme = load_theme(by_system if self._mode == "system" else self._mode)
        style = _style_sheet(theme)
        if style == self._style:
            return
        self._style = style
        _Current.theme = theme
        self._app.setPalette(_palette(theme))
        self._app.setStyleSheet(style)
        self.changed.emit(theme.name)


def _style_sheet(theme: Theme) -> str:
    template = (RESOURCES / "styles" / "studio.qss").read_text(encoding="utf-8")
    values = theme.tokens | {"icons": (RESOURCES / "icons").as_posix(), "name": theme.name}
    names = sorted(values, key=len, reverse=True)
    return re.sub("@(" + "|".join(names) + ")", lambda match: values[match.group(1)], template)


def _palette(theme: Theme) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "surface",
        QPalette.ColorRole.AlternateBase: "raised",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "raised",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.PlaceholderText: "text-muted",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "accent-text",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.Mid: "border",
    }
    palette = QPalette()
    for role, token in roles.items():
        palette.setColor(role, theme.color(token))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.color("text-disabled"))
    return palette


def mono_font(relative_size: float = 1.0) -> QFont:
    """The system's fixed-width font at a multiple of the general size: digits do not dance."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(QApplication.font().pointSizeF() * relative_size)
    return font


def small_font(bold: bool = False) -> QFont:
    """The general font a little smaller, for dense data."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * 0.87)
    font.setBold(bold)
    return font
