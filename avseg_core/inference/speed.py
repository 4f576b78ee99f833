"""How fast and how large: models and settings timed part by part in turns, and whole runs in processes of their own."""

from __future__ import annotations

import dataclasses
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import nn

from avseg_core.audio.front_end import EXAMPLE_FRAMES, MEL_BANDS, SAMPLE_RATE, window_logmel
from avseg_core.config import InferenceConfig, ModelConfig, with_overrides
from avseg_core.errors import AVSegError
from avseg_core.inference.device import choose_device, cpu_threads, unattended
from avseg_core.inference.memory import peak_memory
from avseg_core.inference.preprocess import normalise, resize_frame
from avseg_core.inference.run import segment_video
from avseg_core.inference.runtime import hash_weights, make_ready
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media.audio import AudioReader
from avseg_core.media.video import VideoReader
from avseg_core.media.windows import regular_windows
from avseg_core.models.checkpoints import load_model
from avseg_core.models.library import find_model, read_config
from avseg_core.models.output import AVSModel
from avseg_core.models.registry import build_model
from avseg_core.presets import lite_model_config, preset, preset_names
from avseg_core.progress import CancelCheck, Progress, ProgressCallback, check
from avseg_core.results.mask import upscale

PARTS = ("decode", "resize", "logmel", "encode_visual", "segment", "upscale")
RANDOM_LITE = "lite"
_RUN_SETTINGS = {field.name for field in dataclasses.fields(InferenceConfig)} - {"model"}
_LOGMEL = (EXAMPLE_FRAMES, MEL_BANDS)
_MASKS = 4
"""Masks per round of timing the parts."""


@dataclass(frozen=True)
class Contestant:
    """A model with settings, as `NAME[,setting=value...]`.

    NAME is a model's name or file, "lite", or a preset such as "v2-s4-r50"; presets, and models whose own settings are
    changed, have random weights, which are as fast as any.
    """

    spec: str
    run: InferenceConfig
    model: ModelConfig
    weights: str | None
    """Model whose weights are used; None for random ones."""

    @classmethod
    def parse(cls, spec: str, device: str = "auto") -> Contestant:
        """Reads a spec.

        Raises:
            InputError: no such model, preset or setting.
        """
        name, *assignments = re.split(r",(?![^\[]*\])", spec)  # not at the commas inside [height,width]
        of_run = [item for item in assignments if item.partition("=")[0] in _RUN_SETTINGS]
        of_model = [item for item in assignments if item not in of_run]
        run = with_overrides(InferenceConfig(model=name), [f"device={device}", *of_run])
        if name == RANDOM_LITE:
            config, weights = lite_model_config(), None
        elif name in preset_names():
            config, weights = preset(name).model, None
        else:
            config, weights = read_config(find_model(name)), None if of_model else name
        config = with_overrides(config, of_model)
        config.check()
        return cls(spec, run, config, weights)

    def build(self) -> AVSModel:
        """The model with its weights or random ones."""
        torch.manual_seed(0)
        model = build_model(self.model) if self.weights is None else load_model(self.weights)
        return cast(AVSModel, cast(nn.Module, model).eval())

    def load(self, device: torch.device) -> AVSModel:
        """The model on `device` as the segmenter makes it ready."""
        model = self.build()
        return make_ready(model, self.run, device, hash_weights(model))

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt."""
        return sum(parameter.numel() for parameter in cast(nn.Module, self.build()).parameters())


@dataclass
class Figures:
    """What was measured of one contestant."""

    spec: str
    device: str
    threads: int
    parameters: int
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Part -> median milliseconds per mask."""
    real_time_factor: float = 0.0
    """Seconds of video per second of segmenting it, the best run."""
    peak_megabytes: dict[int, float] = field(default_factory=dict)
    """Seconds of video -> largest resident memory of the whole process in MB (10^6 bytes)."""
    processor: float = 0.0
    """Milliseconds of processor time per second of video, of the same runs the least."""


