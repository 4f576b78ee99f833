"""The mask store: the results of one run in a single SQLite file that only ever grows.

A run appends a few windows per transaction, so a run that is killed leaves everything up to its last batch, readable
and ready to be continued. Other processes may read while it is written. A store may come from a stranger: nothing in
it is trusted, and whatever is wrong with it ends as one InputError.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from avseg_core.closing import Closing
from avseg_core.errors import AVSegError, InputError
from avseg_core.results import codec
from avseg_core.results.codec import Summary
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.writing import atomic, disk_full

SUFFIX = ".avseg"
_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID = 0x41565347  # "AVSG"
_VERSION = 1
_TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "windows": "CREATE TABLE windows (id INTEGER PRIMARY KEY, start REAL NOT NULL, stop REAL NOT NULL, "
    "centre REAL NOT NULL, frame_time REAL NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, "
    "probability BLOB NOT NULL, labels BLOB, mixer BLOB, tags TEXT NOT NULL, loudness REAL NOT NULL, "
    "histogram BLOB NOT NULL)",
}
_INDEX = "CREATE INDEX windows_by_time ON windows (centre)"
_INSERT = f"INSERT OR REPLACE INTO windows ({codec.COLUMNS}, histogram) VALUES ({', '.join('?' * 13)})"
_MAX_BLOB = 32 << 20
_PAGE = 64
_BUSY_SECONDS = 10.0

T = TypeVar("T")


class MaskStore(Closing):
    """An open store. Mode "r" only reads (also while another process appends), "a" appends to an existing one."""

    def __init__(self, path: Path, mode: Literal["r", "a"] = "r") -> None:
        """Opens and checks the store at `path`.

        Raises:
            InputError: there is no such file, or it is not a sound mask store.
        """
        self.path = path
        _check_start(path)
        if mode == "r":
            _finish_rollback(path)
        self._db = _connect(path, "ro" if mode == "r" else "rw")
        try:
            self.header = self._guard(self._read_header)
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path, header: RunHeader) -> MaskStore:
        """Makes an empty store at `path`, in place of whatever was there, and opens it to append.

        Raises:
            InputError: the place is not writable.
            AVSegError: the disk is full.
        """
        try:
            with atomic(path) as temporary:
                _remove(temporary)
                with closing(_connect(temporary, "rwc")) as db:
                    _fill(db, header)
                _remove(path)
        except sqlite3.Error as error:
            raise _failure(path, error) from None
        return cls(path, "a")

    def close(self) -> None:
        """Closes the file; the store cannot be used any more."""
        self._db.close()

    def add(self, *results: WindowResult) -> None:
        """Appends `results` in one transaction: after a crash either all or none of them are there.

        Raises:
            AVSegError: the disk is full or failed.
        """
        rows = [codec.to_row(result) for result in results]
        try:
            with self._db:  # commits, which is where a full disk shows
                self._db.executemany(_INSERT, rows)
        except sqlite3.Error as error:
            raise _failure(self.path, error) from None

    def add_note(self, note: str) -> None:
        """Adds a line that the user should read with these results; one that is there already is not repeated.

        Raises:
            AVSegError: the disk is full or failed.
        """
        if note in self.header.notes:
            return
        self._set_header(notes=[*self.header.notes, note])

    def complete_header(self, *, video_id: str, duration: float, fps: Fraction) -> None:
        """Fills in what is only known once the video itself is finished: it was recorded along with its masks.

        Raises:
            AVSegError: the disk is full or failed.
        """
        self._set_header(video_id=video_id, duration=duration, fps=str(fps), planned=len(self))

    def _set_header(self, **changes: Any) -> None:
        header = RunHeader.from_dict({**self.header.to_dict(), **changes})
        try:
            with self._db:
                self._db.execute("UPDATE meta SET value = ? WHERE key = 'header'", (_json(header),))
        except sqlite3.Error as error:
            raise _failure(self.path, error) from None
        self.header = header

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM windows")[0][0])

    @property
    def complete(self) -> bool:
        """True once every planned window is there."""
        return len(self) >= self.header.planned

    def indices(self) -> list[int]:
        """The indices of the windows that are there, ascending."""
        return [row[0] for row in self._rows("SELECT id FROM windows ORDER BY id")]

    def get(self, index: int) -> WindowResult | None:
        """The result of window `index`, or None if it is not there (yet)."""
        rows = self._rows(f"SELECT {codec.COLUMNS} FROM windows WHERE id = ?", index)
        return self._guard(lambda: self._checked(rows[0])) if rows else None

    def iterate(self) -> Iterator[WindowResult]:
        """All results by index, one in memory at a time; the file is not locked in between."""
        last = -1
        while rows := self._rows("SELECT id FROM windows WHERE id > ? ORDER BY id LIMIT ?", last, _PAGE):
            for (last,) in rows:
                result = self.get(last)
                if result is not None:
                    yield result

    def nearest(self, time: float) -> int | None:
        """Index of the window whose frame is nearest to `time` (the earlier of two); None if the store is empty."""
        rows = self._rows("SELECT id, centre FROM windows WHERE centre <= ? ORDER BY centre DESC LIMIT 1", time)
        rows += self._rows("SELECT id, centre FROM windows WHERE centre > ? ORDER BY centre LIMIT 1", time)
        return self._guard(lambda: min(rows, key=lambda row: abs(row[1] - time))[0]) if rows else None

    def moments(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Index and time of the frame (s) of every window that is there, [n] each, by index."""
        rows = self._rows("SELECT id, centre FROM windows ORDER BY id")
        return self._guard(lambda: codec.to_moments(rows))

    def area(self, index: int, threshold: float = 0.5) -> float | None:
        """Share of the frame (0..1) that sounds in window `index`; None if it is not there."""
        rows = self._rows("SELECT histogram FROM windows WHERE id = ?", index)
        return self._guard(lambda: codec.area_above(rows[0][0], threshold)) if rows else None

    def summaries(self, threshold: float = 0.5, after: int = -1) -> Iterator[Summary]:
        """What the scrub bar shows, by index from `after` + 1 on; no mask is unpacked for it."""
        query = f"SELECT {codec.SUMMARY_COLUMNS} FROM windows WHERE id > ? ORDER BY id LIMIT ?"
        while rows := self._rows(query, after, _PAGE):
            yield from self._guard(partial(_summaries, rows, threshold))
            after = rows[-1][0]

    def _rows(self, query: str, *values: object) -> list[codec.Row]:
        return self._guard(lambda: self._db.execute(query, values).fetchall())

    def _guard(self, action: Callable[[], T]) -> T:
        """The answer of `action`; whatever is wrong with the file becomes one line for the user."""
        try:
            return action()
        except sqlite3.Error as error:
            raise _failure(self.path, error) from None
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, zlib.error):
            raise _damaged(self.path) from None

    def _checked(self, row: codec.Row) -> WindowResult:
        result = codec.from_row(row)
        if result.labels is not None and result.labels.max() >= max(len(self.header.class_names), 1):
            raise ValueError("a class without a name")
        return result

    def _read_header(self) -> RunHeader:
        tables = dict(self._db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall())
        kinds = {row[0] for row in self._db.execute("SELECT DISTINCT type FROM sqlite_schema").fetchall()}
        if tables != _TABLES or not kinds <= {"table", "index"}:
            raise ValueError("foreign tables")
        (text,) = self._db.execute("SELECT value FROM meta WHERE key = 'header'").fetchone()
        return RunHeader.from_dict(json.loads(text))


