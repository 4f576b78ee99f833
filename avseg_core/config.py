"""Every setting of the model, the data, training and inference: frozen dataclasses and TOML."""

from __future__ import annotations

import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomli_w

from avseg_core.errors import InputError

Runtime = Literal["auto", "torch", "onnx"]
_MODEL_RANGES: dict[str, tuple[float, float]] = {
    "num_classes": (1, 1024),
    "embed_dim": (32, 2048),
    "num_heads": (1, 64),
    "num_points": (1, 64),
    "encoder_layers": (0, 32),
    "decoder_layers": (1, 32),
    "ffn_dim": (1, 16384),
    "num_queries": (1, 4096),
    "query_generator_layers": (0, 32),
    "mask_mlp_dim": (1, 16384),
    "clip_length": (1, 256),
    "dropout": (0, 1),
    "drop_path": (0, 1),
}
"""Least and most, far above all that is published: a model file of a few bytes must not cost minutes or gigabytes."""
_LARGEST_SIDE = 2048


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which model to build. The defaults are the released V2 for S4 with ResNet-50 at 224 px."""

    architecture: str = "avsegformer"
    """Key of `models.registry`: "avsegformer" or "tpavi"."""
    backbone: str = "resnet50"
    """Key of `models.backbones`, for instance "resnet50", "pvt_v2_b5", "tf_efficientnet_lite2"."""
    audio_encoder: str = "vggish"
    """Key of `models.audio_encoders`: "vggish", "yamnet" or "yamnet-tuned"."""
    num_classes: int = 1
    """1 for a sounding / not sounding mask, otherwise the number of classes with 0 = background."""
    image_size: tuple[int, int] = (224, 224)
    """Height and width the model sees, multiples of 32."""
    embed_dim: int = 256
    """D of the paper."""
    num_heads: int = 8
    """Attention heads."""
    num_points: int = 4
    """Sampling points per head and level of the deformable attention."""
    encoder_layers: int = 6
    """Layers of the deformable encoder."""
    decoder_layers: int = 6
    """Layers of the audio queries' decoder."""
    ffn_dim: int = 2048
    """Hidden width of the feed-forward layers."""
    dropout: float = 0.1
    """Share of activations that is left out while training."""
    drop_path: float = 0.1
    """Stochastic depth of the PVTv2 backbone (linear from 0); ResNet-50 has none."""
    num_queries: int = 300
    """Audio queries per frame."""
    learnable_queries: bool = True
    query_generator: Literal["repeat", "attention", "attention-no-self"] = "attention"
    """"repeat": the paper and V1; "attention": V2; "attention-no-self": V2 without its self-attention."""
    query_generator_layers: int = 6
    mixer: Literal["none", "cra", "cha", "cha-paper"] = "cha"
    """"cha": channel attention as released; "cha-paper": eq. 2 exactly as printed; "cra": Figure 4(a)."""
    mask_head: Literal["released", "paper", "light"] = "released"
    """"released": the 4-layer head to full size; "paper": section 3.3's plain sum and eq. 3's one linear layer;
    "light": two-layer MLP(.), head at half size."""
    mask_mlp_dim: int = 2048
    """Hidden width of MLP(.) in eq. 3."""
    reformer: Literal["none", "ar", "qr"] = "none"
    """Intermediate masks: "qr" in V1 and the paper, none in V2."""
    reformer_attention: Literal["softmax", "raw"] = "softmax"
    """"softmax": head-averaged probabilities as in V1; "raw": QK^T / sqrt(d) as the paper prints."""
    label_prior: bool = False
    """Tell the model where things are that YAMNet's classes name (`models.label_bridge`); in no release. Needs YAMNet
    and an EfficientNet-Lite backbone."""
    label_grouping: bool = False
    """Spread what the label prior knows of a part over the whole thing (`models.grouping`); in no release."""
    label_queries: bool = False
    """Tell the queries and the mixer, too, what the label prior hears by name; in no release."""
    label_presence: bool = False
    """Decide apart from its name whether anything sounds (`models.label_bridge.Presence`); in no release."""
    label_kinship: bool = False
    """Tell the model, too, where things are of the family of what is heard (`models.kinship`); in no release. Needs
    `label_grouping`."""
    label_detector: bool = False
    """Tell the model, too, where a detector finds what is heard (`models.detections`); in no release. Needs
    `label_kinship`."""
    gate: bool = False
    """Decide for the whole frame whether anything in it makes the sound (`models.gate`); in no release."""
    clip_length: int = 5
    """Frames that TPAVI mixes with each other (10 for AVSS); AVSegFormer's frames are independent."""

    def check(self) -> None:
        """Raises InputError when sizes do not fit together."""
        for name, (least, most) in _MODEL_RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise InputError(f"{name} must be at least {least} and at most {most}, not {getattr(self, name)}.")
        height, width = self.image_size
        if not all(32 <= side <= _LARGEST_SIDE and side % 32 == 0 for side in self.image_size):
            raise InputError(
                f"image_size {height}x{width}: height and width must be multiples of 32, up to {_LARGEST_SIDE}."
            )
        if self.embed_dim % 32 or self.embed_dim % self.num_heads:
            raise InputError(f"embed_dim {self.embed_dim} must be a multiple of 32 and of num_heads {self.num_heads}.")
        if self.label_prior and not self.audio_encoder.startswith("yamnet"):
            raise InputError("label_prior needs the audio encoder that names sounds, yamnet.")
        if (self.label_grouping or self.label_queries or self.label_presence) and not self.label_prior:
            raise InputError(
                "label_grouping, label_queries and label_presence use what label_prior says: switch that on, too."
            )
        if self.label_kinship and not self.label_grouping:
            raise InputError("label_kinship is spread by label_grouping: switch that on, too.")
        if self.label_detector and not self.label_kinship:
            raise InputError("label_detector uses what label_kinship says: switch that on, too.")


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What training minimises; the defaults are V2's for S4 and MS3."""

    mask: Literal["dice", "bce", "ce"] = "dice"
    intermediate_weight: float = 0.0
    """Lambda of eq. 4, per decoder layer (0.1 in the paper and V1)."""
    mix_weight: float = 0.1
    """Weight of V2's loss on the mixed mask feature."""
    empty_mask_weight: float = 0.0
    """Weight of a BCE term on frames without a sounding object, where Dice has no gradient; 0 in all releases."""
    audio_visual_weight: float = 0.0
    """Weight of TPAVI's KL term between sound and mask-pooled features (0.5 in AVSBench MS3 and AVSS)."""
    rehearsal_weight: float = 1.0
    """Weight of going on answering as before on the frames of `TrainConfig.rehearsal`."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the clips are and how they reach the model."""

    dataset: str = "s4"
    """Key of `data.registry`: "s4", "ms3", "avss" or "folder"."""
    root: str = ""
    image_size: tuple[int, int] = (224, 224)
    front_end: Literal["vggish", "yamnet"] = "vggish"
    frames_per_clip: int = 5
    augment: bool = False
    """Flip, scale, crop and colour; off in all releases."""
    cache_dir: str = ""
    """Where log-mels are kept between epochs; empty for none."""
    workers: int = 0
    exclude: tuple[str, ...] = ()
    """Clips that are left out, each as "split/name" ("all/name" in a folder without splits)."""
    hold_out: float = 0.0
    """Own folder without train and val: share of the clips kept apart for validation; 0: every split is all of them."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run; the defaults are Table 3 for S4."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    epochs: int = 30
    """Passes over all training clips."""
    max_steps: int = 0
    """Stop after this many optimiser steps; 0 for no limit."""
    batch_size: int = 4
    """Clips per step, over all processes and micro-batches."""
    accumulate: int = 1
    """Micro-batches that a step is split into; the loss stays that of the joint batch."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """"adamw": the paper and AVSegFormer; "adam": TPAVI."""
    learning_rate: float = 2e-5
    """Size of a step; too high diverges, too low learns little."""
    weight_decay: float = 0.01
    """How strongly weights are pulled to 0."""
    schedule: Literal["constant", "cosine"] = "constant"
    """"cosine": the learning rate falls to 0 by the end of the run."""
    warmup_steps: int = 0
    """Steps in which the learning rate rises from 0."""
    clip_norm: float = 0.0
    """Largest gradient norm; 0 for no clipping."""
    freeze_backbone_epochs: int = 0
    """Epochs in which the backbone gets no gradient; as released, its BatchNorm statistics keep moving."""
    freeze: tuple[str, ...] = ()
    """Boxes of Figure 3 that stay frozen all the time, statistics included, for instance ("backbone", "encoder")."""
    tuning: Literal["full", "lora"] = "full"
    """"full": what is not frozen learns; "lora": only a small addition of low rank to each of its matrices does."""
    lora_rank: int = 8
    """Rank of these additions; more can learn more."""
    rehearsal: int = 0
    """Frames per step on which the model must answer as the one it starts from, so that it forgets nothing; 0: none."""
    ema_decay: float = 0.0
    """0 for no moving average of the weights."""
    amp: bool = False
    """Mixed precision on CUDA; ignored elsewhere."""
    seed: int = 123
    """Decides the order of clips, augmentation and new weights."""
    early_stop_epochs: int = 0
    """Stop when mIoU has not risen for this many evaluations; 0 for never."""
    evaluate_from: int = 0
    """First epoch, counted from 0, whose end is followed by an evaluation."""
    evaluate_every: int = 1
    """Evaluate after the epochs that this number divides; 0: only at the very end."""
    evaluate_last: bool = True
    """Evaluate at the very end, too, whatever divides its number; the released AVSS code does not."""
    keep_best: tuple[Literal["miou", "miou+fscore"], ...] = ("miou",)
    """What the best weights are kept by, one file each; the first one becomes the exported model."""
    checkpoint_steps: int = 0
    """Save the whole state every so many steps; 0: by time only."""
    checkpoint_seconds: float = 300.0
    """Save the whole state when the last save is older; 0: by steps only."""
    tensorboard: bool = True
    """Also write TensorBoard logs into the run folder."""
    snapshots: bool = True
    """Also keep masks of a few validation frames after every evaluation."""
    init_from: str = ""
    """Model name or file whose weights the run starts from."""
    from_scratch: bool = False
    """Start from random weights on purpose, without ImageNet and audio weights."""
    backbone_weights: str = ""
    """File with ImageNet weights, or the name of a model whose backbone is taken; empty: from timm's hub."""
    audio_weights: str = ""
    """File with VGGish or YAMNet weights, or the name of a model whose audio encoder is taken."""
    device: str = "auto"
    """"auto", "cpu", "cuda" or "mps"."""


