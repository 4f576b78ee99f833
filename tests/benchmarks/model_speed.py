"""What every exact speed-up of AVSegFormer V2 brings: the published way of computing against ours, in one run.

    python -m tests.benchmarks.model_speed --backbone resnet50 pvt_v2_b5 --size 224 512 --threads 1

The published way is restated here; our functions replace it one after the other. Variants take turns round by round.
"speed" compares processor time, the least of all rounds, which other programs disturb less than the time that passes
(of which the least is printed, too). "peak" is the largest resident size of the process during a pass, with weights.
The largest difference of the logits from the published way must stay under 1e-4.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.inference.fuse import PackedConv, PackedFeedForward, prepare_for_inference
from avseg_core.models import audio_encoders, avsegformer, deformable
from avseg_core.models.attention import MultiHeadAttention
from avseg_core.models.mask_head import PixelMLP
from avseg_core.models.mixer import ChannelAttentionMixer
from avseg_core.models.queries import QueryGenerator, QueryGeneratorLayer
from avseg_core.models.registry import build_model
from avseg_core.presets import model_preset

TOLERANCE = 1e-4
Patches = Callable[[nn.Module], list[AbstractContextManager[Any]]]
DEAD_PARAMETERS = {"resnet50": 24_950_000, "pvt_v2_b5": 2_880_000}
"""What the published checkpoints hold beyond what is executed: see `released.py`."""
CLIPS = 2
"""Seconds of sound in a pass."""


def materialised_attention(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """The authors' code always makes the [N,heads,Q,L] probabilities and their mean over heads."""
    fused = MultiHeadAttention.forward

    def forward(self: Any, queries: Tensor, memory: Tensor, attention_map: Any = "none") -> Any:
        result, seen = fused(self, queries, memory, "softmax" if attention_map == "none" else attention_map)
        return result, None if attention_map == "none" else seen

    return [patch.object(MultiHeadAttention, "forward", forward)]


