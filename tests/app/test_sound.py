"""Sound ahead of time: what is fed to the card, at any speed, and the card's clock on a virtual sink."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from avseg_app.playback.player import Player
from avseg_app.playback.sound import RATE, SoundOutput, Tempo, _feed, _Playing
from avseg_core.errors import InputError
from avseg_core.media.audio import AudioReader
from avseg_core.media.video import VideoReader
from tests.live_fixtures import PulseServer


def pitch(samples: NDArray[np.float32]) -> float:
    """The strongest frequency of a mono sound, in hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2.0])
def test_tempo_changes_the_length_and_keeps_the_pitch(speed: float) -> None:
    tempo = Tempo(speed)
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32)
    stereo = np.stack([tone, tone], axis=1)
    out = np.concatenate([tempo.process(stereo[start : start + 4800]) for start in range(0, len(stereo), 4800)])
    assert len(out) / RATE == pytest.approx(4 / speed, rel=0.06)
    middle = out[len(out) // 4 : len(out) // 4 + RATE, 0]
    assert pitch(middle) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_feed_starts_where_asked_and_runs_past_the_end(clip: Path, speed: float) -> None:
    reader = AudioReader(clip, rate=RATE, channels=2)
    chunks = list(_feed(reader, 4.0, _Playing(1.25, speed, ticket=1)))
    assert chunks[0].media_time == 1.25
    ends = [chunk.media_time + len(chunk.samples) * chunk.speed / RATE for chunk in chunks]
    starts = [chunk.media_time for chunk in chunks]
    assert np.allclose(starts[1:], ends[:-1]), "no gap and no overlap"
    assert ends[-1] > 4.0, "the clock must pass the end for the player to notice it"
    if speed == 1.0:
        expected = reader.read(1.25, 1.0)
        heard = np.concatenate([chunk.samples for chunk in chunks])[:RATE]
        assert np.array_equal(heard, expected)


def test_a_file_that_goes_while_it_plays_falls_silent(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = AudioReader(clip, rate=RATE, channels=2)
    feed = _feed(reader, 4.0, _Playing(0.0, 1.0, ticket=1))
    assert next(feed).samples.any()

    def gone(*_: object) -> None:
        raise InputError("clip.mp4: no such file; check the path.")

    monkeypatch.setattr(reader, "read", gone)
    rest = list(feed)
    assert not any(chunk.samples.any() for chunk in rest)
    assert rest[-1].media_time + len(rest[-1].samples) / RATE > 4.0, "the clock reaches the end"


def test_without_a_device_it_says_so(qtbot: QtBot, clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    sound = SoundOutput()
    with qtbot.waitSignal(sound.unavailable, timeout=10_000) as said:
        sound.load(clip, 4.0)
    assert "without sound" in said.args[0]
    assert not sound.alive
    sound.close()


def test_a_file_that_is_opened_again_is_read_anew(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path | None] = []
    monkeypatch.setattr("avseg_app.playback.sound._open_reader", opened.append)
    sound = SoundOutput()
    for count in (1, 2):  # it may have been edited in between
        sound.load(tmp_path / "clip.mp4", 4.0)
        qtbot.waitUntil(lambda count=count: len(opened) == count, timeout=10_000)
    sound.play(0.0, 1.0)
    sound.close()
    assert len(opened) == 2, "playing reads on in the same one"


@pytest.fixture
def virtual_sink(tmp_path: Path) -> Iterator[PulseServer]:
    """PulseAudio with a null sink, which runs in real time like a card."""
    if not PulseServer.available():
        pytest.skip("PulseAudio is not installed")
    server = PulseServer(tmp_path)
    server.start()
    before = {name: os.environ.get(name) for name in server.environment}
    os.environ.update(server.environment)
    _restart_portaudio()
    yield server
    server.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    _restart_portaudio()


def _restart_portaudio() -> None:
    """PortAudio lists the devices only when it is initialised."""
    sounddevice = pytest.importorskip("sounddevice")
    sounddevice._terminate()
    sounddevice._initialize()


def test_the_card_is_the_master_clock(qtbot: QtBot, clip: Path, virtual_sink: PulseServer) -> None:
    player = Player()
    lags: list[float] = []
    player.frame_shown.connect(lambda frame: lags.append(player.position - frame.time))
    with VideoReader(clip) as reader:
        player.load(reader.info)
    qtbot.waitUntil(lambda: player.sound.alive and player.frame is not None, timeout=10_000)
    lags.clear()
    player.play()
    qtbot.waitUntil(lambda: player.position > 0.5, timeout=10_000)
    began, first = time.monotonic(), player.position
    qtbot.waitUntil(lambda: player.position > 2.5, timeout=10_000)
    passed = time.monotonic() - began
    assert player.sound.alive
    assert player.position - first == pytest.approx(passed, rel=0.05), "the null sink runs in real time"
    assert max(lags) < 0.1, "frames are those of the sound that is heard"
    player.close()


def test_playing_survives_the_loss_of_the_card(qtbot: QtBot, clip: Path, virtual_sink: PulseServer) -> None:
    player = Player()
    player.loop = True
    with VideoReader(clip) as reader:
        player.load(reader.info)
    qtbot.waitUntil(lambda: player.sound.alive and player.frame is not None, timeout=10_000)
    player.play()
    qtbot.waitUntil(lambda: player.position > 0.3, timeout=10_000)
    with qtbot.waitSignal(player.sound_changed, timeout=15_000) as said:
        virtual_sink.stop()
    assert "without sound" in said.args[0]
    reached = player.position
    qtbot.waitUntil(lambda: player.position > reached + 0.2 or player.position < reached, timeout=5_000)
    assert player.playing
    player.close()
