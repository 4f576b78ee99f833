"""The mask store: what goes in comes out, also after a crash, while it is written, and never from a bad file."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest

from avseg_core.errors import AVSegError, InputError
from avseg_core.media.windows import Window
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore, _uri
from avseg_core.results.timeline import read_timeline

HEADER = RunHeader(
    video="/videos/clip.mp4",
    video_id="1f-00",
    duration=5.0,
    width=1280,
    height=720,
    fps=Fraction(30000, 1001),
    model="tiny",
    model_hash="ab" * 32,
    settings={"rate": 1.0},
    planned=5,
    class_names=("background", "dog", "cat"),
)


def result(index: int, *, side: int = 64, classes: bool = False) -> WindowResult:
    """A result whose mask covers the left index/10 of the frame."""
    probability = np.zeros((side, side), np.uint8)
    probability[:, : side * index // 10] = 230
    return WindowResult(
        window=Window(index, float(index), index + 1.0, index + 0.5),
        frame_time=index + 0.4671,
        probability=probability,
        labels=(probability // 100) if classes else None,
        mixer_weights=np.linspace(0, 1, 32, dtype=np.float32) if classes else None,
        tags=(("Dog", 0.91), ("Bark", 0.5)) if classes else (),
        loudness=-12.5,
    )


def assert_equal(found: WindowResult | None, expected: WindowResult) -> None:
    assert found is not None
    assert (found.window, found.frame_time) == (expected.window, expected.frame_time)
    assert np.array_equal(found.probability, expected.probability)
    assert (found.tags, found.loudness) == (expected.tags, expected.loudness)
    if expected.labels is None or expected.mixer_weights is None:
        assert found.labels is None
        assert found.mixer_weights is None
    else:
        assert found.labels is not None
        assert found.mixer_weights is not None
        assert np.array_equal(found.labels, expected.labels)
        assert np.abs(found.mixer_weights - expected.mixer_weights).max() < 5e-4  # kept in half precision


def test_results_come_back_as_they_went_in(tmp_path: Path) -> None:
    path = tmp_path / "a clip #1?.avseg"
    with MaskStore.create(path, HEADER) as store:
        store.add(result(3, classes=True), result(1))
        store.add(result(2))
    with MaskStore(path) as store:
        assert store.header == HEADER
        assert store.indices() == [1, 2, 3]
        assert (len(store), store.complete) == (3, False)
        assert_equal(store.get(1), result(1))
        assert_equal(store.get(3), result(3, classes=True))
        assert store.get(4) is None
        assert [item.window.index for item in store.iterate()] == [1, 2, 3]
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name]


def test_nearest_window_and_sounding_area(tmp_path: Path) -> None:
    with MaskStore.create(tmp_path / "x.avseg", HEADER) as store:
        assert store.nearest(1.0) is None
        store.add(*(result(index) for index in (0, 1, 2, 5)))
        assert [store.nearest(t) for t in (-3.0, 0.9, 1.1, 3.9, 4.1, 99.0)] == [0, 0, 1, 2, 5, 5]
        assert store.nearest(1.0) == 0  # half way: the earlier
        assert store.area(5) == 0.5
        assert store.area(5, threshold=0.95) == 0.0
        assert store.area(5, threshold=230 / 255) == 0.0  # strictly above
        assert store.area(7) is None


def test_timeline_follows_a_growing_store(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as writer, MaskStore(path) as reader:
        assert len(read_timeline(reader)) == 0
        writer.add(result(0), result(5, classes=True))
        timeline = read_timeline(reader)
        assert timeline.index.tolist() == [0, 5]
        assert timeline.start.tolist() == [0.0, 5.0]
        assert timeline.stop.tolist() == [1.0, 6.0]
        assert timeline.area.tolist() == [0.0, 0.5]
        assert timeline.loudness.tolist() == [-12.5, -12.5]
        assert timeline.tags == ("", "Dog")
        writer.add(result(7))
        assert read_timeline(reader, after=5).index.tolist() == [7]


def test_a_reader_between_two_results_does_not_stop_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as writer, MaskStore(path) as reader:
        writer.add(*(result(index) for index in range(3)))
        results = reader.iterate()
        assert next(results).window.index == 0
        writer.add(result(9))
        assert [item.window.index for item in results] == [1, 2, 9]


def test_notes_are_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as store:
        store.add_note("no sound")
        store.add_note("no sound")
    with MaskStore(path) as store:
        assert store.header.notes == ("no sound",)
        assert store.header.same_run(HEADER)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"video": "/elsewhere/clip.mp4"}, True),
        ({"video_id": "2"}, False),
        ({"model_hash": "cd"}, False),
        ({"settings": {"rate": 2.0}}, False),
    ],
)
def test_what_makes_a_run_another_run(change: dict[str, object], same: bool) -> None:
    other = RunHeader.from_dict({**HEADER.to_dict(), **change})
    assert HEADER.same_run(other) is same


WRITER = """
import sys
from pathlib import Path
import numpy as np
from fractions import Fraction
from avseg_core.media.windows import Window
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore
header = RunHeader("v", "1", 9.0, 64, 48, Fraction(25), "m", "h", {"rate": 1.0}, 10**6)
rng = np.random.default_rng(0)
with MaskStore.create(Path(sys.argv[1]), header) as store:
    print("ready", flush=True)
    for i in range(0, 10**6, 4):
        store.add(*(WindowResult(Window(k, k, k + 1, k + 0.5), k, rng.integers(0, 256, (128, 128), np.uint8))
                    for k in range(i, i + 4)))
