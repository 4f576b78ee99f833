"""`train` as users call it: the three tasks, fine-tuning, bad usage, signals, kills, requests and two processes."""

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from avseg_core.cli import main
from avseg_core.commands import train as train_command
from avseg_core.config import TrainConfig, with_overrides
from avseg_core.models.checkpoints import load_model
from avseg_core.training import control
from avseg_core.training.checkpoint import load_state
from avseg_core.training.events import CheckpointSaved, Evaluated, StepDone, read_events
from avseg_core.training.job import train
from avseg_core.training.run_store import Run
from tests.avsbench_fixtures import make_avss, make_folder, make_ms3, make_s4
from tests.core.test_training_loop import assert_equal_states
from tests.core.tiny_training import SIZE, TINY, tiny_config

ROOT = Path(__file__).parents[2]
SMALL = [
    "model.backbone=mobilenetv3_small_050",
    "model.audio_encoder=yamnet",
    "model.embed_dim=32",
    "model.ffn_dim=64",
    "model.num_queries=8",
    "model.mask_mlp_dim=32",
    "model.image_size=[64,64]",
    "model.encoder_layers=1",
    "model.decoder_layers=2",
    "device=cpu",
    "learning_rate=3e-3",
    "freeze_backbone_epochs=0",
]
CLIPS = {"train": 4, "val": 2, "test": 1}


@pytest.fixture(scope="module")
def ms3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ms3(tmp_path_factory.mktemp("ms3"), {"train": 7, "val": 2, "test": 1}, size=SIZE)


def command(out: Path, *words: str | Path, settings: Sequence[str] = ()) -> list[str]:
    given = ["train", "--out", str(out), *map(str, words)]
    return given + (["--set", *settings] if settings else [])


def tiny_command(data: Path, out: Path, *settings: str) -> list[str]:
    return command(out, "--preset", "v2-ms3-r50", "--data", data, settings=[*TINY, *settings])


def python(words: Sequence[str], *, module: Sequence[str] = ("-m", "tests.core.tiny_training")) -> list[str]:
    return [sys.executable, *module, *words]


