"""COCO, YouTube-VIS and plain videos become a data set folder that is read like any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from avseg_core.cli import main
from avseg_core.config import DataConfig
from avseg_core.data.clip_sources import PictureSource
from avseg_core.data.coco_index import annotation_files
from avseg_core.data.coco_masks import decode, decompress
from avseg_core.data.folder_table import read_classes
from avseg_core.data.frame_export import export_frames, time_name
from avseg_core.data.import_report import ImportOptions
from avseg_core.data.importing import import_data, look
from avseg_core.data.registry import DATASETS, build_dataset, detect_layouts
from avseg_core.errors import InputError
from avseg_core.media import VideoReader, probe
from tests.avsbench_fixtures import THINGS, make_folder, write_wav
from tests.coco_fixtures import SIZE, coco, encoded, masks_of, placed, youtube_vis


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of three seconds at 10 frames per second with class masks: what the annotations are made of."""
    return make_folder(tmp_path_factory.mktemp("own"), {"train": 2}, size=SIZE, classes=True)


def test_youtube_vis_becomes_videos_with_masks_at_times(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "vis", own, "instances_train.json", youtube_vis(own))
    offer = look(source)
    assert offer is not None
    assert (offer.kind, offer.report.counts, offer.masks) == ("youtube-vis", {"train": 2}, 12)
    assert offer.report.fine
    assert sum(offer.categories.values()) == 6
    report = import_data(source, tmp_path / "set", ImportOptions(classes=True))
    assert (report.clips, report.masks, report.kept, report.problems) == (2, 12, 0, [])
    assert read_classes(tmp_path / "set") == ("background", *(thing.name for thing in THINGS))
    for clip in sorted(own.glob("train/*.mp4")):
        written = tmp_path / "set" / "train" / clip.name
        assert written.read_bytes() == clip.read_bytes()
        times = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
        names = sorted(path.name for path in written.with_suffix(".masks").iterdir())
        assert names == [f"{time:.3f}.png" for time in times]
        masks = masks_of(written)
        np.testing.assert_array_equal(masks[1::2], masks_of(clip))
        assert not np.any(masks[0::2])
    config = DataConfig(dataset="folder", root=str(tmp_path / "set"), image_size=(SIZE, SIZE), frames_per_clip=6)
    sample = build_dataset(config, "train", 4)[0]
    np.testing.assert_array_equal(sample.labels[1].numpy(), masks_of(sorted(own.glob("train/*.mp4"))[0])[0])
    assert DATASETS["folder"].check(tmp_path / "set").fine


def test_coco_with_times_becomes_the_same_masks_and_pycocotools_agrees(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    assert [path.name for path in annotation_files(source)] == ["labels.json"]
    assert detect_layouts(source) == []
    import_data(source, tmp_path / "set", ImportOptions())
    theirs = COCO(str(source / "labels.json"))
    for image in theirs.loadImgs(theirs.getImgIds()):
        expected = 255 * theirs.annToMask(theirs.loadAnns(theirs.getAnnIds(image["id"]))[0])
        stem = image["file_name"].rpartition("_")[0]
        written = tmp_path / "set" / f"{stem}.masks" / f"{image['time']:.3f}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(written)), expected)


def test_only_the_named_categories_sound(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    name = THINGS[0].name
    import_data(source, tmp_path / "set", ImportOptions(categories=(name,)))
    for clip in sorted(own.glob("train/*.mp4")):
        wanted = [np.where(mask == 1, 255, 0) for mask in masks_of(clip)]
        np.testing.assert_array_equal(masks_of(tmp_path / "set" / clip.name), wanted)
    with pytest.raises(InputError, match="no category 'piano'; there are: guitar, dog, helicopter"):
        import_data(source, tmp_path / "other", ImportOptions(categories=("piano",)))


def test_pictures_with_a_sound_become_a_video(tmp_path: Path) -> None:
    """YouTube-VIS as downloaded holds folders of pictures; the sound has to be put beside them."""
    folder = tmp_path / "vis"
    shades = [40 * k for k in range(6)]
    for k, shade in enumerate(shades):
        path = folder / "JPEGImages" / "bird" / f"{5 * k:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, SIZE, 3), shade, np.uint8)).save(path)
    mask = np.zeros((48, SIZE), bool)
    mask[8:20, 4:30] = True
    names = [f"bird/{5 * k:05d}.png" for k in range(6)]
    shapes = [None, None, encoded(mask), None, [[10, 10, 20, 10, 20, 30, 10, 30]], None]
    data = {
        "videos": [{"id": 1, "width": SIZE, "height": 48, "length": 6, "file_names": names}],
        "annotations": [{"id": 1, "video_id": 1, "category_id": 1, "segmentations": shapes}],
        "categories": [{"id": 1, "name": "bird"}],
    }
    (folder / "train.json").write_text(json.dumps(data))
    offer = look(folder)
    assert offer is not None
    assert "put bird.wav" in offer.report.problems[0].what
    with pytest.raises(InputError, match="no clip could be imported; bird: has pictures but no sound"):
        import_data(folder, tmp_path / "set", ImportOptions())
    write_wav(folder / "JPEGImages" / "bird.wav", np.sin(np.arange(3 * 16000) / 10) / 2)
    import_data(folder, tmp_path / "set", ImportOptions())
    video = tmp_path / "set" / "train" / "bird.mp4"
    assert probe(video).audio[0].duration == pytest.approx(3.0, abs=0.1)
    with VideoReader(video) as reader:
        assert reader.times.tolist() == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])  # six pictures over 3 s
        for frame, shade in zip(reader.frames(), shades, strict=True):
            assert abs(float(frame.image.mean()) - shade) < 3
    masks = masks_of(video)
    np.testing.assert_array_equal(masks[2] > 0, mask)
    assert 180 < (masks[4] > 0).sum() < 250
    assert [bool(masks[k].any()) for k in range(6)] == [False, False, True, False, True, False]


