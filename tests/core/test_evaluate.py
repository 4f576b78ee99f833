"""`evaluate` from the model to the written tables, with a model that knows the small data sets by heart."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from avseg_core import cli
from avseg_core.commands.evaluate import titles
from avseg_core.config import DataConfig, ModelConfig
from avseg_core.data.palette import AVSS_CLASSES, labels_from_colours
from avseg_core.data.registry import DATASETS, build_dataset
from avseg_core.data.sample import ClipSample
from avseg_core.data.transforms import denormalise
from avseg_core.errors import Cancelled, InputError
from avseg_core.evaluation import EvaluationReport, evaluate_model
from avseg_core.evaluation.published import TABLE_1
from avseg_core.evaluation.writing import write_results
from avseg_core.metrics import Scores
from avseg_core.models import checkpoints
from avseg_core.models.output import AVSOutput
from avseg_core.models.registry import build_model
from tests import avsbench_fixtures as make

SIZE = (64, 64)
MEL_OF_TONE = {thing.hertz: round(64 * np.log((700 + thing.hertz) / 825) / np.log(8200 / 825)) for thing in make.THINGS}


class KnowsTheThings(nn.Module):
    """Marks the pixels in the colour of each thing whose tone is heard; `spoil` > 0 shifts its masks to the right."""

    def __init__(self, num_classes: int = 1, *, spoil: int = 0, clip_length: int | None = None) -> None:
        super().__init__()
        self.config = ModelConfig(num_classes=num_classes, image_size=SIZE)
        self.audio_encoder = SimpleNamespace(front_end="vggish")
        self.clip_length = clip_length
        self.spoil = spoil
        self.frames_seen: list[int] = []

    def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
        self.frames_seen.append(len(frames))
        classes = self.config.num_classes
        logits = torch.full((len(frames), classes, *frames.shape[2:]), -8.0)
        if classes > 1:
            logits[:, 0] = 0.0
        for k in range(len(frames)):
            image = denormalise(frames[k]).astype(int)
            for thing in make.THINGS:
                band = MEL_OF_TONE[thing.hertz]
                if logmel[k, 0, :, band - 2 : band + 3].amax(1).mean() < 0:
                    continue
                near = torch.from_numpy(np.abs(image - thing.colour).sum(-1) < 90)
                logits[k, AVSS_CLASSES.index(thing.name) if classes > 1 else 0][near.roll(self.spoil, 1)] = 8.0
        return AVSOutput(logits)


def config_for(root: Path, name: str) -> DataConfig:
    return DataConfig(dataset=name, root=str(root), image_size=SIZE, frames_per_clip=DATASETS[name].length)


@pytest.fixture(scope="module")
def avsbench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("avsbench")
    make.make_s4(root, {"train": 2, "test": 3}, size=64)
    make.make_ms3(root, {"test": 5}, size=64)
    make.make_avss(root, {"test": 3}, width=80, height=64)
    return root


def measured(root: Path, name: str, *, split: str = "test", model: KnowsTheThings | None = None, **options: Any) -> Any:
    classes = 71 if name == "avss" else 1
    dataset = build_dataset(config_for(root, name), split, classes)
    return evaluate_model(model or KnowsTheThings(classes), dataset, name="knows", **options)


def by_title(report: EvaluationReport) -> dict[str, Scores]:
    return {scores.title: scores for scores in report.scores}


def test_a_model_that_is_right_scores_high_under_every_protocol(avsbench: Path) -> None:
    for name, frames in (("s4", 15), ("ms3", 25), ("avss", 20)):
        report = measured(avsbench, name)
        assert report.frames == frames
        assert report.clips == {"s4": 3, "ms3": 5, "avss": 3}[name]
        assert report.image_size == SIZE
        titles = ["avsbench, batches of 4", "avsbench, batches of 2", "frame", "dataset"]
        assert list(by_title(report)) == (["avsbench", "frame", "dataset"] if name == "avss" else titles)
        for scores in report.scores:
            if name == "avss" and scores.protocol == "avsbench":
                assert scores.values["miou"] < 5 / 71  # 67 classes never occur and count as 0
            else:
                assert scores.values["miou"] > 0.9, (name, scores)
                assert scores.values["fscore"] > 0.9, (name, scores)
        assert report.miou == report.scores[0].values["miou"]


def test_a_worse_model_scores_lower(avsbench: Path) -> None:
    good, bad = measured(avsbench, "s4"), measured(avsbench, "s4", model=KnowsTheThings(spoil=6))
    for title, scores in by_title(good).items():
        assert by_title(bad)[title].values["miou"] < scores.values["miou"] - 0.2


def test_results_do_not_depend_on_how_many_clips_go_through_at_once(avsbench: Path) -> None:
    one, five = (measured(avsbench, "ms3", clips_per_forward=count) for count in (1, 5))
    assert [scores.values for scores in one.scores] == [scores.values for scores in five.scores]


def test_training_split_of_s4_counts_its_first_frames_only(avsbench: Path) -> None:
    model = KnowsTheThings()
    report = measured(avsbench, "s4", split="train", model=model)
    assert report.frames == 2
    assert sum(model.frames_seen) == 2  # frames that nobody annotated are not computed
    assert report.miou > 0.9


def test_padding_is_not_computed_unless_the_model_takes_whole_clips(avsbench: Path) -> None:
    single, whole = KnowsTheThings(71), KnowsTheThings(71, clip_length=10)
    reports = [measured(avsbench, "avss", model=model) for model in (single, whole)]
    assert sum(single.frames_seen) == 20
    assert sum(whole.frames_seen) == 30
    assert [scores.values for scores in reports[0].scores] == [scores.values for scores in reports[1].scores]


def test_a_model_with_other_clips_is_refused(avsbench: Path) -> None:
    with pytest.raises(InputError, match="takes clips of 5 frames, the data set has 10 per clip"):
        measured(avsbench, "avss", model=KnowsTheThings(71, clip_length=5))


def test_training_mode_is_restored(avsbench: Path) -> None:
    model = KnowsTheThings().train()
    measured(avsbench, "s4", model=model)
    assert model.training
    measured(avsbench, "s4", model=model.eval())
    assert not model.training


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_file_is_one_line_also_from_a_worker_process(workers: int, tmp_path: Path) -> None:
    make.make_ms3(tmp_path, {"test": 1}, size=64)
    mask = next(tmp_path.rglob("gt_masks/test/*/*_3.png"))
    mask.write_bytes(b"broken")
    dataset = build_dataset(replace(config_for(tmp_path, "ms3"), workers=workers), "test", 1)
    with pytest.raises(InputError) as caught:
        evaluate_model(KnowsTheThings(), dataset)
    assert str(caught.value).startswith(f"{mask}: cannot be read as a picture (")
    assert "\n" not in str(caught.value)


def test_evaluation_leaves_the_random_numbers_of_training_alone(avsbench: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    measured(avsbench, "s4")
    assert torch.equal(torch.rand(3), expected)


def test_values_that_are_not_finite_are_said(avsbench: Path) -> None:
    class Broken(KnowsTheThings):
        def forward(self, frames: Tensor, logmel: Tensor, is_frame: Tensor | None = None) -> AVSOutput:
            return AVSOutput(torch.full((len(frames), 1, *SIZE), torch.nan))

    report = measured(avsbench, "s4", model=Broken())
    assert "In 15 frames the model answered values that are not finite numbers." in report.notes
    assert report.miou == 0.0


def test_progress_and_cancel(avsbench: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    measured(avsbench, "s4", progress=lambda progress: seen.append((progress.done, progress.total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        measured(avsbench, "s4", cancel=lambda: True)


def test_examples_are_the_worst_and_the_best_frames_of_different_clips(avsbench: Path) -> None:
    report = measured(avsbench, "ms3", model=KnowsTheThings(spoil=3), examples=3)
    worst, best = [example.iou for example in report.worst], [example.iou for example in report.best]
    assert worst == sorted(worst)
    assert best == sorted(best, reverse=True)
    assert len({example.clip_id for example in report.worst}) == len(worst) == len(best) == 3
    assert worst[0] < best[0]
    assert all(example.truth.any() for example in report.best)
    example = report.worst[0]
    dataset = build_dataset(config_for(avsbench, "ms3"), "test", 1)
    index = next(k for k in range(len(dataset)) if dataset.clip_id(k) == example.clip_id)
    sample: ClipSample = dataset[index]
    np.testing.assert_array_equal(example.truth, sample.labels[example.frame].numpy())
    np.testing.assert_array_equal(example.image, denormalise(sample.frames[example.frame]))
    union = (example.truth | example.prediction).sum()
    if example.truth.any():
        assert example.iou == pytest.approx((example.truth & example.prediction).sum() / union, abs=1e-5)


def test_clip_iou_is_the_mean_over_the_clip(avsbench: Path) -> None:
    report = measured(avsbench, "ms3", protocols=["frame"])
    assert len(report.clip_iou) == 5
    assert np.mean(list(report.clip_iou.values())) == pytest.approx(report.miou)


def test_predictions_are_saved_as_published(avsbench: Path, tmp_path: Path) -> None:
    measured(avsbench, "s4", save_to=tmp_path / "s4")
    clip = build_dataset(config_for(avsbench, "s4"), "test", 1)
    saved = sorted(path.relative_to(tmp_path / "s4").as_posix() for path in (tmp_path / "s4").rglob("*.png"))
    assert saved == sorted(f"{clip.clip_id(k)}/test_00000{k}_{frame}.png" for k in range(3) for frame in range(5))
    mask = Image.open(tmp_path / "s4" / f"{clip.clip_id(0)}/test_000000_0.png")
    assert mask.mode == "L"
    assert set(np.unique(np.asarray(mask))) == {0, 255}
    truth = clip[0].labels[0].numpy() > 0
    on = np.asarray(mask) > 0
    assert (on & truth).sum() / (on | truth).sum() > 0.9
    measured(avsbench, "avss", save_to=tmp_path / "avss")
    folder = tmp_path / "avss" / "test_000000_0_5000"
    assert sorted(path.name for path in folder.iterdir()) == [f"test_000000_0_5000_{k}.png" for k in range(10)]
    labels, unknown = labels_from_colours(np.asarray(Image.open(folder / "test_000000_0_5000_0.png")))
    assert labels.shape == (240, 360)
    assert unknown == 0.0
    assert len(np.unique(labels)) == 2
    assert not np.asarray(Image.open(folder / "test_000000_0_5000_7.png")).any()  # padding


def read_results(folder: Path) -> tuple[str, dict[str, Any], str]:
    return (
        (folder / "results.md").read_text(),
        json.loads((folder / "results.json").read_text()),
        (folder / "report.html").read_text(),
    )


def markdown_tables(text: str) -> dict[str, list[list[str]]]:
    """Heading -> rows of cells, the header first."""
    found = {}
    for part in text.split("\n## ")[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        found[part.splitlines()[0]] = [line.strip("| ").split(" | ") for line in lines if not line.startswith("|---")]
    return found


def test_written_tables_hold_one_protocol_each(avsbench: Path, tmp_path: Path) -> None:
    reports = [
        measured(avsbench, "ms3"),
        replace(measured(avsbench, "ms3", model=KnowsTheThings(spoil=4)), model="worse"),
    ]
    write_results(reports, "ms3", tmp_path, published=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "results.json", "results.md"]
    text, data, _ = read_results(tmp_path)
    tables = markdown_tables(text)
    assert list(tables) == ["avsbench, batches of 4", "avsbench, batches of 2", "frame", "dataset"]
    assert tables["avsbench, batches of 4"][0] == ["Model", "px", "mIoU", "F (batches of 4 clips)", "Source"]
    assert tables["avsbench, batches of 2"][0] == ["Model", "px", "mIoU", "F (batches of 2 clips)"]
    published = [row for row in tables["avsbench, batches of 4"] if row[-1] not in ("Source", "this evaluation")]
    assert len(published) == 10  # AOT has no result on MS3
    assert ["AVSegFormer-PVTv2 (PVTv2)", "224x224", "58.36", "69.3", "AVSegFormer paper"] in published
    assert [row[0] for row in tables["frame"][1:]] == ["knows", "worse"]
    for number, title in enumerate(tables):
        ours = [row for row in tables[title][1:] if row[0] in ("knows", "worse")]
        for row, evaluation in zip(ours, data["evaluations"], strict=True):
            assert row[1] == "64x64"
            assert row[2] == f"{100 * evaluation['scores'][number]['values']['miou']:.2f}"
    assert data["published"]["rows"][0] == {
        "method": "LVS",
        "backbone": "ResNet-50",
        "reference": "CVPR 2021",
        "fscore": 33.0,
        "miou": 29.45,
    }
    assert "5 clips instead of the published 64" in text


def test_published_rows_never_stand_beside_another_batch_size(avsbench: Path, tmp_path: Path) -> None:
    report = measured(avsbench, "s4", batch_sizes=[2], protocols=["avsbench"])
    write_results([report], "s4", tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert list(tables) == ["avsbench, batches of 2", "avsbench, published only"]
    assert len(tables["avsbench, batches of 2"]) == 2
    assert len(tables["avsbench, published only"]) == 11


@pytest.mark.parametrize(("name", "split"), [("avss", "test"), ("s4", "train")])
def test_published_rows_never_stand_beside_other_masks_or_another_split(
    name: str, split: str, avsbench: Path, tmp_path: Path
) -> None:
    dataset = build_dataset(config_for(avsbench, name), split, 1)
    report = evaluate_model(KnowsTheThings(), dataset, name="knows", batch_sizes=[4], protocols=["avsbench"])
    write_results([report], name, tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert list(tables) == ["avsbench, batches of 4", "avsbench, published only"]
    assert [row[0] for row in tables["avsbench, batches of 4"]] == ["Model", "knows"]


def test_avss_has_a_table_of_classes_and_five_published_rows(avsbench: Path, tmp_path: Path) -> None:
    write_results([measured(avsbench, "avss")], "avss", tmp_path, published=True)
    tables = markdown_tables(read_results(tmp_path)[0])
    assert tables["avsbench"][0] == [
        "Model",
        "px",
        "mIoU",
        "F",
        "mIoU without background",
        "F without background",
        "Source",
    ]
    assert [row[0] for row in tables["avsbench"][1:-1]] == [
        "3DC (ResNet-34)",
        "AOT (Swin-B)",
        "AVSBench-R50 (ResNet-50)",
        "AVSegFormer-R50 (ResNet-50)",
        "AVSBench-PVTv2 (PVTv2)",
        "AVSegFormer-PVTv2 (PVTv2)",
    ]
    classes = tables["knows: classes, avsbench"]
    assert len(classes) == 72
    assert {row[0] for row in classes[1:] if row[3] != "0"} == {"background", "dog", "guitar", "helicopter"}


def test_table_1_is_complete() -> None:
    assert len(TABLE_1) == 11
    pairs = [pair for row in TABLE_1 for pair in (row.s4, row.ms3, row.avss) if pair]
    assert len(pairs) == 26
    assert sum(pair[0] for pair in pairs) == pytest.approx(1516.1)
    assert sum(pair[1] for pair in pairs) == pytest.approx(1235.44)


def test_the_page_stands_alone_and_shows_pictures(avsbench: Path, tmp_path: Path) -> None:
    report = measured(avsbench, "s4", model=KnowsTheThings(spoil=4), examples=2)
    hostile = replace(report, worst=(replace(report.worst[0], clip_id="<script>alert(1)</script>"), report.worst[1]))
    write_results([hostile], "s4", tmp_path)
    page = read_results(tmp_path)[2]
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="(picture|truth|prediction)"', page)
    assert [name for _, name in pictures] == ["picture", "truth", "prediction"] * 4
    images = [cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), 1) for code, _ in pictures]
    assert all(image.shape == (64, 64, 3) for image in images)
    for plain, *masks in zip(images[::3], images[1::3], images[2::3], strict=True):
        for mask in masks:  # tinted orange where something is marked (OpenCV's order is blue, green, red)
            changed = np.abs(mask.astype(int) - plain).sum(-1) > 60
            assert 0.01 < changed.mean() < 0.3
            assert mask[changed][:, 2].mean() > mask[changed][:, 0].mean() + 20
            assert (mask[changed].min(-1) > 200).any()  # the white outline


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
