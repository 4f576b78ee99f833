"""The live model's thread: the newest picture and its sound in, a mask out, nothing ever queues."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.inference.live_config import HEARD_SAMPLES, Latency, LiveConfig, LiveResult
from avseg_core.inference.live_motion import MaskSmoother, grey_of, small_picture
from avseg_core.media.capture import CapturedFrame
from avseg_core.media.capture_camera_feed import CameraFeed
from avseg_core.media.capture_microphone_feed import LATE_SECONDS, MicrophoneFeed

if TYPE_CHECKING:
    from avseg_core.inference.live_model import LiveModel

HEARD_SECONDS = HEARD_SAMPLES / MicrophoneFeed.RATE
NICENESS = 5
"""Priority of the model's thread below the threads that capture, where the system has priorities per thread."""
PICTURE_SECONDS = 0.1
"""Longest time between two pictures that is reckoned with."""
SLOW_SECONDS = 0.1
"""If a full update takes longer, every second update only hears anew and uses the last picture's features again."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The features of one picture."""

    frame: CapturedFrame
    features: Any
    grey: NDArray[np.uint8]
    seconds: float


class LiveSegmenter:
    """Runs a LiveModel on what two feeds hold, in a thread of its own, and hands each result to `on_result`."""

    def __init__(
        self,
        model: LiveModel,
        camera: CameraFeed,
        microphone: MicrophoneFeed,
        config: LiveConfig,
        on_result: Callable[[LiveResult], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        """`on_result` and `on_failure` are called in the model's thread; after a failure it has ended."""
        self.config = config
        """May be replaced at any time."""
        self.results = self.reused = self.frames_seen = self.skipped = 0
        self._model, self._camera, self._microphone = model, camera, microphone
        self._on_result, self._on_failure = on_result, on_failure
        self._smooth = MaskSmoother()
        self._seen: _Seen | None = None
        self._heard_until = -1.0
        self._fresh = 0.0  # seconds of a full update, smoothed
        self._again = 0.0  # seconds of an update that only hears
        self._last_reused = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live model", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends the thread after the update that it is at."""
        self._stop.set()
        self._camera.history.wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        if sys.platform == "linux":  # there os.nice concerns the calling thread and those that it starts
            os.nice(NICENESS)
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                if not self.step():
                    self._camera.history.wait(0.02)
                    continue
                self._stop.wait(max(started + 1 / self.config.max_rate - time.monotonic(), 0.0))
        except Exception as error:  # the window must learn of whatever a model or device throws
            log.info("The live model failed", exc_info=True)
            self._on_failure(error)

    def step(self) -> bool:
        """Makes one update if there is anything new; False if there was nothing to do."""
        begun = time.monotonic()
        reach = HEARD_SECONDS / 2 if self.config.window == "centred" else 0.0
        horizon = self._microphone.horizon()
        shift = reach + self.config.av_offset
        frame = self._camera.history.newest(horizon - shift)
        if frame is None and begun - horizon > LATE_SECONDS - PICTURE_SECONDS:
            frame = self._camera.history.oldest()  # no picture is kept until such late sound: the nearest there is
        seen = self._seen
        is_new = frame is not None and (seen is None or frame.index != seen.frame.index)
        if frame is not None and is_new and not self._rather_listen():
            self._update(self._look(frame), min(frame.time + shift, horizon), begun, reused=False)
            return True
        if seen is not None and horizon - self._heard_until >= 0.9 / self.config.max_rate:
            self._update(seen, horizon, begun, reused=True)
            return True
        return False

    def _rather_listen(self) -> bool:
        """True if seeing is slow, hearing is quick, and the last update has looked."""
        return not self._last_reused and self._fresh > SLOW_SECONDS and self._fresh > 2.5 * self._again

    def _look(self, frame: CapturedFrame) -> _Seen:
        started = time.monotonic()
        features = self._model.see(frame.image)
        self._seen = _Seen(frame, features, grey_of(small_picture(frame.image)), time.monotonic() - started)
        self.frames_seen += 1
        return self._seen

    def _update(self, seen: _Seen, sound_stop: float, begun: float, *, reused: bool) -> None:
        """Hears the window that ends at `sound_stop`, decides, smooths and hands the result over."""
        at = time.monotonic()
        heard = self._model.hear(self._microphone.window(sound_stop, HEARD_SAMPLES), sound_stop)
        after_hearing = time.monotonic()
        decided = self._model.decide(seen.features, heard)
        moment = sound_stop if reused else seen.frame.time
        probability = self._smooth(decided.probability, seen.grey, sound_stop, self.config.smoothing)
        done = time.monotonic()
        arrived = begun if reused else seen.frame.arrived
        latency = Latency(
            capture=max(arrived - moment, 0.0),
            wait=max(begun - arrived, 0.0),
            visual=at - begun,
            audio=after_hearing - at,
            head=done - after_hearing,
            total=done - min(moment, arrived),
        )
        self._learn_costs(done - begun, reused=reused)
        self.skipped += max(int((done - begun) * self.config.max_rate), 0)
        self._heard_until = sound_stop
        self._on_result(
            LiveResult(
                index=self.results,
                frame_index=seen.frame.index,
                frame_time=seen.frame.time,
                sound_start=sound_stop - HEARD_SECONDS,
                sound_stop=sound_stop,
                done=done,
                probability=probability,
                labels=decided.labels,
                mixer_weights=decided.mixer_weights,
                tags=heard.tags,
                loudness=heard.loudness,
                reused=reused,
                latency=latency,
            )
        )
        self.results += 1
        self.reused += reused

    def _learn_costs(self, seconds: float, *, reused: bool) -> None:
        self._last_reused = reused
        if reused:
            self._again += 0.2 * (seconds - self._again) if self._again else seconds
        else:
            self._fresh += 0.2 * (seconds - self._fresh) if self._fresh else seconds
