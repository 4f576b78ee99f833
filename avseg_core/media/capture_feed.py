"""A device kept alive: opened, read in its own thread, watched, given up, tried again, taken back when it returns."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import av
import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import (
    CameraSource,
    CapturedFrame,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    MicrophoneSource,
    SoundBlock,
    SourceError,
)
from avseg_core.media.capture_clock import ClockMap
from avseg_core.media.capture_ring import FLOOR_DBFS, FrameHistory, Level, LevelMeter, SoundRing

STALL_SECONDS = 1.5
"""Silence of a device after which the user is told."""
ABANDON_SECONDS = 12.0
"""Silence of a device after which its thread is left behind and it is opened anew."""
FIRST_PAUSE, LAST_PAUSE = 0.5, 8.0
"""Seconds before a lost device is tried again; doubled with each failure."""
HEALTHY_SECONDS = 3.0
"""How long a device must have run for the pause to be short again, and how long an oddity must last to be told."""
SILENT_DBFS = -90.0
_MESSAGES = {
    "silent": "The microphone is silent: check that it is not muted and that its level is up.",
    "invalid": "The microphone delivers broken samples; they are replaced by silence.",
    "clipping": "The sound is too loud and is cut off; lower the microphone's level.",
    "slow": "The camera delivers few pictures; give it more light or a smaller picture.",
    "frozen": "The camera repeats one picture; unplug it and plug it in again.",
}
Source = TypeVar("Source", CameraSource, MicrophoneSource)
Item = TypeVar("Item")
StatusCallback = Callable[[DeviceStatus], None]
FrameListener = Callable[[CapturedFrame], None]
SoundListener = Callable[[NDArray[np.float32], float, int], None]
"""Clean samples [n,channels], the time of the first one, their rate."""
log = logging.getLogger(__name__)


class _Run:
    """One life of a feed's thread; a thread that hangs in its device is left behind with its run."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None


