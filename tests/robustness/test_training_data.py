"""Data sets at the edge of what can be trained on: little of it, one class, masks of another size, no masks at all."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avseg_core.errors import InputError
from avseg_core.training.events import Failed, StepDone
from avseg_core.training.job import JobResult, train
from avseg_core.training.run_store import Run
from avseg_core.training.survey import survey
from tests.avsbench_fixtures import make_folder
from tests.core.tiny_training import SIZE, tiny_config

SETTINGS = ("init_from=''", "freeze=[]", "epochs=2", "batch_size=2")


def fit(own: Path, folder: Path, *settings: str) -> tuple[Run, JobResult]:
    run = Run(folder)
    return run, train(tiny_config(own, "finetune", *SETTINGS, *settings), run)


def test_three_clips_are_enough(tmp_path: Path) -> None:
    own = make_folder(tmp_path, {"": 3}, size=SIZE)
    run, result = fit(own, tmp_path / "run", "data.hold_out=0.25")
    assert result.outcome == "done"
    assert result.model is not None
    assert len([event for event in run.events() if isinstance(event, StepDone)]) == 2
    assert "miou" in result.best


def test_one_clip_is_learnt_and_measured_on_itself(tmp_path: Path) -> None:
    own = make_folder(tmp_path, {"": 1}, size=SIZE)
    _, result = fit(own, tmp_path / "run", "data.hold_out=0.25")
    assert result.outcome == "done"


def test_one_class_only_is_learnt_beside_the_background(tmp_path: Path) -> None:
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=SIZE)
    (own / "dataset.toml").write_text('classes = ["guitar"]\n')
    for path in own.rglob("*.masks/*.png"):
        Image.fromarray(np.minimum(np.asarray(Image.open(path)), 1).astype(np.uint8)).save(path)
    assert survey(own).num_classes == 2
    settings = ["model.num_classes=2", "loss.mask=ce", "loss.empty_mask_weight=0"]
    _, result = fit(own, tmp_path / "run", *settings)
    assert result.outcome == "done"
    assert 0 <= result.best["miou"] <= 1


def test_masks_of_another_size_are_told_and_fitted(tmp_path: Path) -> None:
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=SIZE)
    for path in (own / "train").rglob("*.masks/*.png"):
        Image.open(path).resize((3 * SIZE, 2 * SIZE), Image.Resampling.NEAREST).save(path)
    assert {finding.problem.kind for finding in survey(own).findings} == {"mask size"}
    _, result = fit(own, tmp_path / "run")
    assert result.outcome == "done"


@pytest.mark.parametrize("name", ["other", "train_0"])
def test_the_same_clip_in_two_splits_is_told(tmp_path: Path, name: str) -> None:
    own = make_folder(tmp_path, {"train": 2, "val": 1}, size=SIZE)
    shutil.copy(own / "train" / "train_0.mp4", own / "val" / f"{name}.mp4")
    shutil.copytree(own / "train" / "train_0.masks", own / "val" / f"{name}.masks")
    (finding,) = survey(own).findings
    assert (finding.problem.kind, finding.clip) == ("same content", f"val/{name}")
    assert "train_0" in finding.problem.what


@pytest.mark.parametrize("masks", ["none", "of another name"])
def test_a_folder_without_pairs_of_videos_and_masks_is_one_clear_line(tmp_path: Path, masks: str) -> None:
    own = make_folder(tmp_path, {"train": 1, "val": 1}, size=SIZE)
    for folder in own.rglob("*.masks"):
        if masks == "none":
            shutil.rmtree(folder)
        else:
            folder.rename(folder.with_name("elsewhere.masks"))
    run = Run(tmp_path / "run")
    with pytest.raises(InputError, match="holds no train video with masks beside it") as caught:
        train(tiny_config(own, "finetune", *SETTINGS), run)
    assert len(str(caught.value).splitlines()) == 1
    assert [event.reason for event in run.events() if isinstance(event, Failed)] == [str(caught.value)]
