"""`export`: other formats from masks that `segment` has kept, without the model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from avseg_core.commands.options import probability
from avseg_core.commands.terminal import ProgressLine, stoppable
from avseg_core.errors import InputError
from avseg_core.progress import CancelCheck, ProgressCallback
from avseg_core.results.exporters import EXPORTERS, ExportOptions
from avseg_core.results.naming import free_stem, is_of_another
from avseg_core.results.store import SUFFIX, MaskStore
from avseg_core.results.writing import make_folder

Files = dict[str, list[Path]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("stores", nargs="+", type=Path, metavar="STORE", help=f"{SUFFIX} file that `segment` wrote")
    parser.add_argument("--video", type=Path, metavar="FILE", help="where the video is now, if it was moved")
    add_output_arguments(parser)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """What is written, and where; also `segment` has these."""
    formats = ", ".join(sorted(EXPORTERS))
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for the results (default: %(default)s)"
    )
    parser.add_argument(
        "--export", nargs="+", default=["png"], metavar="FORMAT", help=f"any of: {formats} (default: png)"
    )
    parser.add_argument(
        "--threshold",
        type=probability,
        default=0.5,
        metavar="P",
        help="a pixel sounds above this (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Exports every store.

    Raises:
        InputError: a store, its video or an option is wrong, or two stores have one name.
        AVSegError: the disk is full.
        Cancelled: the user stopped it; no half file is left.
    """
    if args.video is not None and len(args.stores) > 1:
        raise InputError("--video names one video; export one store at a time with it.")
    check_formats(args.export)
    _check_names(args.stores)
    options = ExportOptions(threshold=args.threshold, video=args.video)
    reports = []
    with stoppable() as cancel:
        for path in args.stores:
            line = ProgressLine(path.name)
            files = export_store(path, args.out, args.export, options, line, cancel)
            line.close()
            reports.append({"store": str(path), "files": names_of(files)})
            if not args.json:
                print(f"{path}: {describe_files(files)}")
    if args.json:
        print(json.dumps({"threshold": args.threshold, "stores": reports}, indent=2))
    return 0


def _check_names(stores: Sequence[Path]) -> None:
    """Raises InputError if the files of one store would take the place of another's."""
    stems: dict[str, Path] = {}
    for path in dict.fromkeys(stores):
        other = stems.setdefault(path.stem.casefold(), path)
        if other != path:
            raise InputError(f"{path}: its files would overwrite those of {other}; export them to different --out.")


def check_formats(names: Sequence[str]) -> None:
    """Raises InputError, before any work is done, if one of `names` is no export format."""
    for name in names:
        EXPORTERS[name]


def export_store(
    path: Path,
    out_dir: Path,
    formats: Sequence[str],
    options: ExportOptions,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> Files:
    """Writes the store at `path` in all `formats` to `out_dir`, which is made if need be; raises as exporters do.

    The files have the store's own name, with -2 and so on where files of another video have that.
    """
    with MaskStore(path) as store:
        make_folder(out_dir)
        video, video_id = store.header.video, store.header.video_id
        stem = free_stem(path.stem, lambda stem: is_of_another(out_dir, stem, video, video_id))
        return {name: EXPORTERS[name](store, out_dir, stem, options, progress, cancel) for name in formats}


def names_of(files: Files) -> dict[str, list[str]]:
    """Plain types for JSON."""
    return {name: [str(path) for path in paths] for name, paths in files.items()}


def describe_files(files: Files) -> str:
    """One phrase for what was written: the last file of each format and how many came before it."""
    parts = [f"{paths[-1]}" + (f" (+{len(paths) - 1} files)" if len(paths) > 1 else "") for paths in files.values()]
    return ", ".join(parts)
