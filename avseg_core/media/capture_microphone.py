"""Microphones and loopback devices of this machine through PortAudio (sounddevice), with their human names."""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import DeviceInfo, SoundBlock, SourceError, Trouble

BLOCK_SECONDS = 0.02
QUEUE_BLOCKS = 200
"""Blocks that may wait to be read, 4 s; beyond that they are lost and counted as an overflow."""
BELIEVABLE_LATENCY = 1.0
"""Input latencies beyond this, in seconds, are not believed."""
_RATES = (48000, 44100, 32000, 16000)
_LOOPBACK = ("monitor of", "stereo mix", "what u hear", "loopback", "blackhole", "soundflower", "cable output")
_PULSE_DEVICE = "pulse"
_REMEDY: dict[Trouble, str] = {
    "missing": "is not there; plug it in or choose another microphone (`test` always exists)",
    "refused": "may not be used by this program; allow it in the system's privacy settings",
    "busy": "is in use by another program or cannot be opened; close the other program",
    "unplugged": "has been disconnected; plug it in again",
    "unreadable": "gives no sound in any format; choose another microphone",
}
_lock = threading.RLock()
_open_streams = 0
log = logging.getLogger(__name__)


def sound_library() -> ModuleType:
    """sounddevice, imported late because it fails where PortAudio is not installed.

    Raises:
        SourceError: PortAudio is missing or does not start.
    """
    try:
        return importlib.import_module("sounddevice")
    except OSError:
        raise SourceError(
            "missing", "PortAudio is not installed; install libportaudio2 and start again, or go on without microphone."
        ) from None
    except Exception as error:  # PortAudio starts with the import, and its error's class comes with it
        raise SourceError("missing", f"The system's sound does not start ({error}); it is tried again.") from None


def list_microphones() -> list[DeviceInfo]:
    """The microphones and loopback devices of this machine; empty if there are none."""
    try:
        return [*_portaudio_devices(), *_pulse_sources()]
    except Exception as error:  # whatever a sound system raises: cameras and files can be used without it
        log.info("%s", error)
        return []


class DeviceMicrophone:
    """A microphone by its PortAudio number or name, or a PulseAudio / PipeWire source ("pulse:NAME")."""

    is_live = True

    def __init__(self, device: str | int | None = None, name: str = "") -> None:
        """`device`: None for the system's default; `name`: what the user sees."""
        self.device = device
        self.name = name or ("Default microphone" if device is None else str(device))
        self.rate, self.channels = 48000, 1
        self._stream: Any = None
        self._blocks: queue.Queue[SoundBlock] = queue.Queue(QUEUE_BLOCKS)
        self._lost = False

    def open(self) -> None:
        """Starts the stream in the first format that works.

        Raises:
            SourceError: no such device, no permission, in use, or no format works.
        """
        sd = sound_library()
        with _lock:
            refresh_devices()
            with _pulse_source(self.device) as device:
                try:
                    self._start(sd, device)
                except (sd.PortAudioError, ValueError, OSError) as error:
                    self.close()
                    raise _error(error, self.name, self._is_listed(sd, device)) from None

    def read(self) -> SoundBlock | None:
        """Waits for a block; None if none came within a second.

        Raises:
            SourceError: the device has gone.
        """
        try:
            return self._blocks.get(timeout=1.0)
        except queue.Empty:
            if self._stream is None or not self._stream.active:
                raise SourceError("unplugged", f"{self.name} {_REMEDY['unplugged']}.") from None
            return None

    def close(self) -> None:
        """Stops the stream; PortAudio may complain about a device that has gone, which no longer matters."""
        global _open_streams
        with _lock:
            stream, self._stream = self._stream, None
            if stream is None:
                return
            _open_streams -= 1
            try:
                stream.abort()
                stream.close()
            except Exception as error:  # PortAudioError, but its module may be half gone
                log.info("%s: %s", self.name, error)

    def _start(self, sd: ModuleType, device: str | int | None) -> None:
        global _open_streams
        self._blocks = queue.Queue(QUEUE_BLOCKS)
        self.rate, self.channels = _choose_format(sd, device)
        self._stream = sd.InputStream(
            device=device,
            samplerate=self.rate,
            channels=self.channels,
            dtype="float32",
            blocksize=round(BLOCK_SECONDS * self.rate),
            latency="high",
            callback=self._receive,
        )
        _open_streams += 1
        self._stream.start()

    def _receive(self, samples: NDArray[np.float32], count: int, times: Any, status: Any) -> None:
        """PortAudio's callback: stamps the block on our clock and hands it over without ever waiting."""
        now = time.monotonic()
        latency = times.currentTime - times.inputBufferAdcTime
        if not 0 <= latency < BELIEVABLE_LATENCY or not times.inputBufferAdcTime:
            latency = count / self.rate
        overflow = bool(status and status.input_overflow) or self._lost
        try:
            self._blocks.put_nowait(SoundBlock(samples.copy(), now - latency, overflow))
            self._lost = False
        except queue.Full:
            self._lost = True

    def _is_listed(self, sd: ModuleType, device: str | int | None) -> bool:
        try:
            sd.query_devices(device, "input")
        except (sd.PortAudioError, ValueError):
            return False
        return True


