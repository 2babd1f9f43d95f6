"""The rules that decide the claims of ``paper.toml``, with the card's thresholds.

No number of the paper could be read, so every claim is a direction or an equivalence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.claims import (
    EVERY,
    MEASURED,
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    Share,
    Trend,
    at,
    by_profile,
    mean,
)
from suites.il_bench.arms import SINGLES
from suites.il_bench.cells import (
    COUNTS,
    COVARIATES,
    DEEP,
    DEPTHS,
    EXPRESSIVE,
    GEMMA,
    INSTRUCT,
    LARGER,
    NEURAL,
    QUESTIONED,
    SEARCHES,
    SERVED,
    SERVED_WEAKER,
    SHIFTED,
    SIZES,
    SURROGATE,
    TEMPLATES,
    followed,
    over,
    tree,
)

_PAIRS: Mapping[Profile, tuple[Place, Place]] = {
    Profile.SMALL: (LARGER, NEURAL),
    Profile.GPU: (GEMMA, INSTRUCT),
    Profile.PAPER: (SERVED_WEAKER, SERVED),
}
"""Programs for the weaker and for the stronger of two executors."""
_DECIDING = {Profile.SMALL: NEURAL, Profile.GPU: GEMMA, Profile.PAPER: SERVED}
"""Where most claims are decided."""
_SEARCHING = _DECIDING | {Profile.SMALL: SEARCHES}
"""Where searches are compared with each other."""
_WRITTEN = {Profile.GPU: INSTRUCT, Profile.PAPER: SERVED}
"""Where a language model writes the instructions."""
_TRANSFORMERS = {LARGER: "larger-transformer", NEURAL: "transformer"}
"""Executors whose rule following has another id than their experiment."""

_POINTS = 0.05
_POINTS_REASON = "the card's threshold: five inputs in a hundred"


def _above(theta: Contrast, *preconditions: Precondition) -> Form:
    return Direction(theta, delta=_POINTS, delta_reason=_POINTS_REASON, preconditions=preconditions)


def _all_above(thetas: Iterable[Contrast], *preconditions: Precondition) -> Form:
    return EveryCell(tuple(thetas), delta=_POINTS, delta_reason=_POINTS_REASON, preconditions=preconditions)


def _follows(here: Place) -> Precondition:
    """Programs are followed well enough to be worth comparing."""
    return Precondition(
        name="programs are followed",
        theta=over(here, "lsp", "zero-shot"),
        above=0.1,
        reason="an executor that does not follow rules cannot tell one program from another",
    )


def _beats(here: Place, rivals: Sequence[str]) -> Form:
    """LSP beats single instructions on the deeper trees."""
    return _all_above((over(here, "lsp", name) for name in rivals), _follows(here))


def _grows_with_depth(here: Place) -> Form:
    """The gap to the best single instruction does not shrink from depth to depth.

    The gap to all of them together stands for it, which is no smaller.
    """

    def gap(depth: int) -> Contrast:
        there = here.on(tree(depth))
        return there("lsp") - mean(there(name) for name in SINGLES)

    return Trend(
        tuple((float(depth), gap(depth)) for depth in DEPTHS),
        delta=0.02,
        delta_reason="two points a level: a growth that a reader would see",
        step_margin=_POINTS,
        preconditions=(_follows(here),),
    )


def _transfers(here: Place) -> Form:
    """Another executor keeps two thirds of what a program gains: its loss is at most half of its gain.

    With a the accuracy of the executor that the program was learnt with, b of the other one and z of
    the other one without a program: a − b ≤ ½ (b − z) is b − z ≥ ⅔ (a − z).
    """
    other = here.on(part="transfer")
    return Share(
        other("lsp"),
        other("zero-shot"),
        here("lsp"),
        other("zero-shot"),
        ratio=2 / 3,
        delta=0.02,
        delta_reason="the contrast already takes off two thirds of the gain; two points beyond that",
        denominator_delta=0.1,
    )


def _stronger_follows_as_well(pair: tuple[Place, Place]) -> Form:
    """A stronger executor follows a program at least as well as the one that it was learnt with."""
    weaker, stronger = (_TRANSFORMERS.get(here, here.experiment) for here in pair)
    better = Precondition(
        name="the other executor is stronger",
        theta=mean(followed(stronger, rules) - followed(weaker, rules) for rules in COUNTS),
        above=0.0,
        reason="it must follow lists of rules better, of any length on average",
    )
    here, _ = pair
    return NonInferiority(
        here("lsp", part="transfer") - here("lsp"),
        margin=0.02,
        margin_reason="two inputs in a hundred",
        preconditions=(better,),
    )


def _read_by_people(here: Place) -> Form:
    return NotComparable(
        here("lsp", part="proxy") - here("lsp"),
        reason="No people: an interpreter of the printed rules stands in for them, and never errs.",
    )


def _falls_less(baseline: str, *parts: str) -> Contrast:
    """How much less the accuracy of programs falls under shifts than a baseline's."""

    def change(method: str) -> Contrast:
        return mean(SHIFTED(method, part=part) for part in parts) - SHIFTED(method)

    return change("lsp") - change(baseline)


