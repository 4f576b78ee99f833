"""The transport: buttons, time code, speed and volume. It shows the player's state and asks for changes."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from avseg_app import theme
from avseg_app.icons import icon
from avseg_app.playback.player import SPEEDS
from avseg_app.widgets.controls import Choice, Slider, action_button, label, row
from avseg_app.workspace.actions import PlaybackActions
from avseg_app.workspace.timecode import timecode


class Transport(QWidget):
    """One row under the canvas."""

    speed_chosen = Signal(float)
    volume_chosen = Signal(float)

    def __init__(self, actions: PlaybackActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration = 0.0
        self.play_button = action_button(actions.play, "play", size=22)
        self._mute_button = action_button(actions.mute, "volume")
        actions.mute.toggled.connect(self._show_mute)
        self._show_mute(actions.mute.isChecked())
        self.time_label = label(name="time")
        self.time_label.setFont(theme.mono_font(1.1))
        self.time_label.setAccessibleName(self.tr("Position"))
        self._total_label = label(role="muted")
        self._total_label.setFont(theme.mono_font(1.0))
        self.speed_choice = Choice(self.tr("Playback speed"))
        for speed in SPEEDS:
            self.speed_choice.addItem(f"{speed:g}×", speed)
        self.speed_choice.setFixedWidth(78)
        self.speed_choice.setCurrentIndex(SPEEDS.index(1.0))
        self.speed_choice.currentIndexChanged.connect(lambda index: self.speed_chosen.emit(SPEEDS[index]))
        self.volume_slider = Slider(0.0, 1.0, 0.01, self.tr("Volume"))
        self.volume_slider.setToolTip(self.tr("Volume"))
        self.volume_slider.setFixedWidth(92)
        self.volume_slider.moved.connect(self.volume_chosen)
        self.setLayout(
            row(
                action_button(actions.to_start, "to-start"),
                action_button(actions.frame_back, "step-back"),
                self.play_button,
                action_button(actions.frame_forward, "step-forward"),
                action_button(actions.to_end, "to-end"),
                8,
                self.time_label,
                self._total_label,
                0,
                action_button(actions.loop, "loop"),
                self.speed_choice,
                4,
                self._mute_button,
                self.volume_slider,
                spacing=4,
                margins=(10, 6, 12, 2),
            )
        )
        self.set_position(0.0)

    def set_duration(self, duration: float) -> None:
        """The length of the video in seconds."""
        self._duration = duration
        self._total_label.setText(f"/ {timecode(duration)}")

    def set_position(self, time: float) -> None:
        """The time now, in seconds."""
        self.time_label.setText(timecode(time))

    def set_playing(self, playing: bool) -> None:
        """Shows what the button will do next."""
        self.play_button.setIcon(icon("pause" if playing else "play"))
        self.play_button.set_hint(self.tr("Pause (Space)") if playing else self.tr("Play (Space)"))

    def _show_mute(self, muted: bool) -> None:
        self._mute_button.setIcon(icon("volume-muted" if muted else "volume"))
