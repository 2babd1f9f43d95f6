"""The rules that decide the claims of ``paper.toml``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import (
    EVERY,
    SCALED,
    Contrast,
    CountCost,
    Direction,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotRun,
    Ordering,
    Place,
    Profile,
    Trend,
    alone,
    at,
    by_profile,
)
from suites.ibws.cells import (
    ENCODER,
    JUDGEMENTS,
    PERFECT,
    QUALITY,
    RANKING,
    READS,
    RHO_IBWS,
    RHO_IBWS_BT,
    ROUNDS,
    SPLIT_HALF,
    bias,
    cost,
)
from suites.ibws.experiments import BIAS_LEVELS, COST_SIZES, DOMAINS

_NO_CROWD = NotRun(
    "The paper's items, crowd answers and prices are not public; only a simulated crowd can be run, "
    "which the small and gpu profiles do."
)
_RANK_NOISE = "rank correlations of 300 items move by about .01 between draws of the crowd"
_CLOSE = "the card's threshold for a close match; an unverified summary quotes .95"
_BIASED = tuple(f"{domain}-biased" for domain in DOMAINS)


def _measured(form: Form) -> Mapping[Profile, Form]:
    return at(SCALED, form) | at(Profile.PAPER, _NO_CROWD)


def _above(theta: Contrast, delta: float, reason: str = _RANK_NOISE) -> Mapping[Profile, Form]:
    return _measured(Direction(theta, delta=delta, delta_reason=reason))


def _closer_slider(scale: str, tasks: tuple[str, ...], delta: float, reason: str) -> Mapping[Profile, Form]:
    """A slider follows the IBWS ranking better than a coarser scale, on each task."""
    near = QUALITY.on(metric=RHO_IBWS_BT)
    thetas = tuple(near("slider-4", task=task) - near(scale, task=task) for task in tasks)
    return _measured(EveryCell(thetas, delta=delta, delta_reason=reason))


def _overtakes(slider: str, level: float) -> Mapping[Profile, Form]:
    """Best-worst scaling beats a slider at a level of bias."""
    return _above(bias("bws-bt-8", level) - bias(slider, level), 0.01)


def _reliability(level: float) -> Mapping[Profile, Form]:
    """Best-worst scaling agrees with itself better than a nine-point scale does."""
    theta = bias("bws-count-8", level, SPLIT_HALF) - bias("nine-point-2", level, SPLIT_HALF)
    return _above(theta, 0.02, "the reported .98 against .95 differ by .03")


_RANKERS: Mapping[Profile, tuple[Place, str]] = at(Profile.SMALL, (RANKING, "ridge")) | at(
    (Profile.GPU, Profile.PAPER), (ENCODER, "encoder")
)
"""Where models are trained, and which."""


def _as_good_as_gold(task: str) -> Mapping[Profile, Form]:
    def rule(ranker: tuple[Place, str]) -> Form:
        where, model = ranker
        return NonInferiority(
            where(f"{model}-slider-2", task=task) - where(f"{model}-gold", task=task),
            margin=0.03,
            margin_reason="five per cent of the ρ of about .6 to .7 that the card measured with gold labels",
        )

    return by_profile(_RANKERS, rule)


def _better_than_lexicon(task: str) -> Mapping[Profile, Form]:
    def rule(ranker: tuple[Place, str]) -> Form:
        where, model = ranker
        return Direction(
            where(f"{model}-slider-2", task=task) - where("lexicon", task=task),
            delta=0.02,
            delta_reason="ρ of a few hundred test texts moves by about .02",
        )

    return by_profile(_RANKERS, rule)


def _strong(ranker: tuple[Place, str]) -> Form:
    where, model = ranker
    return EveryCell(
        tuple(alone(where(f"{model}-slider-2", RHO_IBWS_BT, task=task)) for task in ("amazon", "movie")),
        delta=0.6,
        delta_reason="“strong” begins at .6 in Evans (1996); the paper's numbers are not known",
    )


RULES: Mapping[str, Mapping[Profile, Form]] = {
    "C1a": _measured(
        EveryCell(
            tuple(QUALITY("ibws-4", task=task) - ROUNDS("ibws-4", task=task, step=1) for task in DOMAINS),
            delta=0.02,
            delta_reason=f"twice the spread: {_RANK_NOISE}",
        )
    ),
    "C1b": _above(alone(QUALITY("ibws-4")), 0.9, "the card's threshold for a robust ranking"),
    "C1c": _measured(
        Ordering(
            (QUALITY("ibws-2") - QUALITY("ibws-1"), QUALITY("ibws-4") - QUALITY("ibws-2")),
            delta=0.01,
            delta_reason=_RANK_NOISE,
        )
    ),
    "C1d": at(
        EVERY,
        Exact(
            (PERFECT("ibws-complete"),), oracle="comparison of every pair with the latent order", min_cases=5
        ),
    ),
    "C1e": _above(QUALITY("ibws-4") - QUALITY("bws-bt-20"), 0.01),
    "C1f": _above(QUALITY("ibws-4-bt") - QUALITY("bws-bt-20"), 0.005, "half the spread of C1e"),
    "C2a": at(
        (Profile.SMOKE, *SCALED),
        CountCost(
            cost("ibws-2", COST_SIZES[-1]) - cost("ibws-2", COST_SIZES[0]),
            delta=0.8,
            delta_reason="two more rounds of a / k = .5 judgements each, less what incomplete tuples and "
            "small last buckets take off",
        ),
    )
    | at(Profile.PAPER, _NO_CROWD),
    "C2b": _measured(
        NonInferiority(
            QUALITY("slider-4") - QUALITY("ibws-4"),
            margin=0.02,
            margin_reason=f"twice the spread: {_RANK_NOISE}",
        )
    ),
    "C2c": _measured(
        CountCost(
            QUALITY("ibws-4", READS) - 2 * QUALITY("slider-4", READS),
            delta=1.0,
            delta_reason="one read an item beyond twice the slider's",
        )
    ),
    "C2d": _measured(
        CountCost(
            QUALITY("ibws-4", JUDGEMENTS) - QUALITY("slider-4", JUDGEMENTS),
            delta=0.5,
            delta_reason="half a judgement an item, an eighth of the slider's cost",
        )
    ),
    "C3a": _above(alone(QUALITY("slider-4", RHO_IBWS_BT)), 0.9, _CLOSE),
    "C3b": _above(alone(QUALITY("slider-4", RHO_IBWS)), 0.9, _CLOSE),
    "C3c": _above(alone(QUALITY("slider-4", RHO_IBWS_BT, task="nyt")), 0.9, _CLOSE),
    "C3d": _closer_slider(
        "five-point-4",
        (*DOMAINS, *_BIASED),
        0.005,
        "half the difference of .013 that the card measured without bias",
    ),
    "C3e": _closer_slider("three-point-4", DOMAINS, 0.01, _RANK_NOISE),
    "C4a": _overtakes("slider-2", 0.0),
    "C4b": _overtakes("slider-2", 0.5),
    "C4c": _overtakes("slider-2", 1.0),
    "C4d": _overtakes("slider-8", 1.0),
    "C4e": _overtakes("slider-8", 2.0),
    "C4f": _measured(
        Trend(
            tuple((level, bias("bws-bt-8", level) - bias("slider-2", level)) for level in BIAS_LEVELS),
            delta=0.02,
            delta_reason="twice the spread of rank correlations, for each point of shift",
            step_margin=0.01,
        )
    ),
    "C4g": _reliability(0.0),
    "C4h": _reliability(1.0),
    "C5a": _as_good_as_gold("amazon"),
    "C5b": _better_than_lexicon("amazon"),
    "C5c": _as_good_as_gold("movie"),
    "C5d": _better_than_lexicon("movie"),
    "C5e": by_profile(_RANKERS, _strong),
}
