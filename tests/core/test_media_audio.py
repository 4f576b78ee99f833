"""Sound is where the file's time stamps put it, to the sample, in whatever order it is read."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avseg_core.errors import InputError
from avseg_core.media import AudioReader
from avseg_core.media.resample import Resampler
from avseg_core.media.rows import RowCursor
from tests.media_fixtures import Clip, Tone, remux, write_clip

SIXTEEN_BIT = 1.01 / 32768


def sine_fit(samples: NDArray[np.float32], rate: int, frequency: float, first: int) -> tuple[float, float, float]:
    """Amplitude, delay in seconds and RMS deviation of the best sine through `samples`, which start at `first`."""
    time = (first + np.arange(len(samples))) / rate
    basis = np.stack([np.sin(2 * np.pi * frequency * time), np.cos(2 * np.pi * frequency * time)], axis=1)
    (a, b), *_ = np.linalg.lstsq(basis, samples.astype(np.float64), rcond=None)
    delay = -np.arctan2(b, a) / (2 * np.pi * frequency)
    return float(np.hypot(a, b)), float(delay), float(np.sqrt(np.mean((basis @ (a, b) - samples) ** 2)))


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("s.mp4", "alac", 48000),
        ("s.mov", "pcm_s16le", 44100),
        ("s.mov", "pcm_s24le", 48000),
        ("s.mkv", "pcm_s16le", 48000),
        ("s.mkv", "flac", 48000),
        ("s.avi", "pcm_s16le", 44100),
        ("s.avi", "pcm_u8", 8000),
    ],
)
def test_lossless_sound_comes_out_as_it_went_in(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    tone = Tone(codec=codec, rate=rate, seconds=2.5)
    path = write_clip(tmp_path / name, 60, tones=[tone])
    with AudioReader(path, rate=rate) as reader:
        assert reader.has_audio
        heard = reader.read(-0.5, 4.0)
    expected = tone.samples(rate, -rate // 2, 4 * rate)
    assert heard.shape == (4 * rate,)
    assert heard.dtype == np.float32
    assert np.abs(heard - expected).max() <= (1.01 / 128 if codec == "pcm_u8" else SIXTEEN_BIT)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("wanted", [16000, 48000])
def test_resampling_keeps_level_phase_and_purity(tmp_path: Path, rate: int, wanted: int) -> None:
    tone = Tone(codec="flac", rate=rate, seconds=2.0, frequency=1234.5)
    path = write_clip(tmp_path / "s.mkv", 10, tones=[tone])
    with AudioReader(path, rate=wanted) as reader:
        middle = reader.read(0.25, 1.5)
    assert np.abs(middle - tone.samples(wanted, wanted // 4, len(middle))).max() < 1e-4


def test_resampling_lets_nothing_fold_back(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "s.mkv", 10, tones=[Tone(codec="flac", frequency=9000.0)])
    with AudioReader(path, rate=16000) as reader:  # 9 kHz would come out as 7 kHz
        assert np.abs(reader.read(0.25, 1.5)).max() < 1e-4


@pytest.mark.parametrize("up_down", [(44100, 16000), (48000, 16000), (44100, 48000), (8000, 16000), (11127, 16000)])
def test_any_block_of_outputs_is_made_alike(up_down: tuple[int, int]) -> None:
    resample = Resampler(*up_down)
    source = np.random.default_rng(1).normal(size=(40000, 2)).astype(np.float32)

    def block(first: int, count: int) -> NDArray[np.float32]:
        begin, end = resample.span(first, count)
        samples = np.zeros((end - begin, 2), np.float32)
        low, high = max(begin, 0), max(min(end, len(source)), 0)
        samples[low - begin : high - begin] = source[low:high]
        return resample(samples, begin, first, count)

    whole = block(-500, 12000)
    for first, count in ((-500, 1), (0, 7), (3333, 160), (11000, 500), (37, 11000)):
        assert np.array_equal(block(first, count), whole[first + 500 : first + 500 + count])


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("s.mp4", "aac"),
        ("s.mkv", "aac"),
        ("s.ts", "aac"),
        ("s.flv", "aac"),
        ("s.mp4", "libmp3lame"),
        ("s.mp4", "ac3"),
        ("s.mp4", "libopus"),
        ("s.webm", "libopus"),
        ("s.mkv", "eac3"),
        ("s.mpg", "mp2"),
    ],
)
def test_lossy_sound_is_on_time(tmp_path: Path, name: str, codec: str) -> None:
    tone = Tone(codec=codec, seconds=3.0)
    clip = Clip(codec={"s.webm": "libvpx", "s.mpg": "mpeg2video"}.get(name, "libx264"))
    path = write_clip(tmp_path / name, 90, clip=clip, tones=[tone])
    with AudioReader(path, rate=48000) as reader:
        first = round(1.0 * 48000)
        amplitude, delay, deviation = sine_fit(reader.read_samples(first, 48000), 48000, 440.0, first)
    # The first stream to start is t = 0: where a container cannot hide it, the encoder's delay comes before the tone.
    lead = 0 if name == "s.mp4" else {"aac": 1024, "eac3": 256, "mp2": 481}.get(codec, 0)
    period = 1 / 440.0
    off = (delay - lead / 48000 + period / 2) % period - period / 2
    assert amplitude == pytest.approx(0.5, abs=0.03)
    assert deviation < 0.05
    assert abs(off) < (0.0011 if name.endswith((".mkv", ".webm", ".flv", ".ts", ".mpg")) else 0.6 / 48000)


ORDERS = [("aac", "s.mp4"), ("aac", "s.mkv"), ("libopus", "s.webm"), ("libmp3lame", "s.mp4"), ("wmav2", "s.wmv")]


@pytest.mark.parametrize(("codec", "name"), ORDERS)
@pytest.mark.parametrize("rate", [16000, 48000])
def test_samples_do_not_depend_on_the_order_of_reading(tmp_path: Path, codec: str, name: str, rate: int) -> None:
    noisy = Tone(codec=codec, seconds=20.0, noise=0.1)  # noise brings out the random generators inside decoders
    path = write_clip(tmp_path / name, 0, tones=[noisy])
    with AudioReader(path, rate=rate) as reader:
        whole = np.concatenate([reader.read(float(k), 1.0) for k in range(21)])
    assert np.abs(whole[: 19 * rate]).max() > 0.3
    spans = [(random.Random(k).uniform(0, 19), random.Random(-k).choice([0.1, 1.0, 2.5])) for k in range(12)]
    with AudioReader(path, rate=rate) as reader:
        for start, seconds in spans:
            first = round(start * rate)
            heard = reader.read_samples(first, round(seconds * rate))
            assert np.array_equal(heard[: len(whole) - first], whole[first : first + len(heard)])


def test_reading_on_takes_each_packet_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "s.mkv", 0, tones=[Tone(seconds=40.0)])
    rows: list[int] = []
    read = RowCursor.read

    with AudioReader(path) as reader:

        def counting(cursor: RowCursor) -> object:
            item = read(cursor)
            rows.extend([item[0]] if item is not None else [])
            return item

        monkeypatch.setattr(RowCursor, "read", counting)
        for second in range(40):
            reader.read(float(second), 1.0)
    assert rows == list(range(len(rows)))
    assert len(rows) == pytest.approx(40 * 48000 / 1024, abs=4)


@pytest.mark.parametrize(("name", "codec"), [("s.mkv", "pcm_s16le"), ("s.mp4", "alac"), ("s.mov", "alac")])
def test_gaps_are_silent_and_the_rest_stays_in_place(tmp_path: Path, name: str, codec: str) -> None:
    tone = Tone(codec=codec, seconds=3.0, gaps=((1.0, 1.5), (2.0, 2.25)))
    path = write_clip(tmp_path / name, 90, tones=[tone])
    with AudioReader(path, rate=48000) as reader:
        heard = reader.read(0.0, 3.0)
    block = 4096 if codec == "alac" else 1024
    expected = tone.samples(48000, 0, 3 * 48000)
    for begin, end in tone.gaps:
        first, stop = (-(-round(edge * 48000) // block) * block for edge in (begin, end))
        expected[first:stop] = 0
    if name == "s.mkv":  # its stamps are milliseconds: where a run begins is known to half of one
        for begin, end in ((0.0, 1.0), (1.0, 1.51), (1.54, 2.0), (2.01, 2.24), (2.28, 3.0)):
            part = slice(round(begin * 48000) + 24, round(end * 48000) - 24)
            apart = [np.abs(heard[part] - np.roll(expected, shift)[part]).max() for shift in range(-24, 25)]
            assert min(apart) <= SIXTEEN_BIT
    else:
        assert np.abs(heard - expected).max() <= SIXTEEN_BIT


def test_millisecond_stamps_cut_no_clicks_into_the_sound(tmp_path: Path) -> None:
    tone = Tone(codec="pcm_s16le", rate=44100, seconds=5.0)
    path = write_clip(tmp_path / "s.mkv", 0, tones=[tone])
    with AudioReader(path, rate=44100) as reader:
        assert np.abs(reader.read(0.0, 5.0) - tone.samples(44100, 0, 5 * 44100)).max() <= SIXTEEN_BIT


@pytest.mark.parametrize(("start", "seconds"), [(0.5, 1.0), (0.0, 0.7), (0.0, 4.0), (1.25, 3.0)])
def test_sound_shorter_longer_or_later_than_the_picture(tmp_path: Path, start: float, seconds: float) -> None:
    tone = Tone(codec="alac", start=start, seconds=seconds)
    path = write_clip(tmp_path / "s.mp4", 60, tones=[tone])
    with AudioReader(path, rate=48000) as reader:
        assert np.abs(reader.read(-1.0, 6.0) - tone.samples(48000, -48000, 6 * 48000)).max() <= SIXTEEN_BIT
        assert reader.info.audio[0].start == pytest.approx(start, abs=1e-4)
        assert reader.info.duration == pytest.approx(max(60 * 1001 / 30000, start + seconds), abs=0.01)


def test_picture_later_than_sound(tmp_path: Path) -> None:
    tone = Tone(codec="alac", seconds=2.0)
    clip = Clip(time_base=Fraction(1, 90000), pts=tuple(54000 + 3600 * i for i in range(20)))
    path = write_clip(tmp_path / "s.mp4", 20, clip=clip, tones=[tone])
    with AudioReader(path, rate=48000) as reader:
        assert np.abs(reader.read(0.0, 2.0) - tone.samples(48000, 0, 96000)).max() <= SIXTEEN_BIT


def test_streams_that_do_not_start_at_zero(tmp_path: Path) -> None:
    tone = Tone(codec="pcm_s16le")
    source = write_clip(tmp_path / "s.mov", 60, tones=[tone])
    with AudioReader(remux(source, tmp_path / "late.mkv", shift=7.0), rate=48000) as reader:
        assert np.abs(reader.read(0.0, 2.0) - tone.samples(48000, 0, 96000)).max() <= SIXTEEN_BIT


def test_edit_lists_trim_sound_too(tmp_path: Path) -> None:
    tone = Tone(codec="alac", seconds=3.0)
    source = write_clip(tmp_path / "s.mp4", 90, clip=Clip(fps=Fraction(25)), tones=[tone])
    with AudioReader(remux(source, tmp_path / "trimmed.mp4", shift=-0.8), rate=48000) as reader:
        heard = reader.read(-0.5, 2.5)
    assert not heard[:24000].any()
    assert np.abs(heard[24000:] - tone.samples(48000, round(0.8 * 48000), 96000)).max() <= SIXTEEN_BIT


def test_tracks_are_chosen_by_place(tmp_path: Path) -> None:
    low, high = Tone(codec="flac"), Tone(codec="flac", frequency=880.0)
    path = write_clip(tmp_path / "s.mkv", 30, tones=[low, high])
    for track, tone in ((None, low), (0, low), (1, high)):
        with AudioReader(path, rate=48000, track=track) as reader:
            assert np.abs(reader.read(0.0, 2.0) - tone.samples(48000, 0, 96000)).max() <= SIXTEEN_BIT
    with pytest.raises(InputError, match=r"s\.mkv: has no sound track 2; it has 2"):
        AudioReader(path, track=2)


def test_mono_is_the_mean_and_stereo_keeps_both_sides(tmp_path: Path) -> None:
    tone = Tone(codec="pcm_s16le", channels=2, noise=0.05)
    path = write_clip(tmp_path / "s.mov", 30, tones=[tone])
    with AudioReader(path, rate=48000) as mono, AudioReader(path, rate=48000, channels=2) as stereo:
        both = stereo.read(0.3, 1.0)
        assert both.shape == (48000, 2)
        assert np.abs(both[:, 0] - both[:, 1]).max() > 0.05
        np.testing.assert_allclose(mono.read(0.3, 1.0), both.mean(axis=1), atol=1e-6)


def test_one_and_six_channels_as_stereo(tmp_path: Path) -> None:
    for channels in (1, 6):
        path = write_clip(tmp_path / "s.mkv", 30, tones=[Tone(codec="pcm_s16le", channels=channels)])
        with AudioReader(path, rate=48000, channels=2) as stereo, AudioReader(path, rate=48000) as mono:
            sides = stereo.read(0.2, 1.0)
            assert np.array_equal(sides[:, 0], sides[:, 1])
            assert np.abs(mono.read(0.2, 1.0) - Tone().samples(48000, 9600, 48000)).max() <= SIXTEEN_BIT
            assert 0.3 < np.abs(sides).max() <= 1.0


def test_no_sound_is_silence_unless_it_is_required(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "mute.mp4", 10)
    with AudioReader(path) as reader:
        assert not reader.has_audio
        assert reader.read(0.0, 1.0).shape == (16000,)
        assert not reader.read(0.0, 1.0).any()
    with AudioReader(path, rate=48000, channels=2) as reader:
        assert reader.read(3.0, 0.5).shape == (24000, 2)
    with pytest.raises(InputError, match=r"mute\.mp4: has no sound"):
        AudioReader(path, require=True)


def test_lengths_are_whole_samples(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "s.mp4", 10, tones=[Tone()])
    with AudioReader(path) as reader:
        assert reader.read(0.1234567, 0.96).shape == (15360,)
        assert reader.read(0.0, 0.0).shape == (0,)
        assert reader.read(100.0, 1.0).shape == (16000,)
        assert not reader.read(100.0, 1.0).any()