def compare(
    contestants: Sequence[Contestant],
    clip: Path,
    *,
    rounds: int = 3,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> list[Figures]:
    """Times the parts of every contestant on `clip`, taking turns round by round so that all meet the same noise.

    Raises:
        InputError: a model or device is not there.
        Cancelled: `cancel` said so.
    """
    benches = [_Bench(contestant, clip) for contestant in contestants]
    times: list[dict[str, list[float]]] = [{part: [] for part in PARTS} for _ in benches]
    for turn in range(rounds + 1):  # the first round warms up
        for place, bench in enumerate(benches):
            check(cancel)
            for part, milliseconds in bench.round():
                if turn:
                    times[place][part].append(milliseconds)
            if progress is not None:
                progress(Progress("timing the parts", turn * len(benches) + place + 1, (rounds + 1) * len(benches)))
    for bench, found in zip(benches, times, strict=True):
        bench.figures.milliseconds = {part: median(values) for part, values in found.items()}
    return [bench.figures for bench in benches]


class _Bench:
    """The parts of one contestant, ready to be run again and again on the same masks."""

    def __init__(self, contestant: Contestant, clip: Path) -> None:
        self._clip = clip
        self._device, _ = choose_device(contestant.run.device)
        self._model = contestant.load(self._device)
        self._threads = cpu_threads(contestant.run.threads)
        self._batch = contestant.run.batch_size
        self.figures = Figures(contestant.spec, str(self._device), self._threads, contestant.parameters)

    def round(self) -> Iterator[tuple[str, float]]:
        """(part, milliseconds per mask), each part once for a few masks."""
        torch.set_num_threads(self._threads)
        windows = regular_windows(float(_MASKS))
        with VideoReader(self._clip) as video, AudioReader(self._clip, rate=SAMPLE_RATE) as audio:
            found: list[Any] = []
            yield "decode", self._time(lambda: found.extend(video.frames_at(w.frame_time for w in windows)))
            images = [frame.image for frame in found]
            sounds = [audio.read(window.start, 1.0) for window in windows]
            shape = images[0].shape
        size, front_end = self._model.config.image_size, self._model.audio_encoder.front_end
        yield "resize", self._time(lambda: [resize_frame(image, size) for image in images])
        yield "logmel", self._time(lambda: [window_logmel(sound, front_end) for sound in sounds])
        clip = self._model.clip_length or 1
        count = max(self._batch // clip, 1) * clip  # as many as the segmenter takes at once
        frames = normalise(torch.stack([resize_frame(images[k % _MASKS], size) for k in range(count)]).to(self._device))
        logmel = torch.from_numpy(np.stack([window_logmel(sounds[k % _MASKS], front_end) for k in range(count)]))
        with torch.inference_mode():
            visual = self._model.encode_visual(frames)
            yield "encode_visual", self._time(lambda: self._model.encode_visual(frames), count)
            yield "segment", self._time(lambda: self._model.segment(visual, logmel.to(self._device)), count)
        mask = np.full(size, 128, np.uint8)
        yield "upscale", self._time(lambda: [upscale(mask, *shape[:2]) for _ in images])

    def _time(self, action: Callable[[], object], count: int = _MASKS) -> float:
        started = time.perf_counter()
        action()
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - started) / count


def time_frames(contestant: Contestant, frames: int = 8) -> Figures:
    """Median milliseconds of a frame with its sound, one at a time on random input ("frame"); a few seconds of work.

    Raises:
        InputError: a model or device is not there.
    """
    device, _ = choose_device(contestant.run.device)
    model, threads = contestant.load(device), cpu_threads(contestant.run.threads)
    torch.set_num_threads(threads)
    count = model.clip_length or 1
    pictures = torch.randn(count, 3, *model.config.image_size, device=device)
    logmel = torch.randn(count, 1, *_LOGMEL, device=device)
    times = []
    for _ in range(frames + 2):  # the first two warm up
        started = time.perf_counter()
        with torch.inference_mode():
            model(pictures, logmel).logits.cpu()
        times.append(1000 * (time.perf_counter() - started) / count)
    return Figures(contestant.spec, str(device), threads, contestant.parameters, {"frame": median(times[2:])})


class RunFigures(NamedTuple):
    """What one run of `segment` took."""

    factor: float
    """Seconds of video per second of segmenting it."""
    peak: float
    """Largest resident memory of the whole process in MB (10^6 bytes)."""
    processor: float
    """Milliseconds of processor time, all threads together, per second of video; other programs disturb it less."""


def measure_run(contestant: Contestant, clip: Path) -> RunFigures:
    """Segments `clip` in a process of its own, as the command `segment` does.

    Raises:
        AVSegError: it failed; the line says why.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_alone, args=(contestant, clip, sender), daemon=True)
    process.start()
    sender.close()
    try:
        answer: RunFigures | AVSegError = receiver.recv()
    except EOFError:
        answer = AVSegError(f"{contestant.spec}: the run ended early; is there enough memory for it?")
    process.join()
    if isinstance(answer, AVSegError):
        raise answer
    return answer


def _run_alone(contestant: Contestant, clip: Path, answer: Connection) -> None:
    try:
        device, _ = choose_device(contestant.run.device)
        contestant = dataclasses.replace(contestant, run=unattended(contestant.run))
        segmenter = Segmenter(contestant.load(device), contestant.run, name=contestant.spec)
        segmenter.model_hash  # noqa: B018  (once per model, not per run)
        before = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            report = segment_video(segmenter, clip, Path(folder) / "run.avseg")
        processor, seconds = time.process_time() - before, report.header.duration
        answer.send(RunFigures(seconds / report.seconds, peak_memory(), 1000 * processor / seconds))
    except AVSegError as error:
        answer.send(error)
