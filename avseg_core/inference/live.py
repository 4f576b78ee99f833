"""A live session: camera, microphone, model and recorder put together; the window and the `live` command run this."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.errors import AVSegError
from avseg_core.inference.live_config import LiveConfig, LiveCounters, LiveResult
from avseg_core.inference.live_motion import MaskFollower
from avseg_core.inference.live_recording import LiveRecording, RecordedRun, RecordOptions
from avseg_core.inference.live_segmenter import HEARD_SECONDS, LiveSegmenter
from avseg_core.inference.live_virtual_camera import VirtualCamera
from avseg_core.media.capture import CameraOptions, CameraSource, CapturedFrame, DeviceStatus, MicrophoneSource
from avseg_core.media.capture_calibration import SECONDS as CALIBRATION_SECONDS
from avseg_core.media.capture_calibration import Calibration, Calibrator
from avseg_core.media.capture_camera_feed import CameraFeed
from avseg_core.media.capture_clock import SleepWatch
from avseg_core.media.capture_microphone_feed import LATE_SECONDS, MicrophoneFeed
from avseg_core.media.recorder import Recorder
from avseg_core.results.look import OverlayStyle

if TYPE_CHECKING:
    from avseg_core.inference.live_model import LiveModel

TICK_SECONDS = 0.25
SOUND_POLL_SECONDS = 0.02
"""Pause between two looks whether the last sound of a recording has come."""
LATENCY_STEP, LATENCY_BINS = 0.002, 2500
"""Latencies are counted in bins of 2 ms up to 5 s, so that an hour takes no more memory than a second."""


@dataclass
class SessionListener:
    """Where a session reports to; every call comes from one of the session's own threads and must be quick."""

    on_status: Callable[[DeviceStatus], None] = lambda status: None
    on_result: Callable[[LiveResult], None] = lambda result: None
    on_frame: Callable[[CapturedFrame, NDArray[np.uint8] | None], None] = lambda frame, mask: None
    """Every picture, with the newest mask laid onto it (only with `show_masks`, and while there is one)."""
    on_trouble: Callable[[str], None] = lambda message: None
    """One line for the user: the model or the recording has stopped, the machine has slept."""


@dataclass(frozen=True)
class _Calibrating:
    """A calibration under way, and who wants to know."""

    calibrator: Calibrator
    on_done: Callable[[Calibration | AVSegError], None]


