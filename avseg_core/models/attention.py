"""Multi-head attention that stays fused unless somebody needs to see the attention map."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AttentionMap = Literal["none", "softmax", "raw"]
"""What to return beside the result: nothing, the head mean of the probabilities, or of QK^T / sqrt(d)."""


class MultiHeadAttention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V per head, with input and output projections."""

    def __init__(self, dim: int, heads: int, *, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q = nn.Linear(dim, dim, bias=bias)
        self.kv = nn.Linear(dim, 2 * dim, bias=bias)
        self.out = nn.Linear(dim, dim, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Xavier-uniform; q, k and v share the bound of one packed [3D,D] matrix, as in the releases."""
        dim = self.q.in_features
        bound = math.sqrt(6 / (dim + 3 * dim))
        nn.init.uniform_(self.q.weight, -bound, bound)
        nn.init.uniform_(self.kv.weight, -bound, bound)
        nn.init.xavier_uniform_(self.out.weight)
        for linear in (self.q, self.kv, self.out):
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(
        self, queries: Tensor, memory: Tensor, attention_map: AttentionMap = "none"
    ) -> tuple[Tensor, Tensor | None]:
        """queries [N,Q,D], memory [N,L,D] -> (result [N,Q,D], attention map [N,Q,L] or None)."""
        q = self._split(self.q(queries))  # [N,heads,Q,d]
        k, v = (self._split(part) for part in self.kv(memory).chunk(2, dim=-1))  # [N,heads,L,d]
        dropout = self.dropout if self.training else 0.0
        seen: Tensor | None = None
        if attention_map == "none":
            mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        else:
            raw = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # [N,heads,Q,L]
            weights = F.dropout(raw.softmax(dim=-1), dropout)
            seen = (raw if attention_map == "raw" else weights).mean(dim=1)
            mixed = weights @ v
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result, seen

    def _split(self, tokens: Tensor) -> Tensor:
        """[N,T,D] -> [N,heads,T,D/heads]."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def xavier_(module: nn.Module) -> None:
    """Xavier-uniform on every weight of more than one dimension, the releases' start for the head."""
    with torch.no_grad():
        for weight in module.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
