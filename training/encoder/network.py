"""The encoder as a torch module: multilingual-e5-small's layers over a smaller vocabulary, and the heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.encoder.packed import PackedModel

HEADS = 12
EPSILON = 1e-12


class Layer(nn.Module):
    """Self-attention and feed-forward, each with its sum and norm after it, as BERT has them."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))
        self.attended = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, EPSILON)
        self.inner, self.outer = nn.Linear(hidden, inner), nn.Linear(inner, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`x`: (texts, tokens, hidden); `mask`: (texts, 1, 1, tokens), True where a token may be seen; None: all."""
        texts, tokens, hidden = x.shape
        q, k, v = (
            each(x).view(texts, tokens, HEADS, hidden // HEADS).transpose(1, 2)
            for each in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)
        x = self.attention_norm(x + self.dropout(self.attended(seen.reshape(texts, tokens, hidden))))
        return self.norm(x + self.dropout(self.outer(functional.gelu(self.inner(x)))))


class EncoderNetwork(nn.Module):
    """Token ids to one vector of length 1 a text."""

    def __init__(self, vocabulary: int, *, hidden: int = 384, inner: int = 1536, layers: int = 12) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(512, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)
        self.layers = nn.ModuleList(Layer(hidden, inner) for _ in range(layers))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """`ids` and `mask` (True at a token, False beyond): (texts, tokens). Returns (texts, hidden); zeros for a text
        of no tokens."""
        kept = mask[:, :, None].float()
        return functional.normalize((self.hidden(ids, mask)[-1].float() * kept).sum(1), dim=-1)

    def hidden(self, ids: Tensor, mask: Tensor | None) -> list[Tensor]:
        """The output of every layer, (texts, tokens, hidden). Without a mask every token counts."""
        x = self.norm(self.words(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device)))
        # A text of no tokens sees its padding, for attention over nothing is no number.
        seen = None if mask is None else (mask | ~mask.any(1, keepdim=True))[:, None, None, :]
        outputs: list[Tensor] = []
        for layer in self.layers:
            x = layer(x, seen)
            outputs.append(x)
        return outputs


class Reader(nn.Module):
    """An encoder with heads: lines, and the vectors of what was said before, to logits."""

    def __init__(self, encoder: EncoderNetwork, outputs: int) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, HeadsNetwork(outputs)

    def forward(self, line: tuple[Tensor, Tensor], before: Tensor, flags: Tensor) -> Tensor:
        """`line`: ids and mask; `before`: (lines, 2, hidden), the latest turn first, zeros where there is none;
        `flags`: (lines, 5)."""
        logits: Tensor = self.heads(torch.cat([self.encoder(*line)[:, None], before], dim=1), flags)
        return logits


def from_packed(model: PackedModel, kept: list[int]) -> EncoderNetwork:
    """The original's weights, for the pieces that stay. The one type of segment in use is added to the positions."""
    tensors = {name: torch.tensor(values) for name, values in model.tensors.items()}
    encoder = EncoderNetwork(len(kept), layers=model.sizes["layers"])
    state = {
        "words.weight": tensors["emb.word"][kept],
        "positions.weight": tensors["emb.pos"] + tensors["emb.type"][: model.sizes["hidden"]],
        "norm.weight": tensors["emb.ln.w"],
        "norm.bias": tensors["emb.ln.b"],
    }
    names = {"query": "q", "key": "k", "value": "v", "attended": "ao", "attention_norm": "aln"}
    names |= {"inner": "fi", "outer": "fo", "norm": "oln"}
    for number in range(model.sizes["layers"]):
        for ours, theirs in names.items():
            state[f"layers.{number}.{ours}.weight"] = tensors[f"l{number}.{theirs}.w"]
            state[f"layers.{number}.{ours}.bias"] = tensors[f"l{number}.{theirs}.b"]
    encoder.load_state_dict(state)
    return encoder


class HeadsNetwork(nn.Module):
    """What a line means for us, from its vector and those of the two turns before it.

    `place`: (lines, 3, hidden), the line first, then what came before it, the latest first; a turn that is not there
    is all zeros. `flags`: (lines, 5): whether the line's speaker is the agent, whether each turn before is there, and
    whether it is the agent's. Returns one row of logits a line, in the order of `OUTPUTS`.
    """

    def __init__(self, outputs: int, *, hidden: int = 384, width: int = 512) -> None:
        super().__init__()
        self.alone = nn.Linear(hidden, outputs)
        self.inner = nn.Linear(3 * hidden + 5, width)
        self.outer = nn.Linear(width, outputs)
        self.dropout = nn.Dropout(0.1)

    def forward(self, place: Tensor, flags: Tensor) -> Tensor:
        """Logits, shape (lines, outputs), of the inputs that the class describes."""
        scaled = place * place.shape[-1] ** 0.5
        inner = functional.gelu(self.inner(torch.cat([scaled.flatten(1), flags], dim=1)), approximate="tanh")
        return self.alone(self.dropout(scaled[:, 0])) + self.outer(self.dropout(inner))
