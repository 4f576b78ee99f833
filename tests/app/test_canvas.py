"""The mask on the canvas: right pixels, right colours, at any zoom."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from avseg_app.workers.decode_thread import display
from avseg_app.workspace.canvas import Canvas, Pointed
from avseg_app.workspace.class_legend import ClassLegend
from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.media.video import Frame
from avseg_core.results.look import OverlayStyle, render, visible_part
from avseg_core.results.mask import binary
from avseg_core.results.palette import voc_palette
from tests.app.conftest import grab

ORANGE = (230, 159, 0)
STYLE = OverlayStyle("fill", ORANGE, 0.5, 0.5)
GREY = 100


def blob(rows: int = 56, columns: int = 56) -> np.ndarray:
    """A map [rows,columns] that falls off smoothly from the middle."""
    y, x = np.mgrid[:rows, :columns]
    distance = np.hypot((y - rows / 2 + 0.5) / rows, (x - columns / 2 + 0.5) / columns)
    return np.clip(255 * (1.2 - 3 * distance), 0, 255).astype(np.uint8)


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    """640 x 360 pixels that show a grey frame of the same size."""
    made = Canvas(STYLE)
    qtbot.addWidget(made)
    made.resize(640, 360)
    made.set_video_size(640, 360)
    made.set_frame(display(Frame(0, 0.0, np.full((360, 640, 3), GREY, np.uint8))))
    return made


def painted(canvas: Canvas) -> np.ndarray:
    """Where the canvas differs from the grey frame, [H,W]."""
    return np.abs(grab(canvas).astype(int) - GREY).max(axis=2) > 4


def test_pixels_that_are_not_square_are_shown_in_their_shape(canvas: Canvas) -> None:
    """A DVD's 4:3 picture: 720 x 480 pixels, shown as wide as 640."""
    canvas.set_video_size(720, 480, 8 / 9)
    canvas.set_frame(display(Frame(0, 0.0, np.full((480, 720, 3), GREY, np.uint8))))
    rect = canvas.frame_rect()
    assert (rect.width(), rect.height()) == (480, 360)
    corner = QPointF(rect.right() - 0.1, rect.bottom() - 0.1)
    assert canvas.pixel_at(corner) == (719, 479)
    assert canvas.pixel_at(rect.center()) == (360, 240)
    canvas.set_mask(np.full((56, 56), 255, np.uint8))
    columns = np.flatnonzero(np.ptp(grab(canvas)[180].astype(int), axis=1) > 10)  # coloured, of the grey frame
    assert abs(columns[0] - rect.left()) <= 3
    assert abs(columns[-1] - rect.right()) <= 4


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_painted_pixels_are_those_of_the_exported_mask(canvas: Canvas, threshold: float) -> None:
    canvas.set_style(dataclasses.replace(STYLE, threshold=threshold))
    canvas.set_mask(blob())
    truth = binary(blob(), (360, 640), threshold)
    shown = painted(canvas)
    reach = cv2.dilate(truth.view(np.uint8), np.ones((7, 7), np.uint8)).view(bool)
    assert not (truth & ~shown).any()
    assert not (shown & ~reach).any(), "only the outline reaches beyond, by three pixels at most"


def test_fill_is_the_colour_at_its_opacity(canvas: Canvas) -> None:
    canvas.set_mask(blob())
    middle = grab(canvas)[180, 320]
    assert middle.tolist() == pytest.approx([round(0.5 * c + 0.5 * GREY) for c in ORANGE], abs=2)


def test_threshold_moves_the_painted_area(canvas: Canvas) -> None:
    canvas.set_mask(blob())
    areas = []
    for threshold in (0.1, 0.4, 0.7, 0.95):
        canvas.set_style(dataclasses.replace(STYLE, threshold=threshold))
        areas.append(int(painted(canvas).sum()))
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 2 * areas[-1]


def test_outline_leaves_the_inside_alone(canvas: Canvas) -> None:
    canvas.set_style(dataclasses.replace(STYLE, mode="outline"))
    canvas.set_mask(blob())
    assert grab(canvas)[180, 320].tolist() == [GREY] * 3
    assert painted(canvas).sum() > 300


def test_heat_is_strongest_where_the_probability_is(canvas: Canvas) -> None:
    canvas.set_style(dataclasses.replace(STYLE, mode="heat"))
    canvas.set_mask(blob())
    picture = grab(canvas).astype(int)
    change = np.abs(picture - GREY).sum(axis=2)
    assert change[180, 320] > change[180, 180] > 0
    assert change[2, 2] == 0


def test_none_shows_the_frame_alone(canvas: Canvas) -> None:
    canvas.set_style(dataclasses.replace(STYLE, mode="none"))
    canvas.set_mask(blob())
    assert not painted(canvas).any()


def test_mask_stays_on_its_pixels_when_zoomed(canvas: Canvas) -> None:
    """The edge that lies at a quarter of the frame is found there at every magnification."""
    half = np.zeros((64, 64), np.uint8)
    half[:, 16:] = 255
    canvas.set_mask(half)
    for zoom in (1.0, 2.0, 5.0, 11.0):
        canvas.fit()
        canvas.zoom_by(zoom, QPointF(160, 180))
        edge = int(np.argmax(painted(canvas)[180]))
        expected = canvas.frame_rect().x() + canvas.frame_rect().width() / 4
        assert edge == pytest.approx(expected, abs=2 + zoom / 4)


