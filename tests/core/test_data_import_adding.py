"""An import into a data set that is there already leaves its clips, splits and classes what they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avseg_core.cli import main
from avseg_core.data.folder_table import read_classes, read_moves
from avseg_core.data.import_report import ImportOptions
from avseg_core.data.importing import import_data
from avseg_core.data.registry import DATASETS
from avseg_core.errors import InputError
from tests.avsbench_fixtures import THINGS, make_folder, write_wav
from tests.coco_fixtures import CATEGORIES, SIZE, coco, masks_of, placed, youtube_vis


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of three seconds at 10 frames per second with class masks: what the annotations are made of."""
    return make_folder(tmp_path_factory.mktemp("own"), {"train": 2}, size=SIZE, classes=True)


def test_clips_with_a_split_are_not_put_where_they_would_hide_others(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_data(placed(tmp_path / "coco", own, "labels.json", coco(own)), tmp_path / "set", ImportOptions())
    before = sorted(tmp_path.glob("set/**/*"))
    source = placed(tmp_path / "vis", own, "instances_train.json", youtube_vis(own))
    assert main(["import-data", str(source), "--out", str(tmp_path / "set")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert f"move them into {tmp_path / 'set' / 'train'} first" in said
    assert sorted(tmp_path.glob("set/**/*")) == before


def test_clips_without_a_split_are_learned_from_where_there_are_splits(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    (out / "val").mkdir(parents=True)
    assert import_data(source, out, ImportOptions()).clips == 2
    assert sorted(path.name for path in out.iterdir()) == ["train", "val"]
    assert DATASETS["folder"].check(out).counts == {"train": 2, "val": 0}
    for path in (out / "train").glob("train_0.*"):
        path.rename(out / "val" / path.name)
    report = import_data(source, out, ImportOptions())
    assert (report.clips, report.kept) == (0, 2)  # what the user moved to val is not learned from again
    (tmp_path / "other" / "val").mkdir(parents=True)
    import_data(source / "videos", tmp_path / "other", ImportOptions(frames=0))
    assert sorted(path.name for path in (tmp_path / "other" / "train").iterdir()) == ["train_0.mp4", "train_1.mp4"]


def test_masks_that_are_there_keep_their_class(own: Path, tmp_path: Path) -> None:
    """The set knows a dog and a piano before guitar, dog and helicopter come to it."""
    out = tmp_path / "set"
    out.mkdir()
    (out / "dataset.toml").write_text('classes = ["dog", "piano"]\n\n[splits]\n"old" = "val"\n')
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    import_data(source, out, ImportOptions(classes=True))
    assert read_classes(out) == ("background", "dog", "piano", "guitar", "helicopter")
    assert read_moves(out) == {"old": "val"}
    value = np.array([0, 3, 1, 4])  # of guitar, dog and helicopter
    for clip in own.glob("train/*.mp4"):
        np.testing.assert_array_equal(masks_of(out / clip.name), value[masks_of(clip)])
    table = (out / "dataset.toml").read_bytes()
    shutil.rmtree(out / "train_0.masks")
    import_data(source, out, ImportOptions(categories=(THINGS[2].name,), classes=True))
    assert (out / "dataset.toml").read_bytes() == table
    assert np.unique(masks_of(out / "train_0.mp4")).tolist() in ([0], [0, 4])


@pytest.mark.parametrize("name", ["train_0.mp4", "train_0.MP4", "train_0.mkv"])
def test_masks_are_not_laid_beside_another_video_of_the_name(
    name: str, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    other = tmp_path / "set" / name
    other.parent.mkdir()
    shutil.copy(own / "train" / "train_1.mp4", other)
    assert main(["import-data", str(source), "--out", str(tmp_path / "set")]) == 0
    said = f"left out: {other}: is another video of this name; rename one of them"
    assert said.lower() in capsys.readouterr().out.lower()  # not every disk knows capitals
    there = {path.name for path in (tmp_path / "set").iterdir()}
    assert there == {name, "train_1.mp4", "train_1.masks"}
    other.with_suffix(".masks").mkdir()  # what was drawn for that video says nothing of this one
    report = import_data(source, tmp_path / "set", ImportOptions())
    assert (report.clips, report.kept, [problem.where for problem in report.problems]) == (0, 1, ["train_0"])


def test_the_same_video_under_another_ending_gets_the_masks(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    (tmp_path / "set").mkdir()
    shutil.copy(own / "train" / "train_0.mp4", tmp_path / "set" / "train_0.MP4")
    assert import_data(source, tmp_path / "set", ImportOptions()).clips == 2
    assert {path.name for path in (tmp_path / "set").glob("train_0*")} == {"train_0.MP4", "train_0.masks"}


def test_a_video_that_cannot_be_read_does_not_come_into_the_set(own: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    good = next(own.rglob("*.mp4"))
    (videos / "good.mp4").write_bytes(good.read_bytes())
    (videos / "bad.mp4").write_text("no video")
    report = import_data(videos, tmp_path / "set", ImportOptions())
    assert [(problem.where, problem.what.startswith(str(videos / "bad.mp4"))) for problem in report.problems] == [
        (str(videos / "bad.mp4"), True)
    ]
    assert {path.name for path in (tmp_path / "set").rglob("*.mp4")} == {"good.mp4"}


def test_a_plain_video_is_not_taken_for_another_one_of_its_size(own: Path, tmp_path: Path) -> None:
    video, other = tmp_path / "train_0.mp4", tmp_path / "set" / "train_0.mp4"
    other.parent.mkdir()
    content = bytearray(shutil.copy(own / "train" / "train_0.mp4", video).read_bytes())
    content[len(content) // 2] ^= 1
    other.write_bytes(content)
    with pytest.raises(InputError, match=r"set/train_0\.mp4: is another video of this name; rename one of them"):
        import_data(video, tmp_path / "set", ImportOptions(frames=0))
    assert other.read_bytes() == content
    shutil.copy(video, other)
    assert import_data(video, tmp_path / "set", ImportOptions(frames=0)).clips == 1


@pytest.mark.parametrize("count", [1, 4])
def test_a_video_made_of_pictures_is_known_again_and_no_other_taken_for_it(count: int, tmp_path: Path) -> None:
    def pictures(folder: Path, shade: int) -> Path:
        names = [f"bird/{k}.png" for k in range(count)]
        for k, name in enumerate(names):
            (folder / "bird").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (SIZE, 48), (shade + 20 * k, 90, 0)).save(folder / name)
        write_wav(folder / "bird.wav", np.zeros(2 * 16000))
        images = [{"id": k, "file_name": name, "width": SIZE, "height": 48} for k, name in enumerate(names)]
        data = {"images": images, "annotations": [], "categories": CATEGORIES}
        (folder / "labels.json").write_text(json.dumps(data))
        return folder / "labels.json"

    labels, video = pictures(tmp_path / "one", 40), tmp_path / "set" / "bird.mp4"
    import_data(labels, tmp_path / "set", ImportOptions())
    before = video.read_bytes()
    shutil.rmtree(video.with_suffix(".masks"))
    assert import_data(labels, tmp_path / "set", ImportOptions()).clips == 1
    assert video.read_bytes() == before
    shutil.rmtree(video.with_suffix(".masks"))
    with pytest.raises(InputError, match="is another video of this name"):
        import_data(pictures(tmp_path / "two", 140), tmp_path / "set", ImportOptions())
    video.write_bytes(b"no video")
    with pytest.raises(InputError, match="is another video of this name"):
        import_data(labels, tmp_path / "set", ImportOptions())
    assert [path.name for path in (tmp_path / "set").iterdir()] == [video.name]


def test_classes_are_not_named_if_no_clip_comes(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    (tmp_path / "labels.json").write_text(json.dumps(coco(own)))
    with pytest.raises(InputError, match="no clip could be imported"):
        import_data(tmp_path / "labels.json", out, ImportOptions(classes=True))
    assert not (out / "dataset.toml").exists()


@pytest.mark.parametrize("first", [True, False])
def test_masks_with_and_without_classes_are_not_mixed(first: bool, own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    out = tmp_path / "set"
    import_data(source, out, ImportOptions(classes=first))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"set: .*masks .*classes.*; import with.* into another folder\.$"):
        import_data(source, out, ImportOptions(classes=not first))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["background", "", "a\x7fb", "\ud800"])
def test_a_category_that_no_class_can_be_called_is_one_clear_line(
    name: str, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {**coco(own), "categories": [*CATEGORIES, {"id": 99, "name": name}]}
    source = placed(tmp_path / "coco", own, "labels.json", data)
    words = ["import-data", str(source), "--out", str(tmp_path / "set"), "--classes"]
    assert main(words) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert f"cannot be called {name!r}" in said
    assert main([*words, "--categories", *(thing.name for thing in THINGS)]) == 0
    assert len(read_classes(tmp_path / "set")) == 1 + len(THINGS)
