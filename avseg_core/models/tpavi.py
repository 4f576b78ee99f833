"""The AVSBench baseline: temporal pixel-wise audio-visual interaction (TPAVI) between two convolutional halves."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.audio_encoders import AUDIO_ENCODERS, per_distinct
from avseg_core.models.backbones import BACKBONES
from avseg_core.models.output import AVSOutput, keep_frames
from avseg_core.models.registry import ARCHITECTURES

STAGES = 4
DILATIONS = (3, 6, 12, 18)


class StageMaps(NamedTuple):
    """All of TPAVI that does not depend on the sound: one map [N,D,h_i,w_i] per stage at strides 4 to 32."""

    stage1: Tensor
    stage2: Tensor
    stage3: Tensor
    stage4: Tensor


class DilatedSum(nn.Module):
    """Sum of four 3x3 convolutions with growing dilation: a stage's map -> D channels with a wide view."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(inputs, outputs, 3, padding=d, dilation=d) for d in DILATIONS)
        for parameter in self.convs.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.01)

    def forward(self, maps: Tensor) -> Tensor:
        """[N,C,h,w] -> [N,D,h,w]."""
        total: Tensor = self.convs[0](maps)
        for conv in self.convs[1:]:
            total = total + conv(maps)
        return total


class AudioVisualInteraction(nn.Module):
    """TPAVI of one stage: every pixel of every frame of a clip meets the sound of all its frames.

    y = (theta phi^T / THW) g has no softmax, so theta (phi^T g) is the same with a [D/2,D/2] state instead of a
    [THW,THW] matrix; phi of the sound, tiled over a frame's pixels, needs no tiling either.
    """

    def __init__(self, dim: int, audio_dim: int) -> None:
        super().__init__()
        inner = dim // 2
        self.align_channel = nn.Linear(audio_dim, dim)
        self.theta = nn.Linear(dim, inner)
        self.phi = nn.Linear(dim, inner)
        self.g = nn.Linear(dim, inner)
        self.w_z = nn.Linear(inner, dim)
        self.norm_z = nn.BatchNorm1d(dim)
        self.norm_layer = nn.LayerNorm(dim)
        nn.init.zeros_(self.norm_z.weight)

    def forward(self, maps: Tensor, audio: Tensor, clip_length: int) -> tuple[Tensor, Tensor]:
        """maps [B*T,D,h,w], audio [B*T,E] -> (maps with the sound mixed in [B*T,D,h,w], sound [B*T,D])."""
        height, width = maps.shape[-2:]
        sound = self.align_channel(audio)  # [B*T,D]
        pixels = maps.flatten(2).transpose(1, 2)  # [B*T,hw,D]
        g = self.g(pixels).sum(dim=1)  # [B*T,D/2]: all pixels of a frame share its phi
        state = torch.einsum("btc,btd->bcd", self._clips(self.phi(sound), clip_length), self._clips(g, clip_length))
        theta = self.theta(pixels).unflatten(0, (-1, clip_length)).flatten(1, 2)  # [B,T*hw,D/2]
        y = theta @ (state / (clip_length * height * width))
        z = self.norm_z(self.w_z(y).flatten(0, 1)).view_as(pixels) + pixels
        return self.norm_layer(z).transpose(1, 2).unflatten(-1, (height, width)), sound

    @staticmethod
    def _clips(rows: Tensor, clip_length: int) -> Tensor:
        """[B*T,C] -> [B,T,C]."""
        return rows.unflatten(0, (-1, clip_length))


class ResidualConvUnit(nn.Module):
    """ReLU, convolution, ReLU, convolution, added to the rectified input (the original's ReLU works in place)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, padding=1)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """[N,D,h,w] -> [N,D,h,w]."""
        rectified = F.relu(maps)
        return self.conv2(F.relu(self.conv1(rectified))) + rectified


class FeatureFusion(nn.Module):
    """Adds a stage to what comes from the coarser one, refines and doubles the size; the coarsest only refines."""

    def __init__(self, dim: int, *, coarsest: bool) -> None:
        super().__init__()
        self.skip_unit = None if coarsest else ResidualConvUnit(dim)
        self.unit = ResidualConvUnit(dim)

    def forward(self, stage: Tensor, coarser: Tensor | None = None) -> Tensor:
        """stage [N,D,h,w], coarser [N,D,h,w] or None -> [N,D,2h,2w]."""
        if self.skip_unit is not None and coarser is not None:
            stage = coarser + self.skip_unit(stage)
        return F.interpolate(self.unit(stage), scale_factor=2, mode="bilinear", align_corners=True)


@ARCHITECTURES.register("tpavi")
class TPAVI(nn.Module):
    """AVSBench's network with TPAVI on all four stages. Frames come in whole clips and see each other's sound."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        config.check()
        self.config = config
        self.clip_length = config.clip_length
        dim = config.embed_dim
        self.backbone = BACKBONES[config.backbone](config)
        self.audio_encoder = AUDIO_ENCODERS[config.audio_encoder]()
        self.convs = nn.ModuleList(DilatedSum(channels, dim) for channels in self.backbone.channels)
        audio_dim = self.audio_encoder.embed_dim
        self.interactions = nn.ModuleList(AudioVisualInteraction(dim, audio_dim) for _ in range(STAGES))
        self.paths = nn.ModuleList(FeatureFusion(dim, coarsest=stage == STAGES - 1) for stage in range(STAGES))
        self.output_conv = nn.Sequential(
            nn.Conv2d(dim, 128, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(128, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, config.num_classes, 1),
        )

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """frames [B*T,3,H,W], ImageNet-normalised, logmel [B*T,1,96,64] -> AVSOutput; `is_frame` as in `segment`."""
        return self.segment(self.encode_visual(frames), logmel, is_frame)

    def encode_visual(self, frames: Tensor) -> StageMaps:
        """frames [N,3,H,W] with H and W multiples of 32 -> one map per stage; any N, frames do not meet yet."""
        return StageMaps(*(conv(maps) for conv, maps in zip(self.convs, self.backbone(frames), strict=True)))

    def embed_audio(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> the audio encoder's embedding [N,E]; equal neighbours are computed once."""
        return per_distinct(self.audio_encoder, logmel)

    def segment(self, visual: StageMaps, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """The part that depends on the sound: logmel [B*T,1,96,64] for the whole clips of `visual`.

        `is_frame` [B*T] bool: where False (padding), maps, sound and logits are 0, as in the released AVSS code.
        """
        return self.segment_embedding(visual, self.embed_audio(logmel), is_frame)

    def segment_embedding(self, visual: StageMaps, embedding: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """`segment` from the audio encoder's embedding [B*T,E].

        Raises:
            InputError: the number of frames is not a multiple of the clip length.
        """
        if len(embedding) % self.clip_length:
            raise InputError(f"TPAVI needs whole clips of {self.clip_length} frames, got {len(embedding)} frames.")
        if is_frame is not None:
            keep = is_frame.to(embedding.dtype)
            embedding = embedding * keep[:, None]
            visual = StageMaps(*(maps * keep[:, None, None, None] for maps in visual))
        stages = [mix(maps, embedding, self.clip_length) for mix, maps in zip(self.interactions, visual, strict=True)]
        decoded: Tensor | None = None
        for path, (maps, _) in zip(reversed(self.paths), reversed(stages), strict=True):
            decoded = path(maps, decoded)
        output = AVSOutput(self.output_conv(decoded), stage_features=stages if self.training else [])
        return keep_frames(output, is_frame)
