"""The log-mel front ends, away from the published values (see tests/parity)."""

import numpy as np
import pytest

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import logmel, window_logmel


@pytest.mark.parametrize(
    ("seconds", "examples"), [(0.0, 0), (0.97, 0), (1.0, 1), (4.8, 4), (4.9, 5), (5.0, 5), (10.0, 10)]
)
def test_number_of_examples_for_a_length(seconds: float, examples: int) -> None:
    assert logmel(np.zeros(round(seconds * 16000))).shape == (examples, 96, 64)


def test_silence_is_the_log_of_the_offset() -> None:
    assert np.allclose(window_logmel(np.zeros(16000), "vggish"), np.log(0.01))
    assert np.allclose(window_logmel(np.zeros(16000), "yamnet"), np.log(0.001))


def test_the_two_front_ends_differ_only_in_their_offset() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 16000)
    vggish, yamnet = (np.exp(window_logmel(sound, name).astype(np.float64)) for name in ("vggish", "yamnet"))
    assert np.allclose(vggish - 0.01, yamnet - 0.001, rtol=1e-5, atol=1e-5)


def test_a_tone_peaks_in_its_own_band_whatever_the_sample_type() -> None:
    time = np.arange(16000) / 16000
    mel = 1127 * np.log1p(np.array([125.0, 7500.0, 1000.0]) / 700)
    band = (mel[2] - mel[0]) / (mel[1] - mel[0]) * 65 - 1
    for dtype in (np.float32, np.float64):
        example = window_logmel(np.sin(2 * np.pi * 1000 * time).astype(dtype))
        assert example.dtype == np.float32
        assert abs(example[0].mean(axis=0).argmax() - band) <= 1


def test_a_short_window_is_padded_with_silence_at_its_end() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 8000)
    padded = np.concatenate([sound, np.zeros(8000)])
    assert np.array_equal(window_logmel(sound), window_logmel(padded))
    assert np.allclose(window_logmel(sound)[0, 51:], np.log(0.01))


def test_a_second_is_the_first_example_of_a_longer_sound() -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, 48000)
    assert np.array_equal(window_logmel(sound[:16000]), logmel(sound)[:1])


def test_class_names_are_the_521_of_audioset_in_order() -> None:
    assert len(YAMNET_CLASSES) == len(set(YAMNET_CLASSES)) == 521
    assert (YAMNET_CLASSES[0], YAMNET_CLASSES[69], YAMNET_CLASSES[132]) == ("Speech", "Dog", "Music")
    assert YAMNET_CLASSES[494] == "Silence"
