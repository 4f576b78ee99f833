"""Recipes by name: Table 3 of the paper and what its code adds to it, the AVSBench baseline, and our own."""

from __future__ import annotations

import typing
from typing import Any, Literal

from avseg_core.config import DataConfig, LossConfig, ModelConfig, TrainConfig
from avseg_core.errors import InputError

Generation = Literal["v1", "v2", "paper"]
Task = Literal["s4", "ms3", "avss"]


def model_preset(generation: Generation, task: Task, backbone: str = "resnet50") -> ModelConfig:
    """AVSegFormer as the paper prints it ("paper") or as its code was released ("v1", "v2")."""
    size = (512, 512) if generation == "v2" and task != "avss" else (224, 224)
    shared: dict[str, Any] = {"backbone": backbone, "num_classes": 71 if task == "avss" else 1, "image_size": size}
    if generation == "v2":
        return ModelConfig(**shared)
    if generation == "v1":
        return ModelConfig(**shared, query_generator="repeat", reformer="qr")
    return ModelConfig(
        **shared,
        query_generator="repeat",
        reformer="qr",
        mixer="cha-paper",
        mask_head="paper",
        reformer_attention="raw",
    )


def lite_model_config(num_classes: int = 1) -> ModelConfig:
    """AVSegFormer small enough for two cores without a GPU: EfficientNet-Lite2, YAMNet and a light mask head."""
    return ModelConfig(
        backbone="tf_efficientnet_lite2",
        audio_encoder="yamnet",
        num_classes=num_classes,
        embed_dim=128,
        encoder_layers=3,
        decoder_layers=3,
        ffn_dim=512,
        num_queries=32,
        query_generator_layers=2,
        mask_head="light",
        mask_mlp_dim=128,
    )


def train_preset(generation: Generation, task: Task, backbone: str = "resnet50") -> TrainConfig:
    """The recipe of Table 3; "v1" and "v2" add what only the released code shows (freezing, batch 2, losses).

    "paper" adds gradient clipping, of which the paper says nothing: eq. 2 as printed multiplies the mask feature by
    about 100 at 224 px, and the gradient with it.
    """
    model = model_preset(generation, task, backbone)
    ce = task == "avss" and generation != "paper"
    frozen = {"s4": 5, "ms3": 10, "avss": 0}[task] if generation != "paper" else 0
    return TrainConfig(
        model=model,
        data=_task_data(task, model),
        loss=LossConfig(
            mask="ce" if ce else "dice",
            intermediate_weight=0.0 if generation == "v2" else 0.1,
            mix_weight=0.1 if generation == "v2" else 0.0,
        ),
        epochs=60 if task == "ms3" else 30,
        batch_size=2 if generation == "v2" and task != "avss" else 4,
        freeze_backbone_epochs=frozen,
        clip_norm=1.0 if generation == "paper" else 0.0,
        **(_selection(10) if task == "avss" and generation != "paper" else {}),
    )


def tpavi_preset(task: Task, backbone: str = "resnet50") -> TrainConfig:
    """AVSBench's baseline as its code trains it: Adam 1e-4, batch 4, BCE or CE, KL term on MS3 and AVSS."""
    avss = task == "avss"
    model = ModelConfig(
        architecture="tpavi", backbone=backbone, num_classes=71 if avss else 1, clip_length=10 if avss else 5
    )
    return TrainConfig(
        model=model,
        data=_task_data(task, model),
        loss=LossConfig(
            mask="ce" if task == "avss" else "bce", mix_weight=0.0, audio_visual_weight=0.0 if task == "s4" else 0.5
        ),
        epochs={"s4": 15, "ms3": 30, "avss": 60}[task],
        optimizer="adam",
        learning_rate=1e-4,
        weight_decay=0.0,
        **(_selection(15) if task == "avss" else {}),
    )


def finetune_preset() -> TrainConfig:
    """A short run that adapts an existing model to a small data set without forgetting what it knows."""
    return TrainConfig(
        data=DataConfig(dataset="folder", augment=True),
        loss=LossConfig(mix_weight=0.0, empty_mask_weight=0.5, rehearsal_weight=5.0),
        epochs=16,
        batch_size=1,
        rehearsal=4,
        learning_rate=3e-4,
        schedule="cosine",
        warmup_steps=10,
        clip_norm=1.0,
        freeze=("backbone",),
        ema_decay=0.99,
        early_stop_epochs=8,
        evaluate_every=5,
        init_from="avsegformer-lite",
    )


def scratch_preset() -> TrainConfig:
    """A small model of one's own, for a large set of clips: only the sound network, which never learns, is given."""
    model = lite_model_config()
    return TrainConfig(
        model=model,
        data=DataConfig(dataset="folder", image_size=model.image_size, front_end="yamnet", augment=True),
        loss=LossConfig(empty_mask_weight=0.5),
        epochs=60,
        batch_size=4,
        accumulate=4,
        learning_rate=1e-3,
        schedule="cosine",
        warmup_steps=50,
        clip_norm=1.0,
        ema_decay=0.99,
        from_scratch=True,
        audio_weights="avsegformer-lite",
    )


BACKBONE_PRESETS = {"r50": "resnet50", "pvt": "pvt_v2_b5"}
OWN_PRESETS = {"finetune": finetune_preset, "scratch": scratch_preset}
"""Recipes that are nobody's publication: they take whatever data set they are given."""


def preset_names() -> list[str]:
    """Every name that `preset` knows: "finetune", "scratch", and generation-task-backbone such as "v1-s4-r50"."""
    recipes = ("v1", "v2", "paper", "tpavi")
    tasks = typing.get_args(Task)
    published = [f"{recipe}-{task}-{name}" for recipe in recipes for task in tasks for name in BACKBONE_PRESETS]
    return [*OWN_PRESETS, *published]


def preset(name: str) -> TrainConfig:
    """The recipe of that name.

    Raises:
        InputError: unknown; the line lists the known ones.
    """
    if name not in preset_names():
        raise InputError(f"Unknown preset {name!r}; choose one of: {', '.join(preset_names())}.")
    if name in OWN_PRESETS:
        return OWN_PRESETS[name]()
    recipe, task, backbone = name.split("-")
    timm_name = BACKBONE_PRESETS[backbone]
    if recipe == "tpavi":
        return tpavi_preset(typing.cast(Task, task), timm_name)
    return train_preset(typing.cast(Generation, recipe), typing.cast(Task, task), timm_name)


def _task_data(task: Task, model: ModelConfig) -> DataConfig:
    return DataConfig(dataset=task, image_size=model.image_size, frames_per_clip=10 if task == "avss" else 5)


def _selection(evaluate_from: int) -> dict[str, Any]:
    """How the released AVSS code picks its two best files."""
    keep_best = ("miou", "miou+fscore")
    return {"evaluate_from": evaluate_from, "evaluate_every": 2, "evaluate_last": False, "keep_best": keep_best}
