"""Open-ended answers: sampled texts, read out by expected token F1 or otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import (
    Artifact,
    Context,
    Method,
    ProblemError,
    Reference,
    Scores,
    Task,
    param,
)
from methods.metric_aware.country_names import COUNTRY_NAMES
from methods.metric_aware.method import LUKASIK, WANG
from methods.metric_aware.prepare import CALLS, WEIGHTS

if TYPE_CHECKING:
    from methods.common.language_model.interface import Completion, LanguageModel

EIKEMA = "Eikema and Aziz (2020), arXiv:2005.10283"


@dataclass(frozen=True)
class Asked:
    """One question with all answers that count as right."""

    id: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """A set of questions with short answers, and how a model is asked.

    Attributes:
        data: Where they come from.
    """

    data: Reference = COUNTRY_NAMES
    kind: Literal["countries", "qa"] = param("countries", source="ours", doc="how rows are read")
    split: str = param("", source="ours", doc="split, for public sets")
    instruction: str = param("The official names of countries.", source="ours", doc="what comes first")
    item: str = param("Country: {question}\nOfficial name:", source="ours", doc="how one is shown")

    def read(self, loaded: Any) -> list[Asked]:
        """All questions, in the source's order."""
        if self.kind == "countries":
            return [Asked(row["name"], row["name"], (row["official"],)) for row in loaded]
        return [Asked(row.id, row.question, row.answers) for row in loaded[self.split]]

    def shown(self, row: Asked) -> str:
        """The prompt of one question, without what stands before it."""
        return self.item.format(question=row.question)


