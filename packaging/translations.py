"""Brings the translations of the window up to date.

    .venv/bin/python packaging/translations.py

Takes every string of the window into `resources/translations/avseg_<language>.ts`, where a person (pyside6-linguist, or
any editor) fills in what is new, and compiles each into the `.qm` file that the application loads. A new language
begins as an empty file of that name, and is then added to `avseg_app.settings.Language` and to the menu. What YAMNet's
sounds are called stands in `sounds_<language>.ts`, in the order of `avseg_core.audio.classes`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "translations"


def main() -> int:
    for file in sorted(FOLDER.glob("avseg_*.ts")):
        update(file)
    for file in sorted(FOLDER.glob("*.ts")):
        compile_to(file, file.with_suffix(".qm"))
    return 0


def update(file: Path) -> None:
    """Takes new strings into `file`, and out of it what is no longer used."""
    options = ["-extensions", "py", "-no-obsolete", "-locations", "none"]
    _run("lupdate", *options, str(ROOT / "avseg_app"), "-ts", str(file))


def compile_to(file: Path, target: Path) -> None:
    """Writes what is finished in `file` as `target`."""
    _run("lrelease", str(file), "-qm", str(target))


def _run(tool: str, *arguments: str) -> None:
    """Runs one of the programs that come with PySide6."""
    subprocess.run([str(Path(sys.executable).with_name(f"pyside6-{tool}")), *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
