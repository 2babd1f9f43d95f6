"""Claims about the data: filters, amount, quality, labels, and the ranker that makes them."""

from __future__ import annotations

from harness.claims import (
    Claim,
    Contrast,
    Direction,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Profile,
    Trend,
)
from harness.claims import difference as minus
from methods.rest_react.measures import RELATIVE_SPREAD, SPREAD
from suites.rest_react.cells import PAIRS_RIGHT, Place
from suites.rest_react.rules import PLACES, above, as_good, each, not_below, on_worlds, room

AMOUNT = (
    Claim(
        id="C6",
        statement="Filtering the pilot's steps by hand does not help.",
        source="Table 3",
        forms=each(
            lambda where: not_below(
                where,
                where.accuracy("pilot-XS", method="pilot-all"),
                where.accuracy("pilot-XS", method="pilot"),
                margin=3.0,
                reason="the card's bound, beyond which the filter would help",
            )
        ),
        reported=("t3-pilot-filtered", "t3-pilot-unfiltered"),
        note="A noisy script stands for the people who filtered.",
    ),
    Claim(
        id="C7a",
        parent="C7",
        statement="Two trajectories a question are better than one.",
        source="Table 3",
        forms=each(
            lambda where: above(
                where,
                where.accuracy("gen2-2x-XS"),
                where.accuracy("gen2-1x-XS"),
                delta=1.0,
                reason="half of the paper's gain of 2.2 points",
            )
        ),
        reported=("t3-gen2-1x", "t3-gen2-2x"),
    ),
    Claim(
        id="C7b",
        parent="C7",
        statement="Four add nothing to two.",
        source="Table 3",
        forms=each(
            lambda where: as_good(
                where,
                where.accuracy("gen2-XS"),
                where.accuracy("gen2-2x-XS"),
                margin=2.2,
                reason="the paper's gain from one trajectory to two",
                assay=room(where, where.accuracy("gen2-2x-XS")),
            )
        ),
        reported=("t3-gen2-2x", "t3-gen2-4x"),
    ),
    Claim(
        id="C8",
        statement="Better data help more than more data: as many trajectories of the second generation "
        "teach more than those of the first.",
        source="Table 3",
        forms=each(lambda where: above(where, where.accuracy("gen2-1x-XS"), where.accuracy("gen1-XS"))),
        reported=("t3-gen1", "t3-gen2-1x"),
    ),
)


def _steadier(where: Place, first: str, last: str) -> Direction:
    return Direction(
        theta=minus(where.of(first, SPREAD), where.of(last, SPREAD)),
        delta=0.5,
        delta_reason="a quarter of the paper's falls, 1.9 and 2.2 points",
        replication=where.replication,
    )


STEADINESS = (
    Claim(
        id="C9a",
        parent="C9",
        statement="Evaluations of the largest agent spread less from run to run after two generations.",
        source="Table 1",
        forms=each(lambda where: _steadier(where, "gen0-L", "gen2-L")),
        reported=("t1-gen0-l-sd", "t1-gen2-l-sd"),
        note="Measured by the expected standard deviation over runs, which follows from how often each "
        "question is right; the sample's, from as many runs, is in the table.",
    ),
    Claim(
        id="C9b",
        parent="C9",
        statement="So do those of the smallest, from the first generation's data to as much of the second's.",
        source="Table 3",
        forms=each(lambda where: _steadier(where, "gen1-XS", "gen2-1x-XS")),
        reported=("t3-gen1-sd", "t3-gen2-1x-sd"),
    ),
    Claim(
        id="C9c",
        parent="C9",
        statement="And by more than higher accuracy alone brings, since chance has less room near the top.",
        source="ours",
        forms=each(
            lambda where: Direction(
                theta=minus(where.of("gen0-L", RELATIVE_SPREAD), where.of("gen2-L", RELATIVE_SPREAD)),
                delta=0.05,
                delta_reason="a twentieth of the spread of coins",
                replication=where.replication,
            )
        ),
        essential=False,
    ),
)

PROXY = (
    "The ranker is a script that reads states rightly but for noise; that no labels are needed is built in."
)


def _labels(where: Place, profile: Profile, form: Form) -> Form:
    """As it is where the ranker is a language model; a proxy elsewhere."""
    assert isinstance(form, Direction | NonInferiority)
    if profile is Profile.PAPER:
        return form
    return NotComparable(theta=form.theta, reason=PROXY, replication=where.replication)


LABELS = (
    Claim(
        id="C11a",
        parent="C11",
        statement="No labels are needed: an agent improves on all of its trajectories, right or wrong.",
        source="section 6",
        forms={
            profile: _labels(where, profile, above(where, where.accuracy("gen2-L"), where.accuracy("gen0-L")))
            for profile, where in PLACES.items()
        },
        reported=("no-labels",),
    ),
    Claim(
        id="C11b",
        parent="C11",
        statement="Learning from rightly answered trajectories only, which takes labels, is not better.",
        source="section 6",
        forms={
            profile: _labels(
                where,
                profile,
                not_below(where, where.accuracy("gen1-L"), where.labelled("gen1-L")),
            )
            for profile, where in PLACES.items()
        },
        reported=("no-labels",),
    ),
)


def _noisier(where: Place) -> Trend:
    """Accuracy after one generation over the share of pairs that the ranker orders rightly."""
    return Trend(
        points=tuple(
            (share, Contrast(((1.0, where.accuracy("gen1-L", method=name)),)))
            for name, share in PAIRS_RIGHT.items()
        ),
        delta=20.0,
        delta_reason="ten points between a ranker that guesses and one that never errs",
        step_margin=5.0,
        replication=where.replication,
    )


RANKER = (
    Claim(
        id="C12a",
        parent="C12",
        statement="Ranked targets teach more than the targets of least perplexity.",
        source="section 3.5; measured by us",
        forms=each(
            lambda where: above(where, where.accuracy("gen1-L"), where.accuracy("gen1-L", method="no-ranker"))
        ),
        reported=("ranker",),
        note="The paper has no such ablation. Both arms train equally long on as many steps.",
    ),
    Claim(
        id="C12b",
        parent="C12",
        statement="It is the ranker's judgement that helps, not the variety that it brings: ranked targets "
        "teach more than targets drawn at random from the same samples.",
        source="ours",
        forms=each(
            lambda where: above(where, where.accuracy("gen1-L"), where.accuracy("gen1-L", method="random"))
        ),
        reported=("ranker",),
    ),
    Claim(
        id="C12c",
        parent="C12",
        statement="The better the ranker, the better the next generation.",
        source="ours",
        forms={
            **on_worlds(_noisier),
            Profile.GPU: NotRun(reason="The sweep is over toy agents; there is no time for it here."),
        },
        reported=("ranker",),
        essential=False,
    ),
)

DATA = (*AMOUNT, *STEADINESS, *LABELS, *RANKER)
