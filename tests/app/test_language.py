"""The German window: every string of it is translated, compiled, and shown."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

import avseg_app
from avseg_app.language import FOLDER, language_code, load_translators
from avseg_app.main_window import MainWindow
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.workspace.inspector import TagBars
from avseg_app.workspace.timeline import TimelineData
from avseg_core.audio.classes import YAMNET_CLASSES

GERMAN = FOLDER / "avseg_de.ts"
_OWN_PAGES = ("live", "training")


def messages(file: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    """Context and message of everything in a .ts file."""
    for context in ElementTree.parse(file).getroot().iter("context"):
        for message in context.iter("message"):
            yield context.findtext("name") or "", message


def translations(file: Path = GERMAN) -> dict[tuple[str, str], str]:
    """Context and English -> German, of what is finished."""
    return {
        (context, message.findtext("source") or ""): message.findtext("translation") or ""
        for context, message in messages(file)
        if message.find("translation").get("type") != "unfinished"
    }


def test_every_string_of_the_window_is_translated(tmp_path: Path) -> None:
    """What packaging/translations.py would find; the pages of their own are translated there too."""
    found = tmp_path / "found.ts"
    lupdate = Path(sys.executable).with_name("pyside6-lupdate")
    code = Path(avseg_app.__file__).parent
    subprocess.run([lupdate, "-extensions", "py", code, "-ts", found], check=True, capture_output=True)
    wanted = {
        (context, message.findtext("source") or "")
        for context, message in messages(found)
        if not any(f"avseg_app/{page}/" in message.find("location").get("filename") for page in _OWN_PAGES)
    }
    assert len(wanted) > 150
    missing = wanted - translations().keys()
    assert not missing, "run packaging/translations.py and fill in what is new"


def test_translations_keep_what_is_filled_in(qapp: QApplication) -> None:
    """Placeholders, accelerators and leading spaces are those of the English text."""
    for (_, english), german in translations().items():
        assert german, english
        assert sorted(re.findall(r"\{.*?\}", german)) == sorted(re.findall(r"\{.*?\}", english)), english
        assert ("&" in german) == ("&" in english), english
        assert german[0].isspace() == english[0].isspace(), english


def test_the_compiled_file_is_that_of_the_source(qapp: QApplication) -> None:
    *_, ours = load_translators("de", qapp)
    for (context, english), german in translations().items():
        assert ours.translate(context, english) == german, english
    assert ours.translate("MainWindow", "No such text") is None


def test_every_sound_has_a_name_of_its_own(qapp: QApplication) -> None:
    names = translations(FOLDER / "sounds_de.ts")
    assert list(names) == [("Sounds", name) for name in YAMNET_CLASSES]
    assert len(set(names.values())) == len(names), "two sounds of one name cannot be told apart"
    _, sounds, _ = load_translators("de", qapp)
    for (context, english), german in names.items():
        assert german
        assert sounds.translate(context, english) == german


def test_no_translation_is_no_translator(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_translators("en", qapp) == []
    assert load_translators("tlh", qapp) == []
    monkeypatch.setattr("PySide6.QtCore.QLocale.uiLanguages", lambda self: ["de-AT", "de", "en-GB"])
    assert language_code("system") == "de"
    monkeypatch.setattr("PySide6.QtCore.QLocale.uiLanguages", lambda self: ["en-GB", "en", "de-DE"])
    assert load_translators("system", qapp) == []


@pytest.fixture
def german(qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """The main window as `main` makes it when the language is German."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    translators = load_translators("de", qapp)
    for translator in translators:
        qapp.installTranslator(translator)
    store = SettingsStore(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    store.update(language="de", theme="light")
    opened = MainWindow(store, ThemeManager(qapp, "light"))
    opened.show()
    yield opened
    opened.close()
    opened.deleteLater()
    for translator in translators:
        qapp.removeTranslator(translator)


def texts(window: MainWindow) -> Iterator[str]:
    """What the window says in widgets, menus, tool tips and to screen readers; training has settings by their names."""
    for child in set(window.findChildren(QObject)) - set(window.training.findChildren(QObject)):
        if isinstance(child, QMenu):
            yield child.title()
        if isinstance(child, QAction | QLabel | QAbstractButton):
            yield child.text()
        if isinstance(child, QAction | QWidget):
            yield child.toolTip()
        if isinstance(child, QWidget):
            yield child.accessibleName()


def test_the_german_window_speaks_german(german: MainWindow, qtbot: QtBot) -> None:
    assert [action.text() for action in german.menuBar().actions()] == ["&Datei", "&Ansicht", "&Wiedergabe", "&Hilfe"]
    assert german.start_page.demo_button.text() == "Ausprobieren"
    assert german.start_page.open_button.toolTip() == "Ein Video öffnen (Strg+O)"
    assert german.actions_by_name["mode_spotlight"].text() == "Scheinwerfer"
    assert german.playback.frame_back.text() == "Ein Bild zurück"
    assert german.workspace.inspector.look.opacity.slider.accessibleName() == "Deckkraft"
    known = translations()
    both = {*known.values()}
    english = {text for (_, text), words in known.items() if text not in both and words != text}
    left = english & set(texts(german))
    assert not left


def test_sounds_are_called_by_their_german_names(german: MainWindow) -> None:
    """What the timeline and the inspector show; results keep AudioSet's names."""
    bars = german.workspace.inspector.findChild(TagBars)
    assert bars is not None
    bars.set_tags((("Bark", 0.8), ("No such sound", 0.1)), "")
    assert bars.accessibleName() == "Bellen 80%, No such sound 10%"
    timeline = german.workspace.timeline
    spans, area = np.array([[0.0, 1.0]]), np.array([0.1], np.float32)
    timeline.set_data(TimelineData(1.0, spans, area, ("Fire engine, fire truck (siren)",)))
    assert timeline._hint(0.5).splitlines()[-1] == "Feuerwehr (Sirene)"


def test_another_language_is_chosen_in_the_menu(german: MainWindow) -> None:
    choices = {action.text(): action for action in german.findChildren(QAction)}
    assert choices["Deutsch"].isChecked()
    choices["English"].trigger()
    assert german.settings.values.language == "en"
    assert german.messages.text == "Die andere Sprache gilt ab dem nächsten Start."
