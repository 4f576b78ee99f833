"""What keeps a fine-tuning small and a model's memory whole: low-rank adapters, frozen parts and rehearsal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from avseg_core.config import DataConfig, ModelConfig, TrainConfig, with_overrides
from avseg_core.data.folder_table import read_classes
from avseg_core.data.registry import build_dataset
from avseg_core.models.checkpoints import load_model, save_model
from avseg_core.models.registry import build_model
from avseg_core.training.adapters import adapter_parameters, add_adapters, merged
from avseg_core.training.checkpoint import load_state
from avseg_core.training.events import Started, StepDone
from avseg_core.training.job import train
from avseg_core.training.optim import build_optimizer, prepare_tuning, set_trainable
from avseg_core.training.rehearsal import Rehearsal, make_rehearsal, rehearsal_loss
from avseg_core.training.run_store import Run
from avseg_core.training.setup import take_over
from tests.avsbench_fixtures import make_folder
from tests.core.tiny_training import SIZE, Tiny, tiny_config
from tests.segment_fixtures import small_model_config


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return build_model(small_model_config()).eval()


def inputs(frames: int = 2, size: tuple[int, int] = (64, 64)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(frames, 3, *size, generator=generator), torch.randn(frames, 1, 96, 64, generator=generator)


def disturb(model: nn.Module) -> None:
    with torch.no_grad():
        for parameter in adapter_parameters(model):
            parameter += 0.05 * torch.randn_like(parameter)


def test_merged_adapters_are_an_ordinary_model_with_the_same_answers(tmp_path: Path) -> None:
    model = small_model()
    names, size = set(model.state_dict()), small_model_config().image_size
    before = model(*inputs(size=size)).logits
    add_adapters(model, 4)
    assert torch.equal(model(*inputs(size=size)).logits, before)  # nothing was learnt yet
    disturb(model)
    tuned = model(*inputs(size=size)).logits
    assert (tuned - before).abs().max() > 1e-2
    plain = merged(model)
    assert set(plain.state_dict()) == names
    assert set(model.state_dict()) != names
    save_model(plain, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert (loaded(*inputs(size=size)).logits - tuned).abs().max() < 1e-5
    assert merged(loaded) is loaded


def test_only_adapters_outside_of_frozen_parts_learn() -> None:
    model = small_model()
    config = TrainConfig(model=model.config, tuning="lora", lora_rank=2, freeze=("backbone",), weight_decay=0.1)
    prepare_tuning(model, config)
    set_trainable(model, config, 0)
    optimizer = build_optimizer(model, config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model(*inputs(size=model.config.image_size)).logits.square().mean().backward()
    optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.endswith((".up", ".down")) for name in changed)
    assert {name.split(".")[0] for name in changed} >= {"encoder", "decoder", "mask_head", "audio_proj"}
    assert not any("parametrizations" in name for name in before if name.startswith(("backbone", "audio_encoder")))
    learning = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    assert learning < 0.25 * sum(p.numel() for name, p in small_model().named_parameters() if "backbone" not in name)


NAMES = dict.fromkeys(("label_prior", "label_grouping", "label_kinship", "label_detector"), True)


def test_the_classifiers_behind_the_label_prior_never_learn() -> None:
    config = replace(small_model_config(), backbone="tf_efficientnet_lite2", audio_encoder="yamnet", **NAMES)
    model = build_model(config)
    set_trainable(model, TrainConfig(model=config), 0)
    learning = {name for name, p in model.label_prior.named_parameters() if p.requires_grad}
    assert learning == {"to_memory.weight", "to_memory.bias", "to_mask_feature.weight", "to_mask_feature.bias"}
    assert not any(parameter.requires_grad for parameter in model.detector.parameters())
    assert all(parameter.requires_grad for parameter in model.detections.parameters())


def test_a_layer_of_another_size_than_the_parents_learns_as_a_whole() -> None:
    parent = build_model(small_model_config())
    torch.manual_seed(1)
    model = build_model(replace(small_model_config(), num_classes=3, num_queries=12))
    new = take_over(model, parent, "parent", lambda text: None)
    assert {name.split(".")[0] for name in new} == {"queries", "mask_head"}
    config = TrainConfig(model=model.config, tuning="lora", lora_rank=2, freeze=("backbone",))
    prepare_tuning(model, config, new)
    set_trainable(model, config, 0, new)
    optimizer = build_optimizer(model, config, new)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert {name for name in learning if not name.endswith((".up", ".down"))} == new
    assert len(learning) > len(new)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(learning)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("parent") / "parent.safetensors"
    save_model(Tiny(ModelConfig(architecture="tiny", backbone="plain", image_size=(SIZE, SIZE))), path)
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("own"), {"train": 2, "val": 1}, size=SIZE)


def config_for(own: Path, parent: Path, *settings: str) -> TrainConfig:
    fixed = [f"init_from={parent}", "model.backbone=plain", "freeze=[]", "epochs=4", "batch_size=2", "max_steps=4"]
    return tiny_config(own, "finetune", *fixed, *settings)


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_a_run_that_rehearses_goes_on_bit_by_bit(own: Path, parent: Path, tmp_path: Path, tuning: str) -> None:
    config = config_for(own, parent, f"tuning={tuning}", "rehearsal=3", "evaluate_every=1")
    whole, cut = Run(tmp_path / "whole"), Run(tmp_path / "cut")
    train(config, whole)
    flag: list[bool] = []
    stop = [lambda event: flag.append(True) if isinstance(event, StepDone) and event.step == 2 else None]
    train(config, cut, listeners=stop, interrupted=lambda: bool(flag))
    torch.manual_seed(99)
    result = train(config, cut, resume=True)
    one, other = load_state(whole.last_checkpoint), load_state(cut.last_checkpoint)
    assert one["model"].keys() == other["model"].keys()
    assert all(torch.equal(value, other["model"][name]) for name, value in one["model"].items())
    assert all("rehearsal" in event.parts for event in cut.events() if isinstance(event, StepDone))
    assert result.model is not None
    exported = load_model(result.model)
    assert set(exported.state_dict()) == set(load_model(parent).state_dict())
    assert not torch.equal(exported.mask_head.weight, load_model(parent).mask_head.weight)
    started = next(event for event in cut.events() if isinstance(event, Started))
    assert (started.trained_parameters < started.parameters) == (tuning == "lora")


def test_a_run_with_other_classes_is_low_rank_elsewhere_and_goes_on(parent: Path, tmp_path: Path) -> None:
    own = make_folder(tmp_path / "own", {"train": 2, "val": 1}, size=SIZE, classes=True)
    classes = len(read_classes(own))
    settings = ["tuning=lora", f"model.num_classes={classes}", "loss.empty_mask_weight=0", "weight_decay=0"]
    config = config_for(own, parent, *settings)
    whole, cut = Run(tmp_path / "whole"), Run(tmp_path / "cut")
    result = train(config, whole)
    train(with_overrides(config, ["max_steps=2"]), cut)
    train(config, cut, resume=True)
    one, other = load_state(whole.last_checkpoint)["model"], load_state(cut.last_checkpoint)["model"]
    assert {"mask_head.weight", "mixer.parametrizations.weight.original"} <= one.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    torch.manual_seed(config.seed)
    start = Tiny(config.model)
    exported = load_model(result.model)
    assert not torch.equal(exported.mask_head.weight, start.mask_head.weight)
    assert not torch.equal(exported.mask_head.bias, start.mask_head.bias)
    assert torch.linalg.matrix_rank((exported.mask_head.weight - start.mask_head.weight).flatten(1)) == classes


def test_rehearsal_costs_nothing_while_the_answers_are_the_same(own: Path, parent: Path, tmp_path: Path) -> None:
    model = load_model(parent)
    clips = build_dataset(
        DataConfig(dataset="folder", root=str(own), image_size=(SIZE, SIZE), front_end="vggish"), "train", 1
    )
    made = make_rehearsal(model, clips, seed=5, pool=12)
    assert made.frames.shape == (12, 3, SIZE, SIZE)
    assert made.logmel.shape == (12, 1, 96, 64)
    again = make_rehearsal(model, clips, seed=5, pool=12)
    assert torch.equal(made.frames, again.frames)
    assert torch.equal(made.answers, again.answers)
    drawn = made.draw(5, (1, 2)).to(torch.device("cpu"))
    assert len({frame.sum().item() for frame in drawn.frames}) == 5
    logits = model(drawn.frames, drawn.logmel).logits
    assert rehearsal_loss(logits, drawn.answers).max() < 1e-3
    assert rehearsal_loss(logits + 3, drawn.answers).min() > 0.05
    made.save(tmp_path / "rehearsal.pt")
    assert torch.equal(Rehearsal.load(tmp_path / "rehearsal.pt").answers, made.answers)
    assert sum(len(part.frames) for part in made.split(5)) == 12


def test_a_model_with_classes_rehearses_what_sounds_at_all() -> None:
    logits = torch.randn(2, 4, 8, 8)
    sounds = 1 - logits.softmax(dim=1)[:, 0]
    assert rehearsal_loss(logits, sounds).abs().max() < 1e-4


def test_rehearsal_holds_the_old_answers_and_its_absence_does_not(own: Path, parent: Path, tmp_path: Path) -> None:
    drift = {}
    for count in (0, 8):
        run = Run(tmp_path / f"run{count}")
        settings = [f"rehearsal={count}", "learning_rate=3e-2", "epochs=30", "max_steps=30", "ema_decay=0"]
        train(config_for(own, parent, *settings, "loss.rehearsal_weight=5"), run)
        kept = Rehearsal.load(Run(tmp_path / "run8").rehearsal) if count else None
        drift[count] = load_model(run.exported_model), kept
    part = drift[8][1].to(torch.device("cpu"))
    forgot, held = (
        rehearsal_loss(drift[count][0](part.frames, part.logmel).logits, part.answers).mean() for count in (0, 8)
    )
    assert held < 0.5 * forgot
