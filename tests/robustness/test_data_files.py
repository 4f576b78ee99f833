"""Damaged, missing and hostile files in data sets: one clear line each, and nothing in them is ever run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from avseg_core.config import DataConfig
from avseg_core.data.check import CheckReport
from avseg_core.data.clip_files import read_table
from avseg_core.data.masks import read_image
from avseg_core.data.registry import DATASETS, build_dataset
from avseg_core.errors import Cancelled, InputError
from avseg_core.progress import Progress
from tests import avsbench_fixtures as make
from tests.robustness.test_pickle_files import Runs, one_line

ONE_EACH = {"train": 1, "val": 1, "test": 1}


TABLES = {
    "empty": (b"", "the header lacks split"),
    "no split": (b"video_id\nabc\n", "the header lacks split (found: video_id)"),
    "short row": (b"video_id,split\nabc,train\ndef\n", "line 3 has 1 values, the header 2"),
    "odd split": (b"video_id,split\nabc,trian\n", "line 2 has the split 'trian'"),
    "not text": (b"video_id,split\n\xff\xfe\xfa,train\n", "cannot be read as a table"),
    "nul": (b"video_id,split\na\x00b,train\n", ""),
    "way out": (b"video_id,split\n../../etc,train\n", "line 2 holds '../../etc', which cannot be a file name"),
    "parent": (b"video_id,split\n..,train\n", "line 2 holds '..', which cannot be a file name"),
    "open quote": (b'video_id,split\n"abc,train\n', "cannot be read as a table"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_corrupt_table_is_one_clear_line(name: str, tmp_path: Path) -> None:
    content, what = TABLES[name]
    path = tmp_path / "ms3_meta_data.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_table(path))
    one_line(caught, path, what)
    with pytest.raises(InputError) as caught:
        build_dataset(DataConfig(dataset="ms3", root=str(tmp_path)), "train", 1)
    one_line(caught, path, what)


def opened(root: Path, name: str, split: str = "train", classes: int = 1) -> Any:
    config = DataConfig(dataset=name, root=str(root), image_size=(64, 64), frames_per_clip=DATASETS[name].length)
    return build_dataset(config, split, classes)


def test_a_missing_mask_names_the_file(tmp_path: Path) -> None:
    make.make_ms3(tmp_path, ONE_EACH, size=64)
    mask = next((tmp_path / "Multi-sources/ms3_data/gt_masks/train").rglob("*_3.png"))
    mask.unlink()
    with pytest.raises(InputError) as caught:
        opened(tmp_path, "ms3")[0]
    one_line(caught, mask, "no such file", "evaluate --check")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a....", None])
def test_an_unreadable_frame_names_the_file(content: bytes | None, tmp_path: Path) -> None:
    make.make_ms3(tmp_path, ONE_EACH, size=64)
    frame = next((tmp_path / "Multi-sources/ms3_data/visual_frames").rglob("train*_2.png"))
    frame.write_bytes(frame.read_bytes()[:-600] if content is None else content)
    with pytest.raises(InputError) as caught:
        opened(tmp_path, "ms3")[0]
    one_line(caught, frame, "cannot be read as a picture")


def test_grey_labels_where_colours_are_due_are_refused(tmp_path: Path) -> None:
    make.make_avss(tmp_path, {"train": 1})
    label = next((tmp_path / "AVSS").rglob("labels_rgb/0.png"))
    Image.fromarray(np.full((240, 320), 12, np.uint8)).save(label)
    with pytest.raises(InputError) as caught:
        opened(tmp_path, "avss", classes=71)[0]
    one_line(caught, label, "is a grey picture", "colours")


def test_unknown_colours_are_said_and_become_background(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make.make_avss(tmp_path, {"train": 1})
    label = next((tmp_path / "AVSS").rglob("labels_rgb/0.png"))
    Image.fromarray(np.full((240, 320, 3), 77, np.uint8)).save(label)
    sample = opened(tmp_path, "avss", classes=71)[0]
    assert not sample.labels[0].any()
    assert f"{label}: 100.00 % of the pixels have no class's colour" in caplog.text


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"background": 0}'])
def test_damaged_class_names_are_one_clear_line(content: str, tmp_path: Path) -> None:
    make.make_avss(tmp_path, {"train": 1})
    path = tmp_path / "AVSS" / "label2idx.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        opened(tmp_path, "avss", classes=71)
    one_line(caught, path, "download it again")


@pytest.fixture
def published_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small data sets of these tests have the published number of clips."""
    for name in ("s4", "ms3", "avss"):
        monkeypatch.setattr(type(DATASETS[name]), "published", {"train": 3, "val": 1, "test": 1})


