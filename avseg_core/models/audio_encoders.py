"""Audio encoders: one log-mel example per frame -> one embedding. Both are frozen, as in every release."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from avseg_core.audio.front_end import FrontEnd
from avseg_core.registry import Registry


class AudioEncoder(nn.Module):
    """Base of the encoders: never trained, always in evaluation mode."""

    front_end: ClassVar[FrontEnd]
    """The log-mel that this encoder expects, see `audio.front_end`."""
    embed_dim: ClassVar[int]

    def train(self, mode: bool = True) -> Self:
        """Stays in evaluation mode whatever the rest of the model does."""
        return super().train(False)

    def freeze(self) -> None:
        """Takes the weights out of training; called once at the end of construction."""
        self.requires_grad_(False).train(False)


AUDIO_ENCODERS: Registry[Callable[[], AudioEncoder]] = Registry("audio encoder")


@AUDIO_ENCODERS.register("vggish")
class VGGish(AudioEncoder):
    """VGGish without PCA: six convolutions and three fully connected layers, 72.1 M parameters, features >= 0."""

    front_end = "vggish"
    embed_dim = 128

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0):  # 0 is a max pooling
            if width:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, self.embed_dim),
            nn.ReLU(inplace=True),
        )
        self.freeze()

    @torch.no_grad()
    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,128]."""
        maps = self.features(logmel)  # [N,512,6,4]
        flat = maps.permute(0, 2, 3, 1).flatten(1)  # time, band, channel: the order of the TensorFlow original
        return self.embeddings(flat)


class _ConvNormReLU(nn.Module):
    """A bias-free 3x3 or 1x1 convolution with TensorFlow's SAME padding, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, depthwise: bool = False) -> None:
        super().__init__()
        # SAME pads an even input under stride 2 by one row and column at the end only.
        self.pad = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 else nn.Identity()
        padding, groups = 0 if stride == 2 else kernel // 2, inputs if depthwise else 1
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-4)  # the original has no gamma: weight stays 1

    def forward(self, maps: Tensor) -> Tensor:
        return self.norm(self.conv(self.pad(maps))).relu_()


@AUDIO_ENCODERS.register("yamnet")
class YAMNet(AudioEncoder):
    """YAMNet: a MobileNet over log-mel patches, 3.75 M parameters, 1024-d embedding and 521 AudioSet scores.

    `layers.i` is the original's `layer_with_weights-{2i}` (convolution) and `-{2i+1}` (norm), `classifier` its `-54`.
    """

    front_end = "yamnet"
    embed_dim = 1024
    naming_dim = 1024
    """So much of the embedding, from its start, names sounds."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
        layers = [_ConvNormReLU(1, 32, stride=2)]
        channels = 32
        for width, stride in blocks:
            layers.append(_ConvNormReLU(channels, channels, stride=stride, depthwise=True))
            layers.append(_ConvNormReLU(channels, width, kernel=1))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(self.naming_dim, 521)
        for layer in layers:
            nn.init.kaiming_normal_(layer.conv.weight)  # PyTorch's own start would fade to 0 over 27 layers
        self.freeze()

    @torch.no_grad()
    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,1024]."""
        return self.layers(logmel).mean(dim=(2, 3))

    @torch.no_grad()
    def scores(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> independent probabilities [N,521] in the order of `audio.classes.YAMNET_CLASSES`."""
        return self.name_sounds(self(logmel))

    @torch.no_grad()
    def name_sounds(self, embedding: Tensor) -> Tensor:
        """`scores` [N,521] from the embedding [N,E], of which the first `naming_dim` count."""
        return torch.sigmoid(self.classifier(embedding[:, : self.naming_dim]))


@AUDIO_ENCODERS.register("yamnet-tuned")
class TunedYAMNet(YAMNet):
    """YAMNet with its last four blocks there twice: as published, and tuned to sound that is mixed or full of noise.

    The published ones name sounds for people; a `LabelPrior` hears with both. 5.9 M parameters, embedding [N,2048]: the
    published one, then the tuned one.
    """

    embed_dim = 2048
    shared = 19
    """Layers that both have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.tuned = deepcopy(self.layers[self.shared :])
        self.freeze()

    @torch.no_grad()
    def forward(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> [N,2048]."""
        return self.finish(self.begin(logmel))

    def begin(self, logmel: Tensor) -> Tensor:
        """logmel [N,1,96,64] -> what both last parts start from [N,512,6,4]."""
        maps: Tensor = self.layers[: self.shared](logmel)
        return maps

    def finish(self, maps: Tensor) -> Tensor:
        """`begin`'s maps [N,512,6,4] -> [N,2048]."""
        parts = [part(maps).mean(dim=(2, 3)) for part in (self.layers[self.shared :], self.tuned)]
        return torch.cat(parts, dim=1)


def per_distinct(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """`function(rows)` for a function that treats rows [N,...] one by one, computed once per run of equal rows.

    Several frames of one second share their sound; this spares the encoder the repetition at equal output.
    """
    if len(rows) < 2 or rows.requires_grad or torch.compiler.is_exporting():
        return function(rows)
    distinct, owner = torch.unique_consecutive(rows, dim=0, return_inverse=True)
    result = function(distinct)
    return result if len(distinct) == len(rows) else result[owner]
