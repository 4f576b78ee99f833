"""The segmenter: windows of a video through a model, in batches, at constant memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.config import InferenceConfig
from avseg_core.data.palette import AVSS_CLASSES
from avseg_core.errors import AVSegError
from avseg_core.inference.device import choose_device, decoder_threads, share_threads
from avseg_core.inference.lanes import in_lanes
from avseg_core.inference.listener import Listener
from avseg_core.inference.preprocess import normalise
from avseg_core.inference.read_ahead import read_ahead
from avseg_core.inference.refine import refine
from avseg_core.inference.runtime import hash_weights, make_ready
from avseg_core.inference.samples import Sample, make_sample, read_samples
from avseg_core.media.windows import Window
from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.checkpoints import load_model
from avseg_core.models.label_bridge import NEARBY
from avseg_core.models.library import WEIGHTS
from avseg_core.models.output import AVSModel, AVSOutput
from avseg_core.progress import CancelCheck, Progress, ProgressCallback
from avseg_core.results.result import WindowResult

log = logging.getLogger(__name__)

_MOST_TAGS = 5
_LEAST_SCORE = 0.1


class Segmenter:
    """A model on a device, and how video gets through it. One thread at a time may use it."""

    def __init__(self, model: AVSModel, config: InferenceConfig, *, name: str | None = None) -> None:
        """Takes `model` to the device of `config`, in evaluation mode; results call it `name`.

        Raises:
            InputError: the wanted device is not there or does not work.
        """
        self.config = config
        self.name = name or config.model
        self.device, self.device_reason = choose_device(config.device)
        self._lanes = 1
        if self.device.type == "cpu":
            # Whole clips are large enough to be computed one after the other.
            shared = config if model.clip_length is None else replace(config, lanes=1)
            self._lanes, threads = share_threads(shared)
            torch.set_num_threads(threads)
        self.model = model
        if isinstance(model, nn.Module):
            model.eval().to(self.device)
        self.clip_length = model.clip_length or 1
        """So many windows in a row the model sees together."""
        self._batch = max(config.batch_size // self._lanes // self.clip_length, 1) * self.clip_length
        self._room = threading.Semaphore(self._lanes)
        self._emptying = threading.Lock()

    @classmethod
    def load(cls, config: InferenceConfig) -> Segmenter:
        """A segmenter with the model that `config.model` names: a shipped or imported one, or a file.

        Raises:
            InputError: no such model, a damaged file, or a device or runtime that is not there or not for `fast`.
            AVSegError: the model cannot be made ready for the wanted runtime.
        """
        path = Path(config.model)
        name = path.parent.name if path.name == WEIGHTS else path.name.removesuffix(".safetensors")
        segmenter = cls(load_model(config.model), config, name=name)
        weights = segmenter.model_hash  # kept from here on: it is of the weights as they are in the file
        segmenter.model = make_ready(segmenter.model, config, segmenter.device, weights)
        return segmenter

    @cached_property
    def model_hash(self) -> str:
        """SHA-256 of configuration and weights, the same however and wherever the model is kept."""
        return hash_weights(self.model)

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per class, the first is the background; empty for a sounding / not sounding model."""
        count = self.model.config.num_classes
        if count == 1:
            return ()
        if count == len(AVSS_CLASSES):
            return AVSS_CLASSES
        return ("background", *(f"class {number}" for number in range(1, count)))

    def segment(
        self,
        video: Path,
        windows: Sequence[Window],
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
    ) -> Generator[WindowResult, None, None]:
        """The results of `windows` (sorted by `frame_time`) of the video, in order, as they are ready.

        Raises:
            InputError: the video cannot be read.
            Cancelled: `cancel` said so; it is asked at least once per batch and while decoding is waited for.
            AVSegError: the device is out of memory even for a single frame.
        """
        for results in self.segment_batches(video, windows, progress=progress, cancel=cancel):
            yield from results

    def segment_batches(
        self,
        video: Path,
        windows: Sequence[Window],
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
    ) -> Generator[list[WindowResult], None, None]:
        """As `segment`, a list per forward pass; a model that needs whole clips gets consecutive windows as clips."""
        read = partial(
            read_samples,
            video,
            windows,
            size=self.model.config.image_size,
            front_end=self.model.audio_encoder.front_end,
            threads=decoder_threads(self.device),
            nearby=0 if getattr(self.model, "label_prior", None) is None else NEARBY,
        )
        samples = read_ahead(read, depth=2 * self._batch * self._lanes, cancel=cancel)
        batches = iter(lambda: list(islice(samples, self._batch)), [])
        done = 0
        listener = Listener(self.model, self.device)
        for results in in_lanes(partial(self._segment_samples, listener=listener), batches, self._lanes):
            done += len(results)
            yield results
            if progress is not None:
                progress(Progress("segment", done, len(windows)))

    def segment_one(
        self, image: NDArray[np.uint8], waveform: NDArray[np.float32], window: Window | None = None
    ) -> WindowResult:
        """The result of one frame, image [H,W,3] RGB, and its second of sound, waveform [16000] at 16 kHz.

        A model that needs whole clips gets a clip of this frame only.
        """
        return self._segment_samples([self._sample(image, waveform, window)], Listener(self.model, self.device))[0]

    def mask_features(self, image: NDArray[np.uint8], waveform: NDArray[np.float32]) -> NDArray[np.float16] | None:
        """The mask feature after the mixer [D,h,w] for one frame and its sound; None if the model has none."""
        feature = self._forward([self._sample(image, waveform)], Listener(self.model, self.device))[0].mask_feature
        return None if feature is None else feature[0].half().cpu().numpy()

    def _sample(self, image: NDArray[np.uint8], waveform: NDArray[np.float32], window: Window | None = None) -> Sample:
        window = window or Window(0, 0.0, 1.0, 0.5)
        size, front_end = self.model.config.image_size, self.model.audio_encoder.front_end
        return make_sample(window, window.frame_time, image, waveform, size=size, front_end=front_end)

    def _segment_samples(self, samples: Sequence[Sample], listener: Listener) -> list[WindowResult]:
        """The results of samples, with smaller batches, then one lane at a time, where the memory does not suffice."""
        results: list[WindowResult] = []
        alone = False
        while len(results) < len(samples):
            rest = samples[len(results) : len(results) + self._batch]
            try:
                with self._memory(alone):
                    results += self._results(rest, listener)
                alone = False
                continue
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
            # Out here the error holds no tensors any more.
            if len(rest) > self.clip_length:
                self._halve_batch(len(rest))
            elif alone or self._lanes == 1:
                raise AVSegError(f"{self.name}: {self.device} is out of memory; {_remedy(self.device)}.")
            else:
                alone = True
        return results

    @contextmanager
    def _memory(self, alone: bool) -> Iterator[None]:
        """The right to compute, beside the other lanes or without any of them."""
        with ExitStack() as held:
            if alone:
                held.enter_context(self._emptying)
            for _ in range(self._lanes if alone else 1):
                held.enter_context(self._room)
            yield

    def _halve_batch(self, failed: int) -> None:
        """Other lanes may have failed on the same size before."""
        half = max(failed // 2 // self.clip_length, 1) * self.clip_length
        if half < self._batch:
            self._batch = half
            log.warning("%s is out of memory; going on with %d windows at a time.", self.device, half)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def _results(self, samples: Sequence[Sample], listener: Listener) -> list[WindowResult]:
        output, tags = self._forward(samples, listener)
        probability, labels = to_masks(output.logits)
        if self.config.refine and labels is None:
            frames = (sample.frame.permute(1, 2, 0).numpy() for sample in samples)
            probability = np.stack([refine(mask, frame) for mask, frame in zip(probability, frames, strict=False)])
        mixer = None if output.mixer_weights is None else output.mixer_weights.float().cpu().numpy()
        return [
            WindowResult(
                window=sample.window,
                frame_time=sample.frame_time,
                probability=probability[row],
                labels=None if labels is None else labels[row],
                mixer_weights=None if mixer is None else mixer[row],
                tags=tags[row],
                loudness=sample.sound.loudness,
            )
            for row, sample in enumerate(samples)
        ]

    @torch.inference_mode()
    def _forward(
        self, samples: Sequence[Sample], listener: Listener
    ) -> tuple[AVSOutput, list[tuple[tuple[str, float], ...]]]:
        """The model's answer for samples, and what each sound is if the audio encoder can tell.

        The last clip of a model that needs whole clips is filled up with its last sample, so there may be more of both.
        """
        missing = -len(samples) % self.clip_length
        padded = [*samples, *[samples[-1]] * missing]
        frames = torch.stack([sample.frame for sample in padded]).to(self.device)  # [N,3,h,w] uint8
        model: Any = self.model
        visual, encoder = model.encode_visual(normalise(frames)), model.audio_encoder
        if not isinstance(encoder, YAMNet):
            logmel = torch.from_numpy(np.stack([sample.sound.logmel for sample in padded])).to(self.device)
            return model.segment(visual, logmel), [()] * len(padded)
        embedding, heard = listener(padded)
        return model.segment_embedding(visual, embedding, **heard), top_tags(encoder.name_sounds(embedding))


def top_tags(scores: Tensor) -> list[tuple[tuple[str, float], ...]]:
    """YAMNet's scores [N,521] -> the surest classes of each sound with their probabilities."""
    best, classes = scores.topk(_MOST_TAGS)
    return [
        tuple((YAMNET_CLASSES[index], score) for score, index in zip(row, names, strict=True) if score >= _LEAST_SCORE)
        for row, names in zip(best.tolist(), classes.tolist(), strict=True)
    ]


_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""Of Apple's GPU, and of the CPU on POSIX and on Windows, which have no exception of their own for it."""


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)


def _remedy(device: torch.device) -> str:
    return "close other programs" if device.type == "cpu" else "close other programs or use --device cpu"


def to_masks(logits: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """logits [N,C,H,W] -> 255 * probability [N,H,W], and labels [N,H,W] of a model with classes."""
    if logits.shape[1] == 1:
        return _to_bytes(logits[:, 0].sigmoid()), None
    return _to_bytes(1 - logits.softmax(dim=1)[:, 0]), logits.argmax(dim=1).to(torch.uint8).cpu().numpy()


def _to_bytes(probability: Tensor) -> NDArray[np.uint8]:
    """0..1 -> 0..255; halves are rounded down, so that exactly 0.5 is not above 0.5 afterwards either."""
    return (probability.float() * 255 - 0.5).ceil().to(torch.uint8).cpu().numpy()
