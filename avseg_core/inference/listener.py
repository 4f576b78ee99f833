"""What the seconds of a video sound like to a model, each heard once and, by models that can, among its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avseg_core.inference.samples import Sample, Second
from avseg_core.models.output import AVSModel

_KEPT = 512
"""Seconds whose embeddings are kept for samples to come: two megabytes, four seconds at a hundred masks each."""


class Listener:
    """Hears samples of one video that come about in order; several threads may use it."""

    def __init__(self, model: AVSModel, device: torch.device) -> None:
        self._model: Any = model
        self._prior: Any = getattr(model, "label_prior", None)
        self._device = device
        self._known: dict[float, Tensor] = {}
        self._lock = threading.Lock()

    def __call__(self, samples: Sequence[Sample]) -> tuple[Tensor, dict[str, Tensor]]:
        """Embeddings [N,E] of the samples' own sounds, and as "things" [N,1001], if the model has a `label_prior`, how
        strongly they speak for every thing."""
        with self._lock:
            self._hear([second for sample in samples for second in (sample.sound, *sample.nearby)])
            embedding = torch.stack([self._known[sample.sound.start] for sample in samples])
            heard = {} if self._prior is None else {"things": self._hear_among(embedding, samples)}
            for start in list(self._known)[:-_KEPT]:
                del self._known[start]
        return embedding, heard

    def _hear(self, seconds: Sequence[Second]) -> None:
        """Embeds those that are not known."""
        new = {second.start: second.logmel for second in seconds if second.start not in self._known}
        if new:
            logmel = torch.from_numpy(np.stack(list(new.values()))).to(self._device)
            self._known.update(zip(new, self._model.embed_audio(logmel).float(), strict=True))

    def _hear_among(self, embedding: Tensor, samples: Sequence[Sample]) -> Tensor:
        """[N,E] and their samples -> how strongly every sound speaks for every thing [N,1001]."""
        most = max(len(sample.nearby) for sample in samples)
        among = embedding[:, None].repeat(1, 1 + most, 1)  # [N,S,E]
        apart = torch.full((len(samples), 1 + most), torch.inf)
        apart[:, 0] = 0.0
        for row, sample in enumerate(samples):
            for column, second in enumerate(sample.nearby, start=1):
                among[row, column] = self._known[second.start]
                apart[row, column] = abs(second.start - sample.window.start)
        heard: Tensor = self._prior.hear_among(among, apart.to(among))
        return heard
