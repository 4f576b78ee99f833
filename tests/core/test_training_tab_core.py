"""What the training tab stands on: histories of runs, surveys of folders, the user's models, pictures of masks."""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from avseg_core.cli import main
from avseg_core.config import DataConfig
from avseg_core.data.folder_table import write_moves
from avseg_core.data.registry import build_dataset
from avseg_core.errors import InputError
from avseg_core.inference.onnx_files import DECIDE, RECORD, SEE, OnnxRecord, onnx_folder
from avseg_core.models.checkpoints import load_model, save_model
from avseg_core.models.library import available_models
from avseg_core.models.registry import build_model
from avseg_core.training import library
from avseg_core.training.events import (
    CheckpointSaved,
    Evaluated,
    Finished,
    Heartbeat,
    Phase,
    Started,
    StepDone,
    to_line,
)
from avseg_core.training.history import History
from avseg_core.training.job import train
from avseg_core.training.run_store import Run
from avseg_core.training.survey import survey
from tests.avsbench_fixtures import make_folder, make_s4
from tests.core.tiny_training import SIZE, tiny_config
from tests.segment_fixtures import small_model_config

STARTED = Started(
    resumed_step=0, total_steps=9, steps_per_epoch=3, pid=1, host="elsewhere", processes=1, device="cpu",
    device_reason="", parameters=2, trained_parameters=1, train_clips=3, val_clips=1,
)  # fmt: skip


def step(number: int, loss: float, **parts: float) -> StepDone:
    return StepDone(
        step=number, epoch=0, loss=loss, parts=parts, learning_rate=0.1, grad_norm=1.0, data_ms=1.0, compute_ms=2.0,
        seconds_left=None, memory_mb=3.0,
    )  # fmt: skip


def evaluated(number: int, miou: float) -> Evaluated:
    return Evaluated(step=number, epoch=0, miou=miou, fscore=0.5, batch_size=4, seconds=1.0, improved=[])


def test_a_history_forgets_what_a_resumed_process_did_again(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    history = History(file)
    assert not history.poll()
    first = [
        STARTED,
        step(1, 5.0, mask=4.0),
        step(2, 4.0, mask=3.0, mix=1.0),
        evaluated(2, 0.4),
        step(3, 3.0, mask=3.0),
    ]
    file.write_text("".join(map(to_line, first)))
    assert history.poll()
    assert history.curves.steps == [1, 2, 3]
    assert history.curves.parts["mask"] == [4.0, 3.0, 3.0]
    assert math.isnan(history.curves.parts["mix"][0])
    second = [replace(STARTED, resumed_step=1), step(2, 4.5, mask=4.5), evaluated(2, 0.3), Heartbeat()]
    with file.open("a") as out:
        out.write("".join(map(to_line, second)))
    assert history.poll()
    assert history.curves.steps == [1, 2]
    assert history.curves.loss == [5.0, 4.5]
    assert [event.miou for event in history.evaluations] == [0.3]
    assert history.best().miou == 0.3
    assert history.status().step == 2


def test_the_status_of_a_long_history_needs_few_events(tmp_path: Path) -> None:
    history = History(tmp_path / "events.jsonl")
    history.add([STARTED, Phase(name="training")])
    for number in range(1, 5001):
        history.add([step(number, 1.0), Heartbeat(temperature=number / 100), CheckpointSaved(step=number, file="")])
    history.add([Finished(outcome="stopped", step=5000, best={}, model="model.safetensors")])
    assert len(history._digest) < 10
    status = history.status()
    assert (status.state, status.message, status.step) == ("finished", "stopped", 5000)
    assert status.temperature == 50.0


def test_a_survey_names_the_clip_of_every_problem(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 2, "val": 2}, size=64)
    (root / "train" / "train_1.mp4").write_bytes(b"nothing")
    Image.new("L", (10, 10)).save(root / "val" / "val_0.masks" / "0.500.png")
    (root / "val" / "left.masks").mkdir()
    found = survey(root)
    assert found.counts == {"train": 2, "val": 2}
    assert found.masks == 12
    assert found.can_train
    assert found.has_splits
    concerned = {finding.problem.kind: finding.clip for finding in found.findings}
    assert concerned == {"unreadable video": "train/train_1", "mask size": "val/val_0", "missing video": ""}
    assert [preview.clip for preview in found.previews] == ["train/train_0", "val/val_1"]
    assert found.previews[0].image.shape == (64, 64, 3)
    assert found.previews[0].mask.any()
    assert [(clip.name, clip.place, clip.masks) for clip in found.clips][::3] == [
        ("train/train_0", "train/train_0", 3),
        ("val/val_1", "val/val_1", 3),
    ]
    preview = found.previews[1]
    assert (preview.sound_file, preview.sound_start, preview.sound_seconds) == (str(root / "val/val_1.mp4"), 0.0, 3.0)


