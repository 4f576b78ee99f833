"""A second is heard among those before and after it, as far as they agree with it (`LabelPrior.hear_among`)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.models.label_bridge import NEARBY, LabelPrior

BEAGLE, HEN, TRUMPET = 162, 8, 513
DOG, CHICKEN, BLOWN = (YAMNET_CLASSES.index(name) for name in ("Dog", "Chicken, rooster", "Trumpet"))


@pytest.fixture
def prior() -> LabelPrior:
    """Reads the logit of class k from the embedding's number k, and that anything sounds from its last number."""
    made = LabelPrior(8, 1024, 32, presence=True)
    assert made.presence is not None
    with torch.no_grad():
        made.sounds.weight.zero_()
        made.sounds.weight[:, : len(YAMNET_CLASSES)].fill_diagonal_(1.0)
        made.sounds.bias.fill_(-8.0)
        made.presence.linear.weight.zero_()
        made.presence.linear.weight[0, 1023] = 1.0
        made.presence.linear.bias.zero_()
    return made


def second(sure: float, **scores: float) -> Tensor:
    """An embedding [1024]: how sure it is that something sounds, and the logits of some classes."""
    embedding = torch.zeros(1024)
    embedding[1023] = sure
    for name, logit in scores.items():
        embedding[{"dog": DOG, "hen": CHICKEN, "trumpet": BLOWN}[name]] = 8.0 + logit
    return embedding


@torch.no_grad()
def heard(prior: LabelPrior, seconds: list[Tensor], apart: list[float]) -> Tensor:
    return prior.hear_among(torch.stack(seconds)[None], torch.tensor([apart]))[0]


@torch.no_grad()
def test_a_second_without_others_is_heard_alone(prior: LabelPrior) -> None:
    own, other = second(1.0, dog=1.0, hen=0.5), second(3.0, hen=3.0)
    alone = prior.hear(own[None])[0]
    assert alone[BEAGLE] == pytest.approx(torch.tensor(1.0).sigmoid().item())
    torch.testing.assert_close(heard(prior, [own], [0.0]), alone)
    torch.testing.assert_close(heard(prior, [own, other], [0.0, torch.inf]), alone)


def test_seconds_that_agree_decide_what_is_unsure(prior: LabelPrior) -> None:
    own = second(0.2, dog=-0.5, hen=-0.4)
    clear = second(4.0, dog=1.5, hen=-1.0)
    alone, among = heard(prior, [own], [0.0]), heard(prior, [own, clear, clear], [0.0, 1.0, 1.0])
    assert alone[HEN] > alone[BEAGLE]
    assert among[BEAGLE] > 2 * among[HEN]
    assert among[BEAGLE] > 0.8 > 0.6 > alone.amax()
    far = heard(prior, [own, clear, clear], [0.0, 9.0, 9.0])
    assert alone[BEAGLE] < far[BEAGLE] < among[BEAGLE]


def test_another_sound_before_changes_little(prior: LabelPrior) -> None:
    own, other = second(3.0, dog=1.0), second(3.0, trumpet=2.0)
    alone, among = heard(prior, [own], [0.0]), heard(prior, [own, other, other], [0.0, 1.0, 2.0])
    assert among[BEAGLE] == pytest.approx(alone[BEAGLE].item(), abs=0.01)
    assert among[TRUMPET] < 0.02
    silence = second(-6.0)
    assert heard(prior, [silence, own, own], [0.0, 1.0, 1.0]).amax() < 0.1, "a pause stays one"


@torch.no_grad()
def test_clips_are_heard_second_by_second_within_reach(prior: LabelPrior) -> None:
    generator = torch.Generator().manual_seed(0)
    clips = 6 * torch.rand(2, 6, 1024, generator=generator)
    together = prior.hear_clips(clips)
    assert together.shape == (2, 6, 1001)
    for clip, answer in zip(clips, together, strict=True):
        for place in range(6):
            near = [n for n in range(6) if n != place and abs(n - place) <= NEARBY]
            own = heard(prior, [clip[place], *clip[near]], [0.0, *(float(abs(n - place)) for n in near)])
            torch.testing.assert_close(answer[place], own)
