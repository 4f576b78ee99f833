"""The strip on the left that changes between the application's modes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from avseg_app import theme
from avseg_app.icons import icon
from avseg_app.widgets.controls import CHOOSING, keep_keys

_WIDTH = 76


class _ModeButton(QToolButton):
    def event(self, event: QEvent) -> bool:
        return keep_keys(event, CHOOSING) or super().event(event)


class ModeRail(QFrame):
    """Large buttons with words; one is always checked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modeRail")
        self.setAccessibleName(self.tr("Mode"))
        self.setFixedWidth(_WIDTH)
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 8, 6, 8)
        self._layout.setSpacing(4)
        self._layout.addStretch(1)

    @property
    def mode(self) -> str:
        """The name of the mode in force."""
        return next((name for name, button in self.buttons.items() if button.isChecked()), "")

    def add(self, name: str, icon_name: str, text: str, hint: str) -> None:
        """Adds a mode; the first one is in force."""
        button = _ModeButton()
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIcon(icon(icon_name))
        button.setIconSize(QSize(24, 24))
        button.setText(text)
        button.setFont(theme.small_font())
        button.setToolTip(hint)
        button.setAccessibleName(text)
        button.setCheckable(True)
        button.setChecked(not self.buttons)
        button.setFixedWidth(_WIDTH - 12)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.chosen.emit(name))
        self.buttons[name] = button
        self._group.addButton(button)
        self._layout.insertWidget(self._layout.count() - 1, button)

    def set_mode(self, name: str) -> None:
        """Checks the button of `name` and emits `chosen`, unless it is in force."""
        if name != self.mode:
            self.buttons[name].setChecked(True)
            self.chosen.emit(name)
