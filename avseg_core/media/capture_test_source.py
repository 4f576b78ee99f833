"""A camera and a microphone that always exist: two things that move and sound in turn, with known truth.

Everything is a function of time alone, so camera and microphone agree without knowing of each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import CameraOptions, CapturedFrame, SoundBlock

Thing = Literal["disc", "square"]
TURN = 2.0
"""Seconds for which one thing sounds before it is the other's turn."""
PITCH: dict[Thing, float] = {"disc": 440.0, "square": 1320.0}
COLOUR: dict[Thing, tuple[int, int, int]] = {"disc": (225, 60, 45), "square": (50, 110, 230)}
FADE = 0.01
"""Seconds over which a tone comes and goes, so that it does not click."""
RATE = 48000
BLOCK = 960
"""Samples per block of the test microphone: 20 ms."""


class TestScene:
    """What the test source shows and plays at any time."""

    __test__ = False

    def __init__(self, width: int = 640, height: int = 480) -> None:
        self.width, self.height = width, height
        self._background = np.repeat(_texture(width, height, 16)[..., None] + 120, 3, axis=2).astype(np.uint8)
        # The things carry a pattern of their own, as real ones do: what moves can be seen everywhere on them.
        side = 2 * round(self.radius) + 3
        self._skin = _texture(side, side, 8)

    def sounding(self, when: float) -> Thing:
        """Whose turn it is."""
        return "disc" if int(when // TURN) % 2 == 0 else "square"

    def centre(self, thing: Thing, when: float) -> tuple[float, float]:
        """Where the thing is, (x, y) in pixels: both move up and down in their own half of the picture."""
        phase = 2 * np.pi * (when % 10.0) / 5.0
        if thing == "disc":
            return self.width * (0.27 + 0.08 * np.cos(phase)), self.height * (0.5 + 0.2 * np.sin(phase))
        return self.width * (0.73 + 0.08 * np.sin(phase)), self.height * (0.5 + 0.2 * np.cos(phase))

    @property
    def radius(self) -> float:
        """Radius of the disc and half the side of the square, in pixels."""
        return 0.16 * self.height

    def image(self, when: float) -> NDArray[np.uint8]:
        """[H,W,3] RGB."""
        image = self._background.copy()
        side = len(self._skin)
        for thing in PITCH:
            x, y = self.centre(thing, when)
            left, top = round(x) - side // 2, round(y) - side // 2
            inside = self.mask(thing, when)[top : top + side, left : left + side]
            skin = np.clip(self._skin[..., None] + np.array(COLOUR[thing]), 0, 255).astype(np.uint8)
            image[top : top + side, left : left + side][inside] = skin[inside]
        return image

    def mask(self, thing: Thing, when: float) -> NDArray[np.bool_]:
        """The pixels of a thing, [H,W]."""
        x, y = self.centre(thing, when)
        canvas = np.zeros((self.height, self.width), np.uint8)
        if thing == "disc":
            cv2.circle(canvas, (round(x), round(y)), round(self.radius), 1, -1)
        else:
            r = self.radius
            cv2.rectangle(canvas, (round(x - r), round(y - r)), (round(x + r), round(y + r)), 1, -1)
        return canvas > 0

    def sound(self, start: float, count: int, rate: int = RATE) -> NDArray[np.float32]:
        """`count` samples from `start` on, [count]; a tone of the pitch of the thing whose turn it is."""
        times = start % (2 * TURN) + np.arange(count) / rate
        within = times % TURN
        pitch = np.where((times // TURN).astype(int) % 2 == 0, PITCH["disc"], PITCH["square"])
        fade = np.clip(np.minimum(within, TURN - within) / FADE, 0, 1)
        # Each pitch has a whole number of cycles per turn, so the phase may start anew with each turn.
        return (0.25 * fade * np.sin(2 * np.pi * pitch * within)).astype(np.float32)


class TestCamera:
    """Shows a TestScene in real time."""

    __test__ = False
    name = "Test picture"
    is_live = True

    def __init__(self, options: CameraOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.fps = options.fps
        self.scene = TestScene(options.width, options.height)
        self._clock = clock
        self._count = 0
        self._start = 0.0

    def open(self) -> None:
        """Starts the film."""
        self._start, self._count = self._clock(), 0

    def read(self) -> CapturedFrame:
        """Waits for the next picture; those that are already past are skipped."""
        now = self._clock()
        self._count = max(self._count + 1, int((now - self._start) * self.fps))
        due = self._start + self._count / self.fps
        time.sleep(max(due - now, 0.0))
        return CapturedFrame(self._count, due, self._clock(), self.scene.image(due))

    def close(self) -> None:
        """Nothing is held."""


class TestMicrophone:
    """Plays a TestScene's sound in real time; with `silent` nothing but zeros."""

    __test__ = False
    rate = RATE
    channels = 1
    is_live = False

    def __init__(self, *, silent: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = "No sound" if silent else "Test tone"
        self._scene = None if silent else TestScene(64, 48)
        self._clock = clock
        self._next = 0.0

    def open(self) -> None:
        """Starts the sound now."""
        self._next = self._clock()

    def read(self) -> SoundBlock:
        """Waits until the next 20 ms have passed."""
        start, stop = self._next, self._next + BLOCK / self.rate
        time.sleep(max(stop - self._clock(), 0.0))
        self._next = stop
        samples = np.zeros(BLOCK, np.float32) if self._scene is None else self._scene.sound(start, BLOCK, self.rate)
        return SoundBlock(samples[:, None], start)

    def close(self) -> None:
        """Nothing is held."""


def _texture(width: int, height: int, grain: int) -> NDArray[np.int16]:
    """A calm pattern of -30..30 around 0, [height,width]; the same each time."""
    coarse = np.random.default_rng(5).uniform(-30, 30, (height // grain + 2, width // grain + 2))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.int16)
