"""S4, MS3 and AVSS as published: which file is read for what, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from avseg_core.audio.front_end import logmel
from avseg_core.config import DataConfig
from avseg_core.data.dataset import ClipDataset
from avseg_core.data.masks import read_binary_mask
from avseg_core.data.palette import AVSS_CLASSES, colours_from_labels, labels_from_colours
from avseg_core.data.registry import DATASETS, build_dataset, detect_layout, detect_layouts
from avseg_core.data.sample import collate
from avseg_core.errors import InputError
from tests import avsbench_fixtures as make

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def avsbench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("avsbench")
    make.make_s4(root, {"train": 2, "val": 1, "test": 1})
    make.make_ms3(root, {"train": 2, "val": 1, "test": 1})
    make.make_avss(root, {"train": 3, "val": 1, "test": 3})
    return root


def opened(root: Path, name: str, split: str, *, classes: int = 1, **changes: object) -> ClipDataset:
    config = DataConfig(dataset=name, root=str(root), frames_per_clip=DATASETS[name].length, **changes)  # type: ignore[arg-type]
    return build_dataset(config, split, classes)


def normalised(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    image = Image.open(path).convert("RGB")
    pixels = np.asarray(image if size is None else image.resize(size, Image.Resampling.BILINEAR))
    return ((pixels / 255 - MEAN) / STD).transpose(2, 0, 1)


def test_all_three_layouts_are_found_in_a_whole_download(avsbench: Path) -> None:
    assert detect_layouts(avsbench) == ["s4", "ms3", "avss"]
    assert detect_layout(avsbench / "Multi-sources") == "ms3"
    with pytest.raises(InputError, match=r"several data sets \(s4, ms3, avss\); choose one with --dataset"):
        detect_layout(avsbench)


def test_s4_training_has_five_frames_and_one_mask(avsbench: Path) -> None:
    dataset = opened(avsbench, "s4", "train")
    assert len(dataset) == 2
    sample = dataset[1]
    category, name = sample.clip_id.split("/")
    assert name == "train000001"
    data = avsbench / "Single-source" / "s4_data"
    frames = data / "visual_frames" / "train" / category / name
    assert sample.frames.shape == (5, 3, 224, 224)
    for k in range(5):
        np.testing.assert_allclose(sample.frames[k].numpy(), normalised(frames / f"{name}_{k + 1}.png"), atol=1e-6)
    mask = np.asarray(Image.open(data / "gt_masks" / "train" / category / name / f"{name}_1.png"))
    assert set(np.unique(mask)) == {0, 255}
    np.testing.assert_array_equal(sample.labels[0].numpy(), mask > 0)
    assert not sample.labels[1:].any()
    assert sample.has_label.tolist() == [True, False, False, False, False]
    assert sample.is_frame.tolist() == [True] * 5
    assert opened(avsbench, "s4", "val")[0].has_label.tolist() == [True] * 5


def test_s4_columns_are_read_by_position(avsbench: Path, tmp_path: Path) -> None:
    table = (avsbench / "Single-source" / "s4_meta_data.csv").read_text()
    (tmp_path / "s4_data").symlink_to(avsbench / "Single-source" / "s4_data")
    (tmp_path / "s4_meta_data.csv").write_text(table.replace("name,start,category", "a,b,c"), encoding="utf-8-sig")
    assert opened(tmp_path, "s4", "train")[1].clip_id == opened(avsbench, "s4", "train")[1].clip_id


def test_sound_from_the_pickle_equals_sound_from_the_wav(avsbench: Path) -> None:
    dataset = opened(avsbench, "s4", "test")
    from_pickle = dataset[0].logmel
    pickled = next((avsbench / "Single-source/s4_data/audio_log_mel/test").rglob("*.pkl"))
    hidden = pickled.with_suffix(".hidden")
    pickled.rename(hidden)
    try:
        from_wav = dataset[0].logmel
    finally:
        hidden.rename(pickled)
    assert from_pickle.shape == (5, 1, 96, 64)
    assert not from_pickle.requires_grad
    torch.testing.assert_close(from_wav, from_pickle, atol=1e-5, rtol=0)


def test_pickled_sound_serves_the_yamnet_front_end_too(avsbench: Path) -> None:
    vggish, yamnet = opened(avsbench, "s4", "test")[0], opened(avsbench, "s4", "test", front_end="yamnet")[0]
    mel = vggish.logmel.double().exp() - 0.01
    torch.testing.assert_close(yamnet.logmel.double(), (mel.clamp(min=0) + 0.001).log(), atol=1e-4, rtol=0)


def test_at_512_pictures_are_smoothed_and_masks_are_not(avsbench: Path) -> None:
    small, large = opened(avsbench, "s4", "test")[0], opened(avsbench, "s4", "test", image_size=(512, 512))[0]
    path = next((avsbench / "Single-source/s4_data/visual_frames/test").rglob("*_3.png"))
    np.testing.assert_allclose(large.frames[2].numpy(), normalised(path, (512, 512)), atol=1e-6)
    nearest = Image.fromarray(small.labels[2].numpy().astype(np.uint8)).resize((512, 512), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(large.labels[2].numpy(), np.asarray(nearest))
    assert large.labels.unique().tolist() == [0, 1]


def test_ms3_frames_have_no_split_and_silent_frames_have_empty_masks(avsbench: Path) -> None:
    dataset = opened(avsbench, "ms3", "train")
    sample = dataset[0]
    folder = avsbench / "Multi-sources" / "ms3_data" / "visual_frames" / sample.clip_id
    np.testing.assert_allclose(sample.frames[4].numpy(), normalised(folder / f"{sample.clip_id}.mp4_5.png"), atol=1e-6)
    assert sample.has_label.all()
    assert sample.labels.flatten(1).any(1).tolist() == [True, True, True, False, True]


def test_avss_pads_clips_of_five_frames_with_zeros(avsbench: Path) -> None:
    train = opened(avsbench, "avss", "train", classes=71)
    v1s, v1m, v2 = (train[index] for index in range(3))
    assert v1s.has_label.tolist() == [True] + [False] * 9  # the released gt_flag
    assert v1m.has_label.tolist() == [True] * 5 + [False] * 5
    assert v2.has_label.tolist() == [True] * 10
    assert v1s.is_frame.tolist() == v1m.is_frame.tolist() == [True] * 5 + [False] * 5  # the released vid_flag
    assert v2.is_frame.all()
    assert not v1m.frames[5:].any()
    assert not v1m.labels[5:].any()
    assert not v1m.logmel[5:].any()  # five seconds of sound: log-mel zeros, not silence
    assert v1m.logmel[:5].flatten(1).any(1).all()
    test = opened(avsbench, "avss", "test", classes=71)
    assert test[0].has_label.tolist() == [True] * 5 + [False] * 5  # all five masks of v1s are there in test


def test_avss_classes_are_those_of_the_colours(avsbench: Path) -> None:
    dataset = opened(avsbench, "avss", "test", classes=71)
    sample = dataset[2]
    labels = avsbench / "AVSS" / "v2" / sample.clip_id / "labels_rgb" / "3.png"
    colours = {tuple(colour) for colour in np.asarray(Image.open(labels)).reshape(-1, 3).tolist()}
    expected = {
        index for index in range(71) if tuple(colours_from_labels(np.array([[index]], np.uint8))[0, 0]) in colours
    }
    assert set(sample.labels[3].unique().tolist()) == expected
    assert expected > {0}
    assert dataset.class_names == AVSS_CLASSES
    binary = opened(avsbench, "avss", "test")[2]
    assert torch.equal(binary.labels, (sample.labels > 0).long())


def test_avss_training_keeps_the_aspect_and_testing_does_not(avsbench: Path) -> None:
    train, test = opened(avsbench, "avss", "train", classes=71), opened(avsbench, "avss", "test", classes=71)
    path = avsbench / "AVSS/v2" / train.clip_id(2) / "frames/0.jpg"
    width, left = int(320 * 224 / 240), round((int(320 * 224 / 240) - 224) / 2)
    whole = Image.open(path).convert("RGB").resize((width, 224), Image.Resampling.BILINEAR)
    cropped = np.asarray(whole)[:, left : left + 224]
    np.testing.assert_allclose(train[2].frames[0].numpy(), ((cropped / 255 - MEAN) / STD).transpose(2, 0, 1), atol=1e-6)
    path = avsbench / "AVSS/v2" / test.clip_id(2) / "frames/0.jpg"
    np.testing.assert_allclose(test[2].frames[0].numpy(), normalised(path, (224, 224)), atol=1e-6)


def test_class_names_follow_the_order_of_label2idx_not_its_numbers(avsbench: Path) -> None:
    path = avsbench / "AVSS" / "label2idx.json"
    before = path.read_text()
    path.write_text(json.dumps({name: index + 1 for name, index in json.loads(before).items()}))
    try:
        assert opened(avsbench, "avss", "test", classes=71).class_names == AVSS_CLASSES
    finally:
        path.write_text(before)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "I;16"])
def test_a_mask_reads_the_same_in_every_mode(mode: str, tmp_path: Path) -> None:
    truth = np.zeros((8, 8), np.uint8)
    truth[2:5, 1:7] = 1
    if mode == "P":
        image = Image.fromarray(truth)
        image.putpalette([0, 0, 0, 255, 255, 255])
    elif mode == "I;16":
        image = Image.fromarray(truth.astype(np.uint16) * 65535)
    else:
        image = Image.fromarray(truth * np.uint8(255)).convert(mode)
    assert image.mode == mode
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_binary_mask(tmp_path / "mask.png"), truth)


def test_palette_is_the_published_one_and_unknown_colours_are_counted() -> None:
    first = colours_from_labels(np.arange(9, dtype=np.uint8)[None])[0].tolist()
    assert first == [
        *([0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]),
        *([128, 0, 128], [0, 128, 128], [128, 128, 128], [64, 0, 0]),
    ]
    every = np.arange(71, dtype=np.uint8).reshape(1, 71)
    labels, unknown = labels_from_colours(colours_from_labels(every))
    np.testing.assert_array_equal(labels, every)
    assert unknown == 0.0
    image = colours_from_labels(np.full((2, 2), 12, np.uint8))
    image[0, 0] = (1, 0, 0)  # near black, near nothing
    image[0, 1] = colours_from_labels(np.array([[71]], np.uint8))[0, 0]  # the first colour behind the last class
    labels, unknown = labels_from_colours(image)
    assert labels.tolist() == [[0, 0], [12, 12]]
    assert unknown == 0.5


def test_a_batch_is_its_clips_one_after_the_other(avsbench: Path) -> None:
    dataset = opened(avsbench, "ms3", "train")
    batch = collate([dataset[0], dataset[1]])
    assert batch.clip_ids == (dataset.clip_id(0), dataset.clip_id(1))
    assert len(batch) == 2
    assert batch.frames_per_clip == 5
    assert batch.frames.shape == (10, 3, 224, 224)
    assert torch.equal(batch.labels[5:], dataset[1].labels)
    assert torch.equal(batch.logmel[5:], dataset[1].logmel)
    assert batch.to("cpu").has_label.all()
    second = batch.clip(1)
    assert second.clip_ids == (dataset.clip_id(1),)
    assert torch.equal(second.frames, dataset[1].frames)
    assert torch.equal(second.labels, dataset[1].labels)


def test_predictions_are_named_as_published(avsbench: Path) -> None:
    s4 = opened(avsbench, "s4", "test")
    assert s4.prediction_name(0, 4) == f"{s4.clip_id(0)}/test_000000_4.png"
    assert opened(avsbench, "ms3", "test").prediction_name(0, 0) == "test_000000_0/test_000000_0_0.png"
    avss = opened(avsbench, "avss", "test", classes=71)
    assert avss.prediction_name(2, 9) == "test_000002_0_10000/test_000002_0_10000_9.png"


def test_what_does_not_fit_is_said(avsbench: Path, tmp_path: Path) -> None:
    config = DataConfig(dataset="avss", root=str(avsbench), frames_per_clip=5)
    with pytest.raises(InputError, match="has 10 frames per clip; set frames_per_clip to 10"):
        build_dataset(config, "train", 71)
    with pytest.raises(InputError, match="needs a model with num_classes 1, not 71"):
        opened(avsbench, "s4", "train", classes=71)
    with pytest.raises(InputError, match=r"holds no ms3_meta_data\.csv"):
        opened(tmp_path, "ms3", "train")
    with pytest.raises(InputError, match="Unknown split 'all'"):
        opened(avsbench, "s4", "all")
    with pytest.raises(InputError, match="no such folder"):
        detect_layout(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no known data set"):
        detect_layout(tmp_path)


def test_sound_shorter_than_the_clip_repeats_its_last_second(avsbench: Path, tmp_path: Path) -> None:
    make.make_ms3(tmp_path, {"test": 1}, size=64, pickles=False)
    wav = next(tmp_path.rglob("*.wav"))
    sound = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * 16000) / 16000)
    make.write_wav(wav, sound)
    sample = opened(tmp_path, "ms3", "test", image_size=(64, 64))[0]
    expected = logmel(make.int16(sound) / 32768, "vggish")
    assert len(expected) == 4
    np.testing.assert_allclose(sample.logmel[:4, 0].numpy(), expected, atol=1e-5)
    assert torch.equal(sample.logmel[4], sample.logmel[3])
