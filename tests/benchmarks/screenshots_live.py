"""Pictures of the live page for looking at, in a language, at a scale and in a theme.

    python -m tests.benchmarks.screenshots_live FOLDER [en|de] [1|2] [light|dark]

What the live process would answer is played from here, so that every state can be had, also of devices in trouble.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from PySide6.QtWidgets import QScrollArea

from avseg_app.live.page import LivePage
from avseg_app.paths import DEMO_CLIP
from avseg_app.workers.frame_ring import SharedFrame
from avseg_app.workers.live_protocol import (
    Calibrated,
    DeviceLists,
    LiveModelReady,
    LiveTick,
    LiveUpdate,
    RecordingDone,
    RecordingStarted,
)
from avseg_core.inference.live_config import Latency, LiveCounters
from avseg_core.media import VideoReader
from avseg_core.media.capture import DeviceInfo, DeviceState, DeviceStatus
from tests.benchmarks.screenshots import Camera, main, pause
from tests.idle_client import IdleClient, IdleLiveClient

_TAGS = (("Dog", 0.93), ("Bark", 0.61), ("Livestock, farm animals, working animals", 0.2))


def devices() -> DeviceLists:
    """A camera, the test picture and three microphones."""
    return DeviceLists(
        (DeviceInfo("0", "HD Pro Webcam C920", "camera", True), DeviceInfo("test", "Test picture", "camera")),
        (
            DeviceInfo("pulse:a", "Built-in Audio Analog Stereo", "microphone", True),
            DeviceInfo("pulse:b", "Monitor of Built-in Audio Analog Stereo", "microphone", is_loopback=True),
            DeviceInfo("test", "Test tone", "microphone"),
        ),
    )


def play(page: LivePage, recorded: float | None = None) -> None:
    """What the process tells within a minute: a picture with its mask, sound, results."""
    now, client = time.monotonic(), page.client
    client.model_ready.emit(LiveModelReady("avsegformer-lite", "CPU."))
    for kind, name in (("camera", "HD Pro Webcam C920"), ("microphone", "Built-in Audio Analog Stereo")):
        client.status_changed.emit(DeviceStatus(kind, name, DeviceState.OPENING))
        client.status_changed.emit(DeviceStatus(kind, name, DeviceState.RUNNING))
    with VideoReader(DEMO_CLIP) as reader:
        picture = cv2.resize(reader.frame_at(1.5).image, (640, 360))
    mask = np.zeros((180, 320), np.uint8)
    cv2.ellipse(mask, (98, 95), (24, 58), 0, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (9, 9), 0)
    client.frame_ready.emit(SharedFrame(1, now, cv2.cvtColor(picture, cv2.COLOR_RGB2BGRA), mask, now))
    spectrum = (np.random.default_rng(3).random((1000, 64)) ** 3 * 200).astype(np.uint8)
    counters = LiveCounters(frames=900, frames_seen=380, results=380, skipped=3, frames_lost=2)
    client.ticked.emit(LiveTick(-22.0, -9.0, False, spectrum, 29.6, 12.0, counters, recorded))
    weights = np.random.default_rng(4).random(64).astype(np.float32) ** 2
    for k in range(240):
        when = now - 59 + k * 59 / 240
        tags = _TAGS if k % 120 < 70 else (("Fowl", 0.8), ("Chicken, rooster", 0.7))
        latency = Latency(0.02, 0.011, 0.045, 0.012, 0.03, 0.118)
        loudness = -40 + 20 * abs(np.sin(k / 9))
        client.updated.emit(LiveUpdate(when, 0.08 + 0.05 * np.sin(k / 20), tags, loudness, weights, latency, False))


def take(camera: Camera) -> None:
    """All pictures."""
    window, shoot, settings = camera.window, camera.shoot, camera.settings
    settings.update(live_record_dir=str(camera.private / "recorded"))
    with patch("avseg_app.live.page.LiveClient", IdleLiveClient):
        window.show_live()
    page = window.live_page
    shoot("live-listing")
    page.client.devices_listed.emit(devices())
    shoot("live-ready")
    page._calibrate()
    shoot("live-calibrate-refused")
    page.start()
    shoot("live-starting")
    play(page)
    for mode in ("fill", "outline", "heat", "spotlight", "none"):
        settings.update(overlay_mode=mode)
        shoot(f"live-{mode}")
    settings.update(overlay_mode="fill")
    page._calibrate()
    shoot("live-calibrate")
    page.client.calibrated.emit(Calibrated(0, 0.086, ""))
    shoot("live-calibrated")
    window.messages.dismiss()
    page.bar.freeze_button.setChecked(True)
    shoot("live-frozen")
    page.bar.freeze_button.setChecked(False)
    bar = page.panel.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())
    shoot("live-panel-end")
    bar.setValue(0)
    take_recording(camera, page)
    page.present()
    play(page)
    pause(300)
    shoot("live-presentation", page.presentation)
    page.presentation.close()
    pause(100)
    take_troubles(camera, page)
    for name, (width, height) in {"small": (1000, 600), "large": (2200, 1300)}.items():
        window.resize(width, height)
        page.start()
        play(page)
        pause(300)
        shoot(f"live-{name}")
    window.close()


def take_recording(camera: Camera, page: LivePage) -> None:
    """While it records, and after."""
    path = camera.private / "recorded" / "2026-05-17 14.30.12.mkv"
    page.client.recording_started.emit(RecordingStarted(path))
    play(page, recorded=83.0)
    camera.shoot("live-recording")
    page.client.recording_done.emit(RecordingDone(path, 83.0, 0, ""))
    camera.shoot("live-recorded")
    camera.window.messages.dismiss()


def take_troubles(camera: Camera, page: LivePage) -> None:
    """A camera that is lost and a microphone that delivers silence."""
    lost = "HD Pro Webcam C920 was unplugged; plug it in again or choose another camera."
    silent = "The microphone delivers only silence; look whether it is muted."
    name = "Monitor of Built-in Audio Analog Stereo"
    for status in (
        DeviceStatus("camera", "HD Pro Webcam C920", DeviceState.LOST, lost, "unplugged", (), 2.0),
        DeviceStatus("microphone", name, DeviceState.RUNNING, silent, None, ("silent",)),
    ):
        page.client.status_changed.emit(status)
    camera.shoot("live-trouble")


if __name__ == "__main__":
    if len(sys.argv) == 6:
        take(Camera(sys.argv[1:], IdleClient()))
    else:
        sys.exit(main(Path(sys.argv[1]), "screenshots_live", *sys.argv[2:]))
