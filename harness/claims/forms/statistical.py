"""Forms that ask questions of θ by tests: all must pass, any may fall."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

from harness.claims.findings import (
    ALPHA,
    ControlOutcome,
    Corrected,
    Finding,
    NotMeasuredError,
    Settled,
    not_measured,
)
from harness.claims.forms.base import Fault, Form, Measured, digits_of
from harness.claims.forms.concluding import Bound, concluded
from harness.claims.judging import Answer, JudgingContext, Question, Sampling
from harness.claims.outlook import Outlook, Replicates, common_ratio, foreseen
from harness.claims.precondition import Precondition
from harness.claims.profiles import Profile, Replication
from harness.claims.quantity import Contrast
from harness.claims.settling import replicate_noun, replicates_needed
from harness.claims.wording import interval, p_value
from harness.store.records import AssayRecord, TestRecord

COLLAPSE_SEEDS = 10
"""Seeds that a verdict needs once one of them has collapsed."""


class StatisticalForm(Form):
    """A form whose verdict rests on tests of θ.

    Attributes:
        replication: What is drawn again between replicates.
        preconditions: What must hold before the rule is asked.
        min_seeds: Fewer give no verdict.
        noise_floor: The measured spread of θ between runs that should agree (batch size, threads). A
            smaller standard deviation is replaced by it, and no margin may be below twice it.
    """

    statistical: ClassVar[bool] = True
    cells_gated: ClassVar[bool] = False
    """Whether a new run must not lose any single cell of θ, either."""
    two_sided: ClassVar[bool] = False
    """Whether θ has no better side."""

    replication: Replication
    preconditions: tuple[Precondition, ...]
    min_seeds: int
    noise_floor: float

    @abstractmethod
    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """What is asked of the data; the claim holds if all pass.

        Args:
            reported: The paper's numbers by id.
        """

    @property
    @abstractmethod
    def bound(self) -> Bound:
        """What θ is held to."""

    @property
    def supposed(self) -> Mapping[str, float]:
        """Values of θ, by name, at which a large enough run shows the claim or excludes it."""
        return {"θ = 2δ": 2 * self.bound.value, "θ = 0": 0.0}

    @property
    def effect(self) -> tuple[float | None, str]:
        """The bound."""
        return self.bound.value, self.bound.reason

    @property
    def sampling(self) -> Sampling:
        """How θ varies between replicates."""
        return Sampling(self.replication, self.min_seeds, self.noise_floor)

    @property
    def replicates(self) -> str:
        """What is drawn again."""
        return str(self.replication)

    @property
    def required(self) -> tuple[Precondition, ...]:
        """The declared preconditions, and those that the rule brings along."""
        return self.preconditions

    @property
    def may_collapse(self) -> bool:
        """Whether single replicates may fail, which needs more of them for a verdict."""
        return self.replication is not Replication.UNITS

    @property
    def asked(self) -> frozenset[object]:
        """θ of each question, and where it has to lie."""
        questions = self.questions(dict.fromkeys(self.reported_numbers, 1.0))
        return frozenset((_canonical(q.theta), q.lower, q.upper) for q in questions)

    @property
    def held(self) -> tuple[float, ...]:
        """The bounds of its deciding questions, other than zero."""
        return tuple(end for item in self._deciding() for end in (item.lower, item.upper) if end)

    @property
    def tests_bare_level(self) -> bool:
        """Whether a quantity that has to be positive is a sum of cells, or what a share lacks of one."""
        return any(item.lower == 0 and _is_bare_level(item.theta) for item in self._deciding())

    def _deciding(self) -> list[Question]:
        """The questions that can make the claim fall."""
        return [item for item in self._asked() if item.falls_below is not None]

    def _asked(self) -> list[Question]:
        """Its questions; a reported number only shifts θ, which a difference of two runs does not see."""
        return self.questions(dict.fromkeys(self.reported_numbers, 0.0))

    @property
    def flips_signs(self) -> bool:
        """Over seeds."""
        return self.sampling.replication is Replication.SEEDS

    @property
    def digits(self) -> int:
        """As the metrics of the first question have."""
        return digits_of(self._asked()[0].theta)

    def supplement(self, context: JudgingContext) -> tuple[TestRecord, ...]:
        """Records that decide nothing."""
        return ()

    def cautions(self) -> Iterator[Fault]:
        """A bound that is not positive, has no reason or is lost in the noise."""
        value, floor = self.bound.value, self.noise_floor
        if not value > 0:
            yield f"The smallest effect that matters is {value}", "It must be positive."
        if not self.bound.reason.strip():
            yield "The smallest effect that matters has no reason", "Say why this size matters."
        if value < 2 * floor:
            yield f"{value} is below twice the noise floor {floor}", "Widen it."

    def lacking(self, seeds: int, blocks: int | None) -> str:
        """Too few seeds, unless the units are the replicates."""
        few = seeds < self.min_seeds and self.replication is not Replication.UNITS and blocks is None
        return f"{seeds} seeds of at least {self.min_seeds}" if few else ""

    @property
    def stated_noise(self) -> float:
        """The noise floor."""
        return self.noise_floor

    def floored(self, floor: float) -> Self:
        """The rule with the larger of two noise floors."""
        if floor <= self.noise_floor:
            return self
        widened: Self = replace(self, noise_floor=floor)  # type: ignore[type-var]
        return widened

    def measured(self) -> tuple[Measured, ...]:
        """θ of each question."""
        return tuple(
            Measured(
                question.label,
                question.theta,
                self.sampling.replication,
                # A step that cannot make the claim fall may change.
                allowed=None if question.falls_below is None else self.bound.value,
                two_sided=self.two_sided,
                by_cell=self.cells_gated,
            )
            for question in self._asked()
        )

    def examine(self, context: JudgingContext) -> Finding:
        """Measured? Enough replicates? Preconditions, collapsed seeds; then the rule is open."""
        try:
            answers = context.ask(self.questions(context.reported), self.sampling)
            supplement = self.supplement(context)
        except NotMeasuredError as error:
            return not_measured(error)
        checked = tuple(item.check(context) for item in self.required)
        finding = self.weigh(answers, context)
        finding = replace(finding, preconditions=checked, tests=(*finding.tests, *supplement))
        lacking = next((answer.lacking for answer in answers if answer.lacking), "")
        if lacking:
            settled = Settled("inconclusive", f"Only {lacking} for a verdict.", "power")
            # It was never going to be decided, and so does not burden the other claims.
            return replace(finding, p_plus=None, p_minus=None, settled=settled)
        return replace(finding, settled=self._gate(answers, checked))

    def outlook(self, planned: Replicates, context: JudgingContext | None) -> Outlook:
        """The detectable effect and the replicates needed, by the spread of a stored run."""
        reported = context.reported if context else dict.fromkeys(self.reported_numbers, 1.0)
        questions = self.questions(reported)
        matters = self.bound.text(common_ratio(questions))
        if context is None:
            return Outlook(planned, matters)
        answers = context.ask(questions, self.sampling)
        return foreseen(
            answers,
            planned,
            self.supposed,
            ALPHA / max(context.family, 1),
            matters=matters,
            inside=self.two_sided,
            collapse=COLLAPSE_SEEDS if self._has_collapse(answers) else 0,
        )

    def weigh(self, answers: Sequence[Answer], context: JudgingContext) -> Finding:
        """Put the answers together.

        The claim's p₊ is the largest of the questions' (intersection-union); its p₋ is the smallest
        after Holm over the questions that can make it fall.
        """
        plus = [answer.p_plus for answer in answers]
        minus = context.corrected([answer.p_minus for answer in answers])
        known = [p for p in plus if p is not None]
        falls = [p for p in minus if p is not None]
        needed = replicates_needed(
            answers,
            self.supposed,
            ALPHA / (max(context.family, 1) * context.looks),
            least=COLLAPSE_SEEDS if self._has_collapse(answers) else 2,
            noun=replicate_noun(self.replicates),
        )
        return Finding(
            tests=tuple(answer.record() for answer in answers),
            trials=tuple(dict.fromkeys(trial for answer in answers for trial in answer.trials)),
            p_plus=max(known) if len(known) == len(plus) else None,
            p_minus=min(falls) if falls else None,
            large_enough=all(answer.large_enough for answer in answers),
            needed=needed.replicates,
            no_number=needed.reason,
            weakest=plus.index(max(known)) if known else 0,
            lowest=minus.index(min(falls)) if falls else 0,
        )

    def _gate(self, answers: Sequence[Answer], checked: Sequence[AssayRecord]) -> Settled | None:
        """The verdict where a precondition failed, or a seed collapsed and there are few."""
        failed = next((item for item in checked if not item.passed), None)
        if failed is not None:
            measured = f"{interval(failed.effect, failed.ratio)}, wanted {failed.rule}"
            reason = f"Precondition '{failed.name}' failed: {measured}. {failed.reason}"
            return Settled("inconclusive", reason, "assay")
        seeds = answers[0].seeds
        if seeds < COLLAPSE_SEEDS and self._has_collapse(answers):
            reason = f"A seed collapsed; a verdict then needs {COLLAPSE_SEEDS} seeds, and there are {seeds}."
            return Settled("inconclusive", reason, "power")
        return None

    def _has_collapse(self, answers: Sequence[Answer]) -> bool:
        return self.may_collapse and any(answer.has_collapse(self.bound.value) for answer in answers)

    def conclude(self, finding: Finding, corrected: Corrected, profile: Profile) -> Settled:
        """The verdict by the corrected p-values."""
        return finding.settled or concluded(finding, corrected, profile, self.bound)

    def under_control(self, broken: Self, context: JudgingContext, profile: Profile) -> ControlOutcome:
        """Killed if the sabotage is not reproduced, and shown to do worse than the real thing.

        Losing power does not count.
        """
        try:
            real = context.ask(self.questions(context.reported), self.sampling)
            fake = context.ask(broken.questions(context.reported), self.sampling)
            lacking = next((answer.lacking for answer in (*real, *fake) if answer.lacking), "")
            if lacking:
                return "undecided", f"Only {lacking}."
            finding = broken.weigh(fake, context)
            alone = Corrected(finding.p_plus, finding.p_minus, 1)
            settled = broken.conclude(finding, alone, profile)
            if settled.verdict == "reproduced":
                return "keep", settled.reason
            return self._killed(settled, real, fake, context)
        except NotMeasuredError as error:
            return "undecided", str(error)

    def _killed(
        self, settled: Settled, real: Sequence[Answer], fake: Sequence[Answer], context: JudgingContext
    ) -> ControlOutcome:
        """Whether real − control is above zero in a question that the sabotage does not pass."""
        losses: list[Answer] = []
        for good, bad in zip(real, fake, strict=True):
            theta = replace(good.question.theta - bad.question.theta, constant=0.0)
            if not _passes(bad) and theta.terms:
                losses += context.ask([Question(good.question.label, theta)], self.sampling)
        adjusted = context.corrected([loss.p_plus for loss in losses])
        known = [
            (p, f"{loss.question.label}: real − control = {loss.effect.value:.3g}")
            for p, loss in zip(adjusted, losses, strict=True)
            if p is not None
        ]
        if not known:
            return "undecided", "The claim does not hold under the control, which changes none of its parts."
        p, label = min(known)
        return "kill" if p <= ALPHA else "undecided", f"{label}, {p_value(p)}."


class EffectForm(StatisticalForm):
    """A statistical form with a smallest effect δ: θ is positive, and at least δ in size."""

    hypotheses: ClassVar[tuple[str, str]] = ("θ ≤ 0", "θ ≥ δ")

    delta: float
    delta_reason: str

    @property
    def bound(self) -> Bound:
        """The smallest effect that matters."""
        return Bound(self.delta, self.delta_reason)


class MarginForm(StatisticalForm):
    """A statistical form with a margin Δ around a value."""

    effect_name: ClassVar[str] = "Margin Δ"

    margin: float
    margin_reason: str

    @property
    def bound(self) -> Bound:
        """The margin."""
        return Bound(self.margin, self.margin_reason, is_margin=True)

    @property
    def supposed(self) -> Mapping[str, float]:
        """No difference, and twice the margin on the wrong side."""
        return {"θ = 0": 0.0, "θ = −2Δ": -2 * self.margin}

    @property
    def margin_shown(self) -> tuple[float | None, str]:
        """The margin, once more if it is not the one that a run recorded."""
        return self.margin, self.margin_reason


class InsideForm(MarginForm):
    """A form that wants θ between two bounds, so that a sabotage has no worse side."""

    hypotheses: ClassVar[tuple[str, str]] = ("|θ| ≥ Δ", "|θ| ≤ Δ")
    two_sided: ClassVar[bool] = True

    @property
    def supposed(self) -> Mapping[str, float]:
        """No difference, and twice the margin on either side."""
        return {"θ = 0": 0.0, "θ = 2Δ": 2 * self.margin}

    @classmethod
    def thresholds(cls, delta: float) -> tuple[float, ...]:
        """Both ends of the margin."""
        return (-delta, delta)

    def _killed(
        self, settled: Settled, real: Sequence[Answer], fake: Sequence[Answer], context: JudgingContext
    ) -> ControlOutcome:
        """Whether the sabotage is shown outside the margin."""
        return "kill" if settled.verdict == "not reproduced" else "undecided", settled.reason


def _is_bare_level(theta: Contrast) -> bool:
    """Σ w · cell, or 1 − that, with positive weights: no measured share makes it negative."""
    weights = [weight for weight, _ in theta.terms]
    if theta.log or not weights:
        return False
    rest = max(weights) < 0 and math.isclose(theta.constant, -1.0) and math.isclose(sum(weights), -1.0)
    return rest or (min(weights) > 0 and not theta.constant)


def _canonical(theta: Contrast) -> tuple[object, ...]:
    """θ whatever the order of its terms."""
    return frozenset(theta.terms), round(theta.constant, 12), theta.log


def _passes(answer: Answer) -> bool:
    return answer.p_plus is not None and answer.p_plus <= ALPHA and answer.large_enough
