"""Teachers: cross-encoders whose scores of all candidates are computed once and stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import (
    Artifact,
    Checkpoints,
    Context,
    HubSource,
    Reference,
    Resource,
    ResourceError,
    param,
    reading_model,
)

if TYPE_CHECKING:
    from methods.lite.passages import Query

Known = Mapping[str, tuple[float, ...]]
"""Scores of each query's candidates, in their order, by query id."""


def save_teacher(folder: Path, scores: Known, card: Mapping[str, Any]) -> None:
    """Write ``scores.npz`` (float32) and ``card.json``."""
    import numpy as np

    names = sorted(scores)
    np.savez(
        folder / "scores.npz",
        ids=np.array(names),
        sizes=np.array([len(scores[name]) for name in names]),
        scores=np.array([score for name in names for score in scores[name]], dtype=np.float32),
    )
    (folder / "card.json").write_text(json.dumps(dict(card), indent=1) + "\n", encoding="utf-8")


def load_teacher(folder: Path) -> Known:
    """Read what :func:`save_teacher` wrote.

    Raises:
        ResourceError: If the file is missing or damaged.
    """
    import numpy as np

    try:
        with np.load(folder / "scores.npz", allow_pickle=False) as stored:
            ids, sizes, scores = stored["ids"].tolist(), stored["sizes"], stored["scores"]
    except (OSError, ValueError, KeyError) as error:
        raise ResourceError(
            f"The teacher's scores cannot be read: {error}",
            where=str(folder),
            fix="Remove the folder; they are then computed again.",
        ) from error
    parts = np.split(scores, sizes.cumsum()[:-1])
    return {name: tuple(part.tolist()) for name, part in zip(ids, parts, strict=True)}


def quality(queries: Sequence[Query], scores: Known) -> dict[str, float]:
    """MRR@10 of the teacher and of BM25 on some queries."""
    from methods.common.ranking import mrr, rank_queries

    ids, grades = [query.id for query in queries], [query.grades for query in queries]
    missed = [query.unretrieved for query in queries]
    found = {"teacher": [scores[name] for name in ids], "BM25": [query.bm25 for query in queries]}
    return {
        name: round(mrr()(rank_queries(ids, values, grades, unretrieved=missed)), 4)
        for name, values in found.items()
    }


def _card(data: Any, scores: Known, **more: Any) -> dict[str, Any]:
    """Quality on validation queries, if there are any, and what else is worth knowing."""
    validation = data.split("validation")
    return {"validation MRR@10": quality(validation, scores) if validation else {}, **more}


