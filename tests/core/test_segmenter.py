"""The segmenter: masks follow the sound, in the right place and at the right time, in bounded batches and memory."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avseg_core.config import InferenceConfig
from avseg_core.errors import AVSegError, Cancelled, InputError
from avseg_core.inference.samples import loudness_dbfs
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media.windows import regular_windows, windows_at
from avseg_core.models.output import AVSOutput
from avseg_core.models.registry import build_model
from avseg_core.progress import Progress
from avseg_core.results.mask import binary
from avseg_core.results.result import SILENCE_DBFS, WindowResult
from tests.segment_fixtures import (
    GREEN_BOX,
    RED_BOX,
    ToneModel,
    box,
    scene,
    small_model_config,
    tones,
    write_video,
)

PLAN = ("low", "high", None, "low", "high")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", PLAN)


def segmenter(model: ToneModel | None = None, **settings: object) -> Segmenter:
    config = replace(InferenceConfig(model="tones", device="cpu"), **settings)
    return Segmenter(model or ToneModel(), config)


def sounding(result: WindowResult, size: tuple[int, int] = (120, 160)) -> str | None:
    """Which of the two boxes the mask covers, to the pixel at each edge; None for an empty mask."""
    mask = binary(result.probability, size, 0.5)
    if not mask.any():
        return None
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = np.array([ys[0], ys[-1] + 1, xs[0], xs[-1] + 1])
    for name, share in (("low", RED_BOX), ("high", GREEN_BOX)):
        if np.abs(found - box(share, *size)).max() <= 1:
            return name
    raise AssertionError(f"a mask at {found}, where no box is")


def test_masks_follow_the_sound_in_place_and_time(video: Path) -> None:
    results = list(segmenter().segment(video, regular_windows(5.0)))
    assert [sounding(result) for result in results] == list(PLAN)
    assert [result.window.index for result in results] == [0, 1, 2, 3, 4]
    assert [result.frame_time for result in results] == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5])


def test_exact_times_hear_the_second_around_them(video: Path) -> None:
    results = list(segmenter().segment(video, windows_at([0.52, 1.5, 4.39])))
    assert [sounding(result) for result in results] == ["low", "high", "high"]
    assert [result.frame_time for result in results] == pytest.approx([0.5, 1.5, 4.3])


@pytest.mark.parametrize("size", [(160, 90), (60, 400), (121, 161), (90, 90)])
def test_masks_are_in_place_for_any_aspect(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_video(tmp_path / "clip.mkv", ("low", "high"), size=size)
    results = list(segmenter().segment(path, regular_windows(2.0)))
    assert [sounding(result, size) for result in results] == ["low", "high"]


def test_loudness_and_mixer_weights_come_along(video: Path) -> None:
    results = list(segmenter().segment(video, regular_windows(5.0)))
    expected = 20 * np.log10(0.3 / np.sqrt(2))  # of a sine
    assert [result.loudness for result in results[:2]] == pytest.approx([expected, expected], abs=0.5)
    assert results[2].loudness < -40
    assert [result.mixer_weights.tolist() for result in results[:3]] == [[1, 0], [0, 1], [0, 0]]
    assert loudness_dbfs(np.zeros(100)) == loudness_dbfs(np.zeros(0)) == SILENCE_DBFS
    assert loudness_dbfs(np.ones(100)) == 0.0


def test_a_model_with_classes_gives_labels(video: Path) -> None:
    results = list(segmenter(ToneModel(num_classes=71)).segment(video, regular_windows(3.0)))
    assert [np.unique(result.labels).tolist() for result in results] == [[0, 1], [0, 2], [0]]
    assert [sounding(result) for result in results] == ["low", "high", None]
    assert segmenter(ToneModel(num_classes=71)).class_names[17] == "dog"
    assert segmenter(ToneModel(num_classes=3 + 1)).class_names == ("background", "class 1", "class 2", "class 3")
    assert segmenter().class_names == ()


def test_batches_are_full_and_do_not_change_the_answer(video: Path) -> None:
    single, triple = ToneModel(), ToneModel()
    one = list(segmenter(single, batch_size=1).segment(video, regular_windows(5.0)))
    three = list(segmenter(triple, batch_size=3).segment(video, regular_windows(5.0)))
    assert (single.batches, triple.batches) == ([1] * 5, [3, 2])
    assert all(np.array_equal(a.probability, b.probability) for a, b in zip(one, three, strict=True))


def test_a_model_of_clips_gets_whole_clips(video: Path) -> None:
    model = ToneModel(clip_length=2)
    results = list(segmenter(model, batch_size=5).segment(video, regular_windows(5.0)))
    assert model.batches == [4, 2]  # the last clip is filled up
    assert [sounding(result) for result in results] == list(PLAN)
    alone = segmenter(model).segment_one(scene(120, 160), tones(["high"]))
    assert model.batches[-1] == 2
    assert sounding(alone) == "high"


def test_one_frame_and_its_features() -> None:
    result = segmenter().segment_one(scene(240, 320), tones(["low"]))
    assert sounding(result, (240, 320)) == "low"
    features = segmenter().mask_features(scene(240, 320), tones(["low"]))
    assert features is not None
    assert (features.shape, features.dtype) == ((2, 24, 32), np.float16)
    assert features[0].max() > 0.5
    assert features[1].max() == 0


class Greedy(ToneModel):
    """A model on a device with memory for so many frames only."""

    room = 2
    error: RuntimeError = torch.OutOfMemoryError("CUDA out of memory.")

    def encode_visual(self, frames: torch.Tensor) -> torch.Tensor:
        if len(frames) > self.room:
            raise self.error
        return super().encode_visual(frames)


@pytest.mark.parametrize(
    "error",
    [
        Greedy.error,
        RuntimeError("MPS backend out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_halves_the_batch_and_goes_on(video: Path, error: RuntimeError) -> None:
    model = Greedy()
    model.error = error
    results = list(segmenter(model, batch_size=5).segment(video, regular_windows(5.0)))
    assert [sounding(result) for result in results] == list(PLAN)
    assert model.batches == [2, 2, 1]


def test_out_of_memory_for_a_single_frame_is_one_line(video: Path) -> None:
    model = Greedy()
    model.room = 0
    with pytest.raises(AVSegError, match="cpu is out of memory; close other programs"):
        list(segmenter(model, batch_size=4).segment(video, regular_windows(5.0)))


class Crowded(Greedy):
    """Memory for so many frames at once, whichever lanes they are in."""

    room = 1
    held = 0

    def encode_visual(self, frames: torch.Tensor) -> torch.Tensor:
        with self.counting:
            if self.held + len(frames) > self.room:
                raise self.error
            self.held += len(frames)
        time.sleep(0.05)
        try:
            return super().encode_visual(frames)
        finally:
            with self.counting:
                self.held -= len(frames)


@pytest.mark.parametrize("batch_size", [4, 8])
def test_lanes_that_do_not_fit_side_by_side_take_turns(video: Path, batch_size: int) -> None:
    model = Crowded()
    model.counting = threading.Lock()
    crowded = segmenter(model, lanes=4, threads=4, batch_size=batch_size)
    assert [sounding(result) for result in crowded.segment(video, regular_windows(5.0))] == list(PLAN)
    model.room = 0
    with pytest.raises(AVSegError, match="out of memory"):
        list(crowded.segment(video, regular_windows(5.0)))


def test_other_errors_of_the_model_are_not_hidden(video: Path) -> None:
    model = Greedy()
    model.error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        list(segmenter(model, batch_size=5).segment(video, regular_windows(5.0)))
    assert model.batches == []


def test_lanes_share_a_batch_and_keep_the_order(video: Path) -> None:
    model = ToneModel()
    results = list(segmenter(model, lanes=2, threads=2, batch_size=4).segment(video, regular_windows(5.0)))
    assert [sounding(result) for result in results] == list(PLAN)
    assert sorted(model.batches) == [1, 2, 2]
    assert torch.get_num_threads() == 1


def test_whole_clips_and_single_frames_have_no_lanes(video: Path) -> None:
    clips, single = ToneModel(clip_length=5), ToneModel()
    list(segmenter(clips, lanes=2, threads=2).segment(video, regular_windows(5.0)))
    list(segmenter(single, lanes=2, threads=2, batch_size=1).segment(video, regular_windows(5.0)))
    assert (clips.batches, single.batches) == ([5], [1] * 5)


def test_progress_counts_windows(video: Path) -> None:
    seen: list[Progress] = []
    list(segmenter(batch_size=2).segment(video, regular_windows(5.0), progress=seen.append))
    assert [(step.done, step.total) for step in seen] == [(2, 5), (4, 5), (5, 5)]


def test_cancel_is_heard_within_a_batch(video: Path) -> None:
    seen: list[int] = []
    results = segmenter(batch_size=2).segment(video, regular_windows(5.0), cancel=lambda: len(seen) >= 2)
    with pytest.raises(Cancelled):
        seen.extend(result.window.index for result in results)
    assert seen == [0, 1]


def test_cancel_is_heard_while_decoding_is_slow(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def stuck(*args: object, **kwargs: object) -> None:
        release.wait(10)

    monkeypatch.setattr("avseg_core.inference.samples.window_logmel", stuck)
    asked = time.monotonic() + 0.2

    def cancel() -> bool:
        if time.monotonic() > asked:
            release.set()  # only once the question has been asked again does decoding go on
            return True
        return False

    with pytest.raises(Cancelled):
        list(segmenter().segment(video, regular_windows(5.0), cancel=cancel))
    assert release.is_set()


def test_no_thread_is_left_behind(video: Path) -> None:
    before = threading.active_count()
    results = segmenter(batch_size=1).segment(video, regular_windows(5.0))
    next(results)
    assert threading.active_count() == before + 1
    results.close()
    assert threading.active_count() == before


def test_an_unreadable_video_fails_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    with pytest.raises(InputError, match=r"notes\.mp4"):
        list(segmenter().segment(tmp_path / "notes.mp4", regular_windows(5.0)))


def test_a_true_model_tells_tags_and_splits_its_batches(video: Path) -> None:
    torch.manual_seed(0)
    model = build_model(small_model_config())
    runs = [list(segmenter(model, batch_size=size).segment(video, regular_windows(5.0))) for size in (1, 4)]
    for one, four in zip(*runs, strict=True):
        assert one.probability.shape == (64, 64)
        assert np.abs(one.probability.astype(int) - four.probability).max() <= 1
        assert one.mixer_weights is not None
        assert one.mixer_weights.shape == (32,)
        assert len(one.tags) == 5  # random weights: every class near one half
        assert one.tags[0][1] >= one.tags[4][1] > 0.1


class Fixed(ToneModel):
    def segment(self, visual: torch.Tensor, logmel: torch.Tensor, is_frame: torch.Tensor | None = None) -> AVSOutput:
        return AVSOutput(torch.zeros(len(logmel), 1, 96, 128))


def test_a_probability_of_exactly_one_half_does_not_sound() -> None:
    result = segmenter(Fixed()).segment_one(scene(96, 128), tones([None]))
    assert not binary(result.probability, (96, 128), 0.5).any()
    assert result.mixer_weights is None
    assert segmenter(Fixed()).mask_features(scene(96, 128), tones([None])) is None


def test_the_hash_is_of_weights_and_configuration() -> None:
    torch.manual_seed(1)
    model = build_model(small_model_config())
    first = segmenter(model).model_hash
    assert segmenter(model).model_hash == first
    with torch.no_grad():
        next(model.parameters())[0] += 1e-3
    assert segmenter(model).model_hash != first
    assert len(first) == 64
