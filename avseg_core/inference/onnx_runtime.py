"""AVSegFormer on onnxruntime: its two halves as ONNX files in the user's folder, kept only if they answer as PyTorch.

The files belong to exactly one model, by the hash of its weights; `record.json` beside them holds their own hashes, so
that a damaged or foreign file is never opened, and what was measured.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from avseg_core.errors import InputError
from avseg_core.inference.onnx_files import DECIDE, RECORD, SEE, OnnxRecord, onnx_folder, read_record
from avseg_core.models.audio_encoders import per_distinct
from avseg_core.models.avsegformer import AVSegFormer, VisualFeatures
from avseg_core.models.detector import BOX_VALUES
from avseg_core.models.library import sha256
from avseg_core.models.onnx_export import (
    Inputs,
    compare_logits,
    need_packages,
    open_session,
    random_inputs,
    write_graph,
)
from avseg_core.models.output import AVSModel, AVSOutput
from avseg_core.results.writing import atomic, write_error

log = logging.getLogger(__name__)

_SEEN = VisualFeatures._fields
_DECIDED = ("logits", "mixed", "mixer_weights")
_HEARD = "heard"
"""How strongly the sound speaks for every thing [N,1001], of a model with `label_prior`."""


class OnnxModel:
    """The contract of `AVSModel` for AVSegFormer: seeing and deciding on onnxruntime, hearing on PyTorch.

    Several threads may use it at once.
    """

    clip_length: int | None = None

    def __init__(self, model: AVSegFormer, weights_hash: str, folder: Path, threads: int) -> None:
        self.config = model.config
        self.audio_encoder = model.audio_encoder
        self.label_prior = model.label_prior
        self.weights_hash = weights_hash
        self._see = open_session(folder / SEE, threads)
        self._decide = open_session(folder / DECIDE, threads)
        self._seen = [item.name for item in self._see.get_outputs()]
        self._wanted = {item.name for item in self._decide.get_inputs()}
        self._answers = [item.name for item in self._decide.get_outputs()]
        if (model.label_prior is not None) != (_HEARD in self._wanted):
            raise ValueError("they were made by another version")

    def encode_visual(self, frames: Tensor) -> VisualFeatures:
        """As `AVSegFormer.encode_visual`."""
        found = self._see.run(None, {"frames": frames.contiguous().numpy()})
        return _with_empty(dict(zip(self._seen, map(torch.from_numpy, found), strict=True)))

    def embed_audio(self, logmel: Tensor) -> Tensor:
        """As `AVSegFormer.embed_audio`."""
        return per_distinct(self.audio_encoder, logmel)

    def segment(self, visual: VisualFeatures, logmel: Tensor) -> AVSOutput:
        """As `AVSegFormer.segment`."""
        return self.segment_embedding(visual, self.embed_audio(logmel))

    def segment_embedding(self, visual: VisualFeatures, embedding: Tensor, things: Tensor | None = None) -> AVSOutput:
        """As `AVSegFormer.segment_embedding`."""
        inputs = {**dict(zip(_SEEN, visual, strict=True)), "embedding": embedding}
        if self.label_prior is not None:
            inputs[_HEARD] = self.label_prior.hear(embedding) if things is None else things
        arrays = {name: tensor.contiguous().numpy() for name, tensor in inputs.items() if name in self._wanted}
        found = self._decide.run(None, arrays)
        by_name = {name: torch.from_numpy(array) for name, array in zip(self._answers, found, strict=True)}
        return AVSOutput(by_name["logits"], by_name["mixed"], by_name.get("mixer_weights"))

    def __call__(self, frames: Tensor, logmel: Tensor) -> AVSOutput:
        return self.segment(self.encode_visual(frames), logmel)


class _See(nn.Module):
    """Tensors in, tensors out: `encode_visual`."""

    def __init__(self, model: AVSegFormer) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        visual = self.model.encode_visual(frames)._asdict()
        return tuple(visual[name] for name in _seen_by(self.model))


class _Decide(nn.Module):
    """Tensors in, tensors out: `segment_embedding`."""

    def __init__(self, model: AVSegFormer) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        embedding: Tensor,
        memory: Tensor,
        mask_feature: Tensor,
        things: Tensor | None = None,
        heard: Tensor | None = None,
        boxes: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        given = dict(zip(_SEEN, (memory, mask_feature, things, boxes), strict=True))
        visual = _with_empty({name: tensor for name, tensor in given.items() if tensor is not None})
        output = self.model.segment_embedding(visual, embedding, things=heard)
        assert output.mask_feature is not None
        found = output.logits, output.mask_feature
        return found if output.mixer_weights is None else (*found, output.mixer_weights)


def _seen_by(model: AVSegFormer) -> list[str]:
    """The names of the visual features that are not empty."""
    has = {"things": model.label_prior is not None, "boxes": model.detector is not None}
    return [name for name in _SEEN if has.get(name, True)]


def _with_empty(seen: dict[str, Tensor]) -> VisualFeatures:
    """The visual features, those left out as `AVSegFormer` answers them that has none."""
    count, _, height, width = seen["mask_feature"].shape
    empty = {"things": (count, 0, height // 8, width // 8), "boxes": (count, 0, BOX_VALUES)}
    missing = {name: seen["memory"].new_zeros(shape) for name, shape in empty.items() if name not in seen}
    return VisualFeatures(**seen, **missing)


def check_supported(model: AVSModel, device: torch.device) -> AVSegFormer:
    """`model` if onnxruntime can run it here.

    Raises:
        InputError: it is of another kind, the device is no CPU, or onnxruntime is missing.
    """
    if not isinstance(model, AVSegFormer):
        raise InputError("--runtime onnx runs AVSegFormer only; use --runtime torch for this model.")
    if device.type != "cpu":
        raise InputError(f"--runtime onnx runs on the CPU only, not on {device}; use --device cpu.")
    need_packages(["onnxruntime"])
    return model


def load_onnx(model: AVSegFormer, weights_hash: str, threads: int) -> OnnxModel | None:
    """`model` on onnxruntime; None if there are no files, and a line in the log if they are no good."""
    record, folder = read_record(weights_hash), onnx_folder(weights_hash)
    if record is None:
        return None
    try:
        if all(sha256(folder / name) == digest for name, digest in record.hashes.items()):
            return OnnxModel(model, weights_hash, folder, threads)
        problem = "they are not those that were checked"
    except Exception as error:  # onnxruntime raises what it likes
        problem = str(error).splitlines()[0]
    log.warning("%s: its ONNX files are not used (%s).", folder, problem)
    return None


def build_onnx(model: AVSegFormer, weights_hash: str, real: Sequence[Inputs] = ()) -> OnnxRecord:
    """Makes the files of `model`, which is in evaluation mode on the CPU, and compares them; all or nothing.

    Args:
        real: inputs to compare on beside random ones.

    Raises:
        InputError: a package is missing, or the user's folder is not writable.
        AVSegError: the files answer otherwise than PyTorch, or the disk is full or failed.
    """
    need_packages()
    folder = onnx_folder(weights_hash)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        _write_halves(model, partial)
        made = OnnxModel(model, weights_hash, partial, torch.get_num_threads())
        tests = [*(random_inputs(cast(AVSModel, model), count, seed=count) for count in (1, 3)), *real]
        difference = max(_compare(model, made, test) for test in tests)
        del made
        source = sha256(model.file) if model.file is not None else ""
        record = OnnxRecord({name: sha256(partial / name) for name in (SEE, DECIDE)}, difference, {}, source)
        (partial / RECORD).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    except OSError as error:
        raise write_error(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return record


def keep_times(weights_hash: str, milliseconds: dict[str, float]) -> OnnxRecord:
    """Adds what was measured to the record of files that are there. Raises AVSegError if it cannot be written."""
    record, path = read_record(weights_hash), onnx_folder(weights_hash) / RECORD
    assert record is not None
    record = replace(record, milliseconds=milliseconds)
    with atomic(path) as partial:
        partial.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    return record


def _write_halves(model: AVSegFormer, folder: Path) -> None:
    with torch.no_grad():
        frames, logmel = random_inputs(cast(AVSModel, model), 2, seed=0)
        seen = [tensor.contiguous() for tensor in _See(model)(frames)]  # other strides cannot be exported
        embedding = model.embed_audio(logmel)
        heard = None if model.label_prior is None else model.label_prior.hear(embedding)
    names = _seen_by(model)
    write_graph(_See(model).eval(), (frames,), folder / SEE, (["frames"], names), free=True, config=model.config)
    given = ["embedding", *names]
    tensors = [embedding, *seen]
    if heard is not None:  # in its place among the arguments of `_Decide.forward`
        place = given.index("things") + 1
        given.insert(place, _HEARD)
        tensors.insert(place, heard)
    inputs = (given, list(_DECIDED))
    write_graph(_Decide(model).eval(), tuple(tensors), folder / DECIDE, inputs, free=True, config=model.config)


@torch.inference_mode()
def _compare(model: AVSegFormer, made: Any, inputs: Inputs) -> float:
    return compare_logits(made(*inputs).logits, model(*inputs).logits, "onnxruntime")
