"""Cameras of this machine through OpenCV: V4L2, AVFoundation and DirectShow, with their human names."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from avseg_core.media.capture import CameraOptions, CapturedFrame, DeviceInfo, SourceError, Trouble

_BACKEND = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}
_ENUMERATOR = {"darwin": "avfoundation", "win32": "dshow"}
_VIDEO_CLASS = Path("/sys/class/video4linux")
FORMATS = ("MJPG", "YUYV", "")
"""Pixel formats in order of preference; over USB 2 most cameras give 30 pictures a second only as Motion JPEG."""
FIRST_TRIES = 3
"""Pictures that a format may fail to give: the first ones are often broken."""
_BELIEVABLE_AGE = 0.5
"""A driver's time stamp is used if it says that the picture is at most so old, in seconds."""
_REMEDY: dict[Trouble, str] = {
    "missing": "is not connected; plug it in or choose another camera",
    "refused": "may not be used by this program; allow it in the system's privacy settings"
    + (" or add yourself to the group 'video'" if sys.platform == "linux" else ""),
    "busy": "is in use by another program or cannot be opened; close the other program"
    + ("" if sys.platform == "linux" else " or allow this one to use the camera in the system's privacy settings"),
    "unplugged": "has been disconnected; plug it in again",
    "unreadable": "gives no pictures; unplug it and plug it in again",
}
log = logging.getLogger(__name__)


def list_cameras() -> list[DeviceInfo]:
    """The cameras of this machine; no camera is switched on for it."""
    if sys.platform == "linux":
        return _linux_cameras()
    names = _named_cameras(_ENUMERATOR.get(sys.platform, ""))
    return [DeviceInfo(str(index), name, "camera", index == 0) for index, name in enumerate(names)]


def _linux_cameras() -> list[DeviceInfo]:
    """Capture nodes under /sys: a camera's first node (index 0) gives pictures, the others metadata."""
    found: list[tuple[int, str]] = []
    for node in _VIDEO_CLASS.glob("video*"):
        try:
            first = (node / "index").read_text().strip() == "0"
            name = (node / "name").read_text().strip()
        except OSError:
            continue
        if first and node.name[5:].isdigit():
            found.append((int(node.name[5:]), name))
    found.sort()
    return [DeviceInfo(str(number), name, "camera", number == found[0][0]) for number, name in found]


def _named_cameras(enumerator: str) -> list[str]:
    """Names as FFmpeg tells them, in OpenCV's order; one nameless entry if it cannot tell."""
    try:
        devices = av.device.enumerate_input_devices(enumerator)
    except Exception as error:  # the wheel may lack the platform's device library: any of several errors
        log.info("Camera names are not available (%s).", error)
        return ["Default camera"]
    cameras = [device for device in devices if not device.media_types or "video" in device.media_types]
    return [device.description or device.name for device in cameras if "Capture screen" not in device.description]


class DeviceCamera:
    """A camera by its number."""

    is_live = True

    def __init__(self, number: int, options: CameraOptions) -> None:
        self.number, self.options = number, options
        self.fps = options.fps
        names = {device.spec: device.name for device in list_cameras()}
        self.name = names.get(str(number), f"Camera {number}")
        self._capture: cv2.VideoCapture | None = None
        self._count = 0
        self._failures = 0

    def open(self) -> None:
        """Switches the camera on, in the first of `FORMATS` in which a picture comes.

        Raises:
            SourceError: it is missing, refused, busy, or gives no picture in any format.
        """
        _check_node(self.number, self.name)
        for code in FORMATS:
            capture = self._start(code)
            if any(capture.read()[0] for _ in range(FIRST_TRIES)):
                promised = float(capture.get(cv2.CAP_PROP_FPS))
                self.fps = promised if 0 < promised < 1000 else self.options.fps
                self._capture, self._failures = capture, 0
                return
            log.info("%s gives no picture as %s.", self.name, code or "it likes")
            capture.release()
        raise _error("unreadable", self.name)

    def _start(self, code: str) -> cv2.VideoCapture:
        """Asks for a pixel format ("" for the driver's own choice) and the options."""
        capture = cv2.VideoCapture(self.number, _BACKEND.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            listed = any(device.spec == str(self.number) for device in list_cameras())
            raise _error("busy" if listed else "missing", self.name)
        if code:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.options.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.options.height)
        capture.set(cv2.CAP_PROP_FPS, self.options.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def read(self) -> CapturedFrame | None:
        """Waits for a picture.

        Raises:
            SourceError: the camera has gone.
        """
        assert self._capture is not None
        good, bgr = self._capture.read()
        arrived = time.monotonic()
        if not good or bgr is None:
            self._failed()
            return None
        self._failures = 0
        self._count += 1
        code = cv2.COLOR_BGR2RGB if bgr.ndim == 3 else cv2.COLOR_GRAY2RGB
        image: NDArray[np.uint8] = cv2.cvtColor(bgr, code).astype(np.uint8, copy=False)
        return CapturedFrame(self._count - 1, self._stamp(arrived), arrived, image)

    def close(self) -> None:
        """Switches the camera off."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _failed(self) -> None:
        """Tells a picture that did not come from a camera that has gone."""
        self._failures += 1
        if sys.platform == "linux" and not Path(f"/dev/video{self.number}").exists():
            raise _error("unplugged", self.name)
        if self._failures >= 5:
            raise _error("unreadable", self.name)
        time.sleep(0.1)

    def _stamp(self, arrived: float) -> float:
        """The driver's time stamp where it counts on our clock (V4L2 does), otherwise the time of arrival."""
        assert self._capture is not None
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        return stamp if 0 <= arrived - stamp < _BELIEVABLE_AGE else arrived


def _check_node(number: int, name: str) -> None:
    """On Linux the device file tells more than OpenCV's plain refusal."""
    if sys.platform != "linux":
        return
    try:
        os.close(os.open(f"/dev/video{number}", os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        trouble: dict[int, Trouble] = {errno.EACCES: "refused", errno.EPERM: "refused", errno.EBUSY: "busy"}
        raise _error(trouble.get(error.errno or 0, "missing"), name) from None


def _error(trouble: Trouble, name: str) -> SourceError:
    return SourceError(trouble, f"{name} {_REMEDY[trouble]}.")
