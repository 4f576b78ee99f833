"""Random access gives exactly the pictures and times of sequential reading, whatever the codec and container."""

from __future__ import annotations

import pickle
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avseg_core.errors import Cancelled, InputError
from avseg_core.media import AudioReader, VideoReader, probe
from avseg_core.media import index as index_module
from avseg_core.media.container import open_input
from avseg_core.media.index import media_index
from avseg_core.media.mp4_index import read_tables
from avseg_core.media.packet_pass import StreamTable, read_packets
from avseg_core.media.rows import RowCursor
from avseg_core.progress import Progress
from tests.media_fixtures import NTSC, Clip, Tone, picture, read_number, remux, rotate, square, square_color, write_clip

COUNT = 60
MKV = Fraction(1, 1000)
UNEVEN = tuple(3003 * i + i % 3 * 500 + (20000 if i > 30 else 0) for i in range(COUNT))
UNEVEN_MS = tuple(33 * i + i % 3 * 5 + (2000 if i > 30 else 0) for i in range(COUNT))

CLIPS: dict[str, Clip] = {
    "bframes.mp4": Clip(options={"bf": "3", "g": "20"}),
    "bframes.mkv": Clip(options={"bf": "3", "g": "20"}),
    "bframes.ts": Clip(options={"bf": "3", "g": "20"}),
    "bframes.flv": Clip(options={"bf": "2", "g": "20"}),
    "bframes.avi": Clip(options={"bf": "3", "g": "20"}),
    "raw.h264": Clip(options={"bf": "2", "g": "20"}),
    "open_gop.mp4": Clip(options={"x264-params": "open-gop=1:keyint=15:min-keyint=15:bframes=3:b-adapt=0"}),
    "open_gop.ts": Clip(options={"x264-params": "open-gop=1:keyint=15:min-keyint=15:bframes=3:b-adapt=0"}),
    "intra_refresh.mp4": Clip(options={"x264-params": "intra-refresh=1:keyint=15:bframes=0"}),
    "intra_refresh.ts": Clip(options={"x264-params": "intra-refresh=1:keyint=15:bframes=0"}),
    "hevc.mkv": Clip(codec="libx265", options={"x265-params": "log-level=none:keyint=20:bframes=3"}),
    "vp9.webm": Clip(codec="libvpx-vp9", options={"b": "500k", "cpu-used": "8", "deadline": "realtime", "g": "20"}),
    "vp8.webm": Clip(codec="libvpx", options={"b": "300k", "deadline": "realtime", "cpu-used": "8", "g": "20"}),
    "mpeg4.avi": Clip(codec="mpeg4", options={"bf": "2", "g": "12"}),
    "mpeg2.mpg": Clip(codec="mpeg2video", options={"bf": "2", "g": "12", "b": "2M"}),
    "wmv2.wmv": Clip(codec="wmv2", options={"b": "1M", "g": "12"}, fps=Fraction(25)),
    "mjpeg.avi": Clip(codec="mjpeg", pixels="yuvj420p"),
    "ffv1.mkv": Clip(codec="ffv1"),
    "prores.mov": Clip(codec="prores_ks", pixels="yuv422p10le"),
    "animated.gif": Clip(codec="gif", pixels="rgb8", fps=Fraction(10)),
    "animated.png": Clip(codec="apng", pixels="rgb24", format="apng", fps=Fraction(10)),
    "uneven.mp4": Clip(options={"bf": "2", "g": "20"}, time_base=Fraction(1, 90000), pts=UNEVEN),
    "uneven.mkv": Clip(options={"bf": "2", "g": "20"}, time_base=MKV, pts=UNEVEN_MS),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {name: write_clip(folder / name, COUNT, clip=clip) for name, clip in CLIPS.items()}


def expected_times(name: str) -> np.ndarray:
    clip = CLIPS[name]
    if clip.pts is not None:
        return np.array(clip.pts) * float(clip.time_base or 0)
    times = np.arange(COUNT) / float(clip.fps)
    if name == "mpeg4.avi":  # AVI has no presentation times: FFmpeg delays reordered pictures by one
        return times + 1 / float(clip.fps)
    return np.round(times, 3) if name.endswith((".mkv", ".webm", ".flv", ".wmv")) else times


@pytest.mark.parametrize("name", CLIPS)
def test_random_access_is_sequential_access(clips: dict[str, Path], name: str) -> None:
    with VideoReader(clips[name]) as reader:
        sequential = list(reader.frames())
        assert [read_number(frame.image) for frame in sequential] == list(range(COUNT))
        assert [frame.index for frame in sequential] == list(range(COUNT))
        np.testing.assert_allclose(reader.times, expected_times(name), atol=1e-6)
        assert [frame.time for frame in sequential] == reader.times.tolist()
        assert reader.warnings == ()
    order = random.Random(name).sample(range(COUNT), COUNT)
    for budget, threads in ((0, 1), (96 << 20, 0)):
        with VideoReader(clips[name], cache_bytes=budget, threads=threads) as reader:
            for index in order:
                frame = reader.frame_by_index(index)
                assert (frame.index, frame.time) == (index, sequential[index].time)
                assert np.array_equal(frame.image, sequential[index].image), index


@pytest.mark.parametrize("name", CLIPS)
def test_rates_are_exact(clips: dict[str, Path], name: str) -> None:
    with VideoReader(clips[name]) as reader:
        if CLIPS[name].pts is None:
            assert reader.info.fps == reader.constant_rate == CLIPS[name].fps
        else:
            assert reader.constant_rate is None
            assert float(reader.info.fps) == pytest.approx((COUNT - 1) / (reader.times[-1] - reader.times[0]), rel=1e-3)


def test_frames_show_what_was_drawn(clips: dict[str, Path]) -> None:
    with VideoReader(clips["ffv1.mkv"]) as reader:
        image = reader.frame_by_index(33).image
    top, left, side = square(33)
    assert image.dtype == np.uint8
    assert np.abs(image[top + 3 : top + side - 3, left + 3 : left + side - 3] - np.array(square_color(33))).max() < 6
    assert np.abs(image.astype(int) - picture(33)).mean() < 3


def test_the_frame_on_screen_is_the_last_that_has_begun(clips: dict[str, Path]) -> None:
    with VideoReader(clips["bframes.mp4"]) as reader:
        step = float(1 / NTSC)
        assert reader.index_at(-5.0) == reader.index_at(0.0) == 0
        assert reader.index_at(10 * step - 1e-4) == 9
        assert reader.index_at(10 * step) == reader.index_at(10 * step + 0.9 * step) == 10
        assert reader.index_at(1e9) == COUNT - 1
        assert all(reader.index_at(float(time)) == index for index, time in enumerate(reader.times))
        assert read_number(reader.frame_at(1.0).image) == 29
        with pytest.raises(IndexError):
            reader.frame_by_index(COUNT)


def test_stretches_and_lists_of_times(clips: dict[str, Path]) -> None:
    with VideoReader(clips["open_gop.mp4"]) as reader:
        assert [read_number(f.image) for f in reader.frames(0.5, 0.7)] == list(range(14, 21))
        assert [f.index for f in reader.frames(1.9)] == list(range(56, COUNT))
        assert list(reader.frames(0.5, 0.4)) == []
        times = [0.0, 0.05, 0.05, 0.5, 1.2, 1.21, 5.0]
        assert [read_number(f.image) for f in reader.frames_at(times)] == [0, 1, 1, 14, 35, 36, COUNT - 1]


def test_time_zero_is_the_earliest_stream_start(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", 30, clip=Clip(options={"bf": "2", "g": "10"}))
    for name in ("late.ts", "late.mkv"):
        with VideoReader(remux(source, tmp_path / name, shift=12.5)) as reader:
            assert reader.times[0] == 0.0
            assert read_number(reader.frame_at(0.5).image) == 14
            assert reader.info.duration == pytest.approx(30 / float(NTSC), abs=0.05)
    late_picture = write_clip(
        tmp_path / "late.mp4",
        30,
        clip=Clip(time_base=Fraction(1, 90000), pts=tuple(45000 + 3003 * i for i in range(30))),
        tones=[Tone(seconds=2.0, codec="alac")],
    )
    with VideoReader(late_picture) as reader:
        np.testing.assert_allclose(reader.times, 0.5 + np.arange(30) / float(NTSC), atol=1e-9)
        assert reader.index_at(0.2) == 0


def test_clocks_that_overflow_or_jump_run_on(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.ts", 45, clip=CLIPS["bframes.ts"], tones=[Tone(codec="mp2", seconds=1.5)])
    overflow = remux(source, tmp_path / "overflow.ts", shift=2**33 / 90000 - 2.0)
    with VideoReader(overflow) as reader:
        order = random.Random(2).sample(range(45), 45)
        assert [read_number(reader.frame_by_index(index).image) for index in order] == order
        np.testing.assert_allclose(np.diff(reader.times), float(1 / NTSC), atol=2e-5)
    spliced = tmp_path / "spliced.ts"
    other = write_clip(
        tmp_path / "b.ts", 30, clip=CLIPS["bframes.ts"], tones=[Tone(codec="mp2", frequency=880, seconds=1.0)]
    )
    spliced.write_bytes(source.read_bytes() + other.read_bytes() + source.read_bytes())
    numbers = [*range(45), *range(30), *range(45)]
    with VideoReader(spliced) as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == numbers
        np.testing.assert_allclose(np.diff(reader.times), float(1 / NTSC), atol=2e-5)
        assert reader.info.duration == pytest.approx(4.0, abs=0.05)
    with VideoReader(spliced, cache_bytes=0) as reader:
        order = random.Random(3).sample(range(120), 120)
        assert [read_number(reader.frame_by_index(index).image) for index in order] == [numbers[i] for i in order]
    with AudioReader(spliced, 16000) as sound:
        for begin, frequency in ((0.4, 440.0), (1.8, 880.0), (2.9, 440.0)):
            spectrum = np.abs(np.fft.rfft(sound.read(begin, 0.5) * np.hanning(8000)))
            assert int(spectrum.argmax()) * 2 == pytest.approx(frequency, abs=3)


@pytest.mark.parametrize("trim", [0.2, 0.48, 0.72])
def test_edit_lists_hide_what_was_trimmed(tmp_path: Path, trim: float) -> None:
    source = write_clip(tmp_path / "a.mp4", COUNT, clip=Clip(options={"bf": "3", "g": "25"}, fps=Fraction(25)))
    trimmed = remux(source, tmp_path / "trimmed.mp4", shift=-trim)
    cut = round(trim * 25)
    with VideoReader(trimmed) as reader:
        numbers = [read_number(frame.image) for frame in reader.frames()]
        assert numbers == list(range(cut, COUNT))
        np.testing.assert_allclose(reader.times, np.arange(COUNT - cut) / 25, atol=1e-6)
        for index in (3, 40 - cut, 0, 20):
            assert read_number(reader.frame_by_index(index).image) == cut + index


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_phone_video_is_turned_upright(tmp_path: Path, degrees: int, mirror: bool) -> None:
    stored = write_clip(tmp_path / "a.mp4", 12, clip=Clip(options={"bf": "2"}))
    with VideoReader(stored) as reader:
        straight = [frame.image for frame in reader.frames()]
    rotate(stored, degrees, mirror=mirror)
    expected = [np.rot90(image, -degrees // 90) for image in straight]
    if mirror:
        expected = [image[:, ::-1] for image in expected]
    with VideoReader(stored) as reader:
        assert (reader.info.height, reader.info.width) == expected[0].shape[:2]
        assert (probe(stored).height, probe(stored).width) == expected[0].shape[:2]
        for index in (7, 0, 11):
            assert np.array_equal(reader.frame_by_index(index).image, expected[index])


@pytest.mark.parametrize(
    ("size", "clip"),
    [
        ((97, 65), Clip(codec="ffv1")),
        ((97, 65), Clip(pixels="yuv444p", options={"bf": "2"})),
        ((33, 64), Clip(codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"})),
    ],
)
def test_odd_sizes(tmp_path: Path, size: tuple[int, int], clip: Clip) -> None:
    path = write_clip(tmp_path / "odd.mkv", 10, size=size, clip=clip)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == size
        frames = list(reader.frames())
        assert frames[4].image.shape == (size[1], size[0], 3)
        assert [read_number(frame.image) for frame in frames] == list(range(10))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7680, 4320)])
def test_smallest_and_largest(tmp_path: Path, size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), (200, 30, 60), np.uint8)
    clip = Clip(codec="ffv1" if size[0] < 10 else "mjpeg", pixels="bgr0" if size[0] < 10 else "yuvj420p")
    path = write_clip(tmp_path / "one.mkv", 2, size=size, clip=clip, image=image)
    with VideoReader(path) as reader:
        shown = reader.frame_by_index(1).image
        assert shown.shape == image.shape
        assert np.ptp(shown[::16, ::16], axis=(0, 1)).max() < 8
        assert np.abs(shown[0, 0].astype(int) - image[0, 0]).max() < 8


def test_playing_on_and_stepping_decode_each_packet_once(
    clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    read = RowCursor.read

    def counting(cursor: RowCursor) -> object:
        item = read(cursor)
        if item is not None:
            rows.append(item[0])
        return item

    monkeypatch.setattr(RowCursor, "read", counting)
    with VideoReader(clips["bframes.mp4"]) as reader:
        for time in np.arange(0, 2, 0.01):
            reader.frame_at(float(time))
        assert sorted(rows) == list(range(COUNT))
        rows.clear()
        for index in range(COUNT - 1, COUNT - 20, -1):  # stepping back is answered from memory
            assert read_number(reader.frame_by_index(index).image) == index
        assert rows == []
    rows.clear()
    with VideoReader(clips["bframes.mp4"]) as reader:  # key frames at 0, 20, 40: nothing before 40 is needed
        rows.clear()
        assert read_number(reader.frame_by_index(41).image) == 41
        assert min(rows) >= 40


def test_a_missing_packet_leaves_the_picture_before_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", 20, clip=Clip(codec="mjpeg", pixels="yuvj420p"))
    rows = media_index(path).video.rows  # type: ignore[union-attr]
    data = bytearray(path.read_bytes())
    for row in (7, 8, 12):
        at = int(rows.position[row])
        data[at : at + int(rows.size[row])] = bytes(int(rows.size[row]))
    path.write_bytes(data)
    expected = [0, 1, 2, 3, 4, 5, 6, 6, 6, 9, 10, 11, 11, 13, 14, 15, 16, 17, 18, 19]
    with VideoReader(path) as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == expected
    with VideoReader(path, cache_bytes=0) as reader:
        for index in (8, 12, 3, 7, 8, 19):
            frame = reader.frame_by_index(index)
            assert (frame.index, read_number(frame.image)) == (index, expected[index])


def test_pictures_of_one_time_are_kept_apart(tmp_path: Path) -> None:
    pts = (0, 40, 80, 80, 120, 160)
    path = write_clip(tmp_path / "twice.mkv", 6, clip=Clip(codec="ffv1", time_base=MKV, pts=pts))
    with VideoReader(path) as reader:
        assert reader.times.tolist() == pytest.approx([0, 0.04, 0.08, 0.08, 0.12, 0.16])
        assert [read_number(reader.frame_by_index(i).image) for i in (3, 2, 5, 3)] == [3, 2, 5, 3]
        assert read_number(reader.frame_at(0.09).image) == 3


def test_info_names_streams_and_travels(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "two.mkv",
        30,
        tones=[Tone(language="eng"), Tone(frequency=600, channels=2, rate=44100, codec="flac", language="fra")],
    )
    info = probe(path)
    assert (info.width, info.height, info.fps, info.has_video) == (96, 64, NTSC, True)
    assert [(t.index, t.rate, t.channels, t.language, t.codec) for t in info.audio] == [
        (0, 48000, 1, "eng", "aac"),
        (1, 44100, 2, "fra", "flac"),
    ]
    assert info.duration == pytest.approx(2.0, abs=0.03)
    with VideoReader(path) as reader:
        assert pickle.loads(pickle.dumps(reader.info)) == reader.info
        assert reader.info == info


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "tone.m4a", 0, tones=[Tone()], clip=Clip(format="mp4"))
    assert probe(path).has_video is False
    with pytest.raises(InputError, match=r"tone\.m4a: has sound but no video"):
        VideoReader(path)


def test_duration_is_measured_where_no_header_tells(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "raw.h264", 50, clip=Clip(options={"bf": "2"}))
    assert probe(path).duration == pytest.approx(50 / float(NTSC), abs=1e-3)


def test_indexing_reports_and_can_be_stopped(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", 10, clip=Clip(codec="ffv1"))
    reports: list[Progress] = []
    with pytest.raises(Cancelled):
        media_index(path, cancel=lambda: True)
    with VideoReader(path, progress=reports.append):
        assert reports[0].phase == "Indexing"
        assert reports[0].total == path.stat().st_size


def both_tables(path: Path) -> tuple[dict[int, StreamTable] | None, dict[int, StreamTable]]:
    """The packet tables as the headers tell them and as all packets tell them."""
    with open_input(path) as container:
        told = read_tables(path, container, [*container.streams.video, *container.streams.audio])
    with open_input(path) as container:
        return told, read_packets(container, [*container.streams.video, *container.streams.audio], [], None, None)


MP4_CLIPS = {
    "bframes.mp4": (Clip(options={"bf": "3", "g": "20"}), "aac"),
    "open_gop.mp4": (CLIPS["open_gop.mp4"], "libopus"),
    "uneven.mp4": (CLIPS["uneven.mp4"], "alac"),
    "prores.mov": (CLIPS["prores.mov"], "pcm_s16le"),
    "hevc.mov": (CLIPS["hevc.mkv"], "pcm_s24le"),
    "part4.mp4": (Clip(codec="mpeg4", options={"bf": "2", "g": "12"}), "libmp3lame"),
}


@pytest.mark.parametrize("name", MP4_CLIPS)
@pytest.mark.parametrize("trim", [0.0, 0.7])
def test_headers_of_mp4_tell_what_all_packets_tell(tmp_path: Path, name: str, trim: float) -> None:
    clip, codec = MP4_CLIPS[name]
    path = write_clip(tmp_path / name, COUNT, clip=clip, tones=[Tone(codec=codec)])
    if trim:
        path = remux(path, tmp_path / f"trimmed-{name}", shift=-trim)
    told, read = both_tables(path)
    assert told is not None
    for stream, table in read.items():
        for field in ("pts", "dts", "position", "size", "key", "discard"):
            assert np.array_equal(getattr(told[stream].rows, field), getattr(table.rows, field)), field
        assert np.array_equal(told[stream].rows.duration[:-1], table.rows.duration[:-1])


def test_headers_are_not_believed_where_packets_disagree(tmp_path: Path) -> None:
    refreshed = write_clip(tmp_path / "refreshed.mp4", COUNT, clip=CLIPS["intra_refresh.mp4"])
    pieces = write_clip(tmp_path / "pieces.mp4", COUNT, clip=CLIPS["bframes.mp4"], movflags="frag_keyframe+empty_moov")
    cut = write_clip(tmp_path / "cut.mp4", COUNT, clip=CLIPS["bframes.mp4"], movflags="faststart")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    matroska = write_clip(tmp_path / "other.mkv", COUNT, clip=CLIPS["bframes.mp4"])
    for path in (refreshed, pieces, cut, matroska):
        assert both_tables(path)[0] is None


def test_a_long_mp4_is_opened_from_its_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT, clip=CLIPS["bframes.mp4"], tones=[Tone()])
    monkeypatch.setattr(index_module, "HEADERS_SUFFICE_FROM", 0)
    monkeypatch.setattr(index_module, "read_packets", None)
    with VideoReader(path) as reader, AudioReader(path, 48000) as sound:
        order = random.Random(1).sample(range(COUNT), COUNT)
        assert [read_number(reader.frame_by_index(index).image) for index in order] == order
        np.testing.assert_allclose(reader.times, np.arange(COUNT) / float(NTSC), atol=1e-9)
        assert reader.info.duration == pytest.approx(COUNT / float(NTSC), abs=0.02)
        assert np.abs(sound.read(0.5, 1.0)).max() > 0.4
