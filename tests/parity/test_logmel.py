"""The VGGish log-mel front end against the published one."""

from collections.abc import Callable

import numpy as np

from avseg_core.audio.front_end import logmel


def test_logmel_is_the_published_one(recorded: Callable[[str], dict[str, np.ndarray]]) -> None:
    generator = np.random.Generator(np.random.PCG64(3))
    time = np.arange(5 * 16000) / 16000
    waveform = 0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time) + 0.05 * generator.standard_normal(time.size)
    expected = recorded("logmel")["logmel"]
    assert expected.shape == (5, 96, 64)
    assert np.abs(logmel(waveform) - expected).max() <= 1e-5