"""


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    for attempt in range(4):
        path = tmp_path / f"{attempt}.avseg"
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while path.stat().st_size < 300_000:
                time.sleep(0.01)
            time.sleep(0.007 * attempt)
            os.kill(process.pid, signal.SIGKILL)
        with MaskStore(path) as store:
            indices = store.indices()
            assert len(indices) >= 4
            assert indices == list(range(len(indices)))
            assert len(indices) % 4 == 0
            assert store.get(indices[-1]) is not None
        with MaskStore(path, "a") as store:
            store.add(result(len(indices)))
            assert len(store) == len(indices) + 1


def test_a_read_only_store_with_a_journal_is_rolled_back(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as store:
        store.add(result(0, side=256))
    copy = tmp_path / "killed.avseg"
    db = sqlite3.connect(path)
    db.execute("PRAGMA cache_size = 1")  # forces half a transaction into the file
    noise = np.random.default_rng(0).bytes(400_000)
    db.execute("UPDATE windows SET probability = ?", (noise,))
    journal = path.with_name("x.avseg-journal")
    copy.write_bytes(path.read_bytes())
    copy.with_name("killed.avseg-journal").write_bytes(journal.read_bytes())
    assert journal.stat().st_size > 0
    db.rollback()
    db.close()
    with MaskStore(copy) as store:
        assert_equal(store.get(0), result(0, side=256))


def test_a_new_store_is_not_spoilt_by_the_journal_of_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    path.write_bytes(b"an old store")
    journal = path.with_name("x.avseg-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(512))
    with MaskStore.create(path, HEADER) as store:
        assert not journal.exists()
        assert store.header == HEADER


def good_store(path: Path) -> None:
    with MaskStore.create(path, HEADER) as store:
        store.add(result(5, classes=True), result(1))


def run_sql(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def flip_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4000] = bytes(3900)
    path.write_bytes(bytes(data))


def change_header(path: Path, name: str, value: str) -> None:
    run_sql(path, f"UPDATE meta SET value = json_set(value, '$.{name}', {value})")


SPOILT: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("this is not a store\n" * 100),
    "foreign database": lambda path: (path.unlink(), run_sql(path, "CREATE TABLE t (x)")),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "zeros": flip_bytes,
    "newer version": lambda path: run_sql(path, "PRAGMA user_version = 2"),
    "no header": lambda path: run_sql(path, "DELETE FROM meta"),
    "header is no JSON": lambda path: run_sql(path, "UPDATE meta SET value = '{'"),
    "header of a wrong kind": lambda path: run_sql(path, "UPDATE meta SET value = '[1]'"),
    "header nested without end": lambda path: run_sql(path, f"UPDATE meta SET value = '{'[' * 100_000}'"),
    "view instead of table": lambda path: run_sql(
        path, "DROP TABLE windows", "CREATE VIEW windows AS SELECT key AS id FROM meta"
    ),
    "trigger": lambda path: run_sql(path, "CREATE TRIGGER t AFTER INSERT ON windows BEGIN DELETE FROM windows; END"),
    "wrong blob": lambda path: run_sql(path, "UPDATE windows SET probability = x'00112233'"),
    "text for a blob": lambda path: run_sql(path, "UPDATE windows SET probability = 'abc'"),
    "huge size": lambda path: run_sql(path, "UPDATE windows SET height = 1000000, width = 1000000"),
    "negative size": lambda path: run_sql(path, "UPDATE windows SET height = -4"),
    "text for a size": lambda path: run_sql(path, "UPDATE windows SET height = 'four'"),
    "text for a time": lambda path: run_sql(path, "UPDATE windows SET centre = 'now'"),
    "endless time": lambda path: run_sql(path, "UPDATE windows SET frame_time = 9e999"),
    "odd tags": lambda path: run_sql(path, "UPDATE windows SET tags = '{\"a\": 1}'"),
    "class without a name": lambda path: run_sql(
        path, "UPDATE meta SET value = json_set(value, '$.class_names', json('[\"background\"]'))"
    ),
    "frame rate by zero": lambda path: change_header(path, "fps", "'1/0'"),
    "frame rate without end": lambda path: change_header(path, "fps", "'1e999999999'"),
    "frame that fills all memory": lambda path: (
        change_header(path, "width", "65536"),
        change_header(path, "height", "65536"),
    ),
    "odd mixer": lambda path: run_sql(path, "UPDATE windows SET mixer = x'01'"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, how: str) -> None:
    path = tmp_path / "bad.avseg"
    good_store(path)
    SPOILT[how](path)
    with pytest.raises(InputError) as caught, MaskStore(path) as store:  # noqa: PT012  (reading may fail late)
        list(store.iterate())
        list(store.summaries())
        store.nearest(0.0)
    assert "\n" not in str(caught.value)
    assert "bad.avseg" in str(caught.value)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.avseg"
    good_store(path)
    bomb = zlib.compress(bytes(200 << 20), 9)
    db = sqlite3.connect(path)
    db.execute("UPDATE windows SET probability = ?, histogram = ?, mixer = ?", (bomb, bomb, bomb))
    db.commit()
    db.close()
    with MaskStore(path) as store:
        with pytest.raises(InputError):
            store.get(5)
        with pytest.raises(InputError):
            store.area(5)


@pytest.mark.parametrize("name", ["missing.avseg", "."])
def test_a_path_that_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="check the path"):
        MaskStore(tmp_path / name)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be"):
        MaskStore.create(tmp_path / "no such folder" / "x.avseg", HEADER)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be"):
        MaskStore.create(tmp_path / "file" / "x.avseg", HEADER)


def test_a_full_disk_is_one_line_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as store:
        store.add(result(0))
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 1}")
        noise = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
        with pytest.raises(AVSegError, match="disk is full") as caught:
            store.add(WindowResult(Window(1, 1.0, 2.0, 1.5), 1.5, noise))
        assert not isinstance(caught.value, InputError)
        assert store.indices() == [0]


def test_the_file_grows_by_the_results_only(tmp_path: Path) -> None:
    path = tmp_path / "x.avseg"
    with MaskStore.create(path, HEADER) as store:
        for index in range(50):
            store.add(result(index % 10 + 10 * index, side=224))
    assert path.stat().st_size < 50 * 2000  # a plain mask packs to some hundred bytes


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PurePosixPath("/a folder/50%.avseg"), "file:///a%20folder/50%25.avseg"),
        (PureWindowsPath(r"C:\out\clip.avseg"), "file:///C:/out/clip.avseg"),
        (PureWindowsPath(r"\\server\share\clip.avseg"), "file:////server/share/clip.avseg"),
    ],
)
def test_sqlite_is_given_no_server(path: PurePosixPath, uri: str) -> None:
    """It refuses every URI with a host: "The authority section, if present, must be empty or localhost"."""
    assert _uri(path) == uri
