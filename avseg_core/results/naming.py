"""Names of exported files: those of one video never take the place of another's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import av

from avseg_core.errors import AVSegError
from avseg_core.media.container import file_url
from avseg_core.results.store import SUFFIX, MaskStore

_HEAD = 1 << 16
"""Bytes at the start of a JSON file that hold what `describe_run` says."""
_OWNER = re.compile(r'"(?:video|video_id)": ("(?:[^"\\]|\\.)*")')


def free_stem(stem: str, is_taken: Callable[[str], bool]) -> str:
    """`stem`, or `stem`-2, `stem`-3 and so on: the first that is not taken."""
    name, count = stem, 1
    while is_taken(name):
        count += 1
        name = f"{stem}-{count}"
    return name


def is_of_another(folder: Path, stem: str, video: str, video_id: str) -> bool:
    """Whether `folder` holds files of the name `stem`, none of which was made of the video of this path or id.

    Files that do not say what they were made of count as another's.
    """
    files = {
        f"{stem}{SUFFIX}": _owners_of_store,
        f"{stem}.json": _owners_of_json,
        f"{stem}.coco.json": _owners_of_json,
        f"{stem}_overlay.mp4": _owners_of_overlay,
    }
    found = [owners(folder / name) for name, owners in files.items() if (folder / name).exists()]
    own = {video, video_id} - {""}  # a recording that crashed has no id, and a file may not name what it is of
    return bool(found) and not any(own & owners for owners in found)


def _owners_of_store(path: Path) -> set[str]:
    try:
        with MaskStore(path) as store:
            return {store.header.video, store.header.video_id}
    except AVSegError:
        return set()


def _owners_of_json(path: Path) -> set[str]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
        return {str(json.loads(text)) for text in _OWNER.findall(head)}
    except (OSError, ValueError):
        return set()


def _owners_of_overlay(path: Path) -> set[str]:
    try:
        with av.open(file_url(path)) as container:
            return {container.metadata.get("comment", "").rpartition(" ")[2]}
    except (OSError, ValueError):  # FFmpeg's errors are both
        return set()
