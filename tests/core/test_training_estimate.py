"""What a run will take is estimated from what it will really do."""

from pathlib import Path

import pytest

from avseg_core.config import with_overrides
from avseg_core.training import estimate as estimate_module
from avseg_core.training.events import Evaluated, StepDone
from avseg_core.training.job import train
from avseg_core.training.order import count_evaluations
from avseg_core.training.run_store import Run
from tests.avsbench_fixtures import make_ms3
from tests.core.tiny_training import SIZE, tiny_config

CLIPS = {"train": 7, "val": 2, "test": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ms3(tmp_path_factory.mktemp("ms3"), CLIPS, size=SIZE)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["epochs=6", "evaluate_every=1"], 6),
        (["epochs=6", "evaluate_every=1", "max_steps=7"], 4),  # after steps 2, 4 and 6 and in mid-epoch at the end
        (["epochs=6", "evaluate_every=1", "max_steps=8"], 4),
        (["epochs=6", "evaluate_every=2", "evaluate_from=3"], 2),
        (["epochs=6", "evaluate_every=2", "evaluate_from=3", "evaluate_last=false"], 1),
        (["epochs=6", "evaluate_every=0"], 1),
        (["epochs=3", "evaluate_every=5", "evaluate_from=1"], 1),
    ],
)
def test_as_many_evaluations_are_estimated_as_there_are(
    data: Path, tmp_path: Path, settings: list[str], expected: int
) -> None:
    config = tiny_config(data, "v2-ms3-r50", "batch_size=4", *settings)
    run = Run(tmp_path / "run")
    train(config, run)
    kinds = [type(event) for event in run.events()]
    assert kinds.count(Evaluated) == expected
    assert count_evaluations(config, kinds.count(StepDone), 2) == expected


def test_what_is_left_out_of_a_run_is_not_estimated(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_module, "count_evaluations", lambda config, total, per_epoch: 1000 * total + per_epoch)
    whole = tiny_config(data, "v2-ms3-r50", "batch_size=4", "epochs=6", "evaluate_every=1")
    cost = estimate_module.estimate(with_overrides(whole, ["max_steps=3"]))
    evaluation = estimate_module.FORWARD_SHARE * cost.seconds_per_step * CLIPS["val"] / 4
    assert cost.steps == 3
    assert cost.seconds == pytest.approx(3 * cost.seconds_per_step + 3002 * evaluation)