@dataclass(frozen=True, kw_only=True)
class InferenceConfig:
    """How a video is turned into masks."""

    model: str = "avsegformer-lite"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    rate: float = 1.0
    """Masks per second."""
    threshold: float = 0.5
    refine: bool = True
    """Draw the edges of the masks to the edges of the picture; only for models without classes."""
    batch_size: int = 4
    """Windows that are worked on at a time, in one forward pass per lane."""
    lanes: int = 1
    """On the CPU: forward passes that run side by side, each with its share of the threads."""
    threads: int = 0
    """CPU threads; 0: all but one, at least one."""
    fast: bool = False
    """Half precision, on CUDA only: faster, at slightly other numbers (`inference.fast`)."""
    runtime: Runtime = "auto"
    """What the model runs on; "auto": PyTorch, or onnxruntime where that was measured to be faster on this machine."""


ConfigT = TypeVar("ConfigT")


def to_dict(config: Any) -> dict[str, Any]:
    """The config as plain types, nested dataclasses as nested dicts and tuples as lists."""
    result: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        result[item.name] = value
    return result


def from_dict(kind: type[ConfigT], values: dict[str, Any], *, source: str = "configuration") -> ConfigT:
    """Builds `kind` from plain types; a missing key keeps its default.

    Raises:
        InputError: an unknown key or a value of the wrong type, named with `source`.
    """
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(f"{source}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(hints))}.")
    return kind(**{name: _coerce(hints[name], value, f"{source}: {name}") for name, value in values.items()})


