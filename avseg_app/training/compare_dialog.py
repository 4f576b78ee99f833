"""A trained model beside the one it came from, measured on the same clips."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from avseg_app.training.jobs import RunView
from avseg_app.training.processes import CommandTask
from avseg_app.widgets.controls import column, label

PROTOCOLS = ("avsbench", "frame", "dataset")


class CompareDialog(QDialog):
    """Runs `evaluate` on both models while it is open."""

    def __init__(self, view: RunView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        assert view.config is not None
        config = view.config
        self.setWindowTitle(self.tr("Before and after"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(640, 390)
        self._names = (config.init_from, view.name)
        self.text = label(self.tr("Measuring both models on the validation clips…"))
        self.text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.table = QTableWidget(0, 4)
        self.table.setAccessibleName(self.tr("Figures before and after"))
        self.table.setHorizontalHeaderLabels(
            [self.tr("Measured as"), self.tr("Before"), self.tr("After"), self.tr("Change")]
        )
        for place in range(4):
            side = Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft
            self.table.horizontalHeaderItem(place).setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setShowGrid(False)
        self.table.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.setLayout(column(self.text, self.bar, self.table, buttons, spacing=10, margins=(18, 16, 18, 14)))
        size = str(config.batch_size)
        words = ["evaluate", "--model", config.init_from, str(view.run.exported_model), "--data", config.data.root]
        words += ["--dataset", config.data.dataset, "--split", "val", "--protocol", *PROTOCOLS, "--batch-size", size]
        if config.data.hold_out:
            words += ["--hold-out", str(config.data.hold_out)]
        if config.data.exclude:
            words += ["--exclude", *config.data.exclude]
        self._task = CommandTask(words, self)
        self._task.done.connect(self._show)
        self._task.failed.connect(self._fail)

    def done(self, result: int) -> None:
        self._task.stop()
        super().done(result)

    def _fail(self, text: str) -> None:
        self.bar.hide()
        self.text.setText(self.tr("The models could not be compared: {0}").format(text))

    def _show(self, answer: dict) -> None:
        self.bar.hide()
        if not comparable(answer):
            text = self.tr("{0} and {1} cannot be compared: only one of them tells classes apart.")
            self.text.setText(text.format(*self._names))
            return
        rows = figures(answer)
        for line, (name, before, after) in enumerate(rows):
            self.table.insertRow(line)
            texts = (name, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}")
            for place, text in enumerate(texts):
                item = QTableWidgetItem(text.replace("-", "\N{MINUS SIGN}") if place else text)
                if place:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(line, place, item)
        self.table.show()
        text = self.tr("{0} (before) and {1} (after) on the same validation clips; 1 is perfect.")
        self.text.setText(text.format(*self._names))


def comparable(answer: dict) -> bool:
    """Whether both models have classes or neither has: a mean over classes is another figure than that of one mask."""
    return len({bool(evaluation["scores"][0].get("classes")) for evaluation in answer["evaluations"]}) == 1


def figures(answer: dict) -> list[tuple[str, float, float]]:
    """Name of a figure, before, after; from what `evaluate --json` prints for two models."""
    before, after = (evaluation["scores"] for evaluation in answer["evaluations"])
    rows = []
    for old, new in zip(before, after, strict=True):
        for key, name in (("miou", "mIoU"), ("fscore", QCoreApplication.translate("CompareDialog", "F-score"))):
            if key in old["values"] and key in new["values"]:
                rows.append((f"{name}  ({old['protocol']})", old["values"][key], new["values"][key]))
    return rows
