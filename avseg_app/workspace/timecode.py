"""Times as people read them."""

from __future__ import annotations


def timecode(seconds: float, decimals: int = 3) -> str:
    """1:02:03.250, 02:03.250: hours only where there are any."""
    scale = 10**decimals
    ticks = max(0, int(seconds * scale + 1e-6))
    whole, part = divmod(ticks, scale)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute:02d}:{second:02d}"
    return f"{text}.{part:0{decimals}d}" if decimals else text
