"""The default model's report: what it calls right, how it counts, and that it tells small things from large ones."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

BUILD = Path(__file__).parents[2] / "packaging" / "default_model"


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    import evaluate

    return evaluate


def case(evaluate: ModuleType, group: str, width: int, sounding: tuple[int, ...] = (1,)) -> object:
    """A first thing `width` columns wide at the left of 10 x 100, and a second one of 20 at the right."""
    instances = np.zeros((10, 100), np.uint8)
    instances[:, :width], instances[:, 80:] = 1, 2
    image = np.zeros((10, 100, 3), np.uint8)
    return evaluate.Case(group, image, np.zeros(16000, np.float32), (), instances, sounding, "x")


def left(columns: int) -> NDArray[np.float32]:
    probability = np.zeros((10, 100), np.float32)
    probability[:, :columns] = 0.9
    return probability


def test_overlap_and_choice_are_of_what_sounds(evaluate: ModuleType) -> None:
    shown = case(evaluate, "one of several", 20)
    assert evaluate.measure(shown, left(10)) == pytest.approx({"masked": 0.1, "iou": 0.5, "right": 1.0})
    assert evaluate.measure(shown, left(0)) == {"masked": 0.0, "iou": 0.0, "right": 0.0}
    other = left(100) - left(80)
    assert evaluate.measure(shown, other) == pytest.approx({"masked": 0.2, "iou": 0.0, "right": 0.0})
    both = case(evaluate, "two at once", 20, (1, 2))
    assert evaluate.measure(both, other) == pytest.approx({"masked": 0.2, "iou": 0.5, "right": 1.0})
    assert evaluate.measure(case(evaluate, "nothing", 20, ()), left(3)) == pytest.approx({"masked": 0.03})


def test_small_things_are_told_apart_from_large_ones(evaluate: ModuleType) -> None:
    cases = [case(evaluate, "one of several", width) for width in (1, 5, 6, 20)]
    cases += [case(evaluate, "two at once", 5, (1, 2)), case(evaluate, "nothing", 5, ())]
    result = evaluate.evaluate(cases, {"floor": lambda _: left(0), "model": lambda _: left(5)})
    table = result["sizes"]
    assert {name: entry["n"] for name, entry in table.items()} == {
        "0% to 2% of the picture": 1,
        "4% to 8% of the picture": 2,
        "more than 8%": 1,
    }
    assert [entry["iou"][0] for entry in table.values()] == pytest.approx([0.2, (1 + 5 / 6) / 2, 0.25])
    assert result["table"]["one of several"]["floor"]["iou"] == (0.0, 0.0, 0.0)
    told = evaluate.report(result)
    assert "| more than 8% | 1 | 0.250 [0.250, 0.250] | 1.000 [1.000, 1.000] |" in told
    assert "| nothing | 1 | model |  |  | 5.000 [5.000, 5.000] |" in told
