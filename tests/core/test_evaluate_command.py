"""The commands `evaluate` and `evaluate --check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from avseg_core import cli
from avseg_core.commands.evaluate import titles
from avseg_core.config import ModelConfig
from avseg_core.data.registry import build_dataset
from avseg_core.evaluation import evaluate_model
from avseg_core.models import checkpoints
from avseg_core.models.registry import build_model
from tests import avsbench_fixtures as make
from tests.core.knowing_model import KnowsTheThings, config_for
from tests.core.test_evaluate_tables import markdown_tables


@pytest.fixture
def knows(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], Any]:
    """Model names that `evaluate` finds: knows, knows71, worse."""

    def load(name: str, device: Any = "cpu") -> nn.Module:
        return KnowsTheThings(71 if name.endswith("71") else 1, spoil=4 if name == "worse" else 0).eval()

    monkeypatch.setattr(checkpoints, "load_model", load)
    return load


@pytest.mark.usefixtures("knows")
def test_the_command_writes_and_prints(avsbench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--model", "knows", "worse", "--data", str(avsbench / "Multi-sources"), "--out", str(tmp_path)]
    assert cli.main([*words, "--published", "--save-predictions", "--device", "cpu", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["dataset"] == "ms3"
    assert [evaluation["model"] for evaluation in out["evaluations"]] == ["knows", "worse"]
    assert out["files"] == [str(tmp_path / name) for name in ("results.md", "results.json", "report.html")]
    assert len(list((tmp_path / "pred_masks" / "worse").rglob("*.png"))) == 25
    assert (
        cli.main(["evaluate", "--model", "knows", "--data", str(avsbench), "--dataset", "s4", "--protocol", "frame"])
        == 0
    )
    text = capsys.readouterr().out
    assert "AVSBench S4, test: 3 clips, 15 annotated frames" in text
    assert list(markdown_tables(text)) == ["frame"]


def test_a_saved_model_is_measured_by_its_path(
    avsbench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ModelConfig(
        backbone="tf_efficientnet_lite2",
        audio_encoder="yamnet",
        image_size=(64, 64),
        embed_dim=32,
        num_heads=2,
        encoder_layers=1,
        decoder_layers=1,
        query_generator_layers=1,
        ffn_dim=32,
        num_queries=4,
        mask_head="light",
    )
    torch.manual_seed(0)
    model = build_model(config)
    checkpoints.save_model(model, tmp_path / "tiny.safetensors", {})
    words = [
        "--model",
        str(tmp_path / "tiny.safetensors"),
        "--data",
        str(avsbench / "Multi-sources"),
        "--device",
        "cpu",
    ]
    assert cli.main(["evaluate", *words, "--json"]) == 0
    (evaluation,) = json.loads(capsys.readouterr().out)["evaluations"]
    dataset = build_dataset(replace(config_for(avsbench, "ms3"), front_end="yamnet"), "test", 1)
    expected = evaluate_model(model.eval(), dataset)  # type: ignore[arg-type]
    assert evaluation["model"] == "tiny"
    assert evaluation["frames"] == 25
    for row, scores in zip(evaluation["scores"], expected.scores, strict=True):
        assert row["values"] == pytest.approx(scores.values, abs=1e-4)


def test_models_of_two_runs_have_rows_and_folders_of_their_own(
    avsbench: Path, tmp_path: Path, knows: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert titles(["a/model.safetensors", "b/model.safetensors", "lite", "lite"]) == {
        "a/model.safetensors": "a",
        "b/model.safetensors": "b",
        "lite": "lite",
    }
    given = ["x/best.safetensors", "y/best.safetensors"]
    assert titles(given) == {name: name for name in given}
    words = ["evaluate", "--model", *given, "--data", str(avsbench / "Multi-sources"), "--device", "cpu"]
    assert cli.main([*words, "--out", str(tmp_path), "--save-predictions", "--protocol", "frame", "--json"]) == 0
    assert [row["model"] for row in json.loads(capsys.readouterr().out)["evaluations"]] == given
    folders = [folder.name for folder in (tmp_path / "pred_masks").iterdir()]
    assert sorted(folders) == ["x_best.safetensors", "y_best.safetensors"]


@pytest.mark.usefixtures("knows")
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--model", "knows"], "--model needs --data DIR"),
        (["--model", "knows", "--data", "{root}"], "several data sets (s4, ms3, avss); choose one with --dataset"),
        (["--model", "knows", "--data", "{root}/nowhere"], "no such folder"),
        (["--model", "knows", "--data", "{root}", "--dataset", "s4", "--batch-size", "0"], "at least one clip"),
        (["--model", "knows71", "--data", "{root}", "--dataset", "s4"], "needs a model with num_classes 1, not 71"),
        (["--model", "knows", "--data", "{root}", "--dataset", "s4", "--save-predictions"], "needs --out DIR"),
        (
            ["--model", "knows", "--data", "{root}", "--dataset", "s4", "--split", "val"],
            "names no clip of the split 'val'",
        ),
        (["--model", "knows", "--check", "{root}"], "not allowed with argument"),
        ([], "one of the arguments --model --check is required"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(
    words: list[str], what: str, avsbench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [word.format(root=avsbench) for word in words]
    assert cli.main(["evaluate", *filled]) == 2
    error = capsys.readouterr().err.strip()
    assert what in error
    assert error.count("\n") == 0


def test_check_command_says_what_is_missing_and_answers_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make.make_folder(tmp_path, {"train": 1, "val": 1})
    assert cli.main(["evaluate", "--check", str(root)]) == 0
    assert "Nothing is missing or odd." in capsys.readouterr().out
    mask = root / "train/train_0.masks/0.500.png"
    mask.write_bytes(b"broken")
    assert cli.main(["evaluate", "--check", str(root)]) == 1
    text = capsys.readouterr().out
    assert "unreadable mask: 1" in text
    assert text.count(str(mask)) == 1
    assert cli.main(["evaluate", "--check", str(root), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["fine"] is False
    assert report["datasets"]["folder"]["totals"] == {"unreadable mask": 1}


def test_check_command_looks_at_all_layouts_of_a_download(avsbench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--check", str(avsbench), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)["datasets"]
    assert {name: found["totals"] for name, found in report.items()} == {
        "s4": {"clip count": 3},
        "ms3": {"clip count": 3},
        "avss": {"clip count": 3},
    }
    assert cli.main(["evaluate", "--check", str(avsbench.parent / "nowhere")]) == 2