def sampled_maps(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """Deformable attention by grid_sample, as in the authors' fallback for the CPU."""
    return [patch.object(deformable, "_is_plain_cpu", lambda *tensors: False)]


def projected_pixels(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """The mixer projects every pixel to a key and a value."""

    def forward(self: Any, mask_feature: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        q = self.q_proj(audio).unflatten(-1, (self.heads, 1, -1))  # [N,heads,1,d]
        kv = self.kv_proj(mask_feature.flatten(2).transpose(1, 2)).unflatten(-1, (2, self.heads, -1))
        k, v = kv.permute(2, 0, 3, 1, 4)  # [N,heads,h*w,d]
        found = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1) @ v
        weights = torch.sigmoid(self.proj(found.flatten(1)))
        return mask_feature * weights[..., None, None], weights

    return [patch.object(ChannelAttentionMixer, "forward", forward)]


def attended_sound(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """The generator repeats its queries for all frames and attends to the one sound with all projections."""

    def layer(self: Any, queries: Tensor, audio: Tensor) -> Tensor:
        queries = self.norm1(queries + self.self_attention(queries, queries)[0])
        heads = self.self_attention.heads
        attention = self.audio_attention
        q, k, v = (F.linear(x, attention.value.weight) for x in (queries, audio[:, None], audio[:, None]))
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)  # one key: all 1
        queries = self.norm2(queries + attention.out((weights @ v).transpose(1, 2).flatten(2)))
        return self.norm3(queries + self.linear2(F.gelu(self.linear1(queries))))

    def generator(self: Any, audio: Tensor) -> Tensor:
        queries = self.query.expand(len(audio), -1, -1).contiguous()
        for step in self.layers:
            queries = step(queries, audio)
        return queries

    return [patch.object(QueryGeneratorLayer, "forward", layer), patch.object(QueryGenerator, "forward", generator)]


def convolved_mlp(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """MLP(.) as 1x1 convolutions over [N,C,h,w] with a copy per ReLU."""

    def forward(self: Any, pixels: Tensor) -> Tensor:
        side = math.isqrt(pixels.shape[1])
        maps = pixels.transpose(1, 2).unflatten(-1, (side, side)).contiguous()
        for index, linear in enumerate(self.layers):
            maps = F.conv2d(maps if index == 0 else F.relu(maps), linear.weight[..., None, None], linear.bias)
        return maps.flatten(2).transpose(1, 2)

    return [patch.object(PixelMLP, "forward", forward)]


def sound_per_frame(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """The audio encoder and the generator run for every frame, although the frames of a second share their sound."""
    plain = lambda function, rows: function(rows)  # noqa: E731
    return [patch.object(avsegformer, "per_distinct", plain), patch.object(audio_encoders, "per_distinct", plain)]


def dead_modules(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """The second ResNet branch, the reformer without use and the dead projections take memory."""
    backbone: Any = model.backbone
    return [nullcontext(torch.ones(DEAD_PARAMETERS[backbone.timm_name]))]


def plain_layout(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """Weights and maps with channels before pixels."""

    @contextmanager
    def plain() -> Iterator[None]:
        lay_out(model, torch.contiguous_format)
        try:
            yield
        finally:
            lay_out(model, torch.channels_last)

    return [plain()]


def lay_out(model: Any, memory_format: torch.memory_format) -> None:
    """Also the unpacked weights of `plain_convolutions`."""
    model.to(memory_format=memory_format)
    for conv, weight in model.unpacked.items():
        model.unpacked[conv] = weight.contiguous(memory_format=memory_format)


def plain_convolutions(model: Any) -> list[AbstractContextManager[Any]]:
    """Activations are passes of their own, and PyTorch decides which convolutions are oneDNN's."""
    activations = {"none": lambda maps: maps, "relu": F.relu_, "hardtanh": F.relu6}

    def conv(self: PackedConv, maps: Tensor) -> Tensor:
        padding, stride, dilation, groups = self.geometry
        done = F.conv2d(maps, model.unpacked[self], self.bias, stride, padding, dilation, groups)
        return activations[self.activation](done)

    def network(self: PackedFeedForward, tokens: Tensor) -> Tensor:
        return self.network(tokens)  # type: ignore[no-any-return]

    return [patch.object(PackedConv, "forward", conv), patch.object(PackedFeedForward, "forward", network)]


def separate_norms(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """Batch norms are layers of their own."""
    return [patch.object(model.backbone, "body", model.unfolded[0])]


def clip_by_clip(model: nn.Module) -> list[AbstractContextManager[Any]]:
    """Every clip passes the model on its own."""
    together = type(model).forward

    def forward(self: Any, frames: Tensor, logmel: Tensor) -> Any:
        parts = [together(self, *part) for part in zip(frames.chunk(CLIPS), logmel.chunk(CLIPS), strict=True)]
        return replace(parts[0], logits=torch.cat([part.logits for part in parts]))

    return [patch.object(type(model), "forward", forward)]


STEPS: dict[str, Patches] = {
    "no dead modules": dead_modules,
    "fused attention": materialised_attention,
    "gathered deformable samples": sampled_maps,
    "mixer without key/value pixels": projected_pixels,
    "one-key attention folded": attended_sound,
    "MLP as matrix products": convolved_mlp,
    "batch norms folded": separate_norms,
    "channels last": plain_layout,
    "convolutions packed, with their activations": plain_convolutions,
    "sound once per second": sound_per_frame,
    "clips in one batch": clip_by_clip,
}


@contextmanager
def published(model: nn.Module, names: list[str]) -> Iterator[None]:
    """Computes the named steps the published way."""
    with ExitStack() as stack:
        for name in names:
            for replacement in STEPS[name](model):
                stack.enter_context(replacement)
        yield


def peak_memory() -> float:
    """Largest resident size since the last `reset_peak`, MB; 0 where the system does not tell."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def reset_peak() -> None:
    """Starts `peak_memory` anew, after giving back what earlier passes left unused."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return


def make_model(backbone: str) -> nn.Module:
    """V2 as inference prepares it, with random weights; `unfolded` keeps a backbone with its batch norms."""
    torch.manual_seed(0)
    model = build_model(model_preset("v2", "s4", backbone)).eval()
    for key, parameter in model.named_parameters():
        if key.endswith(("sampling_offsets.weight", "attention_weights.weight")):
            nn.init.normal_(parameter, std=0.02)
    body: Any = model.backbone.body
    norms = [module for module in body.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.1, 0.6)  # timm starts the last one of every block at 0
        nn.init.uniform_(norm.bias, -0.1, 0.1)
    if norms:
        model.unfolded = [copy.deepcopy(body)]  # in a list, so that it is no part of the model
    prepare_for_inference(model, torch.device("cpu"))
    # No part of the model, but kept in all variants, so that it does not count.
    unpacked: Any = {part: part.packed[1] for part in model.modules() if isinstance(part, PackedConv)}
    model.unpacked = unpacked
    return model


def measure(backbone: str, size: int, frames: int, rounds: int) -> None:
    """Prints one table; `frames` share each second of sound."""
    model = make_model(backbone)
    images = torch.randn(CLIPS * frames, 3, size, size)
    logmel = torch.randn(CLIPS, 1, 96, 64).repeat_interleave(frames, 0)
    names = [name for name in STEPS if name != "batch norms folded" or hasattr(model, "unfolded")]
    variants = {("as published" if i == 0 else f"+ {names[i - 1]}"): names[i:] for i in range(len(names) + 1)}
    figures = {name: Figures() for name in variants}
    for _ in range(rounds):
        for name, published_steps in variants.items():
            with published(model, published_steps), torch.inference_mode():
                figures[name].take(model, images, logmel)
            print(".", end="", flush=True)
    title = f"V2 {backbone}, {size} px, {CLIPS} clips of {frames} frame(s), {torch.get_num_threads()} thread(s)"
    report(title, figures)


@dataclass
class Figures:
    """The best of all passes of a variant."""

    passed: float = math.inf
    """Milliseconds per frame."""
    cpu: float = math.inf
    """Milliseconds of processor time per frame."""
    peak: float = 0.0
    """MB; 0 where the system does not tell."""
    logits: Tensor | None = None

    def take(self, model: Any, images: Tensor, logmel: Tensor) -> None:
        """Measures one pass."""
        reset_peak()
        start = time.perf_counter(), time.process_time()
        self.logits = model(images, logmel).logits
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        self.passed = min(self.passed, 1000 * spent[0] / len(images))
        self.cpu = min(self.cpu, 1000 * spent[1] / len(images))
        self.peak = max(self.peak, peak_memory())


def report(title: str, figures: dict[str, Figures]) -> None:
    """Prints the table, then fails if an output differs."""
    print(f"\n{title}\n\n| | ms per frame | CPU ms | speed | peak MB | difference |\n|---|---|---|---|---|---|")
    first = next(iter(figures.values()))
    differences = {name: (row.logits - first.logits).abs().max().item() for name, row in figures.items()}
    for name, row in figures.items():
        cells = f"{row.passed:.0f} | {row.cpu:.0f} | {first.cpu / row.cpu:.2f}x | {row.peak:.0f}"
        print(f"| {name} | {cells} | {differences[name]:.1e} |", flush=True)
    print(f"logits: standard deviation {first.logits.std():.2f}")
    changed = [name for name, difference in differences.items() if not difference < TOLERANCE]
    assert not changed, f"the output changes: {', '.join(changed)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", nargs="+", default=["resnet50", "pvt_v2_b5"])
    parser.add_argument("--size", nargs="+", type=int, default=[224, 512])
    parser.add_argument("--frames", type=int, default=2, help="frames that share a second of sound")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    for backbone in options.backbone:
        for size in options.size:
            measure(backbone, size, options.frames, options.rounds)


if __name__ == "__main__":
    main()
