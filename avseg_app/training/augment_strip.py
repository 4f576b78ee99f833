"""What augmentation makes of one clip of the data: the picture as it is, and a few of its variations."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from avseg_app.training.mask_history import Picture, overlay
from avseg_app.widgets.controls import ToolButton, column, label, row
from avseg_app.workers.background import Background
from avseg_core.data.augmentation import Augmentation, Fit
from avseg_core.training.survey_report import Preview

_VARIATIONS = 5
_HEIGHT = 92


def vary(preview: Preview, seed: int, count: int = _VARIATIONS) -> list[QImage]:
    """The preview with its mask, and `count` variations as training draws them."""
    height, width = preview.mask.shape
    images = [overlay(preview.image, (preview.mask > 0).astype(np.float32))]
    for number in range(count):
        fit = Fit((width, height), augmentation=Augmentation.draw(np.random.default_rng([seed, number])))
        image = fit.image(Image.fromarray(preview.image))
        images.append(overlay(image, (fit.label(preview.mask) > 0).astype(np.float32)))
    return images


class AugmentStrip(QWidget):
    """Shows one clip after the other, each time with other variations."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._work = Background("augmentation", self)
        self._previews: tuple[Preview, ...] = ()
        self._seed = 0
        self.again = ToolButton("loop", self.tr("Other variations"))
        self.again.clicked.connect(self.show_next)
        names = [self.tr("As it is"), *(self.tr("Variation {0}").format(k + 1) for k in range(_VARIATIONS))]
        self.pictures = [Picture(name) for name in names]
        for picture in self.pictures:
            picture.setFixedHeight(_HEIGHT)
        caption = label(self.tr("What the model will see: left as it is, then varied."), "muted")
        self.setLayout(column(row(caption, 0, self.again), row(*self.pictures, spacing=6), spacing=4))

    def show_previews(self, previews: tuple[Preview, ...]) -> None:
        """Takes the clips to show; nothing is shown without any."""
        self._previews, self._seed = previews, 0
        if previews:
            self._draw()

    def show_next(self) -> None:
        """The next clip with other variations."""
        self._seed += 1
        self._draw()

    def close_threads(self) -> None:
        """Ends the thread that draws."""
        self._work.close()

    def _draw(self) -> None:
        preview, seed = self._previews[self._seed % len(self._previews)], self._seed
        self._work.submit(lambda: vary(preview, seed), self._show)

    def _show(self, images: list[QImage]) -> None:
        for picture, image in zip(self.pictures, images, strict=True):
            picture.show_image(image)
