"""Writing files so that nobody ever sees half of one, and saying in one line why it could not be done."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avseg_core.errors import AVSegError, InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; it takes the name `path` on success and is removed on any failure.

    Raises:
        InputError: the place is not writable.
        AVSegError: the disk is full or failed.
    """
    temporary = path.with_name(path.name + ".partial")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise write_error(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_error(path: Path, error: OSError) -> AVSegError:
    """The one line that tells the user why `path` could not be written and what to do."""
    if error.errno in _FULL:
        return disk_full(path)
    reason = error.strerror or str(error)
    in_the_way = _file_in_the_way(path) if error.errno in (errno.EEXIST, errno.ENOTDIR) else None
    if in_the_way is not None:
        return InputError(f"{path}: cannot be written ({in_the_way} is a file, not a folder); choose another folder.")
    if error.errno in _NOT_ALLOWED:
        return InputError(f"{path}: cannot be written ({reason}); choose another folder or change its permissions.")
    return AVSegError(f"{path}: writing failed ({reason}); check the disk and run the same command again.")


def _file_in_the_way(path: Path) -> Path | None:
    """What stands where a folder would have to be."""
    there = next((place for place in (path, *path.parents) if os.path.lexists(place)), None)
    return None if there is None or os.path.isdir(there) else there


def disk_full(path: Path) -> AVSegError:
    """The one line for a full disk."""
    return AVSegError(f"{path}: the disk is full; free some space and run the same command again, it continues.")


def make_folder(path: Path) -> None:
    """Creates `path` and its parents and proves that files can be written there.

    Raises:
        InputError: it cannot be created or written to.
    """
    probe = path / f".avseg-{os.getpid()}-{threading.get_ident()}.partial"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from None
