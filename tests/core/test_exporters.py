"""What the exporters write is read back by others: PNG by PIL, COCO by pycocotools."""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from avseg_core.errors import AVSegError, Cancelled, InputError
from avseg_core.media.windows import Window
from avseg_core.progress import Progress
from avseg_core.results.exporters import EXPORTERS, ExportOptions
from avseg_core.results.palette import voc_palette
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import MaskStore

HEADER = RunHeader(
    video="/videos/clip.mp4",
    video_id="1f-00",
    duration=3.0,
    width=64,
    height=48,
    fps=Fraction(25),
    model="tiny",
    model_hash="ab" * 32,
    settings={"rate": 1.0},
    planned=3,
    notes=("a note",),
)


def probability(index: int) -> np.ndarray:
    """[24,32]: the left 2 * index columns at 0.8, the rest at 0."""
    mask = np.zeros((24, 32), np.uint8)
    mask[:, : 2 * index] = 204
    return mask


def result(index: int, labels: np.ndarray | None = None) -> WindowResult:
    window = Window(index, float(index), index + 1.0, index + 0.5)
    return WindowResult(window, index + 0.48, probability(index), labels, None, (("Dog", 0.75),), -20.0)


@pytest.fixture
def store(tmp_path: Path) -> MaskStore:
    with MaskStore.create(tmp_path / "clip.avseg", HEADER) as store:
        store.add(result(0), result(4), result(9))
        yield store


@pytest.fixture
def semantic(tmp_path: Path) -> MaskStore:
    labels = np.zeros((24, 32), np.uint8)
    labels[:12, :16], labels[12:, 16:] = 1, 2
    header = replace(HEADER, class_names=("background", "dog", "violin"))
    with MaskStore.create(tmp_path / "semantic.avseg", header) as store:
        store.add(result(0, np.zeros_like(labels)), result(1, labels))
        yield store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_png_masks_and_their_times(store: MaskStore, out: Path) -> None:
    files = EXPORTERS["png"](store, out, "clip", ExportOptions())
    assert [path.name for path in files] == ["clip_0.png", "clip_4.png", "clip_9.png", "clip.json"]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in files)
    for index in (0, 4, 9):
        image = Image.open(out / f"clip_{index}.png")
        assert (image.mode, image.size) == ("L", (64, 48))
        expected = np.zeros((48, 64), np.uint8)
        expected[:, : 4 * index] = 255
        assert np.array_equal(np.asarray(image), expected)
    index = json.loads((out / "clip.json").read_text())
    assert (index["video"], index["model"], index["threshold"]) == ("/videos/clip.mp4", "tiny", 0.5)
    assert index["notes"] == ["a note"]
    assert [mask["file"] for mask in index["masks"]] == ["clip_0.png", "clip_4.png", "clip_9.png"]
    assert index["masks"][1] == {
        "index": 4,
        "file": "clip_4.png",
        "time": 4.5,
        "frame_time": 4.48,
        "start": 4.0,
        "stop": 5.0,
        "area": 0.25,
        "loudness_dbfs": -20.0,
        "tags": [["Dog", 0.75]],
    }


def test_the_threshold_is_obeyed(store: MaskStore, out: Path) -> None:
    EXPORTERS["png"](store, out, "clip", ExportOptions(threshold=0.81))
    assert np.asarray(Image.open(out / "clip_9.png")).max() == 0


def test_masks_that_are_no_longer_listed_go_and_other_files_stay(store: MaskStore, tmp_path: Path, out: Path) -> None:
    EXPORTERS["png"](store, out, "clip", ExportOptions())
    for name in ("clip_7.png", "clip_x.png"):
        (out / name).write_bytes(b"mine")
    with MaskStore.create(tmp_path / "short.avseg", HEADER) as short:
        short.add(result(0))
        EXPORTERS["png"](short, out, "clip", ExportOptions())
    assert sorted(path.name for path in out.iterdir()) == ["clip.json", "clip_0.png", "clip_7.png", "clip_x.png"]


def test_a_listed_mask_elsewhere_is_not_touched(store: MaskStore, tmp_path: Path, out: Path) -> None:
    victim = tmp_path / "clip_3.png"
    victim.write_bytes(b"mine")
    (out / "clip.json").write_text(json.dumps({"masks": [{"file": "../clip_3.png"}, {"file": str(victim)}]}))
    EXPORTERS["png"](store, out, "clip", ExportOptions())
    assert victim.read_bytes() == b"mine"