def _coerce(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type that `hint` names, or an InputError that says where it stands."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return from_dict(typing.cast(type[Any], hint), value, source=where)
    if origin is Literal:
        if value not in arguments:
            raise InputError(f"{where}: {value!r} is not one of {', '.join(map(str, arguments))}.")
        return value
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(value):
            raise InputError(f"{where}: expected {len(kinds)} values, got {len(value)}.")
        return tuple(_coerce(kind, item, where) for kind, item in zip(kinds, value, strict=True))
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _coerce(next(kind for kind in arguments if kind is not type(None)), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 2**1023:
            raise InputError(f"{where}: the number is too large.")
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise InputError(f"{where}: {value!r} is not of type {getattr(hint, '__name__', hint)}.")
    return value


def load_toml(kind: type[ConfigT], path: Path) -> ConfigT:
    """Reads a config that `save_toml` (or a person) wrote.

    Raises:
        InputError: the file cannot be read, is not TOML, or holds an unknown or mistyped setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML, or too many digits
        raise InputError(f"{path}: cannot be read as a TOML configuration ({error}).") from None
    return from_dict(kind, values, source=str(path))


def save_toml(config: Any, path: Path) -> None:
    """Writes `config` so that `load_toml` gives an equal one."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(tomli_w.dumps(to_dict(config)), encoding="utf-8")
    temporary.replace(path)


def with_overrides(config: ConfigT, assignments: Sequence[str]) -> ConfigT:
    """`config` with settings replaced, each given as "name=value" or "part.name=value"; values are TOML or plain words.

    Raises:
        InputError: no such setting, or a value of the wrong type.
    """
    values = to_dict(config)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        *parents, name = path.strip().split(".")
        target = values
        for parent in parents:
            target = target.get(parent, {}) if isinstance(target.get(parent, {}), dict) else {}
        if not equals or name not in target or isinstance(target[name], dict):
            raise InputError(f"{assignment!r}: give an existing setting and its value, for instance epochs=2.")
        target[name] = _parse_value(text.strip(), target[name])
    return from_dict(type(config), values, source="override")


def toml_string(text: str) -> str:
    """`text` as TOML writes it: as JSON does, but for letters beyond ASCII, and DEL, which only TOML escapes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _parse_value(text: str, current: Any) -> Any:
    """`text` as TOML; a bare word is a string, and one item is enough for a list."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, too many digits, or too deep
        value = text
    if isinstance(current, str) and not isinstance(value, str):
        return text
    return [value] if isinstance(current, list) and not isinstance(value, list) else value
