"""The virtual camera gets what is seen, never holds anybody up, and says what is missing. Its package is a stand-in."""

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core import cli
from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.live_model import LiveModel
from avseg_core.inference.live_virtual_camera import VirtualCamera
from avseg_core.media.capture import CameraOptions
from avseg_core.media.capture_test_source import COLOUR, TestCamera, TestMicrophone
from avseg_core.results.look import OverlayStyle
from tests.live_fixtures import running, scene_model, wait_for

GREEN = OverlayStyle(color=(0, 255, 0), opacity=1.0)


class StandInCamera:
    """What pyvirtualcam.Camera does, with a list in place of a driver."""

    opened: ClassVar[list["StandInCamera"]] = []
    refusal: ClassVar[Exception | None] = None
    device = "/dev/video9"

    def __init__(self, *, width: int, height: int, fps: float, fmt: object) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.size, self.fps, self.fmt = (width, height), fps, fmt
        self.pictures: list[NDArray[np.uint8]] = []
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.opened.append(self)

    def send(self, frame: NDArray[np.uint8]) -> None:
        assert frame.shape == (self.size[1], self.size[0], 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        self.pictures.append(frame.copy())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[StandInCamera]:
    module: Any = ModuleType("pyvirtualcam")
    module.Camera, module.PixelFormat = StandInCamera, SimpleNamespace(RGB="RGB")
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    monkeypatch.setattr(StandInCamera, "opened", [])
    return StandInCamera


def _virtual(width: int = 64, height: int = 48) -> tuple[VirtualCamera, list[str]]:
    ends: list[str] = []
    return VirtualCamera(width, height, 30.0, GREEN, ends.append), ends


def test_pictures_are_sent_with_their_masks(library: type[StandInCamera]) -> None:
    virtual, _ = _virtual()
    camera = library.opened[0]
    assert (camera.size, camera.fps, camera.fmt, virtual.device) == ((64, 48), 30.0, "RGB", "/dev/video9")
    image, mask = np.full((48, 64, 3), 80, np.uint8), np.zeros((24, 32), np.uint8)
    mask[:, :16] = 255
    virtual.offer(image, mask)
    assert wait_for(lambda: virtual.sent == 1)
    assert np.all(camera.pictures[0][4:-4, 4:24] == [0, 255, 0])
    assert np.all(camera.pictures[0][:, 40:] == 80)
    virtual.style = OverlayStyle(mode="none")
    virtual.offer(image, mask)
    assert wait_for(lambda: virtual.sent == 2)
    assert np.all(camera.pictures[1] == 80)
    virtual.stop()
    assert camera.closed


def test_a_picture_of_another_size_is_fitted_in(library: type[StandInCamera]) -> None:
    virtual, _ = _virtual(65, 49)
    virtual.offer(np.full((48, 128, 3), 200, np.uint8), None)
    assert wait_for(lambda: virtual.sent == 1)
    virtual.stop()
    picture = library.opened[0].pictures[0]
    assert picture.shape == (48, 64, 3), "even sides, as the drivers want them"
    assert np.all(picture[12:36] == 200)
    assert not picture[:12].any()
    assert not picture[36:].any()


def test_a_slow_driver_gets_the_newest_and_nobody_waits(library: type[StandInCamera]) -> None:
    virtual, _ = _virtual()
    camera = library.opened[0]
    camera.gate.clear()
    for value in range(200):
        virtual.offer(np.full((48, 64, 3), value, np.uint8), None)
    camera.gate.set()
    assert wait_for(lambda: bool(camera.pictures) and camera.pictures[-1][0, 0, 0] == 199)
    virtual.stop()
    assert len(camera.pictures) < 100


def test_a_driver_that_fails_is_told_and_given_back(library: type[StandInCamera]) -> None:
    virtual, ends = _virtual()
    library.opened[0].failure = RuntimeError("device\nis gone.")
    virtual.offer(np.zeros((48, 64, 3), np.uint8), None)
    assert wait_for(lambda: library.opened[0].closed)
    assert ends == ["The virtual camera /dev/video9 has ended (device is gone); switch it on again."]
    virtual.stop()


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(InputError, match="-m pip install pyvirtualcam"):
        _virtual()


def test_without_a_device_it_says_so_in_one_line(library: type[StandInCamera], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "refusal", RuntimeError("'v4l2loopback' backend: No device found.\n"))
    with pytest.raises(AVSegError, match=r"There is no virtual camera \(.*No device found\); ") as refusal:
        _virtual()
    assert "\n" not in str(refusal.value)


def test_others_see_the_mirrored_picture_with_its_masks(library: type[StandInCamera]) -> None:
    """What sounds is the disc first: red, left in the scene and so right in the mirror; its mask is drawn over it."""
    options = CameraOptions(width=320, height=240)
    config = LiveConfig(smoothing=0.0, mirror=True)
    session = LiveSession(lambda: TestCamera(options), TestMicrophone, config, SessionListener())
    with running(session):
        session.segment_with(scene_model())
        assert wait_for(lambda: session.camera.frames > 0)
        first = session.show_to_others(GREEN, options)
        assert session.show_to_others(GREEN, options) is first
        camera = library.opened[0]
        assert camera.size == (320, 240)

        def green(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
            return (picture[..., 1] > 200) & (picture[..., 0] < 60) & (picture[..., 2] < 60)

        def red(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
            return picture[..., 0].astype(int) - picture[..., 2] > 0.5 * (COLOUR["disc"][0] - COLOUR["disc"][2])

        def disc_is_covered_on_the_right() -> bool:
            return any(green(picture)[:, 160:].mean() > 0.05 for picture in camera.pictures[-5:])

        assert wait_for(disc_is_covered_on_the_right)
        assert all(red(picture)[:, :160].mean() < 0.01 for picture in camera.pictures)
    assert camera.closed
    assert len(library.opened) == 1


def test_the_command_shows_to_others_or_says_what_is_missing(
    library: type[StandInCamera], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LiveModel, "load", lambda config: scene_model())
    words = ["live", "--source", "test", "--seconds", "0.5", "--virtual-camera"]
    assert cli.main(words) == 0
    assert "as the camera /dev/video9" in capsys.readouterr().out
    assert library.opened[0].pictures
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert "pip install pyvirtualcam" in error
    assert error.count("\n") == 1
