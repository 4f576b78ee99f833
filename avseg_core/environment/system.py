"""The system libraries that no Python package brings along (Linux only)."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable

from avseg_core.errors import AVSegError

WINDOW_LIBRARIES = {
    "libportaudio.so.2": "libportaudio2",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libfontconfig.so.1": "libfontconfig1",
    "libX11-xcb.so.1": "libx11-xcb1",
}
"""Shared library -> Debian package that holds it."""

TEST_PROGRAMS = {
    "Xvfb": "xvfb",
    "xauth": "xauth",
    "xdotool": "xdotool",
    "openbox": "openbox",
    "pulseaudio": "pulseaudio",
    "pactl": "pulseaudio-utils",
    "desktop-file-validate": "desktop-file-utils",
}
"""Program that the tests drive the window with -> Debian package; a test whose program is missing is skipped."""


def missing_libraries() -> list[str]:
    """Debian packages whose libraries the window needs and the loader does not find; empty off Linux."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in WINDOW_LIBRARIES.items() if not _loads(library)]


def missing_programs() -> list[str]:
    """Debian packages of the programs that the tests use and the PATH does not have; empty off Linux."""
    if not sys.platform.startswith("linux"):
        return []
    packages = [package for program, package in TEST_PROGRAMS.items() if shutil.which(program) is None]
    if not os.path.isdir("/usr/lib/x86_64-linux-gnu/alsa-lib") and "pulseaudio" in packages:
        packages.append("libasound2-plugins")
    return packages


def install(packages: Iterable[str], say: Callable[[str], None]) -> None:
    """Installs Debian packages where this user may without being asked for a password.

    Raises:
        AVSegError: not possible here; the message holds the exact command.
    """
    names = list(packages)
    if not names:
        return
    command = f"sudo apt-get install -y {' '.join(names)}"
    prefix = _privilege()
    if prefix is None:
        raise AVSegError(f"System libraries are missing; install them and start again: {command}")
    say(f"Installing system packages: {' '.join(names)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*prefix, "apt-get", "update", "-q"], env=env, check=False, capture_output=True)
    result = subprocess.run(
        [*prefix, "apt-get", "install", "-y", "-q", *names], env=env, check=False, capture_output=True
    )
    if result.returncode:
        raise AVSegError(f"The system packages could not be installed; run this and start again: {command}")


def _privilege() -> list[str] | None:
    """The words to put before apt-get, or None where it cannot be run unasked."""
    if shutil.which("apt-get") is None:
        return None
    if os.name == "posix" and os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
