"""AVSegFormer, as Figure 3 of the paper draws it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import AttentionMap
from avseg_core.models.audio_encoders import AUDIO_ENCODERS, per_distinct
from avseg_core.models.backbones import BACKBONES
from avseg_core.models.decoder import Decoder
from avseg_core.models.detections import Detections
from avseg_core.models.detector import BOX_VALUES, Detector
from avseg_core.models.encoder import Encoder, FeatureProjection, MaskFeature, level_shapes
from avseg_core.models.gate import Gate, close
from avseg_core.models.grouping import LEVEL as GROUPING_LEVEL
from avseg_core.models.grouping import Grouping
from avseg_core.models.kinship import Kinship
from avseg_core.models.label_bridge import HIDDEN, LabelPrior, resize
from avseg_core.models.mask_head import MaskHead
from avseg_core.models.mixer import MIXERS
from avseg_core.models.output import AVSOutput, keep_frames
from avseg_core.models.queries import Queries
from avseg_core.models.reformer import Reformer
from avseg_core.models.registry import ARCHITECTURES


class VisualFeatures(NamedTuple):
    """All of AVSegFormer that does not depend on the sound, for N frames; see `output.slice_visual`, `cat_visual`."""

    memory: Tensor
    """[N,L,D], the encoder's tokens at strides 8, 16 and 32."""
    mask_feature: Tensor
    """[N,D,h,w] at stride 4, before the mixer."""
    things: Tensor
    """[N,1001,h/8,w/8], what is where by name, see `label_bridge`; 0 channels without `label_prior`."""
    boxes: Tensor
    """[N,K,84], what a detector found, see `Detector`; no box without `label_detector`."""


