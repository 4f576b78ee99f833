"""The live process: owns camera, microphone and model. Everything here runs in the child."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avseg_app.workers.frame_ring import FrameRing
from avseg_app.workers.live_protocol import (
    Calibrate,
    Calibrated,
    Configure,
    DeviceLists,
    ListDevices,
    LiveModelReady,
    LiveModelRefused,
    LiveRefused,
    LiveTick,
    LiveTrouble,
    LiveUpdate,
    Quit,
    RecordingDone,
    RecordingStarted,
    Request,
    ShownToOthers,
    ShowToOthers,
    StartLive,
    StartRecording,
    StopLive,
    StopRecording,
)
from avseg_core.audio.front_end import EXAMPLE_SAMPLES, HOP_SAMPLES, window_logmel
from avseg_core.errors import AVSegError
from avseg_core.inference.live_config import LiveConfig, LiveResult
from avseg_core.media.capture import CameraOptions, CapturedFrame
from avseg_core.media.capture_calibration import Calibration
from avseg_core.media.capture_microphone_feed import MicrophoneFeed
from avseg_core.media.capture_sources import camera, list_sounds, list_sources, microphone
from avseg_core.media.capture_stream import PlayClock

if TYPE_CHECKING:
    from avseg_core.inference.live import LiveSession
    from avseg_core.inference.live_model import LiveModel
    from avseg_core.inference.live_recording import RecordedRun

_TICK_SECONDS = 0.05
_QUIETEST, _LOUDEST = -6.9, 4.0
"""Log-mel values that are shown as black and white."""
log = logging.getLogger(__name__)


def main(ring_name: str, connection: Connection) -> None:
    """Serves requests until the window goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ring = FrameRing(ring_name)
    LiveWorker(connection, ring).run()


