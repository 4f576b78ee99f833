"""A model made ready for inference: the same answers (to float rounding) in much less time."""

from __future__ import annotations

from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from avseg_core.models.encoder import FeedForward
from avseg_core.models.timm_import import Conv2dSame


def prepare_for_inference(model: nn.Module, device: torch.device) -> None:
    """Takes `model` to `device`, folds norms and padding into its convolutions, and on a CPU lays it channels last.

    EfficientNet-Lite2 runs 1.7 times as fast on a CPU for that. Where PyTorch has oneDNN, convolutions become its own,
    which do the activation after them in the same pass: a tenth faster still. The model cannot be trained afterwards.
    """
    model.eval().requires_grad_(False).to(device)
    _fold_norms(model)
    _centre_convolutions(model)
    if device.type == "cpu":
        model.to(memory_format=torch.channels_last)
        if torch.backends.mkldnn.is_available():
            _pack(model)


def _fold_norms(module: nn.Module) -> None:
    """Folds each batch norm that stands right after a convolution, in the order in which a module holds its parts."""
    before: tuple[str, nn.Module] | None = None
    for name, part in list(module.named_children()):
        _fold_norms(part)
        if before is not None and isinstance(before[1], nn.Conv2d) and isinstance(part, nn.BatchNorm2d):
            folded = fuse_conv_bn_eval(before[1], part)
            # timm's norms hold the activation that follows them.
            activation = getattr(part, "act", None)
            both = nn.Sequential(folded, activation) if isinstance(activation, nn.Module) else folded
            setattr(module, before[0], both)
            setattr(module, name, nn.Identity())
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


class PackedConv(nn.Module):
    """A convolution without gradient and the activation after it, with weights laid out as oneDNN wants them.

    PyTorch computes a 1x1 convolution of one frame on one thread in its own way otherwise, and slower.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.bias = conv.bias
        self.activation, self._bounds = _ACTIVATIONS[type(activation)]
        if isinstance(activation, nn.LeakyReLU):
            self._bounds = [activation.negative_slope]
        self.geometry = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        self.packed: tuple[torch.Size | None, Tensor] = None, conv.weight.detach()
        """The weight, and the size [C,H,W] of the maps that it is laid out for."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N,C,H,W] -> [N,D,h,w]."""
        size, weight = self.packed
        if size != maps.shape[1:]:  # a layout for another size would be changed in every pass
            plain = weight.to_dense() if weight.is_mkldnn else weight
            weight = torch.ops.mkldnn._reorder_convolution_weight(plain, *self.geometry, maps.shape)
            self.packed = maps.shape[1:], weight
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps, weight, self.bias, *self.geometry, self.activation, self._bounds, ""
        )
        return done


class PackedFeedForward(nn.Module):
    """A feed-forward network without gradient whose GELU is part of the first product."""

    def __init__(self, network: FeedForward) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """[...,D] -> [...,D]."""
        first, second = self.network.linear1, self.network.linear2
        product = torch.ops.mkldnn._linear_pointwise
        hidden = product(tokens, first.weight, first.bias, "gelu", [], "none")
        done: Tensor = product(hidden, second.weight, second.bias, "none", [], "")
        return done


_ACTIVATIONS: dict[type, tuple[str, list[float]]] = {
    type(None): ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.LeakyReLU: ("leaky_relu", []),
}
"""oneDNN's names and bounds; a leaky ReLU's slope is its own."""


def _pack(module: nn.Module) -> None:
    """Convolutions and feed-forward networks as single operations of oneDNN."""
    parts = list(module.named_children())
    for place, (name, part) in enumerate(parts):
        if isinstance(part, FeedForward):
            setattr(module, name, PackedFeedForward(part))
            continue
        if not _can_be_packed(part):
            _pack(part)
            continue
        # Only a sequence is sure to run its parts in the order in which it holds them.
        next_name, after = parts[place + 1] if place + 1 < len(parts) else ("", part)
        follows = isinstance(module, nn.Sequential) and type(after) in _ACTIVATIONS
        setattr(module, name, PackedConv(part, after if follows else None))
        if follows:
            setattr(module, next_name, nn.Identity())


def _can_be_packed(part: nn.Module) -> TypeGuard[nn.Conv2d]:
    if type(part) is not nn.Conv2d or part.padding_mode != "zeros" or isinstance(part.padding, str):
        return False
    return part.weight.dtype == torch.float32
