"""One training job from its configuration to its exported model, with every ending told in `events.jsonl`."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from avseg_core.config import TrainConfig
from avseg_core.errors import AVSegError
from avseg_core.inference.device import choose_device
from avseg_core.models.checkpoints import save_model
from avseg_core.models.registry import build_model
from avseg_core.progress import CancelCheck
from avseg_core.training.adapters import merged
from avseg_core.training.board import Board
from avseg_core.training.checkpoint import load_state
from avseg_core.training.control import Inbox
from avseg_core.training.distributed import World, join
from avseg_core.training.events import Event, EventWriter, Failed, Finished, Notice, Opened, Outcome, Phase, Started
from avseg_core.training.optim import prepare_tuning
from avseg_core.training.rehearsal import Rehearsal
from avseg_core.training.run_store import Run
from avseg_core.training.settings_check import check_config
from avseg_core.training.setup import open_clips, prepare_rehearsal, rehearses, starting_model
from avseg_core.training.step import Diverged
from avseg_core.training.temperature import thermometer
from avseg_core.training.trainer import Ended, Trainer


@dataclass(frozen=True)
class JobResult:
    """How a run ended."""

    outcome: Outcome
    step: int
    best: dict[str, float]
    """Highest "miou" and "fscore"; empty without an evaluation."""
    model: Path | None
    """The exported model."""


def train(
    config: TrainConfig,
    run: Run,
    *,
    resume: bool = False,
    listeners: Sequence[Callable[[Event], None]] = (),
    interrupted: CancelCheck = lambda: False,
    launched: float | None = None,
) -> JobResult:
    """Trains in the folder of `run` until the end or the user's.

    Args:
        resume: continue at the last checkpoint instead of starting anew.
        listeners: hear every event of the first process.
        interrupted: True once this process was asked to end (SIGINT, SIGTERM); the state is then saved.
        launched: when the job was started, in seconds since 1970; requests since then count. None: now.

    Raises:
        InputError: data, weights or settings are at fault.
        AVSegError: anything else that keeps the run from going on; told in `events.jsonl` too.
    """
    check_config(config)
    device, reason = choose_device(config.device)
    with ExitStack() as stack:
        world = stack.enter_context(join(device))
        if world.is_first:
            run.create()
            stack.enter_context(run.held())
            if not resume:
                run.write_config(config)
        events = stack.enter_context(
            EventWriter(run.events_file if world.is_first else None, temperature=_thermometer(world))
        )
        inbox = Inbox(run.folder, interrupted)
        if world.is_first:
            events.listeners += listeners
            inbox.clear_before(time.time() if launched is None else launched)
        events.write(Opened(pid=os.getpid(), host=socket.gethostname()))
        trainer: Trainer | None = None
        try:
            trainer = _prepare(config, run, world, events, inbox, resume=resume)
            if world.is_first:
                run.write_config(config)  # of a resumed run only now that its settings have proved to fit
            events.write(_started(trainer, reason))
            if config.tensorboard and world.is_first:
                board = Board(run.board_folder, trainer.state.step)
                stack.callback(board.close)
                events.listeners.append(board)
            return _finish(trainer, run, events, _outcome(trainer))
        except Diverged as error:
            assert trainer is not None
            raise _fail(events, trainer, _diverged(error, trainer, run)) from None
        except AVSegError as error:
            raise _fail(events, trainer, error) from None
        except Exception as error:
            raise _fail(events, trainer, _unexpected(error)) from error
        finally:
            if world.is_first:
                inbox.clear()


def _unexpected(error: Exception) -> AVSegError:
    line = (str(error).strip().splitlines() or [""])[0]
    return AVSegError(f"Training failed unexpectedly ({type(error).__name__}: {line}).")


def _prepare(
    config: TrainConfig, run: Run, world: World, events: EventWriter, inbox: Inbox, *, resume: bool
) -> Trainer:
    def tell(text: str) -> None:
        events.write(Notice(text=text))

    events.write(Phase(name="building the model"))
    model, new = _resumed_model(config, run) if resume else starting_model(config, tell)
    model = model.to(world.device)
    events.write(Phase(name="reading the data set"))
    train_clips, val_clips = open_clips(config, model)
    rehearsal = None
    if rehearses(config, model):
        events.write(Phase(name="preparing the rehearsal"))
        rehearsal = Rehearsal.load(run.rehearsal) if resume else prepare_rehearsal(config, model, train_clips)
        if world.is_first and not resume:
            rehearsal.save(run.rehearsal)
    prepare_tuning(model, config, new)
    trainer = Trainer(
        config,
        run,
        model,
        train_clips,
        val_clips,
        world=world,
        events=events,
        inbox=inbox,
        rehearsal=rehearsal,
        new=new,
    )
    if resume:
        trainer.resume()
    return trainer


def _resumed_model(config: TrainConfig, run: Run) -> tuple[nn.Module, frozenset[str]]:
    """A model for the run's state to be loaded into, and `TrainState.new`; the model of `init_from` may be gone."""
    saved = load_state(run.last_checkpoint).get("train")
    return build_model(config.model), frozenset(saved.get("new", ()) if isinstance(saved, dict) else ())


