"""An AVS model taken apart for live use: seeing, hearing and deciding, each at its own pace."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avseg_core.audio.front_end import window_logmel
from avseg_core.config import InferenceConfig
from avseg_core.inference.live_config import LiveConfig
from avseg_core.inference.preprocess import normalise, resize_frame
from avseg_core.inference.samples import loudness_dbfs
from avseg_core.inference.segmenter import Segmenter, to_masks, top_tags
from avseg_core.media.windows import WINDOW_SECONDS
from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.detector import Detector
from avseg_core.models.label_bridge import NEARBY

_DETECT_EVERY = 3
"""Looks, half a second on two cores: the detector is a sixth of the time of a look."""
_REMEMBER_EVERY = 0.5
"""Seconds between the ends of the windows of sound that are remembered."""


@dataclass(frozen=True)
class Heard:
    """What the model has made of a window of sound."""

    logmel: Tensor
    """[N,1,96,64], N frames of the same sound."""
    embedding: Tensor | None
    """[N,E]; None for a model that takes log-mels only."""
    things: Tensor | None
    """[N,1001], how strongly the sound speaks for every thing; None for a model without `label_prior`."""
    tags: tuple[tuple[str, float], ...]
    loudness: float


@dataclass(frozen=True, eq=False)
class Decided:
    """The model's answer on its own grid."""

    probability: NDArray[np.uint8]
    """[h,w]"""
    labels: NDArray[np.uint8] | None
    """[h,w]"""
    mixer_weights: NDArray[np.float32] | None
    """[D]"""


class LiveModel:
    """See, hear and decide. One thread at a time may use it."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.name = segmenter.name
        self.model_hash = segmenter.model_hash
        self.class_names = segmenter.class_names
        self.device, self.device_reason = segmenter.device, segmenter.device_reason
        self._model: Any = segmenter.model
        self._boxes: Tensor | None = None
        self._looks = 0
        self._past: deque[tuple[float, Tensor]] = deque()
        """When windows of sound ended, and their embeddings [1,E]."""
        # A model that needs whole clips gets the same moment as often as its clip is long.
        self._frames = segmenter.model.clip_length or 1

    @classmethod
    def load(cls, config: LiveConfig) -> LiveModel:
        """Loads `config.model` onto `config.device`.

        Raises:
            InputError: there is no such model, its file is damaged, or the wanted device is not there.
        """
        return cls(Segmenter.load(InferenceConfig(model=config.model, device=config.device, threads=config.threads)))

    @torch.inference_mode()
    def see(self, image: NDArray[np.uint8]) -> Any:
        """image [H,W,3] RGB -> all that does not depend on sound."""
        frame = normalise(resize_frame(image, self._model.config.image_size)[None].to(self.device))  # [1,3,h,w]
        if isinstance(self._model, AVSegFormer) and self._model.detector is not None:
            return self._model.encode_maps(self._model.backbone(frame), self._detect(self._model.detector, frame))
        return self._model.encode_visual(frame.expand(self._frames, -1, -1, -1))

    def _detect(self, detector: Detector, frame: Tensor) -> Tensor:
        """The detector's boxes, now and then anew: things stay about where they are for so long."""
        if self._boxes is None or self._looks % _DETECT_EVERY == 0:
            self._boxes = detector(frame)
        self._looks += 1
        return self._boxes

    @torch.inference_mode()
    def hear(self, waveform: NDArray[np.float32], stop: float) -> Heard:
        """waveform [HEARD_SAMPLES] at 16 kHz, ended at `stop` (seconds) -> what it sounds like after those before."""
        encoder = self._model.audio_encoder
        logmel = torch.from_numpy(window_logmel(waveform, encoder.front_end))[None].to(self.device)  # [1,1,96,64]
        embedding = self._model.embed_audio(logmel) if hasattr(self._model, "segment_embedding") else None
        tags: tuple[tuple[str, float], ...] = ()
        if isinstance(encoder, YAMNet):
            known = encoder(logmel) if embedding is None else embedding
            (tags,) = top_tags(encoder.name_sounds(known))
        things = None
        if embedding is not None:
            things = self._hear_after(embedding, stop)
            embedding = embedding.expand(self._frames, -1)
        return Heard(logmel.expand(self._frames, -1, -1, -1), embedding, things, tags, loudness_dbfs(waveform))

    def _hear_after(self, embedding: Tensor, stop: float) -> Tensor | None:
        """[1,E] -> things [1,1001], heard beside what is remembered of the seconds before; remembers it as well."""
        prior = getattr(self._model, "label_prior", None)
        if prior is None:
            return None
        if self._past and stop < self._past[-1][0]:  # another recording, or one that started anew
            self._past.clear()
        while self._past and self._past[0][0] < stop - NEARBY:
            self._past.popleft()
        others = [(end, past) for end, past in self._past if end <= stop - WINDOW_SECONDS]
        apart = torch.tensor([[0.0, *(stop - end for end, _ in others)]]).to(embedding)
        if not self._past or stop >= self._past[-1][0] + _REMEMBER_EVERY:
            self._past.append((stop, embedding))
        heard: Tensor = prior.hear_among(torch.stack([embedding, *(past for _, past in others)], dim=1), apart)
        return heard

    @torch.inference_mode()
    def decide(self, seen: Any, heard: Heard) -> Decided:
        """Which of the pixels that were seen make the sound that was heard."""
        if heard.embedding is None:
            output = self._model.segment(seen, heard.logmel)
        else:
            known = {} if heard.things is None else {"things": heard.things}
            output = self._model.segment_embedding(seen, heard.embedding, **known)
        probability, labels = to_masks(output.logits[:1])
        weights = output.mixer_weights
        return Decided(
            probability=probability[0],
            labels=None if labels is None else labels[0],
            mixer_weights=None if weights is None else weights[0].float().cpu().numpy(),
        )
