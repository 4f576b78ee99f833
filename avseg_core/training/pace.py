"""How fast a run is, how long it still takes, and how much memory it holds."""

from __future__ import annotations

import sys

import torch

SMOOTHING = 0.1


class Pace:
    """Smoothed seconds per step and per evaluation."""

    def __init__(self) -> None:
        self._step: float | None = None
        self._steps = 0
        self._evaluation = 0.0

    def step(self, seconds: float) -> None:
        """One step took so long; the very first one, which warms everything up, is forgotten soon."""
        self._steps += 1
        slow_start = self._step is None or self._steps == 2
        self._step = seconds if slow_start else (1 - SMOOTHING) * (self._step or 0.0) + SMOOTHING * seconds

    def evaluation(self, seconds: float) -> None:
        """The last evaluation took so long."""
        self._evaluation = seconds

    def seconds_left(self, steps: int, evaluations: int) -> float | None:
        """None before the first step."""
        return None if self._step is None else steps * self._step + evaluations * self._evaluation


def memory_mb(device: torch.device) -> float:
    """Largest use so far: of the GPU if that computes, otherwise of this process (0 where the system does not tell)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
