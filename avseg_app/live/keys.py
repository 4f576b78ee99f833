"""The keys of the live page, for its actions and for the list of all keys."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def live_keys() -> dict[str, tuple[str, str]]:
    """What each key does in words, and the key, by the name of the action."""
    return {
        "start": (QCoreApplication.translate("LivePage", "Start or stop"), "Space"),
        "record": (QCoreApplication.translate("LivePage", "Record"), "Ctrl+R"),
        "freeze": (QCoreApplication.translate("LivePage", "Freeze"), "F"),
        "snapshot": (QCoreApplication.translate("LivePage", "Snapshot"), "Ctrl+S"),
        "present": (QCoreApplication.translate("LivePage", "Presentation"), "F5"),
        "leave": (QCoreApplication.translate("LivePage", "Back"), "Esc"),
    }
