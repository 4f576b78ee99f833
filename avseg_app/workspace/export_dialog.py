"""What to export and where to; and the export itself, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QWidget

from avseg_app.widgets.controls import Button, CheckBox, column, label, row
from avseg_app.workers import export_process
from avseg_app.workers.child import Child, describe_exit
from avseg_app.workers.protocol import ExportDone, ExportFailed, ExportProgress, ExportRequest


@dataclass(frozen=True)
class ExportChoice:
    """What the user chose."""

    formats: tuple[str, ...]
    folder: Path


class ExportDialog(QDialog):
    """Asks for formats and a folder; `chosen` is emitted when the user agrees."""

    chosen = Signal(object)

    def __init__(self, choice: ExportChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export"))
        self.setMinimumWidth(460)
        texts = {
            "overlay": (self.tr("Overlay video"), self.tr("MP4 with the masks drawn in and the original sound")),
            "png": (self.tr("PNG masks"), self.tr("One per mask, with a JSON file of their times")),
            "coco": (self.tr("COCO annotations"), self.tr("JSON with run-length encoded masks")),
        }
        self.boxes: dict[str, QCheckBox] = {}
        lines: list[QWidget] = []
        for name, (title, text) in texts.items():
            box = CheckBox(title)
            box.setChecked(name in choice.formats)
            box.toggled.connect(self._check)
            hint = label(text, "muted")
            hint.setContentsMargins(26, 0, 0, 4)
            self.boxes[name] = box
            lines += [box, hint]
        self.folder = QLineEdit(str(choice.folder))
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.textChanged.connect(self._check)
        browse = Button(self.tr("Choose…"))
        browse.clicked.connect(self._browse)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export_button = buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.export_button.setProperty("kind", "primary")
        self.export_button.setDefault(True)
        buttons.accepted.connect(self._agree)
        buttons.rejected.connect(self.reject)
        self.notes = label("", "muted")
        self.notes.setWordWrap(True)
        parts = (*lines, 4, label(self.tr("Folder")), row(self.folder, browse), self.notes, 6, buttons)
        self.setLayout(column(*parts, spacing=4, margins=(18, 16, 18, 14)))
        self._check()

    def show_notes(self, notes: list[str]) -> None:
        """A line for each."""
        self.notes.setText("\n".join(notes))

    def _choice(self) -> ExportChoice:
        formats = tuple(name for name, box in self.boxes.items() if box.isChecked())
        return ExportChoice(formats, Path(self.folder.text().strip()).expanduser())

    def _check(self) -> None:
        self.export_button.setEnabled(bool(self._choice().formats) and bool(self.folder.text().strip()))

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _agree(self) -> None:
        self.chosen.emit(self._choice())
        self.accept()


class ExportTask(QObject):
    """One running export."""

    progress = Signal(float)
    done = Signal(object)
    """The files, tuple of Path"""
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, request: ExportRequest, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelling = False
        self._answered = False
        self._child = Child(export_process.main, "export", self)
        self._child.received.connect(self._on_answer)
        self._child.ended.connect(self._on_end)
        self._child.send(request)

    def cancel(self) -> None:
        """Asks to stop; half-written files are removed."""
        self._cancelling = True
        self._child.send("stop")

    def close(self) -> None:
        """Ends the process at once."""
        self._child.stop()

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, ExportProgress):
            self.progress.emit(answer.share)
            return
        self._answered = True
        if isinstance(answer, ExportDone):
            self.done.emit(answer.files)
        elif isinstance(answer, ExportFailed) and self._cancelling:
            self.cancelled.emit()
        elif isinstance(answer, ExportFailed):
            self.failed.emit(answer.message)

    def _on_end(self, code: object) -> None:
        if not self._answered:
            self.failed.emit(self.tr("The export process ended unexpectedly ({0}).").format(describe_exit(code)))