def test_png_of_classes_has_the_voc_palette(semantic: MaskStore, out: Path) -> None:
    EXPORTERS["png"](semantic, out, "clip", ExportOptions())
    image = Image.open(out / "clip_1.png")
    assert (image.mode, image.size) == ("P", (64, 48))
    labels = np.asarray(image)
    assert (labels[:24, :32] == 1).all()
    assert (labels[24:, 32:] == 2).all()
    assert (labels[:24, 32:] == 0).all()
    colours = np.asarray(image.convert("RGB"))
    assert colours[0, 0].tolist() == [128, 0, 0]
    assert colours[47, 63].tolist() == [0, 128, 0]
    index = json.loads((out / "clip.json").read_text())
    assert index["classes"] == ["background", "dog", "violin"]
    assert index["threshold"] is None


def test_the_palette_is_pascal_vocs() -> None:
    known = {0: (0, 0, 0), 3: (128, 128, 0), 7: (128, 128, 128), 8: (64, 0, 0), 20: (0, 64, 128), 70: (32, 128, 128)}
    assert {index: tuple(voc_palette(256)[index].tolist()) for index in known} == known
    assert len(np.unique(voc_palette(256), axis=0)) == 256


def load_coco(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_coco_is_read_by_pycocotools(store: MaskStore, out: Path) -> None:
    (path,) = EXPORTERS["coco"](store, out, "clip", ExportOptions())
    assert path == out / "clip.coco.json"
    coco = load_coco(path)
    assert [(image["id"], image["file_name"], image["time"]) for image in coco.loadImgs(coco.getImgIds())] == [
        (1, "clip_0.png", 0.5),
        (5, "clip_4.png", 4.5),
        (10, "clip_9.png", 9.5),
    ]
    assert coco.getAnnIds(imgIds=[1]) == []
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[5]))
    expected = np.zeros((48, 64), np.uint8)
    expected[:, :16] = 1
    assert np.array_equal(coco.annToMask(annotation), expected)
    assert annotation["bbox"] == [0, 0, 16, 48]
    assert annotation["area"] == 16 * 48
    assert coco.loadCats(annotation["category_id"])[0]["name"] == "sounding object"
    assert coco.dataset["info"]["video"] == "/videos/clip.mp4"


def test_coco_of_classes_has_an_annotation_per_class(semantic: MaskStore, out: Path) -> None:
    (path,) = EXPORTERS["coco"](semantic, out, "clip", ExportOptions())
    coco = load_coco(path)
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    assert [coco.loadCats(item["category_id"])[0]["name"] for item in annotations] == ["dog", "violin"]
    assert [coco.annToMask(item).sum() for item in annotations] == [24 * 32, 24 * 32]
    assert len({item["id"] for item in annotations}) == 2


def test_an_empty_store_is_valid_too(tmp_path: Path, out: Path) -> None:
    with MaskStore.create(tmp_path / "empty.avseg", HEADER) as empty:
        EXPORTERS["png"](empty, out, "empty", ExportOptions())
        EXPORTERS["coco"](empty, out, "empty", ExportOptions())
    assert json.loads((out / "empty.json").read_text())["masks"] == []
    assert load_coco(out / "empty.coco.json").getImgIds() == []


@pytest.mark.parametrize("name", ["png", "coco"])
def test_progress_and_cancel(store: MaskStore, out: Path, name: str) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        EXPORTERS[name](store, out, "clip", ExportOptions(), seen.append, lambda: len(seen) == 2)
    assert seen == [Progress(name, 1, 3), Progress(name, 2, 3)]
    assert list(out.iterdir()) == []


def test_a_cancelled_export_leaves_the_earlier_one(store: MaskStore, out: Path) -> None:
    """With its own masks: the times in the JSON file are those of the masks beside it."""
    EXPORTERS["png"](store, out, "clip", ExportOptions())
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        EXPORTERS["png"](store, out, "clip", ExportOptions(threshold=0.99), seen.append, lambda: len(seen) == 2)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("name", ["png", "coco"])
def test_a_failing_disk_leaves_no_half_file(
    store: MaskStore, out: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("avseg_core.results.writing.os.replace", full)
    with pytest.raises(AVSegError, match="disk is full"):
        EXPORTERS[name](store, out, "clip", ExportOptions())
    assert list(out.iterdir()) == []


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="coco, overlay, png"):
        EXPORTERS["gif"]


def test_results_and_exporters_do_without_torch() -> None:
    code = "import sys, avseg_core.results.exporters, avseg_core.results.timeline; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
