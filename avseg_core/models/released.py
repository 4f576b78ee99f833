"""The published checkpoint layouts: where every tensor of ours is found in them, both ways.

Every tensor of our models is a range of rows of one released tensor, perhaps without its trailing 1x1 dimensions, so a
layout is a table from our key to a `Place`. What a release stores but never executes has no place; it is "dead".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from avseg_core.config import ModelConfig, model_preset
from avseg_core.errors import InputError

StateDict = dict[str, Tensor]
Rule = tuple[str, str | Callable[[re.Match[str]], str]]


@dataclass(frozen=True)
class Place:
    """Rows [first, first + len) of the released tensor `key`, which has `ones` further dimensions of size 1."""

    key: str
    first: int = 0
    ones: int = 0


def _next(text: str) -> Callable[[re.Match[str]], str]:
    """A replacement that writes the matched number plus one into `text`."""
    return lambda match: text.format(int(match[1]) + 1)


_RESNET: tuple[Rule, ...] = ((r"layer([34])\.", r"layer\1_1."),)
_PVT: tuple[Rule, ...] = (
    (r"^patch_embed\.", "patch_embed1."),
    (r"^stages_(\d)\.downsample\.", _next("patch_embed{}.")),
    (r"^stages_(\d)\.blocks\.", _next("block{}.")),
    (r"^stages_(\d)\.norm\.", _next("norm{}.")),
    (r"\.mlp\.dwconv\.", ".mlp.dwconv.dwconv."),
)
_AVSEGFORMER: tuple[Rule, ...] = (
    (r"^audio_encoder\.", "vggish."),
    (r"^encoder\.level_embed", "head.level_embed"),
    (r"^encoder\.(layers\.\d+)\.attention\.", r"head.transformer.encoder.\1.self_attn."),
    (r"^(encoder|decoder)\.", r"head.transformer.\1."),
    (r"\.ffn\.linear", ".linear"),
    (r"^queries\.learnable$", "head.learnable_query.weight"),
    (r"^queries\.generator\.query$", "head.query_generator.query.weight"),
    (r"^queries\.generator\.(layers\.\d+)\.linear1\.", r"head.query_generator.\1.ffn.0."),
    (r"^queries\.generator\.(layers\.\d+)\.linear2\.", r"head.query_generator.\1.ffn.2."),
    (r"^queries\.generator\.", "head.query_generator."),
    (r"\.self_attention\.", ".self_attn."),
    (r"\.(cross|audio)_attention\.", ".cross_attn."),
    (r"(self|cross)_attn\.out\.", r"\1_attn.out_proj."),
    (r"^(in_proj\.)", r"head.\1"),
    (r"^(mask_feature|mask_head)\.", "head."),
    (r"^mixer\.", "head.fusion_block."),
    (r"^reformer\.fpn\.(up\d)\.", r"head.fpn.\1.1."),
    (r"^reformer\.", "head."),
)
_TPAVI: tuple[Rule, ...] = (
    (r"^convs\.(\d)\.convs\.", _next("conv{}.conv2d_list.")),
    (r"^interactions\.(\d)\.", _next("tpavi_b{}.")),
    (r"\.w_z\.", ".W_z.0."),
    (r"\.norm_z\.", ".W_z.1."),
    (r"^paths\.(\d)\.unit\.", _next("path{}.resConfUnit2.")),
    (r"^paths\.(\d)\.skip_unit\.", _next("path{}.resConfUnit1.")),
)
_PACKED = re.compile(r"(self|cross)_attn\.(q|kv|value)\.(weight|bias)$")
_ONES: tuple[tuple[str, int], ...] = (
    (r"^head\.mlp\..*weight$", 2),
    (r"^tpavi_b\d\.(theta|phi|g|W_z\.0)\.weight$", 3),
)
_DEAD: dict[str, str] = {
    r"\.layer[34]_2\.": "second ResNet branch",
    r"^head\.(fpn|attn_fc)\.": "mask reformer, unused since V2",
    r"^path4\.resConfUnit1\.": "skip unit of the coarsest stage",
}


@dataclass(frozen=True)
class Layout:
    """One published layout: its name, the model it holds, and which of its keys are never executed."""

    name: str
    config: ModelConfig
    dead: tuple[str, ...]
    """Patterns of keys that no forward pass reads."""

    def places(self, model: nn.Module) -> dict[str, Place]:
        """Our key -> its place, for everything that the layout stores (TPAVI's files hold no audio encoder)."""
        keys = model.state_dict()
        tpavi = self.config.architecture == "tpavi"
        return {key: self._place(key) for key in keys if not (tpavi and key.startswith("audio_encoder."))}

    def _place(self, key: str) -> Place:
        name = self._backbone_name(key) if key.startswith("backbone.") else key
        name = _apply(_TPAVI if self.config.architecture == "tpavi" else _AVSEGFORMER, name)
        first, dim = 0, self.config.embed_dim
        if packed := _PACKED.search(name):
            first = {"q": 0, "kv": dim, "value": 2 * dim}[packed[2]]
            name = name[: packed.start(2)] + f"in_proj_{packed[3]}"
        ones = next((count for pattern, count in _ONES if re.search(pattern, name)), 0)
        return Place(name, first, ones)

    def _backbone_name(self, key: str) -> str:
        pvt = self.config.backbone.startswith("pvt")
        prefix = "backbone."
        if self.config.architecture == "tpavi":
            prefix = "encoder_backbone." if pvt else "resnet."
        return prefix + _apply(_PVT if pvt else _RESNET, key.removeprefix("backbone.body."))

    def dead_word(self, key: str) -> str | None:
        """Why `key` is never executed, or None if it is live or unknown."""
        return next((_DEAD[pattern] for pattern in self.dead if re.search(pattern, key)), None)


def recognise(state: Mapping[str, Tensor]) -> Layout:
    """The layout that the keys of a checkpoint belong to.

    Raises:
        InputError: none of the published ones.
    """
    second_branch, reformer, skip_unit = _DEAD
    if "head.fc.4.weight" in state and "head.learnable_query.weight" in state:
        pvt = any(key.startswith("backbone.block1.") for key in state)
        v2 = any(key.startswith("head.query_generator.") for key in state)
        classes = len(state["head.fc.4.weight"])
        backbone = "pvt_v2_b5" if pvt else "resnet50"
        config = replace(
            model_preset("v2" if v2 else "v1", "s4" if classes == 1 else "avss", backbone),
            num_classes=classes,
            num_queries=len(state["head.learnable_query.weight"]),
        )
        dead = (() if pvt else (second_branch,)) + ((reformer,) if v2 else ())
        return Layout(f"AVSegFormer {'V2' if v2 else 'V1'}, {_title(backbone)}, {_classes(classes)}", config, dead)
    if "tpavi_b1.theta.weight" in state and "output_conv.4.weight" in state:
        pvt = any(key.startswith("encoder_backbone.") for key in state)
        classes = len(state["output_conv.4.weight"])
        backbone = "pvt_v2_b5" if pvt else "resnet50"
        clip_length = 5 if classes == 1 else 10
        config = ModelConfig(architecture="tpavi", backbone=backbone, num_classes=classes, clip_length=clip_length)
        dead = (skip_unit,) if pvt else (second_branch, skip_unit)
        return Layout(f"AVSBench TPAVI, {_title(backbone)}, {_classes(classes)}", config, dead)
    raise InputError("This is not a checkpoint of AVSegFormer (V1, V2) or the AVSBench baseline.")


def _title(backbone: str) -> str:
    return {"resnet50": "ResNet-50", "pvt_v2_b5": "PVTv2-B5"}[backbone]


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"


def _apply(rules: tuple[Rule, ...], name: str) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def from_released(layout: Layout, model: nn.Module, state: Mapping[str, Tensor]) -> StateDict:
    """A state dict for `model` out of a checkpoint in `layout`.

    Raises:
        InputError: tensors that are missing, left over or of another shape; all are named, in one line.
    """
    places, ours = layout.places(model), model.state_dict()
    expected = {place.key for place in places.values()}
    problems = [f"missing {key}" for key in sorted(expected - set(state))]
    problems += [f"left over {key}" for key in state if key not in expected and layout.dead_word(key) is None]
    converted: StateDict = {}
    for key, place in places.items():
        if place.key not in state:
            continue
        found, wanted = state[place.key], ours[key]
        rows = found[place.first : place.first + len(wanted)] if wanted.dim() else found
        if rows.shape != wanted.shape + (1,) * place.ones:
            problems.append(f"{place.key} has shape {tuple(found.shape)}")
        else:
            converted[key] = rows.reshape(wanted.shape).to(wanted.dtype)
    if problems:
        raise InputError(f"The checkpoint looks like {layout.name} but does not fit: {'; '.join(problems)}.")
    return converted
