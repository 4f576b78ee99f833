"""Clips of a data set as pictures with their masks; a click lets one be heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy, QWidget

from avseg_app.playback.sound import SoundOutput
from avseg_app.training.mask_history import overlay
from avseg_app.widgets.controls import keep_keys
from avseg_core.training.survey_report import Preview, Tags

_THUMBNAIL = QSize(150, 112)
_LINES = 56
_LONGEST_SECONDS = 8.0
_KEYS = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Return}


class PreviewGrid(QListWidget):
    """Click, Enter or Space plays the sound of a clip, and once more stops it."""

    playing_changed = Signal(str)
    """The clip that is heard now, or empty"""
    unavailable = Signal(str)
    """Why nothing can be heard"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.playing = ""
        self._previews: tuple[Preview, ...] = ()
        self._sound: SoundOutput | None = None
        self._end = QTimer(self, singleShot=True)
        self._end.timeout.connect(self.stop)
        self.setAccessibleName(self.tr("Clips with their masks; Space plays the sound"))
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(_THUMBNAIL)
        self.setGridSize(_THUMBNAIL + QSize(20, _LINES))
        self.setUniformItemSizes(True)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.itemClicked.connect(self._toggle)

    def show_previews(self, previews: tuple[Preview, ...]) -> None:
        """Shows these clips."""
        self.stop()
        self._previews = previews
        self.clear()
        ratio = self.devicePixelRatioF()
        for preview in previews:
            image = overlay(preview.image, (preview.mask > 0).astype(np.float32))
            pixmap = QPixmap.fromImage(image).scaled(
                _THUMBNAIL * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            pixmap.setDevicePixelRatio(ratio)
            heard = describe_sounds(preview.sounds[:1])
            item = QListWidgetItem(QIcon(pixmap), f"{preview.clip}\n{heard}".strip())
            covered = 100 * float(np.mean(preview.mask > 0))
            about = self.tr("{0}: {1}x{2}, mask on {3:.0f} % of the frame").format(preview.clip, *preview.size, covered)
            all_heard = self.tr("Heard: {0}").format(describe_sounds(preview.sounds)) if preview.sounds else ""
            item.setSizeHint(self.gridSize())  # else it is as high as the first one, and the sounds are cut off
            item.setToolTip("\n".join(part for part in (about, all_heard, self.tr("Click to listen")) if part))
            self.addItem(item)

    def stop(self) -> None:
        """Silence."""
        self._end.stop()
        if self.playing and self._sound is not None:
            self._sound.pause()
        self._set_playing("")

    def close_sound(self) -> None:
        """Lets the sound device go."""
        self.stop()
        if self._sound is not None:
            self._sound.close()
            self._sound = None

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, _KEYS) or super().event(event)

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self._toggle(self.currentItem())
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event) -> None:
        self.stop()
        super().hideEvent(event)

    def _toggle(self, item: QListWidgetItem) -> None:
        preview = self._previews[self.row(item)]
        again = preview.clip == self.playing
        self.stop()
        if again:
            return
        if self._sound is None:
            self._sound = SoundOutput(self)
            self._sound.unavailable.connect(self._on_unavailable)
        seconds = min(preview.sound_seconds, _LONGEST_SECONDS)
        self._sound.load(Path(preview.sound_file), preview.sound_start + seconds)
        self._sound.play(preview.sound_start, 1.0)
        self._set_playing(preview.clip)
        self._end.start(round(1000 * seconds) + 500)

    def _on_unavailable(self, reason: str) -> None:
        self.stop()
        self.unavailable.emit(reason)

    def _set_playing(self, clip: str) -> None:
        if clip != self.playing:
            self.playing = clip
            self.playing_changed.emit(clip)


def describe_sounds(sounds: Tags) -> str:
    """What is heard, the surest first."""
    return ", ".join(name for name, _ in sounds)
