"""The paper's claims C1-C5, split into parts that can be decided."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    Cell,
    Claim,
    Contrast,
    CountCost,
    Direction,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotRun,
    Ordering,
    Profile,
    Replication,
    Trend,
    difference,
)
from suites.ibws.cells import (
    JUDGEMENTS,
    READS,
    RHO_IBWS,
    RHO_IBWS_BT,
    SPLIT_HALF,
    after_round,
    alone,
    bias,
    cost,
    quality,
)
from suites.ibws.claims_ranking import C5
from suites.ibws.experiments import BIAS_LEVELS, COST_SIZES, DOMAINS

SEEDS = Replication.SEEDS

_NO_CROWD = NotRun(
    reason="The paper's items, crowd answers and prices are not public; only a simulated crowd can be run, "
    "which the small and gpu profiles do."
)


def _measured(form: Form, paper: Form = _NO_CROWD) -> Mapping[Profile, Form]:
    return {Profile.SMALL: form, Profile.GPU: form, Profile.PAPER: paper}


def _direction(theta: Contrast, delta: float, reason: str) -> Direction:
    return Direction(theta=theta, delta=delta, delta_reason=reason, replication=SEEDS)


_EXACT = Exact(
    cells=(Cell("exact", "ibws-complete", RHO_IBWS, "perfect"),),
    oracle="comparison of every pair with the latent order",
    min_cases=5,
)

_RANK_NOISE = "rank correlations of 300 items move by about .01 between draws of the crowd"

C1 = (
    Claim(
        id="C1a",
        parent="C1",
        statement="The IBWS ranking gets better from the first round to the last.",
        source="abstract; method",
        forms=_measured(
            EveryCell(
                thetas=tuple(
                    difference(quality("ibws-4", task=domain), after_round(1, task=domain))
                    for domain in DOMAINS
                ),
                delta=0.02,
                delta_reason=f"twice the spread: {_RANK_NOISE}",
                replication=SEEDS,
            )
        ),
        reported=("ibws-robust",),
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="With four appearances a round, the IBWS ranking correlates at least .9 with gold.",
        source="abstract (“robustly”)",
        forms=_measured(
            _direction(alone(quality("ibws-4")), 0.9, "the card's threshold for a robust ranking")
        ),
        reported=("ibws-robust",),
        note="Ranked by the position of the buckets; gold is the mean of six other raters.",
    ),
    Claim(
        id="C1c",
        parent="C1",
        statement="The IBWS ranking gets better with the number of judgements in each round.",
        source="method",
        forms=_measured(
            Ordering(
                steps=(
                    difference(quality("ibws-2"), quality("ibws-1")),
                    difference(quality("ibws-4"), quality("ibws-2")),
                ),
                delta=0.01,
                delta_reason=_RANK_NOISE,
                replication=SEEDS,
            )
        ),
    ),
    Claim(
        id="C1d",
        parent="C1",
        statement="Without errors and with all tuples of every bucket, IBWS returns the exact order.",
        source="method",
        forms={
            Profile.SMOKE: _EXACT,
            Profile.SMALL: _EXACT,
            Profile.GPU: _EXACT,
            Profile.PAPER: _EXACT,
        },
    ),
    Claim(
        id="C1e",
        parent="C1",
        essential=False,
        statement="IBWS ranks better than one round of best-worst scaling with as many tuples.",
        source="method (comparison is ours)",
        forms=_measured(
            _direction(
                difference(quality("ibws-4"), quality("bws-bt-20")),
                0.01,
                _RANK_NOISE,
            )
        ),
        note="IBWS by position against Bradley-Terry scores of a single round with 20 appearances an item; "
        "IBWS with four appearances a round takes slightly more tuples. Early errors of IBWS are final.",
    ),
    Claim(
        id="C1f",
        parent="C1",
        essential=False,
        statement="IBWS whose answers are all scored together ranks better than one round with as many "
        "tuples.",
        source="method (comparison is ours)",
        forms=_measured(
            _direction(
                difference(quality("ibws-4-bt"), quality("bws-bt-20")), 0.005, "half the spread of C1e"
            )
        ),
        note="Both by Bradley-Terry: what remains is the effect of choosing tuples adaptively.",
    ),
)

C2 = (
    Claim(
        id="C2a",
        parent="C2",
        statement="The judgements that IBWS needs for an item grow with the size of the set.",
        source="cost section",
        forms={
            profile: CountCost(
                theta=difference(cost("ibws-2", COST_SIZES[-1]), cost("ibws-2", COST_SIZES[0])),
                delta=0.8,
                delta_reason="two more rounds of a / k = .5 judgements each, less what incomplete tuples and "
                "small last buckets take off",
            )
            for profile in (Profile.SMOKE, Profile.SMALL, Profile.GPU)
        }
        | {Profile.PAPER: _NO_CROWD},
        reported=("ibws-expensive",),
    ),
    Claim(
        id="C2b",
        parent="C2",
        statement="A slider with four raters an item ranks no worse than IBWS with four appearances a round.",
        source="abstract; results",
        forms=_measured(
            NonInferiority(
                theta=difference(quality("slider-4"), quality("ibws-4")),
                margin=0.02,
                margin_reason=f"twice the spread: {_RANK_NOISE}",
                replication=SEEDS,
            )
        ),
        note="This makes the costs of C2c and C2d those of equal quality.",
    ),
    Claim(
        id="C2c",
        parent="C2",
        statement="IBWS takes more than twice the reads of that slider.",
        source="cost section",
        forms=_measured(
            CountCost(
                theta=Contrast(((1.0, quality("ibws-4", READS)), (-2.0, quality("slider-4", READS)))),
                delta=1.0,
                delta_reason="one read an item beyond twice the slider's",
            )
        ),
        reported=("ibws-expensive",),
    ),
    Claim(
        id="C2d",
        parent="C2",
        statement="IBWS takes more judgements than that slider.",
        source="cost section",
        forms=_measured(
            CountCost(
                theta=difference(quality("ibws-4", JUDGEMENTS), quality("slider-4", JUDGEMENTS)),
                delta=0.5,
                delta_reason="half a judgement an item, an eighth of the slider's cost",
            )
        ),
        reported=("ibws-expensive",),
    ),
)

_CLOSE = "the card's threshold for a close match; an unverified summary quotes .95"

C3 = (
    Claim(
        id="C3a",
        parent="C3",
        statement="A slider with four raters correlates at least .9 with the IBWS ranking (product reviews).",
        source="abstract; results",
        forms=_measured(_direction(alone(quality("slider-4", RHO_IBWS_BT)), 0.9, _CLOSE)),
        reported=("slider-vs-ibws",),
        note="Slider and IBWS use disjoint raters. The ranking is Bradley-Terry over all rounds.",
    ),
    Claim(
        id="C3b",
        parent="C3",
        essential=False,
        statement="The same, with the ranking taken from the position of the buckets.",
        source="abstract; results",
        forms=_measured(_direction(alone(quality("slider-4", RHO_IBWS)), 0.9, _CLOSE)),
        reported=("slider-vs-ibws",),
        note="One rater a tuple: the noise of IBWS itself limits this correlation.",
    ),
    Claim(
        id="C3c",
        parent="C3",
        essential=False,
        statement="The same on a second domain (newspaper editorials).",
        source="abstract; results",
        forms=_measured(_direction(alone(quality("slider-4", RHO_IBWS_BT, "nyt")), 0.9, _CLOSE)),
        note="Editorials stand in for dialogue. There the means of two groups of seven raters correlate at "
        ".90 with each other (.97 for product reviews), so asking four of them can hardly reach .9: the "
        "verdict is on this set's raters as much as on the slider.",
    ),
    Claim(
        id="C3d",
        parent="C3",
        statement="At equal cost a slider follows the IBWS ranking better than a five-point scale, whether "
        "or not raters are biased.",
        source="results",
        forms=_measured(
            EveryCell(
                thetas=tuple(
                    difference(
                        quality("slider-4", RHO_IBWS_BT, task), quality("five-point-4", RHO_IBWS_BT, task)
                    )
                    for task in (*DOMAINS, *(f"{domain}-biased" for domain in DOMAINS))
                ),
                delta=0.005,
                delta_reason="half the difference of .013 that the card measured without bias",
                replication=SEEDS,
            )
        ),
    ),
    Claim(
        id="C3e",
        parent="C3",
        statement="At equal cost a slider follows the IBWS ranking better than a three-point scale.",
        source="results",
        forms=_measured(
            EveryCell(
                thetas=tuple(
                    difference(
                        quality("slider-4", RHO_IBWS_BT, task), quality("three-point-4", RHO_IBWS_BT, task)
                    )
                    for task in DOMAINS
                ),
                delta=0.01,
                delta_reason=_RANK_NOISE,
                replication=SEEDS,
            )
        ),
    ),
)

_PER_JUDGEMENT = "two judgements an item on both sides"
_PER_READ = "eight reads an item on both sides"


def _overtakes(part: str, slider: str, level: float, unit: str) -> Claim:
    added = f"workers shifted by sd {level:g}" if level else "no bias added to the real ratings"
    return Claim(
        id=part,
        parent="C4",
        essential=False,
        statement=f"Best-worst scaling ranks better than a slider at equal {unit}, with {added}.",
        source="related work",
        forms=_measured(
            _direction(difference(bias("bws-bt-8", level), bias(slider, level)), 0.01, _RANK_NOISE)
        ),
        note=_PER_JUDGEMENT if unit == "judgements" else _PER_READ,
    )


def _reliability(part: str, level: float) -> Claim:
    added = f"with workers shifted by sd {level:g}" if level else "without added bias"
    return Claim(
        id=part,
        parent="C4",
        essential=False,
        statement="Best-worst scaling has a higher split-half reliability than a nine-point scale, "
        f"two judgements an item each, {added}.",
        source="related work (Kiritchenko and Mohammad, 2017)",
        forms=_measured(
            _direction(
                difference(bias("bws-count-8", level, SPLIT_HALF), bias("nine-point-2", level, SPLIT_HALF)),
                0.02,
                "the reported .98 against .95 differ by .03",
            )
        ),
        reported=("bws-split-half", "scale-split-half"),
    )


C4 = (
    _overtakes("C4a", "slider-2", 0.0, "judgements"),
    _overtakes("C4b", "slider-2", 0.5, "judgements"),
    _overtakes("C4c", "slider-2", 1.0, "judgements"),
    _overtakes("C4d", "slider-8", 1.0, "reads"),
    _overtakes("C4e", "slider-8", 2.0, "reads"),
    Claim(
        id="C4f",
        parent="C4",
        essential=False,
        statement="The advantage of best-worst scaling at equal judgements grows with rater bias.",
        source="related work",
        forms=_measured(
            Trend(
                points=tuple(
                    (level, difference(bias("bws-bt-8", level), bias("slider-2", level)))
                    for level in BIAS_LEVELS
                ),
                delta=0.02,
                delta_reason="twice the spread of rank correlations, for each point of shift",
                step_margin=0.01,
                replication=SEEDS,
            )
        ),
    ),
    _reliability("C4g", 0.0),
    _reliability("C4h", 1.0),
)


def _whole(name: str, statement: str, source: str) -> Claim:
    """A compound claim in the paper's words; its verdict is put together from its parts."""
    return Claim(id=name, statement=statement, source=source, forms={})


CLAIMS: tuple[Claim, ...] = (
    _whole("C1", "Best-worst scaling repeated inside ever smaller buckets ranks items robustly.", "abstract"),
    *C1,
    _whole("C2", "IBWS is effective, but too expensive for large sets.", "abstract"),
    *C2,
    _whole("C3", "A plain slider is cheap and comes close to the IBWS ranking.", "abstract"),
    *C3,
    _whole(
        "C4", "With few judgements, best-worst scaling is more robust than a rating scale.", "related work"
    ),
    *C4,
    _whole("C5", "Models that learn to rank from slider labels rank new items well.", "last experiment"),
    *C5,
)
