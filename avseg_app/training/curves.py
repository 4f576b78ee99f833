"""The curves of a run, live: loss and its parts, validation, learning rate; beside those of another run."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from avseg_app import theme
from avseg_app.training.jobs import RunView
from avseg_app.widgets.controls import CheckBox, Choice, Slider, column, label, row
from avseg_app.widgets.elided_label import ElidedLabel
from avseg_app.widgets.swatches import OVERLAY_COLORS

_PART_COLORS = ("sky", "green", "purple", "vermilion", "yellow")
_PART_STYLES = (Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine, Qt.PenStyle.DashDotDotLine)
"""Parts of the loss differ by more than their colours; dashes are those of the other run."""
Numbers = NDArray[np.float64]


def smoothed(values: Numbers, amount: float) -> Numbers:
    """Exponential average with weight `amount` for the past (0: as it is); gaps stay, the start is not drawn to 0."""
    if amount <= 0 or len(values) < 2:
        return values
    from scipy.signal import lfilter  # slow to come in, and most windows never draw a curve

    known = np.isfinite(values)
    total = lfilter([1 - amount], [1, -amount], np.where(known, values, 0.0))
    weight = lfilter([1 - amount], [1, -amount], known.astype(float))
    return np.where(known, total / np.maximum(weight, 1e-12), np.nan)


def line_pen(owner: QWidget, color: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """A pen of `width` pixels of the window; the charts count in those of the screen, which may be finer."""
    return pg.mkPen(color, width=width * owner.devicePixelRatioF(), style=style)


class _Plot(pg.PlotWidget):
    """One chart in the colours of the theme, with a legend in words."""

    def __init__(self, title: str, *, with_legend: bool = True) -> None:
        super().__init__()
        self.title = title
        self.setAccessibleName(title)
        self.setMinimumSize(QSize(220, 120))
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=True, y=False)
        self.hideButtons()
        self._lines: dict[str, pg.PlotDataItem] = {}
        self.legend = self.addLegend(offset=(-8, 4), labelTextSize="8pt", verSpacing=-6)
        self.legend.setVisible(with_legend)
        self.plotItem.setDownsampling(auto=True, mode="peak")
        self.plotItem.setClipToView(True)
        self.apply_theme()

    def apply_theme(self) -> None:
        """Takes over the colours of the theme in force."""
        tokens = theme.current()
        self.setBackground(tokens.color("surface"))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(tokens.color("border-strong"))
            axis.setTextPen(tokens.color("text-muted"))
            axis.setStyle(tickFont=theme.small_font(), maxTextLevel=1)
        self.showGrid(x=False, y=True, alpha=0.18)
        self.legend.setBrush(tokens.color("surface", 0.8))
        self.legend.setLabelTextColor(tokens.color("text"))
        self.plotItem.setTitle(self.title, color=tokens.color("text").name(), size="9pt", bold=True)

    def draw(self, name: str, x: Numbers, y: Numbers, pen: QPen, symbol: str | None = None) -> None:
        """Sets the line `name`."""
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = self.plotItem.plot(name=name)
        line.setPen(pen)
        line.setData(x, y, connect="finite")
        line.setSymbol(symbol)
        if symbol:
            line.setSymbolSize(6)
            line.setSymbolBrush(pen.color())
            line.setSymbolPen(None)

    def keep(self, names: set[str]) -> None:
        """Takes all other lines away."""
        for name in self._lines.keys() - names:
            self.plotItem.removeItem(self._lines.pop(name))

    def values(self, name: str) -> Numbers:
        """The values of the line `name` as they were given; empty if there is no such line."""
        line = self._lines.get(name)
        data = line.getOriginalDataset()[1] if line is not None else None
        return np.zeros(0) if data is None else np.asarray(data)


class CurvesView(QWidget):
    """Charts of the run that is shown; emits which run to compare with."""

    compare_changed = Signal(object)
    """Folder of the other run, or None"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = _Plot(self.tr("Loss"))
        self.scores = _Plot(self.tr("Validation"))
        self.rate = _Plot(self.tr("Learning rate"), with_legend=False)
        self.scores.setYRange(0, 1, padding=0.03)
        self.best_line = pg.InfiniteLine(angle=90, movable=False)
        self.best_line.hide()
        self.scores.addItem(self.best_line)
        self.best_label = ElidedLabel("", "muted")
        self.smoothing = Slider(0.0, 0.98, 0.02, self.tr("Smoothing"))
        self.smoothing.setFixedWidth(110)
        self.smoothing.set_real(0.6)
        self.smoothing.moved.connect(lambda _: self._draw())
        self.log_scale = CheckBox(self.tr("Logarithmic"))
        self.log_scale.setToolTip(self.tr("Loss and learning rate on a logarithmic scale"))
        self.log_scale.toggled.connect(self._set_log)
        self.compare = Choice(self.tr("Compare with another run"))
        self.compare.setMinimumWidth(100)
        self.compare.setMaximumWidth(240)
        self.compare.activated.connect(lambda index: self.compare_changed.emit(self.compare.itemData(index)))
        self._view: RunView | None = None
        self._other: RunView | None = None
        smoothing_title = label(self.tr("Smoothing"))
        smoothing_title.setBuddy(self.smoothing)
        compare_title = label(self.tr("Compare with"))
        compare_title.setBuddy(self.compare)
        bar = row(
            smoothing_title, self.smoothing, 6, self.log_scale, 6, compare_title, self.compare, 0, self.best_label
        )
        grid = QGridLayout()
        grid.setSpacing(10)
        grid.addWidget(self.loss, 0, 0, 2, 1)
        grid.addWidget(self.scores, 0, 1)
        grid.addWidget(self.rate, 1, 1)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.setRowStretch(0, 3)
        grid.setRowStretch(1, 2)
        self.setLayout(column(bar, grid, spacing=8))
        for plot in (self.scores, self.rate):
            plot.setXLink(self.loss)

    def apply_theme(self) -> None:
        """Takes over the colours of the theme in force."""
        for plot in (self.loss, self.scores, self.rate):
            plot.apply_theme()
        self._draw()

    def show_runs(self, view: RunView, others: list[RunView]) -> None:
        """Shows `view`; `others` are on offer to compare with, drawn if their curves are there and they are chosen."""
        if self._view is not None and self._view.run != view.run:
            self.loss.enableAutoRange(axis="x")
        self._view = view
        self._offer(others)
        chosen = self.compare.currentData()
        self._other = next((other for other in others if other.run.folder == chosen), None)
        self._draw()

    def _offer(self, others: list[RunView]) -> None:
        folders = [None, *(other.run.folder for other in others)]
        if [self.compare.itemData(index) for index in range(self.compare.count())] == folders:
            return
        chosen = self.compare.currentData()
        self.compare.clear()
        self.compare.addItem(self.tr("no other run"), None)
        for other in others:
            self.compare.addItem(other.name, other.run.folder)
        self.compare.setCurrentIndex(max(0, folders.index(chosen) if chosen in folders else 0))

    def _set_log(self, on: bool) -> None:
        for plot in (self.loss, self.rate):
            plot.setLogMode(y=on)

    def _draw(self) -> None:
        view = self._view
        if view is None:
            return
        drawn: dict[_Plot, set[str]] = {self.loss: set(), self.scores: set(), self.rate: set()}
        self._draw_run(view, drawn, other=False)
        if self._other is not None:
            self._draw_run(self._other, drawn, other=True)
        for plot, names in drawn.items():
            plot.keep(names)
        self._mark_best(view)

    def _draw_run(self, view: RunView, drawn: dict[_Plot, set[str]], *, other: bool) -> None:
        tokens = theme.current()
        suffix = f" · {view.name}" if other else ""

        usual = Qt.PenStyle.DashLine if other else Qt.PenStyle.SolidLine

        def draw(
            plot: _Plot, name: str, x: Numbers, y: Numbers, color: QColor, width: float, symbol=None, style=usual
        ) -> None:
            plot.draw(name + suffix, x, y, line_pen(self, color, width, style), symbol)
            drawn[plot].add(name + suffix)

        curves = view.curves
        if curves is not None and len(curves.steps):
            amount = self.smoothing.real()
            parts = [name for name in curves.series if name.startswith("part:")]
            looks = zip(_PART_COLORS, cycle(_PART_STYLES), strict=False)
            for name, (color, style) in zip(parts if len(parts) > 1 and not other else [], looks, strict=False):
                values, title = smoothed(curves.series[name], amount), name.removeprefix("part:")
                draw(self.loss, title, curves.steps, values, QColor(OVERLAY_COLORS[color]), 1.6, style=style)
            if amount > 0 and not other:
                faint = tokens.color("accent", 0.28)
                draw(self.loss, self.tr("each step"), curves.steps, curves.series["loss"], faint, 1.0)
            values = smoothed(curves.series["loss"], amount)
            draw(self.loss, self.tr("loss"), curves.steps, values, tokens.color("accent"), 2.0)
            draw(self.rate, self.tr("learning rate"), curves.steps, curves.series["lr"], tokens.color("accent"), 1.6)
        if view.evaluations:
            steps = np.array([event.step for event in view.evaluations], float)
            miou = np.array([event.miou for event in view.evaluations], float)
            fscore = np.array([event.fscore for event in view.evaluations], float)
            draw(self.scores, self.tr("mIoU"), steps, miou, tokens.color("accent"), 2.0, "o")
            draw(self.scores, self.tr("F-score"), steps, fscore, tokens.color("bar"), 1.6, "s")

    def _mark_best(self, view: RunView) -> None:
        best = view.best
        self.best_line.setVisible(best is not None)
        if best is None:
            self.best_label.clear()
            return
        self.best_line.setPen(line_pen(self, theme.current().color("success"), 1.5, Qt.PenStyle.DotLine))
        self.best_line.setValue(best.step)
        self.best_label.setText(self.tr("Best: mIoU {0:.3f} after epoch {1}").format(best.miou, best.epoch + 1))
