"""The toolbar of the workspace: model, masks per second, zoom, panel and export."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QWidget

from avseg_app import theme
from avseg_app.settings import RATES, SettingsStore
from avseg_app.widgets.controls import Choice, action_button, frame, icon_button, label, row
from avseg_core.models.library import available_models


class Toolbar(QFrame):
    """Changes the settings itself; everything else goes through the window's actions."""

    export_requested = Signal()

    def __init__(self, settings: SettingsStore, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self._settings = settings
        self.open_button = icon_button("open", self.tr("Open…"))
        self.open_button.setToolTip(self.tr("Open a video (Ctrl+O)"))
        self.open_button.clicked.connect(actions["open"].trigger)
        self.model_choice = Choice(self.tr("Model"))
        self.model_choice.setMinimumWidth(150)
        self.model_choice.setMaximumWidth(260)
        self.rate_choice = Choice(self.tr("Masks per second"))
        for rate in RATES:
            self.rate_choice.addItem(self._rate_text(rate), rate)
        self.export_button = icon_button("export", self.tr("Export…"), "accent-text")
        self.export_button.setProperty("kind", "primary")
        self.export_button.setToolTip(self.tr("Export masks or an overlay video (Ctrl+E)"))
        self.export_button.clicked.connect(actions["export"].trigger)
        actions["export"].changed.connect(lambda: self.export_button.setEnabled(actions["export"].isEnabled()))
        self.export_button.setEnabled(actions["export"].isEnabled())
        self.zoom_label = label("100 %", "muted")
        self.zoom_label.setFont(theme.mono_font(0.9))
        self.zoom_label.setMinimumWidth(self.zoom_label.fontMetrics().horizontalAdvance("3200 %"))
        self.setLayout(
            row(
                self.open_button,
                frame("upright"),
                label(self.tr("Model")),
                self.model_choice,
                4,
                label(self.tr("Masks")),
                self.rate_choice,
                0,
                action_button(actions["zoom_out"], "zoom-out"),
                self.zoom_label,
                action_button(actions["zoom_in"], "zoom-in"),
                action_button(actions["fit"], "fit"),
                frame("upright"),
                action_button(actions["inspector"], "panel"),
                self.export_button,
                margins=(10, 7, 12, 7),
                spacing=7,
            )
        )
        self.refresh()
        self.model_choice.activated.connect(lambda index: settings.update(model=self.model_choice.itemText(index)))
        self.rate_choice.activated.connect(lambda index: settings.update(rate=RATES[index]))

    def refresh(self) -> None:
        """Lists the models that there are now, and shows the settings in force."""
        values = self._settings.values
        names = available_models()
        if values.model not in names:
            names.append(values.model)
        self.model_choice.clear()
        self.model_choice.addItems(names)
        self.model_choice.setCurrentText(values.model)
        self.rate_choice.setCurrentIndex(RATES.index(values.rate) if values.rate in RATES else RATES.index(1.0))

    def show_zoom(self, zoom: float) -> None:
        """The magnification relative to the whole frame in view."""
        self.zoom_label.setText(f"{zoom * 100:.0f} %")

    def _rate_text(self, rate: float) -> str:
        if rate < 1:
            return self.tr("1 every {0:g} s").format(1 / rate)
        return self.tr("{0:g} per second").format(rate)
