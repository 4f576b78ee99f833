"""Whether anything in the picture makes the sound at all, decided for the whole frame and apart from where it is.

A mask learnt from silent frames, too, hedges: where the sounding thing might as well be off screen, all its pixels turn
pale and some drop out. With the gate the mask says where the sound would come from, and the gate whether it does: no
pixel is surer than the frame as a whole. Neither AVSegFormer's paper nor its code has such a box.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PATCH = 16
"""Pixels of a side of what counts as a place: single pixels may be sure of anything."""
_OPEN = 6.0
_SURE = 10.0


class Gate(nn.Module):
    """A logit per frame from the decoder's queries and the surest place of the mask."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * dim + 1, dim)
        self.decide = nn.Linear(dim, 1)
        nn.init.zeros_(self.decide.weight)  # starts out open: as the model without it
        nn.init.constant_(self.decide.bias, _OPEN)

    def forward(self, queries: Tensor, logits: Tensor) -> Tensor:
        """queries [N,Q,D] after the decoder, logits [N,C,H,W] of `AVSOutput` -> logit that something sounds [N]."""
        surest = F.avg_pool2d(_over_background(logits), _PATCH).amax(dim=(1, 2, 3)).clamp(-_SURE, _SURE)
        known = torch.cat([queries.mean(dim=1), queries.amax(dim=1), surest[:, None]], dim=1)
        decided: Tensor = self.decide(F.relu(self.hidden(known)))
        return decided[:, 0]


def close(logits: Tensor, gate: Tensor) -> Tensor:
    """logits [N,C,H,W], none of them surer against the background than the gate's [N]."""
    over = torch.minimum(_over_background(logits), gate.view(-1, 1, 1, 1))
    return over if logits.shape[1] == 1 else torch.cat([logits[:, :1], logits[:, :1] + over], dim=1)


def _over_background(logits: Tensor) -> Tensor:
    """The logit of each class against the background [N,C-1 or 1,H,W]."""
    return logits if logits.shape[1] == 1 else logits[:, 1:] - logits[:, :1]
