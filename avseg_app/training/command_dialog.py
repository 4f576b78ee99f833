"""The same run as commands for a terminal, another machine or a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPlainTextEdit, QWidget

from avseg_app import theme
from avseg_app.training.recipe import shell_command
from avseg_app.widgets.controls import Button, column, label, row
from avseg_app.widgets.spin import NumberField


class CommandDialog(QDialog):
    """Shows the command for this machine and, with torchrun, for a machine with several graphics cards."""

    def __init__(self, words: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._name = words, name
        self.setWindowTitle(self.tr("The run as a command"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 380)
        hint = label(
            self.tr(
                "The command writes the same run folder as this page. Copied back from another machine, it is shown "
                "here with “Add run folder…”. The data folder must be at the same place there."
            ),
            "muted",
        )
        hint.setWordWrap(True)
        self.cards = NumberField(2, 64)
        self.cards.setValue(4)
        self.cards.setAccessibleName(self.tr("Graphics cards"))
        self.cards.valueChanged.connect(lambda _: self._write())
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(theme.mono_font(0.95))
        self.text.setAccessibleName(self.tr("Commands"))
        title = label(self.tr("Graphics cards"))
        title.setBuddy(self.cards)
        copy = Button(self.tr("Copy"))
        copy.setProperty("kind", "primary")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        body = column(
            hint, row(title, self.cards, 0), self.text, row(0, copy, close), spacing=10, margins=(18, 16, 18, 14)
        )
        self.setLayout(body)
        self._write()

    def _write(self) -> None:
        lines = [
            "# " + self.tr("on this machine, or any one with a single graphics card"),
            shell_command(self._words, self._name),
            "",
            "# " + self.tr("on a machine with {0} graphics cards").format(self.cards.value()),
            shell_command(self._words, self._name, processes=self.cards.value()),
        ]
        self.text.setPlainText("\n".join(lines) + "\n")
