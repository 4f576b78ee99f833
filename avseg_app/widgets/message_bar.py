"""A line above the page that says what happened and what to do, without stopping anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from avseg_app.widgets.controls import Button, ToolButton
from avseg_app.widgets.icon_label import IconLabel

Kind = Literal["info", "success", "warning", "error"]


class MessageBar(QFrame):
    """Shows one message at a time; the newest replaces the one before."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self._icon = IconLabel("info", 18)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._button = Button()
        self._button.setProperty("kind", "quiet")
        self._button.clicked.connect(self._act)
        self._action: Callable[[], object] | None = None
        close = ToolButton("close", self.tr("Dismiss the message"), size=16)
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 6, 8, 6)
        layout.setSpacing(10)
        for widget in (self._icon, self._text, self._button, close):
            layout.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """What is being said; empty when nothing is."""
        return self._text.text() if self.isVisibleTo(self.parentWidget()) else ""

    @property
    def kind(self) -> str:
        """The kind of what is being said; empty when nothing is."""
        return str(self.property("kind")) if self.text else ""

    def show_message(
        self, kind: Kind, text: str, action_text: str = "", action: Callable[[], object] | None = None
    ) -> None:
        """Says `text`; a button `action_text` runs `action` and closes the message."""
        self.setProperty("kind", kind)
        self._icon.set_icon(kind, kind)
        self._text.setText(text)
        self._text.setAccessibleName(text)
        self._button.setText(action_text)
        self._button.setVisible(action is not None)
        self._action = action
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self._text, QAccessible.Event.Alert))

    def dismiss(self) -> None:
        """Takes the message away."""
        self._action = None
        self.hide()

    def _act(self) -> None:
        action = self._action
        self.dismiss()
        if action is not None:
            action()
