"""The run's events as TensorBoard scalars."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from avseg_core.training.events import Evaluated, Event, StepDone


class Board:
    """A listener of the event writer; what an earlier process logged after `resumed_step` is hidden."""

    def __init__(self, folder: Path, resumed_step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=resumed_step + 1)

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepDone):
            scalars = {"loss": event.loss, "learning rate": event.learning_rate, "gradient norm": event.grad_norm}
            scalars |= {f"loss parts/{name}": value for name, value in event.parts.items()}
            scalars |= {"time/data ms": event.data_ms, "time/compute ms": event.compute_ms}
        elif isinstance(event, Evaluated):
            scalars = {"validation/mIoU": event.miou, "validation/F-score": event.fscore}
        else:
            return
        with suppress(OSError):  # a full disk ends the logs, not the run
            for name, value in scalars.items():
                self._writer.add_scalar(name, value, event.step)

    def close(self) -> None:
        """Writes what is pending."""
        with suppress(OSError):
            self._writer.close()