@ARCHITECTURES.register("avsegformer")
class AVSegFormer(nn.Module):
    """Frames and their sound -> masks of what sounds; every frame is independent of the others."""

    clip_length: int | None = None

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        config.check()
        self.config = config
        dim = config.embed_dim
        self.return_intermediate = False
        """Also answer the intermediate masks in evaluation mode."""
        self.file: Path | None = None
        """Where the weights were loaded from, of a model of ours."""

        self.backbone = BACKBONES[config.backbone](config)
        self.audio_encoder = AUDIO_ENCODERS[config.audio_encoder]()
        self.in_proj = FeatureProjection(self.backbone.channels, dim)
        self.audio_proj = nn.Linear(self.audio_encoder.embed_dim, dim)
        self.encoder = Encoder(config)
        self.mask_feature = MaskFeature(dim, plain=config.mask_head == "paper")
        self.queries = Queries(config)
        self.mixer = MIXERS[config.mixer](dim, config.num_heads)
        self.decoder = Decoder(config)
        self.mask_head = MaskHead(config)
        self.reformer = None if config.reformer == "none" else Reformer(config)
        hearing = self.audio_encoder.embed_dim
        self.label_prior: LabelPrior | None = None
        if config.label_prior:
            self.label_prior = LabelPrior(self.backbone.channels[-1], hearing, dim, presence=config.label_presence)
        self.grouping = Grouping(dim) if config.label_grouping else None
        self.kinship = Kinship(dim) if config.label_kinship else None
        self.detector = Detector() if config.label_detector else None
        self.detections = Detections(dim) if config.label_detector else None
        self.gate = Gate(dim) if config.gate else None
        self.name_proj = nn.Linear(HIDDEN, dim, bias=False) if config.label_queries else None
        if self.name_proj is not None:  # starts out as the model without it
            nn.init.zeros_(self.name_proj.weight)

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """frames [N,3,H,W], ImageNet-normalised, logmel [N,1,96,64] -> AVSOutput; `is_frame` as in `segment`."""
        return self.segment(self.encode_visual(frames), logmel, is_frame)

    def encode_visual(self, frames: Tensor) -> VisualFeatures:
        """frames [N,3,H,W] with H and W multiples of 32 -> all that does not depend on the sound."""
        return self.encode_maps(self.backbone(frames), self.detector(frames) if self.detector is not None else None)

    def encode_maps(self, maps: Sequence[Tensor], boxes: Tensor | None) -> VisualFeatures:
        """`encode_visual` from the backbone's four maps and the detector's boxes."""
        fine, *coarse = self.in_proj(maps)
        memory = self.encoder(coarse)  # [N,L,D]
        things = self.label_prior.locate(maps[-1]) if self.label_prior else maps[-1][:, :0]
        boxes = memory.new_zeros(len(memory), 0, BOX_VALUES) if boxes is None else boxes
        return VisualFeatures(memory, self.mask_feature(memory, fine), things, boxes)

    def embed_audio(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> the audio encoder's embedding [N,E]; equal neighbours are computed once."""
        return per_distinct(self.audio_encoder, logmel)

    def segment(self, visual: VisualFeatures, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        """The part that depends on the sound: logmel [N,1,96,64] for the N frames of `visual`.

        `is_frame` [N] bool: where False (padding), logits and mask feature are 0, as in the released AVSS code.
        """
        return self.segment_embedding(visual, self.embed_audio(logmel), is_frame)

    def segment_embedding(
        self,
        visual: VisualFeatures,
        embedding: Tensor,
        is_frame: Tensor | None = None,
        things: Tensor | None = None,
    ) -> AVSOutput:
        """`segment` from the audio encoder's embedding [N,E].

        `things` [N,1001]: how strongly the sound speaks for every thing, where that is known better than from the
        embedding; only for models with `label_prior`.
        """
        audio = self.audio_proj(embedding)  # [N,D]
        memory, mask_feature = visual.memory, visual.mask_feature
        if self.label_prior is not None:
            if things is None:
                things = self.label_prior.hear(embedding)
            memory, mask_feature = self._add_prior(self.label_prior, visual, things)
            if self.name_proj is not None:
                audio = audio + self.name_proj(self.label_prior.describe(things))
        queries = per_distinct(self.queries, audio)  # [N,Q,D]
        mixed, omega = self.mixer(mask_feature, audio)
        queries, steps = self.decoder(queries, memory, self._attention_map())
        logits = self.mask_head(queries, mixed)
        gate = self.gate(queries, logits) if self.gate is not None else None
        logits = logits if gate is None else close(logits, gate)
        shapes = level_shapes(mask_feature)
        intermediate = [self.reformer(*step, shapes) for step in steps] if self.reformer is not None else []
        return keep_frames(AVSOutput(logits, mixed, omega, intermediate, gate=gate), is_frame)

    def _add_prior(self, prior: LabelPrior, visual: VisualFeatures, things: Tensor) -> tuple[Tensor, Tensor]:
        """Memory [N,L,D] and mask feature [N,D,h,w] that know where the heard things [N,1001] are."""
        shapes = level_shapes(visual.mask_feature)
        maps = prior.match(visual.things, things)
        memory, mask_feature = prior(visual.memory, visual.mask_feature, maps, shapes)
        if self.grouping is None:
            return memory, mask_feature
        located = [maps[:, :1]]
        if self.kinship is not None:
            located.append(self.kinship.locate(visual.things, things))
            if self.detections is not None:
                located.append(self.detections.locate(visual.boxes, things, self.kinship.akin(things), shapes))
        located = [resize(part, shapes[GROUPING_LEVEL]) for part in located]
        spread = self.grouping.spread(visual.memory, torch.cat(located, dim=1), shapes)
        spreads = spread.split([part.shape[1] for part in located], dim=1)
        memory, mask_feature = self.grouping(memory, mask_feature, spreads[0], shapes)
        if self.kinship is not None:
            memory, mask_feature = self.kinship(memory, mask_feature, located[1], spreads[1], shapes)
        if self.detections is not None:
            named = torch.cat([located[0], located[1][:, :1]], dim=1)
            memory, mask_feature = self.detections(
                memory, mask_feature, visual.boxes, named, located[2], spreads[2], shapes
            )
        return memory, mask_feature

    def _attention_map(self) -> AttentionMap:
        """Attention maps are only made for the mask reformer, and that only works when its masks are wanted."""
        if self.reformer is None or not (self.training or self.return_intermediate):
            return "none"
        return self.config.reformer_attention
