"""Reading methods: pretrained, finetuned on mixtures, context-aware; and the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Context, Method, Metric, mean_of, param
from methods.kaft.task import Answers, ReadingProblem

if TYPE_CHECKING:
    from methods.kaft.mixture import Item, Mixture

LI = "Li et al. (2023), arXiv:2211.05110"
LONGPRE = "Longpre et al. (2021), arXiv:2109.05052; Neeman et al. (2022), arXiv:2211.05655"
SHI = "Shi et al. (2023), arXiv:2305.14739"


def _harmonic(first: str, second: str, columns: Any) -> float:
    left, right = (float(sum(columns[name])) / len(columns[name]) for name in (first, second))
    return 2 * left * right / (left + right) if left + right else 0.0


CONTROLLABILITY = mean_of("followed", better="higher", name="controllability", worst=0.0)
"""Share of counterfactual contexts whose answer is followed."""
ROBUSTNESS = mean_of("robust", better="higher", name="robustness", worst=0.0)
"""Share of hard irrelevant contexts from which the answer is not taken."""
JOINT = Metric(
    "joint score", ("followed", "robust"), partial(_harmonic, "followed", "robust"), "higher", worst=0.0
)
"""Harmonic mean of both: a model that reads everything, or nothing, gets little."""
STUBBORN = mean_of("stubborn", better="lower", name="stubbornness", worst=1.0)
NEITHER = mean_of("neither", better="lower", name="neither answer", worst=1.0)
BOTH = mean_of("both", better="lower", name="both answers", worst=1.0)
APART = mean_of("apart", better="higher", name="robustness by chance", worst=0.0)
"""Share of hard irrelevant contexts from which an answer given without any would not seem taken."""
FALLBACK = mean_of("fallback", better="higher", name="fallback", worst=0.0)
DISTRACTOR = mean_of("distractor", better="lower", name="distractor", worst=1.0)
HOLLOW = mean_of("hollow", better="lower", name="empty answers", worst=1.0)
ROBUST_EASY = mean_of("robust_easy", better="higher", name="robustness, easy", worst=0.0)
RELEVANT = mean_of("relevant", better="higher", name="accuracy, relevant", worst=0.0)
RETAINED = mean_of("retained", better="higher", name="closed-book retention", worst=0.0)
AGREES = mean_of("agrees", better="higher", name="agreement with M(q)", worst=0.0)
CORRECT = mean_of("correct", better="higher", name="accuracy", worst=0.0)


@dataclass(frozen=True)
class Pretrained(Method[ReadingProblem, Answers]):
    """The pretrained model as it is, after solved examples where the task gives some."""

    problem_type: ClassVar[type] = ReadingProblem

    alpha: float = param(0.0, source="ours", doc="weight of context-aware decoding; 0 decodes greedily")

    def run(self, problem: ReadingProblem, ctx: Context) -> Answers:
        """Ask the shared model."""
        model = problem.reader.answering(ctx.devices, problem.dtype)
        return answer(model, problem, ctx, shots=problem.shots, alpha=self.alpha)


@dataclass(frozen=True)
class ContextAware(Pretrained):
    """Context-aware decoding: the pretrained model, minus what it predicts without the context."""

    cites: ClassVar[str] = SHI

    alpha: float = param(0.5, source="Shi et al. (2023), section 3", doc="α")


@dataclass(frozen=True)
class FineTuned(Method[ReadingProblem, Answers]):
    """Finetuning on a mixture of contexts, with cross-entropy on the target tokens only."""

    problem_type: ClassVar[type] = ReadingProblem

    relevant: float = param(0.25, source="card, section 3.3", doc="weight of true contexts")
    irrelevant: float = param(0.25, source="card, section 3.3", doc="weight of irrelevant contexts")
    empty: float = param(0.25, source="card, section 3.3", doc="weight of questions without a context")
    counterfactual: float = param(0.25, source="card, section 3.3", doc="weight of counterfactual contexts")
    targets: Literal["model", "gold"] = param(
        "model", source="card, section 3.3", doc="for irrelevant and empty"
    )
    tags: bool = param(default=True, source="card, section 3.3", doc="provenance tags in the targets")
    hardness: Literal["hard", "easy", "both"] = param(
        "hard", source="ours", doc="irrelevant contexts; hard: easy ones where there is no hard one"
    )
    noise: float = param(0.0, source="card, claim C10", doc="share of unsupporting contexts")
    rate: float = param(1e-3, source="ours", doc="largest learning rate of AdamW; the paper's is unknown")
    steps: int = param(250, source="ours", doc="updates; the paper's number is unknown")
    batch: int = param(32, source="ours", doc="items an update; the paper's number is unknown")
    rank: int = param(0, source="ours", doc="rank of LoRA factors; 0 trains all weights")
    every: int = param(0, source="ours", doc="evaluate each so many updates, for curves; 0: never")

    def run(self, problem: ReadingProblem, ctx: Context) -> Answers:
        """Train a private copy and ask it, without solved examples."""
        from methods.kaft.finetuning import Training, finetune

        def watch(step: int, model: Any) -> None:
            ctx.probe(step, answer(model, problem, ctx))

        model, cut = finetune(
            problem.reader,
            problem.template,
            problem.train,
            self.mixture(),
            training=Training(self.steps, self.batch, self.rate, self.rank, problem.prompt, self.every),
            ctx=ctx,
            dtype=problem.dtype,
            change=lambda items: self.change(problem, items, ctx),
            watch=watch if self.every else None,
        )
        return replace(answer(model, problem, ctx), cut_training=cut)

    def mixture(self) -> Mixture:
        """The recipe."""
        from methods.kaft.mixture import Mixture

        return Mixture(
            relevant=self.relevant,
            irrelevant=self.irrelevant,
            empty=self.empty,
            counterfactual=self.counterfactual,
            targets=self.targets,
            tags=self.tags,
            hardness=self.hardness,
            noise=self.noise,
        )

    def change(self, problem: ReadingProblem, items: Sequence[Item], ctx: Context) -> Sequence[Item]:
        """What is trained on; a negative control changes it."""
        return items


@dataclass(frozen=True)
class Kaft(FineTuned):
    """KAFT: all four kinds of context; irrelevant and empty ones keep the model's own answer."""

    cites: ClassVar[str] = LI


