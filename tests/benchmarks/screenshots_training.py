"""Pictures of every page of the training tab for looking at, in a language, at a scale and in a theme.

    python -m tests.benchmarks.screenshots_training FOLDER [en|de] [1|2] [light|dark]

Data, runs and answers are made up here, so that every state can be had and no model need learn anything.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal

from avseg_app.paths import DEMO_CLIP
from avseg_app.training.compare_dialog import CompareDialog
from avseg_app.training.data_page import DataPage
from avseg_app.training.jobs import RunView
from avseg_app.training.mask_history import overlay
from avseg_app.training.page import TrainingPage
from avseg_app.training.wipe_dialog import Moment
from avseg_core.config import TrainConfig
from avseg_core.data.check import CheckReport, Problem
from avseg_core.data.import_report import Offer
from avseg_core.media import VideoReader
from avseg_core.presets import finetune_preset
from avseg_core.training.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Notice,
    Phase,
    Started,
    StepDone,
    to_line,
)
from avseg_core.training.run_store import Run
from avseg_core.training.survey_report import Finding, Preview, Survey, SurveyClip
from tests.benchmarks.screenshots import Camera, main, pause, wait
from tests.idle_client import IdleClient

_MANY, _CLASSES = 600, 4
_SOUNDS = (("Dog", 0.93), ("Domestic animals, pets", 0.8))


class PlayedTask(QObject):
    """A process that answers only what is played."""

    done = Signal(dict)
    failed = Signal(str)

    def __init__(self, words: list[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.words = words

    def stop(self) -> None:
        pass


def picture(second: float, size: tuple[int, int] = (320, 180)) -> np.ndarray:
    """A frame of the demo clip, [h,w,3]."""
    with VideoReader(DEMO_CLIP) as reader:
        return cv2.resize(reader.frame_at(second).image, size, interpolation=cv2.INTER_AREA)


def mask_of(size: tuple[int, int], grown: float = 1.0) -> np.ndarray:
    """An oval where the dog sits, [h,w] 0 or 1; `grown` by a factor."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    axes = (int(0.08 * width * grown), int(0.33 * height * grown))
    cv2.ellipse(mask, (int(0.31 * width), int(0.55 * height)), axes, 0, 0, 360, 1, -1)
    return mask


def survey_of(root: Path) -> Survey:
    """Nine clips, two of them with problems."""
    previews = tuple(
        Preview(f"train/a dog in the garden {k}", picture(k), mask_of((320, 180)), (1280, 720), "a", 0.0, 1.0, _SOUNDS)
        for k in range(9)
    )
    clips = tuple(SurveyClip(f"train/clip {k}", f"clip {k}.mp4", 5, _SOUNDS) for k in range(14))
    findings = (
        Finding(
            Problem("unreadable video", f"{root}/train/parrot.mp4", f"{root}/train/parrot.mp4: ends in mid-air."),
            "train/parrot",
        ),
        Finding(
            Problem("mask size", "train/goat", "train/goat: a mask of 640x360 on frames of 1280x720."), "train/goat"
        ),
        Finding(Problem("duplicate", "val/dog", "val/dog: the same video as train/dog; the figures flatter."), ""),
    )
    counts, totals = {"train": 10, "val": 4}, {"unreadable video": 1, "mask size": 1, "duplicate": 1}
    return Survey(str(root), "folder", "", 1, counts, 70, {}, findings, totals, (), previews, clips)


def offers(root: Path) -> list[Offer]:
    """Annotations whose videos are not there, and plain videos."""
    problem = Problem("missing media", "a.mp4", "neither a video a.mp4 nor its pictures lie beside the annotations.")
    report = CheckReport("", str(root), counts={"all": 12}, problems=[problem], totals=Counter({"missing media": 1}))
    kinds = {"dog": 120, "guitar": 40, "person": 33, "violin": 20, "helicopter": 3, "cat": 2}
    return [
        Offer(root / "instances.json", "coco", report, kinds, 218),
        Offer(root, "videos", CheckReport("", str(root), counts={"all": 12}), {}, 0),
    ]


