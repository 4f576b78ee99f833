"""How runs, times and sizes are put into words."""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication

from avseg_app.training.jobs import RunView


def tr(text: str) -> str:
    """Translates a phrase of the training tab."""
    return QCoreApplication.translate("Training", text)


def span(seconds: float) -> str:
    """A stretch of time as people say it."""
    if seconds < 90:
        return tr("{0} s").format(max(1, round(seconds)))
    if seconds < 5400:
        return tr("{0} min").format(round(seconds / 60))
    if seconds < 48 * 3600:
        return tr("{0:.1f} h").format(seconds / 3600)
    return tr("{0:.1f} days").format(seconds / 86400)


def size(count: float) -> str:
    """Bytes in words."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(count, 1) / 2**20:.0f} MB"


def temperature(view: RunView) -> str:
    """How warm the device of a run is that works; empty where nobody tells."""
    degrees = view.status.temperature
    return tr("{0:.0f} °C").format(degrees) if degrees is not None and view.is_active else ""


def state(view: RunView) -> str:
    """The state of a run in a word or two."""
    status = view.status
    if view.queued:
        return tr("Waiting")
    words = {
        "new": tr("Starting"),
        "running": tr("Training"),
        "paused": tr("Paused"),
        "failed": tr("Failed"),
        "dead": tr("Ended without a word"),
    }
    outcomes = {
        "done": tr("Finished"),
        "early stop": tr("Finished early: no gain any more"),
        "stopped": tr("Stopped, best kept"),
        "cancelled": tr("Cancelled"),
        "interrupted": tr("Interrupted"),
    }
    return outcomes.get(status.message, tr("Finished")) if status.state == "finished" else words[status.state]


def token(view: RunView) -> str:
    """The colour token that goes with the state."""
    if view.status.state == "finished":
        return "warning" if view.status.message in ("cancelled", "interrupted") else "success"
    if view.queued:
        return "text-muted"
    return {"failed": "error", "dead": "warning", "paused": "warning"}.get(view.status.state, "accent")


def phase(view: RunView) -> str:
    """What the process does now, and how far it is."""
    status = view.status
    if view.queued:
        return tr("Starts when no other run is active.")
    if status.state == "new":
        return tr("Starting the process…")
    if status.state == "running":
        return _phase_of_running(view)
    if status.state == "paused":
        return tr("Paused at step {0} of {1}; the process keeps its memory.").format(status.step, status.total_steps)
    return tr("Step {0} of {1}").format(status.step, status.total_steps) if status.total_steps else ""


def _phase_of_running(view: RunView) -> str:
    status = view.status
    names = {
        "building the model": tr("Building the model"),
        "reading the data set": tr("Reading the data set"),
        "preparing the rehearsal": tr("Preparing the rehearsal"),
        "evaluating": tr("Evaluating"),
        "exporting": tr("Writing the model"),
    }
    if status.phase != "training":
        words = names.get(status.phase, status.phase.capitalize())
        return f"{words}: {status.done:.0f} / {status.total:.0f}" if status.total else f"{words}…"
    text = tr("Training: step {0} of {1}").format(status.step, status.total_steps)
    if view.config is not None:
        text += tr(" · epoch {0} of {1}").format(status.epoch + 1, view.config.epochs)
    if status.seconds_left is not None:
        text += tr(" · about {0} left").format(span(status.seconds_left))
    return text


def sign_of_life(view: RunView) -> str:
    """When the process was last heard of."""
    seconds = time.time() - view.status.last_sign_of_life
    if seconds < 3:
        return tr("just now")
    return tr("{0} ago").format(span(seconds))


def trouble(view: RunView) -> str:
    """What went wrong and what to do; empty for a run that is well."""
    status = view.status
    if view.diverged:
        return tr("{0}. Resume continues from there, learning ten times slower.").format(
            status.message.rpartition(", ")[0]
        )
    if status.state == "failed":
        return status.message or tr("The process ended before it could say why; its log may tell.")
    if status.state == "dead":
        return tr(
            "The process has gone without a word: it was killed, memory ran out or the computer was switched off. "
            "Resume continues at the last saved state."
        )
    return ""


def share(view: RunView) -> float:
    """How much of the run is done, from 0 to 1."""
    status = view.status
    return min(max(status.step / status.total_steps, 0.0), 1.0) if status.total_steps else 0.0
