"""From what the user writes (`--source`, `--mic`, the window's lists) to a camera and a microphone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from avseg_core.errors import InputError
from avseg_core.media.capture import CameraOptions, CameraSource, DeviceInfo, MicrophoneSource
from avseg_core.media.capture_camera import DeviceCamera, list_cameras
from avseg_core.media.capture_microphone import DeviceMicrophone, list_microphones
from avseg_core.media.capture_stream import (
    PlayClock,
    StreamCamera,
    StreamMicrophone,
    StreamOptions,
    network,
    screen_available,
    screen_camera,
)
from avseg_core.media.capture_test_source import TestCamera, TestMicrophone

SAME = "source"
"""`--mic source`: the sound of the file or stream that the pictures come from."""


def list_sources() -> list[DeviceInfo]:
    """All that can be chosen for pictures; the test picture always exists."""
    screen = [DeviceInfo("screen", "Screen", "camera")] if screen_available() else []
    return [*list_cameras(), *screen, DeviceInfo("test", "Test picture", "camera")]


def list_sounds() -> list[DeviceInfo]:
    """All that can be chosen for sound; the test tone and no sound always exist."""
    extra = [DeviceInfo("test", "Test tone", "microphone"), DeviceInfo("none", "No sound", "microphone")]
    return [*list_microphones(), *extra]


def camera(spec: str, options: CameraOptions, play: PlayClock, *, loop: bool = False) -> Callable[[], CameraSource]:
    """A maker of the source that `spec` names: a number, a name, an address, a file, "screen[:X,Y,WxH]" or "test".

    Raises:
        InputError: nothing fits `spec`.
    """
    if spec == "test":
        return lambda: TestCamera(options)
    if spec == "screen" or spec.startswith("screen:"):
        region = spec.partition(":")[2]
        screen_camera(region, options)  # a bad region is told now, not in the thread
        return lambda: screen_camera(region, options)
    if spec.isdigit():
        return lambda: DeviceCamera(int(spec), options)
    if "://" in spec:
        return lambda: StreamCamera(network(spec))
    if Path(spec).is_file():
        return lambda: StreamCamera(_file(spec, play, loop))
    number = int(_by_name(spec, list_cameras(), "camera", "--source"))
    return lambda: DeviceCamera(number, options)


def microphone(
    spec: str, source: str, play: PlayClock, *, loop: bool = False, wait: bool = False
) -> Callable[[], MicrophoneSource]:
    """A maker of the source that `spec` names: a name, an address, a file, "source", "default", "test" or "none".

    Args:
        source: what the pictures come from, for "source".
        wait: `spec` was in a list once; if it is not there now it may come back.

    Raises:
        InputError: nothing fits `spec`.
    """
    if spec == SAME:
        if source == "test":
            return TestMicrophone
        if "://" not in source and not Path(source).is_file():
            raise InputError(f"{source} brings no sound of its own; choose a microphone (--list shows them).")
        spec = source
    if spec in ("test", "none"):
        return lambda: TestMicrophone(silent=spec == "none")
    if spec == "default":
        return DeviceMicrophone
    if "://" in spec:
        return lambda: StreamMicrophone(network(spec))
    if Path(spec).is_file():
        return lambda: StreamMicrophone(_file(spec, play, loop))
    if spec.isdigit():
        return lambda: DeviceMicrophone(int(spec), f"Microphone {spec}")
    if spec.startswith("pulse:"):
        names = {device.spec: device.name for device in list_microphones()}
        return lambda: DeviceMicrophone(spec, names.get(spec, spec.removeprefix("pulse:")))
    chosen = spec if wait else _by_name(spec, list_microphones(), "microphone", "--mic")
    return lambda: DeviceMicrophone(chosen, chosen)


def default_sound(source: str) -> str:
    """The sound that goes with a source if the user names none: its own, or the default microphone."""
    if source == "test" or "://" in source or Path(source).is_file():
        return SAME
    return "default"


def _file(spec: str, play: PlayClock, loop: bool) -> StreamOptions:
    return StreamOptions(spec, Path(spec).name, play=play, loop=loop)


def _by_name(spec: str, devices: list[DeviceInfo], kind: str, option: str) -> str:
    """The spec of the one device whose name holds `spec`; an exact spec or name wins."""
    exact = [device for device in devices if spec in (device.spec, device.name)]
    found = exact[:1] or [device for device in devices if spec.lower() in device.name.lower()]
    if len(found) == 1:
        return found[0].spec
    if found:
        several = ", ".join(device.name for device in found)
        raise InputError(f"{option} {spec!r} fits several: {several}; write more of it.")
    known = ", ".join(device.name for device in devices) or "none"
    raise InputError(f"{option} {spec!r}: no such {kind}, file or address; this machine has: {known}.")
