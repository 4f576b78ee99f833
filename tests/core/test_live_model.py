"""The model taken apart for live use answers as the segmenter does."""

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch

from avseg_core.config import InferenceConfig
from avseg_core.inference.live_config import HEARD_SAMPLES
from avseg_core.inference.live_model import LiveModel
from avseg_core.inference.segmenter import Segmenter
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.registry import build_model
from tests.segment_fixtures import ToneModel, scene, small_model_config, tones


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)


@pytest.fixture
def waveform() -> np.ndarray:
    return (0.2 * np.random.default_rng(1).normal(size=16000)).astype(np.float32)


@pytest.mark.parametrize("parts", [{}, {"audio_encoder": "yamnet-tuned", "label_prior": True, "label_presence": True}])
def test_a_real_model_answers_the_same(image: np.ndarray, waveform: np.ndarray, parts: dict[str, object]) -> None:
    torch.manual_seed(5)
    config = replace(small_model_config(), **parts)
    segmenter = Segmenter(build_model(config), InferenceConfig(device="cpu", threads=1, refine=False), name="small")
    expected = segmenter.segment_one(image, waveform)
    live = LiveModel(segmenter)
    heard = live.hear(waveform[:HEARD_SAMPLES], 1.0)
    decided = live.decide(live.see(image), heard)
    np.testing.assert_allclose(decided.probability.astype(int), expected.probability.astype(int), atol=1)
    assert decided.mixer_weights is not None
    np.testing.assert_allclose(decided.mixer_weights, expected.mixer_weights, atol=1e-4)
    assert [name for name, _ in heard.tags] == [name for name, _ in expected.tags]
    assert heard.loudness == pytest.approx(expected.loudness, abs=0.1)


@pytest.mark.parametrize("clip_length", [None, 5])
@pytest.mark.parametrize("num_classes", [1, 3])
def test_models_of_any_kind_can_be_used(clip_length: int | None, num_classes: int) -> None:
    model = ToneModel(clip_length=clip_length, num_classes=num_classes)
    segmenter = Segmenter(model, InferenceConfig(device="cpu", threads=1, refine=False), name="tone")
    picture, sound = scene(96, 128), tones(("low",))[:16000]
    expected = segmenter.segment_one(picture, sound)
    live = LiveModel(segmenter)
    decided = live.decide(live.see(picture), live.hear(sound[:HEARD_SAMPLES], 1.0))
    np.testing.assert_array_equal(decided.probability, expected.probability)
    assert decided.probability.max() > 200
    if num_classes > 1:
        np.testing.assert_array_equal(decided.labels, expected.labels)


NAMES = dict.fromkeys(("label_prior", "label_grouping", "label_kinship", "label_detector"), True)


def test_the_detector_looks_at_every_third_picture() -> None:
    torch.manual_seed(0)
    config = replace(small_model_config(), backbone="tf_efficientnet_lite2", audio_encoder="yamnet", **NAMES)
    model = build_model(config)
    assert isinstance(model, AVSegFormer)
    live = LiveModel(Segmenter(model, InferenceConfig(device="cpu")))
    pictures = np.random.default_rng(1).integers(0, 255, (5, 60, 80, 3), np.uint8)
    assert model.detector is not None
    with mock.patch.object(model.detector, "forward", wraps=model.detector.forward) as look:
        seen = [live.see(picture).boxes for picture in pictures]
    assert look.call_count == 2
    assert [torch.equal(boxes, seen[0]) for boxes in seen] == [True, True, True, False, False]
    assert torch.equal(seen[4], seen[3])
