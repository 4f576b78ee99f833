"""Transformer decoder (paper section 3.5): the queries gather from the encoder's memory what belongs to the sound."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import AttentionMap, MultiHeadAttention
from avseg_core.models.encoder import FeedForward


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention to the memory, feed-forward; each followed by residual and norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, heads, dropout = config.embed_dim, config.num_heads, config.dropout
        self.self_attention = MultiHeadAttention(dim, heads, dropout=dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attention = MultiHeadAttention(dim, heads, dropout=dropout)
        self.norm2 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, config.ffn_dim, dropout)
        self.norm3 = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, memory: Tensor, attention_map: AttentionMap) -> tuple[Tensor, Tensor | None]:
        """queries [N,Q,D], memory [N,L,D] -> (queries [N,Q,D], map of the cross-attention [N,Q,L] or None)."""
        queries = self.norm1(queries + self.dropout(self.self_attention(queries, queries)[0]))
        found, seen = self.cross_attention(queries, memory, attention_map)
        queries = self.norm2(queries + self.dropout(found))
        return self.norm3(queries + self.ffn(queries)), seen


class Decoder(nn.Module):
    """A stack of decoder layers; neither queries nor memory get a position code here."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))

    def forward(
        self, queries: Tensor, memory: Tensor, attention_map: AttentionMap = "none"
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """queries [N,Q,D], memory [N,L,D] -> (output queries [N,Q,D], per layer (its queries, its map [N,Q,L])).

        The list is empty for `attention_map="none"`.
        """
        steps: list[tuple[Tensor, Tensor]] = []
        for layer in self.layers:
            queries, seen = layer(queries, memory, attention_map)
            if seen is not None:
                steps.append((queries, seen))
        return torch.as_tensor(queries), steps
