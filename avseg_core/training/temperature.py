"""How warm the device is that computes, where the system tells; read from files and `nvidia-smi`, without torch."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

_SYS = Path("/sys/class")
_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
"""hwmon drivers of processors; the others tell of disks, boards and batteries."""
_ZONES = ("x86_pkg_temp", "cpu", "soc")
"""How the types of a processor's thermal zones begin."""
_PLAUSIBLE = (1.0, 150.0)
_PATIENCE = 5.0


def thermometer(device: str, gpu: str = "") -> Callable[[], float | None]:
    """What tells the temperature of a torch device type in degrees Celsius, or None where it is not known.

    Args:
        gpu: the card among several, by the UUID or index that `nvidia-smi` knows it by.
    """
    if device == "cuda":
        return lambda: gpu_temperature(gpu)
    return cpu_temperature if device == "cpu" else lambda: None


def cpu_temperature(root: Path = _SYS) -> float | None:
    """The warmest sensor of the processor in degrees Celsius, from `root`/hwmon or else `root`/thermal."""
    for sensors in (_chip_sensors(root), _zone_sensors(root)):
        degrees = [value for file in sensors if (value := _read_degrees(file)) is not None]
        if degrees:
            return max(degrees)
    return None


def gpu_temperature(gpu: str = "") -> float | None:
    """The temperature of an NVIDIA card in degrees Celsius; of the warmest one if `gpu` names none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=temperature.gpu", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            [*command, f"--id={gpu}"] if gpu else command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    degrees = [value for line in answer.stdout.splitlines() if (value := _plausible(line)) is not None]
    return max(degrees, default=None)


def _chip_sensors(root: Path) -> Iterator[Path]:
    for name in sorted(root.glob("hwmon/hwmon*/name")):
        if _read(name) in _CHIPS:
            yield from sorted(name.parent.glob("temp*_input"))


def _zone_sensors(root: Path) -> Iterator[Path]:
    for kind in sorted(root.glob("thermal/thermal_zone*/type")):
        if _read(kind).startswith(_ZONES):
            yield kind.with_name("temp")


def _read(file: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="ascii").strip()
    return ""


def _read_degrees(file: Path) -> float | None:
    return _plausible(_read(file), 1000.0)


def _plausible(text: str, scale: float = 1.0) -> float | None:
    """The number in `text`, unless it is none or one that no device has."""
    with contextlib.suppress(ValueError):
        degrees = float(text) / scale
        return degrees if _PLAUSIBLE[0] <= degrees <= _PLAUSIBLE[1] else None
    return None
