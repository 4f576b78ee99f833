"""NanoDet-g, a small object detector: boxes around people, animals, vehicles and household things, by COCO's names.

Published with its weights by RangiLyu (https://github.com/RangiLyu/nanodet, Apache-2.0), trained on COCO; norms are
folded into the convolutions. It never learns here. Neither AVSegFormer's paper nor its code has such a box.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COCO_CLASSES = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light"),
    *("fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow"),
    *("elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee"),
    *("skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard"),
    *("tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple"),
    *("sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch"),
    *("potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    *("microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear"),
    *("hair drier", "toothbrush"),
)
BOXES = 20
"""Boxes per frame: as many as a frame of 32 x 32 has places for."""
BOX_VALUES = 4 + len(COCO_CLASSES)
_STRIDES = (8, 16, 32)
_SHARE = 0.7
"""Of the frame's height and width: finds large things more often than at full size, small ones as often, in half the
time."""
_WIDTH = 128
_DISTANCES = 11
"""Each side's distance is a distribution over 0 to 10 strides (Generalized Focal Loss)."""


class _Conv(nn.Sequential):
    """3x3 convolution and leaky ReLU."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inside, outside, 3, stride, 1), nn.LeakyReLU(0.1))


class _HalfTwice(nn.Module):
    """Two convolutions of half the width one after the other, side by side in the result."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _Conv(width, width // 2), _Conv(width // 2, width // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[N,C,h,w] -> the same shape."""
        first = self.first(x)
        return torch.cat([self.second(first), first], dim=1)


class _CrossStage(nn.Module):
    """A stage whose input goes past its blocks, too (CSPNet)."""

    def __init__(self, width: int, blocks: int, stride: int) -> None:
        super().__init__()
        self.enter = _Conv(width, width, stride)
        self.blocks = nn.Sequential(*(_HalfTwice(width) for _ in range(blocks)))
        self.leave = _Conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[N,C,h,w] -> [N,2C,h/stride,w/stride]."""
        entered = self.enter(x)
        return torch.cat([self.leave(self.blocks(entered)), entered], dim=1)


class Detector(nn.Module):
    """Frames -> the most certain boxes in them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_Conv(3, 32, 2), nn.MaxPool2d(3, 2, 1), _CrossStage(32, 1, 1))  # to stride 4
        self.stages = nn.ModuleList(_CrossStage(*sizes, 2) for sizes in ((64, 2), (128, 2), (256, 3)))
        self.narrow = nn.ModuleList(nn.Conv2d(width, _WIDTH, 1) for width in (128, 256, 512))
        answers = len(COCO_CLASSES) + 4 * _DISTANCES
        self.heads = nn.ModuleList(
            nn.Sequential(_Conv(_WIDTH, _WIDTH), nn.Conv2d(_WIDTH, answers, 1)) for _ in _STRIDES
        )

    @torch.no_grad()
    def forward(self, frames: Tensor) -> Tensor:
        """frames [N,3,H,W], ImageNet-normalised, H and W multiples of 32 -> the BOXES surest boxes [N,20,84]: left,
        top, right and bottom as shares of the frame, and a score 0..1 for each of the COCO_CLASSES."""
        answers = self._answers(_shrunk(frames))
        chosen = torch.cat([_peaks(answer) for answer in answers], dim=1).topk(BOXES, dim=1).indices  # [N,20]
        rows = torch.cat([answer.flatten(2).transpose(1, 2) for answer in answers], dim=1)  # [N,P,124]
        rows = rows.gather(1, chosen[..., None].expand(-1, -1, rows.shape[2]))
        scores, sides = rows.split([len(COCO_CLASSES), 4 * _DISTANCES], dim=2)
        places = torch.cat([_places(answer, stride) for answer, stride in zip(answers, _STRIDES, strict=True)])[chosen]
        centre, stride = places[..., :2], places[..., 2:]
        steps = torch.arange(_DISTANCES, device=frames.device, dtype=frames.dtype)
        reach = (sides.unflatten(2, (4, _DISTANCES)).softmax(dim=3) * steps).sum(dim=3) * stride  # [N,20,4]
        size = frames.new_tensor([_STRIDES[0] * int(side) for side in reversed(answers[0].shape[-2:])])
        corners = (centre - reach[..., :2]) / size, (centre + reach[..., 2:]) / size
        return torch.cat([*corners, scores.sigmoid()], dim=2)

    def _answers(self, frames: Tensor) -> list[Tensor]:
        """Per stride, classes' logits and sides' distributions [N,124,h,w]."""
        feature, levels = self.stem(frames), []
        for stage, narrow in zip(self.stages, self.narrow, strict=True):
            feature = stage(feature)
            levels.append(narrow(feature))
        return [head(level) for head, level in zip(self.heads, _exchange(levels), strict=True)]


def _shrunk(frames: Tensor) -> Tensor:
    """[N,3,H,W] at the detector's own size."""
    height, width = (max(32, round(_SHARE * int(side) / 32) * 32) for side in frames.shape[-2:])
    return F.interpolate(frames, size=(height, width), mode="bilinear", align_corners=False)


def _peaks(answer: Tensor) -> Tensor:
    """Answers [N,124,h,w] -> the best class's logit where no neighbour has a better one, else very little [N,h*w]."""
    best = answer[:, : len(COCO_CLASSES)].amax(dim=1, keepdim=True)
    return best.where(best == F.max_pool2d(best, 3, 1, 1), -1e4).flatten(1)


def _places(answer: Tensor, stride: int) -> Tensor:
    """Centres of the cells of [N,124,h,w] in pixels, and the stride [h*w,3]."""
    height, width = answer.shape[-2:]
    x, y = (stride * (torch.arange(n, device=answer.device, dtype=answer.dtype) + 0.5) for n in (width, height))
    across, down = x.expand(height, width), y[:, None].expand(height, width)
    return torch.stack([across, down, torch.full_like(across, stride)], dim=-1).flatten(0, 1)


def _exchange(levels: Sequence[Tensor]) -> list[Tensor]:
    """A path-aggregation network without weights: sums of resized levels, coarse to fine and back."""
    down = [levels[-1]]
    for level in reversed(levels[:-1]):
        down.insert(0, level + _resize(down[0], level))
    up = [down[0]]
    for level in down[1:]:
        up.append(level + _resize(up[-1], level))
    return up


def _resize(level: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(level, size=like.shape[-2:], mode="bilinear", align_corners=False)
