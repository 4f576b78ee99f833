"""The pinned requirements, and a file lock for the time of a set-up."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pin:
    """One `name==version` of a lock file."""

    name: str
    version: str

    @property
    def dist_info(self) -> str:
        """Folder name of the installed package's metadata, in the spelling that `normalise` gives."""
        return normalise(f"{self.name}-{self.version}.dist-info")


def normalise(text: str) -> str:
    """Package names in one spelling: PEP 503, with local version labels ("+cu130") dropped."""
    return re.sub(r"[-_.]+", "-", re.sub(r"\+[^-]*?(?=\.dist-info|$)", "", text)).lower()


def read_pins(files: Iterable[Path]) -> list[Pin]:
    """The pins of these lock files that apply to this platform."""
    pins = []
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            requirement, _, marker = line.partition(" ; ")
            if requirement and not requirement.startswith("#") and _marker_holds(marker):
                name, _, version = requirement.strip().partition("==")
                pins.append(Pin(name, version))
    return pins


def _marker_holds(marker: str) -> bool:
    """Evaluates the `name == "value" and ...` form of environment markers, the only one in our lock files."""
    known = {"sys_platform": sys.platform, "platform_machine": platform.machine()}
    terms = [term.split("==") for term in marker.split(" and ") if term.strip()]
    return all(known[name.strip()] == value.strip().strip('"') for name, value in terms)


def fingerprint(files: Iterable[Path]) -> str:
    """Changes when a pin or the Python version changes."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds a lock on `path`; calls `waiting` once if another process has it. The system frees it if we die."""
    with open(path, "a+b") as handle:
        told = False
        while not _try_lock(handle.fileno()):
            if not told:
                waiting()
                told = True
            time.sleep(0.2)
        try:
            yield
        finally:
            _unlock(handle.fileno())


if sys.platform == "win32":  # the form of the check that type checkers know
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
