"""The optional runtime: it answers as PyTorch, is made once, and only files that were checked are opened."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avseg_core.config import InferenceConfig
from avseg_core.errors import InputError
from avseg_core.inference import onnx_runtime, runtime
from avseg_core.inference.onnx_files import DECIDE, RECORD, SEE, onnx_folder, read_record
from avseg_core.inference.onnx_runtime import OnnxModel, build_onnx, keep_times, load_onnx
from avseg_core.inference.runtime import hash_weights, make_ready
from avseg_core.models.onnx_export import random_inputs
from avseg_core.models.registry import build_model
from tests.onnx_fixtures import shallow_config
from tests.segment_fixtures import ToneModel

CPU = torch.device("cpu")
CONFIG = shallow_config()
WANTED = InferenceConfig(device="cpu", threads=1, runtime="onnx")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVSEG_MODELS", str(tmp_path / "models"))
    return tmp_path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[torch.nn.Module, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVSEG_MODELS", str(tmp_path_factory.mktemp("onnx") / "models"))
        torch.manual_seed(0)
        model = build_model(CONFIG).eval()
        weights_hash = hash_weights(model)
        build_onnx(model, weights_hash)
        yield model, weights_hash


@pytest.mark.timeout(1800)
def test_both_halves_answer_as_pytorch_for_any_number_of_frames(built: tuple[torch.nn.Module, str]) -> None:
    model, weights_hash = built
    made = load_onnx(model, weights_hash, 1)
    assert made is not None
    frames, logmel = random_inputs(model, 5, seed=9)
    with torch.inference_mode():
        expected, visual = model(frames, logmel), model.encode_visual(frames)
        answer, seen = made(frames, logmel), made.encode_visual(frames)
        later = made.segment_embedding(visual, made.embed_audio(logmel))  # what was seen elsewhere fits, too
    for one, other in zip(seen, visual, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
    for output in (answer, later):
        torch.testing.assert_close(output.logits, expected.logits, rtol=0, atol=1e-3)
        torch.testing.assert_close(output.mask_feature, expected.mask_feature, rtol=0, atol=1e-3)
        torch.testing.assert_close(output.mixer_weights, expected.mixer_weights, rtol=0, atol=1e-4)
    assert [path.name for path in onnx_folder(weights_hash).parent.iterdir()] == [weights_hash[:40]]


@pytest.mark.timeout(1800)
def test_what_was_heard_among_other_seconds_is_used(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(1)
    model = build_model(replace(CONFIG, audio_encoder="yamnet", label_prior=True, label_presence=True)).eval()
    weights_hash = hash_weights(model)
    build_onnx(model, weights_hash)
    made = load_onnx(model, weights_hash, 1)
    assert made is not None
    frames, logmel = random_inputs(model, 3, seed=4)
    with torch.inference_mode():
        visual, embedding = model.encode_visual(frames), model.embed_audio(logmel)
        among = torch.rand(3, 1001)
        told, alone = (made.segment_embedding(visual, embedding, things=things).logits for things in (among, None))
        expected = model.segment_embedding(visual, embedding, things=among).logits
    torch.testing.assert_close(told, expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(alone, model(frames, logmel).logits, rtol=0, atol=1e-3)
    assert (told - alone).abs().max() > 0.01
    assert load_onnx(build_model(CONFIG).eval(), weights_hash, 1) is None  # its files would lack "heard"
    assert "made by another version" in caplog.text


@pytest.mark.timeout(1800)
def test_the_measurement_decides_and_a_damaged_file_is_not_opened(
    built: tuple[torch.nn.Module, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, weights_hash = built
    automatic = replace(WANTED, runtime="auto")
    kinds = []
    for times in ({}, {"torch": 9.0, "onnx": 10.0}, {"torch": 10.0, "onnx": 9.0}):
        keep_times(weights_hash, times)
        kinds.append(type(make_ready(build_model(CONFIG), automatic, CPU, weights_hash)) is OnnxModel)
    assert kinds == [False, False, True]
    with (onnx_folder(weights_hash) / DECIDE).open("ab") as file:
        file.write(b"more")
    ready = make_ready(build_model(CONFIG), automatic, CPU, weights_hash)
    assert isinstance(ready, torch.nn.Module)
    assert "not those that were checked" in caplog.text


def test_files_without_a_good_record_are_none(models: Path) -> None:
    folder = onnx_folder("ab" * 32)
    assert folder == models / "onnx" / ("ab" * 20)
    assert read_record("ab" * 32) is None
    folder.mkdir(parents=True)
    for text in ("", "[]", "{}", json.dumps({"hashes": {SEE: "0"}, "difference": 0.0, "milliseconds": {}})):
        (folder / RECORD).write_text(text)
        assert read_record("ab" * 32) is None


def test_foreign_files_are_made_anew(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = onnx_folder("cd" * 32)
    folder.mkdir(parents=True)
    for name in (SEE, DECIDE):
        (folder / name).write_bytes(b"foreign")
    record = {"hashes": {SEE: "0", DECIDE: "0"}, "difference": 0.0, "milliseconds": {}}
    (folder / RECORD).write_text(json.dumps(record))
    made: list[str] = []
    monkeypatch.setattr(runtime, "build_onnx", lambda model, weights, real: made.append(weights))
    monkeypatch.setattr(onnx_runtime, "need_packages", lambda names: None)
    monkeypatch.setattr(runtime, "demo_inputs", lambda model: None)
    model = build_model(CONFIG)
    assert make_ready(model, WANTED, CPU, "cd" * 32) is model
    assert made == ["cd" * 32]


def test_what_onnxruntime_cannot_run_is_one_line(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="--runtime torch"):
        make_ready(ToneModel(), WANTED, CPU, "0")
    model = build_model(CONFIG)
    with pytest.raises(InputError, match="--device cpu"):
        make_ready(model, WANTED, torch.device("cuda"), "0")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"avseg\[onnx\]"):
        make_ready(model, WANTED, CPU, "0")
    assert make_ready(model, replace(WANTED, runtime="auto"), CPU, "0") is model
