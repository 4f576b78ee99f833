"""What the user names becomes a camera or a microphone: devices, addresses, files in real time, the test source."""

import errno
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avseg_core.errors import InputError
from avseg_core.media import capture_camera, capture_stream
from avseg_core.media.capture import CameraOptions, CapturedFrame, DeviceState, DeviceStatus, SourceError
from avseg_core.media.capture_camera import DeviceCamera, list_cameras
from avseg_core.media.capture_camera_feed import CameraFeed
from avseg_core.media.capture_microphone_feed import MicrophoneFeed
from avseg_core.media.capture_sources import camera, default_sound, list_sounds, list_sources, microphone
from avseg_core.media.capture_stream import PlayClock, StreamCamera, network
from avseg_core.media.capture_test_source import PITCH, TURN, TestCamera, TestScene
from tests.live_fixtures import MotionJpegServer, running, wait_for

OPTIONS = CameraOptions(width=160, height=120)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 s at 25 fps: picture k has the grey level 5 k, and a beep sounds with picture 15."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for k in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * k, np.uint8), format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(video.encode(frame))
            tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(640) / 16000) if k == 15 else np.zeros(640)
            block = av.AudioFrame.from_ndarray((tone * 32767).astype(np.int16)[None], format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16000, k * 640, Fraction(1, 16000)
            container.mux(audio.encode(block))
        container.mux(video.encode(None))
    return path


def test_the_test_sources_are_always_listed() -> None:
    assert list_sources()[-1].spec == "test"
    assert [device.spec for device in list_sounds()[-2:]] == ["test", "none"]


def test_the_scene_is_what_it_says() -> None:
    scene = TestScene(320, 240)
    for moment, thing in ((0.5, "disc"), (TURN + 0.5, "square"), (2 * TURN + 0.1, "disc")):
        assert scene.sounding(moment) == thing
        spectrum = np.abs(np.fft.rfft(scene.sound(moment, 4800, 48000)))
        assert int(np.argmax(spectrum)) * 10 == PITCH[scene.sounding(moment)]
        image, mask = scene.image(moment), scene.mask(scene.sounding(moment), moment)
        assert 0.03 < mask.mean() < 0.12
        strongest, weakest = (0, 2) if thing == "disc" else (2, 0)
        assert (image[mask][:, strongest].astype(int) - image[mask][:, weakest] > 90).all()
        assert np.ptp(image[~scene.mask("disc", moment) & ~scene.mask("square", moment)], axis=1).max() == 0
    assert not (scene.mask("disc", 1.0) & scene.mask("square", 1.0)).any()


def test_the_test_camera_keeps_time_and_skips_what_is_past() -> None:
    source = TestCamera(OPTIONS)
    source.open()
    first = source.read()
    time.sleep(0.2)
    late = source.read()
    assert late.index - first.index >= 6
    assert late.arrived - late.time < 0.05
    assert late.time - first.time == pytest.approx((late.index - first.index) / 30)


def test_a_file_plays_in_real_time_with_picture_and_sound_together(clip: Path) -> None:
    play = PlayClock()
    frames: list[CapturedFrame] = []
    sounds: list[tuple[float, float]] = []
    pictures = CameraFeed(camera(str(clip), OPTIONS, play), lambda status: None)
    sound = MicrophoneFeed(microphone("source", str(clip), play), lambda status: None)
    pictures.listeners.append(frames.append)
    sound.listeners.append(lambda samples, begins, rate: sounds.append((begins, float(np.abs(samples).max()))))
    with running(pictures, sound):
        assert wait_for(lambda: pictures.status.state is DeviceState.ENDED and sound.status.state is DeviceState.ENDED)
    origin = play.origin()
    assert len(frames) >= 20
    for frame in frames:
        level = float(frame.image.mean())
        assert frame.time - origin == pytest.approx(round(level / 5) / 25, abs=0.001)
        assert -0.001 < frame.arrived - frame.time < 0.2
    beep = next(begins for begins, peak in sounds if peak > 0.3)
    assert beep - origin == pytest.approx(15 / 25, abs=0.045)


def test_a_looped_file_goes_on(clip: Path) -> None:
    play = PlayClock()
    feed = CameraFeed(camera(str(clip), OPTIONS, play, loop=True), lambda status: None)
    times: list[float] = []
    feed.listeners.append(lambda frame: times.append(frame.time))
    with running(feed):
        assert wait_for(lambda: bool(times) and times[-1] - play.origin() > 1.5)
    assert np.all(np.diff(times) > 0)


def test_a_looped_file_that_is_opened_again_joins_where_it_must_be(clip: Path) -> None:
    """As after a machine's sleep: what has passed is not decoded to get there."""
    play, played = PlayClock(), 36000.0
    begun = time.monotonic()
    play._origin = origin = begun - played
    source = camera(str(clip), OPTIONS, play, loop=True)()
    source.open()
    frame = source.read()
    passed = time.monotonic() - begun
    source.close()
    assert frame is not None
    assert -0.2 < frame.time - origin - played < passed + 0.2
    assert source._count <= 30, "at most one lap was decoded"


def test_a_file_that_is_always_late_is_shown_all_the_same(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is too slow for its file shows what it can instead of nothing."""
    monkeypatch.setattr(capture_stream, "MOST_SKIPPED", 0.0)
    play = PlayClock()
    source = camera(str(clip), OPTIONS, play)()
    play.origin()
    source.open()
    play._origin = time.monotonic() - 60.0
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.image.mean() < 5


def test_a_microphone_that_was_chosen_is_waited_for() -> None:
    source = microphone("Desk microphone, ALSA", "test", PlayClock(), wait=True)()
    assert source.name == "Desk microphone, ALSA"
    with pytest.raises(SourceError) as caught:
        source.open()
    assert caught.value.trouble == "missing"


def test_a_network_camera_is_taken_back_after_an_outage() -> None:
    server = MotionJpegServer()
    server.start()
    seen: list[DeviceStatus] = []
    feed = CameraFeed(camera(server.url, OPTIONS, PlayClock()), seen.append)
    try:
        with running(feed):
            assert wait_for(lambda: feed.frames > 5)
            newest = feed.history.newest()
            assert newest is not None
            assert newest.image.shape == (240, 320, 3)
            server.stop()
            assert wait_for(lambda: feed.status.state is DeviceState.LOST)
            assert feed.status.message
            count = feed.frames
            server.start()
            assert wait_for(lambda: feed.frames > count + 5)
            assert feed.status.state is DeviceState.RUNNING
    finally:
        server.stop()


def test_an_address_without_a_server_says_so() -> None:
    source = StreamCamera(network("http://127.0.0.1:9/"))
    with pytest.raises(SourceError, match="cannot be reached") as caught:
        source.open()
    assert caught.value.trouble == "missing"


def test_a_password_in_an_address_is_never_shown() -> None:
    assert network("rtsp://me:secret@camera/stream").name == "rtsp://camera/stream"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no such camera", "no such camera, file or address"),
        ("screen:1,2", "screen"),
    ],
)
def test_a_source_that_fits_nothing_is_one_clear_line(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        camera(spec, OPTIONS, PlayClock())
    assert "\n" not in str(caught.value)


def test_a_microphone_that_fits_nothing_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="this machine has"):
        microphone("no such microphone", "test", PlayClock())
    with pytest.raises(InputError, match="brings no sound"):
        microphone("source", "0", PlayClock())


def test_files_bring_their_own_sound_and_cameras_the_default_microphone(clip: Path) -> None:
    assert default_sound(str(clip)) == "source"
    assert default_sound("test") == "source"
    assert default_sound("0") == "default"


def test_a_file_without_pictures_says_so(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 20)
    source = camera(str(path), OPTIONS, PlayClock())()
    with pytest.raises(SourceError, match=r"noise\.mp4") as caught:
        source.open()
    assert caught.value.trouble == "unreadable"


class _FakeCapture:
    """cv2.VideoCapture of a camera that gives 640x480 at 30 fps, with V4L2's time stamps."""

    opened = True
    frames = 3
    age = 0.03

    def __init__(self, number: int, backend: int) -> None:
        self.left = self.frames
        self.settings: dict[int, float] = {}

    def isOpened(self) -> bool:
        return self.opened

    def set(self, prop: int, value: float) -> bool:
        self.settings[prop] = value
        return True

    def get(self, prop: int) -> float:
        if prop == cv2.CAP_PROP_FPS:
            return 25.0
        return self.taken * 1000

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        if self.left < 0:
            return False, None
        self.taken = time.monotonic() - self.age
        bgr = np.zeros((480, 640, 3), np.uint8)
        bgr[..., 2] = 200
        return True, bgr

    def release(self) -> None:
        """Nothing is held."""


@pytest.fixture
def linux_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[_FakeCapture]:
    """A machine with two cameras, the first of which has a second node for metadata."""
    for node, index, name in (
        ("video0", "0", "HD Webcam"),
        ("video1", "1", "HD Webcam"),
        ("video2", "0", "Microscope"),
    ):
        folder = tmp_path / node
        folder.mkdir()
        (folder / "index").write_text(index)
        (folder / "name").write_text(name + "\n")

    class Capture(_FakeCapture):
        pass

    monkeypatch.setattr(capture_camera, "_VIDEO_CLASS", tmp_path)
    monkeypatch.setattr(capture_camera, "_check_node", lambda number, name: None)
    monkeypatch.setattr(capture_camera.sys, "platform", "linux")
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    return Capture


def test_cameras_are_listed_by_name_without_their_metadata_nodes(linux_camera: type[_FakeCapture]) -> None:
    assert [(device.spec, device.name, device.is_default) for device in list_cameras()] == [
        ("0", "HD Webcam", True),
        ("2", "Microscope", False),
    ]


def test_a_camera_gives_rgb_with_the_driver_s_time(linux_camera: type[_FakeCapture]) -> None:
    source = camera("microsc", OPTIONS, PlayClock())()
    source.open()
    frame = source.read()
    assert source.name == "Microscope"
    assert source.fps == 25.0
    assert frame is not None
    assert frame.image[0, 0].tolist() == [200, 0, 0]
    assert 0.03 <= frame.arrived - frame.time < 0.3


def test_a_nonsense_time_stamp_is_not_believed(linux_camera: type[_FakeCapture]) -> None:
    linux_camera.age = 1e6
    source = DeviceCamera(0, OPTIONS)
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.time == frame.arrived


def test_a_camera_that_cannot_be_opened_is_busy_if_it_is_listed(linux_camera: type[_FakeCapture]) -> None:
    linux_camera.opened = False
    with pytest.raises(SourceError, match="HD Webcam is in use") as caught:
        DeviceCamera(0, OPTIONS).open()
    assert caught.value.trouble == "busy"
    with pytest.raises(SourceError, match="Camera 7 is not connected") as caught:
        DeviceCamera(7, OPTIONS).open()
    assert caught.value.trouble == "missing"


@pytest.mark.parametrize(("working", "code"), [("MJPG", "MJPG"), ("YUYV", "YUYV"), ("", None), ("none", None)])
def test_pixel_formats_are_tried_in_order(
    linux_camera: type[_FakeCapture], monkeypatch: pytest.MonkeyPatch, working: str, code: str | None
) -> None:
    """A camera may offer a format and still give no picture in it."""
    tried: list[_FakeCapture] = []

    def read(self: _FakeCapture) -> tuple[bool, np.ndarray | None]:
        if self not in tried:
            tried.append(self)
        wanted = cv2.VideoWriter.fourcc(*working) if working in ("MJPG", "YUYV") else None
        good = working != "none" and self.settings.get(cv2.CAP_PROP_FOURCC) == wanted
        self.taken = time.monotonic()
        return good, np.zeros((480, 640, 3), np.uint8) if good else None

    monkeypatch.setattr(linux_camera, "read", read)
    source = DeviceCamera(0, CameraOptions(width=1280, height=720, fps=60))
    if working == "none":
        with pytest.raises(SourceError, match="gives no pictures") as caught:
            source.open()
        assert caught.value.trouble == "unreadable"
        return
    source.open()
    assert len(tried) == ("MJPG", "YUYV", "").index(working) + 1
    assert tried[-1].settings.get(cv2.CAP_PROP_FOURCC) == (cv2.VideoWriter.fourcc(*code) if code else None)
    asked = [tried[-1].settings[p] for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)]
    assert asked == [1280, 720, 60]
    assert source.read() is not None


def test_a_camera_that_was_unplugged_says_so(linux_camera: type[_FakeCapture]) -> None:
    linux_camera.frames = 1
    source = DeviceCamera(90, OPTIONS)
    source.open()
    with pytest.raises(SourceError) as caught:
        source.read()
    assert caught.value.trouble == "unplugged"


@pytest.mark.skipif(sys.platform != "linux", reason="device files exist on Linux only")
@pytest.mark.parametrize(
    ("code", "trouble"), [(errno.EACCES, "refused"), (errno.EBUSY, "busy"), (errno.ENOENT, "missing")]
)
def test_the_device_file_tells_why(monkeypatch: pytest.MonkeyPatch, code: int, trouble: str) -> None:
    def refuse(path: str, flags: int) -> int:
        raise OSError(code, "no")

    monkeypatch.setattr(capture_camera.os, "open", refuse)
    with pytest.raises(SourceError) as caught:
        DeviceCamera(0, OPTIONS).open()
    assert caught.value.trouble == trouble
