"""Audio queries and learnable queries (paper section 3.5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avseg_core.config import ModelConfig
from avseg_core.models.attention import MultiHeadAttention, xavier_


class Queries(nn.Module):
    """What the decoder starts from: audio queries, plus learnable queries if wanted."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.count = config.num_queries
        self.generator = None if config.query_generator == "repeat" else QueryGenerator(config)
        self.learnable: nn.Parameter | None = None
        if config.learnable_queries:
            self.learnable = nn.Parameter(torch.empty(config.num_queries, config.embed_dim))
            nn.init.xavier_uniform_(self.learnable)

    def forward(self, audio: Tensor) -> Tensor:
        """audio [N,D] -> queries [N,Q,D]."""
        queries = self.generator(audio) if self.generator else audio[:, None].expand(-1, self.count, -1)
        return queries if self.learnable is None else queries + self.learnable


class QueryGenerator(nn.Module):
    """V2's generator: its own learnable queries, told of the sound layer by layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(config.num_queries, config.embed_dim))
        nn.init.xavier_uniform_(self.query)
        self.layers = nn.ModuleList(QueryGeneratorLayer(config) for _ in range(config.query_generator_layers))

    def forward(self, audio: Tensor) -> Tensor:
        """audio [N,D] -> [N,Q,D]."""
        # One batch entry until the sound comes in: the first self-attention is the same for all frames.
        queries = self.query[None]
        for layer in self.layers:
            queries = layer(queries, audio)
        return queries.expand(len(audio), -1, -1)


class QueryGeneratorLayer(nn.Module):
    """Self-attention (unless left out), cross-attention to the sound, feed-forward; each with residual and norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, hidden = config.embed_dim, 4 * config.embed_dim
        self.self_attention: MultiHeadAttention | None = None
        if config.query_generator == "attention":
            self.self_attention = MultiHeadAttention(dim, config.num_heads, bias=False)
            self.norm1 = nn.LayerNorm(dim)
        self.audio_attention = OneKeyAttention(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        xavier_(self.linear1)
        xavier_(self.linear2)
        self.norm3 = nn.LayerNorm(dim)

    def forward(self, queries: Tensor, audio: Tensor) -> Tensor:
        """queries [1 or N,Q,D], audio [N,D] -> [N,Q,D]."""
        if self.self_attention is not None:
            queries = self.norm1(queries + self.self_attention(queries, queries)[0])
        queries = self.norm2(queries + self.audio_attention(audio))
        return self.norm3(queries + self.linear2(F.gelu(self.linear1(queries))))


class OneKeyAttention(nn.Module):
    """Cross-attention to one key: its softmax is 1 whatever the query, so W_o W_v a is what every query receives."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.value = nn.Linear(dim, dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        xavier_(self)

    def forward(self, audio: Tensor) -> Tensor:
        """audio [N,D] -> what is added to all queries (or pixels), [N,1,D]."""
        return self.out(self.value(audio))[:, None]
