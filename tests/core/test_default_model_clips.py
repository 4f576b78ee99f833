"""Clips of sound that the default model is trained and tested on: what is said to sound in a second is heard in it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BUILD = Path(__file__).parents[2] / "packaging" / "default_model"
TONES = {"dog": 500, "trumpet": 2000, "noise": 5000}


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    import clips
    import evaluate
    import soundbank

    return {"clips": clips, "evaluate": evaluate, "soundbank": soundbank}


def tone(frequency: int, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * 16000)) / 16000).astype(np.float32)


def has(second: np.ndarray, label: str) -> bool:
    """Whether the label's tone stands out, by the spectrum of the second's middle half second."""
    spectrum = np.abs(np.fft.rfft(second[4000:12000] * np.hanning(8000)))
    return bool(spectrum[TONES[label] // 2] > 20)


@pytest.mark.parametrize("course", ["throughout", "change", "burst", "gap", "nothing"])
def test_labels_say_what_is_in_every_second(modules: dict[str, ModuleType], course: str) -> None:
    clips = modules["clips"]
    bank = modules["soundbank"].SoundBank({label: [tone(hertz, 8.0)] for label, hertz in TONES.items()})
    counts = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        clip = clips.draw_clip(rng, [bank], [] if course == "nothing" else ["dog"], course, (bank, "trumpet"))
        assert [len(second) for second in clip.seconds] == [16000] * clips.SECONDS
        for second, labels in zip(clip.seconds, clip.labels, strict=True):
            assert labels == tuple(label for label in ("dog", "trumpet") if has(second, label))
        counts.add(sum(labels == ("dog",) for labels in clip.labels))
    assert counts <= {"throughout": {5}, "change": {1, 2, 3, 4}, "burst": {1, 2}, "gap": {3, 4}, "nothing": {0}}[course]


def test_a_short_recording_is_repeated_with_pauses_that_are_labelled(modules: dict[str, ModuleType]) -> None:
    bank = modules["soundbank"].SoundBank({"dog": [tone(500, 0.4)], "noise": []})
    found = set()
    for seed in range(30):
        clip = modules["clips"].draw_clip(np.random.default_rng(seed), [bank], ["dog"], "throughout")
        for second, labels in zip(clip.seconds, clip.labels, strict=True):
            found.add(labels)
            if labels == ("dog",):
                assert np.abs(second).max() > 0.005
    assert ("dog",) in found


def test_both_of_two_sound_together(modules: dict[str, ModuleType]) -> None:
    bank = modules["soundbank"].SoundBank({label: [tone(hertz, 8.0)] for label, hertz in TONES.items()})
    clip = modules["clips"].draw_clip(np.random.default_rng(3), [bank, bank], ["dog", "trumpet"], "throughout")
    assert clip.labels == [("dog", "trumpet")] * 5
    assert all(has(second, "dog") and has(second, "trumpet") for second in clip.seconds)


def test_a_case_is_one_second_of_a_clip_with_those_nearby(modules: dict[str, ModuleType]) -> None:
    bank = modules["soundbank"].SoundBank({label: [tone(hertz, 8.0)] for label, hertz in TONES.items()})
    distances = set()
    for seed in range(20):
        own, nearby = modules["evaluate"]._sound(np.random.default_rng(seed), bank, ["dog"])
        assert has(own, "dog")
        assert not has(own, "trumpet")
        distances.add(tuple(sorted(away for away, _ in nearby)))
    assert {(1.0, 1.0, 2.0, 2.0), (1.0, 2.0)} <= distances <= {(1.0, 1.0, 2.0, 2.0), (1.0, 2.0), (1.0, 1.0, 2.0)}
