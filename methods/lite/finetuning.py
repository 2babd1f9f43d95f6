"""Re-ranking with an encoder that is trained, too: texts are token ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.method import Context, Reference, Scores, param
from methods.common.minilm import MINILM
from methods.lite.task import Ranking, RankingProblem, Reranking, lists_of, rows_of

if TYPE_CHECKING:
    from methods.common.minilm import Encoder
    from methods.lite.passages import RetrievalSet
    from methods.lite.prepare import TokenSet


@dataclass(frozen=True, kw_only=True)
class FineTuning(Reranking):
    """Re-rank candidates with an encoder that may be trained, also those of other sets.

    Attributes:
        encoder: The encoder to start from.
        elsewhere: Further sets, never trained on; their test queries (or zero-shot ones) count as
            zero-shot.
    """

    vectors: Reference = MINILM
    encoder: Reference = MINILM
    elsewhere: tuple[Reference, ...] = ()
    l1: int = param(30, source="section 4", doc="tokens of a query")
    l2: int = param(200, source="section 4", doc="tokens of a passage")

    def problem(self, ctx: Context) -> RankingProblem:
        """Token ids, and a fresh encoder for each method."""
        from methods.common.minilm import load_encoder

        encoder: Encoder = ctx.load(self.encoder)
        width = int(encoder.model.config.hidden_size)

        def fresh() -> Any:
            return load_encoder(encoder.folder).model.to(ctx.device)

        return self.posed(ctx, self.texts(ctx), (self.l1, self.l2), width, fresh)

    def texts(self, ctx: Context) -> TokenSet:
        """Token ids of all texts of the set."""
        return self._tokens(ctx, ctx.load(self.data))

    def _tokens(self, ctx: Context, data: RetrievalSet) -> TokenSet:
        from methods.lite.prepare import Texts, TokenSet, token_ids

        encoder: Encoder = ctx.load(self.encoder)

        def ids(texts: list[str], length: int) -> Texts:
            found = token_ids(encoder, texts, length)
            return Texts(found.data.to(ctx.device), found.mask.to(ctx.device), found.cut)

        return TokenSet(
            ids([query.text for query in data.queries], self.l1),
            ids([passage.text for passage in data.passages], self.l2),
        )

    def evaluate(self, result: Ranking, ctx: Context) -> Scores:
        """As on the set itself, with the queries of other sets among the zero-shot ones."""
        parts: dict[str, Any] = dict(super().evaluate(result, ctx).parts)
        if ctx.stage == "tune":
            return Scores(parts)
        for reference in self.elsewhere:
            data: RetrievalSet = ctx.load(reference)
            queries = data.split("test", "zero-shot")
            if not result.knows([query.id for query in queries]):
                continue
            rows = rows_of(queries, result.rank(self._tokens(ctx, data), lists_of(queries, data)))
            before = parts.get("zero-shot", {name: [] for name in rows})
            parts["zero-shot"] = {name: [*before[name], *rows[name]] for name in rows}
        return Scores(parts)
