"""Runs and processes that are made up, so that no model need learn anything."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from avseg_app.training.jobs import RunView
from avseg_core.config import TrainConfig, save_toml
from avseg_core.presets import preset
from avseg_core.training.events import Evaluated, Finished, to_line
from avseg_core.training.run_store import Run, RunStatus


class FakeTask(QObject):
    """Stands in for a process; the test answers for it."""

    done = Signal(dict)
    failed = Signal(str)

    def __init__(self, words: list[str], parent: QObject) -> None:
        super().__init__(parent)
        self.words = words


def evaluated(number: int, **changes: object) -> Evaluated:
    values = {"step": number, "epoch": number, "miou": 0.1 * number, "fscore": 0.5, "batch_size": 4, "seconds": 1.0}
    return Evaluated(**values, improved=[], **changes)  # type: ignore[arg-type]


def view_of(run: Run, config: TrainConfig, *evaluations: Evaluated) -> RunView:
    return RunView(run, RunStatus(state="finished"), False, config, None, evaluations, (), None, 0.0, None)


def finished_run(folder: Path) -> Path:
    """A run folder as it is copied back from another machine."""
    run = Run(folder)
    run.create()
    save_toml(preset("finetune"), run.config_file)
    end = Finished(outcome="done", step=9, best={"miou": 0.5}, model="model.safetensors")
    run.events_file.write_text(to_line(evaluated(9)) + to_line(end))
    return folder
