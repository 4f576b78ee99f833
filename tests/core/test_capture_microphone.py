"""Real sound through PortAudio from a virtual microphone, its loss and return, and a machine without any."""

import os
import wave
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from avseg_core.media import capture_microphone
from avseg_core.media.capture import DeviceState, DeviceStatus, SourceError
from avseg_core.media.capture_microphone import DeviceMicrophone, list_microphones, refresh_devices
from avseg_core.media.capture_microphone_feed import MicrophoneFeed
from avseg_core.media.capture_sources import microphone
from avseg_core.media.capture_stream import PlayClock
from tests.live_fixtures import PulseServer, running, wait_for

pytestmark = pytest.mark.skipif(not PulseServer.available(), reason="PulseAudio is not installed")


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseServer]:
    server = PulseServer(tmp_path)
    server.start()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """8 s of 440 Hz at half of full scale."""
    path = tmp_path / "tone.wav"
    samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8 * 48000) / 48000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_devices_have_human_names_and_loopbacks_are_marked(pulse: PulseServer) -> None:
    devices = {device.spec: device for device in list_microphones()}
    assert devices["pulse:vmic"].name == "Virtual"
    assert not devices["pulse:vmic"].is_loopback
    assert devices["pulse:vmic_sink.monitor"].name == "Monitor of Null Output"
    assert devices["pulse:vmic_sink.monitor"].is_loopback
    assert sum(device.is_default for device in devices.values()) == 1


@pytest.mark.parametrize("spec", ["default", "pulse:vmic_sink.monitor", "Virtual"])
def test_a_tone_is_heard_without_a_slip(pulse: PulseServer, tone: Path, spec: str) -> None:
    feed = MicrophoneFeed(microphone(spec, "test", PlayClock()), lambda status: None)
    player = pulse.play(tone)
    try:
        with running(feed):
            assert wait_for(lambda: feed.level.rms > -12)
            start = feed.ring.end
            assert wait_for(lambda: feed.ring.end > start + 24000)
            heard = feed.ring.read(start + 4000, 16000)
    finally:
        player.kill()
        player.wait()
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(16000)))
    assert int(np.argmax(spectrum)) == 440
    # A slip would break the phase: one sine must explain all of it.
    phase = np.exp(-2j * np.pi * 440 * np.arange(16000) / 16000)
    amplitude = 2 * np.abs((heard * phase).mean())
    assert amplitude**2 / 2 == pytest.approx(float(np.mean(heard**2)), rel=0.01)
    assert feed.overflows == 0
    assert os.environ.get("PULSE_SOURCE") is None


def test_a_microphone_is_lost_with_its_server_and_taken_back(pulse: PulseServer) -> None:
    seen: list[DeviceStatus] = []
    feed = MicrophoneFeed(microphone("default", "test", PlayClock()), seen.append)
    with running(feed):
        assert wait_for(lambda: feed.running)
        pulse.stop()
        assert wait_for(lambda: feed.status.state is DeviceState.LOST)
        assert wait_for(lambda: sum(status.state is DeviceState.LOST for status in seen) >= 2)
        pulse.start()
        end = feed.ring.end
        assert wait_for(lambda: feed.running and feed.ring.end > end)
    assert next(status for status in seen if status.state is DeviceState.LOST).trouble == "unplugged"
    assert feed.gaps > 0


def test_a_machine_without_microphones_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    refresh_devices()
    assert [device for device in list_microphones() if device.is_default] == []
    with pytest.raises(SourceError, match="is not there; plug it in") as caught:
        DeviceMicrophone().open()
    assert caught.value.trouble == "missing"


class _Refusing:
    """sounddevice on a machine with one microphone that may not be used."""

    class PortAudioError(Exception):
        """As sounddevice's."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def _terminate(self) -> None:
        """Nothing to end."""

    def _initialize(self) -> None:
        """Nothing to start."""

    def query_devices(self, device: object = None, kind: str = "") -> dict[str, object]:
        return {"name": "USB", "max_input_channels": 1, "default_samplerate": 48000.0, "index": 0}

    def check_input_settings(self, device: object, **settings: object) -> None:
        raise self.PortAudioError(self.reason)


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("Permission denied", "refused"),
        ("Invalid sample rate [PaErrorCode -9997]", "unreadable"),
        ("Device unavailable [PaErrorCode -9985]", "busy"),
    ],
)
def test_a_refusal_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch, reason: str, trouble: str) -> None:
    monkeypatch.setattr(capture_microphone, "sound_library", lambda: _Refusing(reason))
    with pytest.raises(SourceError) as caught:
        DeviceMicrophone(0, "USB microphone").open()
    assert caught.value.trouble == trouble
    assert str(caught.value).startswith("USB microphone ")


@pytest.mark.parametrize(
    ("channels", "own_rate", "taken", "asked"),
    [
        (2, 48000.0, (48000, 2), [(48000, 2)]),
        (1, 44100.0, (44100, 1), [(44100, 1)]),
        (2, 96000.0, (44100, 1), [(96000, 2), (96000, 1), (48000, 2), (48000, 1), (44100, 2), (44100, 1)]),
        (6, 48000.0, (48000, 6), [(48000, 2), (48000, 1), (48000, 6)]),
    ],
)
def test_rates_and_channels_are_tried_in_order(
    monkeypatch: pytest.MonkeyPatch,
    channels: int,
    own_rate: float,
    taken: tuple[int, int],
    asked: list[tuple[int, int]],
) -> None:
    """The device's own rate first, then usual ones; two channels, one, all."""
    tried: list[tuple[int, int]] = []

    class Library(_Refusing):
        def query_devices(self, device: object = None, kind: str = "") -> dict[str, object]:
            return {"name": "USB", "max_input_channels": channels, "default_samplerate": own_rate, "index": 0}

        def check_input_settings(self, device: object, **settings: object) -> None:
            tried.append((settings["samplerate"], settings["channels"]))  # type: ignore[arg-type]
            if tried[-1] != taken:
                raise self.PortAudioError("Invalid sample rate")

        def InputStream(self, **settings: object) -> SimpleNamespace:
            def nothing() -> None:
                pass

            return SimpleNamespace(start=nothing, abort=nothing, close=nothing, settings=settings)

    monkeypatch.setattr(capture_microphone, "sound_library", lambda: Library(""))
    source = DeviceMicrophone(0, "USB microphone")
    source.open()
    assert (source.rate, source.channels) == taken
    assert source._stream.settings["samplerate"] == taken[0]
    source.close()
    assert tried == asked


def test_a_look_for_new_devices_leaves_an_open_stream_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    restarts: list[str] = []

    class Library(_Refusing):
        def _terminate(self) -> None:
            restarts.append("terminate")

        def check_input_settings(self, device: object, **settings: object) -> None:
            """Takes any."""

        def InputStream(self, **settings: object) -> SimpleNamespace:
            return SimpleNamespace(start=lambda: None, abort=lambda: None, close=lambda: None)

    library = Library("")
    monkeypatch.setattr(capture_microphone, "sound_library", lambda: library)
    source = DeviceMicrophone(0, "USB microphone")
    source.open()
    restarts.clear()
    refresh_devices()
    assert restarts == []
    source.close()
    refresh_devices()
    assert restarts == ["terminate"]
