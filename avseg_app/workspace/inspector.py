"""The panel beside the canvas: how the mask looks, what is heard, and what the channel mixer does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from avseg_app import theme
from avseg_app.settings import Settings
from avseg_app.widgets.controls import Slider, ToolButton, column, frame, label, row
from avseg_app.widgets.swatches import ColorChoice
from avseg_app.workers.protocol import FeatureMaps
from avseg_app.workspace.class_legend import ClassLegend
from avseg_app.workspace.mixer_view import MAPS, ChannelBars, ChannelMaps
from avseg_app.workspace.tags import sound_name
from avseg_core.results.result import WindowResult

_WIDTH = 308
_TAGS = 5


class Inspector(QFrame):
    """Shows one window's result; emits what the user changes."""

    style_changed = Signal(dict)
    """Changed settings by name: overlay_mode, overlay_color, opacity, threshold"""
    channel_pointed = Signal(int)
    """A mixer channel to show large, or -1"""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setFixedWidth(_WIDTH)
        self.look = LookSection(settings)
        self.look.changed.connect(self.style_changed)
        self._heard = _HeardSection()
        self.mixer = _MixerSection()
        self.mixer.pointed.connect(self.channel_pointed)
        body = frame("inspectorBody")
        parts = (self.look, frame("rule"), self._heard, frame("rule"), self.mixer, 0)
        body.setLayout(column(*parts, spacing=10, margins=(14, 10, 14, 8)))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        self.setLayout(column(scroll, spacing=0))

    def set_result(self, result: WindowResult | None, waiting: str, class_names: tuple[str, ...] = ()) -> None:
        """Shows what is known of the current window, or `waiting` where nothing is known yet.

        `class_names` are those of a model with classes, the first is the background.
        """
        self.look.set_classes(class_names, result.labels if result is not None else None)
        self._heard.set_result(result, waiting)
        self.mixer.set_result(result, waiting)


class LookSection(QWidget):
    """Mode, colour, opacity and threshold of the mask."""

    changed = Signal(dict)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        modes = {
            "fill": ("mode-fill", self.tr("Filled mask")),
            "outline": ("mode-outline", self.tr("Outline")),
            "heat": ("mode-heat", self.tr("Heat map of the probability")),
            "spotlight": ("mode-spotlight", self.tr("Spotlight: all else is dark")),
            "none": ("mode-none", self.tr("No mask")),
        }
        self._group = QButtonGroup(self)
        self.mode_buttons: dict[str, ToolButton] = {}
        for mode, (icon_name, text) in modes.items():
            button = ToolButton(icon_name, text)
            button.setCheckable(True)
            button.setChecked(mode == settings.overlay_mode)
            button.clicked.connect(lambda _=False, mode=mode: self.changed.emit({"overlay_mode": mode}))
            self._group.addButton(button)
            self.mode_buttons[mode] = button
        self._colors = ColorChoice(settings.overlay_color)
        self._colors.chosen.connect(lambda color: self.changed.emit({"overlay_color": color}))
        self.legend = ClassLegend()
        self.legend.hide()
        self.opacity = ValueSlider(self.tr("Opacity"), settings.opacity)
        self.opacity.slider.moved.connect(lambda value: self.changed.emit({"opacity": value}))
        self.threshold = ValueSlider(self.tr("Threshold"), settings.threshold)
        self.threshold.setToolTip(self.tr("Pixels that sound with a higher probability belong to the mask"))
        self.threshold.slider.moved.connect(lambda value: self.changed.emit({"threshold": value}))
        self.setLayout(
            column(
                row(label(self.tr("Mask"), "heading"), 0, *self.mode_buttons.values(), spacing=0),
                self._colors,
                self.legend,
                self.opacity,
                self.threshold,
                spacing=6,
            )
        )

    def set_classes(self, names: tuple[str, ...], labels: NDArray[np.uint8] | None) -> None:
        """Of a model with classes the colours say which class, and the most probable class decides: no threshold."""
        has_classes = bool(names) or labels is not None
        self._colors.setVisible(not has_classes)
        self.legend.setVisible(has_classes)
        self.threshold.setEnabled(not has_classes)
        self.legend.set_classes(names, labels)

    def show_mode(self, mode: str) -> None:
        """Follows a mode that was chosen elsewhere."""
        self.mode_buttons[mode].setChecked(True)


class ValueSlider(QWidget):
    """Name, slider and value in per cent."""

    def __init__(self, name: str, value: float) -> None:
        super().__init__()
        self.slider = Slider(0.0, 1.0, 0.01, name)
        self._value = label("", "muted")
        self._value.setFont(theme.mono_font(0.9))
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value.setFixedWidth(self._value.fontMetrics().horizontalAdvance("100 %") + 2)
        title = label(name)
        title.setBuddy(self.slider)
        title.setMinimumWidth(76)
        self.slider.moved.connect(self._show)
        self.slider.set_real(value)
        self._show(self.slider.real())
        self.setLayout(row(title, self.slider, self._value, spacing=8))

    def _show(self, value: float) -> None:
        self._value.setText(f"{value * 100:.0f} %")


