"""Tables of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.claims import MEASURED, Place, by_profile
from harness.suite import (
    Arm,
    Columns,
    Entry,
    PaperTable,
    ReportedRef,
    Scale,
    TableRow,
    arms,
    by_arm,
    by_column,
    headers,
)
from methods.rest_react import measures
from suites.rest_react.cells import (
    BASELINES,
    FACTS,
    GENERATIONS,
    JUDGES,
    NOT_PROMPTED,
    PLACES,
    PUBLIC,
    SAMPLES,
    SECOND,
    SIZES,
    WORLDS,
    by_scale,
    fall,
    of,
    parameters,
)

_ONCE = arms({"random": "drawn at random", "no-ranker": "least perplexity, no ranker"})
_ONCE_IN_WORLDS = arms({"oracle": "ranked without error", "noise": "ranked, with more noise"})
_BASELINES = arms(
    {
        "closed-book": "closed book",
        "single-search": "one search for the question",
        "react": "no checks (ReAct)",
        "majority": "majority vote over the runs",
        **{method: f"search agent, k = {k}" for k, method in SAMPLES.items()},
    }
)
_JUDGES = arms(
    {
        "language": "a language model",
        "rule": "a rule that reads",
        "mention": "the name is mentioned",
        "string": "nothing but the name",
        "lenient": "always yes",
    }
)
_DATA = {
    "pilot, filtered": ("pilot", "pilot-XS", "pilot", "pilot-filtered"),
    "pilot, unfiltered": ("pilot-all", "pilot-XS", "pilot", "pilot-unfiltered"),
    "1st generation": ("rest", "gen1-XS", "gen1-1x", "gen1"),
    "2nd generation, 1×": ("rest", "gen2-1x-XS", "gen2-1x", "gen2-1x"),
    "2nd generation, 2×": ("rest", "gen2-2x-XS", "gen2-2x", "gen2-2x"),
    "2nd generation, 4×": ("rest", "gen2-XS", "gen2-4x", "gen2-4x"),
}
"""Method, agent, training set and reported row by label."""

Rows = Sequence[TableRow]


def _arm(agent: str) -> Arm:
    generation, _, size = agent.partition("-")
    return Arm(agent, size, GENERATIONS[generation])


def _plain(agent: str) -> Arm:
    return Arm(agent, agent)


def _reported(table: str, ending: str = "") -> Callable[[str], Entry | None]:
    """A number of the paper of each agent that it has one of."""
    return lambda agent: None if agent in NOT_PROMPTED else ReportedRef(f"{table}-{agent.lower()}{ending}")


def _generations(where: Place) -> Columns:
    return {
        "here": ("here", lambda agent: of(agent)(where)),
        "sd": ("sd over runs", lambda agent: of(agent, measures.RUN_SD)(where)),
        "questions": ("over questions", lambda agent: of(agent, measures.HALF_WIDTH)(where)),
        "paper": ("paper", _reported("t1")),
        "paper-sd": ("paper, sd over runs", _reported("t1", "-sd")),
    }


def _drafts(where: Place) -> Columns:
    return {
        "here": ("before, %", lambda agent: of(agent, measures.DRAFT)(where)),
        "gain": ("final − draft", lambda agent: of(agent, measures.GAIN)(where)),
        "paper": ("paper, before", _reported("t4")),
        "paper-sd": ("paper, sd over runs", _reported("t4", "-sd")),
        "paper-gain": ("paper, final − draft", _reported("t4", "-gain")),
    }


def _agents(where: Place) -> Columns:
    return {
        "oracle": ("right, %", lambda agent: of(agent)(where)),
        "judge": ("judged right, %", lambda agent: of(agent, measures.JUDGED)(where)),
        "spread": ("expected sd over runs", lambda agent: of(agent, measures.SPREAD)(where)),
        "relative": ("relative to coins", lambda agent: of(agent, measures.RELATIVE_SPREAD)(where)),
        "searches": ("searches", lambda agent: of(agent, measures.SEARCHES)(where)),
        "format": ("unreadable, %", lambda agent: of(agent, measures.FORMAT)(where)),
        "parameters": ("parameters", lambda agent: parameters(agent)(where)),
        "fall": (
            "last fall of the loss, nats",
            lambda agent: fall(agent)(where) if where is WORLDS else None,
        ),
    }


def _second_set(where: Place) -> Columns:
    facts = None if where is PUBLIC else FACTS
    return {
        "first": ("first set", lambda agent: of(agent)(where)),
        "second": ("second set", lambda agent: of(agent, exam=SECOND)(where)),
        "questions": ("over questions", lambda agent: of(agent, measures.HALF_WIDTH, exam=SECOND)(where)),
        "facts": ("countries and elements", lambda agent: of(agent, exam=facts)(where) if facts else None),
        "paper-first": ("paper, Bamboogle", _reported("t2-bamboogle")),
        "paper": ("paper, BamTwoogle", _reported("t2-bamtwoogle")),
    }


def _of_scale(columns: Callable[[Place], Columns], arm: Callable[[str], Arm]) -> Mapping[Scale, Rows]:
    """The agents that each scale trains."""
    return by_scale(lambda where, agents: by_column(map(arm, agents), columns(where)))


def _data(where: Place) -> Rows:
    return [
        TableRow(
            label=label,
            entries={
                "examples": where(method, measures.EXAMPLES, part="data", unit_id=data),
                "here": of(agent, method=method)(where),
                "sd": of(agent, measures.RUN_SD, method=method)(where),
                "questions": of(agent, measures.HALF_WIDTH, method=method)(where),
                "paper-examples": ReportedRef(f"t3-{reported}-examples"),
                "paper": ReportedRef(f"t3-{reported}"),
                "paper-sd": ReportedRef(f"t3-{reported}-sd"),
            },
        )
        for label, (method, agent, data, reported) in _DATA.items()
    ]


def _learnt(where: Place, listed: Sequence[Arm], generations: int = 1) -> Rows:
    """The largest agent of each generation, by what trains it."""
    return by_arm(
        listed,
        lambda method: {f"gen{n}": of(f"gen{n}-L", method=method)(where) for n in range(1, generations + 1)},
    )


_RANKED = arms({"rest": "ranked, with noise"})
_ABLATIONS = (
    *(row for where in (WORLDS, PUBLIC) for row in (*_learnt(where, _RANKED, 2), *_learnt(where, _ONCE))),
    *_learnt(WORLDS, _ONCE_IN_WORLDS),
    *_learnt(WORLDS, arms({"star": "rightly answered trajectories only (STaR, ReST-EM)"})),
    *_learnt(WORLDS, arms({"third": "three generations"}), 3),
)
"""Rows of invented worlds and of public questions, of which a scale shows those that it plans; what
``star`` learns from is called ``labelled`` in both."""


def _over_runs(method: str) -> Entry | None:
    return None if method == "majority" else BASELINES(method, measures.RUN_SD)


def _swapped(method: str) -> Entry | None:
    return BASELINES(method, task="swapped") if method in ("search-agent", "single-search") else None


TABLES = (
    PaperTable(
        id="generations",
        title="Accuracy on two-hop questions, in percent",
        columns=headers(_generations(WORLDS)),
        rows=_of_scale(_generations, _arm),
        source="Table 1",
    ),
    PaperTable(
        id="second-set",
        title="Accuracy on a second set of questions, in percent (people judged in the paper)",
        columns=headers(_second_set(WORLDS)),
        rows=by_profile(
            PLACES,
            lambda where: by_column(
                map(_plain, ("gen0-L", *(f"gen2-{size}" for size in SIZES))), _second_set(where)
            ),
        ),
        source="Table 2",
    ),
    PaperTable(
        id="data",
        title="The smallest agent by its training data",
        columns={
            "examples": "examples",
            "here": "here, %",
            "sd": "sd over runs",
            "questions": "over questions",
            "paper-examples": "paper, examples",
            "paper": "paper, %",
            "paper-sd": "paper, sd over runs",
        },
        rows=by_profile(PLACES, _data),
        source="Table 3",
    ),
    PaperTable(
        id="drafts",
        title="Accuracy before the two checks, and what they add",
        columns=headers(_drafts(WORLDS)),
        rows=_of_scale(_drafts, _arm),
        source="Table 4",
    ),
    PaperTable(
        id="ablations",
        title="The largest agent by what it learns from, in percent",
        columns={"gen1": "1st generation", "gen2": "2nd generation", "gen3": "3rd generation"},
        rows=_ABLATIONS,
        profiles=MEASURED,
    ),
    PaperTable.of(
        _BASELINES,
        {
            "here": ("accuracy, %", BASELINES),
            "sd": ("sd over runs", _over_runs),
            "searches": ("searches", BASELINES.on(metric=measures.SEARCHES)),
            "swapped": ("with the facts of another world", _swapped),
        },
        id="baselines",
        title="Generation 0 with less than the search agent, or with other numbers of samples",
    ),
    PaperTable(
        id="agents",
        title="All agents: in the eyes of the judge, spreads, searches, and format",
        columns=headers(_agents(WORLDS)),
        rows=_of_scale(_agents, _plain),
    ),
    PaperTable.of(
        _JUDGES,
        {
            "pearson": ("Pearson's r", JUDGES.on(metric=measures.PEARSON)),
            "spearman": ("Spearman's rho", JUDGES.on(metric=measures.SPEARMAN)),
            "judged": ("judged right, %", JUDGES.on(metric=measures.JUDGED)),
            "right": ("right, %", JUDGES.on(metric=measures.ACCURACY)),
        },
        id="judges",
        title="Judges against the oracle, over eleven agents",
        source="section 4.2",
        profiles=MEASURED,
    ),
)
