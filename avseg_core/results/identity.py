"""Recognising a file by its content without reading all of it, and masks by how they are made."""

from __future__ import annotations

import hashlib
from pathlib import Path

from avseg_core.errors import InputError

METHOD = 2
"""Of making masks: raised whenever the same video, model and settings would give others, so that stored masks of an
earlier one are made anew. 2: every second is heard among those nearby."""
_SAMPLE = 1 << 20


def file_id(path: Path) -> str:
    """Size and SHA-256 of three samples (start, middle, end) of a file: equal for copies, different after an edit.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            digest = hashlib.sha256(str(size).encode())
            for offset in (0, size // 2, max(size - _SAMPLE, 0)):
                file.seek(offset)
                digest.update(file.read(_SAMPLE))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions.") from None
    return f"{size:x}-{digest.hexdigest()[:32]}"