class LiveWorker:
    """Does what the window asks, in the order it is asked; the session's own threads do the rest."""

    def __init__(self, connection: Connection, ring: FrameRing) -> None:
        self._connection, self._ring = connection, ring
        self._sending = threading.Lock()
        self._session: LiveSession | None = None
        self._config = LiveConfig()
        self._models: dict[tuple[str, str], LiveModel] = {}
        self._loading = threading.Lock()
        self._loaded: queue.SimpleQueue[tuple[LiveSession, LiveModel | str]] = queue.SimpleQueue()
        self._spectrum: SpectrumReader | None = None
        self._options = CameraOptions()
        self._listing: threading.Thread | None = None

    def run(self) -> None:
        """Serves until the pipe closes; a recording is finished then."""
        try:
            while True:
                if self._connection.poll(_TICK_SECONDS):
                    self._guard(self._connection.recv())
                else:
                    _import_model_code()
                self._adopt_model()
                if self._session is not None:
                    self._tick(self._session)
        except (EOFError, OSError):
            self._end_session()
            os._exit(0)  # threads that hang in a driver must not keep the process

    def _guard(self, request: Request) -> None:
        try:
            self._handle(request)
        except EOFError:
            raise
        except AVSegError as error:
            self._refuse(request, str(error))
        except Exception as error:  # a fault of ours or of a driver: said, and the process lives on
            log.exception("live request failed")
            self._refuse(request, f"Unexpected error: {error}")

    def _refuse(self, request: Request, message: str) -> None:
        self._say(LiveRefused(message, request.number if isinstance(request, StartLive) else None))

    def _handle(self, request: Request) -> None:
        if isinstance(request, Quit):
            raise EOFError
        if isinstance(request, ListDevices):
            self._list_devices()
        elif isinstance(request, StartLive):
            self._start(request)
        elif isinstance(request, StopLive):
            self._end_session()
        elif isinstance(request, Configure):
            self._config = request.config
            if self._session is not None:
                self._session.config = request.config
        elif self._session is None:
            return
        elif isinstance(request, StartRecording):
            self._record(self._session, request)
        elif isinstance(request, StopRecording):
            self._tell_recorded(self._session.stop_recording())
        elif isinstance(request, ShowToOthers):
            self._show_to_others(self._session, request)
        elif isinstance(request, Calibrate):
            self._session.calibrate(partial(self._on_calibrated, request.number))

    def _list_devices(self) -> None:
        """In a thread of its own: asking the sound server takes its time."""
        if self._listing is not None and self._listing.is_alive():
            return

        def work() -> None:
            self._say(DeviceLists(tuple(list_sources()), tuple(list_sounds())))

        self._listing = threading.Thread(target=work, name="device list", daemon=True)
        self._listing.start()

    def _start(self, request: StartLive) -> None:
        """Pictures come at once, masks when the model is loaded."""
        _import_model_code()
        from avseg_core.inference.live import LiveSession, SessionListener

        self._end_session()
        self._config, self._options = request.config, request.options
        play = PlayClock()
        listener = SessionListener(
            on_status=self._say,
            on_result=self._on_result,
            on_frame=self._on_frame,
            on_trouble=lambda message: self._say(LiveTrouble(message)),
        )
        session = LiveSession(
            camera(request.source, request.options, play, loop=True),
            microphone(request.sound, request.source, play, loop=True, wait=True),
            request.config,
            listener,
            show_masks=True,
        )
        session.start()
        self._session, self._spectrum = session, SpectrumReader(session.microphone)
        threading.Thread(target=self._load, args=(session, request.config), name="model loader", daemon=True).start()

    def _load(self, session: LiveSession, config: LiveConfig) -> None:
        """In a thread of its own: recording and stopping need not wait for the model."""
        try:
            self._loaded.put((session, self._model(config)))
        except AVSegError as error:
            self._loaded.put((session, str(error)))
        except Exception as error:  # a fault of ours: said, and pictures and sound go on
            log.exception("the model cannot be loaded")
            self._loaded.put((session, f"Unexpected error: {error}"))

    def _model(self, config: LiveConfig) -> LiveModel:
        with self._loading:
            from avseg_core.inference.live_model import LiveModel

            key = (config.model, config.device)
            if key not in self._models:
                self._models.clear()
                self._models[key] = LiveModel.load(config)
            return self._models[key]

    def _adopt_model(self) -> None:
        """Takes what was loaded into use, unless its session has ended meanwhile."""
        with suppress(queue.Empty):
            session, model = self._loaded.get_nowait()
            if session is not self._session:
                return
            if isinstance(model, str):
                self._say(LiveModelRefused(model))
                return
            session.segment_with(model)
            self._say(LiveModelReady(model.name, model.device_reason))

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._tell_recorded(session.stop())

    def _record(self, session: LiveSession, request: StartRecording) -> None:
        from avseg_core.inference.live_recording import RecordOptions

        options = RecordOptions(folder=request.folder, video=request.video, sound=request.sound, masks=request.masks)
        self._say(RecordingStarted(session.record(options).path))

    def _show_to_others(self, session: LiveSession, request: ShowToOthers) -> None:
        if request.style is None:
            session.stop_virtual_camera()
            self._say(ShownToOthers(""))
            return
        runs = session.virtual_camera is not None
        try:
            virtual = session.show_to_others(request.style, self._options)
        except AVSegError as error:
            self._say(ShownToOthers("", str(error)))
        else:
            if not runs:
                self._say(ShownToOthers(virtual.device))

    def _tell_recorded(self, run: RecordedRun | None) -> None:
        if run is not None:
            media = run.media
            self._say(RecordingDone(media.path, media.seconds, media.dropped_frames, media.problem))

    def _on_calibrated(self, number: int, outcome: Calibration | AVSegError) -> None:
        if isinstance(outcome, AVSegError):
            self._say(Calibrated(number, None, str(outcome)))
        else:
            self._say(Calibrated(number, outcome.offset, ""))

    def _on_frame(self, frame: CapturedFrame, mask: NDArray[np.uint8] | None) -> None:
        session = self._session
        self._ring.write(frame.image, mask, frame.time, session.mask_done if session is not None else 0.0)

    def _on_result(self, result: LiveResult) -> None:
        area = float(np.mean(result.probability > 255 * self._config.threshold))
        self._say(
            LiveUpdate(
                when=result.sound_stop,
                area=area,
                tags=result.tags,
                loudness=result.loudness,
                mixer_weights=result.mixer_weights,
                latency=result.latency,
                reused=result.reused,
            )
        )

    def _tick(self, session: LiveSession) -> None:
        level = session.microphone.level
        recording = session.current_recording
        if recording is not None and recording.recorder.problem:
            self._tell_recorded(session.stop_recording())
            recording = None
        origin = recording.recorder.origin if recording else None
        recorded = None if recording is None else time.monotonic() - origin if origin is not None else 0.0
        assert self._spectrum is not None
        self._say(
            LiveTick(
                level=level.rms,
                peak=level.peak,
                clipping=level.clipping,
                spectrum=self._spectrum.columns(),
                fps=session.camera.fps,
                drift_ppm=session.microphone.time.drift_ppm,
                counters=session.counters,
                recorded_seconds=recorded,
            )
        )

    def _say(self, answer: object) -> None:
        """Sends from any thread."""
        with self._sending:
            try:
                self._connection.send(answer)
            except (BrokenPipeError, OSError):
                log.info("the window has gone")  # `run` notices at its next look at the pipe


def _import_model_code() -> None:
    """Brings torch while nothing else is to be done: beside threads that capture it takes several times as long."""
    import avseg_core.inference.live_model  # noqa: F401


class SpectrumReader:
    """The log-mel columns that have come since the last look."""

    def __init__(self, microphone: MicrophoneFeed) -> None:
        self._microphone = microphone
        self._next = microphone.ring.end

    def columns(self) -> NDArray[np.uint8]:
        """[n,64], 0..255, one column per 10 ms; at most the last 0.96 s."""
        ring = self._microphone.ring
        count = (ring.end - self._next) // HOP_SAMPLES
        if count <= 0:
            return np.zeros((0, 64), np.uint8)
        self._next += count * HOP_SAMPLES
        example = window_logmel(ring.read(self._next - EXAMPLE_SAMPLES, EXAMPLE_SAMPLES), "yamnet")[0]  # [96,64]
        scaled = (example[-min(count, len(example)) :] - _QUIETEST) / (_LOUDEST - _QUIETEST)
        return np.clip(scaled * 255, 0, 255).astype(np.uint8)
