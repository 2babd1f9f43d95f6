"""The rules that decide the claims of ``paper.toml``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.claims import (
    EVERY,
    Direction,
    EveryCell,
    Form,
    NotComparable,
    NotRun,
    Ordering,
    Place,
    Profile,
    Rule,
    Rules,
    Trend,
    alone,
    at,
    log,
    mean,
)
from harness.method import Metric
from methods.rest_react.measures import (
    ACCURACY,
    AGENT_PEARSON,
    DRAFT,
    FORMAT,
    GAIN,
    PEARSON,
    RELATIVE_SPREAD,
    SPREAD,
)
from suites.rest_react.cells import (
    BASELINES,
    FACTS,
    JUDGES,
    SECOND,
    SIZES,
    STUDENTS,
    WORLDS,
    Reading,
    fall,
    of,
    parameters,
)
from suites.rest_react.rules import (
    BY_SCRIPT,
    INVENTED,
    STEP,
    STEP_REASON,
    above,
    as_good,
    each,
    falls,
    in_earnest,
    not_below,
    on_worlds,
    room,
    settled,
    without_labels,
)


def _all(*agents: str) -> Sequence[Reading]:
    """How much the loss of each still fell at the end."""
    return [fall(agent) for agent in agents]


def _settled(
    rule: Callable[..., Callable[[Place], Form]],
    agent: str,
    other: str,
    metric: Metric = ACCURACY,
    **how: Any,
) -> Rule:
    """A rule for two agents that had settled, wherever they are trained."""
    return each(rule(of(agent, metric), of(other, metric), trained=_all(agent, other), **how))


_STEADIER = "a quarter of the paper's falls, 1.9 and 2.2 points"
_NO_PEOPLE = NotRun("No people judge here; the judge is compared with an exact oracle instead (C5).")


_CHECKS = (
    "The script that teaches generation 0 makes mistakes in drafts so that its checks have something to "
    "catch; how many it makes, we chose."
)


def _smaller(where: Place) -> Form:
    """How many of the largest agent's parameters the smallest one has."""
    theta = log(parameters("gen2-L")(where)) - log(parameters("gen2-XS")(where))
    return NotComparable(theta, reason="The sizes of the agents were chosen, not found.")


def _one_search(where: Place) -> Form:
    """What searching step by step adds to one search for the question."""
    return NotComparable(
        BASELINES("search-agent") - BASELINES("single-search"),
        reason="Each fact is in one document, and no question is asked whose own words find its answer: one "
        "search cannot do it.",
    )


def _real_facts(where: Place) -> Form:
    """What learning in invented worlds adds to answers about real facts."""
    return NotComparable(
        of("gen2-L", exam=FACTS)(where) - of("gen0-L", exam=FACTS)(where),
        reason=f"{BY_SCRIPT} Names are replaced by placeholders, so that real facts look like invented ones.",
    )


def _generations(size: str) -> Callable[[Place], Ordering]:
    """An agent gets better from the pilot to the first and to the second generation."""

    def rule(where: Place) -> Ordering:
        pilot, first, second = (of(f"{data}-{size}")(where) for data in ("pilot", "gen1", "gen2"))
        return Ordering(
            (first - pilot, second - first),
            delta=STEP,
            delta_reason=STEP_REASON,
            preconditions=(
                room(first),
                *settled(where, _all(*(f"{data}-{size}" for data in ("pilot", "gen1", "gen2")))),
            ),
        )

    return rule


def _agrees(method: str) -> Direction:
    return Direction(
        JUDGES(method, PEARSON) - 0.95,
        delta=0.01,
        delta_reason="a third of the way from the card's threshold, .95, to the paper's .98",
    )


_AGREES_BY_DESIGN = NotComparable(
    alone(WORLDS("rest", AGENT_PEARSON, part="agents")),
    reason="The judge is a rule that reads, not a language model: answers are so short that it agrees with "
    "the oracle by design.",
)


def _checks_help(where: Place) -> Direction:
    """The two checks add something, on average over all agents but the pilot's."""
    return Direction(
        mean(of(agent, GAIN)(where) for agent in ("gen0-L", *STUDENTS)),
        delta=0.3,
        delta_reason="the smallest gain but one that the paper reports",
    )


def _more_for_larger(where: Place) -> Trend:
    """What the checks add, over the rank of the agent's size."""
    return Trend(
        tuple(
            (float(rank), mean(of(f"gen{n}-{size}", GAIN)(where) for n in (1, 2)))
            for rank, size in enumerate(SIZES)
        ),
        delta=0.2,
        delta_reason="half of what the paper's second generation gains from one size to the next",
        step_margin=1.0,
        preconditions=(room(of("gen1-L", DRAFT)(where)), *settled(where, _all(*STUDENTS))),
    )


