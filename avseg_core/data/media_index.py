"""The videos, sounds and pictures below some folders, found by name: what an annotation file refers to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from avseg_core.data.folder import VIDEO_SUFFIXES, is_hidden

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".wma", ".mka")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class MediaIndex:
    """Only what lies below `roots` can be found, whatever an annotation file names."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._videos: dict[str, list[Path]] = defaultdict(list)
        self._sounds: dict[str, list[Path]] = defaultdict(list)
        self._pictures: dict[str, list[Path]] = defaultdict(list)
        for root in dict.fromkeys(roots):
            for folder, names, files in os.walk(root):
                names[:] = sorted(name for name in names if not name.endswith((".masks", ".frames")))
                paths = [path for path in (Path(folder, file) for file in sorted(files)) if not is_hidden(path)]
                for path in paths:
                    self._note(path)
                self._note_own_sound(Path(folder), paths)

    def _note(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in VIDEO_SUFFIXES:
            self._videos[path.stem].append(path)
        elif suffix in SOUND_SUFFIXES:
            self._sounds[path.stem].append(path)
        elif suffix in PICTURE_SUFFIXES:
            self._pictures[path.name].append(path)
            self._pictures[f"{path.parent.name}/{path.name}"].append(path)

    def _note_own_sound(self, folder: Path, files: list[Path]) -> None:
        """The only sound among pictures belongs to all of them, unless it is named after one of them."""
        sounds = [path for path in files if path.suffix.lower() in SOUND_SUFFIXES]
        pictures = {path.stem for path in files if path.suffix.lower() in PICTURE_SUFFIXES}
        if len(sounds) == 1 and pictures and sounds[0].stem not in pictures:
            self._sounds[folder.name].append(sounds[0])

    def has(self, name: str) -> bool:
        """Whether a video or a sound is called `name`, or pictures in a folder of that name have a sound."""
        return name in self._videos or name in self._sounds

    def video(self, name: str, split: str = "") -> Path | None:
        """The video called `name`; of several the one in a folder named after the split."""
        return _choose(self._videos.get(name, []), split)

    def sound(self, name: str, split: str = "") -> Path | None:
        """The sound called `name`, or that of the pictures in a folder of that name."""
        return _choose(self._sounds.get(name, []), split)

    def picture(self, file: PurePosixPath, split: str = "") -> Path | None:
        """The picture `file`, known by its name and that of its folder."""
        key = f"{file.parent.name}/{file.name}" if file.parent.name else file.name
        return _choose(self._pictures.get(key, []), split)


def _choose(paths: list[Path], split: str) -> Path | None:
    in_split = [path for path in paths if split and any(part.lower().startswith(split) for part in path.parts)]
    return next(iter(in_split or paths), None)
