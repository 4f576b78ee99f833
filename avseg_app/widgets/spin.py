"""Fields for numbers: arrow keys stay with the field, the wheel passes by."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget

from avseg_app.widgets.controls import keep_keys

_MARGIN = 9
"""Style sheets do not reach the distance between a field's edge and its text."""


class _Manners:
    def event(self, event) -> bool:
        return keep_keys(event) or super().event(event)

    def wheelEvent(self, event) -> None:
        event.ignore()


class NumberField(_Manners, QSpinBox):
    """A whole number."""

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.lineEdit().setTextMargins(_MARGIN, 0, 0, 0)


class RateField(_Manners, QDoubleSpinBox):
    """A number with one digit behind the point."""

    def __init__(self, low: float, high: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.setDecimals(1)
        self.lineEdit().setTextMargins(_MARGIN, 0, 0, 0)