def _summaries(rows: list[codec.Row], threshold: float) -> list[Summary]:
    return [codec.to_summary(row, threshold) for row in rows]


def _json(header: RunHeader) -> str:
    return json.dumps(header.to_dict())


def _fill(db: sqlite3.Connection, header: RunHeader) -> None:
    """Makes an empty database a mask store."""
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {_VERSION}")
    with db:
        for statement in (*_TABLES.values(), _INDEX):
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('header', ?)", (_json(header),))


def _check_start(path: Path) -> None:
    """Refuses, before SQLite sees it, what is not a mask store of this version."""
    try:
        with path.open("rb") as file:
            start = file.read(100)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the path.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions.") from None
    if not start.startswith(_MAGIC) or int.from_bytes(start[68:72], "big") != _APPLICATION_ID:
        raise InputError(f"{path}: is not a mask store; give a {SUFFIX} file that `segment` wrote.")
    version = int.from_bytes(start[60:64], "big")
    if version != _VERSION:
        raise InputError(f"{path}: was written by another version of AVSeg (format {version}); segment again.")


def _connect(path: Path, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
    """A connection that trusts nothing in the file.

    Raises:
        InputError: SQLite cannot open the file.
    """
    try:
        db = sqlite3.connect(f"{_uri(path.absolute())}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
    except sqlite3.Error as error:
        raise _failure(path, error) from None
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_BLOB)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        db.execute(f"PRAGMA {setting}")
    return db


def _uri(path: PurePath) -> str:
    """An absolute path as SQLite takes it: of a Windows share it wants the server as part of the path."""
    return re.sub("^file://(?!/)", "file:////", path.as_uri())


def _finish_rollback(path: Path) -> None:
    """Undoes the last transaction of a killed writer, which a read-only connection may not do."""
    if not _journal(path).exists():
        return
    try:
        with closing(_connect(path, "rw")) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise _failure(path, error) from None


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")


def _remove(path: Path) -> None:
    """Removes a store with its journal, which must never be applied to another file of that name."""
    path.unlink(missing_ok=True)
    _journal(path).unlink(missing_ok=True)


def _failure(path: Path, error: sqlite3.Error) -> AVSegError:
    """The one line for what SQLite reports about `path`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return disk_full(path)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return InputError(f"{path}: cannot be opened ({error}); choose another folder or change its permissions.")
    if code == sqlite3.SQLITE_BUSY:
        return AVSegError(f"{path}: is being written by another run; wait for it or choose another folder.")
    if code == sqlite3.SQLITE_IOERR:
        return AVSegError(f"{path}: reading or writing failed ({error}); check the disk and run it again.")
    return _damaged(path)


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: is damaged or was not written by AVSeg; delete it and segment the video again.")
