"""Which device computes, and why: a graphics card is never left unused without a word."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import torch

from avseg_core.config import InferenceConfig
from avseg_core.errors import InputError

log = logging.getLogger(__name__)

_MOST_LANES = 4
"""Each holds the maps of a frame of its own in memory."""


def choose_device(wanted: str = "auto") -> tuple[torch.device, str]:
    """The device for "auto", "cpu", "cuda" or "mps", with the reason in one sentence (also logged).

    Raises:
        InputError: the wanted device is not there or does not work.
    """
    if wanted == "cpu":
        device, reason = torch.device("cpu"), "CPU, as asked for."
    elif wanted in ("cuda", "mps"):
        problem = _cuda_problem() if wanted == "cuda" else _mps_problem()
        if problem:
            raise InputError(f"--device {wanted}: {problem}; use --device auto or cpu.")
        device, reason = torch.device(wanted), f"{_name(wanted)}, as asked for."
    elif wanted == "auto":
        device, reason = _automatic()
    else:
        raise InputError(f"Unknown device {wanted!r}; choose one of: auto, cpu, cuda, mps.")
    log.info("Device: %s", reason)
    return device, reason


def cpu_threads(wanted: int = 0) -> int:
    """Threads for the model on the CPU: `wanted`, or all usable cores but one, which decodes and draws."""
    return wanted if wanted > 0 else max(1, usable_cores() - 1)


def share_threads(config: InferenceConfig) -> tuple[int, int]:
    """How many lanes there are on the CPU, and how many threads each has."""
    threads = cpu_threads(config.threads)
    lanes = min(config.lanes, config.batch_size, threads)
    return lanes, threads // lanes


def decoder_threads(device: torch.device) -> int:
    """Threads that decode video for a model on `device`; 0: one per core.

    Where the model needs the cores too there are fewer: several threads take a third more processor time for the same
    pictures than one.
    """
    return max(1, usable_cores() // 2) if device.type == "cpu" else 0


def unattended(config: InferenceConfig) -> InferenceConfig:
    """`config` for a process beside which nothing is played or drawn: on a CPU all cores, shared by a few lanes.

    Lanes share the cores with decoding better than one forward pass of many threads, which waits for its last one. One
    frame per pass is the fastest: the maps of several are so large that the system clears new memory for each.

    Raises:
        InputError: the wanted device is not there or does not work.
    """
    if config.threads or choose_device(config.device)[0].type != "cpu":
        return config
    lanes = min(usable_cores(), _MOST_LANES)
    return replace(config, threads=usable_cores(), lanes=lanes, batch_size=lanes)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _automatic() -> tuple[torch.device, str]:
    cuda, mps = _cuda_problem(), _mps_problem()
    if cuda is None:
        return torch.device("cuda"), f"{_name('cuda')}, the fastest device here."
    if mps is None:
        return torch.device("mps"), f"{_name('mps')}, the fastest device here."
    return torch.device("cpu"), f"CPU, because {cuda} and {mps}."


def _name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else "the Apple GPU"


def _cuda_problem() -> str | None:
    """Why CUDA cannot be used, in words that follow "because"; None if a computation on it works."""
    present = shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()
    if torch.version.cuda is None and torch.version.hip is None:
        advice = " although an NVIDIA card seems to be here (install a CUDA build of PyTorch)" if present else ""
        return f"this PyTorch is built without CUDA{advice}"
    if not torch.cuda.is_available():
        advice = ", although its driver is installed (is it too old for this PyTorch?)" if present else ""
        return f"there is no usable NVIDIA GPU{advice}"
    try:
        torch.ones(8, device="cuda").mul(2).sum().item()
    except RuntimeError as error:
        return f"the NVIDIA GPU fails ({str(error).splitlines()[0]})"
    return None


def _mps_problem() -> str | None:
    """Why the GPU of an Apple computer cannot be used, in words that follow "because"; None if it can."""
    if not torch.backends.mps.is_built():
        return "this PyTorch is built without Apple's Metal"
    return None if torch.backends.mps.is_available() else "there is no usable Apple GPU"
