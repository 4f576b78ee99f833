"""`doctor`: what this machine has, what is missing and what to do about it."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

from avseg_core import __version__
from avseg_core.environment import system

PACKAGES = (
    "torch",
    "torchvision",
    "torchaudio",
    "timm",
    "PySide6-Essentials",
    "pyqtgraph",
    "av",
    "numpy",
    "sounddevice",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`doctor` has no options of its own."""


def run(args: argparse.Namespace) -> int:
    """Prints the findings; exit code 1 if something that the application needs is missing."""
    findings = examine()
    if args.json:
        print(json.dumps(findings, indent=2))
    else:
        for name, value in findings.items():
            print(f"{name:<18} {_plain(value)}")
    return 1 if findings["problems"] else 0


def examine() -> dict[str, Any]:
    """Everything that a report of trouble should hold, as plain types."""
    problems: list[str] = []
    missing = system.missing_libraries()
    if missing:
        problems.append(f"System libraries are missing: sudo apt-get install -y {' '.join(missing)}")
    findings: dict[str, Any] = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "free disk GB": round(shutil.disk_usage(Path.home()).free / 1e9, 1),
        "packages": _packages(problems),
        "device": _device(problems),
        "models": _models(problems),
        "sound devices": _sound_devices(),
    }
    findings["problems"] = problems
    return findings


def _packages(problems: list[str]) -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(
                f"The package {name} is missing; start once with python3 main.py to repair the environment."
            )
    return versions


def _device(problems: list[str]) -> str:
    try:
        from avseg_core.inference.device import choose_device
    except (ImportError, OSError) as error:  # OSError: one of its own libraries is missing
        problems.append(f"torch cannot be loaded ({error}).")
        return "none"
    device, reason = choose_device("auto")
    return f"{device} ({reason})"


def _models(problems: list[str]) -> list[str]:
    from avseg_core.models.checkpoints import available_models

    names = list(available_models())
    if not names:
        problems.append("No model is installed; get the application's folder again, or use import-checkpoint.")
    return names


def _sound_devices() -> list[str]:
    """Names of the outputs and inputs; without any, the window plays silently and live mode offers other sources."""
    from avseg_core.media.capture_microphone import sound_library

    try:
        devices = sound_library().query_devices()
    except Exception as error:  # a sound system raises whatever it likes, and its error's class comes with it
        return [f"none ({error})"]
    return [f"{d['name']} ({d['max_output_channels']} out, {d['max_input_channels']} in)" for d in devices]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return str(value)
