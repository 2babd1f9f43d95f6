"""The claims of the paper and the rules that decide them, declared before any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import log

from harness.claims import (
    Claim,
    Contrast,
    CountCost,
    Direction,
    EveryCell,
    Exact,
    Existence,
    Form,
    NonInferiority,
    NotComparable,
    Ordering,
    Profile,
    Replication,
    Share,
    Time,
    difference,
)
from suites.lite.cells import (
    MEASURED,
    TARGETS,
    TOP_K,
    approximation,
    away,
    elsewhere,
    folds,
    main_task,
    mean_of_cells,
    order,
    quality,
    second_arm,
    second_sets,
    seconds,
    stored,
    table_error,
)
from suites.lite.claims_losses import LOSS_CLAIMS
from suites.lite.wholes import WHOLES

CROSSED = Replication.CROSSED
EVERY = tuple(Profile)
POINT = 0.01
POINT_REASON = "a hundredth of MRR@10, which is the paper's own difference"
RATIO = log(1.05)
LOOPS = "the function written as plain loops, in float64"


def _same(form: Form, profiles: tuple[Profile, ...] = MEASURED) -> Mapping[Profile, Form]:
    return dict.fromkeys(profiles, form)


def _each(
    form: Callable[[Profile], Form], profiles: tuple[Profile, ...] = MEASURED
) -> Mapping[Profile, Form]:
    return {profile: form(profile) for profile in profiles}


def above(theta: Contrast, delta: float = POINT, reason: str = POINT_REASON) -> Direction:
    """θ is at least δ, over queries and seeds."""
    return Direction(theta=theta, delta=delta, delta_reason=reason, replication=CROSSED)


def _beats(better: str, worse: str) -> Callable[[Profile], Form]:
    """One method is better than another on the main set."""

    def form(profile: Profile) -> Form:
        task = main_task(profile)
        return above(difference(quality(better, task=task), quality(worse, task=task)))

    return form


def _second_set(profile: Profile) -> Form:
    lite, maxsim = second_arm("lite", profile), second_arm("maxsim", profile)
    return EveryCell(
        thetas=tuple(
            difference(elsewhere(lite, name), elsewhere(maxsim, name)) for name in second_sets(profile)
        ),
        delta=POINT,
        delta_reason=POINT_REASON,
        replication=CROSSED,
    )


def _ordering(*names: str) -> Callable[[Profile], Form]:
    def form(profile: Profile) -> Form:
        task = main_task(profile)
        pairs = pairwise(names)
        return Ordering(
            steps=tuple(difference(quality(b, task=task), quality(a, task=task)) for a, b in pairs),
            delta=0.005,
            delta_reason="half of a hundredth: the paper's steps are .003 to .028",
            replication=CROSSED,
        )

    return form


def _share(profile: Profile) -> Form:
    task = main_task(profile)
    return Share(
        a=quality("lite", task=task),
        b=quality("de", task=task),
        c=quality("cross-encoder", task=task),
        d=quality("de", task=task),
        ratio=0.75,
        delta=0.005,
        delta_reason="half of a hundredth of MRR@10 beyond three quarters of the gap (MaxSim's share in "
        "the paper is 70 %, LITE's 95 %)",
        replication=CROSSED,
        denominator_delta=POINT,
    )


IN_DOMAIN = (
    Claim(
        id="C1a",
        parent="C1",
        statement="LITE ranks better than MaxSim with a learnt scale, at equal encoder, loss and steps.",
        source="in-domain table",
        forms=_each(_beats("lite", "maxsim")),
        reported=("mrr-msmarco-lite", "mrr-msmarco-maxsim"),
        note="The fair comparison: without a scale, MaxSim cannot reach the teacher's margins.",
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="LITE ranks better than MaxSim without a scale.",
        source="in-domain table",
        forms=_each(_beats("lite", "maxsim-unscaled")),
        reported=("mrr-msmarco-lite", "mrr-msmarco-maxsim"),
        essential=False,
        note="Whether the paper's MaxSim has a scale is not known.",
    ),
    Claim(
        id="C2",
        statement="The same holds on other in-domain sets.",
        source="in-domain table",
        forms=_each(_second_set),
        reported=("mrr-dl19-lite", "mrr-dl19-maxsim", "mrr-dl20-lite", "mrr-dl20-maxsim"),
        note="Under small the other set is of functions' bodies, and both scorers learn from labels alone.",
    ),
    Claim(
        id="C3a",
        parent="C3",
        statement="The dual encoder is below MaxSim, and MaxSim below LITE.",
        source="in-domain table",
        forms=_each(_ordering("de", "maxsim", "lite")),
        reported=("mrr-msmarco-de", "mrr-msmarco-maxsim", "mrr-msmarco-lite"),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="LITE recovers most of what a cross-encoder gains over the dual encoder.",
        source="in-domain table",
        forms=_each(_share),
        reported=("mrr-msmarco-de", "mrr-msmarco-lite", "mrr-msmarco-ce"),
        note="The cross-encoder is the one that teaches, so there is one of it for all seeds.",
    ),
    Claim(
        id="C10",
        statement="KNRM's kernels lie between MaxSim and LITE.",
        source="ablation of scorers",
        forms=_each(_ordering("maxsim", "knrm", "lite")),
        reported=("mrr-msmarco-maxsim", "mrr-msmarco-knrm", "mrr-msmarco-lite"),
    ),
)


def _transfer(profile: Profile) -> Form:
    task = main_task(profile)
    names = folds(profile)
    return above(
        mean_of_cells(
            [away("lite", name, task=task) for name in names],
            [away("maxsim", name, task=task) for name in names],
        ),
        reason="a hundredth of nDCG@10; on Quora the paper reports .072",
    )


ZERO_SHOT = (
    Claim(
        id="C4",
        statement="On sets that nothing was trained on, LITE ranks better than MaxSim on average.",
        source="BEIR table",
        forms=_each(_transfer),
        reported=("zero-shot", "beir-wins", "beir-quora-lite", "beir-quora-maxsim"),
        note="Each fold is a whole library (and public sets); the table shows them one by one.",
    ),
)


def _quarter(profile: Profile) -> Form:
    task = main_task(profile)
    return NonInferiority(
        theta=difference(quality("lite-quarter", task=task), quality("maxsim", task=task)),
        margin=POINT if profile is Profile.SMALL else 0.005,
        margin_reason="the least difference that C1 counts; half of it where there are more queries",
        replication=CROSSED,
    )


def _bytes(profile: Profile) -> Form:
    task = main_task(profile)
    ratio = Contrast(
        ((1.0, stored("maxsim", task=task)), (-1.0, stored("lite-quarter", task=task))), log=True
    )
    return CountCost(theta=ratio, delta=log(4) - 1e-9, delta_reason="a quarter, exactly")


def _faster(profile: Profile) -> Form:
    if profile is Profile.SMALL:
        ratio = Contrast(((1.0, seconds("maxsim-200")), (-1.0, seconds("lite-50"))), log=True)
        return NotComparable(
            theta=ratio, reason="On one CPU thread small matrix products cost other times than on a GPU."
        )
    return Time(
        slow=seconds("maxsim-200"),
        fast=seconds("lite-50"),
        delta=RATIO,
        delta_reason="a twentieth; the paper's ratio is 1.11",
    )


COST = (
    Claim(
        id="C5a",
        parent="C5",
        statement="With a quarter of the document vectors, LITE ranks at least as well as MaxSim with all.",
        source="latency table",
        forms=_each(_quarter),
        reported=("mrr-lite-50", "mrr-msmarco-maxsim"),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="It then stores a quarter of the bytes.",
        source="abstract",
        forms=_each(_bytes),
        reported=("storage",),
    ),
    Claim(
        id="C5c",
        parent="C5",
        statement="And it takes less time than MaxSim, loading included.",
        source="latency table",
        forms=_each(_faster),
        reported=("latency-lite-50", "latency-maxsim-200"),
    ),
    Claim(
        id="C6",
        statement="At equal storage LITE takes more time than MaxSim.",
        source="latency table",
        forms=_same(
            Time(
                slow=seconds("lite-200"),
                fast=seconds("maxsim-200"),
                delta=RATIO,
                delta_reason="a twentieth; the paper's ratio is 1.8",
            )
        ),
        reported=("latency-lite-200", "latency-maxsim-200"),
    ),
)


def _no_help(k: int) -> Callable[[Profile], Form]:
    def form(profile: Profile) -> Form:
        task = main_task(profile)
        return NonInferiority(
            theta=difference(quality("maxsim", task=task), quality(f"maxsim-top{k}", task=task)),
            margin=POINT,
            margin_reason="the least gain that C1 counts",
            replication=CROSSED,
        )

    return form


def _above_top_k(profile: Profile) -> Form:
    task = main_task(profile)
    return EveryCell(
        thetas=tuple(
            difference(quality("lite", task=task), quality(f"maxsim-top{k}", task=task)) for k in TOP_K
        ),
        delta=POINT,
        delta_reason=POINT_REASON,
        replication=CROSSED,
    )


ABLATIONS = (
    Claim(
        id="C8",
        statement="On a frozen encoder, a trained LITE scorer ranks better than MaxSim.",
        source="ablation with frozen encoders",
        forms=_each(_beats("lite-scorer", "maxsim-frozen")),
        reported=("frozen-lite", "frozen-maxsim"),
        note="The paper's encoder was not tuned for retrieval; MiniLM was, for cosines of mean vectors.",
    ),
    *(
        Claim(
            id=f"C9{letter}",
            parent="C9",
            statement=f"Summing the {k} best matches of a query token does not help MaxSim.",
            source="ablation of aligned tokens",
            forms=_each(_no_help(k)),
            reported=(f"top-{k}", "top-1"),
        )
        for letter, k in zip("abc", TOP_K, strict=True)
    ),
    Claim(
        id="C9d",
        parent="C9",
        statement="LITE ranks better than each of them.",
        source="ablation of aligned tokens",
        forms=_each(_above_top_k),
        reported=("mrr-msmarco-lite",),
        essential=False,
    ),
)

THEORY = (
    *(
        Claim(
            id=f"C11{letter}",
            parent="C11",
            statement=f"From two query and two document vectors, LITE approximates the function '{name}'.",
            source="theory section",
            forms=_same(Existence(cell=approximation("lite", name, "witness"), oracle=LOOPS), EVERY),
            reported=("universal",),
            note="Without LayerNorm after W2 and W4, which leaves only signs on an axis of two.",
        )
        for letter, name in zip("abcd", TARGETS, strict=True)
    ),
    Claim(
        id="C12a",
        parent="C12",
        statement="No dot product in four dimensions comes closer to the identity of eight queries and "
        "documents than a mean squared error of 1/16.",
        source="theory section",
        forms=_same(
            Exact(
                cells=(table_error("de", "bound"),),
                oracle="singular values (Eckart and Young)",
                min_cases=9,
            ),
            EVERY,
        ),
        reported=("de-bound",),
    ),
    Claim(
        id="C12b",
        parent="C12",
        statement="LITE on two token vectors of four dimensions does.",
        source="theory section",
        forms=_same(
            Existence(cell=table_error("lite", "witness"), oracle="exact sums of squared errors"), EVERY
        ),
        reported=("de-bound",),
    ),
    Claim(
        id="E1",
        statement="LITE ranks a phrase above the same words out of order, which no sum of maxima can.",
        source="our extension of the theory section",
        forms=_same(
            Existence(cell=order("lite", part="witness"), oracle="a search for the phrase in plain lists"),
            EVERY,
        ),
        note="MaxSim scores such documents exactly alike by construction, so this shows existence only.",
    ),
)


def _order(claim: Claim) -> tuple[bool, int, str]:
    """The paper's order, each whole before its parts; extensions come last."""
    return not claim.id.startswith("C"), int("".join(filter(str.isdigit, claim.id))), claim.id


CLAIMS = tuple(
    sorted((*WHOLES, *IN_DOMAIN, *ZERO_SHOT, *COST, *LOSS_CLAIMS, *ABLATIONS, *THEORY), key=_order)
)
"""All claims of the paper."""