def _thermometer(world: World) -> Callable[[], float | None]:
    """That of the device of this process."""
    gpu = ""
    if world.device.type == "cuda":
        gpu = f"GPU-{torch.cuda.get_device_properties(world.device).uuid}"
    return thermometer(world.device.type, gpu)


def _started(trainer: Trainer, device_reason: str) -> Started:
    parameters = list(trainer.model.parameters())
    trained = [p for group in trainer.stepper.optimizer.param_groups for p in group["params"]]
    return Started(
        resumed_step=trainer.state.step,
        total_steps=trainer.total_steps,
        steps_per_epoch=trainer.order.steps_per_epoch,
        pid=os.getpid(),
        host=socket.gethostname(),
        processes=trainer.world.size,
        device=str(trainer.world.device),
        device_reason=device_reason,
        parameters=sum(p.numel() for p in parameters),
        trained_parameters=sum(p.numel() for p in trained),
        train_clips=len(trainer.train_clips),
        val_clips=len(trainer.val_clips),
    )


def _outcome(trainer: Trainer) -> Outcome:
    """Trains to the end or the user's."""
    try:
        return trainer.run()
    except Ended as end:
        return end.outcome


def _finish(trainer: Trainer, run: Run, events: EventWriter, outcome: Outcome) -> JobResult:
    """Exports the model, unless the run was cancelled or is to be resumed, and tells the end."""
    model = None
    if outcome in ("done", "early stop", "stopped") and trainer.world.is_first:
        events.write(Phase(name="exporting"))
        model = _export(trainer, run)
    best = dict(trainer.state.best)
    name = run.relative(model) if model else ""
    events.write(Finished(outcome=outcome, step=trainer.state.step, best=best, model=name))
    return JobResult(outcome, trainer.state.step, best, model)


def _export(trainer: Trainer, run: Run) -> Path:
    """The best weights, or the last ones if none were evaluated, as a model that every command can load."""
    best = run.best_weights(trainer.config.keep_best[0])
    if trainer.config.keep_best[0] not in trainer.state.kept or not best.is_file():
        save_model(merged(trainer.result), run.exported_model, {"step": str(trainer.state.step)})
        return run.exported_model
    partial = run.exported_model.with_name(run.exported_model.name + ".partial")
    try:
        shutil.copyfile(best, partial)
        os.replace(partial, run.exported_model)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise AVSegError(
            f"{run.exported_model}: cannot be written ({error.strerror}); the best model is {best}."
        ) from None
    return run.exported_model


def _diverged(error: Diverged, trainer: Trainer, run: Run) -> AVSegError:
    """What happened, where the run stands now and what to do."""
    if run.last_checkpoint.is_file():
        state = "the run is back at its last good checkpoint"
        remedy = f"continue with --resume --set learning_rate={trainer.config.learning_rate / 10:g}"
    else:
        state = "nothing was saved yet"
        remedy = f"start again with --set learning_rate={trainer.config.learning_rate / 10:g}"
    return AVSegError(f"Training diverged at step {trainer.state.step + 1}: {error}; {state}, {remedy}.")


def _fail(events: EventWriter, trainer: Trainer | None, error: AVSegError) -> AVSegError:
    events.write(Failed(step=trainer.state.step if trainer else 0, reason=str(error)))
    return error
