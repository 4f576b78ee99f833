"""`segment` and `export` as a user calls them: what is written, said, continued and refused."""

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

from avseg_core import cli
from avseg_core.commands.segment import name_stores
from avseg_core.errors import Cancelled, InputError
from avseg_core.media import VideoReader, probe
from avseg_core.media.windows import Window
from avseg_core.results.identity import METHOD, file_id
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore
from tests.segment_fixtures import GREEN_BOX, RED_BOX, ToneModel, box, write_video

PLAN = ("low", "high", None, "low")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", PLAN)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ToneModel:
    """What every `--model` names."""
    model = ToneModel()
    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", lambda *_: model)
    return model


def segment(*words: object) -> int:
    return cli.main(["segment", *map(str, words)])


def segment_json(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object and what was said on stderr."""
    capsys.readouterr()
    code = segment(*words, "--json")
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


def mask_box(mask: np.ndarray) -> list[int]:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [ys[0], ys[-1] + 1, xs[0], xs[-1] + 1]


def test_all_exports_of_one_video(
    clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "folder"
    code, answer, said = segment_json(capsys, clip, "--out", out, "--export", "png", "overlay", "coco")
    assert code == 0
    (video,) = answer["videos"]
    assert (video["masks"], video["continued_from"], video["notes"]) == (4, 0, [])
    assert (video["width"], video["height"], video["fps"]) == (160, 120, "10")
    assert video["real_time_factor"] > 0
    assert answer["device"] == "cpu"
    assert answer["device_reason"] in said
    assert [Path(name).name for name in video["files"]["png"]] == [*(f"clip_{k}.png" for k in range(4)), "clip.json"]
    assert video["files"]["overlay"] == [str(out / "clip_overlay.mp4")]
    names = {path.name for path in out.iterdir()}
    assert names == {
        *(f"clip_{k}.png" for k in range(4)),
        "clip.json",
        "clip.avseg",
        "clip.coco.json",
        "clip_overlay.mp4",
    }
    for index, share in enumerate((RED_BOX, GREEN_BOX, None, RED_BOX)):
        mask = np.asarray(Image.open(out / f"clip_{index}.png"))
        if share is None:
            assert mask.max() == 0
        else:
            assert np.abs(np.array(mask_box(mask)) - box(share, 120, 160)).max() <= 1
    coco = json.loads((out / "clip.coco.json").read_text())
    assert [item["image_id"] for item in coco["annotations"]] == [1, 2, 4]
    decoded = rle.decode(coco["annotations"][0]["segmentation"])
    assert np.array_equal(decoded > 0, np.asarray(Image.open(out / "clip_0.png")) > 0)
    with VideoReader(out / "clip_overlay.mp4") as overlay:
        assert len(overlay) == 40
        assert len(overlay.info.audio) == 1


def test_what_people_read(clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment(clip, "--out", tmp_path) == 0
    said = capsys.readouterr()
    assert f"{clip}: 4 masks in {tmp_path / 'clip.avseg'}" in said.out
    assert "x real time" in said.out
    assert said.err.startswith("Device: ")
    assert "clip.mp4: segment 100 %" in said.err


def test_rate_and_exact_times(clip: Path, model: ToneModel, tmp_path: Path) -> None:
    assert segment(clip, "--out", tmp_path, "--rate", "2.5") == 0
    masks = json.loads((tmp_path / "clip.json").read_text())["masks"]
    assert [mask["time"] for mask in masks] == pytest.approx([0.2 + 0.4 * k for k in range(10)])
    assert segment(clip, "--out", tmp_path, "--at", "3.5", "0.25", "1.5") == 0
    masks = json.loads((tmp_path / "clip.json").read_text())["masks"]
    assert [(mask["index"], mask["time"]) for mask in masks] == [(0, 3.5), (1, 0.25), (2, 1.5)]
    assert [mask["area"] > 0 for mask in masks] == [True, True, True]
    boxes = [mask_box(np.asarray(Image.open(tmp_path / f"clip_{k}.png"))) for k in range(3)]
    assert boxes[0] == boxes[1] != boxes[2]
    assert len(list(tmp_path.glob("*.png"))) == 3  # those of the first run are gone


def test_the_threshold_is_applied_on_export(clip: Path, model: ToneModel, tmp_path: Path) -> None:
    assert segment(clip, "--out", tmp_path, "--threshold", "0.05") == 0
    wide = np.count_nonzero(np.asarray(Image.open(tmp_path / "clip_0.png")))
    model.batches.clear()
    assert segment(clip, "--out", tmp_path, "--threshold", "0.95") == 0
    assert np.count_nonzero(np.asarray(Image.open(tmp_path / "clip_0.png"))) < wide
    assert model.batches == []  # the probabilities were kept


def test_classes_give_palette_masks(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", lambda *_: ToneModel(num_classes=71))
    code, _, _ = segment_json(capsys, clip, "--out", tmp_path, "--export", "png", "coco")
    assert code == 0
    assert np.unique(np.asarray(Image.open(tmp_path / "clip_1.png"))).tolist() == [0, 2]
    coco = json.loads((tmp_path / "clip.coco.json").read_text())
    assert coco["categories"][1]["name"] == "airplane"
    assert [item["category_id"] for item in coco["annotations"]] == [1, 2, 1]


def test_an_interrupted_run_is_continued(
    model: ToneModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", (*PLAN, "high", "low", None, "high", "low"))
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert segment(clip, "--out", whole) == 0
    add = MaskStore.add

    def stop_after_one_batch(store: MaskStore, *results: WindowResult) -> None:
        add(store, *results)
        raise Cancelled("Interrupted.")

    with monkeypatch.context() as patch:
        patch.setattr(MaskStore, "add", stop_after_one_batch)
        assert segment(clip, "--out", out, "--device", "cpu") == 130
    assert [path.name for path in out.iterdir()] == ["clip.avseg"]
    model.batches.clear()
    code, answer, said = segment_json(capsys, clip, "--out", out, "--device", "cpu")
    assert code == 0
    assert answer["videos"][0]["continued_from"] == 1
    assert "continued a run that had 1 of its masks" in said
    assert model.batches == [1] * 8  # on a CPU frame by frame
    for index in range(9):
        assert (out / f"clip_{index}.png").read_bytes() == (whole / f"clip_{index}.png").read_bytes()


def test_other_settings_or_another_model_start_over(
    clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segment(clip, "--out", tmp_path) == 0
    assert segment_json(capsys, clip, "--out", tmp_path, "--rate", "2")[1]["videos"][0]["continued_from"] == 0
    assert segment_json(capsys, clip, "--out", tmp_path, "--rate", "2")[1]["videos"][0]["continued_from"] == 8
    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", lambda *_: ToneModel(size=(64, 64)))
    assert segment_json(capsys, clip, "--out", tmp_path, "--rate", "2")[1]["videos"][0]["continued_from"] == 0


def test_an_edited_video_starts_over_and_another_video_is_not_overwritten(
    model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", ("low",))
    out = tmp_path / "out"
    assert segment(clip, "--out", out) == 0
    write_video(clip, ("high", "low"))
    assert segment_json(capsys, clip, "--out", out)[1]["videos"][0]["continued_from"] == 0
    (tmp_path / "b").mkdir()
    other = write_video(tmp_path / "b" / "clip.mp4", ("low", "low", "low"))
    before = (out / "clip.avseg").read_bytes()
    for reused in (0, 3):
        (video,) = segment_json(capsys, other, "--out", out)[1]["videos"]
        assert (Path(video["store"]).name, video["continued_from"]) == ("clip-2.avseg", reused)
    assert (out / "clip.avseg").read_bytes() == before


def test_a_moved_video_is_known_again_and_drawn_from_where_it_is(
    model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", ("high", "low"))
    out = tmp_path / "out"
    assert segment(clip, "--out", out) == 0
    (tmp_path / "b").mkdir()
    moved = clip.rename(tmp_path / "b" / "clip.mp4")
    code, answer, _ = segment_json(capsys, moved, "--out", out, "--export", "overlay")
    assert (code, answer["videos"][0]["continued_from"]) == (0, 2)
    assert probe(out / "clip_overlay.mp4").has_video


def test_masks_of_an_earlier_method_are_made_anew(
    model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_video(tmp_path / "clip.mp4", ("high", "low"))
    with monkeypatch.context() as earlier:
        earlier.setattr("avseg_core.inference.run.METHOD", METHOD - 1)
        assert segment(clip, "--out", tmp_path) == 0
    for reused in (0, 2):
        assert segment_json(capsys, clip, "--out", tmp_path)[1]["videos"][0]["continued_from"] == reused


def test_videos_of_one_name_do_not_overwrite_each_other(
    model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, plan in (("a", ("low",)), ("b", ("high", "low"))):
        (tmp_path / folder).mkdir()
        write_video(tmp_path / folder / "clip.mp4", plan)
    videos = [tmp_path / "a" / "clip.mp4", tmp_path / "b" / "clip.mp4"]
    out = tmp_path / "out"
    code, answer, _ = segment_json(capsys, *videos, "--out", out)
    assert code == 0
    assert [Path(video["store"]).name for video in answer["videos"]] == ["clip.avseg", "clip-2.avseg"]
    assert {path.name for path in out.glob("*.png")} == {"clip_0.png", "clip-2_0.png", "clip-2_1.png"}


@pytest.mark.parametrize("name", ["overlay", "png", "coco"])
def test_exports_of_another_video_are_not_overwritten(
    model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Such as the window makes, which keeps the masks elsewhere."""
    for folder, plan in (("a", ("low",)), ("b", ("high", "low"))):
        (tmp_path / folder).mkdir()
        write_video(tmp_path / folder / "clip.mp4", plan)
    out = tmp_path / "out"
    assert segment(tmp_path / "a" / "clip.mp4", "--out", out, "--export", name) == 0
    store = (out / "clip.avseg").rename(tmp_path / "kept.avseg")
    before = {path: path.read_bytes() for path in out.iterdir()}
    _, answer, _ = segment_json(capsys, tmp_path / "b" / "clip.mp4", "--out", out, "--export", name)
    assert Path(answer["videos"][0]["store"]).name == "clip-2.avseg"
    assert {path: path.read_bytes() for path in before} == before
    moved = (tmp_path / "a" / "clip.mp4").rename(tmp_path / "clip.mp4")
    assert list(name_stores([moved], out).values()) == [out / "clip.avseg"]
    store.rename(out / "clip.avseg")
    assert list(name_stores([moved], out).values()) == [out / "clip.avseg"]


def test_recorded_masks_are_not_replaced(model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_video(tmp_path / "live_1.mp4", ("low", "high"))
    with MaskStore.create(tmp_path / "live_1.avseg", live_header(clip)) as recorded:
        recorded.add(WindowResult(Window(0, 0.0, 0.9, 0.9), 0.9, np.full((4, 4), 9, np.uint8)))
    before = (tmp_path / "live_1.avseg").read_bytes()
    for reused in (0, 2):
        _, answer, _ = segment_json(capsys, clip, "--out", tmp_path)
        (video,) = answer["videos"]
        assert (Path(video["store"]).name, video["continued_from"]) == ("live_1-2.avseg", reused)
    assert (tmp_path / "live_1.avseg").read_bytes() == before
    assert {path.name for path in tmp_path.glob("*.png")} == {"live_1-2_0.png", "live_1-2_1.png"}


def live_header(video: Path) -> RunHeader:
    """Of masks that were made while `video` was recorded."""
    return RunHeader(
        video=str(video),
        video_id=file_id(video),
        duration=2.0,
        width=160,
        height=120,
        fps=Fraction(10),
        model="scene",
        model_hash="0" * 64,
        settings={"live": "ending", "av_offset": 0.0},
        planned=1,
    )


def test_names_never_clash(tmp_path: Path) -> None:
    videos = [Path("a/x.mp4"), Path("b/x.mov"), Path("X.avi"), Path("c/x-2.mp4"), Path("a/x.mp4")]
    names = [path.name for path in name_stores(videos, tmp_path).values()]
    assert names == ["x.avseg", "x-3.avseg", "X-4.avseg", "x-2.avseg"]
    with pytest.raises(InputError, match="would be overwritten"):
        name_stores([tmp_path / "x.mp4", tmp_path / "x_overlay.mp4"], tmp_path)


def test_one_bad_video_does_not_stop_the_others(
    clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video")
    code, answer, said = segment_json(capsys, bad, clip, "--out", tmp_path / "out")
    assert code == 2
    assert "bad.mp4" in answer["videos"][0]["error"]
    assert answer["videos"][0]["exit_code"] == 2
    assert answer["videos"][1]["masks"] == 4
    assert said.count("bad.mp4") == 1
    assert segment(bad, "--out", tmp_path / "none") == 2
    assert not (tmp_path / "none").exists()


def test_a_video_without_sound_says_so(model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = write_video(tmp_path / "silent.mp4", ("low", "low"), sound=False)
    code, answer, said = segment_json(capsys, silent, "--out", tmp_path, "--export", "png", "overlay")
    assert code == 0
    note = "The video has no sound track: it was segmented on silence."
    assert answer["videos"][0]["notes"] == [note]
    assert note in said
    listed = json.loads((tmp_path / "silent.json").read_text())
    assert listed["notes"] == [note]
    assert [mask["area"] for mask in listed["masks"]] == [0.0, 0.0]
    with VideoReader(tmp_path / "silent_overlay.mp4") as overlay:
        assert overlay.info.audio == ()


def test_export_again_without_the_model(
    clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segment(clip, "--out", tmp_path / "a", "--export", "coco") == 0

    def no_model(*_: object) -> None:
        raise AssertionError("export must not load a model")

    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", no_model)
    capsys.readouterr()
    words = ["export", str(tmp_path / "a" / "clip.avseg"), "--out", str(tmp_path / "b")]
    assert cli.main([*words, "--export", "png", "overlay", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["stores"]
    assert [len(paths) for paths in answer["files"].values()] == [5, 1]
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "clip.json",
        *(f"clip_{k}.png" for k in range(4)),
        "clip_overlay.mp4",
    ]
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(clip.read_bytes())
    assert cli.main([*words, "--export", "overlay", "--video", str(moved)]) == 0
    assert cli.main([*words, "--export", "overlay", "--video", str(tmp_path / "gone.mp4")]) == 2
    assert "--video" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--rate", "9999"], "--rate"),
        (["--threshold", "1.5"], "--threshold"),
        (["--at", "nan"], "--at"),
        (["--at", "-1"], "not a time"),
        (["--at", "99"], "after its end"),
        (["--at", "1", "--rate", "2"], "not allowed with"),
        (["--export", "gif"], "coco, overlay, png"),
        (["--device", "toaster"], "--device"),
        (["--device", "cuda"], "--device cuda"),
    ],
)
def test_wrong_options_are_one_line(
    clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert segment(clip, "--out", tmp_path / "out", *words) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    line = answer.err.splitlines()[-1]
    assert said in line
    assert line.startswith("avseg: ")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_an_unwritable_folder(clip: Path, model: ToneModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("a file")
    for out in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / "file" / "deep" / "out"):
        assert segment(clip, "--out", out) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"{out}: cannot be written ({tmp_path / 'file'} is a file, not a folder); choose another folder." in said
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        assert segment(clip, "--out", tmp_path / "locked") == 2
