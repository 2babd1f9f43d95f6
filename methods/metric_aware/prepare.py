"""What is computed once and read out often: a model's answers about a data set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Artifact, Context, Reference, Resource, param
from methods.common.gemma import SafeWeights
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.metric_aware.corpora import Corpus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from methods.common.language_model.interface import LanguageModel
    from methods.metric_aware.corpora import Chosen
    from methods.metric_aware.problem import Asked

CALLS = "calls.json"
SCORES = "scores.npz"
WEIGHTS = SafeWeights()
_DRAWN = 7
"""Names the random stream of the answers drawn from distributions of the next token."""


@dataclass(frozen=True, kw_only=True)
class PromptedGrades(Artifact):
    """Every call that asks a language model for the grades of a corpus, once for each draw of examples.

    The record is all that is kept: what a read-out is given is computed from it, as from the model.
    """

    title: ClassVar[str] = "a language model's answers to prompts for grades"

    source: Reference = WEIGHTS
    corpus: Corpus = field(default_factory=Corpus)
    draws: tuple[int, ...] = param((0,), source="ours", doc="draws of the solved examples")
    shots: int = param(6, source="ours", doc="solved examples; the paper's prompts are unknown")
    held: int = param(30, source="ours", doc="texts to fit on")
    test: int = param(100, source="ours", doc="texts to judge by")
    own: bool = param(default=False, source="ours", doc="each draw asks about texts of its own")
    at_once: int = param(1, source="ours", doc="draws whose prompts are read together")
    how: Literal["next-token", "score", "sample"] = param(
        "next-token", source="ours", doc="how probabilities are asked for"
    )
    space_in: Literal["prompt", "answer"] = param(
        "prompt", source="ours", doc="where the space before a grade is, as the tokenizer splits it"
    )
    batch: int = param(32, source="ours", doc="prompts at once")
    dtype: str = param("float32", source="ours", doc="type of the weights")
    threads: int = field(default=1, metadata={"source": "ours"})
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Ask about all texts of all draws; writes the table of calls."""
        from methods.common.language_model.kept import kept
        from methods.common.language_model.record import recorded
        from methods.metric_aware.asking import MOST, silent_answers
        from methods.metric_aware.corpora import prefix
        from methods.metric_aware.models import expect, model_of

        asked = model_of(ctx.load(self.source), ctx, dtype=self.dtype, batch=self.batch)
        model = recorded(kept(asked, ctx.checkpoints))
        rows = self.corpus.read(ctx.load(self.corpus.data))
        for start in range(0, len(self.draws), self.at_once):
            draws = self.draws[start : start + self.at_once]
            found = [self.chosen(rows, draw) for draw in draws]
            expect(asked, *(prefix(self.corpus, chosen.examples) for chosen in found))
            if self.how == "next-token":
                # Few questions a draw do not fill batches; those of several draws do.
                laws = model.next_token([one for chosen in found for one in self.prompts(chosen)], most=MOST)
                asked.usage.unread += silent_answers(laws, self.corpus.values)
            else:
                for chosen, draw in zip(found, draws, strict=True):
                    self.ask(model, chosen, draw)
            ctx.progress((start + len(draws)) / len(self.draws), f"draw {draws[-1]}")
        (folder / CALLS).write_text(json.dumps(model.table(), ensure_ascii=False), encoding="utf-8")

    def load(self, path: Path) -> dict[str, list[Any]]:
        """The table of calls."""
        found: dict[str, list[Any]] = json.loads((path / CALLS).read_text(encoding="utf-8"))
        return found

    def chosen(self, rows: Sequence[Any], draw: int) -> Chosen:
        """The texts of one draw."""
        from methods.metric_aware.corpora import choose

        own = self.draws if self.own else ()
        return choose(rows, draw, shots=self.shots, held=self.held, test=self.test, own=own)

    def prompts(self, chosen: Chosen) -> list[str]:
        """What is asked in one draw: about the test's texts, then about those held out."""
        from methods.metric_aware.corpora import prefix

        before = prefix(self.corpus, chosen.examples)
        # Gemma gives a space before a digit a token of its own; byte-level tokenizers join them.
        tail = " " if self.space_in == "prompt" else ""
        return [f"{before}{self.corpus.shown(row)}{tail}" for row in (*chosen.test, *chosen.held)]

    def ask(self, model: LanguageModel, chosen: Chosen, draw: int) -> tuple[Asked, Asked]:
        """What a model (or a record) answers about the test's and the held-out texts of one draw."""
        import numpy as np

        from methods.metric_aware.asking import ask_grades

        lead = "" if self.space_in == "prompt" else " "
        prompts, split = self.prompts(chosen), len(chosen.test)
        found = []
        for number, (part, asked) in enumerate(
            ((chosen.test, prompts[:split]), (chosen.held, prompts[split:]))
        ):
            rng = np.random.default_rng([draw, _DRAWN, number])
            ids = [row.id for row in part]
            found.append(ask_grades(model, ids, asked, self.corpus.values, how=self.how, rng=rng, space=lead))
        return found[0], found[1]


@dataclass(frozen=True, kw_only=True)
class GradedEmbeddings(Artifact):
    """Distributions over rating digits from a head on sentence embeddings, trained by cross-entropy.

    For each draw other texts are trained on. A training label is the rating of one person drawn at
    random, so that the head learns how ratings spread.
    """

    title: ClassVar[str] = "rating distributions from sentence embeddings"

    domain: str = param("amazon", source="ours", doc="set of the rating data")
    encoder: Resource = MINILM
    data: Resource = RATINGS
    embeddings: Artifact = field(
        default_factory=lambda: RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain="amazon")
    )
    draws: tuple[int, ...] = param((0,), source="ours", doc="draws of texts and raters")
    width: int = param(0, source="ours", doc="hidden units of the head; 0: none")
    strength: float = param(3.0, source="ours", doc="C of the softmax regression; 1/C is the penalty")
    train: int = param(1000, source="card, section 9", doc="training texts")
    held: int = param(200, source="ours", doc="texts to fit on")
    test: int = param(400, source="ours", doc="texts to judge by")

    def build(self, folder: Path, ctx: Context) -> None:
        """Train one head a draw and ask it about held-out and test texts."""
        import numpy as np

        from methods.metric_aware.heads import graded

        rated = ctx.load(self.data)[self.domain]
        vectors = ctx.load(self.embeddings).astype(np.float64)
        found: dict[str, NDArray[Any]] = {}
        for done, draw in enumerate(self.draws):
            rng = np.random.default_rng([draw, 2])
            usable = np.flatnonzero(~rated.mismatched)
            order = rng.permutation(usable)[: self.train + self.held + self.test]
            labels = np.array([float(rng.choice(rated.ratings[i])) + 5.0 for i in order])
            scores = graded(
                vectors[order],
                labels,
                trained=self.train,
                width=self.width,
                strength=self.strength,
                seed=draw,
            )
            found |= {f"order-{draw}": order[self.train :], f"scores-{draw}": scores}
            ctx.progress((done + 1) / len(self.draws), f"draw {draw}")
        np.savez_compressed(folder / SCORES, allow_pickle=False, **found)

    def load(self, path: Path) -> Mapping[int, tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """By draw: places of held-out and test texts in the set, in this order, and their scores."""
        import numpy as np

        with np.load(path / SCORES, allow_pickle=False) as found:
            return {draw: (found[f"order-{draw}"], found[f"scores-{draw}"]) for draw in self.draws}
