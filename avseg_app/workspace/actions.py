"""Everything the keyboard can do, as actions that menus, buttons and shortcuts share."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from avseg_app.playback.player import Player
from avseg_app.settings import SettingsStore
from avseg_app.widgets.controls import make_action

JUMP_SECONDS = 1.0


class PlaybackActions(QObject):
    """What moves the player."""

    def __init__(self, player: Player, settings: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player, self._settings = player, settings
        tr = self.tr
        self.play = make_action(self, tr("Play or pause"), player.toggle, Qt.Key.Key_Space, Qt.Key.Key_K)
        self.frame_back = make_action(self, tr("One frame back"), lambda: player.step(-1), "Left", ",")
        self.frame_forward = make_action(self, tr("One frame on"), lambda: player.step(1), "Right", ".")
        self.second_back = make_action(self, tr("One second back"), lambda: self._jump(-1), "Shift+Left", "J")
        self.second_forward = make_action(self, tr("One second on"), lambda: self._jump(1), "Shift+Right", "L")
        self.to_start = make_action(self, tr("To the start"), lambda: player.seek(0.0), Qt.Key.Key_Home)
        self.to_end = make_action(self, tr("To the end"), lambda: player.seek(player.duration), Qt.Key.Key_End)
        self.loop = make_action(self, tr("Play in a loop"), self._set_loop, "R", checkable=True)
        self.mute = make_action(self, tr("Mute"), self._set_muted, "M", checkable=True)
        self.loop.setChecked(settings.values.loop)
        self.mute.setChecked(settings.values.muted)
        self.set_enabled(False)

    def all(self) -> list[QAction | None]:
        """In menu order; None is a separator."""
        return [
            self.play,
            None,
            self.frame_back,
            self.frame_forward,
            self.second_back,
            self.second_forward,
            self.to_start,
            self.to_end,
            None,
            self.loop,
            self.mute,
        ]

    def set_enabled(self, enabled: bool) -> None:
        """Moving needs a video; loop and mute do not."""
        for action in self.all():
            if action not in (None, self.loop, self.mute):
                action.setEnabled(enabled)

    def _jump(self, direction: int) -> None:
        self._player.seek(self._player.position + direction * JUMP_SECONDS)

    def _set_loop(self, loop: bool) -> None:
        self._player.loop = loop
        self._settings.update(loop=loop)

    def _set_muted(self, muted: bool) -> None:
        self._player.set_volume(self._settings.values.volume, muted)
        self._settings.update(muted=muted)


def shortcut_text(action: QAction) -> str:
    """All shortcuts of an action as the platform writes them."""
    return ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts())