@dataclass(frozen=True)
class OpenProblem:
    """Questions with a model's answers.

    Attributes:
        ids: Names of the questions.
        greedy: The answer that takes the likeliest token each time.
        samples: Answers drawn at temperature 1, as many for each question.
        calls: The calls of the model behind it, by column.
    """

    ids: tuple[str, ...]
    greedy: tuple[str, ...]
    samples: tuple[tuple[Completion, ...], ...]
    calls: Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Texts:
    """One answer a question, and calls to keep in the record."""

    answers: tuple[str, ...]
    calls: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SampledAnswers(Artifact):
    """Every call that asks a language model open questions: greedy answers and samples."""

    title: ClassVar[str] = "a language model's answers to open questions"

    source: Reference = WEIGHTS
    questions: Questions = field(default_factory=Questions)
    draws: tuple[int, ...] = param((0,), source="ours", doc="draws of the solved examples")
    shots: int = param(6, source="ours", doc="solved examples")
    test: int = param(70, source="ours", doc="questions")
    count: int = param(8, source="ours", doc="samples a question")
    top_k: int = param(40, source="card, section 7", doc="tokens drawn from; 0 for all")
    tokens: int = param(10, source="ours", doc="new tokens of an answer, at most")
    batch: int = param(32, source="ours", doc="prompts at once")
    dtype: str = param("float32", source="ours", doc="type of the weights")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Ask all questions; writes the table of calls."""
        from methods.common.language_model.kept import kept
        from methods.common.language_model.record import recorded
        from methods.metric_aware.models import expect, model_of

        asked = model_of(ctx.load(self.source), ctx, dtype=self.dtype, batch=self.batch)
        model = recorded(kept(asked, ctx.checkpoints))
        rows = self.questions.read(ctx.load(self.questions.data))
        for done, draw in enumerate(self.draws):
            examples, _ = self.chosen(rows, draw)
            expect(asked, self._prefix(examples))
            self.ask(model, rows, draw)
            ctx.progress((done + 1) / len(self.draws), f"draw {draw}")
        (folder / CALLS).write_text(json.dumps(model.table(), ensure_ascii=False), encoding="utf-8")

    def load(self, path: Path) -> dict[str, list[Any]]:
        """The table of calls."""
        found: dict[str, list[Any]] = json.loads((path / CALLS).read_text(encoding="utf-8"))
        return found

    def chosen(self, rows: Sequence[Asked], draw: int) -> tuple[list[Asked], list[Asked]]:
        """Solved examples of a draw, and the questions, which are the same in every draw.

        Raises:
            ProblemError: If there are too few questions.
        """
        import numpy as np

        if len(rows) < self.test + self.shots or not self.test:
            raise ProblemError(
                f"{len(rows)} questions do not give {self.test} to ask and {self.shots} examples",
                where="SampledAnswers",
                fix="Ask for at least one question, and for fewer than there are.",
            )
        order = np.random.default_rng([0, len(rows)]).permutation(len(rows))
        rest = np.random.default_rng([draw, 5]).permutation(order[self.test :])
        return [rows[i] for i in rest[: self.shots]], [rows[i] for i in order[: self.test]]

    def ask(
        self, model: LanguageModel, rows: Sequence[Asked], draw: int
    ) -> tuple[tuple[str, ...], tuple[tuple[Completion, ...], ...]]:
        """Greedy answers and samples, of a model or of a record."""
        from methods.common.language_model.interface import Decoding

        examples, asked = self.chosen(rows, draw)
        prompts = [self._prefix(examples) + self.questions.shown(row) for row in asked]
        greedy = model.sample(prompts, Decoding(new_tokens=self.tokens, stop=("\n",)))
        warm = Decoding(temperature=1.0, top_k=self.top_k, new_tokens=self.tokens, stop=("\n",))
        samples = model.sample(prompts, warm, count=self.count, seed=draw)
        return tuple(row[0].text.strip() for row in greedy), tuple(tuple(row) for row in samples)

    def _prefix(self, examples: Sequence[Asked]) -> str:
        solved = [f"{self.questions.shown(row)} {row.answers[0]}\n\n" for row in examples]
        return f"{self.questions.instruction}\n\n{''.join(solved)}"


@dataclass(frozen=True, kw_only=True)
class OpenTask(Task[OpenProblem, Texts]):
    """Answer open questions from sampled answers; judged by token F1.

    Attributes:
        answers: The calls; a seed takes the draw of its own number, or the first.
        questions: What is asked.
    """

    answers: SampledAnswers
    questions: Questions

    def problem(self, ctx: Context) -> OpenProblem:
        """What the model answered, from the record."""
        from methods.common.language_model.record import recorded, replayed

        model = recorded(replayed(ctx.load(self.answers), name="recorded answers"))
        rows = self.questions.read(ctx.load(self.questions.data))
        greedy, samples = self.answers.ask(model, rows, self._draw(ctx))
        _, asked = self.answers.chosen(rows, self._draw(ctx))
        return OpenProblem(tuple(row.id for row in asked), greedy, samples, model.table())

    def evaluate(self, result: Texts, ctx: Context) -> Scores:
        """Token F1 and exact match with the best of the right answers."""
        from methods.metric_aware.mbr import normalised, token_f1

        rows = self.questions.read(ctx.load(self.questions.data))
        _, asked = self.answers.chosen(rows, self._draw(ctx))
        pairs = list(zip(result.answers, asked, strict=True))
        main = {
            "unit_id": [row.id for row in asked],
            "f1": [max(token_f1(text, right) for right in row.answers) for text, row in pairs],
            "exact": [
                any(normalised(text) == normalised(right) for right in row.answers) for text, row in pairs
            ],
            "answer": list(result.answers),
            "right": [row.answers[0] for row in asked],
        }
        if not result.calls:
            return Scores({"main": main})  # type: ignore[dict-item]
        calls = {"unit_id": [str(one) for one in result.calls["call"]], **result.calls}
        return Scores({"main": main, "calls": calls})  # type: ignore[dict-item]

    def _draw(self, ctx: Context) -> int:
        return ctx.seed if ctx.seed in self.answers.draws else self.answers.draws[0]


@dataclass(frozen=True)
class GreedyText(Method[OpenProblem, Texts]):
    """The answer that takes the likeliest token each time."""

    problem_type: ClassVar[type] = OpenProblem

    record: bool = param(default=False, source="ours", doc="keep the model's calls in the record")

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """Nothing to decide."""
        return Texts(problem.greedy, problem.calls if self.record else {})


@dataclass(frozen=True)
class OneSample(Method[OpenProblem, Texts]):
    """The first sampled answer."""

    problem_type: ClassVar[type] = OpenProblem

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """Nothing to decide."""
        return Texts(tuple(row[0].text.strip() for row in problem.samples))


@dataclass(frozen=True)
class MostFrequent(Method[OpenProblem, Texts]):
    """The most frequent of the sampled answers, ties by probability (self-consistency)."""

    problem_type: ClassVar[type] = OpenProblem
    cites: ClassVar[str] = WANG

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """Count equal answers."""
        from methods.metric_aware.mbr import normalised

        return Texts(
            tuple(_best(row, lambda a, b: float(normalised(a) == normalised(b))) for row in problem.samples)
        )


@dataclass(frozen=True)
class MinimumRisk(Method[OpenProblem, Texts]):
    """The sampled answer with the largest mean utility over the other samples (minimum Bayes risk)."""

    problem_type: ClassVar[type] = OpenProblem
    cites: ClassVar[str] = f"{LUKASIK}; {EIKEMA}"

    utility: Literal["f1", "rouge-l"] = param("f1", source="paper, version 1", doc="what is wanted")

    def run(self, problem: OpenProblem, ctx: Context) -> Texts:
        """Compare all pairs of samples."""
        return Texts(tuple(_best(row, self.gain()) for row in problem.samples))

    def gain(self) -> Callable[[str, str], float]:
        """The utility of a text where another one is right."""
        from methods.metric_aware import mbr

        return {"f1": mbr.token_f1, "rouge-l": mbr.rouge_l}[self.utility]


def _best(samples: Sequence[Completion], utility: Callable[[str, str], float]) -> str:
    from methods.metric_aware.mbr import best_candidate

    texts = [one.text.strip() for one in samples]
    return best_candidate(texts, utility, log_probabilities=[one.log_probability for one in samples])