@dataclass(frozen=True)
class RelevantOnly(FineTuned):
    """Ordinary reading-comprehension finetuning: every context supports the answer."""

    irrelevant: float = param(0.0, source="card, section 3.6", doc="none")
    empty: float = param(0.0, source="card, section 3.6", doc="none")
    counterfactual: float = param(0.0, source="card, section 3.6", doc="none")
    relevant: float = param(1.0, source="card, section 3.6", doc="all")
    tags: bool = param(default=False, source="ours: only KAFT has tags", doc="no tags")


@dataclass(frozen=True)
class Noisy(FineTuned):
    """Noisy finetuning: relevant and irrelevant contexts, always with the gold answer."""

    cites: ClassVar[str] = LI

    relevant: float = param(0.5, source="card, section 3.6", doc="half")
    irrelevant: float = param(0.5, source="card, section 3.6", doc="half")
    empty: float = param(0.0, source="card, section 3.6", doc="none")
    counterfactual: float = param(0.0, source="card, section 3.6", doc="none")
    targets: Literal["model", "gold"] = param("gold", source="card, section 4", doc="gold answers")
    tags: bool = param(default=False, source="ours: only KAFT has tags", doc="no tags")


@dataclass(frozen=True)
class CounterfactualOnly(FineTuned):
    """Entity substitution: relevant and counterfactual contexts, no irrelevant ones, no tags."""

    cites: ClassVar[str] = LONGPRE

    relevant: float = param(0.5, source="Longpre et al. (2021)", doc="half")
    irrelevant: float = param(0.0, source="Longpre et al. (2021)", doc="none")
    empty: float = param(0.0, source="Longpre et al. (2021)", doc="none")
    counterfactual: float = param(0.5, source="Longpre et al. (2021)", doc="half")
    tags: bool = param(default=False, source="Longpre et al. (2021)", doc="no tags")


@dataclass(frozen=True)
class Oracle(Method[ReadingProblem, Answers]):
    """A perfect reader with one habit: it copies, it ignores contexts, or it judges relevance."""

    problem_type: ClassVar[type] = ReadingProblem

    habit: Literal["copy", "closed-book", "gated"] = param("gated", source="ours", doc="what it does")

    def run(self, problem: ReadingProblem, ctx: Context) -> Answers:
        """Answer from the wording of facts and from M(q), without the model."""
        from methods.kaft.oracles import oracle_answer

        return Answers(
            {
                name: oracle_answer(asked, problem.relations, problem.reader.beliefs, self.habit)
                for name, asked in problem.asked.items()
            }
        )


def answer(
    model: Any, problem: ReadingProblem, ctx: Context, *, shots: str = "", alpha: float = 0.0
) -> Answers:
    """What a model answers to all that is asked."""
    from methods.kaft.reading import Limits, read

    limits = Limits(problem.prompt, problem.answer, problem.batch)
    texts, cut = read(
        model,
        problem.reader,
        problem.template,
        problem.asked,
        limits,
        shots=shots,
        alpha=alpha,
        checkpoints=ctx.checkpoints,
    )
    return Answers(texts, cut_asked=cut)