class Feed(ABC, Generic[Source, Item]):
    """What cameras and microphones have in common. `tick` is to be called a few times a second by the owner."""

    kind: DeviceKind

    def __init__(self, make: Callable[[], Source], on_status: StatusCallback, clock: Callable[[], float]) -> None:
        self.reopened = 0
        """How often the device was opened again."""
        self._make: Callable[[], Source] = make
        self._on_status, self._clock = on_status, clock
        self._lock = threading.RLock()
        self._run: _Run | None = None
        self._name = self.kind.capitalize()
        self._status = DeviceStatus(self.kind, self._name, DeviceState.STOPPED)
        self._last = clock()

    @property
    def status(self) -> DeviceStatus:
        """The latest state."""
        return self._status

    @property
    def running(self) -> bool:
        """True while data comes."""
        return self._status.state is DeviceState.RUNNING

    def start(self) -> None:
        """Opens the device in a thread of its own; never waits for it."""
        with self._lock:
            run = self._run = _Run()
            self._last = self._clock()
            run.thread = threading.Thread(target=self._live, args=(run,), name=self.kind, daemon=True)
            run.thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Closes the device; a device that hangs is left behind after `timeout` seconds."""
        run = self._leave()
        if run is not None and run.thread is not None and run.thread is not threading.current_thread():
            run.thread.join(timeout)
        self._announce(DeviceState.STOPPED)

    def restart(self) -> None:
        """Opens the device anew, for instance after the machine has slept."""
        self._leave()
        self.reopened += 1
        self.start()

    def tick(self) -> None:
        """Looks for a device that delivers nothing, and tells about oddities."""
        if self._status.state not in (DeviceState.RUNNING, DeviceState.STALLED):
            return
        quiet = self._clock() - self._last
        if quiet > ABANDON_SECONDS:
            self.restart()
        elif quiet > STALL_SECONDS:
            message = f"{self._name} has delivered nothing for {quiet:.0f} s; it is waited for."
            self._announce(DeviceState.STALLED, message)
        else:
            self._announce(DeviceState.RUNNING)

    @abstractmethod
    def _begin(self, source: Source) -> None:
        """Called after a source was opened."""

    @abstractmethod
    def _read(self, source: Source) -> Item | None:
        """Reads one item."""

    @abstractmethod
    def _take(self, item: Item) -> None:
        """Uses one item."""

    @abstractmethod
    def _warnings(self) -> tuple[str, ...]:
        """What is odd about the running device."""

    def _leave(self) -> _Run | None:
        with self._lock:
            run, self._run = self._run, None
            if run is not None:
                run.stop.set()
            return run

    def _live(self, run: _Run) -> None:
        """The thread: opens, reads until it fails, pauses, and so on until stopped."""
        pause = FIRST_PAUSE
        while not run.stop.is_set():
            source, opened = self._make(), self._clock()
            self._name = source.name
            self._announce(DeviceState.OPENING, run=run)
            error = self._use(source, run)
            if run.stop.is_set() or error is None:
                return
            if error.trouble == "ended":
                self._announce(DeviceState.ENDED, str(error), run=run)
                return
            if self._clock() - opened > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            self._announce(DeviceState.LOST, str(error), run=run, error=error, retry_in=pause)
            run.stop.wait(pause)
            pause = min(2 * pause, LAST_PAUSE)
            self.reopened += 1

    def _use(self, source: Source, run: _Run) -> SourceError | None:
        """One opening of the source until it fails (returned) or the run is stopped (None)."""
        try:
            source.open()
            self._begin(source)
            while not run.stop.is_set():
                item = self._read(source)
                if item is None or run.stop.is_set():
                    continue
                self._last = self._clock()
                self._take(item)
                if self._status.state is not DeviceState.RUNNING:
                    self._announce(DeviceState.RUNNING, run=run)
        except SourceError as error:
            return error
        except Exception as error:  # a driver may raise anything; the device is lost, the rest goes on
            log.exception("%s failed", source.name)
            return SourceError("unreadable", f"{source.name} failed ({error}); it is tried again.")
        finally:
            source.close()
        return None

    def _announce(
        self,
        state: DeviceState,
        message: str = "",
        *,
        run: _Run | None = None,
        error: SourceError | None = None,
        retry_in: float | None = None,
    ) -> None:
        """Changes the state and tells the owner if it is news; a run that was left behind has no say."""
        with self._lock:
            if run is not None and run is not self._run:
                return
            warnings = self._warnings() if state is DeviceState.RUNNING else ()
            message = message or " ".join(_MESSAGES[warning] for warning in warnings)
            trouble = error.trouble if error else None
            status = DeviceStatus(self.kind, self._name, state, message, trouble, warnings, retry_in)
            # The number of quiet seconds in a message alone is no news.
            news = replace(status, message="") != replace(self._status, message="")
            self._status = status
        if news:
            self._on_status(status)


class CameraFeed(Feed[CameraSource, CapturedFrame]):
    """A camera whose newest pictures lie in `history`; `listeners` see every picture, in the camera's thread."""

    kind = "camera"

    def __init__(
        self,
        make: Callable[[], CameraSource],
        on_status: StatusCallback,
        *,
        history: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` gives a source that is not open yet; `history`: seconds of pictures that are kept."""
        super().__init__(make, on_status, clock)
        self.history = FrameHistory(history)
        self.listeners: list[FrameListener] = []
        self.frames = 0
        """Pictures that have come."""
        self._arrivals: deque[float] = deque(maxlen=512)
        self._promised = 30.0
        self._suspicious = False
        self._print: int = 0
        self._changed = clock()
        self._began = clock()

    @property
    def fps(self) -> float:
        """Pictures per second over the last two seconds."""
        now = self._clock()
        return sum(1 for arrival in list(self._arrivals) if now - arrival < 2.0) / 2.0

    def _begin(self, source: CameraSource) -> None:
        self._promised, self._suspicious = source.fps, source.is_live
        self._arrivals.clear()
        self._changed = self._began = self._clock()

    def _read(self, source: CameraSource) -> CapturedFrame | None:
        return source.read()

    def _take(self, frame: CapturedFrame) -> None:
        self._arrivals.append(self._last)
        # A real sensor has noise: a few hundred bytes are enough to tell whether the picture is new.
        fingerprint = hash(frame.image[::37, ::41].tobytes())
        if fingerprint != self._print:
            self._print, self._changed = fingerprint, self._last
        frame = replace(frame, index=self.frames)
        self.frames += 1
        self.history.put(frame)
        for listener in self.listeners:
            listener(frame)

    def _warnings(self) -> tuple[str, ...]:
        now = self._clock()
        found: list[str] = []
        if now - self._began > HEALTHY_SECONDS and self.fps < 0.5 * self._promised:
            found.append("slow")
        if self._suspicious and now - self._changed > HEALTHY_SECONDS:
            found.append("frozen")
        return tuple(found)


class MicrophoneFeed(Feed[MicrophoneSource, SoundBlock]):
    """A microphone whose last minute lies, at 16 kHz in one channel, on the clock of `time.monotonic()`."""

    kind = "microphone"
    RATE = 16000

    def __init__(
        self,
        make: Callable[[], MicrophoneSource],
        on_status: StatusCallback,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` gives a source that is not open yet."""
        super().__init__(make, on_status, clock)
        self.ring = SoundRing(self.RATE)
        self.time = ClockMap()
        """From seconds of sound to the host's time."""
        self.listeners: list[SoundListener] = []
        self.overflows = 0
        """Blocks before which samples were lost."""
        self.broken = 0
        """Samples that were NaN or infinite."""
        self.gaps = 0.0
        """Seconds of silence put in where sound is missing."""
        self._meter = LevelMeter()
        self._resampler: _ToMono16k | None = None
        self._seconds = 0.0  # sound taken in so far, gaps included
        self._rate = 48000
        self._reopening = True
        self._suspicious = False
        self._heard = self._broken_at = clock()
        self._broken_at -= HEALTHY_SECONDS

    @property
    def level(self) -> Level:
        """What the meter shows; nothing while the microphone does not run."""
        return self._meter.level if self.running else Level()

    def horizon(self) -> float:
        """The time up to which sound is known; now if the microphone is away, silence being all there will be."""
        now = self._clock()
        if not self.running or not self.time.known or now - self._last > 0.5:
            return now
        return min(self.time.to_host(self.ring.end / self.RATE), now)

    def window(self, stop: float, count: int) -> NDArray[np.float32]:
        """The `count` samples at 16 kHz before the time `stop`, [count]; zeros where there was no sound."""
        last = round(self.time.to_device(stop) * self.RATE)
        return self.ring.read(last - count, count)

    def _begin(self, source: MicrophoneSource) -> None:
        self._rate, self._suspicious = source.rate, source.is_live
        self._resampler = _ToMono16k(source.rate)
        self._reopening = True
        self._heard = self._clock()

    def _read(self, source: MicrophoneSource) -> SoundBlock | None:
        return source.read()

    def _take(self, block: SoundBlock) -> None:
        assert self._resampler is not None
        samples = self._clean(block.samples)
        self.overflows += block.overflow
        gap = self._gap(block.time)
        if gap > 0:
            self.gaps += gap
            self._seconds += gap
            self.ring.skip(round(self._seconds * self.RATE) - self.ring.end)
        begins = self.time.to_host(self._seconds)
        self._seconds += len(samples) / self._rate
        self.ring.append(self._resampler(samples.mean(axis=1, dtype=np.float32)))
        self._measure(samples)
        for listener in self.listeners:
            listener(samples, begins, self._rate)

    def _gap(self, stamp: float) -> float:
        """Seconds without sound before a block with this time stamp; keeps the clock map up to date."""
        if not self._reopening:
            return self.time.observe(self._seconds, stamp)
        self._reopening = False
        gap = max(stamp - self.time.to_host(self._seconds), 0.0) if self.time.known else 0.0
        self.time = fresh = ClockMap()
        fresh.observe(self._seconds + gap, stamp)
        return gap

    def _clean(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
        if bad:
            self.broken += bad
            self._broken_at = self._last
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        return samples

    def _measure(self, samples: NDArray[np.float32]) -> None:
        level = self._meter.update(samples, self._last, len(samples) / self._rate)
        if level.rms > max(SILENT_DBFS, FLOOR_DBFS):
            self._heard = self._last

    def _warnings(self) -> tuple[str, ...]:
        now = self._clock()
        found: list[str] = []
        if self._suspicious and now - self._heard > HEALTHY_SECONDS:
            found.append("silent")
        if now - self._broken_at < HEALTHY_SECONDS:
            found.append("invalid")
        if self._meter.level.clipping:
            found.append("clipping")
        return tuple(found)


@dataclass
class _ToMono16k:
    """A stream of mono samples at `rate` brought to 16 kHz without seams."""

    rate: int

    def __post_init__(self) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=MicrophoneFeed.RATE)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n] at `rate` -> what is complete at 16 kHz."""
        if self.rate == MicrophoneFeed.RATE or not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="flt", layout="mono")
        frame.sample_rate = self.rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
