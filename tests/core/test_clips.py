"""Clips of a data set: heard as a video is, by models that hear seconds among others."""

from dataclasses import replace

import pytest
import torch

from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.clips import answer_clips
from avseg_core.models.registry import build_model
from tests.segment_fixtures import small_model_config


def built(**parts: object) -> AVSegFormer:
    torch.manual_seed(0)
    model = build_model(replace(small_model_config(), audio_encoder="yamnet", **parts))
    assert isinstance(model, AVSegFormer)
    return model.eval()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    config = small_model_config()
    frames = torch.rand(6, 3, *config.image_size, generator=generator)
    return frames, 2 * torch.rand(6, 1, 96, 64, generator=generator) - 3


@torch.no_grad()
def test_a_model_that_names_sounds_hears_each_clip_by_itself(inputs: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (frames, logmel) = built(label_prior=True, label_presence=True), inputs
    prior = model.label_prior
    assert prior is not None
    torch.nn.init.normal_(prior.sounds.weight, std=0.3)  # so that the seconds differ
    embedding = model.embed_audio(logmel)
    things = torch.cat([prior.hear_clips(part[None])[0] for part in embedding.split(3)])
    assert (things - prior.hear(embedding)).abs().max() > 0.01
    is_frame = torch.tensor([True] * 5 + [False])
    expected = model.segment_embedding(model.encode_visual(frames), embedding, is_frame, things).logits
    found = answer_clips(model, frames, logmel, 3, is_frame=is_frame).logits
    torch.testing.assert_close(found, expected)
    assert not found[5].any()
    chosen = torch.tensor([True, False, True, False, True, False])
    torch.testing.assert_close(
        answer_clips(model, frames, logmel, 3, chosen=chosen).logits, expected[chosen], rtol=0, atol=1e-5
    )


@torch.no_grad()
def test_any_other_model_answers_frame_by_frame(inputs: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (frames, logmel) = built(), inputs
    torch.testing.assert_close(answer_clips(model, frames, logmel, 3).logits, model(frames, logmel).logits)
    chosen = torch.tensor([False, True] * 3)
    found = answer_clips(model, frames, logmel, 3, chosen=chosen).logits
    torch.testing.assert_close(found, model(frames, logmel).logits[chosen], rtol=0, atol=1e-5)
