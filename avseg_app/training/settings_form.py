"""All settings of a recipe: a form generated from the configuration classes, checked while it is filled in."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QScrollArea, QSizePolicy, QWidget

from avseg_app import theme
from avseg_app.training.setting_docs import explanations
from avseg_app.widgets.controls import CheckBox, Choice, column, frame, label, set_property
from avseg_core.config import DataConfig, LossConfig, ModelConfig, TrainConfig, to_dict, with_overrides
from avseg_core.errors import InputError
from avseg_core.training.settings_check import check_config

SECTIONS: tuple[tuple[str, type[Any]], ...] = (
    ("", TrainConfig),
    ("data", DataConfig),
    ("loss", LossConfig),
    ("model", ModelConfig),
)
DECIDED_ELSEWHERE = {
    "model", "data", "loss", "init_from", "data.dataset", "data.root", "data.image_size", "data.front_end",
    "data.frames_per_clip", "data.exclude", "model.num_classes", "model.clip_length",
}  # fmt: skip
"""Settings that follow from the data, or that the page asks for itself."""
_CHECK_MS = 150


class SettingsForm(QWidget):
    """Emits `changed` with whether everything fits, some moments after the last change."""

    changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = TrainConfig()
        self._with_model = True
        self.editors: dict[str, QWidget] = {}
        self._problem = ""
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Find a setting"))
        self.filter.setAccessibleName(self.tr("Find a setting"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._apply_filter)
        self.problem = label("", "error")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._rows: list[tuple[str, tuple[QWidget, ...]]] = []
        self._titles: list[tuple[str, QWidget]] = []
        body = frame("inspectorBody")
        self._grid = QGridLayout(body)
        self._grid.setContentsMargins(14, 10, 14, 10)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        for prefix, kind in SECTIONS:
            self._add_section(prefix, kind)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        scroll = QScrollArea()
        scroll.setObjectName("card")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        self.setLayout(column(self.filter, self.problem, scroll, spacing=8))
        self._timer = QTimer(self, interval=_CHECK_MS, singleShot=True)
        self._timer.timeout.connect(self._check)

    def set_base(self, base: TrainConfig, *, with_model: bool) -> None:
        """Shows the values of `base`; without the settings of the model where those are its parent's."""
        self._base, self._with_model = base, with_model
        values = _flat(base)
        for name, editor in self.editors.items():
            editor.blockSignals(True)
            _write(editor, values[name])
            editor.blockSignals(False)
        self._apply_filter(self.filter.text())
        self._check()

    def assignments(self) -> list[str]:
        """What differs from the base, as `--set` takes it."""
        values = _flat(self._base)
        names = [name for name in self.editors if self._with_model or not name.startswith("model.")]
        given = {name: _read(self.editors[name]) for name in names}
        return [f"{name}={text}" for name, text in given.items() if text != _text(values[name])]

    def config(self) -> TrainConfig:
        """The settings as they are now. Raises InputError if they do not fit."""
        config = with_overrides(self._base, self.assignments())
        check_config(config)
        config.model.check()
        return config

    @property
    def is_valid(self) -> bool:
        """Whether the last check found nothing wrong."""
        return not self._problem

    def _add_section(self, prefix: str, kind: type[Any]) -> None:
        titles = {
            "": self.tr("Training"),
            "data": self.tr("Data"),
            "loss": self.tr("Loss"),
            "model": self.tr("Model"),
        }
        title = label(titles[prefix], "heading")
        self._grid.addWidget(title, self._grid.rowCount(), 0, 1, 3)
        self._titles.append((prefix, title))
        hints = typing.get_type_hints(kind)
        texts = explanations(kind)
        for item in dataclasses.fields(kind):
            name = f"{prefix}.{item.name}" if prefix else item.name
            if name not in DECIDED_ELSEWHERE:
                self._add_row(name, item.name, hints[item.name], texts.get(item.name, ""))

    def _add_row(self, name: str, short: str, hint: Any, text: str) -> None:
        words = short.replace("_", " ").capitalize()
        editor = self._make_editor(hint, words)
        editor.setFixedWidth(170)
        editor.setToolTip(f"{name}\n{text}".strip())
        title = label(words)
        title.setBuddy(editor)
        explanation = label(text, "muted")
        explanation.setFont(theme.small_font())
        explanation.setWordWrap(True)
        explanation.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = self._grid.rowCount()
        for place, widget in enumerate((title, editor, explanation)):
            self._grid.addWidget(widget, line, place)
        self.editors[name] = editor
        self._rows.append((name, (title, editor, explanation)))

    def _make_editor(self, hint: Any, words: str) -> QWidget:
        if hint is bool:
            box = CheckBox()
            box.setAccessibleName(words)
            box.toggled.connect(lambda _: self._timer.start())
            return box
        if typing.get_origin(hint) is typing.Literal:
            choice = Choice(words)
            choice.addItems([str(value) for value in typing.get_args(hint)])
            choice.activated.connect(lambda _: self._timer.start())
            return choice
        line = QLineEdit()
        line.setAccessibleName(words)
        line.textChanged.connect(lambda _: self._timer.start())
        return line

    def _apply_filter(self, text: str) -> None:
        wanted = text.strip().lower()
        shown_sections = set()
        for name, widgets in self._rows:
            section = name.partition(".")[0] if "." in name else ""
            words = f"{name} {name.replace('_', ' ')} {widgets[2].text()}".lower()
            shown = wanted in words and (self._with_model or section != "model")
            for widget in widgets:
                widget.setVisible(shown)
            if shown:
                shown_sections.add(section)
        for section, title in self._titles:
            title.setVisible(section in shown_sections)

    def _check(self) -> None:
        wrong = ""
        try:
            self.config()
            self._problem = ""
        except InputError as error:
            self._problem = str(error).removeprefix("override: ")
            wrong = next((name for name in self.editors if name.rpartition(".")[2] in self._problem.split()), "")
            wrong = wrong or next((n for n in self.editors if f"{n.rpartition('.')[2]}:" in self._problem), "")
        for name, editor in self.editors.items():
            if bool(editor.property("invalid")) != (name == wrong):
                set_property(editor, "invalid", name == wrong)
        self.problem.setText(self._problem)
        self.problem.setVisible(bool(self._problem))
        self.changed.emit(self.is_valid)


def _flat(config: TrainConfig) -> dict[str, Any]:
    """Dotted names to plain values."""
    flat: dict[str, Any] = {}
    for name, value in to_dict(config).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": item for inner, item in value.items()}
        else:
            flat[name] = value
    return flat


def _text(value: Any) -> str:
    """A value as the form shows it and `--set` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else str(item) for item in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _write(editor: QWidget, value: Any) -> None:
    if isinstance(editor, QCheckBox):
        editor.setChecked(bool(value))
    elif isinstance(editor, Choice):
        editor.setCurrentText(str(value))
    elif isinstance(editor, QLineEdit):
        editor.setText(_text(value))
        editor.setCursorPosition(0)


def _read(editor: QWidget) -> str:
    if isinstance(editor, QCheckBox):
        return "true" if editor.isChecked() else "false"
    return editor.currentText() if isinstance(editor, Choice) else editor.text().strip()
