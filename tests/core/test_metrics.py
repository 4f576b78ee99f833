"""The three protocols: their quirks by hand-made cases, and both against slow versions written from the definition."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from avseg_core.metrics import Scores, make_meter
from avseg_core.metrics.binary import score_frames, thresholds
from avseg_core.metrics.semantic import count_classes, predict_classes

NAMES = ("background", "cat", "dog", "woman")


def binary(logits: torch.Tensor, target: torch.Tensor, *, batch_sizes: tuple[int, ...] = (1,)) -> list[Scores]:
    """Results for clips of one frame each: logits and target [N,H,W]."""
    meter = make_meter(batch_sizes=batch_sizes)
    every = torch.ones(1, dtype=torch.bool)
    for k in range(len(logits)):
        meter.add(logits[k : k + 1, None], target[k : k + 1], every, every)
    return meter.results()


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def square(size: int = 16, side: int = 8) -> torch.Tensor:
    target = torch.zeros(1, size, size, dtype=torch.int64)
    target[:, :side, :side] = 1
    return target


@pytest.mark.parametrize(("covered", "score"), [(0, 1.0), (4, 0.75), (16, 0.0)])
def test_a_silent_frame_scores_the_share_that_is_left_empty(covered: int, score: float) -> None:
    logits = torch.full((1, 16, 16), -5.0)
    logits[:, :covered] = 5.0
    avsbench, frame, dataset = binary(logits, torch.zeros(1, 16, 16, dtype=torch.int64))
    assert avsbench.values["miou"] == pytest.approx(score, abs=1e-6)
    assert avsbench.values["fscore"] == 0.0  # a batch without any object counts as 0
    assert frame.values["miou"] == frame.values["left_empty"] == pytest.approx(score, abs=1e-6)
    assert dataset.values["miou"] == 0.0


def test_a_perfect_frame_scores_one() -> None:
    target = square()
    for scores in binary((target.float() * 2 - 1) * 8, target):
        assert scores.values["miou"] == pytest.approx(64 / (64 + 1e-7), abs=1e-7)
        assert scores.values["fscore"] == pytest.approx(1.0, abs=1e-6)


class NoFloat64OnTheDevice(TorchFunctionMode):
    """Stands in for Apple's GPU: float64 only of tensors that `.cpu()` answered, or that were made of those."""

    def __init__(self) -> None:
        super().__init__()
        self.on_host: list[torch.Tensor] = []  # kept, so that no other tensor gets the same id

    def _is_host(self, value: object) -> bool:
        return any(value is tensor for tensor in self.on_host)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [value for value in args if isinstance(value, torch.Tensor)]
        from_host = func is torch.Tensor.cpu or (bool(given) and all(map(self._is_host, given)))
        if isinstance(result, torch.Tensor):
            result = result.clone() if func is torch.Tensor.cpu else result
            if from_host:
                self.on_host.append(result)
            else:
                assert result.dtype != torch.float64, f"{func.__name__} makes float64 on the device"
        return result


@pytest.mark.parametrize("classes", [1, 4])
def test_scores_need_no_float64_on_the_device(classes: int) -> None:
    logits, labels = torch.randn(3, classes, 16, 16), torch.randint(0, max(classes, 2), (3, 16, 16))
    every = torch.ones(3, dtype=torch.bool)
    with NoFloat64OnTheDevice():
        if classes == 1:
            score_frames(logits[:, 0], labels)
        else:
            count_classes(predict_classes(logits, every), labels, classes)


def test_half_is_not_above_half_but_reaches_the_threshold_of_half() -> None:
    frames = score_frames(torch.zeros(1, 16, 16), torch.ones(1, 16, 16))
    assert float(frames.iou) == 0.0
    assert thresholds()[127] == 0.5
    assert frames.f_curve[0, 127] == pytest.approx(1.0)
    assert frames.f_curve[0, 128] == 0.0


def test_thresholds_are_255_from_zero_to_exactly_one() -> None:
    values = thresholds()
    assert values.shape == (255,)
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert torch.allclose(values, torch.arange(255) / 254)


