"""Where results are kept between sessions: a store per video, model and settings, the least recently used go first."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from avseg_core.results.identity import METHOD, file_id
from avseg_core.results.store import SUFFIX
from avseg_core.results.writing import make_folder

DEFAULT_LIMIT = 2 << 30


class ResultCache:
    """A folder of mask stores that stays below `limit` bytes."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        """Uses `folder`, made if missing.

        Raises:
            InputError: it cannot be created or written to.
        """
        make_folder(folder)
        self.folder = folder
        self.limit = limit

    def path_for(self, video: Path, model_hash: str, settings: Mapping[str, Any]) -> Path:
        """Where the store of this run is or belongs; a store that is there counts as just used.

        Raises:
            InputError: the video cannot be read.
        """
        made_from = [file_id(video), video.stat().st_mtime_ns, model_hash, settings, METHOD]
        key = json.dumps(made_from, sort_keys=True)
        path = self.folder / (hashlib.sha256(key.encode()).hexdigest()[:40] + SUFFIX)
        with suppress(FileNotFoundError):
            os.utime(path)
        return path

    def trim(self, keep: Path | None = None) -> list[Path]:
        """Removes the least recently used stores, never `keep`, until the rest fits; returns what was removed.

        Another window may do the same at once, or, on Windows, hold a store open, which then stays.
        """
        stores = []
        for path in self.folder.glob("*" + SUFFIX):
            with suppress(OSError):
                status = path.stat()
                stores.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in stores)
        removed = []
        for _, size, path in sorted(stores):
            if total <= self.limit:
                break
            if path != keep and _removed(path):
                total -= size
                removed.append(path)
        return removed


def _removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
