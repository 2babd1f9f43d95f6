"""Late interaction for token vectors of any encoder: the suite's scorers, to be trained, kept and called.

:class:`LateInteraction` is what libraries of late-interaction models call with the vectors of a batch, in
place of their MaxSim: ``similarity_fct`` of sentence-transformers' losses for its ``MultiVectorEncoder``,
``score_metric`` of PyLate's. Itself it scores the lists of a distillation; :class:`Pairs` and
:class:`InBatch` are the other two forms. All are modules, so that a trainer finds the scorer's weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.draws import seeded
from methods.lite.prepare import Texts
from methods.lite.ranker import AT_ONCE, Ranker, Reduction, Tower
from methods.lite.scorers import Scorer
from methods.lite.scoring import NamedScorer
from methods.lite.tokens import fixed_length, slices, unit_tokens

ScorerName = Literal["de", "de-cls", "maxsim", "knrm", "lite", "lite-flat"]
CONFIG, WEIGHTS = "late_interaction.json", "late_interaction.safetensors"


@dataclass(frozen=True, kw_only=True)
class LateOptions:
    """What a late interaction is made for.

    Attributes:
        dim: Dimension of the token vectors, P.
        scorer: One of the suite's scorers; ``lite`` is separable LITE (card, section 3.2).
        query_tokens: Vectors of a query, L1: longer ones are cut, shorter ones padded with zeros.
        document_tokens: The same of a document, L2.
        vectors: Vectors that are kept of a document; 0 keeps all.
        reduction: How they become fewer (card, section 3.4).
        project: Learn a linear map of query tokens, which starts as the identity.
        scale: Learn scale and offset of dot product and MaxSim.
        top_k: Matches that MaxSim sums for each query token.
        factor: Hidden widths of LITE over the lengths of its axes; 12 in the paper.
        width: Hidden width of flattened LITE.
        out_norm: ReLU and LayerNorm after LITE's second layers.
        seed: Of the first weights.
        encoder: Identity of the encoder whose vectors it was trained on, if that stays as it is.
    """

    SCORERS: ClassVar[tuple[str, ...]] = ("de", "de-cls", "maxsim", "knrm", "lite", "lite-flat")

    dim: int
    scorer: ScorerName = "lite"
    query_tokens: int = 32
    document_tokens: int = 128
    vectors: int = 0
    reduction: Reduction = "block-mean"
    project: bool = True
    scale: bool = True
    top_k: int = 1
    factor: int = 4
    width: int = 128
    out_norm: bool = True
    seed: int = 0
    encoder: str = ""

    def __post_init__(self) -> None:
        """Refuse what no scorer can be made for."""
        if self.scorer not in self.SCORERS:
            raise ProblemError(
                f"There is no scorer '{self.scorer}'",
                where="scorer",
                fix=f"One of {', '.join(self.SCORERS)}.",
            )
        for name in ("dim", "query_tokens", "document_tokens", "factor", "width"):
            if getattr(self, name) < 1:
                raise ProblemError(f"{getattr(self, name)} is below 1", where=name, fix="Give at least 1.")
        if not 0 <= self.vectors <= self.document_tokens:
            raise ProblemError(
                f"{self.vectors} vectors cannot be kept of {self.document_tokens}",
                where="vectors",
                fix="Keep 1 to as many as a document has tokens; 0 keeps all.",
            )

    @property
    def stored(self) -> int:
        """Document vectors that the scorer sees."""
        return self.vectors or self.document_tokens

    @property
    def reduced_by(self) -> Reduction:
        """The reduction, if there is one."""
        return self.reduction if self.vectors else "none"


class Ranked(TypedDict):
    """A document and its score, as ``pylate.rank.rerank`` gives them."""

    id: int | str
    score: float


class LateInteraction(nn.Module):
    """A scorer of token vectors, with what precedes it: query projection and fewer document vectors.

    Vectors are normalised, tokens that are masked are left out (the others move up), and texts padded or cut
    to the lengths of the options: LITE sees positions, so they must mean the same in training and afterwards.

    Args:
        options: What it is made for.
        scorer: One of your own, made for ``query_tokens`` and ``stored`` vectors; it is not kept by
            :meth:`save_pretrained`.
    """

    def __init__(self, options: LateOptions, scorer: Scorer | None = None) -> None:
        super().__init__()
        self.options = options
        self._own = scorer is not None
        with seeded(options.seed):
            if scorer is None:
                scorer = _scorer(options)
            self.ranker = Ranker(
                Tower(options.dim, project=options.project),
                scorer,
                reduction=options.reduced_by,
                doc_tokens=options.vectors,
                l2=options.document_tokens,
            )

    def forward(
        self,
        queries_embeddings: Tensor,
        documents_embeddings: Tensor,
        queries_mask: Tensor | None = None,
        documents_mask: Tensor | None = None,
    ) -> Tensor:
        """Scores of n documents of each query, for distillation.

        Args:
            queries_embeddings: Shape (Q, any length, P).
            documents_embeddings: Shape (Q, n, any length, P).
            queries_mask: 1 or true for tokens, shape (Q, any length); without it vectors of zeros are none.
            documents_mask: The same of documents, shape (Q, n, any length).

        Returns:
            Shape (Q, n).
        """
        q = self._fitted(queries_embeddings, queries_mask, self.options.query_tokens)
        d = self._fitted(documents_embeddings, documents_mask, self.options.document_tokens)
        scores: Tensor = self.ranker(q, d)
        return scores

    def of_all(
        self,
        queries_embeddings: Tensor,
        documents_embeddings: Tensor,
        queries_mask: Tensor | None = None,
        documents_mask: Tensor | None = None,
    ) -> Tensor:
        """Scores of n documents for each of Q queries, from (Q, ., P) and (n, ., P), shape (Q, n)."""
        q = self._fitted(queries_embeddings, queries_mask, self.options.query_tokens)
        d = self._fitted(documents_embeddings, documents_mask, self.options.document_tokens)
        asked = self.ranker.tower.queries(q.data, q.mask)
        stored, mask = self.ranker.documents(d.data, d.mask)
        # One query at a time: all at once would copy the documents for each.
        rows = [
            self.ranker.scorer.candidates(one[None], stored[None], shown[None], mask[None])
            for one, shown in zip(asked, q.mask, strict=True)
        ]
        return torch.cat(rows)

    @torch.inference_mode()
    def scores(self, query: Tensor, documents: Sequence[Tensor]) -> Tensor:
        """Scores of documents for one query, from token matrices of any lengths, shape (n,)."""
        device = next((p.device for p in self.parameters()), torch.device("cpu"))
        dim, found = self.options.dim, [torch.zeros(0)]
        q, q_mask, _ = fixed_length([query.float().cpu()], self.options.query_tokens, width=dim)
        for part in slices(len(documents), 4 * AT_ONCE):
            matrices = [matrix.float().cpu() for matrix in documents[part]]
            d, d_mask, _ = fixed_length(matrices, self.options.document_tokens, width=dim)
            parts = (tensor.to(device) for tensor in (q, d, q_mask, d_mask))
            found.append(self.of_all(*parts)[0].cpu())
        return torch.cat(found)

    def similarity(self, queries: Sequence[Tensor] | Tensor, documents: Sequence[Tensor]) -> Tensor:
        """Scores of all pairs, shape (Q, n); one matrix alone counts as one query, as in evaluators."""
        many = [queries] if isinstance(queries, Tensor) and queries.ndim == 2 else queries
        return torch.stack([self.scores(query, documents) for query in many])

    def rerank(
        self,
        documents_ids: Sequence[Sequence[int | str]],
        queries_embeddings: Sequence[Any],
        documents_embeddings: Sequence[Sequence[Any]],
    ) -> list[list[Ranked]]:
        """What ``pylate.rank.rerank`` does, by this score: each query's documents, best first.

        Equal scores keep the order of the input.
        """
        results = []
        for ids, query, documents in zip(
            documents_ids, queries_embeddings, documents_embeddings, strict=True
        ):
            scores = self.scores(_tensor(query), [_tensor(document) for document in documents])
            order = torch.argsort(-scores, stable=True).tolist()
            results.append([Ranked(id=ids[row], score=float(scores[row])) for row in order])
        return results

    def save_pretrained(self, folder: str | Path) -> None:
        """Keep options and weights in a folder, which is made: JSON and safetensors.

        Raises:
            ProblemError: If the scorer is not one of the suite's.
        """
        if self._own:
            raise ProblemError(
                "A scorer of your own cannot be opened by its name",
                where=type(self.ranker.scorer).__name__,
                fix="Keep its state_dict() as safetensors yourself.",
            )
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        weights = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        save_file(weights, place / WEIGHTS)
        text = json.dumps({"format": 1, **asdict(self.options)}, indent=2)
        (place / CONFIG).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> LateInteraction:
        """The late interaction that a folder holds, in evaluation mode.

        Raises:
            ProblemError: If the folder holds none, or one of another format.
        """
        made = cls(_options(Path(folder)))
        made.take_up(folder)
        return made.eval()

    def take_up(self, folder: str | Path) -> None:
        """Take the weights that a folder holds.

        Raises:
            ProblemError: If they cannot be read, or are of another shape.
        """
        path = Path(folder) / WEIGHTS
        try:
            self.load_state_dict(load_file(path))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise ProblemError(
                f"The scorer's weights cannot be read: {str(error).splitlines()[0]}",
                where=str(path),
                fix="Save it again with save_pretrained().",
            ) from error

    def _fitted(self, vectors: Tensor, mask: Tensor | None, length: int) -> Texts:
        """Unit vectors without gaps, of exactly ``length`` rows, and their mask."""
        if vectors.shape[-1] != self.options.dim:
            raise ProblemError(
                f"Token vectors have {vectors.shape[-1]} dimensions; the scorer is for {self.options.dim}",
                where="LateInteraction",
                fix="Use the encoder that it was made for.",
            )
        shown = (vectors != 0).any(-1) if mask is None else mask.bool()
        order = torch.argsort((~shown).to(torch.uint8), dim=-1, stable=True)[..., :length]
        kept = shown.gather(-1, order)
        moved = vectors.gather(-2, order.unsqueeze(-1).expand(*order.shape, vectors.shape[-1]))
        short = length - order.shape[-1]
        kept = nn.functional.pad(kept.to(torch.float32), (0, short))
        moved = nn.functional.pad(moved.to(torch.float32), (0, 0, 0, short))
        return Texts(unit_tokens(moved, kept), kept)


class Pairs(nn.Module):
    """Scores of B queries with a document each, for margin-MSE losses: (B, ., P) twice give (B,)."""

    def __init__(self, late: LateInteraction) -> None:
        super().__init__()
        self.late = late

    def forward(
        self,
        queries_embeddings: Tensor,
        documents_embeddings: Tensor,
        queries_mask: Tensor | None = None,
        documents_mask: Tensor | None = None,
    ) -> Tensor:
        """Scores, shape (B,)."""
        mask = None if documents_mask is None else documents_mask.unsqueeze(1)
        scores: Tensor = self.late(queries_embeddings, documents_embeddings.unsqueeze(1), queries_mask, mask)
        return scores.squeeze(1)


class InBatch(nn.Module):
    """Scores of Q queries with all documents of the batch, for contrastive losses.

    (Q, ., P) and (G, n, ., P) give (Q, G · n), the documents of the first group first.
    """

    def __init__(self, late: LateInteraction) -> None:
        super().__init__()
        self.late = late

    def forward(
        self,
        queries_embeddings: Tensor,
        documents_embeddings: Tensor,
        queries_mask: Tensor | None = None,
        documents_mask: Tensor | None = None,
    ) -> Tensor:
        """Scores, shape (Q, G · n)."""
        mask = None if documents_mask is None else documents_mask.flatten(0, 1)
        return self.late.of_all(queries_embeddings, documents_embeddings.flatten(0, 1), queries_mask, mask)


def _scorer(options: LateOptions) -> Scorer:
    named = NamedScorer(
        scorer=options.scorer,
        scale=options.scale,
        top_k=options.top_k,
        factor=options.factor,
        width=options.width,
        out_norm=options.out_norm,
    )
    return named.scorer_for(options.query_tokens, options.stored)


def _options(folder: Path) -> LateOptions:
    path = folder / CONFIG
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("format") != 1:
            raise ProblemError("The scorer's format is not known", where=str(path), fix="Update Corroborate.")
        return LateOptions(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProblemError(
            f"The folder holds no late interaction that can be read: {error}",
            where=str(path),
            fix=f"Give a folder of save_pretrained() or `corroborate lite train`, with {CONFIG}.",
        ) from error


def _tensor(values: Any) -> Tensor:
    return values if isinstance(values, Tensor) else torch.as_tensor(values, dtype=torch.float32)
