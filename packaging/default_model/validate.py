"""How well a model does on validation scenes while it is being trained: what to compare runs by.

Played are recordings and made-up sounds of the training material, so hearing is not judged here but in the report.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from director import Director, Sounding, visible_items
from numpy.typing import NDArray

from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.output import cat_visual

_SOUNDS = 2


@torch.no_grad()
def validate(model: AVSegFormer, director: Director, count: int = 200, seed: int = 11) -> dict[str, float]:
    """Means over `count` scenes: IoU per kind of scene ("iou composite", ...), how often the sounding thing is masked
    more than any other ("right"), and the share masked where nothing sounds ("masked")."""
    found: dict[str, list[float]] = {}
    scenes = director.cached.scenes
    for index in range(min(count, len(scenes.kinds))):
        rng = np.random.default_rng([seed, index])
        instances = np.array(scenes.instances[index])
        present, avoid = visible_items(director.cached, index, instances), set[int]()
        played: list[Sounding] = []
        for _ in range(_SOUNDS):
            played.append(director.play(rng, index, present, avoid))
            avoid |= set(played[-1].instances)
        for sounding, probability in zip(played, _answers(model, director, index, played), strict=True):
            mask = probability > 0.5
            if not sounding.instances:
                found.setdefault("masked", []).append(float(mask.mean()))
                continue
            truth = np.isin(instances, sounding.instances)
            iou = float((mask & truth).sum() / max(1, (mask | truth).sum()))
            found.setdefault(f"iou {scenes.kinds[index]}", []).append(iou)
            if len(present) > 1:
                found.setdefault("right", []).append(_right(mask, instances, sounding, present))
    return {name: round(float(np.mean(values)), 4) for name, values in sorted(found.items())}


def _answers(model: AVSegFormer, director: Director, index: int, played: Sequence[Sounding]) -> NDArray[np.float32]:
    """Probabilities [sounds,H,W]."""
    maps = [torch.from_numpy(level[index : index + 1].astype(np.float32)) for level in director.cached.maps]
    visual = model.encode_maps(maps, torch.from_numpy(director.cached.boxes[index : index + 1].astype(np.float32)))
    output = model.segment_embedding(
        cat_visual([visual] * len(played)),
        torch.stack([sounding.embedding for sounding in played]),
        things=torch.stack([sounding.weights for sounding in played]),
    )
    return np.asarray(output.logits[:, 0].sigmoid())


def _right(mask: NDArray[np.bool_], instances: NDArray[np.uint8], sounding: Sounding, present: dict[int, int]) -> float:
    inside = {order: float((mask & (instances == order)).sum()) for order in present}
    others = max((inside[order] for order in present if order not in sounding.instances), default=0.0)
    return float(max(inside.get(order, 0.0) for order in sounding.instances) > others)