def test_smaller_batches_never_lower_f() -> None:
    target = square().repeat(2, 1, 1)
    background = torch.tensor([logit(0.6), logit(0.2)])[:, None, None].expand(2, 16, 16)
    inside = torch.tensor([logit(0.9), logit(0.3)])[:, None, None].expand(2, 16, 16)
    logits = torch.where(target > 0, inside, background)
    single, together = (scores.values["fscore"] for scores in binary(logits, target, batch_sizes=(1, 2))[:2])
    assert single == pytest.approx(1.0, abs=1e-6)  # each frame at its own best threshold
    one_low = 1.3 * 0.25 / (0.3 * 0.25 + 1)  # at .3 the first frame is all marked: precision .25, recall 1
    assert together == pytest.approx((1 + one_low) / 2, abs=1e-5)
    assert together < single


def test_avsbench_weights_an_uneven_last_batch_like_a_whole_one() -> None:
    target = square().repeat(3, 1, 1)
    logits = (target.float() * 2 - 1) * 8
    logits[2] = -8  # misses all: IoU 0
    avsbench, frame, dataset = binary(logits, target, batch_sizes=(2,))
    everything_marked = 1.3 * 0.25 / (0.3 * 0.25 + 1)  # the best that the last batch can do
    assert avsbench.values == pytest.approx({"miou": 0.5, "fscore": (1 + everything_marked) / 2, "batches": 2})
    assert frame.values["miou"] == pytest.approx(2 / 3)
    assert dataset.values["miou"] == pytest.approx(2 / 3)
    assert avsbench.title == "avsbench, batches of 2"


def test_dataset_protocol_counts_pixels_not_frames() -> None:
    target = torch.cat([square(side=8), square(side=2)])
    logits = (target.float() * 2 - 1) * 8
    logits[1] = -8
    _, frame, dataset = binary(logits, target)
    assert frame.values["miou"] == pytest.approx(0.5)
    assert dataset.values["miou"] == pytest.approx(64 / 68)
    assert dataset.values["precision"] == 1.0
    assert dataset.values["recall"] == pytest.approx(64 / 68)


def test_not_a_number_is_never_marked() -> None:
    scores = binary(torch.full((1, 16, 16), torch.nan), square())
    assert [result.values["miou"] for result in scores] == [0.0, 0.0, 0.0]
    assert scores[0].values["fscore"] == 0.0


