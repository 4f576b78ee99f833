"""Whether anything sounds, apart from what it is called (`models.label_bridge.Presence`)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import window_logmel
from avseg_core.media import AudioReader
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.checkpoints import load_model
from avseg_core.models.label_bridge import MEANT, LabelPrior, bridge_matrix

ROOT = Path(__file__).parents[2]
BEAGLE, ROBIN, HEN = 162, 15, 8
DOG, ANIMAL, CHICKEN = (YAMNET_CLASSES.index(name) for name in ("Dog", "Animal", "Chicken, rooster"))


@pytest.fixture
def prior() -> LabelPrior:
    torch.manual_seed(0)
    return LabelPrior(8, 1024, 32, presence=True)


def test_what_is_heard_weakly_is_still_compared(prior: LabelPrior) -> None:
    scores = torch.zeros(1, len(YAMNET_CLASSES))
    scores[0, DOG], scores[0, CHICKEN], scores[0, ANIMAL] = 0.02, 0.01, 0.4
    weights = prior.compare(scores)[0]
    assert weights[BEAGLE] == 1.0
    assert weights[HEN] == pytest.approx((0.01 / 0.02) ** 2)
    assert weights[ROBIN] == 0.0, "what every animal does means none"
    torch.testing.assert_close(prior.compare(scores * 0.1)[0], weights)


def test_presence_says_how_strongly(prior: LabelPrior) -> None:
    assert prior.presence is not None
    torch.nn.init.zeros_(prior.presence.linear.weight)
    embedding = torch.rand(3, 1024, generator=torch.Generator().manual_seed(1))
    for bias, strength in ((-30.0, 0.0), (0.0, 0.5), (30.0, 1.0)):
        torch.nn.init.constant_(prior.presence.linear.bias, bias)
        torch.testing.assert_close(prior.hear(embedding).amax(dim=1), torch.full((3,), strength))


def test_the_best_name_is_one_that_means_a_thing(prior: LabelPrior) -> None:
    assert prior.presence is not None
    logits = torch.full((1, len(YAMNET_CLASSES)), -5.0)
    logits[0, ANIMAL], logits[0, YAMNET_CLASSES.index("Silence")], logits[0, DOG] = 4.0, 6.0, 1.0
    assert bridge_matrix()[ANIMAL].max() < MEANT <= bridge_matrix()[DOG].max()
    assert prior.presence.best_name(logits).item() == 1.0


def test_without_it_scores_count_as_before() -> None:
    older = LabelPrior(8, 1024, 32)
    assert not any(name.startswith("presence") for name in older.state_dict())
    embedding = torch.rand(2, 1024, generator=torch.Generator().manual_seed(2))
    assert torch.equal(older.hear(embedding), older.weigh(older.sounds(embedding).sigmoid()))


def test_tuning_finds_sounds_of_labels_that_it_never_met(prior: LabelPrior, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels in different directions that have one in common; noise lacks it."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "packaging" / "default_model"), *sys.path])
    import hearing

    generator = torch.Generator().manual_seed(3)

    def seconds(labels: list[str], count: int) -> tuple[torch.Tensor, list[tuple[str, ...]]]:
        embeddings, rows = torch.rand(count * (len(labels) + 4), 1024, generator=generator), []
        for index, row in enumerate(embeddings):
            number = index // count
            rows.append((labels[number],) if number < len(labels) else ())
            if rows[-1]:
                row[:6] += 1.0
                row[8 + int(labels[number])] += 1.0
        return embeddings, rows

    assert prior.presence is not None
    torch.nn.init.zeros_(prior.sounds.weight)
    with torch.no_grad():
        prior.sounds.weight[DOG, :6] = 0.5
    hearing.tune_presence(prior, *seconds([str(number) for number in range(8)], 60))
    fresh, labels = seconds(["20", "21"], 40)
    with torch.no_grad():
        sure = prior.presence(fresh, prior.sounds(fresh))[:, 0]
    sounds = torch.tensor([bool(row) for row in labels])
    assert (sure[sounds] > 0).float().mean() > 0.8
    assert (sure[~sounds] < 0).float().mean() > 0.8
    assert not any(parameter.requires_grad for parameter in prior.presence.parameters())


def test_the_shipped_model_tells_a_bark_from_silence_and_noise() -> None:
    model = load_model("avsegformer-lite")
    assert isinstance(model, AVSegFormer)
    assert model.label_prior is not None
    assert model.label_prior.presence is not None
    with AudioReader(ROOT / "resources" / "demo" / "demo.mp4") as audio:
        bark = audio.read(1.0, 1.0)
    noise = np.random.default_rng(4).normal(0.0, 0.05, 16000).astype(np.float32)
    seconds = np.stack([window_logmel(sound, "yamnet") for sound in (bark, noise, np.zeros_like(noise))])
    with torch.no_grad():
        bark, noise, silence = model.label_prior.hear(model.embed_audio(torch.from_numpy(seconds))).amax(dim=1)
    assert bark > 0.7
    assert noise < 0.3
    assert silence < 0.01
