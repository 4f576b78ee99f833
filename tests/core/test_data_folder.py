"""A user's own data set: videos, masks named by their time, optional classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from avseg_core.audio.front_end import window_logmel
from avseg_core.config import DataConfig
from avseg_core.data.check import SPLITS
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.folder_table import read_classes, read_moves, write_classes, write_moves
from avseg_core.data.registry import DATASETS, build_dataset, detect_layout
from avseg_core.errors import InputError
from avseg_core.media import AudioReader, VideoReader
from tests.avsbench_fixtures import THINGS, make_folder

SMALL = {"train": 2, "val": 1}


def opened(root: Path, split: str = "train", classes: int = 1, **changes: object) -> ClipDataset:
    config = DataConfig(dataset="folder", root=str(root), image_size=(64, 64), **changes)  # type: ignore[arg-type]
    return build_dataset(config, split, classes)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("folder"), SMALL)


def test_each_mask_becomes_a_frame_with_the_second_around_it(own: Path) -> None:
    assert detect_layout(own) == "folder"
    dataset = opened(own)
    assert [dataset.clip_id(index) for index in range(len(dataset))] == ["train_0", "train_1"]
    sample = dataset[0]
    assert sample.is_frame.tolist() == sample.has_label.tolist() == [True, True, True, False, False]
    with VideoReader(own / "train/train_0.mp4") as video, AudioReader(own / "train/train_0.mp4") as sound:
        image = video.frame_at(1.5).image
        expected = window_logmel(sound.read(1.0, 1.0), "vggish")
    pixels = np.array(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(sample.frames[1], ((torch.from_numpy(pixels) / 255 - mean) / std).permute(2, 0, 1))
    np.testing.assert_array_equal(sample.logmel[1].numpy(), expected)
    mask = Image.open(own / "train/train_0.masks/1.500.png").resize((64, 64), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(sample.labels[1].numpy(), np.asarray(mask) > 0)
    assert not sample.logmel[3:].any()
    assert not sample.frames[3:].any()


def test_things_sound_in_turn_so_masks_and_sound_change_with_time(own: Path) -> None:
    sample = opened(own)[0]
    assert not torch.equal(sample.labels[0], sample.labels[1])
    assert torch.equal(sample.labels[0], sample.labels[2])
    peaks = sample.logmel[:3, 0].mean(1).argmax(1).tolist()  # loudest mel band
    assert peaks[0] == peaks[2] != peaks[1]


def test_a_clip_with_many_masks_becomes_several_samples(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, times=(0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 2.9))
    dataset = opened(root, frames_per_clip=3)
    assert [dataset.clip_id(index) for index in range(len(dataset))] == [
        "train_0@0.100",
        "train_0@1.500",
        "train_0@2.900",
    ]
    assert dataset[2].is_frame.tolist() == [True, False, False]
    assert dataset.prediction_name(1, 2) == "train_0.masks/2.500.png"
    assert dataset.prediction_name(2, 1) is None


def test_times_are_ordered_as_numbers(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, times=(2.5, 0.5))
    (root / "train/train_0.masks/2.500.png").rename(root / "train/train_0.masks/02.5.png")
    (root / "train/train_0.masks/0.500.png").rename(root / "train/train_0.masks/1e-1.png")
    dataset = opened(root)
    assert [dataset.prediction_name(0, k) for k in range(2)] == ["train_0.masks/1e-1.png", "train_0.masks/02.5.png"]


def test_without_split_folders_every_split_is_everything(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 2}) / "train"
    assert detect_layout(root) == "folder"
    assert len(opened(root, "train")) == len(opened(root, "test")) == 2
    assert DATASETS["folder"].check(root).counts == {"all": 2}


def test_clips_that_are_left_out_are_not_those_held_out(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 4}) / "train"
    dataset = opened(root, "val", hold_out=0.25)
    held = [f"all/{dataset.clip_id(index)}" for index in range(len(dataset))]
    left = {
        dataset.clip_id(index)
        for split in ("train", "val")
        for dataset in [opened(root, split, hold_out=0.25, exclude=tuple(held))]
        for index in range(len(dataset))
    }
    assert len(held) == 1
    assert len(opened(root, "val", hold_out=0.25, exclude=tuple(held))) == 1
    assert left == {f"train_{k}" for k in range(4)} - {held[0].removeprefix("all/")}


def test_classes_come_from_dataset_toml(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, classes=True)
    assert DATASETS["folder"].num_classes(root) == 4
    dataset = opened(root, classes=4)
    assert dataset.class_names == ("background", *(thing.name for thing in THINGS))
    first, second = (set(dataset[0].labels[k].unique().tolist()) for k in (0, 1))
    assert first != second
    assert first | second <= {0, 1, 2, 3}
    binary = opened(root, classes=1)
    assert binary.class_names == ()
    assert torch.equal(binary[0].labels, (dataset[0].labels > 0).long())
    with pytest.raises(InputError, match="needs a model with num_classes 1 or 4, not 71"):
        opened(root, classes=71)


def test_log_mels_are_kept_in_the_cache(own: Path, tmp_path: Path) -> None:
    dataset = opened(own, cache_dir=str(tmp_path / "cache"))
    first = dataset[0].logmel
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    assert torch.equal(dataset[0].logmel, first)
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    opened(own, cache_dir=str(tmp_path / "cache"), frames_per_clip=2)[0]  # other times: another entry
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2


def test_a_missing_split_is_said(own: Path) -> None:
    with pytest.raises(InputError, match="no such folder; the data set has train, val"):
        opened(own, "test")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("classes = 3", "must be a list of names"),
        ('classes = ["a", "a"]', "different names"),
        ('classes = ["background", "a"]', "different names without background"),
        ("classes = [", "cannot be read as TOML"),
    ],
)
def test_a_damaged_dataset_toml_is_one_clear_line(content: str, what: str, tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1})
    (root / "dataset.toml").write_text(content)
    with pytest.raises(InputError) as caught:
        opened(root)
    assert str(root / "dataset.toml") in str(caught.value)
    assert what in str(caught.value)
    assert [problem.kind for problem in DATASETS["folder"].check(root).problems] == ["damaged table"]


@pytest.mark.parametrize("kind", ["1", "L", "I;16", "RGB", "P", "P, white first", "P, transparent", "RGBA", "LA"])
def test_a_mask_is_on_where_one_sees_something_that_is_not_black(kind: str, tmp_path: Path) -> None:
    """Also where index 0 of the palette is white, or a white background is transparent."""
    root = make_folder(tmp_path, {"train": 1}, size=64, times=(1.0,))
    on = np.zeros((64, 64), bool)
    on[8:20, 4:40] = True
    mode = kind.partition(",")[0]
    if kind == "P, white first":
        image = Image.fromarray(np.where(on, 0, 1).astype(np.uint8)).convert("P")
        image.putpalette([255, 255, 255, 0, 0, 0])
    elif kind == "P, transparent":
        image = Image.fromarray(np.where(on, 1, 0).astype(np.uint8)).convert("P")
        image.putpalette([255, 255, 255, 255, 0, 0])
        image.info["transparency"] = 0
    elif kind in {"RGBA", "LA"}:
        white = Image.new("L", (64, 64), 255)
        image = Image.merge(kind, [white] * (len(kind) - 1) + [Image.fromarray(on.astype(np.uint8) * 255)])
    elif kind == "I;16":
        image = Image.fromarray(on.astype(np.uint16))
    else:
        image = Image.fromarray(on.astype(np.uint8) * 255).convert(mode)
    path = root / "train/train_0.masks/1.000.png"
    image.save(path)
    assert Image.open(path).mode == mode
    np.testing.assert_array_equal(opened(root)[0].labels[0].numpy(), on)


def test_an_rgb_mask_where_classes_are_due_is_refused(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, classes=True)
    mask = root / "train/train_0.masks/0.500.png"
    Image.open(mask).convert("RGB").save(mask)
    with pytest.raises(InputError) as caught:
        opened(root, classes=4)[0]
    assert str(caught.value) == f"{mask}: is a picture of mode RGB; classes need a palette (P) or grey (L) picture."


def test_a_class_that_is_not_named_is_refused(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1}, classes=True)
    mask = root / "train/train_0.masks/0.500.png"
    Image.fromarray(np.full((96, 96), 9, np.uint8)).save(mask)
    with pytest.raises(InputError, match="holds class 9; the data set names only 0 to 3"):
        opened(root, classes=4)[0]


@pytest.mark.parametrize("name", ["first", "-1", "nan", "inf"])
def test_a_mask_whose_name_is_no_time_is_refused(name: str, tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1})
    mask = root / "train/train_0.masks/0.500.png"
    mask.rename(mask.with_name(f"{name}.png"))
    with pytest.raises(InputError, match=r"the name must be the time in seconds, for instance 1\.500\.png"):
        opened(root)


def test_files_that_a_system_hides_are_neither_clips_nor_masks(tmp_path: Path) -> None:
    root = make_folder(tmp_path, SMALL)
    for name in ("train/._train_0.mp4", "train/._train_0.masks", "train/train_0.masks/._1.500.png"):
        (root / name).write_bytes(b"\x00\x05\x16\x07")
    assert len(opened(root)) == 2
    assert DATASETS["folder"].check(root).problems == []


def test_a_video_whose_masks_folder_could_have_no_name_is_no_clip(tmp_path: Path) -> None:
    root = make_folder(tmp_path, SMALL)
    (root / "train" / (251 * "a" + ".mp4")).write_bytes(b"")
    assert len(opened(root)) == 2
    assert [problem.kind for problem in DATASETS["folder"].check(root).problems] == ["missing mask"]


def test_two_videos_with_one_masks_folder_are_refused(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1})
    (root / "train/train_0.mkv").write_bytes((root / "train/train_0.mp4").read_bytes())
    with pytest.raises(InputError, match=r"belongs to train_0\.mkv and to train_0\.mp4"):
        opened(root)


def test_the_check_of_a_whole_folder_is_fine(own: Path) -> None:
    report = DATASETS["folder"].check(own)
    assert report.problems == []
    assert report.counts == SMALL
    assert report.published == {}


def test_the_check_finds_everything_that_was_broken(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 4, "val": 1})
    train = root / "train"
    (train / "train_0.mp4").write_bytes(b"broken")
    (train / "train_1.masks/0.500.png").write_bytes(b"broken")
    (train / "train_1.masks/1.500.png").rename(train / "train_1.masks/9.000.png")
    small = train / "train_1.masks/2.500.png"
    Image.open(small).resize((10, 20)).save(small)
    (train / "train_2.mp4").unlink()
    for mask in (train / "train_3.masks").iterdir():
        mask.unlink()
    (root / "val/val_0.mp4").write_bytes((train / "train_1.mp4").read_bytes())
    report = DATASETS["folder"].check(root)
    assert dict(report.totals) == {
        "unreadable video": 1,
        "unreadable mask": 1,
        "mask time": 1,
        "mask size": 1,
        "missing video": 1,
        "missing mask": 1,
        "same content": 1,
    }
    found = {problem.kind: problem for problem in report.problems}
    assert found["mask size"].what == "is 10x20, its video 96x96"
    assert found["missing video"].where == str(train / "train_2.masks")
    assert found["missing mask"].where == str(train / "train_3.mp4")
    assert found["same content"].what == "equals train_1 of train: the splits are not apart"


def test_the_check_tells_of_clips_that_a_split_folder_hides(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 2}) / "train"
    assert DATASETS["folder"].check(root).fine
    (root / "val").mkdir()
    report = DATASETS["folder"].check(root)
    assert report.counts == {"val": 0}
    assert [(problem.kind, Path(problem.where).name) for problem in report.problems] == [
        ("unused clip", "train_0.mp4"),
        ("unused clip", "train_1.mp4"),
    ]
    assert "move it in there" in report.problems[0].what


def test_a_line_in_dataset_toml_moves_a_clip_to_another_split(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 3, "val": 1})
    (root / "dataset.toml").write_text('# mine\n\n[splits]\n"train/train_1" = "val"\n"train/train_2" = "test"\n')
    clips = {split: [opened(root, split).clip_id(k) for k in range(len(opened(root, split)))] for split in SPLITS}
    assert clips == {"train": ["train_0"], "val": ["train_1", "val_0"], "test": ["train_2"]}
    assert DATASETS["folder"].check(root).counts == {"train": 1, "val": 2, "test": 1}
    left = opened(root, "val", exclude=("val/train_1",))
    assert [left.clip_id(k) for k in range(len(left))] == ["val_0"]


def test_in_a_folder_without_splits_clips_that_are_not_named_are_to_learn_from(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 3}) / "train"
    write_moves(root, {"train_1": "val"})
    assert len(opened(root, "train", hold_out=0.5)) == 2  # nothing is held out where the user has decided
    assert [opened(root, "val").clip_id(k) for k in range(len(opened(root, "val")))] == ["train_1"]
    with pytest.raises(InputError, match="the data set has train, val"):
        opened(root, "test")


def test_moves_are_written_and_everything_else_stays(tmp_path: Path) -> None:
    table = tmp_path / "dataset.toml"
    table.write_text('# what there is\nclasses = ["a",\n  "b"]  # two\n\n[splits]\n"x" = "val"\n\n[notes]\nby = "me"\n')
    write_moves(tmp_path, {"größe/x 1": "test", 'a "b"': "train", "x": None})
    assert read_moves(tmp_path) == {"größe/x 1": "test", 'a "b"': "train"}
    assert read_classes(tmp_path) == ("background", "a", "b")
    assert "# what there is" in table.read_text(encoding="utf-8")
    assert 'by = "me"' in table.read_text(encoding="utf-8")
    write_classes(tmp_path, ["c"])
    write_moves(tmp_path, {"größe/x 1": None, 'a "b"': None})
    assert table.read_text(encoding="utf-8") == 'classes = ["c"]\n\n# what there is\n\n[notes]\nby = "me"\n'


def test_only_the_lines_of_moved_clips_change(tmp_path: Path) -> None:
    table = tmp_path / "dataset.toml"
    kept = '"train/later" = "test"   # locked away\n'
    below = "\n# of the notes\n[notes]\nbest = nan\n"
    table.write_text(f'[splits] # mine\n{kept}"train/a" = "val" # "b" = "val"\n{below}')
    write_moves(tmp_path, {"train/a": "test", "train/b": "val"})
    assert table.read_text() == f'[splits] # mine\n{kept}"train/a" = "test" # "b" = "val"\n"train/b" = "val"\n{below}'
    write_moves(tmp_path, {"train/a": None, "train/b": None, "train/c": None})
    assert table.read_text() == f"[splits] # mine\n{kept}{below}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[splits]\n"b" = "test"\n'),
        ("[splits]", '[splits]\n"b" = "test"\n'),
        ('[ splits ]\na="val"', '[ splits ]\na="val"\n"b" = "test"\n'),
        ("x = 1\n\n['splits'] #\n'a' = 'val'\n[y]\n", "x = 1\n\n['splits'] #\n'a' = 'val'\n\"b\" = \"test\"\n[y]\n"),
        ("# \u2028 [splits]\n", '# \u2028 [splits]\n\n[splits]\n"b" = "test"\n'),
    ],
)
def test_any_spelling_of_the_section_takes_a_move(before: str, after: str, tmp_path: Path) -> None:
    table = tmp_path / "dataset.toml"
    table.write_text(before, encoding="utf-8")
    moves = read_moves(tmp_path)
    write_moves(tmp_path, {"b": "test"})
    assert table.read_text(encoding="utf-8") == after
    assert read_moves(tmp_path) == {**moves, "b": "test"}


@pytest.mark.parametrize(
    "content",
    ['splits = {"a" = "val"}\n', 'splits."a" = "val"\n', 'x = """\n[splits]\n"""\n', '[splits]\n"a" = """val"""\n'],
)
def test_a_spelling_that_cannot_be_changed_is_one_clear_line_and_stays(content: str, tmp_path: Path) -> None:
    table = tmp_path / "dataset.toml"
    table.write_text(content)
    with pytest.raises(
        InputError, match=r"dataset\.toml: is written in a way .* write a section \[splits\] with a line"
    ):
        write_moves(tmp_path, {"a": "test"})
    assert table.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.toml"]


def test_classes_are_written_without_touching_those_of_another_table(tmp_path: Path) -> None:
    table = tmp_path / "dataset.toml"
    table.write_text('[notes]\nclasses = ["x"]\n')
    write_classes(tmp_path, ["dog"])
    assert table.read_text() == 'classes = ["dog"]\n\n[notes]\nclasses = ["x"]\n'
    table.write_text('"classes" = ["dog"]\n')
    with pytest.raises(InputError, match=r'dataset\.toml: is written in a way .* write classes = \["guitar", "dog"\]'):
        write_classes(tmp_path, ["cat"])
    assert read_classes(tmp_path) == ("background", "dog")


@pytest.mark.parametrize("content", ['splits = "val"', '[splits]\n"x" = "valid"\n'])
def test_splits_that_are_none_are_one_clear_line(content: str, tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1})
    (root / "dataset.toml").write_text(content)
    with pytest.raises(InputError, match=r"dataset.toml: \[splits\] must say train, val or test"):
        opened(root)
    assert [problem.kind for problem in DATASETS["folder"].check(root).problems] == ["damaged table"]


def test_two_clips_of_one_name_in_a_split_are_refused(tmp_path: Path) -> None:
    root = make_folder(tmp_path, {"train": 1, "val": 1})
    for path in (root / "val").iterdir():
        path.rename(path.with_name(path.name.replace("val_0", "train_0")))
    write_moves(root, {"val/train_0": "train"})
    with pytest.raises(InputError, match="is also a clip of train; rename one of them"):
        opened(root)
