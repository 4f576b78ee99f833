"""What training minimises: mask, intermediate, mix, empty-mask and audio-visual terms, each a value per frame.

Only annotated frames count (`batch.has_label`): on S4 that is the first frame of every clip, on AVSS it is gt_flag.
Every term is a sum over frames divided by the number of annotated frames *of the whole optimiser step*, so that
micro-batches and processes add up to exactly the loss of the joint batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from avseg_core.config import LossConfig
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import InputError
from avseg_core.models.output import AVSOutput

T = TypeVar("T")
DICE_SMOOTHING = 0.001


@dataclass(frozen=True)
class LossReport:
    """The scalar to minimise and what it is made of."""

    total: Tensor
    """[] with gradient; the sum of `parts`."""
    parts: dict[str, Tensor]
    """Name -> [] without gradient, weights included: mask, intermediate, mix, empty, audio_visual."""


def compute_loss(output: AVSOutput, batch: AVSBatch, config: LossConfig, *, labelled: int | None = None) -> LossReport:
    """The loss of one batch, or this batch's share of the loss of a larger joint batch.

    Args:
        output: the model's answer for all N frames of `batch`.
        labelled: annotated frames in the joint batch that `batch` is a part of; None: in `batch` itself.

    Raises:
        InputError: a weighted term that this model or task cannot have.
    """
    keep = batch.has_label
    count = max(labelled if labelled is not None else int(keep.sum()), 1)
    logits, labels = output.logits[keep].float(), batch.labels[keep]
    terms = {"mask": mask_loss(logits, labels, config.mask).sum() / count}
    if config.intermediate_weight:
        layers = _needed(output.intermediate_logits, "intermediate_weight", "a mask reformer (model.reformer)")
        per_frame = torch.stack([mask_loss(layer[keep].float(), labels, config.mask) for layer in layers])
        terms["intermediate"] = config.intermediate_weight * per_frame.sum() / count
    if config.mix_weight:
        feature = _needed(output.mask_feature, "mix_weight", "a mask feature (not TPAVI)")
        terms["mix"] = config.mix_weight * mix_loss(feature[keep].float(), labels).sum() / count
    if config.empty_mask_weight:
        terms["empty"] = config.empty_mask_weight * empty_mask_loss(logits, labels).sum() / count
    if config.audio_visual_weight:
        stages = _needed(output.stage_features, "audio_visual_weight", "the TPAVI architecture")
        kept = [(visual[keep].float(), audio[keep].float()) for visual, audio in stages]
        divergence = audio_visual_divergence(logits, kept).sum()
        # AVSBench sums over the frames of a batch on MS3 and averages over annotated frames on AVSS
        terms["audio_visual"] = config.audio_visual_weight * divergence / (1 if logits.shape[1] == 1 else count)
    return LossReport(
        total=torch.stack(list(terms.values())).sum(), parts={name: term.detach() for name, term in terms.items()}
    )


def mask_loss(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """logits [N,C,H,W], labels [N,H,W] int64 -> loss per frame [N]; `kind` is "dice", "bce" or "ce".

    Raises:
        InputError: cross-entropy for masks of one kind, or BCE for classes.
    """
    classes = logits.shape[1]
    if kind == "dice":
        return dice_loss(logits, labels) if classes == 1 else class_dice_loss(logits, labels)
    if kind == "bce" and classes == 1:
        target = (labels > 0).to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits[:, 0], target, reduction="none").mean((1, 2))
    if kind == "ce" and classes > 1:
        return F.cross_entropy(logits, labels, reduction="none").mean((1, 2))
    wanted = "'dice' or 'bce'" if classes == 1 else "'dice' or 'ce'"
    raise InputError(f"loss.mask: {kind!r} does not fit a model of {classes} class(es); use {wanted}.")


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - 2 sum(pg) / (sum(p^2) + .001 + sum(g^2) + .001) per frame with p = sigmoid(logit), as released.

    logits [N,1,H,W], labels [N,H,W] (sounding: > 0) -> [N]. The gradient is exactly zero for an empty mask.
    """
    return 1 - soft_dice(torch.sigmoid(logits[:, 0]), (labels > 0).to(logits.dtype))


def class_dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Dice for classes, mean over the classes that a frame's label map holds, background included.

    The paper prints Dice for AVSS without this detail; its code uses cross-entropy.
    logits [N,C,H,W], labels [N,H,W] -> [N].
    """
    target = F.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(logits.dtype)  # [N,C,H,W]
    dice = soft_dice(logits.softmax(dim=1), target)  # [N,C]
    present = target.amax((2, 3))  # [N,C]
    return 1 - (dice * present).sum(1) / present.sum(1)


def mix_loss(mask_feature: Tensor, labels: Tensor) -> Tensor:
    """V2's auxiliary loss: Dice of sigmoid(upsample(mean over channels of F-hat)) against "anything sounds".

    mask_feature [N,D,h,w], labels [N,H,W] -> [N].
    """
    mean = mask_feature.mean(dim=1, keepdim=True)  # [N,1,h,w]
    return dice_loss(F.interpolate(mean, labels.shape[-2:], mode="bilinear", align_corners=False), labels)


def empty_mask_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """BCE on frames where nothing sounds, 0 on all others: the gradient that Dice lacks there.

    logits [N,1,H,W], labels [N,H,W] -> [N]. Raises InputError for classes, whose losses have that gradient anyway.
    """
    if logits.shape[1] != 1:
        raise InputError("loss.empty_mask_weight: is for models of one class only; set it to 0.")
    silent = (labels == 0).all(-1).all(-1)  # [N]
    return F.softplus(logits[:, 0]).mean((1, 2)) * silent  # softplus(x) = BCE of logit x against 0


def audio_visual_divergence(logits: Tensor, stages: list[tuple[Tensor, Tensor]]) -> Tensor:
    """AVSBench's KL(softmax(sound) || softmax(mask-pooled features)) per frame, mean over the stages.

    The pooling mask is sigmoid(avgpool(logits)) for one class and the hard non-background mask for several.
    (AVSBench's AVSS code takes the last class for the background; here it is class 0, as in the data.)
    logits [N,C,H,W]; per stage visual [N,D,h,w] and sound [N,D] -> [N].
    """
    sounding = logits if logits.shape[1] == 1 else (logits.argmax(1, keepdim=True) > 0).to(logits.dtype)
    total = logits.new_zeros(logits.shape[0])
    for visual, audio in stages:
        pooled_mask = F.adaptive_avg_pool2d(sounding, (visual.shape[2], visual.shape[3]))  # [N,1,h,w]
        if logits.shape[1] == 1:
            pooled_mask = torch.sigmoid(pooled_mask)
        pooled = (visual * pooled_mask).mean((2, 3))  # [N,D]
        total = total + F.kl_div(pooled.log_softmax(-1), audio.softmax(-1), reduction="none").sum(-1)
    return total / len(stages)


def soft_dice(probability: Tensor, target: Tensor) -> Tensor:
    """The released overlap, reduced over the last two axes."""
    overlap = (probability * target).sum((-2, -1))
    size = probability.square().sum((-2, -1)) + target.square().sum((-2, -1)) + 2 * DICE_SMOOTHING
    return 2 * overlap / size


def _needed(part: T | None, weight: str, what: str) -> T:
    """`part`, or a clear line when the model has none."""
    if part is None or (isinstance(part, list) and not part):
        raise InputError(f"loss.{weight}: this model has no such part, it needs {what}; set the weight to 0.")
    return part
