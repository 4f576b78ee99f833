"""What each term of the loss rewards, what it ignores, and that shares of a batch add up to the joint batch."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from avseg_core.config import LossConfig
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import InputError
from avseg_core.losses import audio_visual_divergence, compute_loss, mask_loss
from avseg_core.models.output import AVSOutput

PLAIN = LossConfig(mix_weight=0.0)


def make_batch(labels: Tensor, has_label: list[bool]) -> AVSBatch:
    n, height, width = labels.shape
    return AVSBatch(
        clip_ids=tuple(str(k) for k in range(n)),
        frames=torch.zeros(n, 3, height, width),
        logmel=torch.zeros(n, 1, 96, 64),
        labels=labels,
        has_label=torch.tensor(has_label),
        is_frame=torch.ones(n, dtype=torch.bool),
        frames_per_clip=1,
    )


def part_of(batch: AVSBatch, rows: slice) -> AVSBatch:
    return replace(
        batch,
        clip_ids=batch.clip_ids[rows],
        frames=batch.frames[rows],
        logmel=batch.logmel[rows],
        labels=batch.labels[rows],
        has_label=batch.has_label[rows],
        is_frame=batch.is_frame[rows],
    )


def random_case(classes: int) -> tuple[AVSOutput, AVSBatch]:
    g = torch.Generator().manual_seed(7)
    labels = torch.randint(0, max(classes, 2), (6, 8, 8), generator=g)
    labels[2] = 0
    stages = [(torch.randn(6, 16, s, s, generator=g), torch.randn(6, 16, generator=g)) for s in (4, 2)]
    output = AVSOutput(
        logits=torch.randn(6, classes, 8, 8, generator=g),
        mask_feature=torch.randn(6, 16, 2, 2, generator=g).abs(),
        intermediate_logits=[torch.randn(6, classes, 8, 8, generator=g) for _ in range(2)],
        stage_features=stages,
    )
    return output, make_batch(labels, [True, False, True, True, True, False])


def rows_of(output: AVSOutput, rows: slice) -> AVSOutput:
    assert output.mask_feature is not None
    return AVSOutput(
        logits=output.logits[rows],
        mask_feature=output.mask_feature[rows],
        intermediate_logits=[layer[rows] for layer in output.intermediate_logits],
        stage_features=[(visual[rows], audio[rows]) for visual, audio in output.stage_features],
    )


@pytest.mark.parametrize(
    ("classes", "config"),
    [
        (1, LossConfig(intermediate_weight=0.1, empty_mask_weight=0.5, audio_visual_weight=0.5)),
        (1, LossConfig(mask="bce", mix_weight=0.0, audio_visual_weight=0.5)),
        (5, LossConfig(mask="ce", intermediate_weight=0.1, audio_visual_weight=0.5)),
        (5, LossConfig(mask="dice")),
    ],
)
def test_uneven_shares_add_up_to_the_joint_batch(classes, config):
    output, batch = random_case(classes)
    joint = compute_loss(output, batch, config)
    labelled = int(batch.has_label.sum())
    shares = [
        compute_loss(rows_of(output, rows), part_of(batch, rows), config, labelled=labelled)
        for rows in (slice(0, 1), slice(1, 2), slice(2, 6))
    ]
    assert sum(share.total for share in shares).item() == pytest.approx(joint.total.item(), abs=1e-6)
    for name, value in joint.parts.items():
        assert sum(share.parts[name] for share in shares).item() == pytest.approx(value.item(), abs=1e-6)


def test_frames_without_annotation_change_nothing():
    output, batch = random_case(1)
    before = compute_loss(output, batch, LossConfig(empty_mask_weight=1.0)).total
    output.logits[1] += 50
    batch.labels[5] = 1
    assert compute_loss(output, batch, LossConfig(empty_mask_weight=1.0)).total.item() == before.item()


def test_a_batch_without_annotation_is_zero_and_can_be_differentiated():
    output, batch = random_case(1)
    output.logits.requires_grad_()
    batch = replace(batch, has_label=torch.zeros(6, dtype=torch.bool))
    report = compute_loss(output, batch, LossConfig(intermediate_weight=0.1, empty_mask_weight=1.0))
    report.total.backward()
    assert report.total.item() == 0.0
    assert output.logits.grad is not None
    assert output.logits.grad.abs().sum().item() == 0.0


def test_dice_has_no_gradient_on_silence_and_the_empty_term_has():
    batch = make_batch(torch.zeros(1, 4, 4, dtype=torch.int64), [True])

    def gradient(config: LossConfig) -> Tensor:
        logits = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
        compute_loss(AVSOutput(logits), batch, config).total.backward()
        assert logits.grad is not None
        return logits.grad

    assert gradient(PLAIN).abs().max().item() == 0.0
    pushed = gradient(replace(PLAIN, empty_mask_weight=0.3))
    expected = 0.3 * torch.sigmoid(torch.tensor(0.5)) / 16  # d BCE / d logit = sigmoid, mean over 16 pixels
    assert torch.allclose(pushed, expected.expand_as(pushed))


def test_the_empty_term_leaves_sounding_frames_alone():
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 0, 0] = 1
    report = compute_loss(
        AVSOutput(torch.randn(1, 1, 4, 4)), make_batch(labels, [True]), replace(PLAIN, empty_mask_weight=1.0)
    )
    assert report.parts["empty"].item() == 0.0


@pytest.mark.parametrize(("kind", "classes"), [("dice", 1), ("bce", 1), ("dice", 4), ("ce", 4)])
def test_a_perfect_mask_costs_nothing_and_a_wrong_one_a_lot(kind, classes):
    labels = torch.zeros(1, 8, 8, dtype=torch.int64)
    labels[:, 2:6, 2:6] = classes - 1 or 1
    truth = labels if classes == 1 else torch.nn.functional.one_hot(labels, classes)[..., 1:]
    right = (truth.reshape(1, 8, 8, -1).movedim(-1, 1) * 2.0 - 1) * 30
    if classes > 1:
        right = torch.cat([torch.zeros(1, 1, 8, 8), right], dim=1)
    assert mask_loss(right, labels, kind).item() < 1e-4
    assert mask_loss(-right, labels, kind).item() > 0.6


@pytest.mark.parametrize(("kind", "classes"), [("ce", 1), ("bce", 4)])
def test_a_loss_that_does_not_fit_the_classes_says_so(kind, classes):
    with pytest.raises(InputError, match=r"loss\.mask"):
        mask_loss(torch.zeros(1, classes, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64), kind)


@pytest.mark.parametrize("weight", ["intermediate_weight", "mix_weight", "audio_visual_weight"])
def test_a_weight_on_a_part_that_the_model_lacks_says_so(weight):
    batch = make_batch(torch.ones(1, 4, 4, dtype=torch.int64), [True])
    with pytest.raises(InputError, match=f"loss.{weight}"):
        compute_loss(AVSOutput(torch.zeros(1, 1, 4, 4)), batch, replace(PLAIN, **{weight: 0.1}))


def test_audio_visual_divergence_by_hand():
    visual = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])  # [1,2,1,2]
    audio = torch.tensor([[0.0, 1.0]])
    logits = torch.tensor([[[[0.0, 2.0]]]])
    half, most = 0.5, 1 / (1 + torch.e**-2)
    pooled = torch.tensor([(1 * half + 3 * most) / 2, 2 * most / 2])
    p, q = audio[0].softmax(0), pooled.softmax(0)
    expected = (p * (p / q).log()).sum()
    got = audio_visual_divergence(logits, [(visual, audio)])
    assert got.shape == (1,)
    assert got.item() == pytest.approx(expected.item(), abs=1e-6)
    assert audio_visual_divergence(logits, [(visual, audio)] * 3).item() == pytest.approx(expected.item(), abs=1e-6)
