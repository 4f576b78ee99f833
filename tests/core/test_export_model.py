"""`export-model`: the ONNX file answers as PyTorch does, or there is none."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from avseg_core.cli import main
from avseg_core.config import ModelConfig
from avseg_core.models import checkpoints, onnx_export
from avseg_core.models.checkpoints import load_model, save_model
from avseg_core.models.onnx_export import random_inputs
from avseg_core.models.registry import build_model
from tests.core.tiny_training import disk_full_after
from tests.onnx_fixtures import shallow_config
from tests.segment_fixtures import small_model_config


def save_small(path: Path, seed: int, config: ModelConfig | None = None) -> Path:
    torch.manual_seed(seed)
    save_model(build_model(config or shallow_config()), path)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small(tmp_path_factory.mktemp("models") / "small.safetensors", 0)


@pytest.fixture(scope="module")
def exported(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "new" / "small.onnx"
    assert main(["export-model", str(small), "--out", str(out)]) == 0
    return out


@pytest.mark.timeout(1800)
def test_the_file_answers_as_pytorch_for_any_number_of_frames(small: Path, exported: Path) -> None:
    assert [path.name for path in exported.parent.iterdir()] == ["small.onnx"]
    _check_answers(small, exported)
    kept = {item.key: item.value for item in onnx.load(exported).metadata_props}
    assert json.loads(kept["avseg_config"])["embed_dim"] == 32


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_so_does_one_with_backbone_and_audio_encoder_as_shipped(tmp_path: Path) -> None:
    model = save_small(tmp_path / "deep.safetensors", 0, small_model_config())
    assert main(["export-model", str(model), "--out", str(tmp_path / "deep.onnx")]) == 0
    _check_answers(model, tmp_path / "deep.onnx")


def _check_answers(path: Path, exported: Path) -> None:
    model = load_model(path)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    frames, logmel = random_inputs(model, 5, seed=9)
    logits, weights = session.run(None, {"frames": frames.numpy(), "logmel": logmel.numpy()})
    with torch.inference_mode():
        expected = model(frames, logmel)
    assert np.abs(logits - expected.logits.numpy()).max() < 1e-3
    assert np.abs(weights - expected.mixer_weights.numpy()).max() < 1e-4


@pytest.mark.timeout(1800)
def test_only_a_file_that_answers_as_the_model_is_kept(
    small: Path, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "_write", lambda model, path: shutil.copyfile(exported, path))
    out = tmp_path / "out" / "small.onnx"
    other = save_small(tmp_path / "other.safetensors", 1)
    assert main(["export-model", str(other), "--out", str(out)]) == 1
    assert "answers otherwise than PyTorch" in capsys.readouterr().err
    assert list(out.parent.iterdir()) == []
    assert main(["export-model", str(small), "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["checked"] == 3
    assert report["difference"] < 1e-3


@pytest.mark.parametrize(("name", "package", "words"), [("x.onnx", "onnxscript", "avseg[onnx]"), ("x.pt", "", ".onnx")])
def test_what_is_missing_is_said(
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    package: str,
    words: str,
) -> None:
    find = onnx_export.importlib.util.find_spec
    monkeypatch.setattr(onnx_export.importlib.util, "find_spec", lambda name: None if name == package else find(name))
    assert main(["export-model", str(small), "--out", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_for_a_published_file_too(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "to_released", lambda model: {"a": torch.ones(1_000_000)})
    with disk_full_after(100_000):
        assert main(["export-model", str(small), "--out", str(tmp_path / "x.pth")]) == 1
    assert "x.pth: writing failed (File too large)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.onnx", "x.pth"])
def test_a_place_that_cannot_be_written_is_said_before_the_conversion(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    converted: list[Path] = []
    monkeypatch.setattr(onnx_export, "_write", lambda model, path: converted.append(path))
    monkeypatch.setattr(checkpoints, "to_released", lambda model: {})
    (tmp_path / "file").write_text("")
    assert main(["export-model", str(small), "--out", str(tmp_path / "file" / "new" / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is a file, not a folder); choose another folder" in line
    assert converted == []


def test_what_the_exporter_does_not_simplify_is_not_told_but_its_errors_are(
    small: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("onnxscript.optimizer._constant_folding")

    def export(*_: object, **__: object) -> None:
        logger.warning("Skipping constant folding for op Split with multiple outputs.")
        logger.error("out of order")
        raise RuntimeError

    monkeypatch.setattr(torch.onnx, "export", export)
    with pytest.raises(RuntimeError):
        onnx_export._write(load_model(small), tmp_path / "x.onnx")
    assert [record.message for record in caplog.records] == ["out of order"]
    logger.warning("heard again")
    assert caplog.records[-1].message == "heard again"
