"""The default model's training: what it is told of a thing or a sound comes from a classifier that never met it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.label_bridge import THINGS, LabelPrior

BUILD = Path(__file__).parents[2] / "packaging" / "default_model"
GRID = (2, 3)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    import catalogue
    import director
    import folds
    import naming
    import scenes
    import soundbank

    return {module.__name__: module for module in (catalogue, director, folds, naming, scenes, soundbank)}


@pytest.fixture
def drawn(modules: dict[str, ModuleType]) -> object:
    """Two scenes of 64 x 96: the first thing covers the left third, the second the right third."""
    item = modules["catalogue"].Item
    things = tuple(item(Path(name), "", name, "train") for name in ("first", "second"))
    instances = np.zeros((2, 64, 96), np.uint8)
    instances[:, :, :32], instances[:, :, 64:] = 1, 2
    images = np.zeros((2, 64, 96, 3), np.uint8)
    items = np.array([[0, 1, -1, -1, -1]] * 2, np.int32)
    return modules["scenes"].SceneSet(images, instances, items, ["composite"] * 2, things)


def prior_for(thing: int, sureness: float = 12.0) -> LabelPrior:
    """Says of every place that it is `thing`."""
    torch.manual_seed(0)
    prior = LabelPrior(4, 1024, 32, presence=True)
    torch.nn.init.zeros_(prior.things.weight)
    torch.nn.init.zeros_(prior.things.bias)
    with torch.no_grad():
        prior.things.bias[thing] = sureness
    return prior


def test_an_object_and_a_source_are_of_one_fold_and_a_labels_are_spread(modules: dict[str, ModuleType]) -> None:
    catalogue = modules["catalogue"]
    keys = ["stamp:a", "stamp:a", "stamp:b", "stamp:c", "notes:flute-73-0", "notes:flute-73-1", "notes:flute-74-0"]
    keys += ["sound:packs/x/one", "sound:packs/y/two", "sound:alone"]
    labels = ["dog"] * 4 + ["flute"] * 3 + ["hen"] * 3
    items = [catalogue.Item(Path(key), label, key, "train") for key, label in zip(keys, labels, strict=True)]
    folds = dict(zip(range(len(items)), modules["folds"].folds_of(items).tolist(), strict=True))
    assert folds[0] == folds[1]
    assert {folds[0], folds[2], folds[3]} == {0, 1, 2}
    assert folds[4] == folds[5] != folds[6]
    assert folds[7] == folds[8] != folds[9]
    assert modules["folds"].folds_of(items[::-1]).tolist() == list(folds.values())[::-1]


def test_every_place_is_named_by_who_never_met_its_thing(
    modules: dict[str, ModuleType], drawn: object, tmp_path: Path
) -> None:
    coarse = np.zeros((2, 4, *GRID), np.float16)
    priors = [prior_for(number) for number in (10, 20, 30)]
    modules["naming"].unmet_names(priors, drawn, coarse, np.array([2, 1]), tmp_path / "unmet.npy")
    unmet = np.load(tmp_path / "unmet.npy")
    assert unmet.shape == (2, THINGS, *GRID)
    assert unmet.argmax(axis=1).tolist() == [[[30, 10, 20]] * 2, [[30, 20, 20]] * 2]  # a scene's ground: its turn


def test_what_is_left_out_teaches_nothing(modules: dict[str, ModuleType], drawn: object) -> None:
    names = torch.zeros(2, THINGS)
    names[0, 10] = names[1, 20] = 1.0
    coarse = np.zeros((2, 4, *GRID), np.float16)
    coarse[:, 0, :, 0], coarse[:, 1, :, 2] = 5.0, 5.0
    prior = prior_for(500, 0.0)
    steps = modules["naming"].tune_names(
        prior, drawn, coarse, names, steps=60, learning_rate=3e-2, batch=2, left_out=np.array([False, True])
    )
    assert np.isfinite(list(steps)).all()
    with torch.no_grad():
        told = prior.locate(torch.from_numpy(coarse[:1].astype(np.float32)))[0]
    assert told[10, :, 0].min() > 0.8
    assert told[20].max() < 0.1


def test_every_sound_is_heard_by_who_never_met_its_source(modules: dict[str, ModuleType]) -> None:
    rng = np.random.default_rng(0)
    bank = modules["soundbank"].SoundBank
    banks = [bank({"dog": [rng.normal(0, 0.1, 16000).astype(np.float32)]}) for _ in range(2)]
    deaf, hearing = prior_for(0), prior_for(0)
    with torch.no_grad():
        for prior, bias in ((deaf, -40.0), (hearing, 40.0)):
            assert prior.presence is not None
            torch.nn.init.zeros_(prior.presence.linear.weight)
            prior.presence.linear.bias.fill_(bias)
    models = [SimpleNamespace(audio_encoder=YAMNet(), label_prior=prior) for prior in (deaf, hearing)]
    table = modules["director"].SoundTable(list(zip(banks, models, strict=True)), 20, seed=0)
    embeddings, weights = table.seconds["dog"]
    assert embeddings.shape == (20, 1024)
    strengths = weights.amax(dim=1)
    assert set(strengths.round().tolist()) == {0.0, 1.0}
    assert len(table.bank.sounds["dog"]) == 2
    alone = modules["director"].SoundTable([(banks[0], models[1])], 2, seed=0)
    _, heard = alone.mixed(rng, ["dog", "dog"])
    assert heard.amax() == pytest.approx(1.0, abs=1e-3)
