"""The names of what YAMNet can hear: the 521 AudioSet classes in the order of its scores."""

from __future__ import annotations

from importlib.resources import files

YAMNET_CLASSES: tuple[str, ...] = tuple(
    files("avseg_core.audio").joinpath("yamnet_classes.txt").read_text(encoding="utf-8").splitlines()
)
