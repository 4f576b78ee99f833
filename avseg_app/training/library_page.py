"""All models on this computer: what each is, where it comes from, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QTextBrowser,
    QWidget,
)

from avseg_app.icons import icon
from avseg_app.training import words
from avseg_app.training.processes import CommandTask
from avseg_app.widgets.controls import Button, column, label, row
from avseg_app.widgets.elided_label import ElidedLabel
from avseg_app.widgets.flow import FlowLayout
from avseg_app.workers.background import Background
from avseg_core.errors import AVSegError
from avseg_core.training import library
from avseg_core.training.library import ModelCard

_ARCHITECTURES = {"avsegformer": "AVSegFormer", "tpavi": "TPAVI"}


class LibraryPage(QWidget):
    """Lists the models; emits when they have changed, and what the user wants of one."""

    models_changed = Signal(str, str)
    """A model got another name or (empty) is gone"""
    use_requested = Signal(str)
    train_requested = Signal(str)
    said = Signal(str, str)
    """Kind and text for the message bar"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._work = Background("library", self)
        self._cards: list[ModelCard] = []
        self._used = ""
        self._wanted = ""
        self._task: CommandTask | None = None
        self._measured = ""
        self.models = QListWidget()
        self.models.setAccessibleName(self.tr("Models"))
        self.models.setFixedWidth(220)
        self.models.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.models.currentRowChanged.connect(lambda _: self._show_card())
        self.problem = label("", "error")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._name = ElidedLabel("", "heading", Qt.TextElideMode.ElideMiddle)
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.setHorizontalSpacing(18)
        self._form.setVerticalSpacing(7)
        self._make_buttons()
        card = QFrame()
        card.setProperty("card", True)
        lines = (
            FlowLayout([self.use_button, self.train_button]),
            FlowLayout([self.speed_button, self.runtime_button, self.story_button]),
            FlowLayout([self.export_button, self.rename_button, self.delete_button]),
        )
        card.setLayout(column(self._name, self._form, 6, *lines, 0, spacing=10, margins=(20, 16, 20, 16)))
        shelf = QFrame()
        shelf.setProperty("card", True)
        shelf.setLayout(column(self.models, margins=(8, 8, 8, 8)))
        body = row(shelf, card, spacing=14)
        body.setStretch(1, 1)
        title = label(self.tr("Models"), "title")
        hint = label(self.tr("What the video view and training can use."), "muted")
        self.setLayout(column(title, hint, 6, self.problem, body, spacing=6, margins=(20, 14, 20, 14)))
        self.layout().setStretchFactor(body, 1)

    def close_threads(self) -> None:
        """Ends the thread that reads and writes files, and a measurement."""
        if self._task is not None:
            self._task.stop()
            self._task = None
        self._work.close()

    def refresh(self, used: str, choose: str = "") -> None:
        """Reads the models again; `used` is the one in use, `choose` the one to show."""
        self._used = used
        self._wanted = choose or self._wanted or used
        self._work.submit(library.list_models, self._on_models)

    def _make_buttons(self) -> None:
        self.use_button = Button(icon("success", "accent-text"), self.tr("Use this model"))
        self.use_button.setProperty("kind", "primary")
        self.use_button.clicked.connect(lambda: self._with_card(lambda card: self.use_requested.emit(card.name)))
        self.train_button = Button(icon("training"), self.tr("Fine-tune…"))
        self.train_button.clicked.connect(lambda: self._with_card(lambda card: self.train_requested.emit(card.name)))
        self.export_button = Button(icon("export"), self.tr("Save a copy…"))
        self.export_button.setToolTip(self.tr("One safetensors file with the configuration inside, or an ONNX file"))
        self.export_button.clicked.connect(lambda: self._with_card(self._ask_copy))
        self.rename_button = Button(self.tr("Rename…"))
        self.rename_button.clicked.connect(lambda: self._with_card(self._ask_name))
        self.speed_button = Button(self.tr("Measure the speed"))
        self.speed_button.setToolTip(self.tr("Milliseconds per frame on this computer; takes about half a minute"))
        self.speed_button.clicked.connect(lambda: self._with_card(self.measure))
        self.runtime_button = Button(self.tr("Faster on this machine…"))
        self.runtime_button.setToolTip(
            self.tr("Converts the model for onnxruntime, compares its answers, and uses what is faster; takes minutes")
        )
        self.runtime_button.clicked.connect(lambda: self._with_card(self.compare_runtimes))
        self.story_button = Button(icon("info"), self.tr("Model card…"))
        self.story_button.setToolTip(self.tr("What the model can and cannot do, and what it learnt from"))
        self.story_button.clicked.connect(lambda: self._with_card(self.show_story))
        self.delete_button = Button(self.tr("Delete…"))
        self.delete_button.clicked.connect(lambda: self._with_card(self._ask_delete))

    def _on_models(self, answer: tuple[list[ModelCard], list[str]]) -> None:
        cards, problems = answer
        self._cards = cards
        self.problem.setText("\n".join(problems))
        self.problem.setVisible(bool(problems))
        self.models.blockSignals(True)
        self.models.clear()
        for card in cards:
            used = self.tr("in use") if card.name == self._used else ""
            origin = self.tr("your own") if card.is_own else self.tr("came with the application")
            text = "  ·  ".join(part for part in (used, origin, words.size(card.size)) if part)
            item = QListWidgetItem(icon("models", "accent" if used else "text-muted"), f"{card.name}\n{text}")
            item.setToolTip(str(card.file))
            self.models.addItem(item)
        self.models.blockSignals(False)
        names = [card.name for card in cards]
        self.models.setCurrentRow(names.index(self._wanted) if self._wanted in names else 0)
        self._show_card()

    @property
    def card(self) -> ModelCard | None:
        """The card that is shown."""
        index = self.models.currentRow()
        return self._cards[index] if 0 <= index < len(self._cards) else None

    def _with_card(self, action) -> None:
        if self.card is not None:
            action(self.card)

    def _show_card(self) -> None:
        card = self.card
        while self._form.rowCount():
            self._form.removeRow(0)
        for button in (self.use_button, self.train_button, self.export_button):
            button.setEnabled(card is not None)
        self.story_button.setVisible(card is not None and _story(card).is_file())
        for button in (self.speed_button, self.runtime_button):
            button.setEnabled(card is not None and self._task is None)
        self.use_button.setEnabled(card is not None and card.name != self._used)
        for button in (self.rename_button, self.delete_button):
            button.setEnabled(card is not None and card.is_own and card.name != self._used)
            button.setToolTip(
                self.tr("Not while the model is in use, and only for models of your own")
                if not button.isEnabled()
                else ""
            )
        self._name.setText(card.name if card else self.tr("No model yet"))
        if card is None:
            return
        self._wanted = card.name
        for title, text in self._lines(card):
            value = QLabel(text)
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(label(title, "muted"), value)
        file = ElidedLabel(f"{card.file}  ({words.size(card.size)})", cut=Qt.TextElideMode.ElideMiddle)
        self._form.addRow(label(self.tr("File"), "muted"), file)

    def _lines(self, card: ModelCard) -> list[tuple[str, str]]:
        config, facts = card.config, card.facts
        height, width = config.image_size
        architecture = _ARCHITECTURES.get(config.architecture, config.architecture)
        kind = self.tr("{0}, {1} and {2}, frames of {3}x{4}").format(
            architecture, config.backbone, config.audio_encoder, width, height
        )
        answers = (
            self.tr("what sounds, and what does not")
            if config.num_classes == 1
            else self.tr("{0} classes").format(config.num_classes - 1)
        )
        lines = [(self.tr("Model"), kind), (self.tr("Answers"), answers)]
        for key, title in (
            ("title", self.tr("About")),
            ("parent", self.tr("Made from")),
            ("init_from", self.tr("Made from")),
            ("data", self.tr("Learnt from")),
            ("source", self.tr("Source")),
            ("layout", self.tr("Published as")),
            ("date", self.tr("Date")),
            ("licence", self.tr("Licence")),
        ):
            if facts.get(key) and title not in dict(lines):
                lines.append((title, str(facts[key])))
        scores = [
            f"{name} {float(facts[key]):.3f}"
            for key, name in (("miou", self.tr("mIoU")), ("fscore", self.tr("F-score")))
            if _is_number(facts.get(key))
        ]
        if scores:
            lines.append((self.tr("Validation"), ", ".join(scores)))
        lines.append((self.tr("Speed here"), self._describe_speed(card)))
        runtimes = library.known_runtimes(card)
        if runtimes is not None:
            lines.append((self.tr("Runs on"), self._describe_runtimes(runtimes)))
        return lines

    def _describe_speed(self, card: ModelCard) -> str:
        if card.name == self._measured:
            return self.tr("being measured…")
        speed = library.known_speed(card)
        if speed is None:
            return self.tr("not measured yet")
        return self.tr("{0:.0f} ms per frame, {1:.1f} frames per second ({2}, {3} threads)").format(
            speed.milliseconds, 1000 / max(speed.milliseconds, 0.1), speed.device, speed.threads
        )

    def _describe_runtimes(self, milliseconds: dict[str, float]) -> str:
        torch, onnx = milliseconds["torch"], milliseconds["onnx"]
        used = "onnxruntime" if onnx < torch else "PyTorch"
        return self.tr("{0} ({1:.0f} ms per frame on onnxruntime, {2:.0f} on PyTorch)").format(used, onnx, torch)

    def compare_runtimes(self, card: ModelCard) -> None:
        """Finds the faster runtime of a model in a process of its own; the model is used with it from its next load."""
        self._start_measuring(card, ["bench", "--runtimes", "--model", card.name])

    def measure(self, card: ModelCard) -> None:
        """Measures the speed of a model in a process of its own; the answer is kept for its card."""
        self._start_measuring(card, ["bench", "--quick", "--model", card.name])

    def _start_measuring(self, card: ModelCard, words: list[str]) -> None:
        self._measured = card.name
        self._task = CommandTask(words, self)
        self._task.done.connect(lambda _: self._end_measure(""))
        self._task.failed.connect(self._end_measure)
        self._show_card()

    def _end_measure(self, problem: str) -> None:
        self._task, self._measured = None, ""
        if problem:
            self.said.emit("error", self.tr("The speed could not be measured: {0}").format(problem))
        self._show_card()

    def show_story(self, card: ModelCard) -> QDialog:
        """Opens the model's own page of text."""
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Model card of {0}").format(card.name))
        dialog.resize(760, 620)
        text = QTextBrowser()
        text.setOpenExternalLinks(True)
        text.setAccessibleName(dialog.windowTitle())
        text.document().setDocumentMargin(14)
        text.setSearchPaths([str(card.file.parent)])
        text.setMarkdown(_story(card).read_text(encoding="utf-8", errors="replace"))
        dialog.setLayout(column(text, margins=(12, 12, 12, 12)))
        dialog.open()
        return dialog

    def _ask_copy(self, card: ModelCard) -> None:
        dialog = QFileDialog(self, self.tr("Save a copy of {0}").format(card.name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Weights (*.safetensors)"), self.tr("ONNX, for other programs (*.onnx)")])
        dialog.filterSelected.connect(lambda name: dialog.setDefaultSuffix("onnx" if "onnx" in name else "safetensors"))
        dialog.setDefaultSuffix("safetensors")
        dialog.selectFile(card.name)
        dialog.fileSelected.connect(lambda name: self.save_copy(card, Path(name)))
        dialog.open()

    def save_copy(self, card: ModelCard, target: Path) -> None:
        """Copies the weights to `target`; where it ends in .onnx, the model is converted and compared first."""
        done = self.tr("{0} is saved as {1}.").format(card.name, target)
        if target.suffix.lower() != ".onnx":
            self._do(lambda: library.copy_out(card, target), lambda: self.said.emit("success", done))
            return
        self.said.emit("info", self.tr("Converting {0}; it is compared before it is kept…").format(card.name))
        task = CommandTask(["export-model", card.name, "--out", str(target)], self)
        equal = self.tr("Its answers differ from PyTorch's by at most {0:.1e}.")
        task.done.connect(lambda report: self.said.emit("success", f"{done} {equal.format(report['difference'])}"))
        task.failed.connect(lambda text: self.said.emit("error", text))

    def _ask_name(self, card: ModelCard) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Rename the model"))
        dialog.setLabelText(self.tr("New name of {0}").format(card.name))
        dialog.setTextValue(card.name)
        dialog.textValueSelected.connect(lambda name: self.rename(card, name.strip()))
        dialog.open()

    def rename(self, card: ModelCard, name: str) -> None:
        """Gives the model another name."""
        if name and name != card.name:
            self._wanted = name
            self._do(lambda: library.rename(card, name), lambda: self.models_changed.emit(card.name, name))

    def _ask_delete(self, card: ModelCard) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, self.tr("Delete the model"), "", parent=self)
        box.setText(self.tr("Delete {0} for good? {1} are freed.").format(card.name, words.size(card.size)))
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole).clicked.connect(
            lambda: self.delete(card)
        )
        box.open()

    def delete(self, card: ModelCard) -> None:
        """Deletes the model."""
        self._wanted = ""
        self._do(lambda: library.delete(card), lambda: self.models_changed.emit(card.name, ""))

    def _do(self, work, done) -> None:
        def finished(_: object) -> None:
            done()
            self.refresh(self._used)

        def failed(error: AVSegError) -> None:
            self.said.emit("error", str(error))
            self.refresh(self._used)

        self._work.submit(work, finished, failed)


def _story(card: ModelCard) -> Path:
    """Where a model that has a page of text keeps it."""
    return card.file.with_name("card.md")


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
