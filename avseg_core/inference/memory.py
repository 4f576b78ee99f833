"""How much memory this process has taken."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_memory() -> float:
    """Largest resident memory of this process so far, in MB (10^6 bytes)."""
    try:
        # ru_maxrss of a child begins with its parent's on Linux; the high-water mark of the address space does not.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return int(kilobytes) * 1024 / 1e6
    except (OSError, StopIteration):
        return _peak_without_proc()


def _peak_without_proc() -> float:
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
