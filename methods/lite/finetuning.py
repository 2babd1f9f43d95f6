"""Re-ranking with an encoder that is trained, too: texts are token ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, Scores, param
from methods.common.minilm import MINILM
from methods.lite.task import Ranking, RankingProblem, Reranking, lists_of, on_device, rows_of

if TYPE_CHECKING:
    from methods.common.minilm import Encoder
    from methods.lite.passages import RetrievalSet
    from methods.lite.prepare import TokenSet


@dataclass(frozen=True, kw_only=True)
class TokenIds(Artifact):
    """Token ids of all queries and passages of a set, at fixed lengths.

    Attributes:
        data: The retrieval set.
        encoder: Whose tokenizer.
    """

    title: ClassVar[str] = "token ids of a retrieval set"

    data: Reference
    encoder: Reference = MINILM
    l1: int = param(30, source="paper, section 4", doc="tokens of a query")
    l2: int = param(200, source="paper, section 4", doc="tokens of a passage")

    def build(self, folder: Path, ctx: Context) -> None:
        """Tokenise all texts."""
        import torch
        from safetensors.torch import save_file

        from methods.lite.prepare import token_ids

        encoder, data = ctx.load(self.encoder), ctx.load(self.data)
        stored: dict[str, torch.Tensor] = {}
        for name, items, length in (
            ("queries", data.queries, self.l1),
            ("passages", data.passages, self.l2),
        ):
            found = token_ids(encoder, [item.text for item in items], length)
            stored[name], stored[f"{name}.mask"] = found.data, found.mask.bool()
            stored[f"{name}.cut"] = torch.tensor(found.cut)
        save_file(stored, folder / "ids.safetensors")

    def load(self, path: Path) -> TokenSet:
        """The ids."""
        from safetensors.torch import load_file

        from methods.lite.prepare import Texts, TokenSet

        found = load_file(path / "ids.safetensors")

        def texts(name: str) -> Texts:
            return Texts(found[name], found[f"{name}.mask"].float(), int(found[f"{name}.cut"]))

        return TokenSet(texts("queries"), texts("passages"))


@dataclass(frozen=True, kw_only=True)
class FineTuning(Reranking):
    """Re-rank candidates with an encoder that may be trained, also those of other sets.

    Attributes:
        vectors: Token *ids* of the set, in place of vectors.
        encoder: The encoder to start from.
        elsewhere: Further sets with their token ids, never trained on; their test queries (or
            zero-shot ones) count as zero-shot.
    """

    encoder: Reference = MINILM
    elsewhere: tuple[tuple[Reference, Reference], ...] = ()

    def problem(self, ctx: Context) -> RankingProblem:
        """Token ids, and a fresh encoder for each method."""
        from methods.common.minilm import load_encoder

        encoder: Encoder = ctx.load(self.encoder)

        def fresh() -> Any:
            return load_encoder(encoder.folder).model.to(ctx.device)

        return self.posed(ctx, self.texts(ctx), int(encoder.model.config.hidden_size), fresh)

    def evaluate(self, result: Ranking, ctx: Context) -> Scores:
        """As on the set itself, with the queries of other sets among the zero-shot ones."""
        parts: dict[str, Any] = dict(super().evaluate(result, ctx).parts)
        if ctx.stage == "tune":
            return Scores(parts)
        for reference, ids in self.elsewhere:
            data: RetrievalSet = ctx.load(reference)
            queries = data.split("test", "zero-shot")
            if not result.knows([query.id for query in queries]):
                continue
            texts = on_device(ctx.load(ids), ctx.device)
            rows = rows_of(queries, result.rank(texts, lists_of(queries, data)))
            before = parts.get("zero-shot", {name: [] for name in rows})
            parts["zero-shot"] = {name: [*before[name], *rows[name]] for name in rows}
        return Scores(parts)