def test_a_survey_says_what_is_heard_and_where_a_moved_clip_belongs(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 3, "val": 1}, size=64)
    write_moves(root, {"train/train_2": "val"})
    found = survey(root)
    assert found.counts == {"train": 2, "val": 2}
    assert [(clip.name, clip.place) for clip in found.clips][2] == ("val/train_2", "train/train_2")
    tones = {"Sine wave", "Beep, bleep", "Tuning fork", "Chirp tone", "Sound effect", "Dial tone", "Telephone"}
    for clip in found.clips:
        assert tones & {name for name, _ in clip.sounds}
        assert [score for _, score in clip.sounds] == sorted((score for _, score in clip.sounds), reverse=True)
    by_name = {clip.name: clip.sounds for clip in found.clips}
    for preview in found.previews:
        assert [name for name, _ in preview.sounds] == [name for name, _ in by_name[preview.clip]]


def test_a_survey_of_a_published_layout(tmp_path: Path) -> None:
    make_s4(tmp_path, {"train": 2, "val": 1, "test": 1}, size=32)
    wavs = sorted(tmp_path.rglob("*.wav"))
    frames = sorted(path for path in tmp_path.rglob("*.png") if "train" in str(path) and "visual_frames" in str(path))
    frames[0].unlink()
    found = survey(tmp_path)
    assert found.dataset == "s4"
    assert found.counts == {"train": 2, "val": 1, "test": 1}
    broken = [finding for finding in found.findings if finding.problem.kind == "missing frame"]
    assert len(broken) == 1
    assert broken[0].clip.startswith("train/")
    clips = build_dataset(DataConfig(dataset="s4", root=str(tmp_path), exclude=(broken[0].clip,)), "train", 1)
    assert len(clips) == 1
    assert f"train/{clips.clip_id(0)}" != broken[0].clip
    assert wavs


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "the folder is empty"),
        (["guitar.mp4"], "holds videos but no masks; put the masks of guitar.mp4 into guitar.masks/"),
        (["guitar.masks/1.png"], "holds masks but no videos"),
        (["guitar.mp4", "dog.masks/1.png"], "no video has the name of a masks folder"),
        (["notes.txt"], "holds no known data set"),
    ],
)
def test_a_folder_without_a_data_set_is_explained(tmp_path: Path, files: list[str], said: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match="^" + str(tmp_path)) as caught:
        survey(tmp_path)
    assert said in str(caught.value)


def test_clips_are_held_out_by_name_and_left_out_on_request(tmp_path: Path) -> None:
    make_folder(tmp_path, {"": 8}, size=32, times=(0.5,))
    config = DataConfig(dataset="folder", root=str(tmp_path / "own"), image_size=(32, 32), hold_out=0.25)

    def names(split: str, **changes: object) -> set[str]:
        clips = build_dataset(replace(config, **changes), split, 1)
        return {clips.clip_id(index) for index in range(len(clips))}

    assert len(names("val")) == 2
    assert len(names("train")) == 6
    assert names("train") & names("val") == set()
    assert names("test") == names("val")
    one = sorted(names("train"))[0]
    assert names("train", exclude=(f"all/{one}",)) == names("train") - {one}
    assert names("train", hold_out=0.0) == names("val", hold_out=0.0)
    assert len(names("train", hold_out=0.99)) == 1


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVSEG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run folder with an export, as a training leaves it."""
    run = Run(tmp_path_factory.mktemp("runs") / "first")
    run.create()
    run.write_config(tiny_config(Path("/data/own"), "v2-ms3-r50"))
    end = Finished(outcome="done", step=9, best={"miou": 0.5}, model="model.safetensors")
    run.events_file.write_text(to_line(STARTED) + to_line(evaluated(9, 0.5)) + to_line(end))
    torch.manual_seed(0)
    save_model(build_model(small_model_config()), run.exported_model, {"miou": "0.5"})
    return run


def test_a_finished_run_becomes_a_model_with_a_card(finished: Run, own_models: Path) -> None:
    card = library.adopt(finished, "mine")
    assert "mine" in available_models()
    assert card.is_own
    assert card.facts["data"] == "/data/own"
    assert float(card.facts["miou"]) == 0.5
    assert load_model("mine").config == small_model_config()
    assert library.free_name("mine") == "mine-2"
    assert library.free_name("so so/") == "so-so"
    with pytest.raises(InputError, match="There is a model mine already"):
        library.adopt(finished, "mine")
    with pytest.raises(InputError, match="is no name for a model"):
        library.adopt(finished, "../out")
    assert sorted(path.name for path in own_models.iterdir()) == ["mine"]


def test_the_figures_of_a_card_are_those_of_its_weights(finished: Run, own_models: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(finished.folder, run.folder)
    other = replace(evaluated(5, 0.4), fscore=0.9)
    run.events_file.write_text(to_line(STARTED) + to_line(other) + to_line(evaluated(9, 0.5)))
    save_model(build_model(small_model_config()), run.exported_model, {"miou": "0.5", "fscore": "0.7"})
    card = library.adopt(run, "mine")
    assert (float(card.facts["miou"]), float(card.facts["fscore"])) == (0.5, 0.7)


def test_models_are_renamed_copied_and_deleted(finished: Run, own_models: Path, tmp_path: Path) -> None:
    card = library.adopt(finished, "mine")
    library.rename(card, "yours")
    card = library.read_card("yours")
    library.copy_out(card, tmp_path / "copy.safetensors")
    assert load_model(tmp_path / "copy.safetensors").config == card.config
    library.delete(card)
    assert "yours" not in available_models()
    assert list(own_models.iterdir()) == []


def test_files_for_the_faster_runtime_go_with_the_last_copy_of_their_model(finished: Run, own_models: Path) -> None:
    card = library.adopt(finished, "mine")
    for number, source in enumerate((card.facts["sha256"], "of another model")):
        folder = onnx_folder(str(number) * 64)
        folder.mkdir(parents=True)
        record = OnnxRecord({SEE: "", DECIDE: ""}, 0.0, {}, source)
        (folder / RECORD).write_text(json.dumps(asdict(record)), encoding="utf-8")
    library.rename(card, "yours")
    library.adopt(finished, "again")
    library.delete(library.read_card("yours"))
    assert onnx_folder("0" * 64).is_dir()
    library.delete(library.read_card("again"))
    assert not onnx_folder("0" * 64).exists()
    assert onnx_folder("1" * 64).is_dir()


def test_the_speed_of_a_model_is_measured_once_and_forgotten_with_its_file(
    finished: Run, own_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = library.adopt(finished, "mine")
    assert library.known_speed(card) is None
    assert main(["bench", "--model", "mine", "--quick", "--device", "cpu", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["models"]
    speed = library.known_speed(card)
    assert speed is not None
    assert speed.milliseconds == pytest.approx(found["milliseconds"]["frame"], abs=0.06)
    assert (speed.device, speed.threads) == ("cpu", found["threads"])
    save_model(build_model(replace(small_model_config(), num_queries=5)), card.file)
    assert library.known_speed(library.read_card("mine")) is None
    assert library.known_speed(library.read_card("avsegformer-lite")) is None


def test_a_file_among_the_models_is_no_folder_of_its_own(finished: Run, own_models: Path) -> None:
    """RUN/model.safetensors, copied into the user's folder by hand."""
    library.adopt(finished, "mine")
    shutil.copy(finished.exported_model, own_models / "model.safetensors")
    library.rename(library.read_card("model"), "better")
    assert sorted(path.name for path in own_models.iterdir()) == ["better.safetensors", "mine"]
    shutil.copy(finished.exported_model, own_models / "model.safetensors")
    library.delete(library.read_card("model"))
    assert sorted(path.name for path in own_models.iterdir()) == ["better.safetensors", "mine"]
    assert {"better", "mine"} <= set(available_models())


