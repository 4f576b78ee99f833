"""The `import-checkpoint` command on files in the published layouts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from avseg_core.cli import main
from avseg_core.models.checkpoints import load_model
from avseg_core.models.library import available_models, user_models

Write = Callable[..., Path]


@pytest.fixture
def checkpoint(tmp_path: Path, hollow_state: Callable[..., dict[str, Tensor]]) -> Write:
    """checkpoint("avsegformer_v2_s4_r50", drop=[...]): a file in that layout whose tensors are all 0.1, hence small."""

    def write(layout: str, drop: tuple[str, ...] = ()) -> Path:
        shapes = {key: tensor.shape for key, tensor in hollow_state(layout).items() if key not in drop}
        path = tmp_path / "S4 best.pth"
        torch.save({f"module.{key}": torch.tensor(0.1).expand(shape) for key, shape in shapes.items()}, path)
        return path

    return write


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for the user's models; the large files in it are removed at once."""
    folder = tmp_path / "models"
    monkeypatch.setenv("AVSEG_MODELS", str(folder))
    yield folder
    for path in folder.glob("*/*.safetensors"):
        path.unlink()


def test_import_makes_a_model_that_is_found_by_name(
    checkpoint: Write, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import-checkpoint", str(checkpoint("avsegformer_v2_s4_r50")), "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["layout"] == "AVSegFormer V2, ResNet-50, 1 class"
    assert report["dropped"] == {"second ResNet branch": 174, "mask reformer, unused since V2": 11}
    assert report["name"] == "S4_best"
    assert "S4_best" in available_models()
    assert sorted(path.name for path in (models / "S4_best").iterdir()) == [
        "config.toml",
        "manifest.json",
        "model.safetensors",
    ]
    model: Any = load_model("S4_best")
    assert model.config.query_generator == "attention"
    assert model.state_dict()["decoder.layers.3.cross_attention.kv.weight"].unique().tolist() == pytest.approx([0.1])


def test_report_for_people_and_a_folder_of_their_own(
    checkpoint: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "elsewhere"
    arguments = ["import-checkpoint", str(checkpoint("avsegformer_v1_s4_pvt")), "--out", str(out), "--name", "v1"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "AVSegFormer V1, PVTv2-B5, 1 class: " in text
    assert f"Use it with --model {out / 'v1'}" in text
    assert "Left out" not in text
    assert main(arguments) == 2
    assert "exists already; choose another --name" in capsys.readouterr().err
    (tmp_path / "file").write_text("in the way")
    assert main([*arguments[:3], str(tmp_path / "file"), *arguments[4:]]) == 2
    assert "is a file, not a folder); choose another folder" in capsys.readouterr().err
    (out / "v1" / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("layout", "drop", "options", "message"),
    [
        ("avsegformer_v2_s4_r50", ("audio_proj.bias",), (), "missing audio_proj.bias"),
        ("tpavi_s4_r50", (), (), "TPAVI's files hold no VGGish; name its weights with --audio-weights"),
        ("tpavi_s4_r50", (), ("--audio-weights", "nowhere.pth"), "nowhere.pth: no such file"),
        ("tpavi_s4_r50", (), ("--name", "../up"), "--name ../up: use letters"),
        ("avsegformer_v2_s4_r50", (), ("--name", "avsegformer-lite"), "there is a model of this name already"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(
    checkpoint: Write,
    layout: str,
    drop: tuple[str, ...],
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["import-checkpoint", str(checkpoint(layout, drop)), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not user_models().exists()


def test_tpavi_with_its_vggish(
    checkpoint: Write, tmp_path: Path, models: Path, hollow_state: Callable[..., dict[str, Tensor]]
) -> None:
    vggish = tmp_path / "vggish.pth"
    shapes = {
        k.removeprefix("vggish."): t.shape for k, t in hollow_state("avsegformer_v1_s4_r50").items() if k[0] == "v"
    }
    torch.save({key: torch.tensor(0.2).expand(shape) for key, shape in shapes.items()}, vggish)
    path = checkpoint("tpavi_s4_r50")
    assert main(["import-checkpoint", str(path), "--audio-weights", str(vggish), "--name", "tpavi"]) == 0
    model: Any = load_model("tpavi")
    assert model.clip_length == 5
    assert model.audio_encoder.features[0].weight.unique().tolist() == pytest.approx([0.2])


def test_a_file_that_is_no_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "video.mp4"
    for content in (b"\0" * 1000, b"this is no video\n" * 50):
        path.write_bytes(content)
        assert main(["import-checkpoint", str(path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("video.mp4: not a checkpoint, or damaged; get it again or name the .pth file itself.")


def test_a_folder_that_cannot_be_written(checkpoint: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "models"
    assert main(["import-checkpoint", str(checkpoint("avsegformer_v1_s4_pvt")), "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is a file, not a folder); choose another folder" in line
