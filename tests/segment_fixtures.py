"""Videos with a known truth, and a model that is right about them: red sounds low, green sounds high."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avseg_core.audio.front_end import FrontEnd
from avseg_core.config import ModelConfig
from avseg_core.models.audio_encoders import AudioEncoder
from avseg_core.models.output import AVSOutput

RATE = 16000
TONES = {"low": 300.0, "high": 3000.0}
RED, GREEN = (220, 20, 20), (20, 220, 20)
HALF = 100 / 255
"""Redness or greenness half way between a box and the black around it."""
RED_BOX = (0.2, 0.7, 0.1, 0.4)
"""Top, bottom, left and right of the red box as shares of the frame."""
GREEN_BOX = (0.3, 0.9, 0.6, 0.85)


class BandEnergy(AudioEncoder):
    """Whether the low and the high half of the bands hold a tone: 0 or 1 each."""

    front_end: ClassVar[FrontEnd] = "vggish"
    embed_dim = 2

    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,2]."""
        loudest = torch.stack([half.amax(dim=-1).mean(dim=-1) for half in logmel[:, 0].split(32, dim=-1)], dim=1)
        return (loudest > -0.5).float()


class ToneModel(nn.Module):
    """Red pixels sound while there is a low tone, green ones while there is a high one. Obeys the model contract."""

    def __init__(
        self, *, num_classes: int = 1, clip_length: int | None = None, size: tuple[int, int] = (96, 128)
    ) -> None:
        super().__init__()
        self.config = ModelConfig(num_classes=num_classes, image_size=size)
        self.clip_length = clip_length
        self.audio_encoder = BandEnergy()
        self.batches: list[int] = []
        """Frames of each forward pass."""

    def encode_visual(self, frames: Tensor) -> Tensor:
        """frames [N,3,H,W] -> redness and greenness [N,2,H,W]."""
        self.batches.append(len(frames))
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        pixels = frames * std.view(3, 1, 1) + mean.view(3, 1, 1)
        return torch.stack([pixels[:, 0] - pixels[:, 1], pixels[:, 1] - pixels[:, 0]], dim=1)

    def segment(self, visual: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """Logits that are above 0 half way between a box and the black around it."""
        heard = self.audio_encoder(logmel)  # [N,2]
        seen = visual * heard[:, :, None, None]  # [N,2,H,W]
        if self.config.num_classes == 1:
            logits = 10 * (seen.amax(dim=1, keepdim=True) - HALF)
        else:
            rest = seen.new_full((len(seen), self.config.num_classes - 3, *seen.shape[2:]), -20.0)
            logits = torch.cat([torch.zeros_like(seen[:, :1]), 10 * (seen - HALF), rest], dim=1)
        return AVSOutput(logits, mask_feature=seen[..., ::4, ::4], mixer_weights=heard)

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """The composition of the two."""
        return self.segment(self.encode_visual(frames), logmel, is_frame)


def box(share: tuple[float, float, float, float], height: int, width: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right in pixels."""
    top, bottom, left, right = share
    return round(top * height), round(bottom * height), round(left * width), round(right * width)


def scene(height: int, width: int) -> NDArray[np.uint8]:
    """[H,W,3]: the red and the green box on black."""
    image = np.zeros((height, width, 3), np.uint8)
    for share, color in ((RED_BOX, RED), (GREEN_BOX, GREEN)):
        top, bottom, left, right = box(share, height, width)
        image[top:bottom, left:right] = color
    return image


def tones(plan: Sequence[str | None]) -> NDArray[np.float32]:
    """[16000 * len(plan)]: a second of "low", "high" or silence (None) each."""
    time = np.arange(RATE) / RATE
    second = {name: (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32) for name, hertz in TONES.items()}
    return np.concatenate([second[name] if name else np.zeros(RATE, np.float32) for name in plan])


def write_video(
    path: Path,
    plan: Sequence[str | None] = ("low", "high", None, "low"),
    *,
    size: tuple[int, int] = (120, 160),
    fps: Fraction = Fraction(10),
    sound: bool = True,
    codec: str = "libx264",
    pixels: str = "yuv444p",
) -> Path:
    """Writes the scene, with a second of sound per entry of `plan`; size is height and width."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=fps)
        video.height, video.width, video.pix_fmt = *size, pixels
        if codec == "libx264":
            video.options = {"preset": "ultrafast", "crf": "5", "g": "10"}
        audio = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        picture = av.VideoFrame.from_ndarray(scene(*size), format="rgb24").reformat(format=pixels)
        for number in range(round(len(plan) * fps)):
            picture.pts, picture.time_base = number, 1 / fps
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio is not None:
            samples = tones(plan)
            for start in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def small_model_config() -> ModelConfig:
    """A true AVSegFormer that is built and run in no time."""
    return replace(
        ModelConfig(),
        backbone="tf_efficientnet_lite2",
        audio_encoder="yamnet",
        image_size=(64, 64),
        embed_dim=32,
        num_heads=2,
        encoder_layers=1,
        decoder_layers=1,
        ffn_dim=32,
        num_queries=4,
        query_generator_layers=1,
        mask_head="light",
        mask_mlp_dim=16,
    )