@pytest.mark.parametrize("fps", [0.0, -5.0, float("nan"), float("inf"), 1e-5])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, fps: float, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for path in paths:
        Image.new("RGB", (SIZE, 48)).save(path)
    write_wav(tmp_path / "bird.wav", np.zeros(16000))
    with pytest.raises(InputError, match=r"bird\.wav: 3 pictures .* say with --fps"):
        PictureSource(paths, tmp_path / "bird.wav", fps)
    PictureSource(paths[:1], tmp_path / "bird.wav", fps)  # a single picture has no rate
    if fps <= 0:
        assert main(["import-data", str(tmp_path), "--out", str(tmp_path / "set"), "--fps", str(fps)]) == 2
        assert "--fps" in capsys.readouterr().err


def test_single_pictures_stand_for_their_sound(tmp_path: Path) -> None:
    for name in ("dog", "cat"):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(np.full((32, 48, 3), 90, np.uint8)).save(tmp_path / "images" / f"{name}.jpg")
    write_wav(tmp_path / "images" / "dog.wav", np.zeros(2 * 16000))
    size = {"width": 48, "height": 32}
    images = [{"id": k, "file_name": f"images/{name}.jpg", **size} for k, name in ((1, "dog"), (2, "cat"))]
    shape = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 24, 0, 24, 32, 0, 32]], "iscrowd": 0}
    data = {"images": images, "annotations": [shape], "categories": [{"id": 1, "name": "animal"}]}
    (tmp_path / "coco.json").write_text(json.dumps(data))
    report = import_data(tmp_path / "coco.json", tmp_path / "set", ImportOptions())
    assert report.clips == 1
    assert [problem.where for problem in report.problems] == ["cat"]
    (mask,) = masks_of(tmp_path / "set" / "dog.mp4")
    assert [path.name for path in (tmp_path / "set" / "dog.masks").iterdir()] == ["1.000.png"]
    assert mask[:, :24].all()
    assert not mask[:, 24:].any()


