"""A true AVSegFormer whose backbone and audio encoder have next to no layers: exporting takes time by the layer."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import Tensor

from avseg_core.audio.front_end import FrontEnd
from avseg_core.config import ModelConfig
from avseg_core.models.audio_encoders import AUDIO_ENCODERS, AudioEncoder
from avseg_core.models.backbones import BACKBONES, Backbone
from tests.segment_fixtures import small_model_config


@BACKBONES.register("shallow")
def _shallow(config: ModelConfig) -> Backbone:
    return Backbone("test_resnet", out_indices=(1, 2, 3, 4))


@AUDIO_ENCODERS.register("bands")
class _Bands(AudioEncoder):
    """The mean of every band."""

    front_end: ClassVar[FrontEnd] = "yamnet"
    embed_dim = 64

    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,64]."""
        return logmel.mean(dim=(1, 2))


def shallow_config() -> ModelConfig:
    """Only processes that import this module know its parts."""
    return replace(small_model_config(), backbone="shallow", audio_encoder="bands")