def start(words: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def launch(words: Sequence[str]) -> multiprocessing.process.BaseProcess:
    """The same command in a process that does not have to import everything first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.core.tiny_training", "avseg_core.training.job", "avseg_core.cli"])
    process = context.Process(target=_run_command, args=(words,))
    process.start()
    return process


def _run_command(words: Sequence[str]) -> None:
    torch.set_num_threads(1)
    sys.exit(main(words))


def losses(run: Run) -> list[float]:
    return [event.loss for event in run.events() if isinstance(event, StepDone)]


def wait_for_step(run: Run, number: int, process: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(isinstance(event, StepDone) and event.step >= number for event in read_events(run.events_file)):
            return
        assert process.poll() is None if hasattr(process, "poll") else process.is_alive(), "ended too early"
        time.sleep(0.002)
    raise AssertionError(f"step {number} did not come")


@pytest.mark.parametrize("preset", ["v1-s4-r50", "v2-ms3-r50", "v2-avss-r50", "tpavi-ms3-r50"])
def test_each_task_trains_evaluates_and_exports(preset, tmp_path, capsys):
    make = {"s4": make_s4, "ms3": make_ms3, "avss": make_avss}[preset.split("-")[1]]
    data = make(tmp_path, CLIPS, **({"width": 80, "height": 64} if "avss" in preset else {"size": 64}))
    run = Run(tmp_path / "run")
    words = command(
        run.folder, "--preset", preset, "--data", data, "--from-scratch", "--json", settings=[*SMALL, "epochs=5"]
    )
    assert main([*words, "batch_size=2"]) == 0
    answer = json.loads(capsys.readouterr().out)
    first, last = losses(run)[:4], losses(run)[-4:]
    assert len(losses(run)) == 10
    assert sum(last) < sum(first)
    assert any(isinstance(event, Evaluated) for event in run.events())
    assert answer["outcome"] == "done"
    model = load_model(answer["model"])
    assert model.config.num_classes == (71 if "avss" in preset else 1)
    assert list((run.folder / "tensorboard").iterdir())


def test_fine_tuning_a_model_on_a_folder_of_ones_own_with_classes(tmp_path, capsys):
    s4 = make_s4(tmp_path, {"train": 2, "val": 1, "test": 1}, size=64)
    parent = Run(tmp_path / "parent")
    words = command(parent.folder, "--preset", "v1-s4-r50", "--data", s4, "--from-scratch", settings=SMALL)
    assert main([*words, "max_steps=1"]) == 0
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=64, classes=True)
    child = Run(tmp_path / "child")
    words = command(child.folder, "--data", own, "--init-from", parent.exported_model, settings=["max_steps=2"])
    assert main(words) == 0
    config = child.config()
    assert (config.data.dataset, config.data.frames_per_clip) == ("folder", 5)
    assert (config.model.num_classes, config.model.backbone) == (4, "mobilenetv3_small_050")
    assert "New size, so starting from random weights: mask_head" in capsys.readouterr().err
    before, after = load_model(parent.exported_model), load_model(child.exported_model)
    assert_equal_states(dict(before.backbone.state_dict()), dict(after.backbone.state_dict()))


def test_a_model_of_ones_own_starts_from_chance_but_for_the_shipped_sound_network(tmp_path):
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=64, classes=True)
    run = Run(tmp_path / "run")
    settings = ["model.image_size=[64,64]", "epochs=1", "tensorboard=false", "model.encoder_layers=1"]
    words = command(run.folder, "--preset", "scratch", "--data", own, "--device", "cpu", settings=settings)
    assert main([*words, "backbone_weights=avsegformer-lite", "freeze=backbone"]) == 0
    config, made, shipped = run.config(), load_model(run.exported_model), load_model("avsegformer-lite")
    assert (config.data.dataset, config.model.num_classes) == ("folder", 4)
    for box in ("backbone", "audio_encoder"):
        theirs = getattr(shipped, box).state_dict()
        published = {name: value for name, value in theirs.items() if not name.startswith("tuned.")}
        assert_equal_states(dict(getattr(made, box).state_dict()), published)
    assert made.config.embed_dim == 128


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "--preset NAME or --config FILE"),
        (["--preset", "v3-s4-r50", "--data", "DATA"], "v1-s4-r50"),
        (["--preset", "v2-ms3-r50"], "--data DIR"),
        (["--preset", "v2-ms3-r50", "--data", "/nowhere"], "/nowhere"),
        (["--preset", "v2-s4-r50", "--data", "DATA", "--from-scratch"], "s4_meta_data.csv"),
        (["--preset", "finetune", "--data", "DATA", "--init-from", "nobody"], "nobody"),
        (["--preset", "v2-ms3-r50", "--data", "DATA", "--set", "epoch=3"], "epoch=3"),
        (["--preset", "v2-ms3-r50", "--data", "DATA", "--set", "epochs=many"], "epochs"),
        (["--preset", "v2-ms3-r50", "--data", "DATA", "--set", "model.backbone=vgg"], "vgg"),
        (["--preset", "v2-ms3-r50", "--data", "DATA", "--audio-weights", "/no/file.pth"], "file.pth"),
        (["--config", "/no/config.toml"], "/no/config.toml"),
        (["--status"], "holds no run"),
        (["--request", "pause"], "no training is running"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(words, line, ms3, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    words = [str(ms3) if word == "DATA" else word for word in words]
    small = [] if "--set" in words else ["--set", *SMALL] if "--preset" in words else []
    if "--audio-weights" in words:
        words += ["--from-scratch"]
    assert main(command(tmp_path / "run", *words, *small)) == 2
    message = capsys.readouterr().err.strip().splitlines()
    assert line in message[-1]
    assert message[-1].startswith("avseg: ")
    assert not any("Traceback" in text for text in message)


def test_a_run_is_not_overwritten_by_accident_and_goes_on_when_asked(ms3, tmp_path, capsys):
    words = tiny_command(ms3, tmp_path / "run", "max_steps=2")
    assert main([*words, "from_scratch=true"]) == 0
    assert main(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*command(tmp_path / "run", "--resume", settings=["max_steps=3"])]) == 0
    assert len(losses(Run(tmp_path / "run"))) == 3
    assert main(command(tmp_path / "run", "--status", "--json")) == 0
    status = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (status["state"], status["step"], status["message"]) == ("finished", 3, "done")


@pytest.mark.parametrize("file", ["checkpoints/last.pt", "config.toml"])
def test_a_damaged_run_folder_is_one_line_and_exit_code_2(file, ms3, tmp_path, capsys):
    run = Run(tmp_path / "run")
    assert main([*tiny_command(ms3, run.folder, "max_steps=1"), "from_scratch=true"]) == 0
    (run.folder / file).write_bytes(b"\x80 not what it was")
    capsys.readouterr()
    assert main(command(run.folder, "--resume")) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("avseg: ")
    assert Path(file).name in message


def test_resume_starts_a_run_that_is_not_there_yet(ms3, tmp_path):
    assert main([*tiny_command(ms3, tmp_path / "run", "max_steps=1"), "from_scratch=true", "--resume"]) == 0
    assert len(losses(Run(tmp_path / "run"))) == 1


def test_an_estimate_measures_steps_and_leaves_nothing(ms3, tmp_path, capsys):
    words = tiny_command(ms3, tmp_path / "run", "epochs=5", "batch_size=2")
    assert main([*words, "--estimate", "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)
    assert cost["steps"] == 20
    assert cost["seconds"] >= 20 * cost["seconds_per_step"] > 0
    assert not (tmp_path / "run").exists()


def test_ctrl_c_finishes_the_step_saves_and_exits_130(ms3, tmp_path):
    settings = ["max_steps=2000", "epochs=2000", "data.augment=true"]
    run = Run(tmp_path / "run")
    process = start(python(tiny_command(ms3, run.folder, *settings)))
    wait_for_step(run, 5, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "--resume" in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors
    assert load_state(run.last_checkpoint)["train"]["step"] == len(losses(run)) >= 5
    assert run.status().state == "finished"


def test_sigterm_does_the_same(ms3, tmp_path):
    run = Run(tmp_path / "run")
    process = launch(tiny_command(ms3, run.folder, "max_steps=2000", "epochs=2000"))
    wait_for_step(run, 5, process)
    process.terminate()
    process.join(timeout=120)
    assert process.exitcode == 130
    assert load_state(run.last_checkpoint)["train"]["step"] == len(losses(run)) >= 5


def test_kills_at_random_moments_leave_no_trace_in_the_weights(ms3, tmp_path):
    settings = ["epochs=12", "batch_size=2", "evaluate_every=4", "checkpoint_steps=2", "ema_decay=0.95"]
    settings += ["data.augment=true", "schedule=cosine", "accumulate=2", "freeze_backbone_epochs=3"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole = Run(tmp_path / "whole")
    train(tiny_config(ms3, "v2-ms3-r50", *settings), whole)
    torch.set_num_threads(threads)
    words = [*tiny_command(ms3, tmp_path / "killed", *settings), "--resume"]
    dice, run, resumed_from = random.Random(8), Run(tmp_path / "killed"), []
    for _ in range(4):
        process = launch(words)
        saved = [event.step for event in read_events(run.events_file) if isinstance(event, CheckpointSaved)]
        resumed_from.append(saved[-1] if saved else 0)
        wait_for_step(run, min(resumed_from[-1] + dice.randint(3, 9), 47), process)
        time.sleep(dice.uniform(0, 0.02))
        process.kill()
        process.join()
    assert len(set(resumed_from)) >= 3  # kills hit at different places
    process = launch(words)
    process.join(timeout=120)
    assert process.exitcode == 0
    assert_equal_states(load_state(whole.last_checkpoint), load_state(run.last_checkpoint))
    assert losses(run) == losses(whole)
    best, expected = (load_model(each.best_weights("miou")).state_dict() for each in (run, whole))
    assert_equal_states(dict(best), dict(expected))
    assert run.status().state == "finished"


def test_a_request_from_another_process_stops_a_job(ms3, tmp_path):
    run = Run(tmp_path / "run")
    process = launch(tiny_command(ms3, run.folder, "epochs=2000", "evaluate_every=1"))
    wait_for_step(run, 9, process)
    assert main(command(run.folder, "--preset", "v2-ms3-r50", "--data", ms3)) == 2  # it is being trained
    assert main(command(run.folder, "--request", "stop")) == 0
    process.join(timeout=120)
    assert process.exitcode == 0
    assert load_model(run.exported_model).config.architecture == "tiny"


def test_a_cancel_in_the_moment_of_the_start_is_heard(ms3, tmp_path, monkeypatch):
    run = Run(tmp_path / "run")
    run.create()
    monkeypatch.setenv(control.LAUNCHED, str(time.time()))
    control.send(run.folder, "cancel")  # as the window does while the process still imports
    assert main(tiny_command(ms3, run.folder, "max_steps=2")) == 130
    assert (run.status().message, run.status().step) == ("cancelled", 0)


def test_two_processes_learn_as_one_with_the_joint_batch(ms3, tmp_path):
    settings = ["model.backbone=plain", "model.dropout=0", "batch_size=3", "epochs=3", "freeze_backbone_epochs=1"]
    settings += ["evaluate_every=1", "accumulate=2", "loss.empty_mask_weight=0.2", "ema_decay=0.5"]
    alone, both = Run(tmp_path / "alone"), Run(tmp_path / "both")
    train(tiny_config(ms3, "v2-ms3-r50", *settings), alone)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "tests.core.tiny_training"]
    process = start(python(tiny_command(ms3, both.folder, *settings), module=torchrun))
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert out.count("done after 9 steps") == 1
    # 7 clips in batches of 3: shares of 2 and 1 clips, and a last step in which the second process has none
    assert losses(both) == pytest.approx(losses(alone), abs=1e-5)
    weights, joint = (load_state(run.last_checkpoint)["average"] for run in (both, alone))
    assert all(torch.allclose(weights[key], joint[key], atol=1e-4) for key in joint)
    scores, expected = ([event.miou for event in run.events() if isinstance(event, Evaluated)] for run in (both, alone))
    assert scores == pytest.approx(expected, abs=1e-3)


def test_weights_of_any_name_are_taken(tmp_path):
    name = f"{tmp_path}/\N{GRINNING FACE}.pth"
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    args = parser.parse_args(["--out", str(tmp_path), "--audio-weights", name])
    assert with_overrides(TrainConfig(), train_command._assignments(args)).audio_weights == name
