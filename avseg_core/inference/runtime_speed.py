"""Which runtime is the faster one for a model on this machine: made, compared, timed in turns and remembered."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

import torch

from avseg_core.config import InferenceConfig
from avseg_core.inference.device import share_threads
from avseg_core.inference.onnx_files import OnnxRecord
from avseg_core.inference.onnx_runtime import check_supported, keep_times
from avseg_core.inference.runtime import demo_inputs, hash_weights, make_ready
from avseg_core.models.checkpoints import load_model
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check


def choose_runtime(
    name: str, *, rounds: int = 8, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> OnnxRecord:
    """Makes the ONNX files of the model `name` if there are none, and times both runtimes on the CPU, frame by frame.

    From then on "auto" takes the faster one for this model.

    Raises:
        InputError: no such model, onnxruntime cannot run it, or a package is missing.
        AVSegError: the files answer otherwise than PyTorch, or cannot be written.
        Cancelled: `cancel` said so.
    """
    cpu, config = torch.device("cpu"), InferenceConfig(model=name, device="cpu", runtime="onnx")
    torch.set_num_threads(share_threads(config)[1])
    plain, other = load_model(name), load_model(name)
    check_supported(plain, cpu)
    weights_hash = hash_weights(plain)
    models = {
        "torch": make_ready(plain, replace(config, runtime="torch"), cpu, weights_hash),
        "onnx": make_ready(other, config, cpu, weights_hash),
    }
    times: dict[str, list[float]] = {runtime: [] for runtime in models}
    frames, logmel = (rows[:1] for rows in demo_inputs(plain))
    for turn in range(rounds + 1):  # the first round warms up
        for runtime, model in models.items():
            check(cancel)
            started = time.perf_counter()
            with torch.inference_mode():
                model(frames, logmel)
            times[runtime].append(1000 * (time.perf_counter() - started))
        if progress is not None:
            progress(Progress("timing both runtimes", turn + 1, rounds + 1))
    return keep_times(weights_hash, {runtime: round(median(found[1:]), 1) for runtime, found in times.items()})