_BETTER_BY_RANKER = NotComparable(
    of("gen1-L", method="oracle")(WORLDS) - of("gen1-L", method="random")(WORLDS),
    reason="The share of pairs that a ranker orders rightly was given to it by hand, and what is right is "
    "what the script of generation 0 does but for its mistakes.",
)


def _smaller_err_more(where: Place) -> EveryCell:
    """Smaller agents of generation 0 write more that cannot be read."""
    largest = of("gen0-L", FORMAT)(where)
    return EveryCell(
        tuple(of(f"gen0-{size}", FORMAT)(where) - largest for size in ("XS", "S")),
        delta=1.0,
        delta_reason="one sample in a hundred",
        preconditions=settled(where, _all("gen0-XS", "gen0-S", "gen0-L")),
    )


RULES: Rules = {
    "C1a": in_earnest(above(of("gen2-L"), of("gen0-L"))),
    "C1b": in_earnest(above(of("gen1-L"), of("gen0-L"))),
    "C1c": each(
        not_below(
            of("gen2-L"),
            of("gen1-L"),
            margin=2.0,
            reason="the paper's own step, 2.1 points, is within its noise",
            trained=_all("gen1-L", "gen2-L"),
        )
    ),
    "C2a": in_earnest(not_below(of("gen2-XS"), of("gen0-L"))),
    "C2b": each(_smaller),
    "C2c": in_earnest(not_below(of("gen2-S"), of("gen0-L"))),
    "C3a": each(_generations("XS")),
    "C3b": each(_generations("S")),
    "C4a": at(EVERY, _NO_PEOPLE),
    "C4b": in_earnest(above(of("gen2-L", exam=SECOND), of("gen0-L", exam=SECOND))),
    "C4c": in_earnest(
        not_below(
            of("gen2-XS", exam=SECOND),
            of("gen0-L", exam=SECOND),
            reason="what the paper's students lose there",
        )
    ),
    "C5": at(Profile.SMALL, _AGREES_BY_DESIGN) | at((Profile.GPU, Profile.PAPER), _agrees("language")),
    "C6": each(
        not_below(
            of("pilot-XS", method="pilot-all"),
            of("pilot-XS"),
            margin=3.0,
            reason="the card's bound, beyond which the filter would help",
            trained=(fall("pilot-XS", method="pilot-all"), fall("pilot-XS")),
        )
    ),
    "C7a": _settled(
        above, "gen2-2x-XS", "gen2-1x-XS", delta=1.0, reason="half of the paper's gain of 2.2 points"
    ),
    "C7b": _settled(
        as_good,
        "gen2-XS",
        "gen2-2x-XS",
        margin=2.2,
        reason="the paper's gain from one trajectory to two",
        with_room=of("gen2-2x-XS"),
    ),
    "C8": _settled(above, "gen2-1x-XS", "gen1-XS"),
    "C9a": in_earnest(falls(of("gen0-L", SPREAD), of("gen2-L", SPREAD), delta=0.5, reason=_STEADIER)),
    "C9b": _settled(falls, "gen1-XS", "gen2-1x-XS", SPREAD, delta=0.5, reason=_STEADIER),
    "C9c": _settled(
        falls, "gen0-L", "gen2-L", RELATIVE_SPREAD, delta=0.05, reason="a twentieth of the spread of coins"
    ),
    "C10a": in_earnest(_checks_help, reason=_CHECKS),
    "C10b": each(_more_for_larger),
    "C10c": in_earnest(
        as_good(
            of("gen2-L", GAIN),
            of("gen0-L", GAIN),
            margin=1.0,
            reason="as much as the checks bring in the paper",
            with_room=of("gen2-L", DRAFT),
        ),
        reason=_CHECKS,
    ),
    "C11a": without_labels(above(of("gen2-L"), of("gen0-L"))),
    "C11b": without_labels(not_below(of("gen1-L"), of("gen1-L", method="star"))),
    "C12a": in_earnest(above(of("gen1-L"), of("gen1-L", method="no-ranker"))),
    "C12b": in_earnest(above(of("gen1-L"), of("gen1-L", method="random"))),
    "C12c": at(Profile.SMALL, _BETTER_BY_RANKER)
    | at(Profile.GPU, NotRun("The sweep is over toy agents; there is no time for it here."))
    | at(Profile.PAPER, INVENTED),
    "C13": on_worlds(_smaller_err_more),
    "E1": on_worlds(_one_search),
    "E2": on_worlds(_real_facts),
}
