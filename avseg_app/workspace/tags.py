"""Which of several sound tags says most, and what a tag is called in the window's language."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

_GENERAL = frozenset(
    {
        "Animal",
        "Domestic animals, pets",
        "Livestock, farm animals, working animals",
        "Wild animals",
        "Music",
        "Musical instrument",
        "Vehicle",
        "Motor vehicle (road)",
        "Inside, small room",
        "Inside, large room or hall",
        "Inside, public space",
        "Outside, urban or manmade",
        "Outside, rural or natural",
        "Sound effect",
        "Noise",
    }
)
"""Names of whole families: always at least as probable as the member that is really heard."""
_NEARLY = 0.5


def telling_tag(tags: Sequence[tuple[str, float]]) -> str:
    """The surest tag, or a more special one that is at least half as sure; "" for none. `tags`: the surest first."""
    if not tags:
        return ""
    first, score = tags[0]
    special = (name for name, other in tags if name not in _GENERAL and other >= _NEARLY * score)
    return next(special, first)


def sound_name(tag: str) -> str:
    """An AudioSet name as the window shows it: files and results keep the English one."""
    return QCoreApplication.translate("Sounds", tag) if tag else ""
