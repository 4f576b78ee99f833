"""The overlay read back: every frame and its time, the sound, and the mask on the frames of its second only."""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avseg_core.config import InferenceConfig
from avseg_core.errors import Cancelled, InputError
from avseg_core.inference.run import segment_video
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media import VideoReader
from avseg_core.media.windows import Window
from avseg_core.progress import Progress
from avseg_core.results.exporters import EXPORTERS, ExportOptions
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore
from tests.segment_fixtures import RED_BOX, ToneModel, box, scene, write_video

PLAN = ("low", "high", None, "low")
OPTIONS = ExportOptions(color=(0, 0, 255), opacity=0.5)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A video of 30000/1001 fps and the store of its masks."""
    folder = tmp_path_factory.mktemp("overlay")
    video = write_video(folder / "clip.mp4", PLAN, fps=Fraction(30000, 1001))
    segmenter = Segmenter(ToneModel(), InferenceConfig(model="tones", device="cpu"))
    segment_video(segmenter, video, folder / "clip.avseg")
    return video, folder / "clip.avseg"


def export(store: Path, out: Path, options: ExportOptions = OPTIONS) -> Path:
    with MaskStore(store) as opened:
        (path,) = EXPORTERS["overlay"](opened, out, store.stem, options)
    return path


def sound_packets(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in container.demux(audio=0) if packet.size]


def test_frames_times_and_sound_are_those_of_the_video(run: tuple[Path, Path], tmp_path: Path) -> None:
    video, store = run
    overlay = export(store, tmp_path)
    assert overlay == tmp_path / "clip_overlay.mp4"
    assert list(tmp_path.iterdir()) == [overlay]
    with VideoReader(video) as before, VideoReader(overlay) as after:
        assert after.info.fps == Fraction(30000, 1001)
        assert len(after) == len(before) == 120
        assert np.abs(after.times - before.times).max() < 1e-4
        assert (after.info.width, after.info.height) == (160, 120)
        assert after.info.duration == pytest.approx(before.info.duration, abs=0.05)
    assert sound_packets(overlay) == sound_packets(video)


def test_the_mask_is_on_the_frames_of_its_second_only(run: tuple[Path, Path], tmp_path: Path) -> None:
    assert_drawn_as_heard(export(run[1], tmp_path))


def assert_drawn_as_heard(overlay: Path) -> None:
    """On every frame the mask of its second of `PLAN`, and no other."""
    top, bottom, left, right = box(RED_BOX, 120, 160)
    red, green = scene(120, 160)[(top + bottom) // 2, (left + right) // 2], np.array([20, 220, 20])
    with VideoReader(overlay) as reader:
        for frame in reader.frames():
            heard = PLAN[min(int(frame.time), 3)]
            inside = frame.image[(top + bottom) // 2, (left + right) // 2].astype(int)
            expected = (red + np.array([0, 0, 255])) // 2 if heard == "low" else red
            assert np.abs(inside - expected).max() < 25, (frame.time, inside)
            other = frame.image[72, 116].astype(int)
            expected = (green + np.array([0, 0, 255])) // 2 if heard == "high" else green
            assert np.abs(other - expected).max() < 25, (frame.time, other)


def test_the_outline_is_opaque_and_inside(run: tuple[Path, Path], tmp_path: Path) -> None:
    overlay = export(run[1], tmp_path, ExportOptions(color=(255, 255, 255), opacity=0.0))
    top, bottom, left, right = box(RED_BOX, 120, 160)
    with VideoReader(overlay) as reader:
        brightness = reader.frame_at(0.5).image.astype(int).sum(axis=2)
    middle = (top + bottom) // 2
    edge = left + int(brightness[middle, left : left + 3].argmax())
    assert abs(edge - left) <= 1
    assert brightness[middle, edge] > 600
    assert brightness[middle, (left + right) // 2] < 400
    assert brightness[middle, left - 4] < 100


def test_sparse_masks_hold_for_half_a_second(run: tuple[Path, Path], tmp_path: Path) -> None:
    store = run[1]
    with MaskStore(store) as full:
        header = RunHeader.from_dict({**full.header.to_dict(), "settings": {"at": [2.0]}, "planned": 1})
    with MaskStore.create(tmp_path / "at.avseg", header) as sparse:
        sparse.add(WindowResult(Window(0, 1.5, 2.5, 2.0), 2.0, np.full((8, 8), 255, np.uint8)))
    overlay = export(tmp_path / "at.avseg", tmp_path, ExportOptions(color=(255, 255, 255), opacity=1.0))
    with VideoReader(overlay) as reader:
        drawn = {round(float(frame.time), 3): frame.image.mean() > 200 for frame in reader.frames()}
    times = [time for time, white in drawn.items() if white]
    assert min(times) == pytest.approx(1.5, abs=0.035)
    assert max(times) == pytest.approx(2.5, abs=0.035)
    assert not drawn[max(drawn)]


def test_masks_of_times_in_any_order_are_on_their_own_frames(run: tuple[Path, Path], tmp_path: Path) -> None:
    segmenter = Segmenter(ToneModel(), InferenceConfig(model="tones", device="cpu"))
    segment_video(segmenter, run[0], tmp_path / "at.avseg", at=[3.5, 0.5, 1.5])
    assert_drawn_as_heard(export(tmp_path / "at.avseg", tmp_path))  # nothing from 2 to 3 s, which nobody asked for


def test_odd_sizes_and_classes(tmp_path: Path) -> None:
    video = write_video(tmp_path / "odd.mkv", ("low", "high"), size=(121, 161), sound=True)
    segmenter = Segmenter(ToneModel(num_classes=71), InferenceConfig(model="tones", device="cpu"))
    segment_video(segmenter, video, tmp_path / "odd.avseg")
    overlay = export(tmp_path / "odd.avseg", tmp_path, ExportOptions(opacity=1.0))
    with VideoReader(overlay) as reader:
        top, bottom, left, right = box(RED_BOX, 121, 161)
        inside = reader.frame_at(0.5).image[(top + bottom) // 2, (left + right) // 2]
        assert np.abs(inside.astype(int) - [128, 0, 0]).max() < 25  # the palette's colour of class 1


def test_cancel_leaves_nothing(run: tuple[Path, Path], tmp_path: Path) -> None:
    seen: list[Progress] = []
    with MaskStore(run[1]) as store, pytest.raises(Cancelled):
        EXPORTERS["overlay"](store, tmp_path, "clip", OPTIONS, seen.append, lambda: len(seen) >= 2)
    assert list(tmp_path.iterdir()) == []
    assert seen[0].total == 120


def test_a_video_that_is_gone_or_another_is_refused(run: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.mp4", ("low",))
    for path in (tmp_path / "gone.mp4", other):
        with pytest.raises(InputError, match="--video"):
            export(run[1], tmp_path, ExportOptions(video=path))
    assert list(tmp_path.iterdir()) == [other]
