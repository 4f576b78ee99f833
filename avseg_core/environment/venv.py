"""Makes, checks and repairs the private Python environment beside main.py."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from avseg_core.environment.lock import Pin, exclusive, fingerprint, normalise, read_pins
from avseg_core.errors import AVSegError

STAMP = "avseg-environment.json"
NEEDED_BYTES = {"linux": 8_000_000_000}
OFFLINE_SIGNS = ("connection", "name resolution", "network", "no matching distribution", "timed out", "proxy")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    """A virtual environment at `folder` that holds every pin of `lock_files`."""

    folder: Path
    lock_files: tuple[Path, ...]

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def site_packages(self) -> Path:
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return self.folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    def is_ready(self) -> bool:
        """The quick check of every start: finished, same pins, an interpreter, each package's metadata there."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
            present = {normalise(name) for name in os.listdir(self.site_packages)}
        except (OSError, ValueError):
            return False
        wanted = fingerprint(self.lock_files)
        ready = isinstance(stamp, dict) and wanted in stamp.get("fingerprints", [])
        return ready and self.python.exists() and all(pin.dist_info in present for pin in read_pins(self.lock_files))

    def damaged(self) -> list[Pin]:
        """The thorough check: pins of which a file that was installed is gone or has another size."""
        folders = {normalise(path.name): path for path in self.site_packages.glob("*.dist-info")}
        return [pin for pin in read_pins(self.lock_files) if not _is_whole(folders.get(pin.dist_info))]

    def distrust(self) -> None:
        """Makes the next `ensure` check and repair everything."""
        with self._writing():
            (self.folder / STAMP).unlink(missing_ok=True)

    def ensure(self, say: Say) -> None:
        """Makes the environment if it is not ready, and repairs what is half-made or damaged.

        Two calls at once do not disturb each other: the second waits for the first and finds the work done.

        Raises:
            AVSegError: no room, no network, a folder that is read-only, or no `venv` module; the message names the
                remedy.
        """
        if self.is_ready():
            return
        lock = self.folder.with_name(self.folder.name + ".lock")
        busy = "Another start is setting up the environment; waiting for it."
        with self._writing(), exclusive(lock, lambda: say(busy)):
            if not self.is_ready():
                self._make(say)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Says in one line why the environment cannot be written: a read-only folder, a full disk."""
        try:
            yield
        except OSError as error:
            raise AVSegError(
                f"{self.folder}: cannot be written ({error.strerror or error}); make room or its folder writable, "
                "or put the program where you may write, and start again."
            ) from None

    def _make(self, say: Say) -> None:
        if not self._interpreter_works():
            self._require_room()
            say(f"Setting up AVSeg Studio in {self.folder} (first start only, some minutes).")
            shutil.rmtree(self.folder, ignore_errors=True)
            self._create(say)
        for metadata in self.site_packages.glob("*.dist-info"):
            if not _recorded_sizes(metadata):
                shutil.rmtree(metadata)  # pip would not replace what has no list of its files
        broken = [f"{pin.name}=={pin.version}" for pin in self.damaged() if self._metadata_of(pin)]
        if broken:
            say(f"Repairing {len(broken)} damaged packages.")
            self._pip(["--force-reinstall", "--no-deps", *broken], say)
        self._pip([word for file in self.lock_files for word in ("-r", str(file))], say)
        self._write_stamp()
        say("The environment is ready.")

    def _interpreter_works(self) -> bool:
        if not (self.folder / "pyvenv.cfg").exists() or not self.site_packages.exists():
            return False
        try:
            command = [str(self.python), "-c", "import pip"]
            return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def _require_room(self) -> None:
        needed, free = NEEDED_BYTES.get(sys.platform, 3_000_000_000), shutil.disk_usage(self.folder.parent).free
        if free < needed:
            raise AVSegError(
                f"{self.folder.parent}: {free / 1e9:.1f} GB free, the set-up needs {needed / 1e9:.0f} GB; "
                "make room and start again."
            )

    def _create(self, say: Say) -> None:
        command = [getattr(sys, "_base_executable", "") or sys.executable, "-m", "venv", str(self.folder)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            output = (result.stdout + result.stderr).strip()
            if "ensurepip" not in output and "No module named" not in output:
                reason = output.splitlines()[-1].removeprefix("Error: ") if output else "venv failed"
                raise AVSegError(f"{self.folder}: cannot be made ({reason}); put the program elsewhere or make room.")
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise AVSegError(
                "This Python cannot make virtual environments; install its venv module "
                f"(Debian, Ubuntu: sudo apt-get install python{version}-venv) and start again."
            )

    def _metadata_of(self, pin: Pin) -> bool:
        return any(normalise(path.name) == pin.dist_info for path in self.site_packages.glob("*.dist-info"))

    def _pip(self, arguments: list[str], say: Say) -> None:
        """Runs `pip install`, telling which package it is at; its whole output is kept in a log file."""
        total, log_path = len(read_pins(self.lock_files)), self.folder / "avseg-setup.log"
        command = [str(self.python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", *arguments]
        with (
            open(log_path, "a", encoding="utf-8") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
            _heartbeat(say) as status,
        ):
            assert process.stdout is not None
            seen = 0
            for line in process.stdout:
                log.write(line)
                word = line.strip().partition(" ")
                if word[0] == "Collecting" or line.startswith("Requirement already satisfied"):
                    seen = min(seen + 1, total)
                    status(f"[{seen}/{total}] getting {word[2].split('==')[0].split(' ')[-1]}")
                elif word[0] == "Installing":
                    status(f"[{total}/{total}] installing, the longest step")
        if process.returncode:
            raise AVSegError(_explain(log_path))

    def _write_stamp(self) -> None:
        """Records what is complete; the lock files of the application alone stay valid once the tests' are added."""
        prints = [fingerprint(self.lock_files[: count + 1]) for count in range(len(self.lock_files))]
        temporary = self.folder / (STAMP + ".partial")
        temporary.write_text(json.dumps({"fingerprints": prints}), encoding="utf-8")
        temporary.replace(self.folder / STAMP)


