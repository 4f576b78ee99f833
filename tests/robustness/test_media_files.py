"""Whatever lies under a path, opening it ends in pictures, sound, or one line that names the file and what to do."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from avseg_core.errors import InputError
from avseg_core.media import AudioReader, VideoReader, probe
from avseg_core.media import index as index_module
from avseg_core.media.index import media_index
from avseg_core.media.resample import Resampler
from avseg_core.media.rows import RowCursor
from tests.media_fixtures import Clip, Tone, picture, read_number, remux, write_clip

H264 = Clip(options={"bf": "2", "g": "10"})
READERS: list[Callable[[Path], object]] = [probe, VideoReader, AudioReader]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same 40 pictures and sound as MP4, MKV, TS and AVI."""
    folder = tmp_path_factory.mktemp("good")
    tone = Tone(seconds=1.4)
    for name in ("a.mp4", "a.mkv", "a.ts"):
        write_clip(folder / name, 40, clip=H264, tones=[tone])
    write_clip(folder / "a.avi", 40, clip=Clip(codec="mpeg4", options={"g": "10"}), tones=[Tone(codec="pcm_s16le")])
    return folder


def refused(path: Path, reason: str) -> None:
    for reader in READERS:
        with pytest.raises(InputError, match=reason) as caught:
            reader(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def read_all(path: Path) -> tuple[int, np.ndarray]:
    """Number of pictures and one second of sound; both readers must survive to the end."""
    count = 0
    with VideoReader(path) as reader:
        for frame in reader.frames():
            assert frame.image.shape == (reader.info.height, reader.info.width, 3)
            count += 1
        for index in (0, len(reader) // 2, len(reader) - 1):
            reader.frame_by_index(index)
    with AudioReader(path) as sound:
        return count, sound.read(0.0, 1.0)


def test_a_picture_that_is_stamped_years_later_is_left_out(tmp_path: Path) -> None:
    stamps = [40 * k for k in range(30)]
    clip = Clip(codec="ffv1", time_base=Fraction(1, 1000), pts=(*stamps[:29], 200_000_000_000))
    path = write_clip(tmp_path / "stray.mkv", 30, clip=clip)
    with VideoReader(path) as video:
        assert video.info.duration == pytest.approx(1.16, abs=0.05)
        assert video.constant_rate == 25
        assert [read_number(frame.image) for frame in video.frames()] == list(range(29))
        assert video.warnings == ("pictures that are stamped days after the others are left out: 1",)


def test_stamps_that_claim_years_are_refused(tmp_path: Path) -> None:
    clip = Clip(
        codec="mpeg4",
        options={"g": "12"},
        time_base=Fraction(1, 1000),
        pts=tuple(range(0, 60 * 79_200_000, 79_200_000)),
    )
    path = write_clip(tmp_path / "years.mkv", 60, clip=clip)
    with pytest.raises(InputError, match=r"years.mkv: its time stamps claim 1\d+ hours.*save it anew"):
        VideoReader(path)


def test_a_track_header_without_content_is_no_index_error(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "HEADERS_SUFFICE_FROM", 0)
    data = bytearray((good / "a.mp4").read_bytes())
    at = data.index(b"tkhd") - 4
    (size,) = struct.unpack_from(">I", data, at)
    struct.pack_into(">I4sI4s", data, at, 8, b"tkhd", size - 8, b"free")
    path = tmp_path / "empty_header.mp4"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert len(VideoReader(path)) == 40


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "is empty"),
        ("notes.txt", b"Dear diary, today I saw a dog. " * 50, "not a video or sound file"),
        ("noise.mp4", random.Random(0).randbytes(20000), "not a video or sound file"),
        ("zeros.mkv", bytes(20000), "not a video or sound file"),
        ("header.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "not a video or sound file"),
        ("page.html", b"<!doctype html><html><body>not found</body></html>" * 20, "not a video or sound file"),
        ("song.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 9, "neither video nor sound"),
        ("archive.zip", b"PK\x03\x04" + random.Random(1).randbytes(5000), "not a video or sound file"),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, reason)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    refused(tmp_path / "missing.mp4", "no such file")
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(tmp_path / "pipe.mp4", "not an ordinary file")
    locked = tmp_path / "locked.mp4"
    locked.write_bytes(b"x")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # root may read everything
        refused(locked, "cannot be read")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    refused(tmp_path / "loop.mp4", "cannot be read")


class _Server(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def playlists(target: str) -> dict[str, str]:
    """Files that would have FFmpeg open `target`."""
    return {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
        "video.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
        "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "session.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nu={target}\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }


def test_playlists_reach_no_other_file_and_no_host(tmp_path: Path, good: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        for target in (str(good / "a.ts"), f"http://127.0.0.1:{server.server_port}/a.ts"):
            for name, content in playlists(target).items():
                (tmp_path / name).write_text(content)
                refused(tmp_path / name, "is a playlist that points to other files")
    finally:
        server.shutdown()
        thread.join()
    assert _Server.asked == []


@pytest.mark.parametrize("name", ["concat:{0}|{0}", "subfile,,start,0,end,0,,:{0}", "http://127.0.0.1:9/a.mp4"])
def test_names_are_never_taken_for_protocols(tmp_path: Path, good: Path, name: str) -> None:
    refused(Path(name.format(good / "a.ts")), "no such file|cannot be read")
    odd = tmp_path / "concat:a.ts|b 100%d é.mp4"
    shutil.copy(good / "a.mp4", odd)
    assert probe(odd).has_video


def test_an_image_sequence_pattern_opens_no_sequence(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"shot{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    refused(tmp_path / "shot%d.jpg", "no such file")


def _turned(image: np.ndarray) -> np.ndarray:
    return image[::-1, ::-1]


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "bmp", "webp", "tiff"])
def test_a_still_picture_is_a_video_of_one_frame(tmp_path: Path, suffix: str) -> None:
    """Also where its name is that of a numbered series, of which FFmpeg would open another one."""
    for number, stem in ((1, "shot1"), (7, "shot%d"), (9, "shot2")):
        Image.fromarray(picture(number)).save(tmp_path / f"{stem}.{suffix}")
    with VideoReader(tmp_path / f"shot%d.{suffix}") as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == [7]
        assert reader.times.tolist() == [0.0]


def test_a_photograph_with_another_picture_behind_it_is_one_frame(tmp_path: Path) -> None:
    """As phones keep depth and brightness."""
    path, behind = tmp_path / "photo.jpg", tmp_path / "behind.jpg"
    for file, number, size in ((path, 5, (192, 128)), (behind, 6, (96, 64))):
        Image.fromarray(picture(number, size)).save(file)
    with path.open("ab") as file:
        file.write(behind.read_bytes())
    with VideoReader(path) as reader:
        assert [read_number(frame.image) for frame in reader.frames()] == [5]
        assert reader.warnings == ()


@pytest.mark.parametrize(("orientation", "stored"), [(1, np.asarray), (2, np.fliplr), (6, np.rot90), (3, _turned)])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_a_photograph_is_shown_as_its_camera_was_held(
    tmp_path: Path, suffix: str, orientation: int, stored: Callable[[np.ndarray], np.ndarray]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(np.ascontiguousarray(stored(picture(5)))).save(path, exif=exif)
    with VideoReader(path) as reader:
        image = reader.frame_by_index(0).image
        assert image.shape == picture(5).shape
        assert read_number(image) == 5


def test_what_is_only_called_a_picture_or_torn_is_refused(tmp_path: Path, good: Path) -> None:
    (tmp_path / "list.jpg").write_text(playlists(str(good / "a.ts"))["list.ffconcat"])
    refused(tmp_path / "list.jpg", "is a playlist that points to other files")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(InputError, match=r"torn\.jpg: no picture of its video can be decoded"):
        VideoReader(tmp_path / "torn.jpg")


def test_a_lost_end(good: Path, tmp_path: Path) -> None:
    """Whatever has an index at its end is lost with it; the rest shows what is there and says so."""
    for name, share in (("a.mkv", 0.6), ("a.ts", 0.6), ("a.avi", 0.6)):
        path = tmp_path / name
        data = (good / name).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        count, sound = read_all(path)
        assert 10 <= count < 40
        assert np.abs(sound[2000:6000]).max() > 0.3
        with VideoReader(path) as reader:
            numbers = [read_number(frame.image) for frame in reader.frames(stop=0.4)]
            assert numbers == list(range(len(numbers)))
            assert len(numbers) >= 10
    (tmp_path / "a.mp4").write_bytes((good / "a.mp4").read_bytes()[: (good / "a.mp4").stat().st_size * 3 // 5])
    refused(tmp_path / "a.mp4", "not a video or sound file.*damaged or incomplete")


def test_a_truncated_file_is_told_of(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 150, clip=Clip(codec="mjpeg", pixels="yuvj420p"))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 5])
    with VideoReader(cut) as reader:
        assert 50 < len(reader) < 65
        assert reader.info.duration == pytest.approx(reader.times[-1], abs=0.1)
        assert any(re.search(r"ends at 2\.\d s of 5\.0 s: it was cut short", line) for line in reader.warnings)
    with VideoReader(whole) as reader:
        assert reader.warnings == ()


@pytest.mark.parametrize("name", ["late.mkv", "late.asf", "late.nut", "late.mp4", "late.flv", "late.ts"])
def test_a_file_whose_clock_starts_late_is_not_called_cut_short(tmp_path: Path, name: str) -> None:
    """The headers of some formats name the end on the file's clock, others the length."""
    source = write_clip(tmp_path / "a.mp4", 90, tones=[Tone(seconds=3.0)])
    for shift in (0.5, 2.0):
        with VideoReader(remux(source, tmp_path / name, shift=shift)) as reader:
            assert reader.warnings == ()
            assert reader.info.duration == pytest.approx(3.0, abs=0.1)


def test_a_truncated_file_whose_clock_starts_late_is_told_of(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "whole.mkv", 150, clip=Clip(codec="mjpeg", pixels="yuvj420p"))
    whole, cut = remux(source, tmp_path / "late.mkv", shift=2.0), tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 5])
    with VideoReader(cut) as reader:
        assert any(re.search(r"ends at 2\.\d s of 5\.0 s: it was cut short", line) for line in reader.warnings)


def test_no_pictures_in_the_video_track(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "void.avi"
    data = bytearray((good / "a.avi").read_bytes())
    index = media_index(good / "a.avi").video
    assert index is not None
    for at, size in zip(index.rows.position, index.rows.size, strict=True):
        data[at : at + size] = bytes(int(size))
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"void\.avi: no picture of its video can be decoded"):
        VideoReader(path)
    with AudioReader(path) as reader:
        assert np.abs(reader.read(0.0, 1.0)).max() > 0.3


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    song = write_clip(tmp_path / "plain.mp3", 0, tones=[Tone(codec="libmp3lame")])
    cover = write_clip(tmp_path / "cover.mkv", 1, clip=Clip(codec="mjpeg", pixels="yuvj420p"))
    with av.open(str(song)) as sound, av.open(str(cover)) as picture, av.open(str(path), "w") as both:
        streams = [both.add_stream_from_template(source.streams[0], opaque=True) for source in (sound, picture)]
        streams[1].disposition = Disposition.attached_pic
        for source, stream in zip((sound, picture), streams, strict=True):
            for packet in [packet for packet in source.demux() if packet.size]:
                packet.stream = stream
                both.mux(packet)
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert not probe(path).has_video
    with pytest.raises(InputError, match="has sound but no video"):
        VideoReader(path)


def test_sound_rates_that_mean_harm_take_no_memory(tmp_path: Path) -> None:
    """Half a second of filter or sound at such a rate would be gigabytes."""
    path = tmp_path / "harm.wav"
    path.write_bytes(wave_header(rate=2**31 - 1) + bytes(20_000))
    refused(path, "neither video nor sound")
    odd = Resampler(2_999_999, 16_000)
    assert odd._phases.size <= 100 * 50_000
    assert odd.down / odd.up == pytest.approx(2_999_999 / 16_000, rel=2e-5)
    for rate in (8_000, 11_025, 22_050, 44_056, 44_100, 47_999, 48_000, 96_000, 192_000, 352_800, 384_000):
        exact = Resampler(rate, 16_000)
        assert exact.up * rate == exact.down * 16_000


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a file that is open")
def test_a_file_that_goes_while_it_is_open(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(good / "a.mp4", path)
    with VideoReader(path, cache_bytes=0) as reader:
        expected = reader.frame_by_index(2).image
        reader.frame_by_index(39)
        path.unlink()
        with monkeypatch.context() as patch:
            patch.setattr(RowCursor, "_try_seek", lambda *_: False)  # as on a disk that was pulled out
            with pytest.raises(InputError, match="no such file"):
                reader.frame_by_index(2)
        assert np.array_equal(reader.frame_by_index(2).image, expected)


def wave_header(rate: int) -> bytes:
    """Of 20 kB of 16-bit sound in one channel."""
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 20_036, b"WAVE") + kind + struct.pack("<4sI", b"data", 20_000)


def test_names_in_foreign_letters_do_not_stop_it(good: Path, tmp_path: Path) -> None:
    data = (good / "a.mkv").read_bytes()
    path = tmp_path / "a.mkv"
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfe\xe9\xb3"))
    assert read_all(path)[0] == 40


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_damage_anywhere_neither_crashes_nor_hangs(good: Path, tmp_path: Path, name: str) -> None:
    whole = (good / name).read_bytes()
    survived = 0
    for seed in range(12):
        chance = random.Random(f"{name}{seed}")
        data = bytearray(whole)
        for _ in range(chance.choice([1, 5, 60])):
            at = chance.randrange(len(data))
            data[at : at + chance.choice([1, 8, 200])] = chance.randbytes(chance.choice([1, 8, 200]))
        if seed % 4 == 3:
            del data[chance.randrange(len(data)) :]
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(data or b"x")
        with contextlib.suppress(InputError):
            read_all(path)
            survived += 1
    assert survived > 0


def test_nothing_is_printed(good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray((good / "a.mkv").read_bytes())
    for at in range(3000, len(data), 997):
        data[at] ^= 0xFF
    path = tmp_path / "bent.mkv"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        read_all(path)
    refused_path = tmp_path / "noise.mp4"
    refused_path.write_bytes(random.Random(5).randbytes(5000))
    refused(refused_path, "not a video")
    assert capfd.readouterr() == ("", "")


_MEMORY = """
import resource, sys
from avseg_core.media import AudioReader, VideoReader
video, sound = VideoReader(sys.argv[1], cache_bytes=8 << 20), AudioReader(sys.argv[1])
peaks = []
for lap in range(5):
    for frame in video.frames():
        pass
    for second in range(20):
        sound.read(second, 1.0)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(*peaks)
"""


def test_memory_stays_flat_however_much_is_decoded(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    path = write_clip(
        tmp_path / "a.mp4", 500, size=(320, 240), clip=Clip(codec="mpeg4"), image=image, tones=[Tone(seconds=20.0)]
    )
    done = subprocess.run([sys.executable, "-c", _MEMORY, path], capture_output=True, text=True, check=True)
    peaks = [int(peak) for peak in done.stdout.split()]
    assert peaks[-1] - peaks[1] < 4096  # kilobytes, where 1500 more pictures were decoded: 345 MB


def test_a_damaged_first_time_stamp_costs_one_picture(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    data = bytearray((good / "a.ts").read_bytes())
    index = media_index(good / "a.ts").video
    assert index is not None
    stamps = data.index(b"\0\0\1\xe0", int(index.rows.position[0])) + 9  # PTS and DTS of the first picture's header
    data[stamps] = data[stamps] & 0xF1 | 0x08  # the highest bits of a 33-bit clock: hours later
    path.write_bytes(data)
    with VideoReader(path, cache_bytes=0) as reader:
        assert len(reader) == 40
        numbers = [read_number(frame.image) for frame in reader.frames()]
        assert numbers[:39] == list(range(1, 40))
        assert [read_number(reader.frame_by_index(i).image) for i in (20, 3, 38)] == [21, 4, 39]
        assert read_number(reader.frame_at(0.5).image) == pytest.approx(15, abs=1)
