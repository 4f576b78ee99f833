"""Every kind of bad input to `segment` ends with one clear line, the right exit code and nothing half-written."""

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from avseg_core import cli
from avseg_core.models.checkpoints import save_model
from avseg_core.models.registry import build_model
from tests.segment_fixtures import RED_BOX, ToneModel, box, scene, small_model_config, write_video


@pytest.fixture
def tone_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", lambda *_: ToneModel())


def cut(path: Path, share: float) -> Path:
    """Keeps only the first part of a file."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def header_only(path: Path) -> Path:
    """A video file with a video track and no frame."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return path


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def made_folder(path: Path) -> Path:
    path.mkdir()
    return path


BAD_VIDEOS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "text": (lambda folder: written(folder / "bad.mp4", b"these are words, no pictures\n" * 99), "not a video"),
    "empty": (lambda folder: written(folder / "bad.mp4", b""), "empty"),
    "noise": (lambda folder: written(folder / "bad.mkv", np.random.default_rng(0).bytes(50_000)), "not a video"),
    "cut before its index": (
        lambda folder: cut(write_video(folder / "bad.mp4", ("low",)), 0.6),
        "damaged or incomplete",
    ),
    "zero frames": (lambda folder: header_only(folder / "bad.mp4"), "bad.mp4"),
    "sound only": (lambda folder: sound_only(folder / "bad.wav"), "choose a video"),
    "missing": (lambda folder: folder / "bad.mp4", "check the path"),
    "folder": (lambda folder: made_folder(folder / "bad.mp4"), "is a folder"),
    "link to nowhere": (lambda folder: (folder / "bad.mp4").symlink_to("gone") or folder / "bad.mp4", "check the path"),
    "device": (lambda folder: (folder / "bad.mp4").symlink_to("/dev/zero") or folder / "bad.mp4", "ordinary file"),
}


@pytest.mark.parametrize("kind", BAD_VIDEOS)
def test_bad_videos(tone_model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    make, said = BAD_VIDEOS[kind]
    video, out = make(tmp_path), tmp_path / "out"
    assert cli.main(["segment", str(video), "--out", str(out), "--json"]) == 2
    answer = capsys.readouterr()
    line = answer.err.splitlines()[-1]
    assert line.startswith("avseg: ")
    assert video.name in line
    assert said in line
    assert json.loads(answer.out) == {"error": line.removeprefix("avseg: "), "exit_code": 2}
    assert not out.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_unreadable_video(tone_model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "secret.mp4", ("low",))
    video.chmod(0)
    assert cli.main(["segment", str(video), "--out", str(tmp_path / "out")]) == 2
    assert "check its permissions" in capsys.readouterr().err


def test_a_truncated_video_gives_what_is_there_and_says_so(
    tone_model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ("low",) * 12
    video = cut(write_video(tmp_path / "cut.mkv", plan), 0.5)
    assert cli.main(["segment", str(video), "--out", str(tmp_path), "--json"]) == 0
    answer = capsys.readouterr()
    (report,) = json.loads(answer.out)["videos"]
    assert 3 <= report["masks"] <= 9
    assert any("cut short" in note for note in report["notes"])
    assert "cut short" in answer.err


def test_a_frame_of_one_pixel(tone_model: None, tmp_path: Path) -> None:
    video = write_video(tmp_path / "dot.mkv", ("low", None), size=(1, 1), codec="ffv1", pixels="bgr0")
    assert cli.main(["segment", str(video), "--out", str(tmp_path), "--export", "png", "overlay", "coco"]) == 0
    assert Image.open(tmp_path / "dot_0.png").size == (1, 1)
    assert (tmp_path / "dot_overlay.mp4").stat().st_size > 0
    assert json.loads((tmp_path / "dot.coco.json").read_text())["images"][1]["height"] == 1


def test_an_8k_frame(tone_model: None, tmp_path: Path) -> None:
    size = (4320, 7680)
    video = write_video(tmp_path / "huge.avi", ("low",), size=size, fps=Fraction(1), codec="mjpeg", pixels="yuvj420p")
    assert cli.main(["segment", str(video), "--out", str(tmp_path), "--export", "png", "coco"]) == 0
    mask = np.asarray(Image.open(tmp_path / "huge_0.png"))
    assert mask.shape == size
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = np.array([ys[0], ys[-1] + 1, xs[0], xs[-1] + 1])
    # The model sees 96 x 128 pixels, one of which is 45 x 60 pixels of the video, and bends what it sees.
    assert np.abs(found - box(RED_BOX, *size)).max() <= 12
    assert scene(*size)[ys[0] + 9, xs[0] + 9, 0] > 200


def spoilt_model(path: Path, spoil: str) -> Path:
    torch.manual_seed(0)
    model = build_model(small_model_config())
    save_model(model, path)
    if spoil == "cut":
        cut(path, 0.5)
    elif spoil == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(10_000))
    elif spoil == "empty":
        path.write_bytes(b"")
    elif spoil == "foreign":
        save_file({"weight": torch.zeros(3)}, path)
    elif spoil == "another model":
        model.mask_head = torch.nn.Linear(2, 2)
        save_model(model, path)
    elif spoil == "checkpoint":
        path = path.with_suffix(".pth")
        torch.save(model.state_dict(), path)
    elif spoil == "missing":
        path.unlink()
    return path


@pytest.mark.parametrize("spoil", ["cut", "noise", "empty", "foreign", "another model", "checkpoint", "missing"])
def test_bad_models(tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: str) -> None:
    video = write_video(tmp_path / "clip.mp4", ("low",))
    path, out = spoilt_model(tmp_path / "bad.safetensors", spoil), tmp_path / "out"
    assert cli.main(["segment", str(video), "--model", str(path), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("avseg: ")
    assert said.err.count("\n") == 1
    assert path.name in said.err
    assert list(out.iterdir()) == []


def test_an_unknown_model_name_lists_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "clip.mp4", ("low",))
    assert cli.main(["segment", str(video), "--model", "no-such-model", "--out", str(tmp_path / "out")]) == 2
    assert "no-such-model: no such model; available: " in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0" + bytes(5000), b"my notes"])
def test_a_foreign_file_in_the_place_of_the_store_is_kept(
    tone_model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    video = write_video(tmp_path / "clip.mp4", ("low",))
    store = written(tmp_path / "clip.avseg", data)
    assert cli.main(["segment", str(video), "--out", str(tmp_path)]) == 2
    assert "clip.avseg" in capsys.readouterr().err
    assert store.read_bytes() == data
