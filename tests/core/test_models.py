"""AVSegFormer and TPAVI away from the published values: the contract, every switch, and what each box must do."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.attention import MultiHeadAttention
from avseg_core.models.audio_encoders import TunedYAMNet, VGGish, YAMNet, per_distinct
from avseg_core.models.backbones import BACKBONES
from avseg_core.models.mixer import MIXERS
from avseg_core.models.output import AVSModel, AVSOutput, cat_visual, slice_visual
from avseg_core.models.registry import available, build_model
from avseg_core.presets import lite_model_config, model_preset

SMALL = ModelConfig(
    backbone="mobilenetv3_small_050",
    audio_encoder="yamnet",
    image_size=(64, 96),
    embed_dim=32,
    num_heads=4,
    encoder_layers=1,
    decoder_layers=2,
    ffn_dim=32,
    num_queries=6,
    query_generator_layers=1,
    mask_mlp_dim=16,
)
ABLATIONS: dict[str, dict[str, Any]] = {
    "one query": {"num_queries": 1},
    "300 queries": {"num_queries": 300},
    "no learnable queries": {"learnable_queries": False},
    "repeat": {"query_generator": "repeat"},
    "generator without self-attention": {"query_generator": "attention-no-self"},
    "no mixer": {"mixer": "none"},
    "cra": {"mixer": "cra"},
    "cha as printed": {"mixer": "cha-paper"},
    "head as printed": {"mask_head": "paper"},
    "light head": {"mask_head": "light"},
    "qr": {"reformer": "qr"},
    "qr raw": {"reformer": "qr", "reformer_attention": "raw"},
    "ar": {"reformer": "ar"},
    "ar raw": {"reformer": "ar", "reformer_attention": "raw"},
    "many classes": {"num_classes": 5, "reformer": "qr"},
    "tpavi": {"architecture": "tpavi", "clip_length": 2},
}


def small(**changes: Any) -> nn.Module:
    torch.manual_seed(0)
    return build_model(dataclasses.replace(SMALL, **changes))


def inputs(count: int = 2, *, height: int = 64, width: int = 96) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count)
    return torch.randn(count, 3, height, width, generator=generator), torch.randn(count, 1, 96, 64, generator=generator)


def answer(model: nn.Module, frames: Tensor, logmel: Tensor) -> AVSOutput:
    with torch.no_grad():
        return cast(AVSOutput, model.eval()(frames, logmel))


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_switch_answers_the_contract_and_trains(name: str) -> None:
    changes = ABLATIONS[name]
    model = small(**changes).train()
    frames, logmel = inputs()
    target = torch.zeros(2, 64, 96)
    target[:, 16:48, 24:72] = 1
    classes = changes.get("num_classes", 1)

    def loss(output: AVSOutput) -> Tensor:
        outputs = [output.logits, *output.intermediate_logits]
        return torch.stack(
            [nn.functional.binary_cross_entropy_with_logits(logits[:, -1], target) for logits in outputs]
        ).sum()

    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    first = loss(model(frames, logmel))
    for _ in range(8):
        optimizer.zero_grad()
        output = model(frames, logmel)
        loss(output).backward()
        optimizer.step()
    assert output.logits.shape == (2, classes, 64, 96)
    reformed = "reformer" in changes
    assert [logits.shape for logits in output.intermediate_logits] == [(2, classes, 64, 96)] * (2 if reformed else 0)
    assert loss(model(frames, logmel)).item() < 0.9 * first.item()


@pytest.mark.parametrize("name", ["no mixer", "qr", "ar raw", "head as printed", "many classes"])
def test_every_trainable_weight_receives_a_gradient(name: str) -> None:
    model = small(**{"dropout": 0.0, **ABLATIONS[name]}).train()
    for key, parameter in model.named_parameters():
        if key.endswith(("sampling_offsets.weight", "attention_weights.weight")):
            nn.init.normal_(parameter, std=0.01)  # zero at the start, where they hide what they look at
    output = model(*inputs())
    outputs = [output.logits, *output.intermediate_logits]
    torch.stack([(logits * torch.randn_like(logits)).sum() for logits in outputs]).sum().backward()
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad and not key.startswith("backbone.")}
    without = [key for key, p in trained.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@pytest.mark.parametrize("architecture", ["avsegformer", "tpavi"])
def test_model_is_exactly_segment_after_encode_visual(architecture: str) -> None:
    model = cast(Any, small(architecture=architecture, clip_length=2).eval())
    frames, logmel = inputs(4)
    with torch.no_grad():
        whole = model(frames, logmel)
        split = model.segment(model.encode_visual(frames), logmel)
        embedded = model.segment_embedding(model.encode_visual(frames), model.embed_audio(logmel))
    assert torch.equal(whole.logits, split.logits)
    assert torch.equal(whole.logits, embedded.logits)


def test_frames_of_avsegformer_are_independent_and_can_be_sliced_and_joined() -> None:
    model = cast(Any, small().eval())
    frames, logmel = inputs(3)
    assert model.clip_length is None
    with torch.no_grad():
        together = model(frames, logmel)
        visual = model.encode_visual(frames)
        pieces = [slice_visual(visual, slice(i, i + 1)) for i in (2, 0, 1)]
        swapped = model.segment(cat_visual(pieces), logmel[[2, 0, 1]])
        alone = model.segment(pieces[0], logmel[2:])
    assert together.mask_feature.shape == (3, 32, 16, 24)
    assert together.mixer_weights.shape == (3, 32)
    torch.testing.assert_close(swapped.logits, together.logits[[2, 0, 1]], rtol=0, atol=1e-5)
    torch.testing.assert_close(alone.logits, together.logits[2:], rtol=0, atol=1e-5)


def test_another_sound_gives_another_mask_from_the_same_visual_features() -> None:
    model = cast(Any, small().eval())
    frames, logmel = inputs(2)
    with torch.no_grad():
        visual = slice_visual(model.encode_visual(frames), slice(0, 1))
        one, other = (model.segment(visual, logmel[i : i + 1]).logits for i in (0, 1))
    assert (one - other).abs().max() > 1e-4


def test_other_sizes_than_the_configured_one_work() -> None:
    output = answer(small(), *inputs(1, height=96, width=32))
    assert output.logits.shape == (1, 1, 96, 32)


def test_intermediate_masks_in_evaluation_only_on_request() -> None:
    model = cast(Any, small(reformer="qr").eval())
    frames, logmel = inputs(1)
    plain = answer(model, frames, logmel)
    model.return_intermediate = True
    asked = answer(model, frames, logmel)
    assert (len(plain.intermediate_logits), len(asked.intermediate_logits)) == (0, 2)
    torch.testing.assert_close(plain.logits, asked.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("architecture", ["avsegformer", "tpavi"])
def test_padded_frames_are_zero(architecture: str) -> None:
    model = small(architecture=architecture, clip_length=2).eval()
    frames, logmel = inputs(2)
    with torch.no_grad():
        output = model(frames, logmel, torch.tensor([True, False]))
    assert output.logits[1].abs().max() == 0
    assert output.logits[0].abs().max() > 0


@pytest.mark.parametrize("architecture", ["avsegformer", "tpavi"])
def test_half_precision_is_close_and_trains(architecture: str) -> None:
    model = small(architecture=architecture, clip_length=2)
    frames, logmel = inputs(2)
    exact = answer(model, frames, logmel).logits
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = answer(model, frames, logmel).logits
        trained = copy.deepcopy(model).train()
        trained(frames, logmel).logits.float().square().mean().backward()
    assert (mixed - exact).abs().max() < 0.05 * exact.abs().max()
    assert all(p.grad.isfinite().all() for p in trained.parameters() if p.grad is not None)
    halved = answer(model.bfloat16(), frames.bfloat16(), logmel.bfloat16()).logits
    assert halved.dtype == torch.bfloat16
    assert (halved - exact).abs().max() < 0.05 * exact.abs().max()


def test_equal_sounds_are_embedded_once() -> None:
    seen: list[int] = []

    def double(rows: Tensor) -> Tensor:
        seen.append(len(rows))
        return 2 * rows

    rows = torch.tensor([[1.0], [1.0], [3.0], [3.0], [3.0], [1.0]])
    assert torch.equal(per_distinct(double, rows), 2 * rows)
    assert seen == [3]


def test_audio_encoders_stay_frozen_and_in_evaluation_mode() -> None:
    model = small().train()
    encoder = cast(nn.Module, model.audio_encoder)
    assert not any(module.training for module in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert cast(nn.Module, model.backbone).training


def test_audio_encoders_have_the_published_sizes_and_embeddings() -> None:
    logmel = inputs(2)[1]
    yamnet, vggish = YAMNet(), VGGish()
    assert sum(p.numel() for p in vggish.parameters()) == 72_141_184
    assert yamnet(logmel).shape == (2, 1024)
    assert vggish(logmel).shape == (2, 128)
    assert vggish(logmel).min() >= 0
    scores = yamnet.scores(logmel)
    assert scores.shape == (2, 521)
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_the_tuned_yamnet_names_sounds_as_the_published_one() -> None:
    logmel = inputs(2)[1]
    published, both = YAMNet(), TunedYAMNet()
    both.load_state_dict(published.state_dict(), strict=False)
    both.tuned.load_state_dict(both.layers[both.shared :].state_dict())
    embedding = both(logmel)
    assert embedding.shape == (2, TunedYAMNet.embed_dim) == (2, 2048)
    torch.testing.assert_close(embedding[:, :1024], published(logmel))
    torch.testing.assert_close(embedding[:, 1024:], embedding[:, :1024])
    torch.nn.init.zeros_(both.tuned[-1].conv.weight)
    torch.testing.assert_close(both.scores(logmel), published.scores(logmel))
    assert not torch.equal(both(logmel)[:, 1024:], embedding[:, 1024:])
    assert not any(parameter.requires_grad for parameter in both.parameters())


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet50", (256, 512, 1024, 2048)),
        ("tf_efficientnet_lite2", (24, 48, 120, 352)),
        ("mobilenetv3_small_050", (8, 16, 24, 288)),
    ],
)
def test_backbones_give_strides_4_to_32(name: str, channels: tuple[int, ...]) -> None:
    backbone = BACKBONES[name](SMALL).eval()
    with torch.no_grad():
        maps = backbone(torch.randn(1, 3, 64, 96))
    assert backbone.channels == channels
    assert [tuple(m.shape) for m in maps] == [(1, c, 16 >> i, 24 >> i) for i, c in enumerate(channels)]


def test_lite_backbone_sees_pixels_as_its_own_weights_expect() -> None:
    backbone = BACKBONES["tf_efficientnet_lite2"](SMALL).eval()
    pixels = torch.rand(1, 3, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    frames = (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    with torch.no_grad():
        maps, expected = backbone(frames), cast(Any, backbone.body)((255 * pixels - 127) / 128)
    torch.testing.assert_close(maps[0], expected[0], rtol=1e-4, atol=1e-4)


def test_attention_maps_do_not_change_the_result() -> None:
    torch.manual_seed(0)
    attention = MultiHeadAttention(32, 4).eval()
    queries, memory = torch.randn(2, 5, 32), torch.randn(2, 7, 32)
    fused, none = attention(queries, memory)
    shown, probabilities = attention(queries, memory, "softmax")
    _, raw = attention(queries, memory, "raw")
    assert none is None
    torch.testing.assert_close(fused, shown, rtol=0, atol=1e-5)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(2, 5))
    assert raw.shape == (2, 5, 7)
    assert not torch.allclose(raw, probabilities)


def test_channel_mixer_equals_attention_over_all_projected_pixels() -> None:
    torch.manual_seed(0)
    mixer = cast(Any, MIXERS["cha"](32, 4))
    mask_feature, audio = torch.randn(2, 32, 5, 6), torch.randn(2, 32)
    q = mixer.q_proj(audio).view(2, 1, 4, 8).transpose(1, 2)
    k, v = mixer.kv_proj(mask_feature.flatten(2).transpose(1, 2)).view(2, 30, 2, 4, 8).permute(2, 0, 3, 1, 4)
    attended = ((q @ k.transpose(-1, -2) / 8**0.5).softmax(-1) @ v).transpose(1, 2).reshape(2, 32)
    omega = torch.sigmoid(mixer.proj(attended))
    mixed, weights = mixer(mask_feature, audio)
    torch.testing.assert_close(weights, omega, rtol=0, atol=1e-6)
    torch.testing.assert_close(mixed, mask_feature * omega[..., None, None], rtol=0, atol=1e-5)


def test_printed_mixer_is_equation_2() -> None:
    mask_feature, audio = torch.randn(1, 32, 2, 3), torch.randn(1, 32)
    mixed, _ = cast(Any, MIXERS["cha-paper"](32, 4))(mask_feature, audio)
    for head in range(4):
        rows = slice(8 * head, 8 * head + 8)
        f = mask_feature[0, rows].flatten(1)  # [d,h*w]
        omega = (audio[0, rows] @ f / 8**0.5) @ f.T
        torch.testing.assert_close(mixed[0, rows].flatten(1), f + f * omega[:, None], rtol=1e-4, atol=1e-4)


def test_tpavi_needs_whole_clips_and_mixes_their_frames() -> None:
    model = cast(Any, small(architecture="tpavi", clip_length=2).eval())
    for mix in model.interactions:
        nn.init.ones_(mix.norm_z.weight)  # starts at zero, where sound has no effect yet
    frames, logmel = inputs(4)
    other = logmel.clone()
    other[1] = -other[1]
    before, after = answer(model, frames, logmel), answer(model, frames, other)
    changed = (before.logits - after.logits).abs().amax(dim=(1, 2, 3))
    assert changed[0] > 0  # same clip, another frame's sound
    assert changed[2:].max() < 1e-6
    with pytest.raises(InputError, match="whole clips of 2 frames, got 3"):
        answer(model, frames[:3], logmel[:3])


def test_tpavi_shows_its_stages_to_the_loss_in_training_only() -> None:
    model = small(architecture="tpavi", clip_length=2).train()
    stages = model(*inputs(2)).stage_features
    assert [(tuple(v.shape), tuple(a.shape)) for v, a in stages] == [
        ((2, 32, 16 >> i, 24 >> i), (2, 32)) for i in range(4)
    ]
    assert answer(model, *inputs(2)).stage_features == []


def test_nothing_dead_is_built() -> None:
    v2 = {key.split(".")[0] for key in small().state_dict()}
    assert "reformer" not in v2
    with torch.device("meta"):
        released = build_model(model_preset("v2", "s4"))
    parameters = sum(p.numel() for p in released.parameters())
    assert parameters == pytest.approx(125.95e6, rel=1e-4)


def test_lite_is_small_and_answers() -> None:
    model = build_model(lite_model_config())
    assert sum(p.numel() for p in model.parameters()) < 15e6
    assert answer(model, *inputs(1)).logits.shape == (1, 1, 64, 96)


def test_available_architectures() -> None:
    assert {"avsegformer", "tpavi"} <= set(available())
    with pytest.raises(InputError, match=r"Unknown architecture 'unet'; choose one of: avsegformer, .*tpavi"):
        small(architecture="unet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": (100, 64)}, "multiples of 32"),
        ({"embed_dim": 48}, "multiple of 32"),
        ({"embed_dim": 32, "num_heads": 5}, "of num_heads 5"),
        ({"num_queries": 0}, "num_queries must be at least 1"),
        ({"backbone": "vgg"}, "Unknown backbone 'vgg'"),
        ({"audio_encoder": "ears"}, "Unknown audio encoder 'ears'"),
    ],
)
def test_sizes_that_do_not_fit_are_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small(**changes)


def test_contract_is_kept_by_every_architecture() -> None:
    for name in ("avsegformer", "tpavi"):
        model: AVSModel = cast(AVSModel, small(architecture=name))
        assert model.config.architecture == name
        assert callable(model.encode_visual)
        assert callable(model.segment)