def events_of(state: str) -> list[Event]:
    """What a run in this state has told."""
    at, now = round(_MANY * (1 if state == "finished" else 0.6)), time.time()
    events: list[Event] = [
        Started(
            resumed_step=0, total_steps=_MANY, steps_per_epoch=_MANY // 12, pid=os.getpid(), host=socket.gethostname(),
            processes=1, device="cpu", device_reason="CPU.", parameters=9_400_000, trained_parameters=1_200_000,
            train_clips=10, val_clips=4,
        )
    ]  # fmt: skip
    noise = np.random.default_rng(5)
    for step in range(1, at + 1):
        loss = 0.2 + 0.9 * np.exp(-step / 150) + 0.08 * noise.standard_normal()
        parts = {"bce": 0.6 * loss, "dice": 0.3 * loss, "mix": 0.1 * loss}
        events.append(
            StepDone(
                step=step, epoch=step * 12 // _MANY, loss=loss, parts=parts, learning_rate=1e-3 * (1 - step / _MANY),
                grad_norm=1.0, data_ms=4.0, compute_ms=210.0, seconds_left=0.3 * (_MANY - step), memory_mb=1450.0,
            )
        )  # fmt: skip
        if step % (_MANY // 12) == 0:
            events.append(evaluation(step, noise))
    if state in ("running", "paused"):
        events.append(Phase(name="training" if state == "running" else "paused", done=at, total=_MANY))
    if state == "running":
        events.append(Notice(text="Memory was short: the batch is halved to 4, with twice the accumulation."))
    if state == "failed":
        events.append(Failed(step=at, reason="No space left on /home: free some, then resume; the last state is safe."))
    if state == "finished":
        events.append(Finished(outcome="done", step=at, best={"miou": 0.71}, model="model.safetensors"))
    return [replace(event, time=now) for event in events]


def evaluation(step: int, noise: np.random.Generator) -> Evaluated:
    """Scores that rise, mixer weights that part, classes that are told apart better and better."""
    share = step / _MANY
    weights = np.clip(0.5 + share * np.linspace(-0.5, 0.5, 64) + 0.03 * noise.standard_normal(64), 0, 1)
    confusion = share * np.eye(_CLASSES) + (1 - share) / _CLASSES
    return Evaluated(
        step=step, epoch=step * 12 // _MANY - 1, miou=0.3 + 0.41 * share**0.5, fscore=0.4 + 0.4 * share**0.5,
        batch_size=8, seconds=3.0, improved=["miou"], mixer_weights=[float(w) for w in weights],
        confusion_classes=list(range(_CLASSES)), confusion=[[float(v) for v in line] for line in confusion],
    )  # fmt: skip


def make_run(folder: Path, state: str, data: Path) -> None:
    """A run folder with its events and some pictures of validation frames."""
    run = Run(folder)
    run.create()
    config: TrainConfig = replace(finetune_preset(), epochs=12)
    run.write_config(replace(config, data=replace(config.data, root=str(data), dataset="folder")))
    run.events_file.write_text("".join(map(to_line, events_of(state))), encoding="utf-8")
    (folder / "log.txt").write_text("epoch 1/12: loss 0.91, mIoU 0.421\nepoch 2/12: loss 0.77, mIoU 0.467\n")
    run.snapshots_folder.mkdir(exist_ok=True)
    size = (320, 180)
    for number in range(6):
        Image.fromarray(picture(number + 0.5)).save(run.snapshots_folder / f"frame_{number}.png")
        Image.fromarray(255 * mask_of(size)).save(run.snapshots_folder / f"truth_{number}.png")
        for step in range(0, _MANY + 1, _MANY // 12):
            answer = 255 * mask_of(size, 0.4 + 0.6 * step / _MANY)
            Image.fromarray(answer).save(run.snapshots_folder / f"step_{step:08d}_{number}.png")


def take_data(camera: Camera, data: DataPage, root: Path) -> None:
    """The first step of a new training."""
    camera.shoot("1-drop")
    data._refuse(f"{root}: holds neither videos nor annotations. Choose a folder with clips and their masks.")
    camera.shoot("2-refused")
    data.refusal.hide()
    for name, offer in zip(("annotations", "videos"), offers(root), strict=True):
        data.offer.show_offer(offer, None)
        data._pages.setCurrentWidget(data.offer)
        camera.shoot(f"2-{name}")
    data._pages.setCurrentIndex(1)
    camera.shoot("2-scanning")
    data._show(survey_of(root))
    camera.shoot("3-report")
    editor = data.report.edit_splits()
    camera.shoot("3-splits", editor)
    editor.reject()


def take_recipe(camera: Camera, page: TrainingPage) -> None:
    """The second step."""
    page.new.data.report.leave_out_all.click()
    page.new.next.click()
    recipe = page.new.recipe
    pause(300)
    camera.shoot("4-recipe-measuring")
    recipe._on_estimate({"seconds": 340.0, "steps": 600, "seconds_per_step": 0.6, "device": "cpu", "memory_mb": 1450.0})
    camera.shoot("4-recipe")
    commands = recipe.show_command()
    camera.shoot("4-commands", commands)
    commands.close()
    recipe.full.setChecked(True)
    recipe.form.editors["learning_rate"].setText("-1")
    pause(300)
    camera.shoot("5-settings")
    recipe.form.editors["learning_rate"].setText("0.002")
    recipe.full.setChecked(False)


def take_runs(camera: Camera, page: TrainingPage, runs: Path) -> None:
    """Runs in every state, and all tabs of the one that has finished."""
    for state in ("running", "paused", "failed", "finished"):
        page.show_run(runs / f"garden-{state}")
        wait(lambda state=state: page.watch.view is not None and page.watch.view.name == f"garden-{state}")
        pause(800)
        camera.shoot(f"6-{state}")
    for index, name in enumerate(("curves", "masks", "inside", "log", "settings")):
        page.watch.tabs.setCurrentIndex(index)
        pause(600)
        camera.shoot(f"8-{name}")
    page.watch.tabs.setCurrentIndex(0)
    view: RunView = page.watch.view
    take_dialogs(camera, page, view)


def take_dialogs(camera: Camera, page: TrainingPage, view: RunView) -> None:
    """What can be asked of a finished run."""
    wipe = page.wipe(view)
    camera.shoot("9-wipe-empty", wipe)
    size, image = (960, 540), picture(1.5, (960, 540))
    before, after = (overlay(image, mask_of(size, grown).astype(np.float32)) for grown in (0.6, 1.0))
    wipe._show([Moment(0.5, before, after), Moment(1.5, before, after)])
    camera.shoot("9-wipe", wipe)
    wipe.reject()
    dialog = CompareDialog(view, camera.window)
    dialog.open()
    camera.shoot("9-compare-busy", dialog)
    scores = [{"protocol": name, "values": {"miou": 0.52, "fscore": 0.61}} for name in ("avsbench", "frame", "dataset")]
    better = [{"protocol": name, "values": {"miou": 0.71, "fscore": 0.6}} for name in ("avsbench", "frame", "dataset")]
    dialog._show({"evaluations": [{"scores": scores}, {"scores": better}]})
    camera.shoot("9-compare", dialog)
    dialog.close()


def take(camera: Camera) -> None:
    """All pictures."""
    page, runs = camera.window.training, camera.private / "runs"
    camera.window.modes.set_mode("training")
    pause(300)
    take_data(camera, page.new.data, camera.private / "clips")
    take_recipe(camera, page)
    for state in ("failed", "paused", "finished", "running"):
        make_run(runs / f"garden-{state}", state, camera.private / "clips")
    wait(lambda: len(page.jobs.views) == 4)
    take_runs(camera, page, runs)
    page.show_models()
    wait(lambda: page.library.card is not None)
    camera.shoot("10-models")
    page.library.show_story(page.library.card)
    camera.window.resize(1000, 600)
    for name, show in {"runs": lambda: page.show_run(runs / "garden-finished"), "data": page.show_new}.items():
        show()
        pause(600)
        camera.shoot(f"11-small-{name}")
    camera.window.close()


if __name__ == "__main__":
    if len(sys.argv) == 6:
        os.environ |= {"AVSEG_RUNS": f"{sys.argv[2]}/runs", "AVSEG_MODELS": f"{sys.argv[2]}/models"}
        modules = ("recipe_page", "compare_dialog", "wipe_dialog", "library_page")
        for module in modules:
            patch(f"avseg_app.training.{module}.CommandTask", PlayedTask).start()
        take(Camera(sys.argv[1:], IdleClient()))
    else:
        sys.exit(main(Path(sys.argv[1]), "screenshots_training", *sys.argv[2:]))
