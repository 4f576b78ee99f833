"""What a model runs on: PyTorch, or onnxruntime where that was measured to be faster or is asked for."""

from __future__ import annotations

import hashlib
import json
import logging
from importlib.resources import files
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from avseg_core.config import InferenceConfig, to_dict
from avseg_core.errors import InputError
from avseg_core.inference.device import share_threads
from avseg_core.inference.fast import use_half_precision
from avseg_core.inference.fuse import prepare_for_inference
from avseg_core.inference.onnx_files import read_record
from avseg_core.inference.onnx_runtime import OnnxModel, build_onnx, check_supported, load_onnx
from avseg_core.inference.preprocess import normalise
from avseg_core.inference.samples import read_samples
from avseg_core.media.windows import Window
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.onnx_export import Inputs
from avseg_core.models.output import AVSModel

log = logging.getLogger(__name__)

_SECONDS = (0, 3, 9)
"""Of the demo clip, which are compared: two things that sound in turn, and silence."""


def hash_weights(model: AVSModel) -> str:
    """SHA-256 of configuration and weights, the same however and wherever the model is kept."""
    known: str | None = getattr(model, "weights_hash", None)
    if known is not None:
        return known
    digest = hashlib.sha256(json.dumps(to_dict(model.config), sort_keys=True).encode())
    for name, tensor in sorted(cast(nn.Module, model).state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def make_ready(model: AVSModel, config: InferenceConfig, device: torch.device, weights_hash: str) -> AVSModel:
    """`model`, which is as it was loaded, ready for `device` on `config.runtime`; it cannot be trained afterwards.

    "auto" is onnxruntime only where it was measured to be faster (`bench --runtimes`).

    Raises:
        InputError: "onnx" is asked for and cannot run this model here, or a package is missing; `config.fast` goes
            with another device or runtime.
        AVSegError: "onnx" is asked for and its files answer otherwise than PyTorch, or cannot be written.
    """
    if config.fast and config.runtime == "onnx":
        raise InputError("--fast: is PyTorch's half precision; leave out --runtime onnx.")
    ready = None if config.fast or config.runtime == "torch" else _on_onnx(model, config, device, weights_hash)
    if ready is not None:
        log.info("Runtime: onnxruntime.")
        prepare_for_inference(ready.audio_encoder, device)
        return cast(AVSModel, ready)
    prepare_for_inference(cast(nn.Module, model), device)
    model.weights_hash = weights_hash  # type: ignore[attr-defined]  # cannot be computed any more
    if config.fast:
        use_half_precision(model, device)
    return model


def _on_onnx(model: AVSModel, config: InferenceConfig, device: torch.device, weights_hash: str) -> OnnxModel | None:
    """`model` on onnxruntime; None to stay with PyTorch."""
    record, threads = read_record(weights_hash), share_threads(config)[1]
    if config.runtime == "auto":
        if record is None or not record.faster or device.type != "cpu":
            return None
        return load_onnx(cast(AVSegFormer, model), weights_hash, threads)
    supported = check_supported(model, device)
    ready = load_onnx(supported, weights_hash, threads)
    if ready is None:
        log.info("The model is converted for onnxruntime; later runs use the same files.")
        build_onnx(supported, weights_hash, [demo_inputs(model)])
        ready = load_onnx(supported, weights_hash, threads)
    return ready


def demo_inputs(model: AVSModel) -> Inputs:
    """Some seconds of the demo clip as `model` takes them."""
    clip = Path(str(files("resources"))) / "demo" / "demo.mp4"
    windows = [Window(second, second, second + 1.0, second + 0.5) for second in _SECONDS]
    size, front_end = model.config.image_size, model.audio_encoder.front_end
    samples = list(read_samples(clip, windows, size=size, front_end=front_end))
    frames = normalise(torch.stack([sample.frame for sample in samples]))
    return frames, torch.from_numpy(np.stack([sample.sound.logmel for sample in samples]))
