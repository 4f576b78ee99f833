"""What is written has the times and the sound of its source, read back packet by packet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avseg_core.errors import AVSegError, InputError
from avseg_core.media import AudioReader, VideoReader, VideoWriter
from avseg_core.media.writer_sound import CopiedSound
from tests.media_fixtures import NTSC, Clip, Tone, picture, read_number, remux, rotate, write_clip


def stamps(path: Path, kind: str = "video") -> list[Fraction]:
    """Presentation times in the file, exact, in ascending order."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return sorted(p.pts * p.time_base for p in container.demux(stream) if p.size and not p.is_discard)


def payloads(path: Path) -> list[bytes]:
    """The sound packets as they lie in the file."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def copy(source: Path, target: Path) -> Path:
    with VideoReader(source) as reader, VideoWriter.like(target, reader) as writer:
        for frame in reader.frames():
            writer.write(frame.image, frame.time)
    return target


@pytest.mark.parametrize("rate", [NTSC, Fraction(24000, 1001), Fraction(60000, 1001), Fraction(25), Fraction(15, 2)])
def test_constant_rates_stay_exact(tmp_path: Path, rate: Fraction) -> None:
    source = write_clip(tmp_path / "in.mp4", 40, clip=Clip(fps=rate, options={"bf": "2"}))
    target = copy(source, tmp_path / "out.mp4")
    assert stamps(target) == [k / rate for k in range(40)]
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == rate
        assert stream.codec_context.codec.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.duration * stream.time_base == 40 / rate
    with VideoReader(target) as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == list(range(40))


def test_rounded_stamps_of_a_constant_rate_become_exact_again(tmp_path: Path) -> None:
    target = copy(write_clip(tmp_path / "in.mkv", 40), tmp_path / "out.mp4")
    assert stamps(target) == [k / NTSC for k in range(40)]


@pytest.mark.parametrize(("named", "real"), [(Fraction(30), NTSC), (NTSC, Fraction(30)), (Fraction(60), 2 * NTSC)])
@pytest.mark.parametrize("count", [62, 300])
def test_a_wrong_rate_in_the_header_is_not_copied(tmp_path: Path, named: Fraction, real: Fraction, count: int) -> None:
    pts = tuple(round(1000 * k / real) for k in range(count))
    clip = Clip(fps=named, time_base=Fraction(1, 1000), pts=pts)
    source = write_clip(tmp_path / "in.mkv", count, clip=clip)
    with av.open(str(source)) as container:
        assert container.streams.video[0].average_rate == pytest.approx(named, rel=1e-4)
    target = copy(source, tmp_path / "out.mp4")
    assert stamps(target) == [k / real for k in range(count)]
    with av.open(str(target)) as container:
        assert container.streams.video[0].average_rate == real


def test_the_header_names_the_rate_that_a_short_clip_cannot_tell(tmp_path: Path) -> None:
    for rate in (NTSC, Fraction(30)):  # 10 stamps of whole milliseconds fit both
        source = write_clip(tmp_path / f"{rate.denominator}.mkv", 10, clip=Clip(fps=rate))
        with VideoReader(source) as reader:
            assert reader.constant_rate == rate


def test_variable_rates_keep_every_stamp(tmp_path: Path) -> None:
    pts = tuple(3000 * k + k % 3 * 701 + (50000 if k > 20 else 0) for k in range(40))
    source = write_clip(tmp_path / "in.mp4", 40, clip=Clip(time_base=Fraction(1, 90000), pts=pts))
    assert stamps(copy(source, tmp_path / "out.mp4")) == [Fraction(p, 90000) for p in pts]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("aac", "in.mp4"),
        ("aac", "in.ts"),
        ("aac", "in.mkv"),
        ("libmp3lame", "in.mkv"),
        ("ac3", "in.mkv"),
        ("eac3", "in.mkv"),
        ("alac", "in.mov"),
        ("flac", "in.mkv"),
        ("libopus", "in.mkv"),
    ],
)
def test_sound_is_copied_to_the_sample(tmp_path: Path, codec: str, name: str) -> None:
    tone = Tone(codec=codec, seconds=3.0, noise=0.01, channels=2)
    source = write_clip(tmp_path / name, 60, tones=[tone])
    target = copy(source, tmp_path / "out.mp4")
    if name != "in.ts":  # there AAC carries a header per packet that MP4 leaves out
        assert payloads(target) == payloads(source)
    with AudioReader(source, 48000, 2) as before, AudioReader(target, 48000, 2) as after:
        heard, copied = before.read(0.0, 2.9), after.read(0.0, 2.9)
        assert np.abs(heard).max() > 0.4
        assert np.array_equal(heard, copied)


@pytest.mark.parametrize(
    ("codec", "name", "rate"),
    [("pcm_s16le", "in.mov", 44100), ("mp2", "in.mpg", 48000), ("wmav2", "in.wmv", 44100), ("pcm_u8", "in.avi", 11127)],
)
def test_other_sound_becomes_aac_in_step(tmp_path: Path, codec: str, name: str, rate: int) -> None:
    clip = Clip(codec="mpeg2video") if name == "in.mpg" else Clip(fps=Fraction(25))
    source = write_clip(tmp_path / name, 60, clip=clip, tones=[Tone(codec=codec, rate=rate, noise=0.05)])
    target = copy(source, tmp_path / "out.mp4")
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == "aac"
    with AudioReader(source, 48000) as before, AudioReader(target, 48000) as after:
        heard, coded = before.read(0.5, 1.0), after.read_samples(24000 - 30, 48000 + 60)
        match = [float(heard @ coded[shift : shift + 48000]) for shift in range(61)]
        assert int(np.argmax(match)) == 30


def test_late_and_long_sound_keeps_its_place(tmp_path: Path) -> None:
    tone = Tone(codec="alac", start=0.75, seconds=3.0)
    clip = Clip(time_base=Fraction(1, 90000), pts=tuple(9000 + 3600 * k for k in range(30)))
    target = copy(write_clip(tmp_path / "in.mp4", 30, clip=clip, tones=[tone]), tmp_path / "out.mp4")
    late = Tone(start=0.65, seconds=3.0)  # the picture begins at 0.1 s and is the first: t = 0
    with AudioReader(target, 48000) as reader:
        expected = Tone(codec="alac").amplitude * np.sin(2 * np.pi * 440 * (np.arange(5 * 48000) / 48000 + 0.1))
        expected *= np.abs(np.arange(5 * 48000) / 48000 - 0.65 - 1.5) <= 1.5
        assert np.abs(reader.read(0.0, 5.0)[31200:175200] - expected[31200:175200]).max() < 1e-4
        assert not reader.read(0.0, late.start - 1e-3).any()
    assert stamps(target)[0] == 0


def test_trimmed_sources_are_copied_without_what_was_trimmed(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "in.mp4", 75, clip=Clip(fps=Fraction(25), options={"bf": "2", "g": "50"}), tones=[Tone(seconds=3.0)]
    )
    trimmed = remux(source, tmp_path / "trimmed.mp4", shift=-0.96)
    target = copy(trimmed, tmp_path / "out.mp4")
    with VideoReader(target) as reader, AudioReader(target, 48000) as after, AudioReader(trimmed, 48000) as before:
        assert [read_number(frame.image) for frame in reader.frames()] == list(range(24, 75))
        assert np.abs(before.read(0.1, 1.8) - after.read(0.1, 1.8)).max() < 1e-3
    assert len(payloads(target)) < len(payloads(source))


@pytest.mark.parametrize("size", [(97, 65), (96, 65), (97, 64), (33, 33)])
def test_odd_sizes_get_a_copy_of_their_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, *size, fps=Fraction(10)) as writer:
        for number in range(5):
            writer.write(picture(number, size), number / 10)
        assert (writer.coded_width, writer.coded_height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (writer.coded_width, writer.coded_height)
        cropped = reader.frame_by_index(3).image[: size[1], : size[0]]
        assert np.abs(cropped.astype(int) - picture(3, size)).mean() < 6
        assert read_number(cropped) == 3


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    image = np.zeros((64, 96, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128), (255, 200, 0)]
    for column, colour in enumerate(colours):
        image[:, column * 16 : column * 16 + 16] = colour
    with VideoWriter(path, 96, 64, fps=Fraction(10)) as writer:
        writer.write(image, 0.0)
    with VideoReader(path) as reader:
        shown = reader.frame_at(0.0).image
    for column, colour in enumerate(colours):
        middle = shown[8:-8, column * 16 + 4 : column * 16 + 12].reshape(-1, 3).mean(axis=0)
        assert np.abs(middle - colour).max() < 5, colour
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


def test_turned_sources_are_written_upright(tmp_path: Path) -> None:
    source = rotate(write_clip(tmp_path / "in.mp4", 10), 90)
    with VideoReader(source) as before, VideoReader(copy(source, tmp_path / "out.mp4")) as after:
        assert (after.info.width, after.info.height) == (before.info.width, before.info.height) == (64, 96)
        assert np.abs(after.frame_at(0.1).image.astype(int) - before.frame_at(0.1).image).mean() < 4


@pytest.mark.parametrize(
    ("name", "codec", "aspect"),
    [
        ("in.mp4", "libx264", Fraction(16, 15)),
        ("in.mp4", "libx264", Fraction(1)),
        ("in.mkv", "libx264", Fraction(4, 3)),
        ("in.mpg", "mpeg2video", Fraction(8, 9)),  # 4:3, one of the shapes that MPEG-2 has
    ],
)
def test_pixels_that_are_not_square_keep_their_shape(tmp_path: Path, name: str, codec: str, aspect: Fraction) -> None:
    source = write_clip(tmp_path / name, 5, clip=Clip(codec=codec, fps=Fraction(25), pixel_aspect=aspect))
    with VideoReader(source) as before, VideoReader(copy(source, tmp_path / "out.mp4")) as after:
        assert (before.info.width, before.info.height) == (after.info.width, after.info.height) == (96, 64)
        assert before.info.pixel_aspect == after.info.pixel_aspect == aspect


def test_turned_pixels_that_are_not_square_are_turned_too(tmp_path: Path) -> None:
    clip = Clip(pixel_aspect=Fraction(16, 15))
    source = rotate(write_clip(tmp_path / "in.mp4", 5, clip=clip), 90)
    with VideoReader(source) as before, VideoReader(copy(source, tmp_path / "out.mp4")) as after:
        assert before.info.pixel_aspect == after.info.pixel_aspect == Fraction(15, 16)


def test_pixels_of_an_impossible_shape_are_taken_for_square(tmp_path: Path) -> None:
    clip = Clip(pixel_aspect=Fraction(60, 1))
    with VideoReader(write_clip(tmp_path / "in.mp4", 5, clip=clip)) as reader:
        assert reader.info.pixel_aspect == 1


def test_a_failed_run_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with VideoWriter(path, 96, 64, fps=Fraction(10)) as writer:
            writer.write(picture(0), 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    writer = VideoWriter(path, 96, 64, fps=Fraction(10))
    writer.write(picture(0), 0.0)
    assert path.read_bytes() == b"old"
    writer.abort()
    with pytest.raises(AVSegError, match=r"out\.mp4: not written, there is no picture"):
        VideoWriter(path, 96, 64, fps=Fraction(10)).finish()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    with pytest.raises(InputError, match=r"nowhere/out\.mp4: cannot be written"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", 96, 64, fps=Fraction(10))


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count what a process writes")
def test_giving_up_does_not_write_the_file_once_more(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", 320, 240, fps=Fraction(10))
    for number in range(60):
        writer.write(np.random.default_rng(number).integers(0, 255, (240, 320, 3), np.uint8), number / 10)
    size, before = (tmp_path / "out.mp4.partial").stat().st_size, bytes_written()
    assert size > 1 << 20
    writer.abort()
    assert bytes_written() - before < size / 4
    assert list(tmp_path.iterdir()) == []


def bytes_written() -> int:
    """What this process has handed to the system to write so far."""
    return int(Path("/proc/self/io").read_text().split("wchar: ")[1].split()[0])


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "out.mp4.partial").symlink_to(full)

    def fill() -> None:
        with VideoWriter(tmp_path / "out.mp4", 96, 64, fps=Fraction(10)) as writer:
            for number in range(200):
                writer.write(np.random.default_rng(number).integers(0, 255, (64, 96, 3), np.uint8), number / 10)

    with pytest.raises(
        AVSegError, match=r"out\.mp4: could not be written \(No space left on device\); free some space"
    ):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.ExternalError(1, "Generic error in an external library"), "Generic error in an external library"),
        (av.error.InvalidDataError(1, "Invalid data"), "Invalid data"),
        (av.error.MemoryError(12, "Cannot allocate memory"), r"Cannot allocate memory\); close other programs"),
        (MemoryError(), r"out of memory\); close other programs"),
    ],
)
def test_whatever_fails_in_writing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    sound = write_clip(tmp_path / "sound.mp4", 5, tones=[Tone(seconds=1.0)])
    for place in (
        (CopiedSound, "feed"),
        (CopiedSound, "attach"),
        (VideoWriter, "_add_video"),
        (VideoWriter, "_mux_held"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(*place, fail)
            with pytest.raises(AVSegError, match=rf"out\.mp4: could not be written \({words}"):
                write_two(tmp_path / "out.mp4", sound)
        assert list(tmp_path.iterdir()) == [sound]


def write_two(path: Path, sound: Path) -> None:
    with VideoWriter(path, 96, 64, fps=Fraction(10), sound_from=sound) as writer:
        writer.write(picture(0), 0.0)
        writer.write(picture(1), 0.1)


def test_pictures_that_the_encoder_refuses_are_one_line(tmp_path: Path) -> None:
    def write() -> None:
        with VideoWriter(tmp_path / "out.mp4", 2, 20000, fps=Fraction(10)) as writer:
            writer.write(np.zeros((20000, 2, 3), np.uint8), 0.0)

    with pytest.raises(AVSegError, match=r"out\.mp4: could not be written .*size of the pictures"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_cannot_be_given_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    writer = VideoWriter(tmp_path / "out.mp4", 96, 64, fps=Fraction(10))
    writer.write(picture(0), 0.0)
    with pytest.raises(AVSegError, match=r"out\.mp4: could not be written"):
        writer.finish()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_frames_of_one_time_do_not_stop_it(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", 96, 64, fps=Fraction(10), time_base=Fraction(1, 1000)) as writer:
        for number, time in enumerate((0.0, 0.1, 0.1, 0.2)):
            writer.write(picture(number), time)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == [0, 1, 2, 3]
        np.testing.assert_allclose(reader.times, [0, 0.1, 0.1, 0.2], atol=2e-5)