def refresh_devices() -> None:
    """Lets PortAudio look for devices again; while one of our streams is open it cannot, and the list stays."""
    sd = sound_library()
    with _lock:
        if _open_streams:
            return
        for step in (sd._terminate, sd._initialize):  # what did not start last time cannot be ended, and is started
            try:
                step()
            except sd.PortAudioError as error:
                log.info("PortAudio could not be started again (%s).", error)


def _choose_format(sd: ModuleType, device: str | int | None) -> tuple[int, int]:
    """Rate and channels: the device's own rate first; two channels before one, and all it has as a last resort.

    Raises:
        PortAudioError, ValueError: no such device, or it takes none of the formats.
    """
    info = sd.query_devices(device, "input")
    most = max(int(info["max_input_channels"]), 1)
    counts = [count for count in (2, 1) if count <= most] + ([most] if most > 2 else [])
    rates = list(dict.fromkeys([round(info["default_samplerate"]), *_RATES]))
    failure: Exception | None = None
    for rate in rates:
        for channels in counts:
            try:
                sd.check_input_settings(device, channels=channels, samplerate=rate, dtype="float32")
            except sd.PortAudioError as error:
                failure = failure or error
            else:
                return rate, channels
    assert failure is not None
    raise failure


def _portaudio_devices() -> list[DeviceInfo]:
    sd = sound_library()
    with _lock:
        refresh_devices()
        try:
            default = sd.query_devices(kind="input")["index"]
        except (sd.PortAudioError, ValueError):
            default = -1
        inputs = [device for device in sd.query_devices() if device["max_input_channels"] > 0]
        hosts = [host["name"] for host in sd.query_hostapis()]
    return [
        DeviceInfo(
            # PortAudio's numbers change when a device is plugged in; this is how sounddevice itself names one.
            spec=f"{device['name']}, {hosts[device['hostapi']]}",
            name=f"{device['name']} ({hosts[device['hostapi']]})",
            kind="microphone",
            is_default=device["index"] == default,
            is_loopback=any(word in device["name"].lower() for word in _LOOPBACK),
        )
        for device in inputs
    ]


def _pulse_sources() -> list[DeviceInfo]:
    """Sources of PulseAudio or PipeWire: through PortAudio they would all be the one device `pulse`."""
    program = shutil.which("pactl")
    if program is None:
        return []
    try:
        answer = subprocess.run(
            [program, "-f", "json", "list", "sources"], capture_output=True, timeout=3, check=True, text=True
        )
        sources = json.loads(answer.stdout)
        return [
            DeviceInfo(
                spec=f"pulse:{source['name']}",
                name=str(source.get("description") or source["name"]),
                kind="microphone",
                is_loopback=bool(source.get("monitor_source")),
            )
            for source in sources
        ]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        log.info("The sound server does not list its sources (%s).", error)
        return []


@contextmanager
def _pulse_source(device: str | int | None) -> Iterator[str | int | None]:
    """PortAudio's name for `device`; which PulseAudio source it is, its library reads from PULSE_SOURCE on opening."""
    if not isinstance(device, str) or not device.startswith("pulse:"):
        yield device
        return
    before = os.environ.get("PULSE_SOURCE")
    os.environ["PULSE_SOURCE"] = device.removeprefix("pulse:")
    try:
        yield _PULSE_DEVICE
    finally:
        if before is None:
            del os.environ["PULSE_SOURCE"]
        else:
            os.environ["PULSE_SOURCE"] = before


def _error(error: Exception, name: str, listed: bool) -> SourceError:
    text = str(error).lower()
    trouble: Trouble = "missing"
    if "permission" in text or "not allowed" in text or "access denied" in text:
        trouble = "refused"
    elif "sample rate" in text or "format" in text or "number of channels" in text:
        trouble = "unreadable" if listed else "missing"
    elif listed:
        trouble = "busy"
    return SourceError(trouble, f"{name} {_REMEDY[trouble]}.")
