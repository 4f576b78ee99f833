"""The training loop: step, obey, save, evaluate, until the last step; its whole state is a step number and tensors."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import nn

from avseg_core.config import TrainConfig
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.sample import AVSBatch
from avseg_core.errors import AVSegError, InputError
from avseg_core.models.checkpoints import save_model
from avseg_core.models.output import AVSModel
from avseg_core.training.adapters import merged
from avseg_core.training.checkpoint import SaveError, load_state, save_state
from avseg_core.training.control import Inbox
from avseg_core.training.distributed import World
from avseg_core.training.ema import ModelAverage
from avseg_core.training.events import CheckpointSaved, Evaluated, EventWriter, Notice, Outcome, Phase, StepDone
from avseg_core.training.order import StepOrder, count_evaluations, is_evaluated, load_steps, without_labels
from avseg_core.training.pace import Pace, memory_mb
from avseg_core.training.rehearsal import Rehearsal
from avseg_core.training.run_store import Run
from avseg_core.training.snapshots import Snapshots
from avseg_core.training.step import Diverged, Stepper, StepReport
from avseg_core.training.validation import Validation, validate

GO_ON, PAUSE, STOP, CANCEL, INTERRUPT = range(5)
"""What the user wants; of several processes the highest number decides."""
OUTCOMES: dict[int, Outcome] = {STOP: "stopped", CANCEL: "cancelled", INTERRUPT: "interrupted"}
POLL_SECONDS = 0.2
PHASE_SECONDS = 1.0


class Ended(Exception):
    """The user ended the run; not a failure."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass
class TrainState:
    """Everything but tensors that a resumed run has to know."""

    step: int = 0
    """Finished optimiser steps."""
    evaluated_step: int = -1
    """After which step the last evaluation was; -1: none yet."""
    micro_batches: int = 1
    best: dict[str, float] = field(default_factory=dict)
    """Highest "miou" and "fscore" so far, each on its own, as the released code compares."""
    kept: dict[str, float] = field(default_factory=dict)
    """Value of each of `keep_best` for the weights that were kept."""
    without_gain: int = 0
    """Evaluations since mIoU last rose."""
    new: tuple[str, ...] = ()
    """Parameters that the model the run starts from does not have in this shape."""
    steps_per_epoch: int = 0
    """What `step` is counted in; 0 in a state that does not tell."""


