"""Sliders, buttons and small layout helpers that behave the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QStyleOptionSlider,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from avseg_app import theme
from avseg_app.icons import icon

_NAVIGATION = {
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}
CHOOSING = {*_NAVIGATION, Qt.Key.Key_Space}
"""Keys of a button that is one of several: the arrows go on to its neighbours, Space chooses."""


def keep_keys(event: QEvent, keys: set[Qt.Key] = _NAVIGATION) -> bool:
    """Claims `keys` for the focused widget where a window shortcut would otherwise take them."""
    wanted = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys
    if wanted:
        event.accept()
    return wanted


_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class KeyboardFocus:
    """Mixin for widgets that paint themselves: `keyboard_focus` is True while they have the focus by the keyboard."""

    keyboard_focus = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.keyboard_focus = event.reason() in _KEYBOARD
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.keyboard_focus = False
        super().focusOutEvent(event)
        self.update()


def paint_focus(widget: QWidget, painter: QPainter) -> None:
    """The ring around a `KeyboardFocus` widget that has it."""
    if widget.keyboard_focus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.current().color("accent"), 2))
        painter.drawRect(QRectF(widget.rect()).adjusted(1, 1, -1, -1))


class Slider(QSlider):
    """A horizontal slider over a range of floats; a click jumps to the place, arrow keys stay with the slider."""

    moved = Signal(float)

    def __init__(self, low: float, high: float, step: float, name: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._low, self._step = low, step
        self.setRange(0, round((high - low) / step))
        self.setPageStep(max(1, self.maximum() // 10))
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(lambda ticks: self.moved.emit(self._low + ticks * self._step))

    def real(self) -> float:
        """The value in its own unit."""
        return self._low + self.value() * self._step

    def set_real(self, value: float) -> None:
        """Moves the handle to the nearest step."""
        self.setValue(round((value - self._low) / self._step))

    def event(self, event: QEvent) -> bool:
        return keep_keys(event) or super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._handle_holds(event):
            self.setValue(self._value_at(event.position().x()))
        super().mousePressEvent(event)

    def _handle_holds(self, event: QMouseEvent) -> bool:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        return handle.contains(event.position().toPoint())

    def _value_at(self, x: float) -> int:
        margin = 7
        return QStyle.sliderValueFromPosition(
            self.minimum(), self.maximum(), round(x) - margin, max(1, self.width() - 2 * margin)
        )


class Choice(QComboBox):
    """A combo box whose arrow keys win over window shortcuts and whose wheel works only with focus."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToContents)
        self.currentTextChanged.connect(lambda text: self.setToolTip(f"{name}: {text}" if text else name))

    @property
    def shown(self) -> str:
        """As much of the current text as fits."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        parts = QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        room = self.style().subControlRect(*parts).width()
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, {*_NAVIGATION, Qt.Key.Key_Space}) or super().event(event)

    def wheelEvent(self, event: QEvent) -> None:
        event.ignore()


class Button(QPushButton):
    """A button that Space presses while it has the focus, whatever else Space does in the window."""

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, {Qt.Key.Key_Space}) or super().event(event)


class CheckBox(QCheckBox):
    """A check box that Space switches while it has the focus, whatever else Space does in the window."""

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, {Qt.Key.Key_Space}) or super().event(event)


class ToolButton(QToolButton):
    """A flat icon button; Tab reaches it, a click does not take the focus from the canvas."""

    def __init__(self, icon_name: str, text: str, parent: QWidget | None = None, size: int = 18) -> None:
        super().__init__(parent)
        self.setIcon(icon(icon_name))
        self.setIconSize(QSize(size, size))
        self.set_hint(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_hint(self, text: str) -> None:
        """Names the button for the tool tip and for screen readers."""
        self.setToolTip(text)
        self.setAccessibleName(text)

    def event(self, event: QEvent) -> bool:
        return keep_keys(event, {Qt.Key.Key_Space}) or super().event(event)


def action_button(action: QAction, icon_name: str, size: int = 18) -> ToolButton:
    """A tool button that shows and triggers `action`."""
    button = ToolButton(icon_name, action.text().replace("&", ""), size=size)
    shortcut = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
    button.setToolTip(f"{button.accessibleName()} ({shortcut})" if shortcut else button.accessibleName())
    button.setCheckable(action.isCheckable())
    button.setChecked(action.isChecked())
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setChecked(action.isChecked())

    action.changed.connect(follow)
    return button


def icon_button(icon_name: str, text: str, token: str = "text") -> QPushButton:
    """A button with an icon and, at some distance from it, words."""
    button = Button(icon(icon_name, token), f" {text}")
    button.setAccessibleName(text)
    return button


def make_action(
    owner: QObject, text: str, slot: Callable[..., object], *keys: str | Qt.Key, checkable: bool = False
) -> QAction:
    """An action of `owner` with window-wide shortcuts."""
    action = QAction(text, owner)
    action.setShortcuts(list(keys))
    action.setCheckable(checkable)
    (action.toggled if checkable else action.triggered).connect(slot if checkable else lambda *_: slot())
    return action


def label(text: str = "", role: str = "", name: str = "") -> QLabel:
    """A label with a style role ("muted", "title", "heading", "error")."""
    widget = QLabel(text)
    widget.setProperty("role", role)
    widget.setObjectName(name)
    return widget


def frame(name: str) -> QFrame:
    """A frame that the style sheet knows by `name`."""
    widget = QFrame()
    widget.setObjectName(name)
    return widget


def row(
    *items: QWidget | int, spacing: int = theme.SPACING, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """Widgets side by side; 0 is a stretch, another number a gap."""
    layout = QHBoxLayout()
    return _fill(layout, items, spacing, margins)


def column(
    *items: QWidget | int, spacing: int = theme.SPACING, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Widgets one below the other; 0 is a stretch, another number a gap."""
    layout = QVBoxLayout()
    return _fill(layout, items, spacing, margins)


def _fill(layout, items, spacing: int, margins: tuple[int, int, int, int]):
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for item in items:
        if item == 0:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)
    return layout


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Sets a property that the style sheet looks at, and lets it look if it is another value."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
