"""The recipe of a new training as the page asks for it, and the words of the command that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from avseg_core.config import TrainConfig, toml_string
from avseg_core.models.library import find_model, read_config
from avseg_core.presets import OWN_PRESETS, preset, preset_names
from avseg_core.training.survey_report import Survey

FINETUNE, SCRATCH = "finetune", "scratch"
HOLD_OUT = 0.25
"""Share of the clips kept apart for measuring in a folder without splits."""


@dataclass(frozen=True)
class Learning:
    """What learns: settings that belong together."""

    freeze: tuple[str, ...]
    """Boxes of the model that stay as they are."""
    tuning: str = "full"


_BEFORE_HEAD = ("backbone", "in_proj", "audio_proj", "encoder", "mixer", "queries", "decoder", "reformer")
_KNOWN_NAMES = ("label_prior", "grouping", "kinship", "detections", "name_proj")
"""What the picture's and the sound's classifiers say of it; only some models have these."""
LEARNING = {
    # What is left draws the masks: the mask feature and the head that is laid upon it, and the gate, which must open
    # for sounds that were strange before.
    "head": Learning((*_BEFORE_HEAD, *_KNOWN_NAMES)),
    "lora": Learning(("backbone",), "lora"),
    "most": Learning(("backbone",)),
    "all": Learning(()),
}


def learning_of(config: TrainConfig) -> str | None:
    """The name of what learns; None for a choice of one's own."""
    wanted = (set(config.freeze), config.tuning)
    return next((name for name, item in LEARNING.items() if (set(item.freeze), item.tuning) == wanted), None)


@dataclass(frozen=True)
class Quality:
    """A notch of the slider from fast to thorough."""

    learning: str
    """Of `LEARNING`; empty for what the recipe says."""
    epochs: float
    """Times those of the recipe."""


QUALITIES = (Quality("head", 0.25), Quality("lora", 0.5), Quality("", 1.0), Quality("all", 2.0))


@dataclass(frozen=True)
class Recipe:
    """A preset with what was changed."""

    preset: str
    parent: str
    """The model to start from; empty for ImageNet and audio weights."""
    assignments: tuple[str, ...] = ()
    low_priority: bool = True


def recipes_for(survey: Survey) -> list[str]:
    """Presets that fit a data set: fine-tuning, and of the published recipes those of its task."""
    tasks = [survey.dataset] if survey.published else ["avss" if survey.num_classes > 1 else "s4"]
    return [name for name in preset_names() if name in OWN_PRESETS or name.split("-")[1] in tasks]


def base_config(name: str, parent: str, survey: Survey) -> TrainConfig:
    """The preset as it applies to the data, before anything is changed.

    Raises:
        InputError: the parent cannot be read.
    """
    config = preset(name)
    model = config.model
    if name == FINETUNE and parent:
        model = read_config(find_model(parent))
    if name in OWN_PRESETS:
        model = replace(model, num_classes=survey.num_classes)
    data = replace(config.data, dataset=survey.dataset, root=survey.root, image_size=model.image_size)
    if not survey.has_splits and survey.counts.get("all", 0) > 1:
        data = replace(data, hold_out=HOLD_OUT)
    loss = config.loss if survey.num_classes == 1 else replace(config.loss, empty_mask_weight=0.0)
    return replace(config, model=model, data=data, loss=loss, init_from=parent)


def command_words(recipe: Recipe, survey: Survey, excluded: Sequence[str]) -> list[str]:
    """The options of `train` for this recipe, without --out."""
    words = ["--preset", recipe.preset, "--data", survey.root, "--dataset", survey.dataset]
    words += ["--init-from", recipe.parent] if recipe.parent else []
    words += ["--low-priority"] if recipe.low_priority else []
    settings = list(recipe.assignments)
    named = {setting.partition("=")[0] for setting in settings}
    if not survey.has_splits and survey.counts.get("all", 0) > 1 and "data.hold_out" not in named:
        settings.append(f"data.hold_out={HOLD_OUT}")
    if excluded:
        settings.append(f"data.exclude=[{', '.join(map(toml_string, excluded))}]")
    return words + (["--set", *settings] if settings else [])


def shell_command(words: Sequence[str], out: str, processes: int = 1) -> str:
    """The command as somebody would type it, on one or several GPUs."""
    import shlex

    program = ["avseg"] if processes == 1 else ["torchrun", "--nproc-per-node", str(processes), "main.py"]
    return shlex.join([*program, "train", "--out", out, *words])