class _HeardSection(QWidget):
    """The sound tags of the current window with their scores."""

    def __init__(self) -> None:
        super().__init__()
        self._loudness = label("", "muted")
        self._tags = TagBars()
        self.setLayout(column(row(label(self.tr("Heard now"), "heading"), 0, self._loudness), self._tags, spacing=6))

    def set_result(self, result: WindowResult | None, waiting: str) -> None:
        if result is None:
            self._loudness.clear()
            self._tags.set_tags((), waiting)
            return
        silent = result.loudness <= -90
        self._loudness.setText(
            self.tr("silence") if silent else f"{result.loudness:.0f} dBFS".replace("-", "\N{MINUS SIGN}")
        )
        self._tags.set_tags(result.tags[:_TAGS], self.tr("Nothing that the model can name"))


class TagBars(QWidget):
    """Names with a bar and a number each."""

    def __init__(self) -> None:
        super().__init__()
        self._tags: tuple[tuple[str, float], ...] = ()
        self._empty = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tags(self, tags: tuple[tuple[str, float], ...], empty: str) -> None:
        self._tags = tuple((sound_name(name), score) for name, score in tags)
        self._empty = empty
        self.setAccessibleName(", ".join(f"{name} {score:.0%}" for name, score in self._tags) or empty)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _TAGS * self._row())

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._tags:
            painter.setPen(tokens.color("text-muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, self._empty)
        number = painter.fontMetrics().horizontalAdvance("100 %") + 4
        for index, (name, score) in enumerate(self._tags):
            line = QRectF(0, index * self._row(), self.width() - number - 6, self._row() - 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("track"))
            painter.drawRoundedRect(line, 3, 3)
            painter.setBrush(tokens.color("bar", 0.45))
            painter.drawRoundedRect(
                QRectF(line.left(), line.top(), max(4.0, line.width() * score), line.height()), 3, 3
            )
            painter.setPen(tokens.color("text"))
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(line.width()) - 12)
            painter.drawText(line.adjusted(7, 0, -5, 0), Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(tokens.color("text-muted"))
            place = QRectF(line.right() + 6, line.top(), number, line.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{score * 100:.0f} %")

    def _row(self) -> int:
        return self.fontMetrics().height() + 7


class _MixerSection(QWidget):
    """All channels as bars, the strongest as maps, and what is pointed at in words."""

    pointed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._weights: NDArray[np.float32] | None = None
        self._maps: FeatureMaps | None = None
        self._mappable = True
        self._state = label("", "muted")
        self._empty = QLabel()
        self._empty.setProperty("role", "muted")
        self._empty.setWordWrap(True)
        self.bars = ChannelBars()
        self.maps = ChannelMaps()
        self._maps_title = label(self.tr("Strongest channels: point to see one large"), "muted")
        self._maps_title.setFont(theme.small_font())
        self._maps_title.setWordWrap(True)
        for part in (self.bars, self.maps):
            part.pointed.connect(self._point)
        self.setLayout(
            column(
                row(label(self.tr("Channel mixer"), "heading"), 0, self._state),
                self._empty,
                self.bars,
                self._maps_title,
                self.maps,
                spacing=6,
            )
        )
        self.set_result(None, "")

    def set_result(self, result: WindowResult | None, waiting: str) -> None:
        weights = result.mixer_weights if result is not None else None
        empty = waiting if result is None else self.tr("This model has no channel mixer.")
        self._weights = weights
        known = weights is not None and len(weights) > 0
        self._empty.setText("" if known else empty)
        self._empty.setVisible(not known and bool(self._empty.text()))
        self.bars.setVisible(known)
        for part in (self._maps_title, self.maps):
            part.setVisible(known and self._mappable)
        if known:
            self.bars.set_weights(weights)
        self._describe(-1)

    def set_mappable(self, mappable: bool) -> None:
        """Whether maps can be had: of recorded masks only the weights were kept."""
        self._mappable = mappable

    def set_maps(self, maps: FeatureMaps | None) -> None:
        """Shows the channels that respond most; None while they are not there."""
        self._maps = maps
        if maps is None or self._weights is None:
            self.maps.clear()
            return
        strongest = [int(channel) for channel in np.argsort(-maps.energy, kind="stable")[:MAPS]]
        self.maps.set_maps(maps.maps, strongest, [float(self._weights[channel]) for channel in strongest])

    def map_of(self, channel: int) -> NDArray[np.uint8] | None:
        """The map of a channel, if it is there."""
        known = self._maps is not None and 0 <= channel < len(self._maps.maps)
        return self._maps.maps[channel] if known else None

    def caption_of(self, channel: int) -> str:
        """A channel in words."""
        weight = float(self._weights[channel]) if self._weights is not None else 0.0
        return self.tr("Mixer channel {0}, weight {1:.2f}").format(channel, weight)

    def _point(self, channel: int) -> None:
        self._describe(channel)
        self.pointed.emit(channel)

    def _describe(self, channel: int) -> None:
        if self._weights is None:
            self._state.clear()
        elif channel < 0:
            self._state.setText(self.tr("{0} channels").format(len(self._weights)))
        else:
            self._state.setText(self.tr("{0}: {1:.2f}").format(channel, float(self._weights[channel])))
