"""The tasks that reading methods solve: answer questions under contexts of every kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.method import Context, PerSeed, ProblemError, Reference, Scores, Task, param
from methods.common.countries import TABLES
from methods.common.elements import ELEMENTS
from methods.kaft.prepare import Knowledge, PretrainedWorld
from methods.kaft.prompts import DECODER, PLAIN, Asked, Template

if TYPE_CHECKING:
    from methods.kaft.models import Reader
    from methods.kaft.questions import Question, Relation


@dataclass(frozen=True)
class ReadingProblem:
    """A pretrained model, questions to train on, and questions to answer.

    Attributes:
        reader: The model, its tokenizer and its beliefs M(q).
        template: How questions are put.
        train: Questions with their answers and contexts.
        asked: What is to be answered, by name; none of its entities is in ``train``.
        relations: How facts are worded, for oracles; empty where they are not.
        shots: Solved examples for models that are not trained.
        prompt: Tokens of a prompt, at most.
        answer: New tokens of an answer, at most.
        batch: Prompts answered at once.
        device: Where models run.
        dtype: Type of their weights.
    """

    reader: Reader
    template: Template
    train: tuple[Question, ...]
    asked: dict[str, Asked]
    relations: Mapping[str, Relation]
    shots: str
    prompt: int
    answer: int
    batch: int
    device: str
    dtype: str


@dataclass(frozen=True)
class Answers:
    """What a reading method returns.

    Attributes:
        texts: The answer to each question asked, as written, with its tag.
        cut_training: Training prompts that were cut to the limit.
        cut_asked: Prompts of the test that were cut.
    """

    texts: dict[str, str]
    cut_training: int = 0
    cut_asked: int = 0


@dataclass(frozen=True)
class Aside:
    """Questions that are asked under one kind of context only.

    Attributes:
        part: Name of the evaluation set.
        kind: ``hard`` scores robustness; ``empty`` scores memory; ``relevant`` scores reading.
        questions: What is asked; ids are unique among all questions.
    """

    part: str
    kind: str
    questions: tuple[Question, ...]


def unread(questions: Iterable[Question], beliefs: Mapping[str, str]) -> Aside:
    """Questions that the pretrained model answers wrong: only their relevant context can answer them.

    What a model knows it answers without reading, so that accuracy on it says nothing of reading.
    """
    from methods.kaft.words import gives_any

    kept = [q for q in questions if q.relevant and not gives_any(beliefs.get(q.text, ""), q.aliases)]
    named = (replace(q, id=f"unread:{q.id}", first=f"unread:{q.unit}") for q in kept)
    return Aside("unread", "relevant", tuple(named))


@dataclass(frozen=True)
class Material:
    """What a task is made of, for one seed and stage.

    Attributes:
        reader: The pretrained model.
        template: How it is asked.
        train: Questions to train on.
        test: Questions about other entities: of the validation part under ``tune``.
        relations: How facts are worded.
        shots: Solved examples.
        heads: Ids of the test questions that the pretrained model (and every model that it is
            compared with) answers without a context.
        retold: Head questions again, with further contexts.
        asides: Further evaluation sets.
        left_out: Questions of the source that were not asked or lack a context, by reason.
    """

    reader: Reader
    template: Template
    train: tuple[Question, ...]
    test: tuple[Question, ...]
    relations: Mapping[str, Relation]
    shots: str
    heads: frozenset[str]
    retold: tuple[Question, ...] = ()
    asides: tuple[Aside, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading(Task[ReadingProblem, Answers]):
    """Answer held-out questions under relevant, counterfactual, irrelevant and empty contexts."""

    prompt: int = param(512, source="ours", doc="tokens of a prompt, at most")
    answer: int = param(8, source="ours", doc="new tokens of an answer, at most")
    batch: int = param(64, source="ours", doc="prompts answered at once")
    examples: int = param(5, source="card, claim C13", doc="example rows; 0: none")
    dtype: str = param("", source="ours", doc="type of the weights; empty: the run's")
    shown: bool = param(default=True, source="ours", doc="known questions under contexts no claim reads, too")

    @abstractmethod
    def material(self, ctx: Context) -> Material:
        """The model and the questions of this seed and stage."""

    def problem(self, ctx: Context) -> ReadingProblem:
        """The pretrained model, the training questions and the inputs of the test.

        Raises:
            ProblemError: If training and test share an entity, or a context lacks its answer.
        """
        from methods.kaft.questions import check_disjoint, check_support
        from methods.kaft.scoring import RETOLD, ask, is_complete

        found = self.material(ctx)
        beside = [question for aside in found.asides for question in aside.questions]
        check_support([*found.train, *found.test, *found.retold])
        check_disjoint({"training": found.train, "test": [*found.test, *found.retold, *beside]})
        kinds = self._kinds(ctx)
        asked = ask(found.test, ["empty"])
        asked |= ask([q for q in found.test if q.id in found.heads and is_complete(q)], kinds)
        asked |= ask(found.retold, [kind for kind in kinds if kind in RETOLD])
        for aside in found.asides:
            asked |= ask(aside.questions, [aside.kind])
        return ReadingProblem(
            reader=found.reader,
            template=found.template,
            train=found.train,
            asked=asked,
            relations=found.relations,
            shots=found.shots,
            prompt=self.prompt,
            answer=self.answer,
            batch=self.batch,
            device=ctx.device,
            dtype=self.dtype or ctx.dtype,
        )

    def evaluate(self, result: Answers, ctx: Context) -> Scores:
        """Score known questions under every context, and agreement with M(q) on all.

        Raises:
            ProblemError: If the pretrained model knows none of the questions.
        """
        from methods.kaft import scoring

        found = self.material(ctx)
        beliefs = found.reader.beliefs
        heads = [q for q in found.test if q.id in found.heads and scoring.is_complete(q)]
        if not heads:
            raise ProblemError(
                "The pretrained model answers no question of the test without a context, so there is "
                "no knowledge that a context could contradict",
                where=type(self).__name__,
                fix="Pretrain longer, or take a model that knows more.",
            )
        main = scoring.score(heads, result.texts, beliefs, found.retold, self._kinds(ctx))
        if ctx.stage == "tune":
            return Scores({"validation": main})
        parts: dict[str, Any] = {
            "main": main,
            "recall": scoring.recall_rows(found.test, result.texts, beliefs),
            "cuts": {
                "unit_id": ["prompts"],
                "training": [result.cut_training],
                "asked": [result.cut_asked],
            },
        }
        if found.left_out:
            parts["left_out"] = {
                "unit_id": list(found.left_out),
                "questions": list(found.left_out.values()),
            }
        for aside in found.asides:
            parts[aside.part] = scoring.aside_rows(aside.questions, aside.kind, result.texts, beliefs)
        if self.examples:
            shown = heads[: self.examples]
            parts["examples"] = scoring.example_rows(shown, result.texts, self._before(found, shown, ctx))
        return Scores(parts)

    def _kinds(self, ctx: Context) -> Sequence[str]:
        """Contexts of known questions: rates are chosen by what claims read."""
        from methods.kaft.scoring import JUDGED, KINDS

        return KINDS if self.shown and ctx.stage == "main" else JUDGED

    def _before(self, found: Material, shown: Sequence[Question], ctx: Context) -> dict[str, str]:
        """What the pretrained model answers to the counterfactual contexts of some questions."""
        from methods.kaft.reading import Limits, read
        from methods.kaft.scoring import ask

        model = found.reader.model(ctx.device, self.dtype or ctx.dtype)
        limits = Limits(self.prompt, self.answer, self.batch)
        asked = ask(shown, ["counterfactual"])
        answers, _ = read(model, found.reader, found.template, asked, limits, shots=found.shots)
        return answers


@dataclass(frozen=True, kw_only=True)
class WorldReading(Reading):
    """Questions about a generated world: its facts are the pretrained model's memory.

    Attributes:
        base: The pretrained model of a world, as a rule each seed's own.
        others: Models of other sizes of the same world: only questions that they know too are scored.
    """

    base: PretrainedWorld | PerSeed
    others: tuple[PretrainedWorld | PerSeed, ...] = ()
    draws: int = param(6, source="ours", doc="different contexts of a training question")
    contexts: int = param(4, source="ours", doc="different contexts of a test question")
    retold: int = param(16, source="ours", doc="different contexts of a test question that must be read")
    shares: tuple[float, float] = param((0.5, 0.125), source="card, section 9; ours", doc="train, validation")
    answer: int = param(4, source="ours", doc="new tokens of an answer: the answer and its tag")
    examples: int = param(40, source="ours", doc="example rows: few pretrained answers are remembered ones")
    batch: int = param(256, source="ours", doc="prompts answered at once")

    def material(self, ctx: Context) -> Material:
        """Subjects are split into train, validation and test; all contexts are drawn by the seed."""
        from methods.kaft.telling import Telling, tell
        from methods.kaft.words import gives_any

        base = self.base
        assert isinstance(base, PretrainedWorld), "a trial has the world of its seed"
        reader = ctx.load(base)
        tuning = ctx.stage == "tune"
        counts = (self.draws, self.contexts, 0 if tuning else self.retold)
        told = tell(Telling(base, ctx.seed, ctx.stage, self.shares, *counts), ctx)
        rivals = [ctx.load(other) for other in self.others]
        heads = frozenset(
            q.id for q in told.test if all(gives_any(r.beliefs[q.text], q.aliases) for r in (reader, *rivals))
        )
        return Material(
            reader=reader,
            template=PLAIN,
            train=told.train,
            test=told.test,
            relations=base.draw().relations(),
            shots="",
            heads=heads,
            retold=tuple(q for q in told.retold if q.first in heads),
            asides=() if tuning else (unread(told.unread, reader.beliefs),),
        )


@dataclass(frozen=True, kw_only=True)
class FactReading(Reading):
    """Questions about countries and elements, for a real pretrained model.

    Attributes:
        source: The model.
        knowledge: What it answers without a context, and which facts it knows.
        countries: Tables of countries, their codes and names.
        elements: Table of elements.
        recalled: Closed-book questions of another kind, for measuring what finetuning forgets.
    """

    source: Reference
    knowledge: Knowledge
    countries: tuple[Reference, ...] = TABLES
    elements: Reference = ELEMENTS
    recalled: Reference | None = None
    shares: tuple[float, float] = param((0.5, 0.1), source="card, section 9; ours", doc="train, validation")
    most: int = param(0, source="ours", doc="known test questions, at most; 0: all")
    unknown: int = param(0, source="ours", doc="unknown test questions for agreement with M(q)")
    few: int = param(4, source="card, section 4", doc="solved examples before a question")
    contexts: int = param(1, source="ours", doc="different contexts of a known test question")
    # A tag that is cut off is no longer known for one, and its words would count as the answer's.
    answer: int = param(12, source="ours", doc="new tokens of an answer: the longest name and its tag")

    def material(self, ctx: Context) -> Material:
        """Countries and elements are split into train, validation and test."""
        from methods.kaft import knowledge
        from methods.kaft.facts import relations
        from methods.kaft.models import Reader
        from methods.kaft.scoring import is_complete

        found = ctx.load(self.knowledge)
        facts = knowledge.believed(knowledge.read_facts(ctx, self.countries, self.elements), found["beliefs"])
        checkpoint = ctx.load(self.source)
        halves = knowledge.split_facts(facts, self.shares, ctx, draws=self.contexts)
        tested = halves["validation" if ctx.stage == "tune" else "test"]
        test = knowledge.chosen(tested, found["known"], self.most, self.unknown, ctx.rng("test questions"))
        heads = frozenset(q.id for q in test if q.text in found["known"])
        return Material(
            reader=Reader(checkpoint.folder, found["beliefs"]),
            template=DECODER,
            train=halves["train"],
            test=test,
            relations=relations(facts),
            shots=DECODER.shots(knowledge.solved(halves["train"], self.few)),
            heads=heads,
            retold=tuple(q for q in tested if q.first in heads and is_complete(q)),
            asides=self._asides(test, found["beliefs"], ctx),
        )

    def _asides(
        self, test: Sequence[Question], beliefs: Mapping[str, str], ctx: Context
    ) -> tuple[Aside, ...]:
        from methods.kaft import knowledge

        if ctx.stage == "tune":
            return ()
        found = [unread(test, beliefs)] if self.unknown else []
        if self.recalled is not None:
            questions = knowledge.recalled_questions(ctx.load(self.recalled), self.knowledge.recalled_most)
            found.append(Aside("closed", "empty", questions))
        return tuple(found)
