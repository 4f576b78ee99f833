"""The language of the window: English as written in the code, or a translation from `resources/translations`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator

from avseg_app.paths import RESOURCES

FOLDER = RESOURCES / "translations"


class _Translator(QTranslator):
    """Also finds strings that `pyside6-lupdate` filed under no class: those of functions and of `tr = self.tr`."""

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        found = super().translate(context, source, disambiguation, n)
        return found or super().translate("", source, disambiguation, n) or None


def language_code(wanted: str) -> str:
    """The two letters of a language: `wanted` itself, or for "system" the one that the user's system prefers."""
    return QLocale.system().uiLanguages()[0].split("-")[0] if wanted == "system" else wanted


def load_translators(wanted: str, parent: QObject) -> list[QTranslator]:
    """Words of Qt, of sounds and of the application; none for English and for languages without a translation."""
    code = language_code(wanted)
    ours = FOLDER / f"avseg_{code}.qm"
    if not ours.is_file():
        return []
    qt = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)) / f"qtbase_{code}.qm"
    translators = []
    for file in (qt, FOLDER / f"sounds_{code}.qm", ours):
        translator = _Translator(parent)
        if translator.load(str(file)):
            translators.append(translator)
    return translators
