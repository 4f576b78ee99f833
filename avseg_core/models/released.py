"""The published checkpoint layouts: where every tensor of ours is found in them, both ways.

Every tensor of our models is a range of rows of one released tensor, perhaps without its trailing 1x1 dimensions, so a
layout is a table from our key to a `Place`. What a release stores but never executes has no place; it is "dead".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.errors import InputError
from avseg_core.models.files import StateDict
from avseg_core.presets import model_preset

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
PVT_RULES: tuple[Rule, ...] = (
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


_TITLES = {"resnet50": "ResNet-50", "pvt_v2_b5": "PVTv2-B5"}


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
        name = rename(_TPAVI if self.config.architecture == "tpavi" else _AVSEGFORMER, name)
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
        return prefix + rename(PVT_RULES if pvt else _RESNET, key.removeprefix("backbone.body."))

    def dead_word(self, key: str) -> str | None:
        """Why `key` is never executed, or None if it is live or unknown."""
        return next((_DEAD[pattern] for pattern in self.dead if re.search(pattern, key)), None)


def recognise(state: Mapping[str, Tensor]) -> Layout:
    """The layout that the keys of a checkpoint belong to.

    Raises:
        InputError: none of the published ones.
    """
    if "head.fc.4.weight" in state and "head.learnable_query.weight" in state:
        pvt = any(key.startswith("backbone.block1.") for key in state)
        v2 = any(key.startswith("head.query_generator.") for key in state)
        classes, queries = _count(state["head.fc.4.weight"]), _count(state["head.learnable_query.weight"])
        config = model_preset("v2" if v2 else "v1", "s4" if classes == 1 else "avss", _backbone(pvt))
        return _layout(replace(config, num_classes=classes, num_queries=queries), v2=v2)
    if "tpavi_b1.theta.weight" in state and "output_conv.4.weight" in state:
        pvt = any(key.startswith("encoder_backbone.") for key in state)
        classes = _count(state["output_conv.4.weight"])
        clip_length = 5 if classes == 1 else 10
        config = ModelConfig(
            architecture="tpavi", backbone=_backbone(pvt), num_classes=classes, clip_length=clip_length
        )
        return _layout(config, v2=False)
    raise InputError("This is not a checkpoint of AVSegFormer (V1, V2) or the AVSBench baseline.")


def _count(weight: Tensor) -> int:
    """Rows of a weight; 0, which no model has, if it is a single number."""
    return weight.shape[0] if weight.dim() else 0


def layout_of(config: ModelConfig) -> Layout:
    """The published layout that a model of ours can be written in.

    Raises:
        InputError: the model is no published one.
    """
    tpavi = config.architecture == "tpavi"
    v2 = config.query_generator == "attention"
    preset = model_preset("v2" if v2 else "v1", "s4", config.backbone)
    if tpavi:
        preset = ModelConfig(architecture="tpavi", backbone=config.backbone)
    free = ("num_classes", "num_queries", "image_size", "clip_length", "dropout", "drop_path")
    if config.backbone not in _TITLES or replace(config, **{name: getattr(preset, name) for name in free}) != preset:
        raise InputError("Only AVSegFormer V1, V2 and TPAVI with a published backbone can be written as released.")
    return _layout(config, v2=v2)


def _layout(config: ModelConfig, *, v2: bool) -> Layout:
    second_branch, reformer, skip_unit = _DEAD
    tpavi = config.architecture == "tpavi"
    dead = [second_branch] if config.backbone == "resnet50" else []
    if tpavi:
        dead.append(skip_unit)
    elif v2:
        dead.append(reformer)
    family = "AVSBench TPAVI" if tpavi else f"AVSegFormer {'V2' if v2 else 'V1'}"
    classes = "1 class" if config.num_classes == 1 else f"{config.num_classes} classes"
    return Layout(f"{family}, {_TITLES[config.backbone]}, {classes}", config, tuple(dead))


def _backbone(pvt: bool) -> str:
    return "pvt_v2_b5" if pvt else "resnet50"


def rename(rules: tuple[Rule, ...], name: str) -> str:
    """`name` after all substitutions, in order."""
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
    shapes = _stored_shapes(places, ours)
    converted: StateDict = {}
    for key, place in places.items():
        found, wanted = state.get(place.key), ours[key]
        if found is None:
            continue
        if found.shape != shapes[place.key]:
            problems.append(f"{place.key} has shape {tuple(found.shape)}")
            continue
        part = found[place.first : place.first + len(wanted)].clone() if _is_part(place, wanted, found) else found
        converted[key] = part.reshape(wanted.shape).to(wanted.dtype)
    if problems:
        raise InputError(f"The checkpoint looks like {layout.name} but does not fit: {'; '.join(problems)}.")
    return converted


def _is_part(place: Place, wanted: Tensor, found: Tensor) -> bool:
    """Whether a tensor of ours is only some rows of the stored one."""
    return wanted.dim() > 0 and (place.first > 0 or len(wanted) < len(found))


def _stored_shapes(places: Mapping[str, Place], ours: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Released key -> shape, from all places that lie in it."""
    shapes: dict[str, tuple[int, ...]] = {}
    for key, place in places.items():
        shape = ours[key].shape
        if shape:
            rows = max(place.first + shape[0], shapes.get(place.key, (0,))[0])
            shapes[place.key] = (rows, *shape[1:], *(1,) * place.ones)
        else:
            shapes[place.key] = ()
    return shapes


def to_released(model: nn.Module, config: ModelConfig) -> StateDict:
    """The state dict of `model` as its authors' code stores it; tensors that nothing reads are copies or zeros.

    Raises:
        InputError: the model is no published one.
    """
    layout = layout_of(config)
    ours = model.state_dict()
    pieces: dict[str, list[tuple[int, Tensor]]] = {}
    for key, place in layout.places(model).items():
        tensor = ours[key].reshape(ours[key].shape + (1,) * place.ones)
        pieces.setdefault(place.key, []).append((place.first, tensor))
    state = {key: _join(parts) for key, parts in pieces.items()}
    state |= dict(_dead_tensors(layout, state))
    return state


def _join(parts: list[tuple[int, Tensor]]) -> Tensor:
    """Row ranges -> one tensor; rows that nothing reads (queries and keys of a one-key attention) are 0."""
    if len(parts) == 1 and parts[0][0] == 0:
        return parts[0][1].clone()
    rows = max(first + len(part) for first, part in parts)
    whole = parts[0][1].new_zeros(rows, *parts[0][1].shape[1:])
    for first, part in parts:
        whole[first : first + len(part)] = part
    return whole


def _dead_tensors(layout: Layout, state: StateDict) -> Iterator[tuple[str, Tensor]]:
    """What the authors' code stores but never executes, in the right shapes."""
    second_branch, reformer, skip_unit = _DEAD
    for key, tensor in state.items():
        if second_branch in layout.dead and (twin := re.sub(r"\.layer([34])_1\.", r".layer\1_2.", key)) != key:
            yield twin, tensor.clone()
        if skip_unit in layout.dead and key.startswith("path4.resConfUnit2."):
            yield key.replace("resConfUnit2", "resConfUnit1"), torch.zeros_like(tensor)
        if reformer in layout.dead and key.startswith("head.fc."):
            yield key.replace("head.fc.", "head.attn_fc."), torch.zeros_like(tensor)
    if reformer in layout.dead:
        dim = layout.config.embed_dim
        for level in (1, 2, 3):
            yield f"head.fpn.up{level}.1.weight", torch.zeros(dim, dim, 3, 3)
            yield f"head.fpn.up{level}.1.bias", torch.zeros(dim)
