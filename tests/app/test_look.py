"""Themes, icons and settings: readable, complete, remembered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from avseg_app import icons, theme
from avseg_app.paths import RESOURCES
from avseg_app.settings import RECENT_LIMIT, Settings, SettingsStore
from avseg_app.theme import ThemeManager, load_theme
from avseg_app.widgets.swatches import OVERLAY_COLORS

TEXT = 4.5
"""Least contrast of text by WCAG 2.1, level AA."""
SHAPES = 3.0


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours by WCAG 2.1."""

    def luminance(name: str) -> float:
        color = QColor(name)
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
            for c in (color.redF(), color.greenF(), color.blueF())
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [
        ("text", "window", TEXT),
        ("text", "surface", TEXT),
        ("text", "accent-soft", TEXT),
        ("text", "raised", TEXT),
        ("text-muted", "window", TEXT),
        ("text-muted", "surface", TEXT),
        ("accent-text", "accent", TEXT),
        ("text", "info-soft", TEXT),
        ("text", "warning-soft", TEXT),
        ("text", "error-soft", TEXT),
        ("text", "success-soft", TEXT),
        ("accent", "surface", SHAPES),
        ("accent", "track", SHAPES),
        ("border-strong", "surface", SHAPES),
        ("error", "error-soft", SHAPES),
        ("warning", "warning-soft", SHAPES),
        ("success", "success-soft", SHAPES),
        ("info", "info-soft", SHAPES),
        ("playhead", "track", SHAPES),
    ],
)
def test_contrast(name: str, front: str, ground: str, least: float) -> None:
    tokens = load_theme(name).tokens
    assert contrast(tokens[front], tokens[ground]) >= least


@pytest.mark.parametrize("name", ["light", "dark"])
def test_style_sheet_uses_only_known_tokens(name: str) -> None:
    known = {*load_theme(name).tokens, "icons", "name"}
    template = (RESOURCES / "styles" / "studio.qss").read_text(encoding="utf-8")
    used = set(re.findall(r"@([a-z-]+[a-z])", template))
    assert used <= known
    assert set(load_theme("light").tokens) == set(load_theme("dark").tokens)
    resolved = theme._style_sheet(load_theme(name))
    assert "@" not in resolved
    for path in re.findall(r'url\("([^"]+)"\)', resolved):
        assert Path(path).is_file()


def test_theme_follows_the_choice(qapp: QApplication) -> None:
    themes = ThemeManager(qapp, "dark")
    assert theme.current().name == "dark"
    assert qapp.palette().window().color() == QColor(load_theme("dark").tokens["window"])
    themes.set_mode("light")
    assert theme.current().name == "light"
    assert qapp.palette().window().color() == QColor(load_theme("light").tokens["window"])


@pytest.mark.parametrize("path", sorted((RESOURCES / "icons").glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_is_drawn(qapp: QApplication, path: Path) -> None:
    image = icons.icon(path.stem).pixmap(QSize(24, 24), 1.0).toImage()
    opaque = sum(image.pixelColor(x, y).alpha() > 100 for x in range(24) for y in range(24))
    assert opaque > 15


def test_icons_take_the_colour_of_the_theme(qapp: QApplication) -> None:
    made = icons.icon("mode-fill")
    for name in ("light", "dark"):
        ThemeManager(qapp, name)
        image = made.pixmap(QSize(24, 24), 1.0).toImage()
        assert image.pixelColor(12, 12) == QColor(load_theme(name).tokens["text"])
    ThemeManager(qapp, "light")


def test_overlay_colours_differ_in_lightness_or_hue() -> None:
    colors = [QColor(value) for value in OVERLAY_COLORS.values()]
    for first in range(len(colors)):
        for second in range(first):
            a, b = colors[first], colors[second]
            assert abs(a.lightnessF() - b.lightnessF()) > 0.05 or abs(a.hueF() - b.hueF()) > 0.04


def ini(path: Path) -> QSettings:
    return QSettings(str(path / "s.ini"), QSettings.Format.IniFormat)


def test_settings_survive_a_restart(tmp_path: Path) -> None:
    store = SettingsStore(ini(tmp_path))
    store.update(threshold=0.25, muted=True, overlay_mode="outline", theme="dark", rate=4.0)
    store.add_recent(tmp_path / "ä b.mp4")
    store.flush()
    again = SettingsStore(ini(tmp_path)).values
    assert again == store.values
    assert (again.threshold, again.muted, again.overlay_mode, again.rate) == (0.25, True, "outline", 4.0)
    assert again.recent_files == (str(tmp_path / "ä b.mp4"),)


def test_settings_that_do_not_fit_are_as_if_absent(tmp_path: Path) -> None:
    backend = ini(tmp_path)
    for name, value in {
        "threshold": '"high"',
        "muted": "3",
        "overlay_mode": '"sparkles"',
        "recent_files": "7",
        "rate": "nonsense",
        "theme": "null",
        "volume": "true",
    }.items():
        backend.setValue(name, value)
    assert SettingsStore(backend).values == Settings()


def test_changes_are_told_once_and_by_name(tmp_path: Path) -> None:
    store = SettingsStore(ini(tmp_path))
    told: list[str] = []
    store.changed.connect(told.append)
    store.update(opacity=0.1, loop=False)
    store.update(opacity=0.1)
    assert told == ["opacity"]


def test_recent_files_are_few_and_newest_first(tmp_path: Path) -> None:
    store = SettingsStore(ini(tmp_path))
    for number in range(RECENT_LIMIT + 3):
        store.add_recent(Path(f"/v/{number}.mp4"))
    store.add_recent(Path("/v/5.mp4"))
    names = [Path(name).stem for name in store.values.recent_files]
    assert names[:3] == ["5", "10", "9"]
    assert len(names) == RECENT_LIMIT
    store.forget_recent(Path("/v/5.mp4"))
    assert "/v/5.mp4" not in store.values.recent_files