def _holds_up(baseline: str, *parts: str) -> Form:
    learnt = Precondition(
        name=f"{baseline} has learnt something",
        theta=SHIFTED(baseline) - SHIFTED("majority"),
        above=0.05,
        reason="what is no better than the most frequent label cannot fall",
    )
    return _above(_falls_less(baseline, *parts), learnt)


def _errors_lead(other: str) -> Mapping[Profile, Form]:
    """Expanding the leaf with most errors beats another order of expansions."""

    def rule(here: Place) -> Form:
        return Direction(
            over(here, "lsp", other),
            delta=0.03,
            delta_reason="the card's threshold: three inputs in a hundred",
        )

    return by_profile(_SEARCHING, rule)


def _never_falls(here: Place, depths: Sequence[int] = DEEP, min_cases: int = 10) -> Form:
    """Training accuracy never falls from one expansion to the next."""
    return Exact(
        tuple(here("lsp", task=tree(depth), part="growth") for depth in depths),
        oracle="every program of the search, applied to the training items one by one",
        min_cases=min_cases,
    )


_REPRESENTABLE = Exact(
    (EXPRESSIVE("written"),), oracle="a second reading of the printed program, on every input", min_cases=20
)
_AT_CHANCE = Equivalence(
    mean(QUESTIONED("zero-shot", task=tree(depth)) for depth in DEPTHS)
    - sum(1 / len(DEPTHS) / labels for _, labels in SIZES.values()),
    margin=0.1,
    margin_reason="one input in ten; programs gain several times that",
    preconditions=(_follows(QUESTIONED),),
)
"""Without examples an executor is right as often as a guess, on average over trees and names."""

RULES: Mapping[str, Mapping[Profile, Form]] = {
    "C1a": at(
        Profile.SMALL,
        NotComparable(
            over(SURROGATE, "lsp", "best-of"),
            reason="The surrogate learner writes three rules and no more, which builds the result in. Read "
            "the figure on rule following beside it.",
        ),
    )
    | by_profile(_WRITTEN, lambda here: _beats(here, ("best-of", "long-12"))),
    "C1b": by_profile(_DECIDING, lambda here: _beats(here, SINGLES)),
    "C1c": by_profile(_DECIDING, _grows_with_depth),
    "C2": at(
        EVERY,
        NotRun("Neither pictures nor models that see are used here; captions would be another claim."),
    ),
    "C3a": by_profile(_PAIRS, lambda pair: _transfers(pair[0])),
    "C3b": by_profile(_PAIRS, lambda pair: _transfers(pair[1])),
    "C3c": by_profile(_PAIRS, _stronger_follows_as_well),
    "C4": by_profile(_SEARCHING, _read_by_people),
    "C5a": at(MEASURED, _holds_up("knn", *COVARIATES)),
    "C5b": at(MEASURED, _holds_up("minilm-knn", "order")),
    "C5c": at(
        Profile.SMALL,
        NotComparable(
            _falls_less("minilm-knn", *TEMPLATES),
            reason="The small executor's tokens are variables and values in any template, so that it cannot "
            "lose anything.",
        ),
    )
    | at((Profile.GPU, Profile.PAPER), _holds_up("minilm-knn", *TEMPLATES)),
    "C6": at(
        Profile.SMALL,
        NotComparable(
            over(SEARCHES, "lsp", "lsp-paraphrase"),
            reason="The surrogate's paraphrases change a rule blindly; how good they are is our choice.",
        ),
    )
    | by_profile(_WRITTEN, lambda here: _above(over(here, "lsp", "lsp-paraphrase"))),
    "C7a": _errors_lead("lsp-any"),
    "C7b": _errors_lead("lsp-random"),
    "C8a": at(Profile.SMOKE, _never_falls(SEARCHES, (2,), min_cases=2))
    | by_profile(_SEARCHING, _never_falls),
    "C8b": by_profile(_SEARCHING, lambda here: _above(over(here, "lsp", "lsp-one"))),
    "C8c": by_profile(_SEARCHING, lambda here: _above(2 * here("lsp-half") - here("lsp-one") - here("lsp"))),
    "C9": at(EVERY, _REPRESENTABLE),
    "C10": at(MEASURED, _AT_CHANCE),
    "C11": by_profile(
        _PAIRS,
        lambda pair: _all_above(over(here, "lsp", name) for here in pair for name in ("best-of", "long-12")),
    ),
}
