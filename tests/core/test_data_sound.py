"""Sound of clips: wav reading, resampling, padding, the cache on disk."""

from __future__ import annotations

import logging
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avseg_core.audio.front_end import logmel
from avseg_core.data import audio
from avseg_core.data.audio import LogMelCache, mono_16k, read_wav, wav_logmel
from avseg_core.errors import InputError
from tests.avsbench_fixtures import int16, write_wav


def tone(hertz: float, rate: int, seconds: float) -> np.ndarray:
    return 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def test_wav_samples_are_read_to_the_bit(tmp_path: Path) -> None:
    sound = tone(440, 44100, 0.7)
    write_wav(tmp_path / "a.wav", sound, rate=44100, channels=2)
    samples, rate = read_wav(tmp_path / "a.wav")
    assert rate == 44100
    assert samples.shape == (30870, 2)
    np.testing.assert_array_equal(samples[:, 0], int16(sound))
    np.testing.assert_array_equal(samples[:, 1], int16(sound))


def test_24_bit_wav_is_read_too(tmp_path: Path) -> None:
    sound = tone(440, 16000, 0.5)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(16000)
        values = (sound * 2**23).astype("<i4")
        file.writeframes(values.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    samples, _ = read_wav(tmp_path / "a.wav")
    np.testing.assert_allclose(samples[:, 0] / 32768, sound, atol=2 / 32768)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_resampling_keeps_a_tone_and_the_length(rate: int) -> None:
    samples = int16(tone(1000, rate, 2.0))[:, None]
    waveform = mono_16k(samples, rate)
    assert waveform.shape == (32000,)
    inside = slice(2000, -2000)
    np.testing.assert_allclose(waveform[inside], tone(1000, 16000, 2.0)[inside], atol=1e-4)


def test_resampling_removes_what_16_khz_cannot_hold() -> None:
    waveform = mono_16k(int16(tone(12000, 44100, 1.0))[:, None], 44100)
    assert np.abs(waveform[1000:-1000]).max() < 1e-3


def test_channels_are_averaged() -> None:
    samples = np.array([[100, 300], [-200, 200]], np.int16)
    np.testing.assert_allclose(mono_16k(samples, 16000), np.array([200, 0]) / 32768)


@pytest.mark.parametrize(("seconds", "examples"), [(5.0, 5), (4.9, 5), (4.8, 4), (4.0, 4), (0.97, 0)])
def test_examples_that_a_wav_gives(seconds: float, examples: int, tmp_path: Path) -> None:
    sound = tone(440, 16000, seconds)
    write_wav(tmp_path / "a.wav", sound)
    values = wav_logmel(tmp_path / "a.wav", 5, "vggish", frames=5, repeat_last=False)
    assert values.shape == (5, 96, 64)
    assert [bool(value.any()) for value in values] == [k < examples for k in range(5)]
    np.testing.assert_array_equal(values[:examples], logmel(int16(sound) / 32768, "vggish"))


def test_short_sound_is_said_once_per_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_wav(tmp_path / "a.wav", tone(440, 16000, 4.0))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            values = wav_logmel(tmp_path / "a.wav", 5, "vggish", frames=5, repeat_last=True)
    np.testing.assert_array_equal(values[4], values[3])
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.wav'}: sound gives 4 of 5 log-mel examples; the last one is repeated."
    ]


def test_the_cache_computes_once_until_the_file_changes(tmp_path: Path) -> None:
    source, calls = tmp_path / "a.wav", []
    source.write_bytes(b"one")

    def compute() -> np.ndarray:
        calls.append(1)
        return np.full((5, 96, 64), len(calls), np.float32)

    cache = LogMelCache(str(tmp_path / "cache"))
    assert cache.get(source, "vggish", compute)[0, 0, 0] == 1
    assert cache.get(source, "vggish", compute)[0, 0, 0] == 1
    assert cache.get(source, "yamnet", compute)[0, 0, 0] == 2
    source.write_bytes(b"changed")
    assert cache.get(source, "vggish", compute)[0, 0, 0] == 3
    assert not list((tmp_path / "cache").glob("*.partial"))
    for kept in (tmp_path / "cache").iterdir():
        kept.write_bytes(kept.read_bytes()[:100])  # a damaged entry is made again
    assert cache.get(source, "vggish", compute)[0, 0, 0] == 4
    assert cache.get(source, "vggish", compute)[0, 0, 0] == 4


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "a.wav"
    source.write_bytes(b"one")
    (tmp_path / "file").write_text("in the way")
    value = LogMelCache(str(tmp_path / "file" / "cache")).get(source, "", lambda: np.ones((1, 96, 64), np.float32))
    assert value.sum() == 96 * 64
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty (0 bytes)"),
        (b"RIFF\x00\x00", "is not a video or sound file that can be read ("),
        (b"not a sound at all" * 50, "is not a video or sound file that can be read ("),
        (b"ffconcat version 1.0\nfile 'secret.wav'\n", "is a playlist that points to other files"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.wav\n#EXT-X-ENDLIST\n", "is a playlist"),
    ],
)
def test_an_unreadable_wav_is_one_clear_line(content: bytes, said: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "secret.wav", tone(440, 16000, 5))
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_wav(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


def test_a_file_without_sound_is_one_clear_line(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.wav", format="GIF")
    with pytest.raises(InputError, match=r"a\.wav: cannot be read as sound \("):
        read_wav(tmp_path / "a.wav")


def test_a_missing_wav_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; the data set needs the sound of every clip"):
        read_wav(tmp_path / "a.wav")


def test_too_little_sound_to_repeat_is_an_error(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(440, 16000, 0.5))
    with pytest.raises(InputError, match="sound is shorter than one example"):
        wav_logmel(tmp_path / "a.wav", 5, "vggish", frames=5, repeat_last=True)


def test_offsets_of_both_front_ends_convert(tmp_path: Path) -> None:
    sound = tone(700, 16000, 2.0)
    converted = audio.from_vggish(logmel(sound, "vggish"), "yamnet")
    np.testing.assert_allclose(converted, logmel(sound, "yamnet"), atol=1e-3)
