"""A machine whose sound system does not start, and starts later."""

import importlib
import sys
from types import ModuleType

import pytest

from avseg_core.media import capture_microphone
from avseg_core.media.capture import SourceError
from avseg_core.media.capture_microphone import list_microphones, refresh_devices, sound_library


class _Broken:
    """sounddevice whose PortAudio has not started; it starts when `works` is set."""

    class PortAudioError(Exception):
        """As sounddevice's."""

    def __init__(self) -> None:
        self.works = self.started = False

    def _terminate(self) -> None:
        if not self.started:
            raise self.PortAudioError("PortAudio not initialized")
        self.started = False

    def _initialize(self) -> None:
        if not self.works:
            raise self.PortAudioError("Unanticipated host error")
        self.started = True

    def query_devices(self, device: object = None, kind: str = "") -> object:
        if not self.started:
            raise self.PortAudioError("PortAudio not initialized")
        usb = {"name": "USB", "max_input_channels": 1, "hostapi": 0, "index": 0}
        return usb if kind else [usb]

    def query_hostapis(self) -> list[dict[str, str]]:
        return [{"name": "ALSA"}]


def test_a_sound_system_that_does_not_start_leaves_the_list_empty_and_is_started_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = _Broken()
    monkeypatch.setattr(capture_microphone, "sound_library", lambda: library)
    monkeypatch.setattr(capture_microphone, "_pulse_sources", list)
    assert list_microphones() == []
    library.works = True
    assert [device.spec for device in list_microphones()] == ["USB, ALSA"]
    refresh_devices()
    assert library.started


def test_a_sound_library_that_fails_on_import_is_a_missing_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> ModuleType:
        raise _Broken.PortAudioError("Error initializing PortAudio")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(SourceError, match="does not start") as caught:
        sound_library()
    assert caught.value.trouble == "missing"
