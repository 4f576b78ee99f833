"""The window's side of the live process: typed signals, the newest picture, a dead process replaced."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from avseg_app.workers import live_process
from avseg_app.workers.child import Child, describe_exit
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
    StartLive,
    StopLive,
)
from avseg_core.inference.live_config import LiveConfig
from avseg_core.media.capture import DeviceStatus

_POLL_MS = 8
_DEATHS, _DEATHS_WITHIN_SECONDS = 3, 60.0
_FAREWELL_SECONDS = 4.5
"""How long a recording, with sound that comes late, may take to be finished when the window closes."""


class LiveClient(QObject):
    """One live process at a time, and what it shows."""

    frame_ready = Signal(object)
    """SharedFrame"""
    status_changed = Signal(object)
    """DeviceStatus"""
    ticked = Signal(object)
    updated = Signal(object)
    devices_listed = Signal(object)
    model_ready = Signal(object)
    model_refused = Signal()
    """`without_masks` says why; `refused` does, too."""
    refused = Signal(str)
    start_refused = Signal(str)
    """Nothing runs although it was started, and why; `refused` says so, too."""
    trouble = Signal(str)
    recording_started = Signal(object)
    recording_done = Signal(object)
    shown_to_others = Signal(object)
    calibrated = Signal(object)
    restarted = Signal(str)
    """Why the process had to be replaced; camera and microphone are opened again."""
    gave_up = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: Child | None = None
        self._ring: FrameRing | None = None
        self._running: StartLive | None = None
        self._used = False  # whether the process may hold a recording
        self._deaths: list[float] = []
        self._starts = self._calibration = 0
        self.without_masks = ""
        """Why what runs makes no masks; empty where it does or will."""
        self._poll = QTimer(self)
        self._poll.setTimerType(Qt.TimerType.PreciseTimer)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._look)
        self._routes = {
            DeviceStatus: self.status_changed,
            LiveTick: self.ticked,
            LiveUpdate: self.updated,
            DeviceLists: self.devices_listed,
            LiveModelReady: self.model_ready,
            RecordingStarted: self.recording_started,
            RecordingDone: self.recording_done,
            ShownToOthers: self.shown_to_others,
            Calibrated: self.calibrated,
        }

    @property
    def running(self) -> bool:
        """True from `start` until `stop`."""
        return self._running is not None

    @property
    def pid(self) -> int | None:
        """The process id of the live process."""
        return self._child.pid if self._child else None

    def list_devices(self) -> None:
        """Asks for the cameras and microphones."""
        self.send(ListDevices())

    def start(self, request: StartLive) -> None:
        """Opens camera and microphone."""
        self._deaths.clear()
        self._starts += 1
        self._calibration += 1  # what is measured was of the devices before
        self.without_masks = ""
        self._running, self._used = replace(request, number=self._starts), True
        self.send(self._running)
        self._poll.start()

    def stop(self) -> None:
        """Closes camera and microphone; the process stays, with its model."""
        self._running = None
        self._calibration += 1
        self._poll.stop()
        if self._child is not None:
            self.send(StopLive())

    def skip_frame(self) -> None:
        """Leaves out the picture that lies there: it is of the devices before."""
        if self._ring is not None:
            self._ring.read()

    def calibrate(self) -> None:
        """Measures the delay of the sound; one that is under way is left off."""
        self._calibration += 1
        self.send(Calibrate(self._calibration))

    def configure(self, config: LiveConfig) -> None:
        """Other settings from now on."""
        if self._running is not None:
            self._running = replace(self._running, config=config)  # a process that takes over goes on with these
            self.send(Configure(config))

    def send(self, request: Request) -> None:
        """Hands a request to the process, which is started if there is none."""
        if self._child is None:
            self._spawn()
        self._child.send(request)

    def close(self) -> None:
        """Ends the process; a recording is finished first."""
        self._poll.stop()
        self._running = None
        child, self._child = self._child, None
        if child is not None and self._used:
            child.finish(Quit(), _FAREWELL_SECONDS)
        elif child is not None:
            child.stop()
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _spawn(self) -> None:
        if self._ring is None:
            self._ring = FrameRing()
        self._ring.forget()
        self._child = Child(partial(live_process.main, self._ring.name), "live", self)
        self._child.received.connect(self._on_answer)
        self._child.ended.connect(self._on_death)

    def _look(self) -> None:
        frame = self._ring.read() if self._ring is not None else None
        if frame is not None:
            self.frame_ready.emit(frame)

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, LiveRefused):
            self._on_refusal(answer)
        elif isinstance(answer, LiveModelRefused):
            self.without_masks = answer.message
            self.model_refused.emit()
            self.refused.emit(answer.message)
        elif isinstance(answer, LiveTrouble):
            self.trouble.emit(answer.message)
        elif isinstance(answer, Calibrated) and answer.number != self._calibration:
            return
        else:
            self._routes[type(answer)].emit(answer)

    def _on_refusal(self, answer: LiveRefused) -> None:
        if answer.start is None:
            self.refused.emit(answer.message)
        elif self._running is not None and answer.start == self._running.number:  # none that was replaced meanwhile
            self._running = None
            self._poll.stop()
            self.start_refused.emit(answer.message)
            self.refused.emit(answer.message)

    def _on_death(self, code: object) -> None:
        """Replaces the process, unless it dies again and again."""
        if self._child is None or self.sender() is not self._child:
            return
        self._child.deleteLater()
        self._child = None
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < _DEATHS_WITHIN_SECONDS] + [now]
        reason = describe_exit(code)
        if len(self._deaths) >= _DEATHS or self._running is None:
            self._poll.stop()
            self._running = None
            self.gave_up.emit(reason)
            return
        self.send(self._running)
        self.restarted.emit(reason)