class Trainer:
    """Trains `model` on `train_clips` inside of a run folder. Every process of a distributed run has one."""

    def __init__(
        self,
        config: TrainConfig,
        run: Run,
        model: nn.Module,
        train_clips: ClipDataset,
        val_clips: ClipDataset,
        *,
        world: World,
        events: EventWriter,
        inbox: Inbox,
        rehearsal: Rehearsal | None = None,
        new: Collection[str] = (),
    ) -> None:
        """`new` as `TrainState.new`: these learn as a whole also where all else learns by adapters."""
        self.config, self.run_folder, self.model, self.world = config, run, model, world
        self.train_clips, self.val_clips = train_clips, val_clips
        self.order = StepOrder(len(train_clips), config.batch_size, config.seed)
        all_steps = config.epochs * self.order.steps_per_epoch
        self.total_steps = min(config.max_steps, all_steps) if config.max_steps else all_steps
        self.state = TrainState(
            micro_batches=config.accumulate, new=tuple(sorted(new)), steps_per_epoch=self.order.steps_per_epoch
        )
        self.stepper = Stepper(model, config, world, self.total_steps, rehearsal, new)
        self.average = ModelAverage(model, config.ema_decay) if config.ema_decay else None
        self._events, self._inbox = events, inbox
        self._snapshots: Snapshots | None = None
        self._pace = Pace()
        self._saved_at = time.monotonic()
        self._saved_version = (0, -1)
        self._prepared_for = -1

    @property
    def epoch(self) -> int:
        """The epoch that the next step belongs to, counted from 0."""
        return self.state.step // self.order.steps_per_epoch

    @property
    def result(self) -> nn.Module:
        """The weights that are evaluated and kept: the moving average if there is one."""
        return self.model if self.average is None else self.average.model

    def run(self) -> Outcome:
        """Trains to the end.

        Raises:
            Ended: by the user; the state is saved.
            Diverged, TooLarge: training cannot go on.
        """
        batches = self._batches()
        self._obey()
        if self.world.is_first and self.config.snapshots:
            self._snapshots = Snapshots(self.run_folder.snapshots_folder, self.val_clips, self.world.device)
            if self.state.step == 0:
                self._snapshots.write(cast(AVSModel, self.result.eval()), 0)
        self._say(Phase(name="training", done=self.state.step, total=self.total_steps))
        while True:
            if self._evaluation_due():
                self._evaluate()
                self.save()
                self._obey()
                if 0 < self.config.early_stop_epochs <= self.state.without_gain:
                    return "early stop"
                continue
            if self.state.step >= self.total_steps:
                self.save()
                return "done"
            self._train_step(batches)
            if self._save_due():
                self.save()
            self._obey()

    def _batches(self) -> Iterator[AVSBatch]:
        return load_steps(
            self.train_clips,
            self.order,
            start=self.state.step,
            stop=self.total_steps,
            world=self.world,
            workers=self.config.data.workers,
            pin=self.world.device.type == "cuda",
        )

    def _train_step(self, batches: Iterator[AVSBatch]) -> None:
        state, epoch = self.state, self.epoch
        if epoch != self._prepared_for:
            self.stepper.begin(epoch)
            self._prepared_for = epoch
        started = time.monotonic()
        batch = next(batches)
        loaded = time.monotonic()
        if self.order.is_idle(state.step, self.world):
            batch = without_labels(batch)
        report = self.stepper.step(batch, state.step, state.micro_batches)
        if self.average is not None:
            self.average.update(self.model, state.step)
        state.step += 1
        finished = time.monotonic()
        self._pace.step(finished - started)
        self._say(self._step_event(report, epoch, loaded - started, finished - loaded))
        if report.micro_batches != state.micro_batches:
            state.micro_batches = report.micro_batches
            text = f"Out of memory: each step is now computed in {report.micro_batches} parts, with the same loss."
            self._say(Notice(text=text))

    def _step_event(self, report: StepReport, epoch: int, data: float, compute: float) -> StepDone:
        return StepDone(
            step=self.state.step,
            epoch=epoch,
            loss=report.loss,
            parts=report.parts,
            learning_rate=report.learning_rate,
            grad_norm=report.grad_norm,
            data_ms=1000 * data,
            compute_ms=1000 * compute,
            seconds_left=self._pace.seconds_left(self.total_steps - self.state.step, self._evaluations_left()),
            memory_mb=memory_mb(self.world.device),
        )

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _evaluation_due(self) -> bool:
        """After the epochs that the configuration names, and at the very end unless the configuration spares that."""
        state = self.state
        if state.step == 0 or state.evaluated_step == state.step:
            return False
        at_end_of_epoch = state.step % self.order.steps_per_epoch == 0
        if at_end_of_epoch and is_evaluated(self.config, self.epoch - 1):
            return True
        spared = not self.config.evaluate_last and at_end_of_epoch
        never = state.evaluated_step < 0 or self.config.evaluate_every == 0
        return state.step >= self.total_steps and (never or not spared)

    def _evaluations_left(self) -> int:
        return count_evaluations(self.config, self.total_steps, self.order.steps_per_epoch, self.epoch)

    def _evaluate(self) -> None:
        """The first process evaluates, all learn the result. A user who ends the run ends the evaluation too."""
        scores = [0.0, 0.0, 0.0]
        validation: Validation | None = None
        if self.world.is_first:
            try:
                validation = self._validation()
                scores = [1.0, validation.miou, validation.fscore]
            except Ended:
                pass
        finished, miou, fscore = self.world.from_first(scores)
        self._say(Phase(name="training", done=self.state.step, total=self.total_steps))
        if not finished:
            return
        state = self.state
        state.evaluated_step = state.step
        state.without_gain = 0 if miou > state.best.get("miou", 0.0) else state.without_gain + 1
        if validation is not None:
            self._pace.evaluation(validation.seconds)
            if self._snapshots is not None:
                self._snapshots.write(cast(AVSModel, self.result), state.step)
            self._say(self._evaluation_event(validation, self._keep_if_best(validation)))
        for name, value in (("miou", miou), ("fscore", fscore)):
            state.best[name] = max(value, state.best.get(name, 0.0))

    def _validation(self) -> Validation:
        total, shown = len(self.val_clips), 0.0

        def after_batch(done: int) -> None:
            nonlocal shown
            if time.monotonic() - shown >= PHASE_SECONDS:
                shown = time.monotonic()
                self._say(Phase(name="evaluating", done=done, total=total))
            self._wait_while_paused(self._wish)
            if self._wish() > PAUSE:
                raise Ended(OUTCOMES[self._wish()])

        self._say(Phase(name="evaluating", done=0, total=total))
        self._prepared_for = -1
        return validate(
            cast(AVSModel, self.result.eval()),
            self.val_clips,
            batch_size=self.config.batch_size,
            clips_at_once=max(self.config.batch_size // self.state.micro_batches, 1),
            device=self.world.device,
            workers=self.config.data.workers,
            autocast=self.stepper.autocast,
            after_batch=after_batch,
        )

    def _keep_if_best(self, validation: Validation) -> list[str]:
        """Writes the weights under each name of `keep_best` that they are the best of; answers these names."""
        best = self.state.best
        improved: list[str] = []
        values = {"miou": validation.miou, "miou+fscore": validation.miou + validation.fscore}
        limits = {"miou": best.get("miou", 0.0), "miou+fscore": best.get("miou", 0.0) + best.get("fscore", 0.0)}
        for name in self.config.keep_best:
            if values[name] > limits[name] and self._keep(name, validation):
                self.state.kept[name] = values[name]
                improved.append(name)
        return improved

    def _keep(self, name: str, validation: Validation) -> bool:
        facts = {
            "step": str(self.state.step),
            "miou": f"{validation.miou:.6f}",
            "fscore": f"{validation.fscore:.6f}",
            "dataset": self.config.data.dataset,
            "init_from": self.config.init_from,
        }
        try:
            save_model(merged(self.result), self.run_folder.best_weights(name), facts)
        except AVSegError as error:
            self._say(Notice(text=str(error)))
            return False
        return True

    def _evaluation_event(self, validation: Validation, improved: list[str]) -> Evaluated:
        classes, shares = validation.confusion_shares()
        return Evaluated(
            step=self.state.step,
            epoch=(self.state.step - 1) // self.order.steps_per_epoch,
            miou=validation.miou,
            fscore=validation.fscore,
            batch_size=self.config.batch_size,
            seconds=validation.seconds,
            improved=improved,
            class_iou=list(validation.class_iou),
            mixer_weights=[round(weight, 5) for weight in validation.mixer_weights],
            confusion_classes=classes,
            confusion=shares,
        )

    # --- what the user wants ----------------------------------------------------------------------------------------

    def _wish(self) -> int:
        """What this process knows of the user's wish."""
        if self._inbox.interrupted():
            return INTERRUPT
        wishes = {"pause": PAUSE, "stop": STOP, "cancel": CANCEL}
        return wishes.get(self._inbox.latest() or "", GO_ON)

    def _obey(self) -> None:
        """Pauses as long as asked for. Raises Ended, with the state saved."""

        def agreed() -> int:
            return self.world.highest(self._wish())

        wish = agreed()
        if wish == PAUSE:
            self.save()
            wish = self._wait_while_paused(agreed)
        if wish > PAUSE:
            self.save()
            raise Ended(OUTCOMES[wish])

    def _wait_while_paused(self, wish: Callable[[], int]) -> int:
        current = wish()
        if current == PAUSE:
            self._say(Phase(name="paused", done=self.state.step, total=self.total_steps))
            while (current := wish()) == PAUSE:
                time.sleep(POLL_SECONDS)
            self._say(Phase(name="training", done=self.state.step, total=self.total_steps))
        return current

    # --- state ------------------------------------------------------------------------------------------------------

    def _save_due(self) -> bool:
        steps, seconds = self.config.checkpoint_steps, self.config.checkpoint_seconds
        by_step = steps > 0 and self.state.step % steps == 0
        return by_step or (seconds > 0 and time.monotonic() - self._saved_at >= seconds)

    def save(self) -> None:
        """Writes the whole state; a full disk is told and leaves the previous one.

        Raises:
            Diverged: a weight is not finite; the previous state is then the last good one.
        """
        version = (self.state.step, self.state.evaluated_step)
        if not self.world.is_first or version == self._saved_version:
            return
        for name, weight in self.model.state_dict().items():
            if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
                raise Diverged(f"the weights of {name} are not finite numbers after step {self.state.step}")
        path = self.run_folder.last_checkpoint
        self._saved_at = time.monotonic()
        try:
            save_state(self.state_dict(), path)
            self._saved_version = version
            self._say(CheckpointSaved(step=self.state.step, file=self.run_folder.relative(path)))
        except SaveError as error:
            self._say(Notice(text=str(error)))

    def state_dict(self) -> dict[str, Any]:
        """All that a run depends on besides its configuration and data."""
        state = {"train": dataclasses.asdict(self.state), "model": self.model.state_dict(), **self.stepper.state_dict()}
        return state if self.average is None else {**state, "average": self.average.model.state_dict()}

    def resume(self) -> None:
        """Continues where the last checkpoint was written, bit by bit as if the run had never stopped.

        Raises:
            InputError: the checkpoint is damaged, of another model or optimiser, or counts other epochs.
        """
        path = self.run_folder.last_checkpoint
        saved = load_state(path)
        try:
            self.state = TrainState(**saved["train"])
            self._check_epochs()
            self.state.micro_batches = max(self.state.micro_batches, self.config.accumulate)
            self.model.load_state_dict(saved["model"])
            self.stepper.load_state_dict(saved)
            if self.average is not None:
                self.average.model.load_state_dict(saved.get("average", saved["model"]))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [""])[0]
            raise InputError(f"{path}: does not fit this configuration ({reason}); start a new run.") from None

    def _check_epochs(self) -> None:
        """Raises ValueError if an epoch has other steps than before: the count of steps would mean another place."""
        now, before = self.order.steps_per_epoch, self.state.steps_per_epoch or self.order.steps_per_epoch
        if now != before:
            raise ValueError(f"{now} steps per epoch instead of {before}, so batch_size or the clips have changed")
        self.state.steps_per_epoch = now

    def _say(self, event: Any) -> None:
        self._events.write(event)
