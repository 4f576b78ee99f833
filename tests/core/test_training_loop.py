"""The loop with a tiny model on generated MS3 clips: what it learns, keeps, tells, and how it ends and goes on."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from avseg_core.data.avsbench import AVSBenchDataset
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import AVSegError, InputError
from avseg_core.models.checkpoints import load_model
from avseg_core.training import control, job
from avseg_core.training.checkpoint import load_state, save_state
from avseg_core.training.events import (
    CheckpointSaved,
    Evaluated,
    Failed,
    Finished,
    Notice,
    Phase,
    StepDone,
)
from avseg_core.training.job import train
from avseg_core.training.run_store import Run
from avseg_core.training.step import Stepper, StepReport
from tests.avsbench_fixtures import make_folder, make_ms3
from tests.core.tiny_training import SIZE, Tiny, at_step, disk_full_after, fit, of_kind, tiny_config, when

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


def test_a_resumed_run_takes_the_smaller_parts_that_it_is_told_to(data, tmp_path):
    run, _ = fit(tiny_config(data, "v2-ms3-r50", "max_steps=1"), tmp_path / "run")
    fit(tiny_config(data, "v2-ms3-r50", "max_steps=2", "accumulate=2"), run.folder, resume=True)
    assert load_state(run.last_checkpoint)["train"]["micro_batches"] == 2


def test_memory_for_not_even_one_clip_fails_with_a_remedy(data, tmp_path):
    Tiny.most_frames = 4
    with pytest.raises(AVSegError, match=r"single clip.*image_size"):
        fit(tiny_config(data, "v2-ms3-r50", "max_steps=3"), tmp_path / "run")
    assert Run(tmp_path / "run").status().state == "failed"


def test_a_loss_that_is_no_number_leaves_the_last_good_state(data, tmp_path):
    Tiny.nan_after = 5
    config = tiny_config(data, "v2-ms3-r50", "max_steps=12", "checkpoint_steps=3")
    with pytest.raises(AVSegError, match=r"diverged at step 6.*mask loss.*last good checkpoint.*learning_rate=0.0003"):
        fit(config, tmp_path / "run")
    run = Run(tmp_path / "run")
    failed = of_kind(run, Failed)[-1]
    assert (failed.step, run.status().state) == (5, "failed")
    assert "\n" not in failed.reason
    state = load_state(run.last_checkpoint)
    assert state["train"]["step"] == 3
    assert all(torch.isfinite(value).all() for value in state["model"].values() if value.is_floating_point())
    Tiny.nan_after = None
    _, result = fit(replace(config, learning_rate=3e-4), run.folder, resume=True)
    assert (result.outcome, result.step) == ("done", 12)
    assert steps(run)[-1].learning_rate == 3e-4
    assert [event.step for event in steps(run)] == list(range(1, 13))


def test_a_weight_that_is_no_number_is_never_saved(data, tmp_path, monkeypatch):
    take_step = Stepper.step

    def overflow(self: Stepper, batch: AVSBatch, step: int, micro_batches: int) -> StepReport:
        report = take_step(self, batch, step, micro_batches)
        if step == 2:
            self.model.state_dict()["mask_head.weight"].fill_(torch.inf)
        return report

    monkeypatch.setattr(Stepper, "step", overflow)
    config = tiny_config(data, "v2-ms3-r50", "max_steps=9", "checkpoint_steps=1")
    with pytest.raises(AVSegError, match=r"diverged.*mask_head\.weight.*after step 3"):
        fit(config, tmp_path / "run")
    assert load_state(Run(tmp_path / "run").last_checkpoint)["train"]["step"] == 2


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        (["evaluate_every=1"], [0, 1, 2, 3, 4, 5]),
        (["evaluate_from=2", "evaluate_every=2", "evaluate_last=false"], [2, 4]),  # as the released AVSS code counts
        (["evaluate_every=4"], [0, 4, 5]),  # the last weights are the ones that a run is made for
        (["evaluate_every=0"], [5]),
        (["evaluate_from=50", "evaluate_every=1"], [5]),
        (["evaluate_every=1", "max_steps=7"], [0, 1, 2, 3]),  # two steps per epoch: the last one is half done
    ],
)
def test_evaluations_come_when_they_are_due(data, tmp_path, settings, epochs):
    run, _ = fit(tiny_config(data, "v2-ms3-r50", "epochs=6", "batch_size=4", *settings), tmp_path / "run")
    assert [event.epoch for event in evaluations(run)] == epochs


def test_an_evaluation_tells_the_mixer_s_weights_and_what_was_taken_for_what(data, tmp_path):
    run, _ = fit(tiny_config(data, "v2-ms3-r50", "max_steps=2"), tmp_path / "binary")
    (evaluation,) = evaluations(run)
    assert len(evaluation.mixer_weights) == 8
    assert all(0 < weight < 1 for weight in evaluation.mixer_weights)
    assert (evaluation.confusion, evaluation.confusion_classes) == ([], [])
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=SIZE, classes=True)
    settings = ["model.num_classes=4", "data.dataset=folder", "loss.mask=ce", "loss.mix_weight=0", "max_steps=2"]
    run, _ = fit(tiny_config(own, "v2-ms3-r50", *settings), tmp_path / "classes")
    (evaluation,) = evaluations(run)
    assert 0 in evaluation.confusion_classes
    assert len(evaluation.confusion) == len(evaluation.confusion_classes) > 1
    sums = [sum(row) for row in evaluation.confusion]
    assert all(total == pytest.approx(1, abs=1e-3) or total == 0 for total in sums)
    assert max(sums) > 0.99


def test_training_stops_when_the_score_no_longer_rises(data, tmp_path):
    settings = ["epochs=9", "evaluate_every=1", "early_stop_epochs=2", "learning_rate=1e-30", "model.backbone=plain"]
    run, result = fit(tiny_config(data, "v2-ms3-r50", *settings), tmp_path / "run")
    assert result.outcome == "early stop"
    assert [event.improved for event in evaluations(run)] == [["miou"], [], []]
    assert result.model == run.exported_model


def test_two_best_files_as_the_released_avss_code_keeps_them(data, tmp_path):
    settings = ["epochs=4", "evaluate_every=1", 'keep_best=["miou", "miou+fscore"]', "learning_rate=1e-2"]
    run, _ = fit(tiny_config(data, "v2-ms3-r50", *settings), tmp_path / "run")
    miou = fscore = 0.0
    for event in evaluations(run):
        assert ("miou" in event.improved) == (event.miou > miou)
        assert ("miou+fscore" in event.improved) == (event.miou + event.fscore > miou + fscore)
        miou, fscore = max(miou, event.miou), max(fscore, event.fscore)
    assert run.best_weights("miou+fscore").is_file()


def test_the_moving_average_is_what_is_kept(data, tmp_path):
    settings = ["epochs=2", "evaluate_every=1", "ema_decay=0.9", "learning_rate=1e-2"]
    run, result = fit(tiny_config(data, "v2-ms3-r50", *settings), tmp_path / "run")
    state = load_state(run.last_checkpoint)
    exported = load_model(result.model).state_dict()
    if evaluations(run)[-1].improved:
        assert torch.equal(exported["mask_head.weight"], state["average"]["mask_head.weight"])
    assert not torch.equal(exported["mask_head.weight"], state["model"]["mask_head.weight"])


@pytest.mark.parametrize("stop_at", [1, 4, 7, 8])
def test_a_run_that_was_interrupted_ends_bit_by_bit_like_one_that_was_not(data, tmp_path, stop_at):
    settings = ["epochs=3", "batch_size=3", "evaluate_every=2", "ema_decay=0.9", "data.augment=true", "clip_norm=0.5"]
    settings += ["schedule=cosine", "warmup_steps=3", "accumulate=2", "freeze_backbone_epochs=1"]
    config = tiny_config(data, "v2-ms3-r50", *settings)
    whole, _ = fit(config, tmp_path / "whole")
    flag: list[bool] = []
    listener = when(at_step(stop_at), lambda: flag.append(True))
    cut, result = fit(config, tmp_path / "cut", listeners=[listener], interrupted=lambda: bool(flag))
    assert (result.outcome, result.step, result.model) == ("interrupted", stop_at, None)
    torch.manual_seed(99)  # another process would have another generator state
    fit(config, tmp_path / "cut", resume=True)
    assert_equal_states(load_state(whole.last_checkpoint), load_state(cut.last_checkpoint))
    assert [(e.step, e.loss, e.parts) for e in steps(whole)] == [(e.step, e.loss, e.parts) for e in steps(cut)]
    assert [(e.step, e.miou) for e in evaluations(whole)] == [(e.step, e.miou) for e in evaluations(cut)]


def test_worker_processes_change_nothing(data, tmp_path):
    settings = ["max_steps=4", "data.augment=true"]
    alone, _ = fit(tiny_config(data, "v2-ms3-r50", *settings), tmp_path / "alone")
    helped, _ = fit(tiny_config(data, "v2-ms3-r50", *settings, "data.workers=2"), tmp_path / "helped")
    assert_equal_states(load_state(alone.last_checkpoint), load_state(helped.last_checkpoint))


def test_mixed_precision_is_ignored_without_cuda(data, tmp_path):
    full, _ = fit(tiny_config(data, "v2-ms3-r50", "max_steps=2"), tmp_path / "full")
    mixed, _ = fit(tiny_config(data, "v2-ms3-r50", "max_steps=2", "amp=true"), tmp_path / "mixed")
    assert_equal_states(load_state(full.last_checkpoint), load_state(mixed.last_checkpoint))


def test_pause_waits_saves_and_goes_on(data, tmp_path):
    run = Run(tmp_path / "run")
    seen: list[str] = []

    def resume_after_a_look() -> None:
        seen.append(run.status().state)
        control.send(run.folder, "resume")

    listeners = [
        when(at_step(2), lambda: control.send(run.folder, "pause")),
        when(lambda event: isinstance(event, Phase) and event.name == "paused", resume_after_a_look),
    ]
    result = train(tiny_config(data, "v2-ms3-r50", "max_steps=4"), run, listeners=listeners)
    assert seen == ["paused"]
    assert (result.outcome, result.step) == ("done", 4)
    assert of_kind(run, CheckpointSaved)[0].step == 2


@pytest.mark.parametrize(("request_", "exported"), [("stop", True), ("cancel", False)])
def test_stop_keeps_the_best_and_cancel_exports_nothing(data, tmp_path, request_, exported):
    run = Run(tmp_path / "run")
    listener = when(at_step(5), lambda: control.send(run.folder, request_))
    config = tiny_config(data, "v2-ms3-r50", "epochs=9", "evaluate_every=1", "batch_size=4")
    result = train(config, run, listeners=[listener])
    assert result.outcome == {"stop": "stopped", "cancel": "cancelled"}[request_]
    assert (result.model is not None, run.exported_model.exists()) == (exported, exported)
    assert load_state(run.last_checkpoint)["train"]["step"] == 5
    assert run.status().state == "finished"
    assert not (run.folder / control.CONTROL_FILE).exists()  # so that it can be resumed
    assert len(evaluations(run)) == 2


@pytest.mark.parametrize(("launched", "outcome", "steps_done"), [(-60.0, "cancelled", 0), (60.0, "done", 2)])
def test_a_request_from_before_the_job_could_hear_it_counts_since_its_launch(
    data, tmp_path, launched, outcome, steps_done
):
    run = Run(tmp_path / "run")
    run.create()
    control.send(run.folder, "cancel")
    result = train(tiny_config(data, "v2-ms3-r50", "max_steps=2"), run, launched=time.time() + launched)
    assert (result.outcome, result.step) == (outcome, steps_done)
    assert not (run.folder / control.CONTROL_FILE).exists()


def test_a_stop_ends_an_evaluation_without_a_result(data, tmp_path):
    run = Run(tmp_path / "run")
    listener = when(
        lambda event: isinstance(event, Phase) and event.name == "evaluating",
        lambda: control.send(run.folder, "stop"),
    )
    config = tiny_config(data, "v2-ms3-r50", "epochs=2", "evaluate_every=1")
    assert train(config, run, listeners=[listener]).outcome == "stopped"
    assert evaluations(run) == []
    assert train(config, run, resume=True).outcome == "done"
    assert [event.epoch for event in evaluations(run)] == [0, 1]


def test_a_full_disk_while_saving_keeps_the_previous_checkpoint_and_the_run(data, tmp_path):
    config = tiny_config(data, "v2-ms3-r50", "max_steps=2")
    run, _ = fit(config, tmp_path / "run")
    with disk_full_after(12_000):
        result = train(replace(config, max_steps=4), run, resume=True)
    assert (result.outcome, result.step) == ("done", 4)
    assert any("could not be saved" in event.text for event in of_kind(run, Notice))
    assert load_state(run.last_checkpoint)["train"]["step"] == 2


def test_a_failure_is_told_in_one_line(data, tmp_path, monkeypatch):
    monkeypatch.setattr(AVSBenchDataset, "read", lambda self, index: 1 / 0)
    with pytest.raises(AVSegError, match=r"unexpectedly \(ZeroDivisionError"):
        fit(tiny_config(data, "v2-ms3-r50", "max_steps=2"), tmp_path / "run")
    assert "ZeroDivisionError" in of_kind(Run(tmp_path / "run"), Failed)[0].reason


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("epochs=0", "epochs must be at least 1"),
        ("batch_size=0", "batch_size must be at least 1"),
        ("learning_rate=0", "learning_rate must be positive"),
        ("ema_decay=1", "ema_decay"),
        ("learning_rate=inf", "learning_rate must be positive"),
        ("seed=-1", "seed must be at least 0"),
        (f"seed={2**63}", r"seed must be less than 2\^63"),
        (f"seed=1{5000 * '0'}", "seed: .* is not of type int"),
        (f"learning_rate=1{400 * '0'}", "learning_rate: the number is too large"),
        (f"epochs={10**30}", "epochs must be less than"),
        ("data.frames_per_clip=0", "data.frames_per_clip must be at least 1"),
        ("data.workers=-1", "data.workers must be at least 0"),
        ('freeze=["backbone", "audio_encoder", "mixer", "dropout", "unused", "mask_head"]', "nothing is left"),
        ("clip_norm=-1", "clip_norm"),
        ("keep_best=[]", "keep_best"),
        ("freeze=nose", "no part 'nose'"),
        ("data.root=/nowhere", "/nowhere"),
        ("init_from=no-such-model", "no-such-model"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(data, tmp_path, setting, words):
    with pytest.raises(InputError, match=words):
        fit(tiny_config(data, "v2-ms3-r50", setting), tmp_path / "run")


def test_a_checkpoint_of_another_model_is_refused_and_the_run_stays_resumable(data, tmp_path):
    config = tiny_config(data, "v2-ms3-r50", "max_steps=2")
    run, _ = fit(config, tmp_path / "run")
    with pytest.raises(InputError, match=r"last\.pt.*does not fit"):
        train(replace(config, model=replace(config.model, backbone="plain")), run, resume=True)
    assert run.config() == config


def test_starting_from_another_model_takes_over_what_fits_and_says_what_does_not(data, tmp_path):
    first, result = fit(tiny_config(data, "v2-ms3-r50", "max_steps=2"), tmp_path / "first")
    settings = [f"init_from={result.model}", "max_steps=1", "learning_rate=1e-30", "weight_decay=0"]
    second, _ = fit(tiny_config(data, "v2-ms3-r50", *settings), tmp_path / "second")
    old, new = (load_state(run.last_checkpoint)["model"] for run in (first, second))
    assert torch.equal(old["mask_head.weight"], new["mask_head.weight"])
    assert of_kind(second, Notice) == []
    third, _ = fit(tiny_config(data, "v2-ms3-r50", *settings, "model.backbone=plain"), tmp_path / "third")
    assert torch.equal(old["mask_head.weight"], load_state(third.last_checkpoint)["model"]["mask_head.weight"])


def test_an_export_that_fails_after_a_stop_is_told(data, tmp_path, monkeypatch):
    run = Run(tmp_path / "run")
    monkeypatch.setattr(job, "_export", mock.Mock(side_effect=AVSegError("the disk is full")))
    listener = when(at_step(2), lambda: control.send(run.folder, "stop"))
    with pytest.raises(AVSegError, match="the disk is full"):
        train(tiny_config(data, "v2-ms3-r50", "max_steps=4"), run, listeners=[listener])
    assert [event.reason for event in of_kind(run, Failed)] == ["the disk is full"]


def test_a_resumed_run_takes_the_weight_decay_of_its_settings(data, tmp_path):
    config = tiny_config(data, "v2-ms3-r50", "max_steps=2", "weight_decay=0.01")
    run, _ = fit(config, tmp_path / "run")
    fit(replace(config, max_steps=3, weight_decay=0.5), run.folder, resume=True)
    groups = load_state(run.last_checkpoint)["optimizer"]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": "adam"}, "optimizer=adam, but the run began with another one"),
        ({"batch_size": 2}, "4 steps per epoch instead of 2, so batch_size or the clips have changed"),
    ],
)
def test_a_resumed_run_refuses_what_it_could_not_go_on_with(data, tmp_path, change, words):
    config = tiny_config(data, "v2-ms3-r50", "max_steps=2", "batch_size=4", "optimizer=adamw")
    run, _ = fit(config, tmp_path / "run")
    with pytest.raises(InputError, match=words):
        train(replace(config, **change), run, resume=True)
    assert run.config() == config


def test_a_state_that_does_not_tell_the_steps_of_its_epochs_goes_on(data, tmp_path):
    config = tiny_config(data, "v2-ms3-r50", "max_steps=1")
    run, _ = fit(config, tmp_path / "run")
    state = load_state(run.last_checkpoint)
    known = state["train"].pop("steps_per_epoch")
    save_state(state, run.last_checkpoint)
    fit(replace(config, max_steps=2), run.folder, resume=True)
    assert load_state(run.last_checkpoint)["train"]["steps_per_epoch"] == known > 0