def test_zoom_keeps_the_pixel_under_the_mouse(canvas: Canvas) -> None:
    point = QPointF(400.5, 100.5)
    before = canvas.pixel_at(point)
    canvas.zoom_by(4.0, point)
    assert canvas.zoom == 4.0
    assert canvas.pixel_at(point) == before
    canvas.zoom_by(0.01, point)
    assert canvas.zoom == 1.0
    assert canvas.pixel_at(QPointF(0.5, 0.5)) == (0, 0)


def test_panning_stops_at_the_borders(canvas: Canvas) -> None:
    canvas.zoom_by(2.0)
    canvas.pan_by(10, 10)
    assert canvas.pixel_at(QPointF(639.5, 359.5)) == (639, 359)
    canvas.pan_by(-10, -10)
    assert canvas.pixel_at(QPointF(0.5, 0.5)) == (0, 0)


def test_pointing_tells_pixel_and_probability(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.set_mask(blob())
    with qtbot.waitExposed(canvas):
        canvas.show()
    told: list[Pointed | None] = []
    canvas.pointed.connect(told.append)
    qtbot.mouseMove(canvas, QPoint(320, 180))
    assert (told[-1].x, told[-1].y) == (320, 180)
    assert told[-1].probability == 1.0
    canvas.set_mask(None)
    assert told[-1].probability is None


def test_keys_pan_the_magnified_view(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.zoom_by(4.0)
    before = canvas.frame_rect().x()
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert canvas.frame_rect().x() == pytest.approx(before - 0.15 * 640)


def test_a_feature_map_takes_the_place_of_the_mask(canvas: Canvas) -> None:
    canvas.set_mask(blob())
    with_mask = grab(canvas)
    canvas.set_preview(np.zeros((56, 56), np.uint8), "Mixer channel 3")
    preview = grab(canvas)
    assert preview[180, 320].tolist() != with_mask[180, 320].tolist()
    canvas.set_preview(None)
    assert np.array_equal(grab(canvas), with_mask)


def test_only_what_is_in_view_is_drawn() -> None:
    view = visible_part((100, 100), (-5000, -5000, 20000, 20000), (640, 360))
    assert view is not None
    assert (view.left, view.right) == (23, 31)
    assert view.width * view.height < 3 * 2000 * 2000
    assert visible_part((100, 100), (700, 0, 100, 100), (640, 360)) is None


@pytest.mark.parametrize("mode", ["fill", "outline", "heat"])
def test_one_pixel_maps_and_frames(mode: str) -> None:
    view = visible_part((1, 1), (0, 0, 1, 1), (640, 360))
    assert view is not None
    assert render(np.array([[255]], np.uint8), view, dataclasses.replace(STYLE, mode=mode)).shape == (1, 1, 4)


DOG, VIOLIN = 17, 68
"""Two of the 71 classes of AVSBench-Semantic."""


def halves() -> np.ndarray:
    """Labels [56,56]: a dog on the left third, a violin on the right third, silence between."""
    labels = np.zeros((56, 56), np.uint8)
    labels[:, :19], labels[:, 37:] = DOG, VIOLIN
    return labels


@pytest.mark.parametrize(("x", "label"), [(100, DOG), (320, 0), (540, VIOLIN)])
def test_classes_have_their_colours(canvas: Canvas, x: int, label: int) -> None:
    """The colours are those of the exported label pictures, whatever the threshold is."""
    canvas.set_style(dataclasses.replace(STYLE, threshold=1.0))
    canvas.set_mask(np.full((56, 56), 200, np.uint8), halves())
    truth = voc_palette(71)[label] if label else [GREY] * 3
    assert grab(canvas)[180, x].tolist() == pytest.approx([(int(c) + GREY) // 2 for c in truth], abs=2)


def test_outlines_have_the_colours_of_their_classes(canvas: Canvas) -> None:
    canvas.set_style(dataclasses.replace(STYLE, mode="outline", opacity=0.6))
    canvas.set_mask(np.full((56, 56), 200, np.uint8), halves())
    picture = grab(canvas)
    assert picture[180, 100].tolist() == [GREY] * 3
    for label in (DOG, VIOLIN):
        assert np.any(np.all(np.abs(picture[180].astype(int) - voc_palette(71)[label]) <= 3, axis=1))


def test_pointing_tells_the_class(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.set_mask(np.full((56, 56), 200, np.uint8), halves())
    with qtbot.waitExposed(canvas):
        canvas.show()
    told: list[Pointed | None] = []
    canvas.pointed.connect(told.append)
    qtbot.mouseMove(canvas, QPoint(540, 180))
    assert told[-1].label == VIOLIN


def test_legend_names_the_classes_in_view_by_size(qtbot: QtBot) -> None:
    labels = halves()
    labels[:, :21] = DOG
    legend = ClassLegend()
    qtbot.addWidget(legend)
    legend.set_classes(AVSS_CLASSES, labels)
    legend.resize(legend.sizeHint())
    assert legend.names == ["dog", "violin"]
    assert legend.accessibleName() == "dog 38%, violin 34%"
    picture = grab(legend).reshape(-1, 3)
    for label in (DOG, VIOLIN):
        assert np.any(np.all(picture == voc_palette(71)[label], axis=1))
    legend.set_classes(AVSS_CLASSES, np.zeros((4, 4), np.uint8))
    assert legend.accessibleName() == "Nothing sounds here"


def test_without_a_picture_the_note_stands_in_the_middle(qtbot: QtBot) -> None:
    empty = Canvas(STYLE)
    qtbot.addWidget(empty)
    empty.resize(640, 360)
    ground = grab(empty)
    empty.set_note("Choose a camera")
    rows, columns = np.nonzero((grab(empty) != ground).any(axis=2))
    assert abs(rows.mean() - 180) < 15
    assert abs(columns.mean() - 320) < 25