def _is_whole(metadata: Path | None) -> bool:
    """True if every file that the package's RECORD lists is there in its size."""
    if metadata is None:
        return False
    sizes = _recorded_sizes(metadata)
    try:
        return bool(sizes) and all((metadata.parent / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _recorded_sizes(metadata: Path) -> dict[str, int]:
    """What the package's RECORD lists, compiled .pyc files aside, which Python rewrites; empty if it cannot be read."""
    try:
        with open(metadata / "RECORD", encoding="utf-8", newline="") as handle:
            rows = [row for row in csv.reader(handle) if len(row) == 3 and row[2].isdigit()]
    except (OSError, ValueError, csv.Error):
        return {}
    return {name: int(size) for name, _, size in rows if not name.endswith(".pyc")}


def _explain(log_path: Path) -> str:
    """One line for a failed install, from what pip printed last."""
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-4000:]
    if "No space left" in tail:
        return f"{log_path.parent}: the disk is full; make room and start again."
    if any(sign in tail.lower() for sign in OFFLINE_SIGNS):
        return f"The packages could not be downloaded; check the network connection and start again (log: {log_path})."
    errors = [line for line in tail.splitlines() if line.startswith("ERROR")]
    reason = errors[-1].removeprefix("ERROR: ") if errors else "pip failed"
    return f"The set-up stopped: {reason} (log: {log_path}); start again to retry."


@contextmanager
def _heartbeat(say: Say, seconds: float = 15.0) -> Iterator[Say]:
    """Passes messages on and repeats the last one with the time spent, so that a long step is seen to be alive."""
    current, since, stop = "", time.monotonic(), threading.Event()

    def status(message: str) -> None:
        nonlocal current, since
        current, since = message, time.monotonic()
        say(message)

    def beat() -> None:
        while not stop.wait(seconds):
            say(f"{current} ({time.monotonic() - since:.0f} s)")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield status
    finally:
        stop.set()
        thread.join()