def test_an_import_goes_on_where_it_stopped(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    import_data(source, tmp_path / "set", ImportOptions())
    changed = next((tmp_path / "set").glob("*_0.masks")) / "0.500.png"
    changed.write_bytes(b"corrected")
    shutil.rmtree(next((tmp_path / "set").glob("*_1.masks")))
    report = import_data(source, tmp_path / "set", ImportOptions())
    assert (report.clips, report.kept) == (1, 1)
    assert changed.read_bytes() == b"corrected"


def test_compressed_run_lengths_are_those_of_pycocotools() -> None:
    rng = np.random.default_rng(5)
    for height, width in ((1, 1), (7, 3), (40, 90)):
        for share in (0.0, 0.02, 0.5, 1.0):
            mask = rng.random((height, width)) < share
            packed = encoded(mask)
            np.testing.assert_array_equal(decode(packed, width, height), mask)
            plain = {"size": [height, width], "counts": decompress(str(packed["counts"]))}
            np.testing.assert_array_equal(decode(plain, width, height), mask)


def _picture(width: str = "4", time: str = "0") -> str:
    """The text of a COCO file with one picture."""
    image = f'{{"id": 1, "file_name": "a.png", "height": 4, "width": {width}, "time": {time}}}'
    return f'{{"images": [{image}], "annotations": [], "categories": []}}'


@pytest.mark.parametrize(
    ("segmentation", "why"),
    [
        ({"size": [4, 4], "counts": [99]}, "run lengths of 99 pixels"),
        ({"size": [4, 4], "counts": [-4, 20]}, "no numbers"),
        ({"size": [4, 4], "counts": "ooooooooooooooo"}, "damaged"),
        ({"size": [4, 4], "counts": "P"}, "end too soon"),
        ({"size": [9, 9], "counts": [81]}, "of size"),
        ({"size": None, "counts": [16]}, "of size None"),
        ({"size": 4, "counts": [16]}, "of size 4"),
        ([[0, 0, 1]], "three corners"),
        ([[0, 0, 1e9, 0, 3, 3]], "outside"),
        ([[0, 0, 10**400, 0, 3, 3]], "outside"),
        ([[0, 0, float("nan"), 0, 3, 3]], "outside"),
        ("mask", "neither"),
    ],
)
def test_forged_masks_are_refused(segmentation: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode(segmentation, 4, 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1, 2", "no valid JSON"),
        ("[]", "no COCO or YouTube-VIS file"),
        ('{"images": [], "annotations": [], "categories": []}', "no clip could be imported"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "'file_name' is missing"),
        ("[" * 100_000, "no valid JSON"),
        (_picture(width="1e999"), "no COCO or YouTube-VIS file"),
        (_picture(time="1" + 400 * "0"), "no COCO or YouTube-VIS file"),
    ],
)
def test_a_damaged_file_is_one_clear_line(
    text: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text(text)
    assert main(["import-data", str(tmp_path / "broken.json"), "--out", str(tmp_path / "set")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "broken.json" in said
    assert why in said


@pytest.mark.parametrize("size", [(-5, 64), (64, 0), (10**8, 10**8)])
def test_a_clip_of_no_possible_size_is_left_out_and_the_others_are_there(
    size: tuple[int, int], own: Path, tmp_path: Path
) -> None:
    data = youtube_vis(own)
    data["annotations"] = []  # pictures in which nothing sounds have no shape whose size could be wrong
    data["videos"][0].update(width=size[0], height=size[1])  # type: ignore[index]
    report = import_data(placed(tmp_path / "vis", own, "train.json", data), tmp_path / "set", ImportOptions())
    assert report.clips == 1
    (problem,) = report.problems
    assert problem.where == "train_0"
    assert f"a picture of {size[0]}x{size[1]}" in problem.what


def test_an_annotation_without_a_size_costs_only_its_clip(own: Path, tmp_path: Path) -> None:
    data = coco(own)
    data["annotations"][0]["segmentation"]["size"] = None  # type: ignore[index]
    report = import_data(placed(tmp_path / "coco", own, "labels.json", data), tmp_path / "set", ImportOptions())
    assert report.clips == 1
    assert [problem.where for problem in report.problems] == ["train_0"]


def test_a_video_behind_a_relative_symlink_is_there_after_the_import(own: Path, tmp_path: Path) -> None:
    source = placed(tmp_path / "coco", own, "labels.json", coco(own))
    for video in sorted((source / "videos").iterdir()):
        (source / "elsewhere").mkdir(exist_ok=True)
        video.rename(source / "elsewhere" / f"{video.stem}.original")
        video.symlink_to(Path("..", "elsewhere", f"{video.stem}.original"))
    assert import_data(source, tmp_path / "deep" / "set", ImportOptions()).clips == 2
    for clip in own.glob("train/*.mp4"):
        assert (tmp_path / "deep" / "set" / clip.name).read_bytes() == clip.read_bytes()


def test_names_in_a_file_reach_nothing_outside_its_folder(own: Path, tmp_path: Path) -> None:
    data = youtube_vis(own)
    for video in data["videos"]:  # type: ignore[attr-defined]
        video["name"] = "../../" + video["file_names"][0].partition("/")[0]
    source = placed(tmp_path / "vis", own, "train.json", data)
    with pytest.raises(InputError, match="neither a video"):
        import_data(source, tmp_path / "set", ImportOptions())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "vis"]


def test_plain_videos_get_pictures_to_annotate(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = tmp_path / "clips"
    shutil.copytree(own / "train", clips, ignore=shutil.ignore_patterns("*.masks"))
    assert main(["evaluate", "--check", str(clips)]) == 1
    said = capsys.readouterr().out
    assert "all: 2 clips" in said
    assert "import-data" in said
    assert main(["import-data", str(clips), "--out", str(tmp_path / "set"), "--frames", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["clips"], answer["pictures"]) == (2, 12)
    frames = sorted((tmp_path / "set" / "train_0.frames").iterdir())
    assert [path.name for path in frames][:3] == ["0.200.png", "0.700.png", "1.200.png"]
    masks = tmp_path / "set" / "train_0.masks"
    masks.mkdir()
    Image.fromarray(np.full((SIZE, SIZE), 255, np.uint8)).save(masks / frames[2].name)
    with VideoReader(tmp_path / "set" / "train_0.mp4") as reader:
        np.testing.assert_array_equal(np.asarray(Image.open(frames[2])), reader.frame_at(1.2).image)
    assert detect_layouts(tmp_path / "set") == ["folder"]
    report = DATASETS["folder"].check(tmp_path / "set")
    assert report.counts == {"all": 1}
    assert [(problem.kind, Path(problem.where).name) for problem in report.problems] == [
        ("missing mask", "train_1.mp4")
    ]


def test_the_name_of_a_picture_leads_back_to_its_frame(own: Path) -> None:
    """Times of 30000/1001 frames per second have no end; rounding down would name the frame before."""
    times = [1001 * k / 30000 for k in range(300)]
    for k, time in enumerate(times):
        assert times[k] <= float(time_name(time)) + 1e-6
        assert k == 299 or float(time_name(time)) < times[k + 1]
    with pytest.raises(InputError, match="positive number"):
        export_frames(own / "train" / "train_0.mp4", -1.0)
