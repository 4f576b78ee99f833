"""The masks of a trained model and of the one it came from on any video, with a divider between them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QProgressBar, QSlider, QWidget

from avseg_app.icons import icon
from avseg_app.training.jobs import RunView
from avseg_app.training.mask_history import overlay, read_grey
from avseg_app.training.processes import CommandTask
from avseg_app.training.wipe import Wipe
from avseg_app.widgets.controls import Button, column, keep_keys, label, row
from avseg_app.widgets.drop_veil import dropped_files
from avseg_app.workers.background import Background
from avseg_core.errors import InputError
from avseg_core.media import VideoReader, probe

_MOMENTS = 12
_SIDE = 960
"""Frames are shown no larger than this."""


@dataclass(frozen=True)
class Moment:
    """One frame with the masks of both models drawn into it."""

    time: float
    before: QImage
    after: QImage


def moments_of(duration: float) -> list[float]:
    """Seconds that are spread over a video, each in the middle of its part."""
    count = max(1, min(_MOMENTS, int(duration)))
    return [round((k + 0.5) * duration / count, 3) for k in range(count)]


def load_moments(video: Path, before: Path, after: Path) -> list[Moment]:
    """The frames of `video` that both folders have masks of, as `segment --export png` wrote them.

    Raises:
        InputError: the video or the masks cannot be read.
    """
    indices = [_masks(folder, video.stem) for folder in (before, after)]
    moments = []
    with VideoReader(video) as reader:
        for time in sorted(indices[0].keys() & indices[1].keys()):
            image = reader.frame_at(time).image
            images = []
            for index in indices:
                mask = read_grey(index[time])
                if mask is None or mask.shape != image.shape[:2]:
                    raise InputError(f"{index[time]}: is no mask of {video.name}.")
                images.append(overlay(image, (mask > 0).astype(np.float32)))
            moments.append(Moment(time, *(_small(picture) for picture in images)))
    return moments


def _masks(folder: Path, stem: str) -> dict[float, Path]:
    try:
        listed = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))["masks"]
        return {float(item["frame_time"]): folder / str(item["file"]) for item in listed}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder}: holds no masks of {stem}.") from None


def _small(image: QImage) -> QImage:
    if max(image.width(), image.height()) <= _SIDE:
        return image
    mode = Qt.TransformationMode.SmoothTransformation
    return image.scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, mode)


class _Moments(QSlider):
    """Arrow keys stay with the slider."""

    def event(self, event) -> bool:
        return keep_keys(event) or super().event(event)


class WipeDialog(QDialog):
    """Runs `segment` with both models while it is open; what they write goes when it closes."""

    def __init__(self, view: RunView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        assert view.config is not None
        self.setWindowTitle(self.tr("Before and after on a video"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.resize(820, 620)
        self._models = (view.config.init_from, str(view.run.exported_model))
        self._folder = tempfile.TemporaryDirectory(prefix="avseg-wipe-", ignore_cleanup_errors=True)
        self._compared = 0  # every video has a folder of its own: two may have the same name
        self._task: CommandTask | None = None
        self._work = Background("wipe", self)
        self.moments: list[Moment] = []
        self.text = label()
        self.text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.wipe = Wipe(view.config.init_from, view.name)
        self.wipe.invitation = self.tr(
            "Choose a video, or drop one here; both models look at up to {0} moments of it."
        ).format(_MOMENTS)
        self.slider = _Moments(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Moment of the video"))
        self.slider.setEnabled(False)
        self.slider.valueChanged.connect(lambda _: self._show_moment())
        self.caption = label("", "muted")
        self.choose = Button(icon("open"), self.tr("Choose a video…"))
        self.choose.clicked.connect(self._ask_video)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        line = row(self.slider, self.caption)
        line.setStretch(0, 1)
        body = column(
            self.text, self.bar, self.wipe, line, row(self.choose, 0, close), spacing=10, margins=(18, 16, 18, 14)
        )
        body.setStretchFactor(self.wipe, 1)
        self.setLayout(body)

    def compare(self, video: Path) -> None:
        """Lets both models look at `video`."""
        self._stop_task()
        self._compared += 1
        self._work.submit(
            lambda: probe(video).duration,
            lambda duration: self._segment(video, moments_of(duration), 0),
            lambda error: self._fail(str(error)),
        )
        self.bar.setRange(0, 0)
        self.bar.show()
        self.text.setText(self.tr("Reading {0}…").format(video.name))

    def done(self, result: int) -> None:
        self._stop_task()
        self._work.close()
        self._folder.cleanup()
        super().done(result)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = dropped_files(event)
        if files:
            event.acceptProposedAction()
            self.compare(files[0])

    def _place(self, number: int) -> Path:
        return Path(self._folder.name) / str(self._compared) / ("before", "after")[number]

    def _segment(self, video: Path, times: list[float], number: int) -> None:
        if number == len(self._models):
            before, after = self._place(0), self._place(1)
            self._work.submit(
                lambda: load_moments(video, before, after), self._show, lambda error: self._fail(str(error))
            )
            return
        name = self.wipe.names[number]
        self.text.setText(self.tr("{0}: masks of {1} moments with {2}…").format(video.name, len(times), name))
        words = ["segment", str(video), "--model", self._models[number], "--out", str(self._place(number))]
        words += ["--export", "png", "--at", *map(str, times)]
        task = self._task = CommandTask(words, self)
        task.done.connect(lambda _: self._segment(video, times, number + 1))
        task.failed.connect(self._fail)

    def _stop_task(self) -> None:
        if self._task is not None:
            self._task.stop()
            self._task = None

    def _fail(self, text: str) -> None:
        self.bar.hide()
        self.text.setText(self.tr("The models could not be shown on this video: {0}").format(text))

    def _show(self, moments: list[Moment]) -> None:
        self.bar.hide()
        self.moments = moments
        self.text.setText(self.tr("Drag the divider. Left: {0}. Right: {1}.").format(*self.wipe.names))
        self.slider.setRange(0, max(0, len(moments) - 1))
        self.slider.setEnabled(len(moments) > 1)
        self._show_moment()

    def _show_moment(self) -> None:
        if self.moments:
            moment = self.moments[min(self.slider.value(), len(self.moments) - 1)]
            self.wipe.show_pair(moment.before, moment.after)
            self.caption.setText(self.tr("{0:.1f} s").format(moment.time))

    def _ask_video(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a video"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.compare(Path(name)))
        dialog.open()
