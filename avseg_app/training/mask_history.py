"""How the masks of fixed validation frames evolve: one row of frames, a slider over the evaluations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSizePolicy, QSlider, QWidget

from avseg_app import theme
from avseg_app.training.jobs import RunView
from avseg_app.widgets.controls import column, keep_keys, label, row
from avseg_app.widgets.swatches import OVERLAY_COLORS
from avseg_app.workers.background import Background

_NAME = re.compile(r"step_(\d+)_(\d+)\.png")
_OPACITY = 0.6
_COLUMNS = 3


@dataclass(frozen=True)
class Frames:
    """The pictures of one step: what the model answers, and the annotation, each drawn into the frame."""

    step: int
    answers: tuple[QImage, ...]
    truths: tuple[QImage, ...]


def list_steps(folder: Path) -> list[int]:
    """The steps that there are pictures of, ascending."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    return sorted({int(match[1]) for name in names if (match := _NAME.fullmatch(name))})


def load_frames(folder: Path, step: int) -> Frames:
    """Reads the pictures of `step`; one that is missing or damaged is left out."""
    answers, truths = [], []
    for number in range(len(list(folder.glob("frame_*.png")))):
        frame = _rgb(folder / f"frame_{number}.png")
        answer = read_grey(folder / f"step_{step:08d}_{number}.png")
        truth = read_grey(folder / f"truth_{number}.png")
        if frame is None or answer is None or truth is None or answer.shape != frame.shape[:2]:
            continue
        answers.append(overlay(frame, answer.astype(np.float32) / 255))
        truths.append(overlay(frame, (truth > 127).astype(np.float32)))
    return Frames(step, tuple(answers), tuple(truths))


def overlay(frame: NDArray[np.uint8], weight: NDArray[np.float32], color: str = OVERLAY_COLORS["orange"]) -> QImage:
    """`frame` [H,W,3] with the colour mixed in by `weight` [H,W] in 0..1, and a line around where it is above 0.5."""
    tint = np.array(QColor(color).getRgb()[:3], np.float32)
    share = np.where(_outline(weight > 0.5), 1.0, _OPACITY * weight)[..., None]
    mixed = np.ascontiguousarray((frame * (1 - share) + tint * share).astype(np.uint8))
    height, width = mixed.shape[:2]
    return QImage(mixed.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `inside` that have a neighbour outside."""
    padded = np.pad(inside, 1, mode="edge")
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core


def _rgb(path: Path) -> NDArray[np.uint8] | None:
    return _pixels(path, QImage.Format.Format_RGB888, 3)


def read_grey(path: Path) -> NDArray[np.uint8] | None:
    """[H,W] of a picture, black where a palette says so; None if it cannot be read."""
    pixels = _pixels(path, QImage.Format.Format_Grayscale8, 1)
    return None if pixels is None else pixels[..., 0]


def _pixels(path: Path, kind: QImage.Format, channels: int) -> NDArray[np.uint8] | None:
    image = QImage(str(path)).convertToFormat(kind)
    if image.isNull():
        return None
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : channels * image.width()].reshape(image.height(), image.width(), channels).copy()


class Picture(QWidget):
    """One image, as large as fits, with its shape kept."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.image = QImage()
        self.setAccessibleName(name)
        self.setMinimumSize(QSize(110, 80))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def heightForWidth(self, width: int) -> int:
        if self.image.isNull():
            return round(0.75 * width)
        return round(width * self.image.height() / self.image.width())

    def show_image(self, image: QImage) -> None:
        """Shows `image`."""
        if image.size() != self.image.size():
            self.updateGeometry()
        self.image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fitted = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, fitted.width(), fitted.height())
        place.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(place, self.image)


class _Cell(QWidget):
    """Answer and annotation of one frame side by side."""

    def __init__(self, number: int, answer_name: str, truth_name: str) -> None:
        super().__init__()
        self.answer = Picture(f"{answer_name} {number + 1}")
        self.truth = Picture(f"{truth_name} {number + 1}")
        self.setLayout(row(self.answer, self.truth, spacing=3))


