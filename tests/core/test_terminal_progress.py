"""How far a command is, on a terminal and in a file."""

import pytest

from avseg_core.commands.terminal import ProgressLine
from avseg_core.progress import Progress


class Screen:
    """A stream that is, or is not, a terminal."""

    def __init__(self, terminal: bool) -> None:
        self.terminal, self.text = terminal, ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_progress_without_a_terminal_is_a_line_per_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("avseg_core.commands.terminal.time.monotonic", lambda: clock[0])
    screen = Screen(terminal=False)
    line = ProgressLine("clip.mp4", screen)
    for done in range(1001):
        line(Progress("segment", done, 1000))
        clock[0] += 0.1
    for done in range(101):  # over in a tenth of a second
        line(Progress("png", done, 100))
        clock[0] += 0.001
    line.close()
    lines = screen.text.splitlines()
    assert len(lines) == 11
    assert lines[0] == "clip.mp4: segment  10 %, 1:30 left"
    assert lines[9:] == ["clip.mp4: segment 100 %", "clip.mp4: png 100 %"]


def test_progress_on_a_terminal_is_one_line_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("avseg_core.commands.terminal.time.monotonic", lambda: clock[0])
    screen = Screen(terminal=True)
    line = ProgressLine("clip.mp4", screen)
    for done in (10, 30, 60, 60.1, 100):  # ten were there already
        line(Progress("segment", done, 100))
        clock[0] += 20 if done != 60 else 0.01
    line.close()
    assert screen.text.count("\n") == 1
    assert "\rclip.mp4: segment  30 %, 1:10 left\x1b[K" in screen.text
    assert "\rclip.mp4: segment  60 %, 0:32 left\x1b[K" in screen.text
    assert screen.text.count("60 %") == 1  # drawn too recently
    assert screen.text.endswith("\rclip.mp4: segment 100 %\x1b[K\n")