@dataclass(frozen=True, kw_only=True)
class Teacher(Artifact):
    """A cross-encoder fine-tuned on the training queries.

    Attributes:
        data: The retrieval set.
        encoder: The encoder that it starts from.
        joined: Upper layers that read query and passage together; all of them make the usual
            cross-encoder.
        queries: Training queries.
        negatives: Negatives of a query in an update.
        passes: Passes over the training queries.
        rate: Largest learning rate.
        l1: Tokens after which a query is cut.
        l2: Tokens after which a passage is cut.
        seed: Draws queries, order and negatives.
    """

    title: ClassVar[str] = "cross-encoder teacher and its scores"

    data: Reference
    encoder: Resource
    joined: int = param(1, source="ours", doc="layers that read both texts; the usual: all")
    queries: int = param(0, source="ours", doc="training queries; 0: all")
    negatives: int = param(3, source="ours", doc="negatives a query")
    passes: int = param(1, source="ours", doc="passes over the training queries")
    rate: float = param(1e-4, source="ours", doc="largest learning rate")
    l1: int = param(32, source="ours; paper, section 4, has 30", doc="tokens of a query")
    l2: int = param(64, source="ours; paper, section 4, has 200", doc="tokens of a passage")
    seed: int = param(0, source="ours")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Train, then score every candidate of every query."""
        import numpy as np

        from methods.lite.cross_training import PairCourse, PairScorer

        data = ctx.load(self.data)
        scorer = PairScorer(
            ctx.load(self.encoder, fresh=True),
            data,
            joined=self.joined,
            lengths=(self.l1, self.l2),
            device=ctx.device,
        )
        course = PairCourse(self.queries, self.negatives, rate=self.rate, passes=self.passes)
        rng = np.random.default_rng(self.seed)
        scorer.fit(
            data.split("train"),
            course,
            rng,
            lambda done, message: ctx.progress(0.5 * done, f"training, {message}"),
            ctx.checkpoints,
        )
        scores = scorer.score(data.queries, lambda done: ctx.progress(0.5 + 0.5 * done, "scores"))
        save_teacher(folder, scores, _card(data, scores, joined=self.joined))

    def load(self, path: Path) -> Known:
        """Scores by query id."""
        return load_teacher(path)


@dataclass(frozen=True)
class PairClassifier:
    """A given cross-encoder: a sequence classifier of ``transformers`` with one output."""

    tokenizer: Any
    model: Any

    def score(
        self,
        queries: Iterable[Query],
        texts: Callable[[Query], Sequence[str]],
        *,
        longest: int,
        device: str,
        batch: int = 128,
        checkpoints: Checkpoints | None = None,
    ) -> dict[str, tuple[float, ...]]:
        """Scores of all candidates, by query id."""
        import torch

        from methods.common.checkpoints import mapped

        model = self.model.to(device)

        def scored(query: Query) -> list[float]:
            passages = texts(query)
            scores: list[float] = []
            for start in range(0, len(passages), batch):
                part = list(passages[start : start + batch])
                tokens = self.tokenizer(
                    [query.text] * len(part),
                    part,
                    padding=True,
                    truncation="only_second",
                    max_length=longest,
                    return_tensors="pt",
                ).to(device)
                with torch.inference_mode():
                    scores += model(**tokens).logits.squeeze(-1).float().tolist()
            return scores

        asked = list(queries)
        found = mapped(checkpoints, "teacher scores", asked, scored)
        return {query.id: tuple(scores) for query, scores in zip(asked, found, strict=True)}


def load_pair_classifier(folder: Path) -> PairClassifier:
    """Load a cross-encoder from safetensors, without remote code.

    Raises:
        ResourceError: If there are no such weights, some are missing, or it has more than one output.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from methods.common.causal_lm import check_whole

    if not list(folder.glob("*.safetensors")):
        raise ResourceError(
            "The folder holds no safetensors weights",
            where=str(folder),
            fix="Save the model with save_pretrained(); pickled weights are not read.",
        )
    with reading_model(folder):
        loaded: Any = AutoModelForSequenceClassification.from_pretrained(
            folder,
            use_safetensors=True,
            output_loading_info=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model, report = loaded
    check_whole(report, folder)
    if model.config.num_labels != 1:
        raise ResourceError(
            f"The classifier has {model.config.num_labels} outputs, and a teacher gives one score",
            where=str(folder),
            fix="Bind a cross-encoder for ranking: --bind teacher=PATH.",
        )
    return PairClassifier(tokenizer, model.float().eval())


TEACHER = Resource(
    name="teacher",
    kind="model",
    licence="Apache-2.0",
    version="as of the source",
    sources=(HubSource(repo="cross-encoder/ms-marco-MiniLM-L6-v2"),),
    loader="methods.lite.teacher:load_pair_classifier",
    size_mb=91,
)
"""A public cross-encoder for MS MARCO; ``--bind teacher=PATH`` puts another in its place."""


@dataclass(frozen=True, kw_only=True)
class GivenTeacher(Artifact):
    """Scores of a given cross-encoder.

    Attributes:
        data: The retrieval set.
        model: The cross-encoder.
        longest: Tokens of query and passage together.
    """

    title: ClassVar[str] = "scores of a given cross-encoder"

    data: Reference
    model: Resource = TEACHER
    longest: int = param(256, source="ours", doc="tokens of both texts together")
    minutes: float = field(default=600.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Score every candidate of every query."""
        data = ctx.load(self.data)
        classifier: PairClassifier = ctx.load(self.model, fresh=True)
        scores = classifier.score(
            data.queries,
            data.texts,
            longest=self.longest,
            device=ctx.device,
            checkpoints=ctx.checkpoints,
        )
        save_teacher(folder, scores, _card(data, scores))

    def load(self, path: Path) -> Known:
        """Scores by query id."""
        return load_teacher(path)