class LiveSession:
    """Runs from `start` to `stop`; the model may join later (`segment_with`), so pictures are there at once."""

    def __init__(
        self,
        camera: Callable[[], CameraSource],
        microphone: Callable[[], MicrophoneSource],
        config: LiveConfig,
        listener: SessionListener,
        *,
        show_masks: bool = False,
    ) -> None:
        """`show_masks`: whether `on_frame` gets masks, which takes the optical flow of every picture."""
        self._config = config
        self._listener = listener
        self._show_masks = show_masks
        self.camera = CameraFeed(camera, listener.on_status, history=_kept_seconds(config))
        self.microphone = MicrophoneFeed(microphone, listener.on_status)
        self.camera.mirror = config.mirror
        self.camera.listeners.append(self._on_frame)
        self.microphone.listeners.append(self._on_sound)
        self.latency = LatencyHistogram()
        self.last_result: LiveResult | None = None
        self.model_problem = ""
        """Why the model has stopped; empty while it has not."""
        self.mask_done = 0.0
        """When the mask was there that `on_frame` gets, in `time.monotonic()`."""
        self._follower = MaskFollower()
        self._segmenter: LiveSegmenter | None = None
        self._model: LiveModel | None = None
        self._recording: LiveRecording | None = None
        self._virtual: VirtualCamera | None = None
        self._calibration: _Calibrating | None = None
        self._calibrating = threading.Lock()
        self._sleep = SleepWatch()
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._tick, name="live watch", daemon=True)

    @property
    def config(self) -> LiveConfig:
        """The settings; a new value holds from the next mask on (model, device and threads only for a new session)."""
        return self._config

    @config.setter
    def config(self, config: LiveConfig) -> None:
        self._config = config
        self.camera.mirror = config.mirror
        self.camera.history.seconds = _kept_seconds(config)
        if self._segmenter is not None:
            self._segmenter.config = config
        if self._recording is not None:
            self._recording.recorder.av_offset = config.av_offset

    @property
    def counters(self) -> LiveCounters:
        """What has come and what was left out so far."""
        segmenter, recording = self._segmenter, self._recording
        return LiveCounters(
            frames=self.camera.frames,
            frames_lost=self.camera.lost,
            frames_seen=segmenter.frames_seen if segmenter else 0,
            results=segmenter.results if segmenter else 0,
            reused=segmenter.reused if segmenter else 0,
            skipped=segmenter.skipped if segmenter else 0,
            overflows=self.microphone.overflows,
            broken_samples=self.microphone.broken,
            gaps=round(self.microphone.gaps, 3),
            camera_reopened=self.camera.reopened,
            microphone_reopened=self.microphone.reopened,
            recorder_dropped=recording.recorder.dropped["frame"] if recording else 0,
        )

    @property
    def virtual_camera(self) -> VirtualCamera | None:
        """What other programs see, if anything."""
        return self._virtual

    @property
    def current_recording(self) -> LiveRecording | None:
        """The recording that runs."""
        return self._recording

    def start(self) -> None:
        """Opens both devices; returns at once."""
        cv2.setNumThreads(1)  # a small picture gains nothing from two threads, and the other core is the model's
        self.camera.start()
        self.microphone.start()
        self._watch.start()

    def segment_with(self, model: LiveModel) -> None:
        """Starts to make masks with `model`."""
        self._model = model
        self._segmenter = LiveSegmenter(
            model, self.camera, self.microphone, self._config, self._on_result, self._on_failure
        )
        self._segmenter.start()
        if self._recording is not None:
            self._recording.record_masks(self._config, model.name, model.model_hash, model.class_names)

    def stop(self) -> RecordedRun | None:
        """Ends everything; a recording that still ran is finished and returned."""
        self._stop.set()
        with self._calibrating:
            self._calibration = None
        self._watch.join()  # it opens devices again that have stalled or slept: none may come after their end
        if self._segmenter is not None:
            self._segmenter.stop()
        recorded = self.stop_recording()
        self.stop_virtual_camera()
        self.camera.stop()
        self.microphone.stop()
        return recorded

    def record(self, options: RecordOptions) -> LiveRecording:
        """Starts to record.

        Raises:
            InputError: nothing is chosen, or the folder cannot be written.
            AVSegError: it records already, or the disk is full.
        """
        if self._recording is not None:
            raise AVSegError("A recording runs already; stop it first.")
        recording = LiveRecording(options, self._listener.on_trouble, av_offset=self._config.av_offset)
        model = self._model
        if model is not None:
            recording.record_masks(self._config, model.name, model.model_hash, model.class_names)
        self._recording = recording
        return recording

    def stop_recording(self) -> RecordedRun | None:
        """Finishes the recording as soon as it has the sound of its last picture; None if none runs."""
        recording = self._recording
        if recording is None:
            return None
        recording.recorder.end_pictures()
        self._await_sound(recording.recorder)
        self._recording = None
        return recording.stop()

    def show_to_others(self, style: OverlayStyle, fallback: CameraOptions) -> VirtualCamera:
        """Offers the pictures, with masks in this style, to other programs; a second call only changes the style.

        Args:
            fallback: size and rate if no picture has come yet.

        Raises:
            InputError: pyvirtualcam is not installed.
            AVSegError: there is no virtual camera.
        """
        if self._virtual is None:
            frame = self.camera.history.newest()
            height, width = frame.image.shape[:2] if frame is not None else (fallback.height, fallback.width)
            self._virtual = VirtualCamera(width, height, fallback.fps, style, self._listener.on_trouble)
        self._virtual.style = style
        return self._virtual

    def stop_virtual_camera(self) -> None:
        """Other programs see nothing any more."""
        virtual, self._virtual = self._virtual, None
        if virtual is not None:
            virtual.stop()

    def calibrate(self, on_done: Callable[[Calibration | AVSegError], None]) -> None:
        """Looks and listens for claps or flashes for some seconds, then calls `on_done` with what was measured.

        One that has not ended is left off, and nothing is said of it.
        """
        with self._calibrating:
            self._calibration = _Calibrating(Calibrator(), on_done)

    def _on_frame(self, frame: CapturedFrame) -> None:
        recording, result, virtual = self._recording, self.last_result, self._virtual
        if recording is not None:
            recording.recorder.offer_frame(frame)
        calibration = self._calibration
        if calibration is not None:
            calibration.calibrator.add(frame)
        mask = None
        if self._show_masks or virtual is not None:
            self._follower.see(frame)
            if result is not None:
                mask = self._follower.lay(result.probability, result.frame_index, refine=self._config.refine)
                self.mask_done = result.done
        if virtual is not None:
            virtual.offer(frame.image, mask)
        self._listener.on_frame(frame, mask)

    def _on_sound(self, samples: NDArray[np.float32], begins: float, rate: int) -> None:
        recording = self._recording
        if recording is not None:
            recording.recorder.offer_sound(samples, begins, rate)

    def _await_sound(self, recorder: Recorder) -> None:
        """Waits for the sound of the last picture, no longer than it takes to come from a microphone that runs."""
        end = time.monotonic() + max(recorder.av_offset, 0.0) + LATE_SECONDS
        while recorder.awaits_sound and self.microphone.running and time.monotonic() < end:
            time.sleep(SOUND_POLL_SECONDS)

    def _on_result(self, result: LiveResult) -> None:
        self.last_result = result
        self.latency.add(result.latency.total)
        recording = self._recording
        if recording is not None:
            recording.offer_result(result, self._config)
        self._listener.on_result(result)

    def _on_failure(self, error: Exception) -> None:
        self.model_problem = f"The model has stopped ({error})"
        self._listener.on_trouble(f"{self.model_problem}; pictures and sound go on.")

    def _tick(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            slept = self._sleep.slept()
            if slept:
                self._listener.on_trouble(
                    f"The machine slept for {slept:.0f} s; camera and microphone are opened again."
                )
                self.camera.restart()
                self.microphone.restart()
            self.camera.tick()
            self.microphone.tick()
            self._finish_calibration()

    def _finish_calibration(self) -> None:
        calibration = self._calibration
        if calibration is None or calibration.calibrator.seconds < CALIBRATION_SECONDS:
            return
        outcome: Calibration | AVSegError
        try:
            outcome = calibration.calibrator.finish(self.microphone)
        except AVSegError as error:
            outcome = error
        with self._calibrating:  # another one may have been started, or the session stopped, while it was computed
            if self._calibration is not calibration:
                return
            self._calibration = None
            calibration.on_done(outcome)


def _kept_seconds(config: LiveConfig) -> float:
    """How long pictures are kept: until their sound is complete, and `LATE_SECONDS` for the sound's own delay."""
    reach = HEARD_SECONDS / 2 if config.window == "centred" else 0.0
    return max(reach + config.av_offset, 0.0) + LATE_SECONDS


class LatencyHistogram:
    """Percentiles of latencies in memory that does not grow."""

    def __init__(self) -> None:
        self._counts = np.zeros(LATENCY_BINS, np.int64)

    def add(self, seconds: float) -> None:
        """Counts one latency."""
        self._counts[min(max(int(seconds / LATENCY_STEP), 0), LATENCY_BINS - 1)] += 1

    def percentile(self, share: float) -> float | None:
        """The latency, in seconds, that `share` per cent stay below; None if there was none."""
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), total * share / 100))
        return (min(place, LATENCY_BINS - 1) + 0.5) * LATENCY_STEP
