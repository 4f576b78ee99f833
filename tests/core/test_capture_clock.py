"""Clocks: a device's time lands on the host's within milliseconds, with drift, jitter, outliers, jumps and sleep."""

import numpy as np
import pytest

from avseg_core.media.capture_clock import ClockMap, SleepWatch


def _run(clock: ClockMap, seconds: float, *, offset: float, drift: float, jitter: float, seed: int = 0) -> list[float]:
    """Feeds blocks of 20 ms whose stamps are late by an exponential jitter; returns the jumps that were told."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 0.02)
    return [
        clock.observe(float(t), float(t * (1 + drift) + offset + late))
        for t, late in zip(times, rng.exponential(jitter, len(times)), strict=True)
    ]


@pytest.mark.parametrize("drift", [0.0, 1e-4, -2e-4])
def test_maps_within_a_few_milliseconds_and_learns_the_drift(drift: float) -> None:
    clock = ClockMap()
    steps = _run(clock, 40, offset=1000.0, drift=drift, jitter=0.004)
    assert not any(steps)
    truth = 40 * (1 + drift) + 1000.0
    assert clock.to_host(40.0) == pytest.approx(truth, abs=0.005)
    assert clock.drift_ppm == pytest.approx(drift * 1e6, abs=40)


def test_the_inverse_is_exact() -> None:
    clock = ClockMap()
    _run(clock, 20, offset=-5.0, drift=1e-4, jitter=0.002)
    for moment in (0.0, 7.5, 33.0):
        assert clock.to_device(clock.to_host(moment)) == pytest.approx(moment, abs=1e-9)


def test_single_outliers_do_not_move_it() -> None:
    clean, disturbed = ClockMap(), ClockMap()
    for k in range(500):
        moment = k * 0.02
        clean.observe(moment, moment + 3.0)
        disturbed.observe(moment, moment + (3.5 if k % 40 == 7 else 3.0))
    assert disturbed.to_host(10.0) == clean.to_host(10.0)


def test_a_lasting_jump_is_told_once_and_followed() -> None:
    clock = ClockMap()
    for k in range(300):
        assert clock.observe(k * 0.02, k * 0.02 + 1.0) == 0.0
    steps = [clock.observe(k * 0.02, k * 0.02 + 1.75) for k in range(300, 400)]
    assert [step for step in steps if step] == [pytest.approx(0.75, abs=0.01)]
    assert clock.to_host(8.0) == pytest.approx(9.75, abs=0.01)


def test_nonsense_in_the_first_moments_is_no_jump() -> None:
    clock = ClockMap()
    steps = [clock.observe(k * 0.02, k * 0.02 + (0.7 if k < 5 else 1.0)) for k in range(200)]
    assert not any(steps)
    assert clock.to_host(4.0) == pytest.approx(5.0, abs=0.005)


def test_sleep_is_what_only_the_other_clock_counts() -> None:
    now = [10.0, 10.0]
    watch = SleepWatch(lambda: now[0], lambda: now[1])
    now[:] = [10.5, 10.5]
    assert watch.slept() == 0.0
    now[:] = [11.0, 611.0]
    assert watch.slept() == pytest.approx(600.0)
    now[:] = [11.25, 611.25]
    assert watch.slept() == 0.0


def test_a_long_pause_of_the_process_counts_as_sleep() -> None:
    now = [0.0]
    watch = SleepWatch(lambda: now[0], lambda: now[0])
    now[0] = 30.0
    assert watch.slept() == 30.0
