"""Token vectors of a frozen encoder for all texts of a retrieval set, stored in half precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, param

if TYPE_CHECKING:
    from torch import Tensor

    from methods.common.minilm import Encoder


@dataclass(frozen=True)
class Texts:
    """Texts of one kind as a ranker sees them, one row each.

    Attributes:
        data: Unit token vectors, shape (n, L, P), or token ids, shape (n, L).
        mask: 1 for tokens, shape (n, L).
        cut: Texts that were longer than L tokens.
    """

    data: Tensor
    mask: Tensor
    cut: int = 0


@dataclass(frozen=True)
class TokenSet:
    """Queries and passages of a retrieval set, in its order.

    Attributes:
        queries: L1 tokens each.
        passages: L2 tokens each.
    """

    queries: Texts
    passages: Texts


def token_ids(encoder: Encoder, texts: Sequence[str], length: int) -> Texts:
    """Token ids with special tokens, cut and padded on the right to exactly ``length``.

    An empty text keeps its special tokens, so that every text has a vector.
    """
    import torch

    # One token more than fits shows which texts are cut, without tokenising them in full.
    counted = encoder.tokenizer(list(texts), truncation=True, max_length=length + 1)["input_ids"]
    made = encoder.tokenizer(
        list(texts), truncation=True, max_length=length, padding="max_length", return_tensors="pt"
    )
    cut = sum(len(row) > length for row in counted)
    return Texts(made["input_ids"], made["attention_mask"].to(torch.float32), cut)


def encode(encoder: Encoder, texts: Texts, *, batch: int = 64) -> Tensor:
    """Unit token vectors of the last layer, zero at padding, shape (n, L, P), on the CPU.

    Columns of padding are left out, which changes only rounding. Texts are read where the encoder is.
    """
    import torch

    from methods.common.fixed_batches import fixed_batches
    from methods.lite.tokens import unit_tokens

    device = encoder.model.device
    count, longest = texts.data.shape
    lengths = texts.mask.sum(1).clamp(min=1).int().tolist()
    vectors = torch.zeros(count, longest, encoder.model.config.hidden_size)
    with torch.inference_mode():
        for part in fixed_batches(lengths, batch, room=longest):
            rows, chosen = torch.tensor(part.of(range(count))), torch.tensor(part.chosen)
            ids, mask = texts.data[rows, : part.width].to(device), texts.mask[rows, : part.width].to(device)
            hidden = encoder.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            vectors[chosen, : part.width] = unit_tokens(hidden, mask)[: len(chosen)].cpu()
    return vectors


def leading_directions(vectors: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The ``dim`` directions that keep most of token vectors' products, shape (P, dim).

    Leading eigenvectors of the uncentred second moment, so that S = Q Dᵀ changes least.
    """
    import torch

    tokens = vectors[mask > 0].double()
    _, found = torch.linalg.eigh(tokens.T @ tokens)
    # eigh sorts its eigenvalues in ascending order.
    basis: Tensor = found[:, -dim:].flip(1).float().contiguous()
    return basis


@dataclass(frozen=True, kw_only=True)
class TokenVectors(Artifact):
    """Token vectors of all queries and passages, projected to fewer dimensions.

    Attributes:
        data: The retrieval set.
        encoder: The frozen encoder.
    """

    title: ClassVar[str] = "token vectors of a retrieval set"

    data: Reference
    encoder: Reference
    l1: int = param(32, source="ours; paper, section 4, has 30", doc="tokens of a query")
    l2: int = param(64, source="ours; paper, section 4, has 200", doc="tokens of a passage")
    dim: int = param(96, source="ours", doc="dimensions kept; leading directions of training passages")
    sample: int = param(1500, source="ours", doc="passages of training queries that choose the directions")

    def build(self, folder: Path, ctx: Context) -> None:
        """Encode, project, normalise again, and store as float16."""
        import torch
        from safetensors.torch import save_file

        from methods.lite.passages import TRAIN
        from methods.lite.tokens import unit_tokens

        # A private copy on a GPU: the shared one stays where others expect it.
        encoder = ctx.load(self.encoder, fresh=ctx.device != "cpu")
        encoder.model.to(ctx.device)
        data = ctx.load(self.data)
        queries = token_ids(encoder, [query.text for query in data.queries], self.l1)
        passages = token_ids(encoder, [passage.text for passage in data.passages], self.l2)
        ctx.progress(0.05, "tokens")
        long = encode(encoder, passages)
        ctx.progress(0.7, "passages")
        seen = {name for query in data.split(TRAIN) for name in query.candidates}
        rows = torch.tensor([i for i, p in enumerate(data.passages) if p.id in seen])
        picks = rows[torch.linspace(0, len(rows) - 1, min(self.sample, len(rows))).long()]
        basis = leading_directions(long[picks], passages.mask[picks], self.dim)
        stored: dict[str, Any] = {"basis": basis}
        short = encode(encoder, queries)
        for name, vectors, texts in (("queries", short, queries), ("passages", long, passages)):
            stored[name] = unit_tokens(vectors @ basis, texts.mask).half()
            stored[f"{name}.mask"] = texts.mask.bool()
            stored[f"{name}.cut"] = torch.tensor(texts.cut)
        save_file(stored, folder / "vectors.safetensors")

    def load(self, path: Path) -> TokenSet:
        """The vectors, as float32."""
        from safetensors.torch import load_file

        found = load_file(path / "vectors.safetensors")

        def texts(name: str) -> Texts:
            return Texts(found[name].float(), found[f"{name}.mask"].float(), int(found[f"{name}.cut"]))

        return TokenSet(texts("queries"), texts("passages"))