class _EpochSlider(QSlider):
    """Arrow keys stay with the slider."""

    def event(self, event) -> bool:
        return keep_keys(event) or super().event(event)


class MaskHistory(QWidget):
    """Follows the run that is shown; at the newest evaluation unless the slider was moved back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures = Background("snapshots", self)
        self._view: RunView | None = None
        self._steps: list[int] = []
        self._shown: tuple[Path, int] | None = None
        self.slider = _EpochSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Evaluation"))
        self.slider.valueChanged.connect(lambda _: self._load())
        self.caption = label("", "muted")
        self.caption.setFont(theme.mono_font(0.9))
        self.caption.setMinimumWidth(self.caption.fontMetrics().horizontalAdvance("after epoch 000 (mIoU 0.000)"))
        self._empty = QLabel(
            self.tr("Masks of a few validation frames appear here with the start and every evaluation.")
        )
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint = label(self.tr("Left: what the model answers. Right: the annotation."), "muted")
        self._bar = QWidget()
        self._bar.setLayout(row(label(self.tr("Evaluation")), self.slider, self.caption))
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.cells: list[_Cell] = []
        body = QWidget()
        body.setLayout(column(self._grid, 0))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        self._scroll = scroll
        self.setLayout(column(self._bar, scroll, self._empty, self._hint, spacing=8))
        self._show_steps()

    def close_threads(self) -> None:
        """Ends the thread that reads pictures."""
        self._pictures.close()

    def show_run(self, view: RunView) -> None:
        """Shows the pictures of `view`; new ones since the last call too."""
        changed = self._view is None or self._view.run != view.run
        evaluated = self._view is None or len(self._view.evaluations) != len(view.evaluations)
        self._view = view
        if changed:
            self._steps = []
        if changed or evaluated or not self._steps:
            folder = view.run.snapshots_folder
            self._pictures.submit(lambda: (folder, list_steps(folder)), self._on_steps)

    def _on_steps(self, answer: tuple[Path, list[int]]) -> None:
        folder, steps = answer
        if self._view is None or folder != self._view.run.snapshots_folder or steps == self._steps:
            return
        at_end = self.slider.value() >= len(self._steps) - 1
        self._steps = steps
        self._show_steps()
        if at_end and steps:
            self.slider.setValue(len(steps) - 1)
        self._load()

    def _show_steps(self) -> None:
        there = bool(self._steps)
        for widget in (self._bar, self._scroll, self._hint):
            widget.setVisible(there)
        self._empty.setVisible(not there)
        self.slider.setRange(0, max(0, len(self._steps) - 1))
        self.slider.setEnabled(len(self._steps) > 1)

    def _load(self) -> None:
        if self._view is None or not self._steps:
            return
        step = self._steps[min(self.slider.value(), len(self._steps) - 1)]
        self.caption.setText(self._describe(step))
        folder = self._view.run.snapshots_folder
        if self._shown != (folder, step):
            self._shown = (folder, step)
            self._pictures.submit(lambda: load_frames(folder, step), self._on_frames)

    def _on_frames(self, frames: Frames) -> None:
        if self._shown is None or frames.step != self._shown[1]:
            return
        while len(self.cells) < len(frames.answers):
            number = len(self.cells)
            cell = _Cell(number, self.tr("Answer for frame"), self.tr("Annotation of frame"))
            self.cells.append(cell)
            self._grid.addWidget(cell, number // _COLUMNS, number % _COLUMNS)
        for number, cell in enumerate(self.cells):
            cell.setVisible(number < len(frames.answers))
            if number < len(frames.answers):
                cell.answer.show_image(frames.answers[number])
                cell.truth.show_image(frames.truths[number])

    def _describe(self, step: int) -> str:
        if step == 0:
            return self.tr("before training")
        for event in self._view.evaluations if self._view else ():
            if event.step == step:
                return self.tr("after epoch {0} (mIoU {1:.3f})").format(event.epoch + 1, event.miou)
        return self.tr("after step {0}").format(step)