@pytest.mark.skipif(sys.platform == "win32", reason="links need permission there")
def test_a_model_folder_behind_a_link_is_known_as_such(
    finished: Run, own_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.adopt(finished, "mine")
    (tmp_path / "link").symlink_to(own_models)
    monkeypatch.setenv("AVSEG_MODELS", str(tmp_path / "link"))
    shutil.copy(finished.exported_model, own_models / "model.safetensors")
    library.delete(library.read_card("model"))
    assert [path.name for path in own_models.iterdir()] == ["mine"]
    library.delete(library.read_card("mine"))
    assert list(own_models.iterdir()) == []


def test_what_came_with_the_application_stays(own_models: Path) -> None:
    cards, problems = library.list_models()
    assert problems == []
    shipped = [card for card in cards if not card.is_own]
    assert shipped
    for action in (library.delete, lambda card: library.rename(card, "other")):
        with pytest.raises(InputError, match="came with the application"):
            action(shipped[0])


def test_a_damaged_model_is_named_and_blocks_no_other(own_models: Path) -> None:
    own_models.mkdir()
    (own_models / "broken.safetensors").write_bytes(b"12345678")
    cards, problems = library.list_models()
    assert "broken" not in [card.name for card in cards]
    assert len(problems) == 1
    assert "broken.safetensors" in problems[0]


def test_masks_of_fixed_frames_are_kept_with_every_evaluation(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 2, "val": 2}, size=SIZE)
    config = tiny_config(root, "finetune", "init_from=''", "freeze=[]", "epochs=2", "evaluate_every=1", "batch_size=2")
    run = Run(tmp_path / "run")
    train(config, run)
    names = sorted(path.name for path in run.snapshots_folder.iterdir())
    pairs = [f"step_{step:08d}_{number}.png" for step in (0, 1, 2) for number in (0, 1)]
    assert names == ["frame_0.png", "frame_1.png", *pairs, "truth_0.png", "truth_1.png"]
    mask = np.asarray(Image.open(run.snapshots_folder / "step_00000002_1.png"))
    assert mask.shape == (SIZE, SIZE)
    truth = np.asarray(Image.open(run.snapshots_folder / "truth_0.png"))
    assert set(np.unique(truth)) == {0, 255}
    assert not np.array_equal(mask, np.asarray(Image.open(run.snapshots_folder / "step_00000000_1.png")))
    quiet = Run(tmp_path / "quiet")
    train(replace(config, snapshots=False), quiet)
    assert not quiet.snapshots_folder.exists()
    assert torch.equal(*(load_model(each.exported_model).mask_head.weight for each in (run, quiet)))
