"""The shipped model: it loads, is what its manifest says, follows the demo clip's sound, and is silent in silence."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import wavfile

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import window_logmel
from avseg_core.errors import InputError
from avseg_core.media import AudioReader, VideoReader
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.backbones import IMAGENET_MEAN, IMAGENET_STD
from avseg_core.models.checkpoints import available_models, load_model
from avseg_core.models.label_bridge import PERSON, THINGS, LabelPrior, bridge_matrix

NAME = "avsegformer-lite"
RESOURCES = Path(str(files("resources")))
DEMO = RESOURCES / "demo"
BUILD = Path(__file__).parents[2] / "packaging" / "default_model"


@pytest.fixture(scope="module")
def model() -> AVSegFormer:
    loaded = load_model(NAME)
    assert isinstance(loaded, AVSegFormer)
    return loaded


def probability(model: AVSegFormer, image: NDArray[np.uint8], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB [H,W,3] and one second [16000] -> [h,w] at the model's size."""
    height, width = model.config.image_size
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    frame = (torch.from_numpy(small).permute(2, 0, 1) / 255 - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(
        IMAGENET_STD
    ).view(3, 1, 1)
    with torch.no_grad():
        output = model(frame[None], torch.from_numpy(window_logmel(sound, "yamnet"))[None])
    return np.asarray(output.logits[0, 0].sigmoid())


def test_it_is_listed_small_and_complete(model: AVSegFormer) -> None:
    folder = RESOURCES / "models" / NAME
    assert NAME in available_models()
    assert (folder / "model.safetensors").stat().st_size < 45_000_000
    assert model.config.label_prior
    assert not model.training
    manifest = json.loads((folder / "manifest.json").read_text())
    assert all(row["sha256"] and row["licence"] for row in manifest["packages"])
    assert (folder / "card.md").read_text().count("{{") == 0


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / NAME
    shutil.copytree(RESOURCES / "models" / NAME, copy)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    with pytest.raises(InputError, match="damaged"):
        load_model(copy)


def test_masks_of_the_demo_clip_follow_its_sound(model: AVSegFormer) -> None:
    told = json.loads((DEMO / "demo.json").read_text())
    with VideoReader(DEMO / "demo.mp4") as video, AudioReader(DEMO / "demo.mp4") as audio:
        for second, (sounding, boxes) in enumerate(zip(told["sounding"], told["boxes"], strict=True)):
            mask = probability(model, video.frame_at(second + 0.5).image, audio.read(float(second), 1.0)) > 0.5
            inside = {name: _inside(mask, box) for name, box in boxes.items()}
            if sounding is None:
                assert mask.mean() < 0.005, f"second {second} is silent"
            else:
                other = max(share for name, share in inside.items() if name != sounding)
                assert inside[sounding] > 0.2, f"second {second}: {inside}"
                assert inside[sounding] > other, f"second {second}: {inside}"


def _inside(mask: NDArray[np.bool_], box: list[float]) -> float:
    """Share of the box that is masked."""
    height, width = mask.shape
    left, top, right, bottom = (round(part * side) for part, side in zip(box, (width, height) * 2, strict=True))
    return float(mask[top:bottom, left:right].mean())


def test_silence_shows_nothing(model: AVSegFormer) -> None:
    with VideoReader(DEMO / "demo.mp4") as video:
        image = video.frame_at(4.0).image
    assert (probability(model, image, np.zeros(16000, np.float32)) > 0.5).mean() < 0.005


def test_the_bridge_names_what_could_sound() -> None:
    bridge = bridge_matrix()
    assert bridge.shape == (len(YAMNET_CLASSES), THINGS)
    assert bridge.min() == 0.0
    assert bridge.max() == 1.0
    tabby, beagle, violin = 281, 162, 889
    dog, fiddle, speech = (bridge[YAMNET_CLASSES.index(name)] for name in ("Dog", "Violin, fiddle", "Speech"))
    assert dog[beagle] == 1.0
    assert dog[tabby] == 0.0
    assert fiddle.argmax() == violin
    assert speech.argmax() == PERSON
    assert not bridge[YAMNET_CLASSES.index("Silence")].any()


def test_things_that_fit_the_sound_are_found_where_they_are(model: AVSegFormer) -> None:
    assert model.label_prior is not None
    things = torch.zeros(1, THINGS, 2, 3)
    things[0, 162, 1, 2] = 0.9  # a beagle at the lower right
    scores = torch.zeros(1, len(YAMNET_CLASSES))
    scores[0, YAMNET_CLASSES.index("Dog")] = 0.8
    weights = model.label_prior.weigh(scores)
    maps = model.label_prior.match(things, weights)
    share, logarithm, relative, strength = maps[0]
    assert share[1, 2] == pytest.approx(0.72, abs=1e-3)
    assert share.sum() == pytest.approx(0.72, abs=1e-3)
    assert logarithm[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert logarithm.max() <= 1.0
    assert relative[1, 2] == pytest.approx(0.72 / 0.73, abs=1e-3)
    assert strength.unique().tolist() == pytest.approx([0.8])
    scores[0, YAMNET_CLASSES.index("Animal")] = 1.0  # comes with every dog, and speaks for birds a little
    robin = 15
    assert model.label_prior.weigh(scores)[0, robin] < 0.05 < 0.15 == pytest.approx(bridge_matrix()[67, robin])
    assert torch.allclose(model.label_prior.weigh(scores)[0, 162], weights[0, 162], atol=1e-3)


def test_the_build_trains_on_what_it_draws(model: AVSegFormer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes, cached maps, names, sounds and some training steps, with tiny material made here."""
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    import catalogue
    import director
    import features
    import folds
    import hearing
    import naming
    import scenes
    import soundbank
    import train

    from avseg_core.models.registry import build_model

    items, tones = _tiny_material(tmp_path, catalogue)
    material = scenes.Material(items, (), (catalogue.Item(tmp_path / "back.png", "", "b", "train"),), tmp_path)
    drawn = scenes.make_scenes(
        tmp_path / "s", scenes.SceneMaker(material, (96, 128)), ["composite", "portrait"] * 4, seed=1
    )
    assert set(np.unique(drawn.items)) == {-1, 0, 1}

    torch.manual_seed(0)
    small = build_model(replace(model.config, image_size=(96, 128), embed_dim=32, num_heads=2, ffn_dim=32))
    assert isinstance(small, AVSegFormer)
    assert small.label_prior is not None
    assert small.label_prior.presence is not None
    assert model.label_prior is not None
    small.backbone.load_state_dict(model.backbone.state_dict())
    small.audio_encoder.load_state_dict(model.audio_encoder.state_dict())
    for part in ("sounds", "presence", "hidden", "things"):
        getattr(small.label_prior, part).load_state_dict(getattr(model.label_prior, part).state_dict())
    maps = features.cache_maps(tmp_path / "s", drawn, small.backbone.eval())
    assert [level.shape[-2:] for level in maps] == [(24, 32), (12, 16), (6, 8), (3, 4)]
    assert small.detector is not None
    small.detector.load_state_dict(model.detector.state_dict())
    boxes = features.cache_boxes(tmp_path / "s", drawn, small.detector)
    assert boxes.shape == (8, 20, 84)
    part = train.View(top=1, left=2, rows=2, columns=2)  # of 3 x 4 cells
    corners = part.boxes(np.array([[0.5, 1 / 3, 1.0, 1.0, 0.7], [0.0, 0.0, 0.75, 0.5, 0.2]], np.float16), (3, 4))
    np.testing.assert_allclose(corners, [[0.0, 0.0, 1.0, 1.0, 0.7], [-1.0, -0.5, 0.5, 0.25, 0.2]], atol=2e-3)
    np.testing.assert_array_equal(features.cache_boxes(tmp_path / "s", drawn, detector=None), boxes)  # from its file
    names = naming.name_items(small.backbone, small.label_prior, drawn.things, tmp_path)
    assert names.sum(dim=1).tolist() == pytest.approx([1.0, 1.0])
    losses = list(naming.tune_names(small.label_prior, drawn, maps[3], names, steps=12, learning_rate=1e-3, batch=4))
    assert np.mean(losses[-3:]) < 0.8 * losses[0]
    bank = soundbank.load_bank(tones, small.audio_encoder)
    seconds = hearing.draw_seconds(bank, small.audio_encoder, 6, seed=0)
    heard = small.label_prior.sounds.weight.clone()
    before = {name: value.clone() for name, value in small.audio_encoder.state_dict().items()}
    hearing.tune_hearing(small.label_prior, small.audio_encoder, seconds, steps=20)
    assert not torch.equal(small.label_prior.sounds.weight, heard)
    for name, value in small.audio_encoder.state_dict().items():  # only copies of what names sounds for people change
        assert torch.equal(value, before[name]) != (name.startswith("tuned") and name.endswith("conv.weight")), name
    certainty = small.label_prior.presence.linear.weight.clone()
    embeddings = hearing.embed(small.audio_encoder, seconds.maps)
    hearing.tune_presence(small.label_prior, embeddings, seconds.labels)
    assert not torch.equal(small.label_prior.presence.linear.weight, certainty)
    assert small.label_prior.hear(embeddings).isfinite().all()
    groups = folds.folds_of(drawn.things)
    naming.unmet_names([small.label_prior] * folds.FOLDS, drawn, maps[3], groups, tmp_path / "unmet.npy")
    unmet = np.load(tmp_path / "unmet.npy")
    assert torch.allclose(torch.from_numpy(unmet[3:4]).float(), told(small.label_prior, maps[3][3:4]), atol=1e-3)
    cached = director.Cached(drawn, maps, boxes, drawn.things, names, unmet)
    table = director.SoundTable([(bank, small)], 2, seed=0)
    frozen = {name: value.clone() for name, value in small.backbone.state_dict().items()}
    options = train.TrainOptions(
        steps=30,
        log_every=10,
        validate_every=30,
        views=((1.0, 2, 1.0),),
        sounds_per_scene=2,
        warmup=5,
        learning_rate=3e-3,
    )
    averaged = train.train(small, cached, table, options, tmp_path / "run", cached)
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert [event["step"] for event in events] == [10, 20, 30]
    assert events[-1]["loss"] < 0.75 * events[0]["loss"]
    assert 0.0 <= events[-1]["iou composite"] <= 1.0
    assert all(torch.equal(value, frozen[name]) for name, value in averaged.backbone.state_dict().items())


@torch.no_grad()
def told(prior: LabelPrior, coarse: np.ndarray) -> torch.Tensor:
    return prior.locate(torch.from_numpy(coarse.astype(np.float32)))


def _tiny_material(folder: Path, catalogue: object) -> tuple[tuple[object, ...], list[object]]:
    """Two cut-outs, a background and a sound for each cut-out."""
    item = catalogue.Item  # type: ignore[attr-defined]
    cv2.imwrite(str(folder / "back.png"), np.full((100, 140, 3), 120, np.uint8))
    items, tones = [], []
    for label, color, hertz in (("thing", (0, 0, 250), 300), ("other", (250, 0, 0), 2000)):
        picture = np.zeros((60, 60, 4), np.uint8)
        cv2.circle(picture, (30, 30), 28, (*color, 255), -1)
        cv2.imwrite(str(folder / f"{label}.png"), picture)
        time = np.arange(32000) / 16000
        wavfile.write(folder / f"{label}.wav", 16000, np.sin(2 * np.pi * hertz * time).astype(np.float32))
        items.append(item(folder / f"{label}.png", label, label, "train"))
        tones.append(item(folder / f"{label}.wav", label, label, "train"))
    wavfile.write(folder / "noise.wav", 16000, np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32))
    return tuple(items), [*tones, item(folder / "noise.wav", "noise", "noise", "train")]
