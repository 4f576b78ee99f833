"""A model made ready for inference answers as before."""

from dataclasses import replace

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from avseg_core.config import ModelConfig
from avseg_core.inference.fuse import PackedConv, prepare_for_inference
from avseg_core.models.registry import build_model
from tests.segment_fixtures import small_model_config

CPU = torch.device("cpu")


def lived_in(model: nn.Module) -> nn.Module:
    """Norms with statistics and weights that are far from those of a new model."""
    torch.manual_seed(0)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.1)
    return model.eval()


@pytest.mark.parametrize(
    ("architecture", "backbone", "audio_encoder", "norms"),
    [
        ("avsegformer", "tf_efficientnet_lite2", "yamnet", 90),
        ("avsegformer", "resnet50", "yamnet", 80),
        ("avsegformer", "mobilenetv3_small_050", "yamnet", 61),
        ("avsegformer", "pvt_v2_b5", "yamnet", 27),
        ("tpavi", "resnet50", "yamnet", 80),
    ],
)
def test_the_answer_stays_and_the_norms_go(architecture: str, backbone: str, audio_encoder: str, norms: int) -> None:
    config: ModelConfig = replace(
        small_model_config(), architecture=architecture, backbone=backbone, audio_encoder=audio_encoder, clip_length=2
    )
    model = lived_in(build_model(config))
    torch.manual_seed(1)
    frames, logmel = torch.randn(2, 3, 64, 64), torch.randn(2, 1, 96, 64)
    assert sum(isinstance(part, nn.BatchNorm2d) for part in model.modules()) >= norms
    with torch.inference_mode():
        before = model(frames, logmel)
        prepare_for_inference(model, CPU)
        after = model(frames, logmel)
    assert sum(isinstance(part, nn.BatchNorm2d) for part in model.modules()) == 0
    scale = before.logits.abs().max()
    assert (after.logits - before.logits).abs().max() < 1e-4 * max(scale, 1.0)


def test_a_norm_elsewhere_is_left_alone() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    prepare_for_inference(model, CPU)
    assert [type(part) for part in model] == [nn.BatchNorm2d, PackedConv, nn.Identity, nn.BatchNorm2d]


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(8, 12), (32, 2)])
def test_a_halving_convolution_needs_no_padded_copy(kernel: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Conv2dSame(6, 6, kernel, stride=2, groups=3), Conv2dSame(6, 4, kernel, stride=1))
    maps = torch.randn(2, 6, *size)
    with torch.inference_mode():
        before = model(maps)
        prepare_for_inference(model, CPU)
        after = model(maps)
    assert [type(part) for part in model] == [PackedConv, Conv2dSame]
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6(), nn.Hardswish(), None])
def test_packed_convolutions_take_frames_of_any_size_in_turns(activation: nn.Module | None) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 64, 3, stride=2, padding=1), activation, nn.Conv2d(64, 48, 1, bias=False)]
    model = nn.Sequential(*(layer for layer in layers if layer is not None))
    maps = [torch.randn(1, 3, 32, 48) * 5, torch.randn(2, 3, 8, 8) * 5, torch.randn(1, 3, 32, 48) * 5]
    with torch.inference_mode():
        before = [model(each) for each in maps]
        prepare_for_inference(model, CPU)
        after = [model(each) for each in maps]
    assert [type(part) for part in model].count(PackedConv) == 2
    for expected, found in zip(before, after, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
