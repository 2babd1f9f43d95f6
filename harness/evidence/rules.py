"""The rules of the statistical forms, in the order of evidence: valid, preconditions, rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from harness.claims import Precondition, Replication, Share, StatisticalForm, Time, Value
from harness.evidence.estimates import ALPHA, enough
from harness.evidence.family import holm
from harness.evidence.findings import Finding, Settled, not_measured
from harness.evidence.inference import Inference, as_test, infer
from harness.evidence.laws import StudentLaw
from harness.evidence.power import collapsed, needed, upper_sd
from harness.evidence.quantities import Quantity
from harness.evidence.questions import (
    Question,
    delta_of,
    questions,
    replication_of,
    share_contrast,
    share_denominator,
)
from harness.evidence.ratio import Moments, fieller
from harness.evidence.rows import NotMeasuredError
from harness.evidence.series import Reader
from harness.evidence.wording import interval, number
from harness.store.records import AssayRecord, Interval, TestRecord

if TYPE_CHECKING:
    from harness.claims import Contrast

COLLAPSE_SEEDS = 10
"""Seeds that a verdict needs once one of them has collapsed."""


@dataclass(frozen=True)
class Scene:
    """What judging a claim needs besides the claim.

    Attributes:
        reader: The run.
        rng: For bootstrap samples and sign flips.
        reported: The paper's numbers by id.
        family: Claims that are tested together, for the number of seeds still needed.
    """

    reader: Reader
    rng: np.random.Generator
    reported: Mapping[str, float | None]
    family: int = 1


@dataclass(frozen=True)
class Answer:
    """One question, measured."""

    question: Question
    quantity: Quantity
    inference: Inference

    @property
    def p_plus(self) -> float | None:
        """Small if θ lies where the claim needs it."""
        p = self.inference.p_above(self.question.lower)
        if p is None or self.question.upper is None:
            return p
        return max(p, self.inference.p_below(self.question.upper) or 0.0)

    @property
    def p_minus(self) -> float | None:
        """Small if θ lies where the claim falls."""
        sides = []
        if self.question.falls_below is not None:
            sides.append(self.inference.p_below(self.question.falls_below))
        if self.question.falls_above is not None:
            sides.append(self.inference.p_above(self.question.falls_above))
        known = [p for p in sides if p is not None]
        return min(known) if known else None

    @property
    def large_enough(self) -> bool:
        """Whether the estimate reaches the smallest effect that matters."""
        return self.question.size is None or self.inference.value >= self.question.size

    def record(self) -> TestRecord:
        """The record of this test, not yet corrected."""
        return as_test(self.question.label, self.quantity, self.inference, self.p_plus, self.p_minus)


def examine(form: StatisticalForm, scene: Scene) -> Finding:
    """The evidence on a claim of a statistical form."""
    try:
        answers = ask(form, scene)
        extra = _fieller_record(form, scene) if isinstance(form, Share) else ()
    except NotMeasuredError as error:
        return Finding(settled=not_measured(error), trials=error.trials)
    assays = tuple(check_precondition(assay, scene) for assay in preconditions_of(form))
    finding = weigh(form, answers, scene.family)
    finding = replace(finding, assays=assays, tests=(*finding.tests, *extra))
    least = form.min_blocks if isinstance(form, Time) else form.min_seeds
    lacking = [enough(a.inference, a.quantity, replication_of(form), least) for a in answers]
    if any(lacking):
        reason = f"Only {next(filter(None, lacking))} for a verdict."
        # It was never going to be decided, and so does not burden the other claims.
        return replace(finding, p_plus=None, p_minus=None, settled=Settled("inconclusive", reason, "power"))
    return replace(finding, settled=_gate(form, answers, assays))


def ask(form: StatisticalForm, scene: Scene) -> list[Answer]:
    """All questions of a form, measured.

    Raises:
        NotMeasuredError: If the run cannot give one of the quantities.
    """
    answers = []
    for question in questions(form, scene.reported):
        if not question.theta.terms:
            raise NotMeasuredError(
                f"Nothing is left to measure in '{question.label}': its cells cancel.", kind="mismatch"
            )
        quantity = Quantity(scene.reader, question.theta)
        quantity.refuse_partial()
        inference = infer(
            quantity,
            replication_of(form),
            rng=scene.rng,
            noise_floor=form.noise_floor,
            threshold=question.lower,
        )
        if isinstance(form, Value):
            inference = _with_paper_noise(inference, form.paper_runs)
        answers.append(Answer(question, quantity, inference))
    return answers


def weigh(form: StatisticalForm, answers: Sequence[Answer], family: int = 1) -> Finding:
    """Put the answers together: all must pass, any may fall (corrected by Holm).

    The claim's p₊ is the largest of the questions' (intersection-union); its p₋ is the smallest
    after Holm over the questions that can make it fall.
    """
    plus = [answer.p_plus for answer in answers]
    minus = holm([answer.p_minus for answer in answers])
    known = [p for p in plus if p is not None]
    falls = [p for p in minus if p is not None]
    return Finding(
        tests=tuple(answer.record() for answer in answers),
        trials=tuple(dict.fromkeys(trial for answer in answers for trial in answer.quantity.trials)),
        p_plus=max(known) if len(known) == len(plus) else None,
        p_minus=min(falls) if falls else None,
        large_enough=all(answer.large_enough for answer in answers),
        needed=_needed(form, answers, ALPHA / max(family, 1)),
        weakest=plus.index(max(known)) if known else 0,
        lowest=minus.index(min(falls)) if falls else 0,
    )


def _gate(form: StatisticalForm, answers: Sequence[Answer], assays: Sequence[AssayRecord]) -> Settled | None:
    """The verdict where a precondition failed, or a seed collapsed and there are few."""
    failed = [assay for assay in assays if not assay.passed]
    if failed:
        first = failed[0]
        reason = f"Assay '{first.name}' failed: {interval(first.effect)}, wanted {first.rule}. {first.reason}"
        return Settled("inconclusive", reason, "assay")
    seeds = len(answers[0].quantity.keys)
    by_seed = not isinstance(form, Time) and replication_of(form) is not Replication.UNITS
    if by_seed and seeds < COLLAPSE_SEEDS:
        delta, _ = delta_of(form)
        if any(_has_collapse(answer, delta) for answer in answers):
            reason = f"A seed collapsed; a verdict then needs {COLLAPSE_SEEDS} seeds, and there are {seeds}."
            return Settled("inconclusive", reason, "power")
    return None


def _has_collapse(answer: Answer, delta: float) -> bool:
    diverged = any(rows.worst is not None for item in answer.quantity.series for rows in item.rows)
    return diverged or collapsed(np.array(answer.inference.replicates), delta)


def preconditions_of(form: StatisticalForm) -> tuple[Precondition, ...]:
    """The declared preconditions, and the one that a share brings along."""
    if not isinstance(form, Share):
        return form.preconditions
    own = Precondition(
        name="denominator",
        theta=share_denominator(form),
        above=form.denominator_delta,
        reason="A share of nothing means nothing.",
        replication=form.replication,
    )
    return (own, *form.preconditions)


def check_precondition(assay: Precondition, scene: Scene) -> AssayRecord:
    """Whether the 95 % interval of a precondition's quantity lies where it must."""
    rule = f"interval above {number(assay.above)}"
    if assay.below is not None:
        rule += f" and below {number(assay.below)}"
    try:
        quantity = Quantity(scene.reader, assay.theta)
        quantity.refuse_partial()
        effect = infer(quantity, assay.replication, rng=scene.rng).interval
    except NotMeasuredError as error:
        return AssayRecord(
            name=assay.name, passed=False, effect=Interval(value=float("nan")), rule=rule, reason=str(error)
        )
    passed = (
        effect.low is not None
        and effect.high is not None
        and effect.low > assay.above
        and (assay.below is None or effect.high < assay.below)
    )
    return AssayRecord(name=assay.name, passed=passed, effect=effect, rule=rule, reason=assay.reason)