def slow_f_curve(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The definition, threshold by threshold: mean curve over the frames with an object."""
    curves = []
    for frame, truth in zip(torch.sigmoid(logits), target.float(), strict=True):
        if truth.sum() == 0:
            continue
        curve = torch.zeros(255)
        for number, threshold in enumerate(torch.linspace(0, 1 - 1e-10, 255)):
            on = (frame >= threshold).float()
            hits = (on * truth).sum()
            precision, recall = hits / (on.sum() + 1e-20), hits / (truth.sum() + 1e-20)
            curve[number] = 1.3 * precision * recall / (0.3 * precision + recall)
        curve[curve != curve] = 0
        curves.append(curve)
    return torch.stack(curves).mean(0)


def test_the_histogram_gives_the_f_of_the_definition() -> None:
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(5, 20, 24, generator=generator) * 3
    logits[0, 0] = torch.tensor([logit(k / 254) for k in range(1, 25)])  # right on thresholds
    logits[0, 1], logits[0, 2] = 200.0, -200.0  # probability exactly 1 and 0
    target = (torch.rand(5, 20, 24, generator=generator) > 0.6).long()
    target[3] = 0
    curve = slow_f_curve(logits, target)
    meter = make_meter(protocols=["avsbench", "frame"], batch_sizes=[1])
    every = torch.ones(5, dtype=torch.bool)
    meter.add(logits[:, None], target, every, every)
    avsbench, frame = meter.results()
    assert avsbench.values["fscore"] == pytest.approx(float(curve.max()), abs=1e-6)
    assert frame.values["best_threshold"] == pytest.approx(float(thresholds()[curve.argmax()]))
    scores = score_frames(logits, target)
    assert torch.allclose(scores.f_curve[scores.has_object].mean(0).float(), curve, atol=1e-6)


def test_only_annotated_frames_count() -> None:
    target = square().repeat(3, 1, 1)
    logits = (target.float() * 2 - 1) * 8
    logits[1:] = -8
    meter = make_meter(protocols=["avsbench", "frame"], batch_sizes=[4])
    quality = meter.add(logits[:, None], target, torch.tensor([True, False, True]), torch.tensor([True, True, False]))
    assert quality[0] == pytest.approx(1.0)
    assert quality[1:].isnan().all()
    assert [scores.values["miou"] for scores in meter.results()] == [pytest.approx(1.0), pytest.approx(1.0)]


def test_memory_does_not_grow_with_the_number_of_clips() -> None:
    every = torch.ones(5, dtype=torch.bool)
    labels = torch.zeros(5, 8, 8, dtype=torch.int64)
    for meter, classes in ((make_meter(), 1), (make_meter(NAMES), 4)):
        meter.add(torch.zeros(5, classes, 8, 8), labels, every, every)
        size = len(pickle.dumps(meter))
        for _ in range(50):
            meter.add(torch.zeros(5, classes, 8, 8), labels, every, every)
        assert len(pickle.dumps(meter)) <= size + 64  # numbers may take a byte more


def one_hot_logits(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, len(NAMES)).permute(0, 3, 1, 2).float() * 9


def test_avss_means_frames_then_classes_and_counts_absent_classes_as_zero() -> None:
    labels = torch.zeros(2, 4, 4, dtype=torch.int64)
    labels[0, :2], labels[1, :1] = 1, 1
    predicted = labels.clone()
    predicted[1, 0] = 2  # the second frame takes the cat for a dog
    every = torch.ones(2, dtype=torch.bool)
    meter = make_meter(NAMES)
    meter.add(one_hot_logits(predicted), labels, every, every)
    avsbench, frame, dataset = meter.results()
    by_class = {row.name: (row.iou, row.fscore, row.frames) for row in avsbench.classes}
    assert by_class == {
        "background": (pytest.approx(1.0), pytest.approx(1.0), 2),
        "cat": (pytest.approx(0.5), pytest.approx(0.5), 2),
        "dog": (0.0, 0.0, 1),
        "woman": (0.0, 0.0, 0),
    }
    assert avsbench.values["miou"] == pytest.approx(1.5 / 4)
    assert avsbench.values["miou_without_background"] == pytest.approx(0.5 / 3)  # drops index 0, not woman
    assert frame.values["miou"] == pytest.approx(1.5 / 3)
    assert {row.name: row.iou for row in dataset.classes} == pytest.approx(
        {"background": 1.0, "cat": 8 / 12, "dog": 0.0, "woman": 0.0}
    )
    assert dataset.values["miou"] == pytest.approx((1 + 8 / 12) / 3)


def test_avss_padding_counts_as_right_background_under_avsbench_only() -> None:
    labels = torch.zeros(2, 4, 4, dtype=torch.int64)
    labels[0, :2] = 1
    logits = one_hot_logits(torch.full_like(labels, 3))  # all wrong, also on the padded frame
    meter = make_meter(NAMES)
    quality = meter.add(logits, labels, torch.tensor([True, False]), torch.tensor([True, False]))
    avsbench, frame, dataset = meter.results()
    assert avsbench.classes[0].iou == pytest.approx(0.5)  # 0 on the real frame, 1 on the padded one
    assert avsbench.classes[0].frames == 2
    assert frame.classes[0].iou == dataset.classes[0].iou == 0.0
    assert quality[0] == 0.0
    assert quality[1].isnan()


def test_ties_go_to_background() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    every = torch.ones(1, dtype=torch.bool)
    meter = make_meter(NAMES, ["dataset"])
    meter.add(torch.zeros(1, 4, 4, 4), labels, every, every)
    assert meter.results()[0].values["miou"] == pytest.approx(1.0)
