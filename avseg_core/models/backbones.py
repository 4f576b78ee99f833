"""Visual backbones: frames -> four feature maps at strides 4, 8, 16 and 32 (paper eq. 1), all through timm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.timm_import import timm
from avseg_core.registry import Registry

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """A timm network cut into its four stages.

    `timm_name` is the network's name in timm; `out_indices` are timm's numbers of the stages at strides 4 to 32.
    `mean` and `std` are the normalisation (of pixels in 0..1) that the network's ImageNet weights expect; frames come
    with the usual ImageNet normalisation and are converted where the two differ.
    """

    def __init__(
        self,
        timm_name: str,
        *,
        out_indices: Sequence[int],
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.timm_name = timm_name
        body: Any = timm.create_model(
            timm_name, pretrained=False, features_only=True, out_indices=tuple(out_indices), drop_path_rate=drop_path
        )
        self.body = body
        self.channels: tuple[int, ...] = tuple(body.feature_info.channels())
        self.rescale = tuple(ours / theirs for ours, theirs in zip(IMAGENET_STD, std, strict=True))
        self.shift = tuple((a - b) / c for a, b, c in zip(IMAGENET_MEAN, mean, std, strict=True))
        self.converts = tuple(mean) != IMAGENET_MEAN or tuple(std) != IMAGENET_STD

    def forward(self, frames: Tensor) -> list[Tensor]:
        """frames [N,3,H,W], ImageNet-normalised, H and W multiples of 32 -> four maps [N,C_i,H/2^(i+1),W/2^(i+1)]."""
        if self.converts:
            frames = frames * frames.new_tensor(self.rescale).view(3, 1, 1) + frames.new_tensor(self.shift).view(
                3, 1, 1
            )
        maps: list[Tensor] = self.body(frames)
        return maps


BACKBONES: Registry[Callable[[ModelConfig], Backbone]] = Registry("backbone")


@BACKBONES.register("resnet50")
def resnet50(config: ModelConfig) -> Backbone:
    """ResNet-50 v1.5, 23.5 M parameters; the released second branch (layer3_2, layer4_2) is never executed or built."""
    return Backbone("resnet50", out_indices=(1, 2, 3, 4))


@BACKBONES.register("pvt_v2_b5")
def pvt_v2_b5(config: ModelConfig) -> Backbone:
    """PVTv2-B5, 81.4 M parameters, with the paper's stochastic depth."""
    return Backbone("pvt_v2_b5", out_indices=(0, 1, 2, 3), drop_path=config.drop_path)


@BACKBONES.register("tf_efficientnet_lite2")
def tf_efficientnet_lite2(config: ModelConfig) -> Backbone:
    """EfficientNet-Lite2, 6.1 M parameters; its weights expect (x - 127) / 128 of 8-bit pixels."""
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    return Backbone("tf_efficientnet_lite2", out_indices=(1, 2, 3, 4), mean=mean, std=std)


@BACKBONES.register("mobilenetv3_small_050")
def mobilenetv3_small_050(config: ModelConfig) -> Backbone:
    """MobileNetV3-Small at half width, 0.5 M parameters: for quick experiments and tests."""
    return Backbone("mobilenetv3_small_050", out_indices=(1, 2, 3, 4))
