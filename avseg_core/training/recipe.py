"""From a preset, a data folder and a starting model to one configuration in which all of them agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avseg_core.config import ModelConfig, TrainConfig
from avseg_core.data.registry import DATASETS, detect_layout


def fit_to_data(config: TrainConfig, root: Path, dataset: str = "") -> TrainConfig:
    """`config` for the data set at `root`.

    With its own data set (or none named) a recipe stays as it is; with another one it takes over that one's classes
    and frames per clip. The term for silent frames is only kept for masks of one kind.

    Raises:
        InputError: no such folder, or no or several known layouts in it.
    """
    name = dataset or detect_layout(root)
    layout = DATASETS[name]
    data = replace(config.data, dataset=name, root=str(root.absolute()))
    if name == config.data.dataset and name != "folder":
        return replace(config, data=data)
    located = layout.locate(root) or root
    classes = layout.num_classes(located)
    return replace(
        config,
        data=replace(data, frames_per_clip=layout.length),
        model=replace(config.model, num_classes=classes, clip_length=layout.length),
        loss=replace(config.loss, empty_mask_weight=config.loss.empty_mask_weight if classes == 1 else 0.0),
    )


def start_from(config: TrainConfig, init_from: str, parent: ModelConfig) -> TrainConfig:
    """`config` for the fine-tuning of a model whose configuration is `parent`: all but what the data ask for is its."""
    ours = config.model
    return replace(
        config,
        init_from=init_from,
        model=replace(parent, num_classes=ours.num_classes, clip_length=ours.clip_length),
        data=replace(config.data, image_size=parent.image_size),
    )
