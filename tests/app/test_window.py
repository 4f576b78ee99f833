"""The main window as a user meets it: open, watch, look closer, change, go wrong and go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from avseg_app.main_window import MainWindow
from avseg_app.paths import DEMO_CLIP
from avseg_app.workspace.cache import result_cache
from avseg_core.results.store import MaskStore
from tests.app.conftest import PATIENCE, grab, is_done
from tests.app.test_player import shown_number


@pytest.fixture
def window(shared_window: MainWindow) -> MainWindow:
    """One window for all tests here, as new for each."""
    return shared_window


def drop(window: MainWindow, *files: Path) -> None:
    """What Qt delivers when files are dropped on the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    middle = QPoint(window.width() // 2, window.height() // 2)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(middle, Qt.DropAction.CopyAction, mime, buttons, keys))
    window.dropEvent(QDropEvent(QPointF(middle), Qt.DropAction.CopyAction, mime, buttons, keys))


def test_start_page_offers_every_way_in(window: MainWindow, qtbot: QtBot) -> None:
    page = window.start_page
    assert window.pages.currentWidget() is page
    assert not window.toolbar.isVisible()
    assert not window.actions_by_name["export"].isEnabled()
    with qtbot.waitSignal(page.file_chosen) as chosen:
        qtbot.mouseClick(page.demo_button, Qt.MouseButton.LeftButton)
    assert chosen.args[0] == DEMO_CLIP
    assert DEMO_CLIP.is_file()


def test_a_video_is_segmented_and_shown(segmented: MainWindow, clip: Path) -> None:
    document = segmented.controller.document
    assert segmented.pages.currentWidget() is segmented.workspace
    assert "clip.mp4" in segmented.windowTitle()
    assert document.path == clip
    assert len(document.area) == 4
    assert "4 masks" in segmented.workspace.job_bar.text
    assert segmented.actions_by_name["export"].isEnabled()
    assert shown_number(segmented.controller.player.frame) == 0
    assert segmented.controller.result.window.index == 0
    assert "cpu" in segmented._device.text().lower()
    with MaskStore(document.store) as store:
        assert store.indices() == [0, 1, 2, 3]
        stored = [store.area(index, 0.5) for index in range(4)]
    assert np.allclose(document.area, stored, atol=1e-6)


def test_mask_follows_the_second_in_view(segmented: MainWindow, qtbot: QtBot) -> None:
    player, canvas = segmented.controller.player, segmented.workspace.canvas
    for time, index in ((3.2, 3), (1.0, 1), (0.99, 0)):
        player.seek(time)
        qtbot.waitUntil(
            lambda index=index: (
                segmented.controller.result is not None and segmented.controller.result.window.index == index
            ),
            timeout=PATIENCE,
        )
        assert canvas._probability is segmented.controller.result.probability


def test_threshold_changes_pixels_bars_and_memory(segmented: MainWindow, qtbot: QtBot) -> None:
    window, probability = segmented, segmented.controller.result.probability
    slider = window.workspace.inspector.look.threshold.slider
    middle = float(np.median(probability)) / 255
    slider.set_real(max(0.0, middle - 0.1))
    low = grab(window.workspace.canvas)
    area_low = window.controller.document.area
    qtbot.waitUntil(lambda: window.controller.document.area[0] > 0.6, timeout=PATIENCE)
    area_low = float(window.controller.document.area[0])
    slider.set_real(1.0)
    high = grab(window.workspace.canvas)
    assert np.mean(np.any(low != high, axis=2)) > 0.3
    qtbot.waitUntil(lambda: window.controller.document.area[0] == 0.0, timeout=PATIENCE)
    assert area_low > 0.6
    assert window.settings.values.threshold == 1.0


def test_playing_moves_everything(segmented: MainWindow, qtbot: QtBot) -> None:
    window, player = segmented, segmented.controller.player
    window.workspace.canvas.setFocus()
    qtbot.keyClick(window.workspace.canvas, Qt.Key.Key_Space)
    assert player.playing
    assert "Pause" in window.workspace.transport.play_button.toolTip()
    qtbot.waitUntil(lambda: player.position > 1.3, timeout=PATIENCE)
    qtbot.keyClick(window.workspace.canvas, Qt.Key.Key_Space)
    assert not player.playing
    assert window.controller.result.window.index >= 1
    assert window.workspace.transport.time_label.text() == f"00:{player.position:06.3f}"[:9] or player.position > 1.3
    assert shown_number(player.frame) >= 25


@pytest.mark.parametrize(
    ("keys", "frame"),
    [
        ([(Qt.Key.Key_Right, False)], 26),
        ([(Qt.Key.Key_Period, False)] * 2, 27),
        ([(Qt.Key.Key_Left, False)], 24),
        ([(Qt.Key.Key_Comma, False)] * 3, 22),
        ([(Qt.Key.Key_Right, True)], 50),
        ([(Qt.Key.Key_Left, True)], 0),
        ([(Qt.Key.Key_End, False)], 99),
        ([(Qt.Key.Key_End, False), (Qt.Key.Key_Home, False)], 0),
    ],
)
def test_keys_move_by_frames_and_seconds(
    segmented: MainWindow, qtbot: QtBot, keys: list[tuple[Qt.Key, bool]], frame: int
) -> None:
    player = segmented.controller.player
    player.seek(1.0)
    qtbot.waitUntil(lambda: player.frame.index == 25, timeout=PATIENCE)
    for key, shift in keys:
        before = player.frame.index
        qtbot.keyClick(segmented, key, Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier)
        qtbot.waitUntil(lambda before=before: player.frame.index != before, timeout=PATIENCE)
    assert player.frame.index == frame


def test_arrow_keys_stay_with_a_focused_slider(segmented: MainWindow, qtbot: QtBot) -> None:
    slider = segmented.workspace.inspector.look.opacity.slider
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 1
    assert segmented.controller.player.frame.index == 0


def test_hover_reads_time_pixel_and_probability(segmented: MainWindow, qtbot: QtBot) -> None:
    canvas = segmented.workspace.canvas
    qtbot.mouseMove(canvas, QPoint(canvas.width() // 2 - 3, canvas.height() // 2))
    qtbot.mouseMove(canvas, QPoint(canvas.width() // 2, canvas.height() // 2))
    assert "x 96, y 6" in segmented._readout.text()
    assert "%" in segmented._readout.text()


def test_mixer_shows_weights_and_maps(segmented: MainWindow, qtbot: QtBot) -> None:
    mixer, result = segmented.workspace.inspector.mixer, segmented.controller.result
    assert np.array_equal(mixer.bars._weights, result.mixer_weights)
    qtbot.waitUntil(lambda: len(mixer.maps._images) == 8, timeout=PATIENCE)
    before = grab(segmented.workspace.canvas)
    box = mixer.maps._box(0).center().toPoint()
    qtbot.mouseMove(mixer.maps, box + QPoint(2, 2))
    qtbot.mouseMove(mixer.maps, box)
    channel = mixer.maps._channels[0]
    assert f"channel {channel}" in segmented.workspace.canvas._caption
    assert np.mean(np.any(grab(segmented.workspace.canvas) != before, axis=2)) > 0.8
    qtbot.mouseMove(mixer.bars, QPoint(1, 1))
    segmented.workspace.inspector.mixer.maps.leaveEvent(None)
    mixer.bars.leaveEvent(None)
    assert np.array_equal(grab(segmented.workspace.canvas), before)


def test_reopening_shows_the_results_at_once(segmented: MainWindow, qtbot: QtBot, clip: Path) -> None:
    window = segmented
    window.actions_by_name["close"].trigger()
    assert window.pages.currentWidget() is window.start_page
    answers: list[object] = []
    window.controller.client.windows_done.connect(answers.append)
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window) and window.controller.result is not None, timeout=PATIENCE)
    assert answers == [], "nothing was computed again"


def test_damaged_recorded_masks_are_told_and_made_anew(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    video = tmp_path / "copy.mp4"
    video.write_bytes(clip.read_bytes())
    video.with_suffix(".avseg").write_bytes(b"no masks")
    window.open(video)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert "copy.avseg" in window.messages.text
    assert not window.workspace.job_bar.switch_button.isVisible()


def test_a_second_drop_replaces_the_first(window: MainWindow, qtbot: QtBot, clip: Path, other_clip: Path) -> None:
    drop(window, other_clip)
    qtbot.waitUntil(
        lambda: window.controller.document is not None and window.controller.document.done > 0, timeout=PATIENCE
    )
    first = window.controller.document
    assert first.done < first.count
    window.controller.player.play()
    drop(window, clip)
    qtbot.waitUntil(lambda: window.controller.document is not first, timeout=PATIENCE)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert window.controller.document.path == clip
    assert window.controller.player.frame.image.height() == 128
    assert not window.controller.player.playing
    with MaskStore(first.store) as store:
        assert len(store) < first.count, "the first one was not finished behind our back"
    assert [Path(name) for name in window.settings.values.recent_files] == [clip, other_clip]


def test_cancel_and_resume(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    window.open(other_clip)
    bar = window.workspace.job_bar
    qtbot.waitUntil(
        lambda: window.controller.document is not None and window.controller.document.done > 1, timeout=PATIENCE
    )
    assert bar.button.text() == "Cancel"
    qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    document = window.controller.document
    with qtbot.waitSignal(window.controller.client.job_ended, timeout=PATIENCE):
        pass
    stopped_at = document.done
    assert document.job.phase == "stopped"
    assert stopped_at < document.count
    assert "stopped" in bar.text
    qtbot.wait(300)
    assert document.done == stopped_at
    assert bar.button.text() == "Resume"
    qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert not bar.button.isVisible()


def test_what_is_in_view_comes_first(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    order: list[int] = []
    window.controller.client.windows_done.connect(lambda answer: order.extend(r.window.index for r in answer.results))
    window.open(other_clip)
    qtbot.waitUntil(lambda: len(order) >= 1, timeout=PATIENCE)
    window.controller.player.seek(30.2)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    assert order[0] == 0
    assert order.index(30) < 12, "not after all that lies before it"
    assert sorted(order) == list(range(40)), "every window once"


def test_silent_video_says_so(window: MainWindow, qtbot: QtBot, other_clip: Path) -> None:
    window.open(other_clip)
    qtbot.waitUntil(lambda: "no sound track" in window.messages.text, timeout=PATIENCE)
    assert window.messages.kind == "info"


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "missing", "folder", "sound only"])
def test_bad_files_leave_the_open_video_alone(
    segmented: MainWindow, qtbot: QtBot, tmp_path: Path, clip: Path, kind: str
) -> None:
    bad = tmp_path / f"bad {kind}.mp4"
    if kind == "text":
        bad.write_text("this is no video\n" * 50)
    elif kind == "empty":
        bad.touch()
    elif kind == "truncated":
        bad.write_bytes(clip.read_bytes()[:600])
    elif kind == "folder":
        bad.mkdir()
    elif kind == "sound only":
        from tests.media_fixtures import Tone, write_clip

        write_clip(bad, 0, tones=[Tone(seconds=1.0)])
    before = segmented.controller.document
    drop(segmented, bad)
    qtbot.waitUntil(lambda: segmented.messages.kind == "error" and bool(segmented.messages.text), timeout=PATIENCE)
    assert bad.name in segmented.messages.text
    assert "\n" not in segmented.messages.text
    assert segmented.controller.document is before
    assert str(bad) not in segmented.settings.values.recent_files
    segmented.controller.player.step(1)
    qtbot.waitUntil(lambda: segmented.controller.player.frame.index == 1, timeout=PATIENCE)


def test_several_files_open_the_first_and_say_so(
    window: MainWindow, qtbot: QtBot, clip: Path, other_clip: Path
) -> None:
    drop(window, clip, other_clip)
    assert "1 more" in window.messages.text
    qtbot.waitUntil(lambda: window.controller.document is not None, timeout=PATIENCE)
    assert window.controller.document.path == clip


def test_recent_file_opens_from_the_start_page(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    window.settings.add_recent(clip)
    recent = window.start_page.recent_list
    assert recent.count() == 1
    assert "clip.mp4" in recent.item(0).text()
    recent.setCurrentRow(0)
    qtbot.keyClick(recent, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.controller.document is not None, timeout=PATIENCE)
    window.actions_by_name["close"].trigger()
    recent.setCurrentRow(0)
    qtbot.keyClick(recent, Qt.Key.Key_Delete)
    assert recent.count() == 0


def test_more_masks_per_second(segmented: MainWindow, qtbot: QtBot) -> None:
    choice = segmented.toolbar.rate_choice
    choice.setCurrentIndex(choice.findData(4.0))
    choice.activated.emit(choice.currentIndex())
    qtbot.waitUntil(lambda: segmented.controller.document.rate == 4.0, timeout=PATIENCE)
    qtbot.waitUntil(lambda: is_done(segmented), timeout=PATIENCE)
    assert len(segmented.controller.document.area) == 16
    segmented.controller.player.seek(1.3)
    qtbot.waitUntil(
        lambda: segmented.controller.result is not None and segmented.controller.result.window.index == 5,
        timeout=PATIENCE,
    )


def test_a_model_that_fails_does_not_block_the_selector(segmented: MainWindow, qtbot: QtBot, models: Path) -> None:
    broken = models / "broken.safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    try:
        segmented.toolbar.refresh()
        choice = segmented.toolbar.model_choice
        assert choice.findText("broken") >= 0
        choice.setCurrentText("broken")
        choice.activated.emit(choice.currentIndex())
        qtbot.waitUntil(lambda: segmented.messages.kind == "error", timeout=PATIENCE)
        assert "broken.safetensors" in segmented.messages.text
        qtbot.waitUntil(lambda: segmented.controller.document.job.phase == "failed", timeout=PATIENCE)
        choice.setCurrentText("small")
        choice.activated.emit(choice.currentIndex())
        qtbot.waitUntil(lambda: segmented.controller.document.model == "small" and is_done(segmented), timeout=PATIENCE)
    finally:
        broken.unlink()


def test_keyboard_reaches_every_part(segmented: MainWindow, qtbot: QtBot) -> None:
    """Tab goes round, and every stop has a name for screen readers."""
    window = segmented
    window.workspace.canvas.setFocus(Qt.FocusReason.TabFocusReason)
    stops = [window.focusWidget()]
    for _ in range(80):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() is stops[0]:
            break
        stops.append(window.focusWidget())
    else:
        pytest.fail("Tab never comes back")
    named = [stop.accessibleName() or getattr(stop, "text", str)() for stop in stops]
    assert all(named), [type(stop).__name__ for stop, name in zip(stops, named, strict=True) if not name]
    workspace = window.workspace
    for part in (workspace.timeline, workspace.transport.play_button, workspace.inspector.mixer.bars):
        assert part in stops
    for part in (window.toolbar.model_choice, window.toolbar.export_button, workspace.inspector.look.threshold.slider):
        assert part in stops


def test_side_panel_and_modes_by_key(segmented: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(segmented, Qt.Key.Key_F9)
    assert not segmented.workspace.inspector.isVisible()
    qtbot.keyClick(segmented, Qt.Key.Key_F9)
    assert segmented.workspace.inspector.isVisible()
    for key, mode in (
        (Qt.Key.Key_2, "outline"),
        (Qt.Key.Key_3, "heat"),
        (Qt.Key.Key_4, "none"),
        (Qt.Key.Key_1, "fill"),
    ):
        qtbot.keyClick(segmented, key)
        assert segmented.settings.values.overlay_mode == mode
        assert segmented.workspace.inspector.look.mode_buttons[mode].isChecked()


def test_view_menu_leads_to_every_page(window: MainWindow) -> None:
    view = next(action.menu() for action in window.menuBar().actions() if action.text() == "&View")
    offered = [action.text() for action in view.actions()][:3]
    assert offered == ["&Video", "&Live camera…", "&Training"]
    assert len(offered) == len(window.modes.findChildren(QAbstractButton))


def test_damaged_cache_is_made_anew(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window), timeout=PATIENCE)
    store = window.controller.document.store
    assert store.parent == result_cache().folder
    window.actions_by_name["close"].trigger()
    qtbot.wait(200)
    store.write_bytes(b"SQLite format 3\0" + b"?" * 4000)
    window.open(clip)
    qtbot.waitUntil(lambda: is_done(window) and window.controller.result is not None, timeout=PATIENCE)
    with MaskStore(store) as again:
        assert len(again) == 4
