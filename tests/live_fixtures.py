"""Cameras and microphones without hardware, and a model that is right about the test scene."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avseg_core.audio.front_end import FrontEnd
from avseg_core.config import InferenceConfig, ModelConfig
from avseg_core.inference.live import LiveSession, SessionListener
from avseg_core.inference.live_config import LiveConfig, LiveResult
from avseg_core.inference.live_model import LiveModel
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media.capture import CameraOptions, CapturedFrame, SoundBlock, SourceError
from avseg_core.media.capture_test_source import TestCamera, TestMicrophone, TestScene
from avseg_core.models.audio_encoders import AudioEncoder
from avseg_core.models.output import AVSOutput
from avseg_core.results.mask import binary

OPTIONS = CameraOptions(width=320, height=240)
RAW = LiveConfig(smoothing=0.0)


class PitchShares(AudioEncoder):
    """Which share of the second holds the disc's pitch (440 Hz) and which the square's (1320 Hz)."""

    front_end: ClassVar[FrontEnd] = "vggish"
    embed_dim = 2

    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,2]."""
        bands = torch.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)[1:-1]
        low, high = (int((bands - 1127 * np.log1p(hertz / 700)).abs().argmin()) for hertz in (440, 1320))
        loud = torch.stack([logmel[:, 0, :, low], logmel[:, 0, :, high]], dim=-1) > -1.0  # [N,96,2]
        return loud.float().mean(dim=1)


class SceneModel(nn.Module):
    """Red sounds while most of the second is low, blue while most of it is high."""

    clip_length = None

    def __init__(self, pause: float = 0.0) -> None:
        """`pause`: seconds that seeing takes."""
        super().__init__()
        self.config = ModelConfig(image_size=(96, 128))
        self.audio_encoder = PitchShares()
        self.pause = pause

    def encode_visual(self, frames: Tensor) -> Tensor:
        time.sleep(self.pause)
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        pixels = frames * std.view(3, 1, 1) + mean.view(3, 1, 1)
        return torch.stack([pixels[:, 0] - pixels[:, 2], pixels[:, 2] - pixels[:, 0]], dim=1)  # [N,2,H,W]

    def segment(self, visual: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        shares = self.audio_encoder(logmel)  # [N,2]
        heard = (shares > 0.5).float()
        seen = (visual * heard[:, :, None, None]).amax(dim=1, keepdim=True)
        return AVSOutput(20 * (seen - 0.35), mixer_weights=shares)

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        return self.segment(self.encode_visual(frames), logmel, is_frame)


def scene_model(pause: float = 0.0) -> LiveModel:
    """A SceneModel ready for live use."""
    return LiveModel(Segmenter(SceneModel(pause), InferenceConfig(device="cpu", threads=1), name="scene"))


class ScriptedSource:
    """A camera or microphone that does what it is told: `items` yields what `read` returns or raises."""

    fps = 30.0
    is_live = True

    def __init__(
        self,
        read: Callable[[], CapturedFrame | SoundBlock | None],
        *,
        name: str = "Scripted",
        refuse: SourceError | None = None,
        rate: int = 16000,
    ) -> None:
        self.name, self.rate, self.channels = name, rate, 1
        self.read, self._refuse = read, refuse
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1
        if self._refuse is not None:
            raise self._refuse

    def close(self) -> None:
        self.closed += 1


class MotionJpegServer:
    """An http camera of the test scene on 127.0.0.1 that can be unplugged and plugged in again."""

    def __init__(self, fps: float = 30.0, image: Callable[[float], NDArray[np.uint8]] | None = None) -> None:
        self.fps = fps
        self._image = image or TestScene(320, 240).image
        self._server: http.server.ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        stopped = self._stopped = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                start, count = time.monotonic(), 0
                while not stopped.is_set():
                    count = max(count + 1, int((time.monotonic() - start) * outer.fps))
                    due = start + count / outer.fps
                    stopped.wait(max(due - time.monotonic(), 0))
                    jpeg = cv2.imencode(".jpg", outer._image(due)[..., ::-1])[1].tobytes()
                    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                    try:
                        self.wfile.write(head + jpeg + b"\r\n")
                    except OSError:
                        return

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._stopped.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class PulseServer:
    """A private PulseAudio with a virtual microphone that hears what is played to `vmic_sink`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/pulse/native",
            "HOME": str(folder),
        }

    def start(self) -> None:
        (self.folder / "pulse" / "pid").unlink(missing_ok=True)
        command = ["pulseaudio", "-n", "--daemonize=yes", "--exit-idle-time=-1", "--disallow-exit=no"]
        modules = (
            "module-native-protocol-unix",
            "module-null-sink sink_name=vmic_sink rate=48000 channels=2",
            "module-remap-source master=vmic_sink.monitor source_name=vmic "
            "source_properties=device.description=Virtual",
            "module-always-sink",
        )
        subprocess.run(
            [*command, *(f"--load={module}" for module in modules)],
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )
        self._control("set-default-source", "vmic")
        self._control("set-default-sink", "vmic_sink")

    def stop(self) -> None:
        pid = self.folder / "pulse" / "pid"
        if pid.is_file():
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
            pid.unlink(missing_ok=True)

    def play(self, wav: Path) -> subprocess.Popen[bytes]:
        """Plays a file to the virtual microphone."""
        return subprocess.Popen(["paplay", "--device=vmic_sink", str(wav)], env=os.environ | self.environment)

    def _control(self, *words: str) -> None:
        subprocess.run(["pactl", *words], env=os.environ | self.environment, check=True, timeout=10)

    @staticmethod
    def available() -> bool:
        return all(shutil.which(program) for program in ("pulseaudio", "pactl", "paplay"))


@contextmanager
def running(*feeds: object) -> Iterator[None]:
    """Starts feeds or sessions and stops them at the end."""
    for feed in feeds:
        feed.start()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for feed in feeds:
            feed.stop()  # type: ignore[attr-defined]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """True as soon as the condition holds, False if it does not within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class Collected(SessionListener):
    """Keeps what a session reports."""

    def __init__(self) -> None:
        self.results: list[LiveResult] = []
        self.frames: list[tuple[CapturedFrame, NDArray[np.uint8] | None]] = []
        self.trouble: list[str] = []
        super().__init__(
            on_result=self.results.append,
            on_frame=lambda frame, mask: self.frames.append((frame, mask)),
            on_trouble=self.trouble.append,
        )


def new_session(config: LiveConfig = RAW, *, show_masks: bool = False) -> tuple[LiveSession, Collected]:
    collected = Collected()
    session = LiveSession(lambda: TestCamera(OPTIONS), TestMicrophone, config, collected, show_masks=show_masks)
    return session, collected


@contextmanager
def segmenting(session: LiveSession, pause: float = 0.0) -> Iterator[None]:
    with running(session):
        session.segment_with(scene_model(pause))
        yield


def named(result: LiveResult) -> str | None:
    """The thing that a result shows, from where its mask lies."""
    mask = binary(result.probability, (240, 320), 0.5)
    if mask.mean() < 0.01:
        return None
    return "disc" if np.nonzero(mask)[1].mean() < 160 else "square"
