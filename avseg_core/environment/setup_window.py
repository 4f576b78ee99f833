"""A small progress window for a first start by double click, where no terminal shows what goes on."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from avseg_core.environment.venv import Say


@contextmanager
def setup_window(*, wanted: bool) -> Iterator[Say]:
    """Gives a `say` that prints to the terminal or, with none but a display, to a Tk window that opens when needed."""
    has_display = os.name == "nt" or sys.platform == "darwin" or bool(os.environ.get("DISPLAY"))
    if not wanted or sys.stderr.isatty() or not has_display:
        yield _print
        return
    messages: queue.Queue[str | None] = queue.Queue()
    thread = threading.Thread(target=_show, args=(messages,), daemon=True)

    def say(message: str) -> None:
        _print(message)
        if thread.ident is None:  # a window that could not open, or was closed, is not opened again
            thread.start()
        messages.put(message)

    try:
        yield say
    finally:
        messages.put(None)
        if thread.is_alive():
            thread.join(timeout=5)


def _print(message: str) -> None:
    """Counted steps ("[3/65] ...") share one line of a terminal."""
    counted = message.startswith("[") and sys.stderr.isatty()
    start, end = ("\r\x1b[K", "") if counted else ("\r\x1b[K" if sys.stderr.isatty() else "", "\n")
    print(start + message, end=end, file=sys.stderr, flush=True)


def _show(messages: queue.Queue[str | None]) -> None:
    """The window's own thread: builds it, shows each message, closes on None."""
    try:
        import tkinter
        from tkinter import ttk

        window = tkinter.Tk()
    except (ImportError, RuntimeError):
        return
    except Exception as error:  # tkinter.TclError, which cannot be named before tkinter is there
        _print(f"No progress window: {error}")
        return
    window.title("AVSeg Studio: setting up")
    text = tkinter.StringVar(value="Setting up")
    ttk.Label(window, textvariable=text, width=70, padding=16).pack()
    bar = ttk.Progressbar(window, mode="indeterminate", length=480)
    bar.pack(padx=16, pady=(0, 16))
    bar.start()

    def poll() -> None:
        try:
            while True:
                message = messages.get_nowait()
                if message is None:
                    window.destroy()
                    return
                text.set(message)
        except queue.Empty:
            window.after(100, poll)

    poll()
    window.mainloop()
