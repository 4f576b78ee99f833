"""Pictures of every page of the training tab, light and dark, to be looked at by a person.

    QT_SCALE_FACTOR=2 python tests/benchmarks/screenshots_training.py OUT [light|dark]

The first call makes a small data set and a small model below OUT and trains for some seconds; later ones show that run.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest

from avseg_app.app import make_application
from avseg_app.main_window import MainWindow
from avseg_app.settings import SettingsStore
from avseg_app.theme import ThemeManager
from avseg_app.training.compare_dialog import CompareDialog

PATIENCE = 400.0


def prepare(folder: Path) -> None:
    """Clips, of which one is damaged, and a model of random weights."""
    import torch

    from avseg_core.models.checkpoints import save_model
    from avseg_core.models.registry import build_model
    from tests.avsbench_fixtures import make_folder
    from tests.core.test_data_import import coco
    from tests.segment_fixtures import small_model_config

    root = make_folder(folder, {"train": 6, "val": 3}, size=192)
    (root / "train" / "train_5.mp4").write_bytes(b"this is no video")
    (folder / "empty").mkdir()
    shutil.copytree(root / "val", folder / "plain", ignore=shutil.ignore_patterns("*.masks"))
    shutil.copytree(folder / "plain", folder / "labels")
    (folder / "labels" / "instances.json").write_text(json.dumps(coco(make_folder(folder / "classes", classes=True))))
    torch.manual_seed(3)
    save_model(build_model(small_model_config()), folder / "models" / "small.safetensors")


class Camera:
    """Drives the window and saves what it looks like."""

    def __init__(self, window: MainWindow, folder: Path, name: str) -> None:
        self.window, self._folder, self._name = window, folder, name

    def shoot(self, what: str, widget=None) -> None:
        QTest.qWait(300)
        path = self._folder / f"{what}-{self._name}.png"
        (widget or self.window).grab().save(str(path))
        print(path, flush=True)

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError
            QTest.qWait(50)


def new_training(camera: Camera, folder: Path) -> None:
    page = camera.window.training
    page.show_new()
    camera.shoot("1-drop")
    page.scan(folder / "empty")
    camera.wait(page.new.data.refusal.isVisible)
    camera.shoot("2-refused")
    page.scan(folder / "plain")
    camera.wait(page.new.data.offer.isVisible)
    camera.shoot("2-videos")
    page.scan(folder / "labels")
    camera.wait(lambda: page.new.data.offer.isVisible() and page.new.data.offer.categories.isVisible())
    camera.shoot("2-annotations")
    page.scan(folder / "own")
    camera.wait(lambda: page.new.data.survey is not None)
    camera.shoot("3-report")
    editor = page.new.data.report.edit_splits()
    camera.shoot("3-splits", editor)
    editor.reject()
    page.new.data.report.leave_out_all.click()
    page.new.next.click()
    recipe = page.new.recipe
    recipe.parent_model.setCurrentText("small")
    recipe.parent_model.activated.emit(0)
    recipe.epochs.setValue(16)
    camera.wait(lambda: "At most" in recipe.estimate.text())
    camera.shoot("4-recipe")
    commands = recipe.show_command()
    camera.shoot("4-commands", commands)
    commands.close()
    recipe.full.setChecked(True)
    recipe.form.editors["learning_rate"].setText("-1")
    camera.shoot("5-settings")
    recipe.form.editors["learning_rate"].setText("0.002")
    recipe.full.setChecked(False)
    QTest.qWait(300)


def main() -> None:
    folder, theme = Path(sys.argv[1]), (sys.argv[2:] or ["light"])[0]
    os.environ |= {"AVSEG_MODELS": str(folder / "models"), "AVSEG_RUNS": str(folder / "runs")}
    if not (folder / "models").exists():
        prepare(folder)
    app = make_application()
    settings = SettingsStore(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    settings.update(theme=theme, model="small")
    window = MainWindow(settings, ThemeManager(app, theme))
    window.resize(1280, 820)
    window.show()
    camera = Camera(window, folder, f"{theme}-{os.environ.get('QT_SCALE_FACTOR', '1')}x")
    window.modes.set_mode("training")
    page = window.training
    QTest.qWait(1500)
    if not page.jobs.views:
        new_training(camera, folder)
        page.new.start.click()
        camera.wait(lambda: page.watch.view is not None and len(page.watch.view.evaluations) > 2)
        camera.shoot("6-running")
    page.show_run(page.jobs.views[0].run.folder)
    camera.wait(lambda: page.watch.view is not None and page.watch.view.status.state == "finished")
    camera.shoot("7-finished")
    page.watch.tabs.setCurrentIndex(1)
    camera.wait(lambda: bool(page.watch.masks.cells))
    camera.shoot("8-masks")
    page.watch.tabs.setCurrentIndex(2)
    camera.shoot("8-inside")
    page.watch.tabs.setCurrentIndex(0)
    wipe = page.wipe(page.watch.view)
    wipe.compare(folder / "own" / "val" / "val_0.mp4")
    camera.wait(lambda: bool(wipe.moments))
    camera.shoot("9-wipe", wipe)
    wipe.reject()
    dialog = CompareDialog(page.watch.view, window)
    dialog.open()
    camera.wait(dialog.table.isVisible)
    camera.shoot("9-compare", dialog)
    dialog.close()
    page.show_models()
    camera.wait(lambda: page.library.card is not None)
    camera.shoot("10-models")
    window.close()


if __name__ == "__main__":
    main()
