"""Seconds of a video: read and heard once, each among its neighbours, whatever batches and lanes they come in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avseg_core.audio.front_end import window_logmel
from avseg_core.config import InferenceConfig
from avseg_core.inference.live_model import LiveModel
from avseg_core.inference.samples import read_samples
from avseg_core.inference.segmenter import Segmenter
from avseg_core.media import AudioReader
from avseg_core.media.windows import RegularWindows, regular_windows, windows_at
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.registry import build_model
from tests.segment_fixtures import small_model_config, write_video

PLAN = ("low", "high", None, "low", "high", "low")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", PLAN)


@pytest.fixture(scope="module")
def model() -> AVSegFormer:
    torch.manual_seed(0)
    config = replace(small_model_config(), audio_encoder="yamnet", label_prior=True, label_presence=True)
    made = build_model(replace(config, backbone="tf_efficientnet_lite2"))
    assert isinstance(made, AVSegFormer)
    return made.eval()


def starts(video: Path, windows: RegularWindows | list, nearby: int) -> list[tuple[float, list[float]]]:
    samples = read_samples(video, windows, size=(32, 32), front_end="yamnet", nearby=nearby)
    return [(sample.sound.start, [second.start for second in sample.nearby]) for sample in samples]


def test_whole_seconds_within_reach_come_along(video: Path) -> None:
    assert starts(video, regular_windows(3.0), 2) == [(0.0, [1, 2]), (1.0, [0, 2, 3]), (2.0, [0, 1, 3, 4])]
    assert starts(video, windows_at([3.2]), 2) == [(pytest.approx(2.7), [1, 2, 3, 4])]
    assert starts(video, regular_windows(2.0), 0) == [(0.0, []), (1.0, [])]


def test_every_second_is_what_the_track_holds_and_read_once(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counting(waveform: np.ndarray, front_end: str) -> np.ndarray:
        made.append(len(waveform))
        return window_logmel(waveform, front_end)

    monkeypatch.setattr("avseg_core.inference.samples.window_logmel", counting)
    samples = list(read_samples(video, regular_windows(6.0), size=(32, 32), front_end="yamnet", nearby=2))
    assert made == [16000] * 8  # two beyond the end
    with AudioReader(video, rate=16000) as audio:
        for second in (samples[2].sound, *samples[2].nearby):
            np.testing.assert_array_equal(second.logmel, window_logmel(audio.read(second.start, 1.0), "yamnet"))


@pytest.mark.parametrize(
    "settings", [{"batch_size": 1}, {"batch_size": 4}, {"batch_size": 4, "lanes": 2, "threads": 2}]
)
def test_batches_and_lanes_hear_what_the_whole_clip_says(
    video: Path, model: AVSegFormer, settings: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[torch.Tensor] = []
    embedded: list[int] = []
    answer, embed = model.segment_embedding, model.embed_audio

    def segment(visual: object, embedding: torch.Tensor, **others: torch.Tensor) -> object:
        told.append(torch.cat([embedding, others["things"]], dim=1))
        return answer(visual, embedding, **others)

    def embedding(logmel: torch.Tensor) -> torch.Tensor:
        embedded.append(len(logmel))
        return embed(logmel)

    monkeypatch.setattr(model, "segment_embedding", segment)
    monkeypatch.setattr(model, "embed_audio", embedding)
    segmenter = Segmenter(model, InferenceConfig(device="cpu", **settings))
    assert len(list(segmenter.segment(video, regular_windows(6.0)))) == 6
    assert sum(embedded) == 8
    with AudioReader(video, rate=16000) as audio, torch.no_grad():
        logmel = np.stack([window_logmel(audio.read(float(start), 1.0), "yamnet") for start in range(8)])
        own = embed(torch.from_numpy(logmel))
        assert model.label_prior is not None
        expected = torch.cat([own, model.label_prior.hear_clips(own[None])[0]], dim=1)[:6]
    found = torch.cat(told)
    order = torch.cdist(found, expected).argmin(dim=1)  # lanes may finish in another order
    assert sorted(order.tolist()) == list(range(6))
    torch.testing.assert_close(found, expected[order], rtol=0, atol=1e-4)


def test_live_a_second_is_heard_after_the_last_ones(model: AVSegFormer) -> None:
    live = LiveModel(Segmenter(model, InferenceConfig(device="cpu")))
    rng = np.random.default_rng(0)
    track = (0.1 * rng.normal(size=5 * 16000)).astype(np.float32)
    heard = {stop: live.hear(track[round((stop - 1) * 16000) : round(stop * 16000)], stop) for stop in (1, 2, 2.1, 3)}
    prior = model.label_prior
    assert prior is not None
    with torch.no_grad():
        past = {stop: one.embedding for stop, one in heard.items()}
        torch.testing.assert_close(heard[1].things, prior.hear(past[1]))
        for stop, others in ((2, [1]), (2.1, [1]), (3, [2, 1])):
            among = torch.stack([past[stop], *(past[other] for other in others)], dim=1)
            apart = torch.tensor([[0.0, *(stop - other for other in others)]])
            torch.testing.assert_close(heard[stop].things, prior.hear_among(among, apart))
            assert not torch.equal(heard[stop].things, prior.hear(past[stop]))
        again = live.hear(track[:16000], 1.0)
    torch.testing.assert_close(again.things, heard[1].things)  # time went back: another recording
