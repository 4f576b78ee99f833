"""Evaluating a model that knows the small data sets by heart: scores, order, randomness, examples, predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from avseg_core.data.palette import labels_from_colours
from avseg_core.data.registry import build_dataset
from avseg_core.data.sample import ClipSample
from avseg_core.data.transforms import denormalise
from avseg_core.errors import Cancelled, InputError
from avseg_core.evaluation import evaluate_model
from avseg_core.models.output import AVSOutput
from tests import avsbench_fixtures as make
from tests.core.knowing_model import SIZE, KnowsTheThings, by_title, config_for, measured


def test_a_model_that_is_right_scores_high_under_every_protocol(avsbench: Path) -> None:
    for name, frames in (("s4", 15), ("ms3", 25), ("avss", 20)):
        report = measured(avsbench, name)
        assert report.frames == frames
        assert report.clips == {"s4": 3, "ms3": 5, "avss": 3}[name]
        assert report.image_size == SIZE
        titles = ["avsbench, batches of 4", "avsbench, batches of 2", "frame", "dataset"]
        assert list(by_title(report)) == (["avsbench", "frame", "dataset"] if name == "avss" else titles)
        for scores in report.scores:
            if name == "avss" and scores.protocol == "avsbench":
                assert scores.values["miou"] < 5 / 71  # 67 classes never occur and count as 0
            else:
                assert scores.values["miou"] > 0.9, (name, scores)
                assert scores.values["fscore"] > 0.9, (name, scores)
        assert report.miou == report.scores[0].values["miou"]


def test_a_worse_model_scores_lower(avsbench: Path) -> None:
    good, bad = measured(avsbench, "s4"), measured(avsbench, "s4", model=KnowsTheThings(spoil=6))
    for title, scores in by_title(good).items():
        assert by_title(bad)[title].values["miou"] < scores.values["miou"] - 0.2


def test_results_do_not_depend_on_how_many_clips_go_through_at_once(avsbench: Path) -> None:
    one, five = (measured(avsbench, "ms3", clips_per_forward=count) for count in (1, 5))
    assert [scores.values for scores in one.scores] == [scores.values for scores in five.scores]


def test_training_split_of_s4_counts_its_first_frames_only(avsbench: Path) -> None:
    model = KnowsTheThings()
    report = measured(avsbench, "s4", split="train", model=model)
    assert report.frames == 2
    assert sum(model.frames_seen) == 2  # frames that nobody annotated are not computed
    assert report.miou > 0.9


def test_padding_is_not_computed_unless_the_model_takes_whole_clips(avsbench: Path) -> None:
    single, whole = KnowsTheThings(71), KnowsTheThings(71, clip_length=10)
    reports = [measured(avsbench, "avss", model=model) for model in (single, whole)]
    assert sum(single.frames_seen) == 20
    assert sum(whole.frames_seen) == 30
    assert [scores.values for scores in reports[0].scores] == [scores.values for scores in reports[1].scores]


def test_a_model_with_other_clips_is_refused(avsbench: Path) -> None:
    with pytest.raises(InputError, match="takes clips of 5 frames, the data set has 10 per clip"):
        measured(avsbench, "avss", model=KnowsTheThings(71, clip_length=5))


def test_training_mode_is_restored(avsbench: Path) -> None:
    model = KnowsTheThings().train()
    measured(avsbench, "s4", model=model)
    assert model.training
    measured(avsbench, "s4", model=model.eval())
    assert not model.training


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_file_is_one_line_also_from_a_worker_process(workers: int, tmp_path: Path) -> None:
    make.make_ms3(tmp_path, {"test": 1}, size=64)
    mask = next(tmp_path.rglob("gt_masks/test/*/*_3.png"))
    mask.write_bytes(b"broken")
    dataset = build_dataset(replace(config_for(tmp_path, "ms3"), workers=workers), "test", 1)
    with pytest.raises(InputError) as caught:
        evaluate_model(KnowsTheThings(), dataset)
    assert str(caught.value).startswith(f"{mask}: cannot be read as a picture (")
    assert "\n" not in str(caught.value)


def test_evaluation_leaves_the_random_numbers_of_training_alone(avsbench: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    measured(avsbench, "s4")
    assert torch.equal(torch.rand(3), expected)


def test_values_that_are_not_finite_are_said(avsbench: Path) -> None:
    class Broken(KnowsTheThings):
        def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
            return AVSOutput(torch.full((len(frames), 1, *SIZE), torch.nan))

    report = measured(avsbench, "s4", model=Broken())
    assert "In 15 frames the model answered values that are not finite numbers." in report.notes
    assert report.miou == 0.0


def test_progress_and_cancel(avsbench: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    measured(avsbench, "s4", progress=lambda progress: seen.append((progress.done, progress.total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        measured(avsbench, "s4", cancel=lambda: True)


def test_examples_are_the_worst_and_the_best_frames_of_different_clips(avsbench: Path) -> None:
    report = measured(avsbench, "ms3", model=KnowsTheThings(spoil=3), examples=3)
    worst, best = [example.iou for example in report.worst], [example.iou for example in report.best]
    assert worst == sorted(worst)
    assert best == sorted(best, reverse=True)
    assert len({example.clip_id for example in report.worst}) == len(worst) == len(best) == 3
    assert worst[0] < best[0]
    assert all(example.truth.any() for example in report.best)
    example = report.worst[0]
    dataset = build_dataset(config_for(avsbench, "ms3"), "test", 1)
    index = next(k for k in range(len(dataset)) if dataset.clip_id(k) == example.clip_id)
    sample: ClipSample = dataset[index]
    np.testing.assert_array_equal(example.truth, sample.labels[example.frame].numpy())
    np.testing.assert_array_equal(example.image, denormalise(sample.frames[example.frame]))
    union = (example.truth | example.prediction).sum()
    if example.truth.any():
        assert example.iou == pytest.approx((example.truth & example.prediction).sum() / union, abs=1e-5)


def test_clip_iou_is_the_mean_over_the_clip(avsbench: Path) -> None:
    report = measured(avsbench, "ms3", protocols=["frame"])
    assert len(report.clip_iou) == 5
    assert np.mean(list(report.clip_iou.values())) == pytest.approx(report.miou)


def test_predictions_are_saved_as_published(avsbench: Path, tmp_path: Path) -> None:
    measured(avsbench, "s4", save_to=tmp_path / "s4")
    clip = build_dataset(config_for(avsbench, "s4"), "test", 1)
    saved = sorted(path.relative_to(tmp_path / "s4").as_posix() for path in (tmp_path / "s4").rglob("*.png"))
    assert saved == sorted(f"{clip.clip_id(k)}/test_00000{k}_{frame}.png" for k in range(3) for frame in range(5))
    mask = Image.open(tmp_path / "s4" / f"{clip.clip_id(0)}/test_000000_0.png")
    assert mask.mode == "L"
    assert set(np.unique(np.asarray(mask))) == {0, 255}
    truth = clip[0].labels[0].numpy() > 0
    on = np.asarray(mask) > 0
    assert (on & truth).sum() / (on | truth).sum() > 0.9
    measured(avsbench, "avss", save_to=tmp_path / "avss")
    folder = tmp_path / "avss" / "test_000000_0_5000"
    assert sorted(path.name for path in folder.iterdir()) == [f"test_000000_0_5000_{k}.png" for k in range(10)]
    labels, unknown = labels_from_colours(np.asarray(Image.open(folder / "test_000000_0_5000_0.png")))
    assert labels.shape == (240, 360)
    assert unknown == 0.0
    assert len(np.unique(labels)) == 2
    assert not np.asarray(Image.open(folder / "test_000000_0_5000_7.png")).any()  # padding
