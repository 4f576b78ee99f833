"""What main.py does: set up the environment if needed, step into it, and run the window, a command or the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from avseg_core.cli import window_words
from avseg_core.environment import system
from avseg_core.environment.setup_window import setup_window
from avseg_core.environment.venv import Environment, Say
from avseg_core.errors import AVSegError

ROOT = Path(__file__).resolve().parents[2]
REPAIRED = "AVSEG_REPAIRED"
"""Set in the environment of a start that follows a repair, so that a second failure is shown instead of retried."""


def main(words: Sequence[str]) -> int:
    """Runs `words` inside the environment and returns the exit code."""
    testing = list(words[:1]) == ["test"]
    opens_window = window_words(words)[:1] in ([], ["gui"])
    environment = _environment(testing)
    try:
        _hear_interrupts()
        if _inside(environment):
            return _run_tests(words[1:]) if testing else _run(words, environment)
        with setup_window(wanted=opens_window) as say:
            _set_up(environment, say, testing=testing, opens_window=opens_window)
        return _step_inside(environment, words)
    except AVSegError as error:
        print(f"avseg: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        more = "." if environment.is_ready() else "; the next start goes on from here."
        print(f"avseg: Interrupted{more}", file=sys.stderr)
        return 130


def _environment(testing: bool) -> Environment:
    names = ["requirements.lock", "requirements-test.lock"] if testing else ["requirements.lock"]
    return Environment(ROOT / ".venv", tuple(ROOT / "packaging" / name for name in names))


def _inside(environment: Environment) -> bool:
    return Path(sys.prefix).resolve() == environment.folder.resolve()


def _set_up(environment: Environment, say: Say, *, testing: bool, opens_window: bool) -> None:
    environment.ensure(say)
    if testing or opens_window:
        system.install(system.missing_libraries(), say)
    if testing:
        try:
            system.install(system.missing_programs(), say)
        except AVSegError as error:
            say(f"{error} (the tests that need them are skipped)")


def _step_inside(environment: Environment, words: Sequence[str]) -> int:
    """Runs main.py again with the environment's interpreter; on POSIX in this very process."""
    command = [str(environment.python), str(ROOT / "main.py"), *words]
    if os.name == "nt":
        return subprocess.call(command)
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # a Python that is starting would print a traceback
    os.execv(command[0], command)


def _hear_interrupts() -> None:
    """Lets in the one that may have come since `_step_inside`."""
    if os.name != "nt":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def _run(words: Sequence[str], environment: Environment) -> int:
    interrupts = _noted_interrupts()
    try:
        from avseg_core.cli import main as run_command

        return run_command(words)
    except ImportError as error:
        if interrupts:  # while a module in C was imported, which takes it for a failure of its own
            raise KeyboardInterrupt from None
        return _repair_and_retry(error, words, environment)


def _noted_interrupts() -> list[int]:
    """Those that come from now on; they are raised as ever."""
    noted: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    return noted


def _repair_and_retry(error: ImportError, words: Sequence[str], environment: Environment) -> int:
    """An import that fails means a damaged package: have the environment checked and mended, then start once more."""
    if os.environ.get(REPAIRED):
        raise AVSegError(
            f"A package still cannot be loaded after a repair ({error}); delete {environment.folder} and start again."
        ) from error
    print(f"A package could not be loaded ({error}); checking the environment.", file=sys.stderr, flush=True)
    os.environ[REPAIRED] = "1"
    environment.distrust()
    base = getattr(sys, "_base_executable", sys.executable)
    return subprocess.call([base, str(ROOT / "main.py"), *words])


def _run_tests(arguments: Sequence[str]) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", "-q", *arguments], cwd=ROOT)
