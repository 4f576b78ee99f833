"""The application as a program on a real X server, used with mouse and keyboard and judged by what is on screen."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media_fixtures import Clip, write_clip
from tests.x_display import PATIENCE, Display, wait_for

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(
        shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="Xvfb or xdotool is not installed"
    ),
]
WINDOW = (1280, 820)
CANVAS = (slice(70, 570), slice(90, 960))
"""Rows and columns that lie within the canvas whatever the fonts are."""
TIMELINE_Y = 690
MASK_COLOR = (230, 159, 0)
SETTINGS = '[General]\nopacity=1.0\ntheme="\\"light\\""\n'
"""Opaque masks, so that a pixel of the mask has its very colour."""


class Studio:
    """The program from the outside."""

    def __init__(self, display: Display) -> None:
        self.display = display
        self._search = ("search", "--onlyvisible", "--name", "AVSeg Studio")
        wait_for(lambda: display.do(*self._search) != "", "the window appears")
        self.window = display.do(*self._search).split()[0]
        display.do("windowfocus", "--sync", self.window)

    @property
    def title(self) -> str:
        return self.display.do("getwindowname", self.window)

    def press(self, *keys: str) -> None:
        self.display.do("key", "--delay", 60, *keys)

    def click(self, x: int, y: int) -> None:
        self.display.do("mousemove", x, y, "click", 1)

    def canvas(self) -> NDArray[np.uint8]:
        return self.display.picture()[CANVAS]

    def mask(self) -> NDArray[np.bool_]:
        """Where the canvas has the colour of the mask."""
        return np.all(self.canvas() == MASK_COLOR, axis=2)

    def settle(self) -> NDArray[np.uint8]:
        """The canvas once nothing on it moves any more."""
        last = [self.canvas()]

        def still() -> bool:
            time.sleep(0.3)
            before, last[0] = last[0], self.canvas()
            return bool(np.array_equal(before, last[0]))

        wait_for(still, "the picture stands still")
        return last[0]


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    server = Display(tmp_path_factory.mktemp("display"), 1440, 860)
    yield server
    server.close()


@pytest.fixture(scope="module")
def running(display: Display, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The program as its first user meets it; quitting by key ends it cleanly."""
    home = tmp_path_factory.mktemp("home")
    (home / "config" / "AVSeg Studio").mkdir(parents=True)
    (home / "config" / "AVSeg Studio" / "avseg-studio.ini").write_text(SETTINGS)
    folders = {f"XDG_{name.upper()}_HOME": str(home / name) for name in ("config", "cache", "data")}
    with display.running([sys.executable, "-m", "avseg_app.app"], LC_ALL="C.UTF-8", **folders) as program:
        studio = Studio(display)
        yield studio
        studio.press("ctrl+q")
        assert program.wait(PATIENCE) == 0


@pytest.fixture
def studio(running: Studio) -> Iterator[Studio]:
    """The program on its start page."""
    yield running
    running.press("ctrl+w")
    wait_for(lambda: running.title == "AVSeg Studio", "the video is closed")


@pytest.fixture
def demo(studio: Studio) -> Studio:
    """The demo clip, opened from the start page by keyboard, paused at its start under its mask."""
    studio.press("Tab", "Tab", "space")
    wait_for(lambda: studio.title == "demo.mp4 – AVSeg Studio", "the demo clip opens")
    wait_for(lambda: studio.mask().sum() > 2000, "the mask appears")
    return studio


def test_masks_on_screen_follow_the_sound(demo: Studio) -> None:
    """The dog on the left barks in the second clicked on first, the hen on the right clucks in the other one."""
    middle = {}
    for name, second in (("dog", 1.5), ("hen", 4.5)):
        left, right = 156, WINDOW[0] - 12
        demo.click(round(left + (right - left) * second / 10), TIMELINE_Y)

        def seen(name: str = name) -> bool:
            mask = demo.mask()
            if mask.sum() > 2000:
                middle[name] = np.nonzero(mask)[1].mean() / mask.shape[1]
            return 0.2 < middle.get(name, 0.5) < 0.42 if name == "dog" else 0.58 < middle.get(name, 0.5) < 0.8

        wait_for(seen, f"the mask is on the {name}")
    demo.press("4")
    wait_for(lambda: not demo.mask().any(), "key 4 takes the mask off")
    demo.press("1")
    wait_for(lambda: demo.mask().sum() > 2000, "key 1 puts it back")


def test_keys_play_pause_and_step(demo: Studio) -> None:
    demo.press("4")
    first = demo.settle()
    demo.press("space")
    wait_for(lambda: not np.array_equal(demo.canvas(), first), "the picture moves")
    demo.press("space")
    paused = demo.settle()
    demo.press("Right")
    wait_for(lambda: not np.array_equal(demo.canvas(), paused), "one frame on")
    demo.press("Left")
    wait_for(lambda: np.array_equal(demo.canvas(), paused), "one frame back is the very picture from before")
    demo.press("Home")
    wait_for(lambda: np.array_equal(demo.canvas(), first), "the first picture again")
    demo.press("1")


def test_a_file_dragged_from_another_program_opens(studio: Studio, tmp_path: Path) -> None:
    """Drag and drop over the X protocol: the window takes the file when the button is let go over it."""
    clip = write_clip(tmp_path / "dragged.mp4", 25, size=(192, 128), clip=Clip(fps=Fraction(25)))
    source = [sys.executable, str(Path(__file__).with_name("drag_source.py")), str(clip), "1310", "50"]
    display = studio.display
    with display.running(source):
        wait_for(lambda: display.do("search", "--onlyvisible", "--name", "drag source") != "", "the source appears")
        before = studio.canvas()
        display.do("mousemove", 1350, 100, "mousedown", 1)
        for x in range(1340, 600, -60):
            display.do("mousemove", x, 150, "sleep", 0.03)
        wait_for(lambda: not np.array_equal(studio.canvas(), before), "the drop area lights up")
        display.do("mouseup", 1)
        wait_for(lambda: studio.title == "dragged.mp4 – AVSeg Studio", "the dropped file opens")
        display.do("windowfocus", "--sync", studio.window)
