"""Earlier results are found again for the same video, model and settings, and old ones make room."""

import os
from pathlib import Path

import pytest

from avseg_core.errors import InputError
from avseg_core.inference.cache import ResultCache
from avseg_core.results.identity import METHOD, file_id


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(os.urandom(4 << 20))
    return path


def test_the_key_is_file_model_settings_and_method(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ResultCache(tmp_path / "cache" / "results")
    path = cache.path_for(video, "model", {"rate": 1.0})
    assert path.parent == tmp_path / "cache" / "results"
    assert cache.path_for(video, "model", {"rate": 1.0}) == path
    assert cache.path_for(video, "other", {"rate": 1.0}) != path
    assert cache.path_for(video, "model", {"rate": 2.0}) != path
    with monkeypatch.context() as earlier:
        earlier.setattr("avseg_core.inference.cache.METHOD", METHOD - 1)
        assert cache.path_for(video, "model", {"rate": 1.0}) != path
    os.utime(video, ns=(0, 0))
    assert cache.path_for(video, "model", {"rate": 1.0}) != path


@pytest.mark.parametrize("place", [0, 2 << 20, (4 << 20) - 1])
def test_an_edit_is_another_file_and_a_copy_the_same(tmp_path: Path, video: Path, place: int) -> None:
    before = file_id(video)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    assert file_id(copy) == before
    data = bytearray(video.read_bytes())
    data[place] ^= 1
    video.write_bytes(data)
    assert file_id(video) != before


def test_an_unreadable_video_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="check the path"):
        file_id(tmp_path / "missing.mp4")


def test_the_least_recently_used_go_first(tmp_path: Path, video: Path) -> None:
    cache = ResultCache(tmp_path / "cache", limit=250)
    paths = [cache.path_for(video, name, {}) for name in "abcd"]
    for age, path in enumerate(paths):
        path.write_bytes(bytes(100))
        os.utime(path, (1000 + age, 1000 + age))
    assert cache.path_for(video, "a", {}) == paths[0]  # used just now
    assert cache.trim(keep=paths[1]) == [paths[2], paths[3]]
    assert sorted(cache.folder.iterdir()) == sorted(paths[:2])
    assert cache.trim() == []


def test_a_store_that_another_window_holds_or_has_removed_does_not_stop_it(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ResultCache(tmp_path / "cache", limit=100)
    paths = [cache.path_for(video, name, {}) for name in "abc"]
    for age, path in enumerate(paths):
        path.write_bytes(bytes(100))
        os.utime(path, (1000 + age, 1000 + age))
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path == paths[0]:
            raise PermissionError("used by another process")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    (cache.folder / "gone.avseg").symlink_to(tmp_path / "nowhere")
    assert cache.trim() == paths[1:]
