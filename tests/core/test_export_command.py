"""What `export` writes never takes the place of another video's files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avseg_core import cli
from avseg_core.media.windows import Window
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore
from tests.core.test_exporters import HEADER as STORED

HEADER = replace(STORED, video="/videos/a/clip.mp4", notes=())


def keep(path: Path, header: RunHeader, count: int) -> Path:
    """A store with `count` masks."""
    path.parent.mkdir()
    with MaskStore.create(path, header) as store:
        for index in range(count):
            window = Window(index, float(index), index + 1.0, index + 0.5)
            store.add(WindowResult(window, index + 0.5, np.full((24, 32), 50 * count, np.uint8)))
    return path


@pytest.mark.parametrize("of_another", ["3e-00", ""])
def test_exports_of_another_video_are_kept_and_those_of_the_same_are_replaced(tmp_path: Path, of_another: str) -> None:
    """A video that was recorded in a run that crashed has no id yet."""
    header = HEADER if of_another else replace(HEADER, video_id="")
    first = keep(tmp_path / "a" / "clip.avseg", header, 3)
    second = keep(tmp_path / "b" / "clip.avseg", replace(header, video="/videos/b/clip.mp4", video_id=of_another), 1)
    out = tmp_path / "out"
    words = ["--out", str(out), "--export", "png", "coco"]
    assert cli.main(["export", str(first), *words]) == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert len(before) == 5
    for store in (second, second, first):
        assert cli.main(["export", str(store), *words]) == 0
        assert {path: path.read_bytes() for path in before} == before
        others = {path.name for path in out.iterdir()} - {path.name for path in before}
        assert others == {"clip-2_0.png", "clip-2.json", "clip-2.coco.json"}


def test_stores_of_one_name_do_not_overwrite_each_others_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(tmp_path / "a" / "clip.avseg"), str(tmp_path / "b" / "Clip.avseg")]
    assert cli.main([*words, "--out", str(tmp_path / "out")]) == 2
    assert "Clip.avseg: its files would overwrite those of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, "this is no store\n" * 50])
def test_what_is_no_store_leaves_no_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        (tmp_path / "clip.avseg").write_text(content)
    assert cli.main(["export", str(tmp_path / "clip.avseg"), "--out", str(tmp_path / "out" / "deep")]) == 2
    assert "clip.avseg: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = keep(tmp_path / "a" / "clip.avseg", HEADER, 1)
    assert cli.main(["export", str(store), "--out", str(store / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"cannot be written ({store} is a file, not a folder); choose another folder" in line
