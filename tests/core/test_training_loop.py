"""The loop with a tiny model on generated MS3 clips: what it learns, keeps, tells, and how it ends and goes on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from avseg_core.config import TrainConfig
from avseg_core.data.avsbench import AVSBenchDataset
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import AVSegError, InputError
from avseg_core.models.checkpoints import load_model
from avseg_core.training import control, job, setup
from avseg_core.training.checkpoint import load_state, save_state
from avseg_core.training.events import (
    CheckpointSaved,
    Evaluated,
    Event,
    Failed,
    Finished,
    Notice,
    Phase,
    StepDone,
    read_events,
)
from avseg_core.training.job import JobResult, train
from avseg_core.training.run_store import Run
from avseg_core.training.step import Stepper, StepReport
from tests.avsbench_fixtures import make_folder, make_ms3
from tests.core.tiny_training import SIZE, Tiny, disk_full_after, tiny_config

CLIPS = {"train": 7, "val": 2, "test": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ms3(tmp_path_factory.mktemp("ms3"), CLIPS, size=SIZE)


@pytest.fixture(autouse=True)
def _healthy_model() -> Iterator[None]:
    yield
    Tiny.most_frames = Tiny.nan_after = None


def steps(run: Run) -> list[StepDone]:
    return [event for event in run.events() if isinstance(event, StepDone)]


def evaluations(run: Run) -> list[Evaluated]:
    return [event for event in run.events() if isinstance(event, Evaluated)]


def of_kind(run: Run, kind: type[Event]) -> list[Any]:
    return [event for event in read_events(run.events_file) if isinstance(event, kind)]


def when(condition: Callable[[Event], bool], action: Callable[[], None]) -> Callable[[Event], None]:
    """A listener that acts on the first event that fits."""
    done: list[bool] = []

    def listen(event: Event) -> None:
        if not done and condition(event):
            done.append(True)
            action()

    return listen


def at_step(number: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepDone) and event.step == number


def assert_equal_states(one: dict[str, Any], other: dict[str, Any], where: str = "") -> None:
    """Bit by bit, through all levels."""
    assert one.keys() == other.keys(), where
    for key, value in one.items():
        if isinstance(value, dict):
            assert_equal_states(value, other[key], f"{where}/{key}")
        elif isinstance(value, torch.Tensor):
            assert torch.equal(value, other[key]), f"{where}/{key}"
        else:
            assert value == other[key], f"{where}/{key}"


def fit(config: TrainConfig, folder: Path, **options: Any) -> tuple[Run, JobResult]:
    run = Run(folder)
    return run, train(config, run, **options)


def test_loss_falls_and_the_exported_model_is_the_best_one(data, tmp_path):
    config = tiny_config(data, "v2-ms3-r50", "epochs=12", "evaluate_every=3", "batch_size=4", "learning_rate=1e-2")
    run, result = fit(config, tmp_path / "run")
    losses = [event.loss for event in steps(run)]
    assert result.outcome == "done"
    assert len(losses) == 24
    assert sum(losses[-6:]) < 0.9 * sum(losses[:6])
    best = max(evaluations(run), key=lambda event: event.miou)
    assert result.best["miou"] == best.miou
    model = load_model(result.model)
    assert model.config == config.model
    kept = load_model(run.best_weights("miou"))
    assert_equal_states(dict(model.state_dict()), dict(kept.state_dict()))
    finished = of_kind(run, Finished)[-1]
    assert (finished.outcome, finished.model, finished.best) == ("done", "model.safetensors", result.best)
    assert run.status().state == "finished"


@pytest.mark.parametrize("micro_batches", [2, 4])
def test_micro_batches_learn_as_the_joint_batch(data, tmp_path, micro_batches):
    plain = ["model.backbone=plain", "model.dropout=0", "batch_size=4", "max_steps=4", "loss.empty_mask_weight=0.3"]
    joint, _ = fit(tiny_config(data, "v2-ms3-r50", *plain), tmp_path / "joint")
    split, _ = fit(tiny_config(data, "v2-ms3-r50", *plain, f"accumulate={micro_batches}"), tmp_path / "split")
    for one, other in zip(steps(joint), steps(split), strict=True):
        assert one.parts == pytest.approx(other.parts, abs=1e-5)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-4)
    weights, others = (load_state(run.last_checkpoint)["model"] for run in (joint, split))
    assert all(torch.allclose(weights[key], others[key], atol=1e-4) for key in weights)


def test_memory_that_is_out_is_met_with_smaller_parts_of_the_same_step(data, tmp_path):
    plain = ["model.backbone=plain", "model.dropout=0", "batch_size=4", "max_steps=3"]
    joint, _ = fit(tiny_config(data, "v2-ms3-r50", *plain), tmp_path / "joint")
    Tiny.most_frames = 5
    tight, result = fit(tiny_config(data, "v2-ms3-r50", *plain), tmp_path / "tight")
    assert result.outcome == "done"
    assert [event.loss for event in steps(tight)] == pytest.approx([event.loss for event in steps(joint)], abs=1e-5)
    told = [event.text for event in of_kind(tight, Notice) if "Out of memory" in event.text]
    assert len(told) == 1
    assert "4 parts" in told[0]
    assert load_state(tight.last_checkpoint)["train"]["micro_batches"] == 4