def checked(root: Path, name: str) -> CheckReport:
    return DATASETS[name].check(root)


SMALL = {"train": 3, "val": 1, "test": 1}


@pytest.mark.usefixtures("published_counts")
def test_whole_data_sets_have_nothing_missing_or_odd(tmp_path: Path) -> None:
    make.make_s4(tmp_path, SMALL, size=64)
    make.make_ms3(tmp_path, SMALL, size=64)
    make.make_avss(tmp_path, SMALL)
    for name in ("s4", "ms3", "avss"):
        report = checked(tmp_path, name)
        assert report.problems == []
        assert report.fine
        assert report.counts == SMALL
    assert checked(tmp_path, "avss").facts == {"unknown_colour_share": 0.0}


def test_the_number_of_clips_is_held_against_the_published_one(tmp_path: Path) -> None:
    make.make_ms3(tmp_path, SMALL, size=64)
    report = checked(tmp_path, "ms3")
    assert [(problem.where, problem.what) for problem in report.problems] == [
        ("train", "has 3 clips, the published data set 296"),
        ("val", "has 1 clips, the published data set 64"),
        ("test", "has 1 clips, the published data set 64"),
    ]


@pytest.mark.usefixtures("published_counts")
def test_the_check_finds_everything_that_was_broken_in_s4(tmp_path: Path) -> None:
    root = make.make_s4(tmp_path, SMALL, size=64)
    data = root / "s4_data"
    frames = sorted((data / "visual_frames/train").rglob("*.png"))
    frames[0].unlink()
    frames[1].write_bytes(b"broken")
    masks = sorted((data / "gt_masks/test").rglob("*.png"))
    masks[0].unlink()
    masks[1].write_bytes(b"broken")
    Image.open(masks[2]).convert("RGB").save(masks[2])
    Image.fromarray(np.asarray(Image.open(masks[3])) // 255).save(masks[3])
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(masks[4])
    val_mask = next((data / "gt_masks/val").rglob("*_1.png"))
    Image.open(val_mask).resize((32, 32), Image.Resampling.NEAREST).save(val_mask)
    pickles = sorted((data / "audio_log_mel/train").rglob("*.pkl"))
    pickles[0].write_bytes(pickle.dumps(Runs(os.system, f"touch {tmp_path / 'was_run'}")))
    wavs = {path.stem: path for path in (data / "audio_wav/train").rglob("*.wav")}
    others = [path for stem, path in sorted(wavs.items()) if stem != pickles[0].stem]
    make.write_wav(others[0], np.zeros(4 * 16000))
    others[1].write_bytes(b"broken")
    next((data / "audio_wav/val").rglob("*.wav")).unlink()
    next((data / "audio_log_mel/val").rglob("*.pkl")).unlink()
    report = checked(tmp_path, "s4")
    assert dict(report.totals) == {
        "missing frame": 1,
        "unreadable frame": 1,
        "missing mask": 1,
        "unreadable mask": 1,
        "mask mode": 1,
        "mask values": 1,
        "empty mask": 1,
        "mask size": 1,
        "damaged log-mel": 1,
        "short sound": 1,
        "unreadable sound": 1,
        "missing sound": 1,
    }
    found = {problem.kind: problem for problem in report.problems}
    assert found["missing mask"].where == str(masks[0])
    assert "mode RGB where palette (P) or grey (L) is due" in found["mask mode"].what
    assert found["short sound"].what == "lasts 4.00 s and gives 4 log-mel examples, 5 frames need 5"
    assert found["mask size"].what == "is 32x32, its frame 64x64"
    assert not (tmp_path / "was_run").exists()


@pytest.mark.usefixtures("published_counts")
def test_the_check_finds_clips_in_two_splits(tmp_path: Path) -> None:
    root = make.make_ms3(tmp_path, SMALL, size=64)
    table = root / "ms3_meta_data.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join([*rows[:-1], rows[1].replace("train", "test", 1).replace(",train", ",test")]))
    frames = root / "ms3_data" / "visual_frames"
    first, second = rows[1].split(",")[0], rows[4].split(",")[0]
    (frames / second / f"{second}.mp4_1.png").write_bytes((frames / first / f"{first}.mp4_1.png").read_bytes())
    rows[-1] = f"{first},test"
    table.write_text("\n".join(rows))
    report = checked(tmp_path, "ms3")
    kinds = {problem.kind: problem for problem in report.problems}
    assert kinds["duplicate clip"].where == first
    assert kinds["duplicate clip"].what == "is in train and in test"
    assert kinds["same content"].what == f"equals {first} of train: the splits are not apart"


def test_the_check_reports_a_corrupt_table_instead_of_failing(tmp_path: Path) -> None:
    (tmp_path / "ms3_meta_data.csv").write_text("video_id,split\nabc\n")
    report = checked(tmp_path, "ms3")
    assert [problem.kind for problem in report.problems] == ["damaged table"]
    assert "line 2 has 1 values" in report.problems[0].what


@pytest.mark.usefixtures("published_counts")
def test_the_check_gives_the_share_of_unknown_colours(tmp_path: Path) -> None:
    make.make_avss(tmp_path, SMALL)
    label = next((tmp_path / "AVSS/v2").rglob("labels_rgb/0.png"))
    picture = np.array(Image.open(label))
    picture[:120] = (1, 2, 3)
    Image.fromarray(picture).save(label)
    report = checked(tmp_path, "avss")
    assert dict(report.totals) == {"unknown colours": 1}
    assert report.problems[0].what == "50.00% of the pixels have no class's colour (background)"
    pictures = 1 + 5 + 10 + 5 + 5  # v1s, v1m and v2 in training; v1s in val and test
    assert report.facts["unknown_colour_share"] == pytest.approx(0.5 / pictures)


def test_a_check_can_be_watched_and_stopped(tmp_path: Path) -> None:
    make.make_ms3(tmp_path, SMALL, size=32)
    seen: list[Progress] = []
    DATASETS["ms3"].check(tmp_path, progress=seen.append)
    assert seen == [Progress("check", done, 5) for done in (1, 2, 3, 4, 5)]
    with pytest.raises(Cancelled):
        DATASETS["ms3"].check(tmp_path, cancel=lambda: len(seen) > 0)


def test_a_check_keeps_a_bounded_list_but_counts_all() -> None:
    report = CheckReport("t", "r")
    for number in range(1000):
        report.add("missing mask", number, "no such file")
    assert len(report.problems) == 200
    assert report.to_dict()["totals"] == {"missing mask": 1000}


@pytest.mark.parametrize("kind", ["EPS", "GIF", "PPM", "PDF"])
def test_a_picture_of_another_kind_is_refused_whatever_its_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given, **named: started.append(given))
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path, format=kind)
    with pytest.raises(InputError) as caught:
        read_image(path)
    one_line(caught, path, "cannot be read as a picture")
    assert started == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF"])
def test_usual_pictures_are_read_whatever_their_name(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 6), "white").save(tmp_path / "a.png", format=kind)
    assert read_image(tmp_path / "a.png").size == (8, 6)
