"""Inside a run while it learns: the mixer's weights and which class is taken for which, over its evaluations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QTransform
from PySide6.QtWidgets import QLabel, QSlider, QWidget

from avseg_app import theme
from avseg_app.training.curves import line_pen
from avseg_app.training.jobs import RunView
from avseg_app.widgets.controls import column, keep_keys, label, row
from avseg_app.workers.background import Background
from avseg_core.config import DataConfig
from avseg_core.data.folder_table import read_classes
from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.training.events import Evaluated

_MOST_NAMES = 24
"""Classes whose names fit beside the picture."""
Matrix = NDArray[np.float64]


def class_names(config: DataConfig) -> tuple[str, ...]:
    """The classes by number; empty where nothing names them. Raises InputError for a damaged dataset.toml."""
    if config.dataset == "avss":
        return tuple(AVSS_CLASSES)
    return read_classes(Path(config.root)) if config.dataset == "folder" else ()


def mixer_matrix(evaluations: list[Evaluated]) -> Matrix:
    """[evaluations, channels], the channels in the order of their last weight; empty where there are none."""
    rows = [event.mixer_weights for event in evaluations]
    if not rows or len({len(weights) for weights in rows}) > 1:
        return np.zeros((0, 0))
    weights = np.array(rows, float)
    return weights[:, np.argsort(weights[-1])]


class _Map(pg.PlotWidget):
    """A picture of numbers from 0 to 1 with axes in the colours of the theme."""

    def __init__(self, title: str, left: str, bottom: str) -> None:
        super().__init__()
        self._texts = (title, left, bottom)
        self.setAccessibleName(title)
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.image = pg.ImageItem(axisOrder="row-major")
        self.image.setColorMap(pg.colormap.get("viridis"))
        self.addItem(self.image)
        self.apply_theme()

    def apply_theme(self) -> None:
        tokens = theme.current()
        title, left, bottom = self._texts
        self.setBackground(tokens.color("surface"))
        color = tokens.color("text-muted").name()
        for side, text in (("left", left), ("bottom", bottom)):
            axis = self.getAxis(side)
            axis.setPen(tokens.color("border-strong"))
            axis.setTextPen(tokens.color("text-muted"))
            axis.setStyle(tickFont=theme.small_font())
            axis.setLabel(text, color=color)
        self.plotItem.setTitle(title, color=tokens.color("text").name(), size="9pt", bold=True)

    def show_values(self, values: Matrix, levels: tuple[float, float]) -> None:
        """[rows, columns]; cells lie around whole numbers."""
        self.image.setImage(values, levels=levels)
        self.image.setTransform(QTransform.fromTranslate(-0.5, -0.5))
        rows, columns = values.shape
        self.setRange(QRectF(-0.5, -0.5, columns, rows), padding=0)


class _Evaluations(QSlider):
    """Arrow keys stay with the slider."""

    def event(self, event) -> bool:
        return keep_keys(event) or super().event(event)


class InsightView(QWidget):
    """Follows the run that is shown; at the newest evaluation unless the slider was moved back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._work = Background("classes", self)
        self._folder: Path | None = None
        self._names: tuple[str, ...] = ()
        self._evaluations: list[Evaluated] = []
        self.slider = _Evaluations(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Evaluation"))
        self.slider.valueChanged.connect(lambda _: self._show_evaluation())
        self.caption = label("", "muted")
        self.caption.setFont(theme.mono_font(0.9))
        self.caption.setMinimumWidth(self.caption.fontMetrics().horizontalAdvance("after epoch 000 (mIoU 0.000)"))
        self.mixer = _Map(self.tr("Weights of the mixer"), self.tr("channel, by last weight"), self.tr("evaluation"))
        self.now = pg.InfiniteLine(angle=90, movable=False)
        self.mixer.addItem(self.now)
        self.confusion = _Map(self.tr("Which class is taken for which"), self.tr("is"), self.tr("is taken for"))
        self.confusion.plotItem.vb.invertY(True)  # the first class at the top, as tables have it
        self.hint = label("", "muted")
        self.empty = QLabel(self.tr("The mixer's weights, and with classes which is taken for which, appear here."))
        self.empty.setProperty("role", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QWidget()
        self._bar.setLayout(row(label(self.tr("Evaluation")), self.slider, self.caption))
        plots = row(self.mixer, self.confusion, spacing=10)
        self.setLayout(column(self._bar, plots, self.hint, self.empty, spacing=8))
        self.confusion.scene().sigMouseMoved.connect(self._describe_cell)
        self._refresh()

    def close_threads(self) -> None:
        """Ends the thread that reads the names of the classes."""
        self._work.close()

    def apply_theme(self) -> None:
        """Takes over the colours of the theme in force."""
        self.mixer.apply_theme()
        self.confusion.apply_theme()

    def show_run(self, view: RunView) -> None:
        """Shows the evaluations of `view`."""
        if view.run.folder != self._folder:
            self._folder, self._names, self._evaluations = view.run.folder, (), []
            if view.config is not None:
                data = view.config.data
                self._work.submit(lambda: (view.run.folder, class_names(data)), self._on_names)
        if list(view.evaluations) == self._evaluations:
            return
        at_end = self.slider.value() >= len(self._evaluations) - 1
        self._evaluations = list(view.evaluations)
        self.slider.setRange(0, max(0, len(self._evaluations) - 1))
        self.slider.setEnabled(len(self._evaluations) > 1)
        if at_end:
            self.slider.setValue(len(self._evaluations) - 1)
        self._refresh()

    def _on_names(self, answer: tuple[Path, tuple[str, ...]]) -> None:
        if answer[0] == self._folder:
            self._names = answer[1]
            self._show_evaluation()

    def _refresh(self) -> None:
        weights = mixer_matrix(self._evaluations)
        with_classes = any(event.confusion for event in self._evaluations)
        self.mixer.setVisible(bool(weights.size))
        self.confusion.setVisible(with_classes)
        for widget in (self._bar, self.hint):
            widget.setVisible(bool(weights.size) or with_classes)
        self.empty.setVisible(not weights.size and not with_classes)
        if weights.size:
            self.mixer.show_values(weights.T, (float(weights.min()), max(float(weights.max()), 1e-6)))
        self._show_evaluation()

    def _show_evaluation(self) -> None:
        if not self._evaluations:
            return
        place = min(self.slider.value(), len(self._evaluations) - 1)
        event = self._evaluations[place]
        self.caption.setText(self.tr("after epoch {0} (mIoU {1:.3f})").format(event.epoch + 1, event.miou))
        self.now.setPen(line_pen(self, QColor("white"), 2.0))
        self.now.setValue(place)
        texts = []
        if event.mixer_weights:
            weights = np.array(event.mixer_weights)
            text = self.tr("Mixer: {0} channels, mean {1:.3f}, from {2:.3f} to {3:.3f}")
            texts.append(text.format(len(weights), weights.mean(), weights.min(), weights.max()))
        if event.confusion:
            self._show_confusion(event)
            texts.append(self._worst(event))
        self.hint.setText("   ·   ".join(text for text in texts if text))

    def _show_confusion(self, event: Evaluated) -> None:
        self.confusion.show_values(np.array(event.confusion, float), (0.0, 1.0))
        names = [self._name(number) for number in event.confusion_classes]
        ticks = list(enumerate(names if len(names) <= _MOST_NAMES else [""] * len(names)))
        for side in ("left", "bottom"):
            self.confusion.getAxis(side).setTicks([ticks])

    def _name(self, number: int) -> str:
        return self._names[number] if number < len(self._names) else str(number)

    def _worst(self, event: Evaluated) -> str:
        """The two different classes that are mixed up most."""
        shares = np.array(event.confusion, float)
        np.fill_diagonal(shares, 0.0)
        if not shares.any():
            return ""
        true, taken = np.unravel_index(int(shares.argmax()), shares.shape)
        names = (self._name(event.confusion_classes[place]) for place in (true, taken))
        return self.tr("most mixed up: {0} taken for {1}, {2:.0f} %").format(*names, 100 * shares[true, taken])

    def _describe_cell(self, position: QPointF) -> None:
        """The cell under the mouse in words."""
        if not self._evaluations:
            return
        event = self._evaluations[min(self.slider.value(), len(self._evaluations) - 1)]
        point = self.confusion.plotItem.vb.mapSceneToView(position)
        column_, row_ = round(point.x()), round(point.y())
        if 0 <= row_ < len(event.confusion) and 0 <= column_ < len(event.confusion):
            names = [self._name(event.confusion_classes[place]) for place in (row_, column_)]
            text = self.tr("{0} is taken for {1}: {2:.1f} % of its pixels")
            self.confusion.setToolTip(text.format(*names, 100 * event.confusion[row_][column_]))
