"""Recipes by name are those of Table 3 and of the released code; single settings by assignment."""

import pytest

from avseg_core.config import TrainConfig, from_dict, to_dict, with_overrides
from avseg_core.errors import InputError
from avseg_core.presets import OWN_PRESETS, preset, preset_names
from avseg_core.training.settings_check import check_config


@pytest.mark.parametrize("backbone", ["r50", "pvt"])
@pytest.mark.parametrize(
    ("name", "epochs", "batch", "frozen", "size", "mask"),
    [
        ("v1-s4", 30, 4, 5, 224, "dice"),
        ("v1-ms3", 60, 4, 10, 224, "dice"),
        ("v1-avss", 30, 4, 0, 224, "ce"),
        ("v2-s4", 30, 2, 5, 512, "dice"),
        ("v2-ms3", 60, 2, 10, 512, "dice"),
        ("v2-avss", 30, 4, 0, 224, "ce"),
        ("paper-s4", 30, 4, 0, 224, "dice"),
        ("paper-ms3", 60, 4, 0, 224, "dice"),
        ("paper-avss", 30, 4, 0, 224, "dice"),
    ],
)
def test_avsegformer_recipes(name, epochs, batch, frozen, size, mask, backbone):
    config = preset(f"{name}-{backbone}")
    v2 = name.startswith("v2")
    assert (config.optimizer, config.learning_rate, config.weight_decay) == ("adamw", 2e-5, 0.01)
    assert (config.epochs, config.batch_size, config.freeze_backbone_epochs) == (epochs, batch, frozen)
    assert config.model.image_size == config.data.image_size == (size, size)
    assert (config.loss.mask, config.loss.intermediate_weight, config.loss.mix_weight) == (
        (mask, 0.0, 0.1) if v2 else (mask, 0.1, 0.0)
    )
    assert config.model.backbone == {"r50": "resnet50", "pvt": "pvt_v2_b5"}[backbone]
    assert config.model.num_classes == (71 if "avss" in name else 1)
    assert config.data.frames_per_clip == (10 if "avss" in name else 5)
    released_choice = "avss" in name and not name.startswith("paper")
    assert (config.evaluate_from, config.evaluate_every) == ((10, 2) if released_choice else (0, 1))
    assert config.evaluate_last is not released_choice
    assert config.keep_best == (("miou", "miou+fscore") if released_choice else ("miou",))


@pytest.mark.parametrize(
    ("name", "epochs", "mask", "divergence"),
    [("tpavi-s4-r50", 15, "bce", 0.0), ("tpavi-ms3-pvt", 30, "bce", 0.5), ("tpavi-avss-r50", 60, "ce", 0.5)],
)
def test_avsbench_recipes(name, epochs, mask, divergence):
    config = preset(name)
    assert (config.optimizer, config.learning_rate, config.weight_decay) == ("adam", 1e-4, 0.0)
    assert (config.epochs, config.batch_size, config.freeze_backbone_epochs) == (epochs, 4, 0)
    assert (config.loss.mask, config.loss.audio_visual_weight, config.loss.mix_weight) == (mask, divergence, 0.0)
    assert config.model.architecture == "tpavi"


def test_nothing_that_the_releases_lack_is_on_in_their_recipes():
    for name in set(preset_names()) - set(OWN_PRESETS):
        config = preset(name)
        assert (config.schedule, config.warmup_steps, config.ema_decay) == ("constant", 0, 0.0)
        assert config.clip_norm == (1.0 if name.startswith("paper") else 0.0)
        assert not config.amp
        assert not config.data.augment
        assert config.loss.empty_mask_weight == 0.0
        assert from_dict(TrainConfig, to_dict(config)) == config


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'v3-s4-r50'.*v1-s4-r50.*tpavi-avss-pvt"):
        preset("v3-s4-r50")


def test_settings_by_assignment():
    config = with_overrides(
        preset("v1-s4-r50"),
        ["epochs=2", "model.num_queries=1", "learning_rate=1e-4", "model.image_size=[64, 96]", "freeze=backbone"],
    )
    assert (config.epochs, config.model.num_queries, config.learning_rate) == (2, 1, 1e-4)
    assert (config.model.image_size, config.freeze) == ((64, 96), ("backbone",))
    assert with_overrides(config, ["init_from=12", "loss.mix_weight=1"]).init_from == "12"


@pytest.mark.parametrize("bad", ["epochs", "x=1", "model=3", "model.x=3", "a.b.c=1", "epochs=many", "model.mixer=foo"])
def test_an_assignment_that_fits_nothing_is_refused(bad):
    with pytest.raises(InputError):
        with_overrides(preset("v1-s4-r50"), [bad])


@pytest.mark.parametrize("name", ["intermediate", "mix", "empty_mask", "audio_visual", "rehearsal"])
@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_of_the_loss_that_cannot_be_meant_is_refused(name: str, weight: float) -> None:
    config = with_overrides(preset("finetune"), [f"loss.{name}_weight={weight}"])
    with pytest.raises(InputError, match=rf"loss\.{name}_weight must be 0 or more, not {weight}"):
        check_config(config)
    check_config(with_overrides(preset("finetune"), [f"loss.{name}_weight=0"]))


def test_small_additions_need_a_model_to_be_added_to() -> None:
    check_config(with_overrides(preset("finetune"), ["tuning=lora"]))
    with pytest.raises(InputError, match="name that model with init_from"):
        check_config(with_overrides(preset("v1-s4-r50"), ["tuning=lora"]))