def _with_paper_noise(inference: Inference, paper_runs: int) -> Inference:
    """Add the paper's own noise, taken as ours: the standard error becomes s·√(1/n + 1/n_paper)."""
    if not isinstance(inference.law, StudentLaw):
        return inference
    variance = float(np.var(inference.replicates, ddof=1)) / paper_runs
    law = replace(inference.law, se=float(np.sqrt(inference.law.se**2 + variance)))
    return replace(inference, law=law, test=f"{inference.test}, with the paper's noise")


def _needed(form: StatisticalForm, answers: Sequence[Answer], alpha: float) -> dict[str, int | None]:
    """Replicates for 80 % power at θ = 2δ and θ = 0, the largest over the questions."""
    delta, _ = delta_of(form)
    result: dict[str, int | None] = {}
    for name, truth in (("θ = 2δ", 2 * delta), ("θ = 0", 0.0)):
        sizes = [_needed_for(a, truth, alpha) for a in answers if a.question.falls_below is not None]
        if sizes:
            result[name] = None if None in sizes else max(size for size in sizes if size is not None)
    return result


def _needed_for(answer: Answer, truth: float, alpha: float) -> int | None:
    """Replicates for one question, from the upper 80 % bound of the spread seen."""
    law, question = answer.inference.law, answer.question
    n = len(answer.inference.replicates)
    if not isinstance(law, StudentLaw) or n < 2:
        return None
    passes = [truth - question.lower] + ([question.upper - truth] if question.upper is not None else [])
    falls = [question.falls_below - truth] if question.falls_below is not None else []
    falls += [truth - question.falls_above] if question.falls_above is not None else []
    distance = min(passes) if min(passes) > 0 else max(falls, default=0.0)
    power = 0.9 if question.upper is not None and min(passes) > 0 else 0.8
    spread = max(float(np.std(answer.inference.replicates, ddof=1)), 0.0)
    sd = upper_sd(spread, n - 1) if law.se > 0 else 0.0
    return needed(distance, sd, alpha, power, answer.inference.unit_variance)


def _fieller_record(form: Share, scene: Scene) -> tuple[TestRecord, ...]:
    """The ratio (a − b) / (c − d) with Fieller's interval, to be printed beside the contrast."""

    def measured(theta: Contrast) -> Inference:
        return infer(Quantity(scene.reader, theta), form.replication, rng=scene.rng)

    top = measured(share_contrast(replace(form, ratio=0.0)))
    bottom = measured(share_denominator(form))
    both = measured(share_contrast(replace(form, ratio=1.0)))
    laws = [x.law for x in (top, bottom, both)]
    known = [law for law in laws if isinstance(law, StudentLaw)]
    bounds = None
    if len(known) == 3:
        var_top, var_bottom, var_both = (law.se**2 for law in known)
        # Var(top − bottom) holds the covariance.
        covariance = (var_top + var_bottom - var_both) / 2
        moments = Moments(top.value, bottom.value, var_top, var_bottom, covariance)
        bounds = fieller(moments, float(special.stdtrit(min(law.df for law in known), 1 - ALPHA)))
    ratio = top.value / bottom.value if bottom.value else float("nan")
    low, high = bounds or (None, None)
    record = TestRecord(
        label="share (a − b) / (c − d)",
        effect=Interval(value=ratio, low=low, high=high),
        test="Fieller's interval",
        seeds=len(top.replicates),
        units=top.units,
    )
    return (record,)
