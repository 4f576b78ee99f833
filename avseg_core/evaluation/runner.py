"""Evaluation itself: clips through the model, every clip into the meter, memory independent of the data set's size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.loading import load_in_order
from avseg_core.data.registry import DATASETS
from avseg_core.data.sample import AVSBatch
from avseg_core.data.transforms import denormalise
from avseg_core.errors import InputError
from avseg_core.evaluation.predictions import predicted_labels, save_masks
from avseg_core.evaluation.report import EvaluationReport, Example, ExampleKeeper, mean_known
from avseg_core.metrics import PROTOCOLS, Protocol, make_meter
from avseg_core.models.clips import answer_clips
from avseg_core.models.output import AVSModel
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check


def evaluate_model(
    model: AVSModel,
    dataset: ClipDataset,
    *,
    name: str = "",
    protocols: Sequence[Protocol] = PROTOCOLS,
    batch_sizes: Sequence[int] = (4, 2),
    device: torch.device | str = "cpu",
    clips_per_forward: int = 4,
    notes: Sequence[str] = (),
    examples: int = 0,
    save_to: Path | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> EvaluationReport:
    """Measures `model` (already on `device`) on all clips of `dataset`; its training mode is restored afterwards.

    Args:
        batch_sizes: clips per batch of the avsbench protocol; independent of `clips_per_forward`.
        notes: what a reader of the figures must know beside what is found out here.
        examples: how many of the worst and of the best frames to keep as pictures.
        save_to: folder for the predicted masks, named as the published code names them.

    Raises:
        InputError: the model needs clips of another length, or nothing in the split is annotated.
        Cancelled: `cancel` answered True.
    """
    length = dataset.config.frames_per_clip
    if model.clip_length not in (None, length):
        raise InputError(f"The model takes clips of {model.clip_length} frames, the data set has {length} per clip.")
    meter = make_meter(dataset.class_names, protocols, batch_sizes)
    keeper = ExampleKeeper(examples)
    clip_iou: dict[str, float] = {}
    frames, not_finite = 0, 0
    for index, batch, logits in _answers(model, dataset, device, clips_per_forward, save_to is not None):
        check(cancel)
        quality = meter.add(logits, batch.labels, batch.has_label, batch.is_frame)
        (clip,) = batch.clip_ids
        frames += int((~quality.isnan()).sum())
        not_finite += int((~logits.isfinite()).flatten(1).any(1).sum())
        clip_iou[clip] = mean_known(quality.tolist())
        _keep_examples(keeper, clip, batch, logits, quality)
        if save_to is not None:
            save_masks(save_to, dataset, index, logits)
        if progress is not None:
            progress(Progress("evaluate", index + 1, len(dataset)))
    if not frames:
        raise InputError(f"{dataset.config.root}: no frame of the split {dataset.split!r} is annotated.")
    return EvaluationReport(
        model=name,
        dataset=DATASETS[dataset.config.dataset].title,
        split=dataset.split,
        image_size=dataset.config.image_size,
        clips=len(dataset),
        frames=frames,
        scores=tuple(meter.results()),
        notes=(*notes, *_notes(dataset, not_finite)),
        clip_iou={clip: iou for clip, iou in clip_iou.items() if not math.isnan(iou)},
        worst=keeper.worst(),
        best=keeper.best(),
    )


def _answers(
    model: AVSModel, dataset: ClipDataset, device: torch.device | str, clips_per_forward: int, every_frame: bool
) -> Iterator[tuple[int, AVSBatch, Tensor]]:
    """Each clip alone with its index and its logits [T,C,H,W]; zero for frames that need no answer."""
    index = 0
    with _evaluating(model):
        for whole in load_in_order(dataset, clips_per_forward, workers=dataset.config.workers):
            batch = whole.to(device)
            with torch.inference_mode():
                logits = _forward(model, batch, every_frame)
            for k, answer in enumerate(logits.split(batch.frames_per_clip)):
                yield index, batch.clip(k), answer
                index += 1


def _forward(model: AVSModel, batch: AVSBatch, every_frame: bool) -> Tensor:
    """[B*T,C,H,W]. Models without memory across frames skip padding and, unless asked, what nobody annotated."""
    if model.clip_length is not None:
        return model(batch.frames, batch.logmel, batch.is_frame).logits
    needed = batch.is_frame if every_frame else batch.is_frame & batch.has_label
    if bool(needed.all()):
        return answer_clips(model, batch.frames, batch.logmel, batch.frames_per_clip).logits
    some = answer_clips(model, batch.frames, batch.logmel, batch.frames_per_clip, chosen=needed).logits
    logits = some.new_zeros(len(needed), *some.shape[1:])
    logits[needed] = some
    return logits


@contextmanager
def _evaluating(model: AVSModel) -> Iterator[None]:
    """Evaluation mode for the length of the block."""
    module = model if isinstance(model, nn.Module) else None
    was_training = module is not None and module.training
    if module is not None:
        module.eval()
    try:
        yield
    finally:
        if module is not None:
            module.train(was_training)


def _keep_examples(keeper: ExampleKeeper, clip: str, batch: AVSBatch, logits: Tensor, quality: Tensor) -> None:
    """The clip's worst frame, and its best one with an object, if they are worth keeping."""
    known = [(iou, k) for k, iou in enumerate(quality.tolist()) if not math.isnan(iou)]
    with_object = [(iou, k) for iou, k in known if bool(batch.labels[k].any())]
    if known and keeper.wants_worst(min(known)[0]):
        keeper.keep_worst(_example(clip, batch, logits, *min(known)))
    if with_object and keeper.wants_best(max(with_object)[0]):
        keeper.keep_best(_example(clip, batch, logits, *max(with_object)))


def _example(clip: str, batch: AVSBatch, logits: Tensor, iou: float, frame: int) -> Example:
    return Example(
        clip_id=clip,
        frame=frame,
        iou=iou,
        image=denormalise(batch.frames[frame]),
        truth=batch.labels[frame].to(torch.uint8).cpu().numpy(),
        prediction=predicted_labels(logits[frame : frame + 1])[0].cpu().numpy(),
    )


def _notes(dataset: ClipDataset, not_finite: int) -> Iterator[str]:
    published = DATASETS[dataset.config.dataset].published.get(dataset.split)
    if published is not None and published != len(dataset):
        yield f"{len(dataset)} clips instead of the published {published}: not comparable with published figures."
    if not_finite:
        yield f"In {not_finite} frames the model answered values that are not finite numbers."
