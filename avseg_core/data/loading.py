"""Clips read ahead by worker processes, without tracebacks, lost randomness or signals that come with those."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator

import torch
from torch.utils.data import DataLoader

from avseg_core.data.dataset import ClipDataset
from avseg_core.data.sample import AVSBatch, collate
from avseg_core.errors import InputError


def load_in_order(clips: ClipDataset, batch_size: int, *, workers: int = 0, pin: bool = False) -> Iterator[AVSBatch]:
    """All clips once, in their own order, `batch_size` at a time; `pin` puts them in page-locked memory."""
    loader = DataLoader(
        clips,
        batch_size=batch_size,
        collate_fn=collate,
        num_workers=workers,
        pin_memory=pin,
        worker_init_fn=leave_signals_to_main,
        generator=torch.Generator(),  # otherwise the loader would draw from the generator that dropout uses
    )
    return plain_errors(loader)


def plain_errors(batches: Iterable[AVSBatch]) -> Iterator[AVSBatch]:
    """The same batches; an InputError of a worker process loses the traceback that torch writes into its message."""
    try:
        yield from batches
    except InputError as error:
        lines = str(error).strip().splitlines()
        raise InputError(lines[-1].removeprefix(f"{InputError.__module__}.InputError: ")) from None


def leave_signals_to_main(worker: int) -> None:
    """Ctrl-C reaches the whole process group: only the main process decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
