"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, SCALED, Place, by_profile
from harness.suite import Arm, Entry, PaperTable, ReportedRef, TableRow, arms, by_arm
from methods.rest_react.measures import (
    ACCURACY,
    DRAFT,
    EXAMPLES,
    FORMAT,
    GAIN,
    HALF_WIDTH,
    JUDGED,
    PEARSON,
    RELATIVE_SPREAD,
    RUN_SD,
    SEARCHES,
    SPEARMAN,
    SPREAD,
)
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
Entries = Mapping[str, Entry | None]


def _arm(agent: str) -> Arm:
    generation, _, size = agent.partition("-")
    return Arm(agent, size, GENERATIONS[generation])


def _reported(table: str, agent: str, endings: Mapping[str, str]) -> Entries:
    """Numbers of the paper by column, given the endings of their ids."""
    if agent in NOT_PROMPTED:
        return {}
    return {key: ReportedRef(f"{table}-{agent.lower()}{ending}") for key, ending in endings.items()}


def _generations(where: Place, agents: Sequence[str]) -> Rows:
    return by_arm(
        map(_arm, agents),
        lambda agent: {
            "here": of(agent)(where),
            "sd": of(agent, RUN_SD)(where),
            "questions": of(agent, HALF_WIDTH)(where),
            **_reported("t1", agent, {"paper": "", "paper-sd": "-sd"}),
        },
    )


def _drafts(where: Place, agents: Sequence[str]) -> Rows:
    return by_arm(
        map(_arm, agents),
        lambda agent: {
            "here": of(agent, DRAFT)(where),
            "gain": of(agent, GAIN)(where),
            **_reported("t4", agent, {"paper": "", "paper-sd": "-sd", "paper-gain": "-gain"}),
        },
    )


def _agents(where: Place, agents: Sequence[str]) -> Rows:
    return by_arm(
        [Arm(agent, agent) for agent in agents],
        lambda agent: {
            "oracle": of(agent)(where),
            "judge": of(agent, JUDGED)(where),
            "spread": of(agent, SPREAD)(where),
            "relative": of(agent, RELATIVE_SPREAD)(where),
            "searches": of(agent, SEARCHES)(where),
            "format": of(agent, FORMAT)(where),
            "parameters": parameters(agent)(where),
        },
    )


def _second_set(where: Place) -> Rows:
    agents = ("gen0-L", *(f"gen2-{size}" for size in SIZES))
    return by_arm(
        [Arm(agent, agent) for agent in agents],
        lambda agent: {
            "first": of(agent)(where),
            "second": of(agent, exam=SECOND)(where),
            "questions": of(agent, HALF_WIDTH, exam=SECOND)(where),
            "facts": None if where is PUBLIC else of(agent, exam=FACTS)(where),
            "paper-first": ReportedRef(f"t2-bamboogle-{agent.lower()}"),
            "paper": ReportedRef(f"t2-bamtwoogle-{agent.lower()}"),
        },
    )


def _data(where: Place) -> Rows:
    return [
        TableRow(
            label=label,
            entries={
                "examples": where(method, EXAMPLES, part="data", unit_id=data),
                "here": of(agent, method=method)(where),
                "sd": of(agent, RUN_SD, method=method)(where),
                "questions": of(agent, HALF_WIDTH, method=method)(where),
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


def _baseline(method: str) -> Entries:
    return {
        "here": BASELINES(method),
        "sd": None if method == "majority" else BASELINES(method, RUN_SD),
        "searches": BASELINES(method, SEARCHES),
        "swapped": BASELINES(method, task="swapped") if method in ("search-agent", "single-search") else None,
    }


def _judge(method: str) -> Entries:
    return {
        "pearson": JUDGES(method, PEARSON),
        "spearman": JUDGES(method, SPEARMAN),
        "judged": JUDGES(method, JUDGED),
        "right": JUDGES(method, ACCURACY),
    }


TABLES = (
    PaperTable(
        id="generations",
        title="Accuracy on two-hop questions, in percent",
        columns={
            "here": "here",
            "sd": "sd over runs",
            "questions": "over questions",
            "paper": "paper",
            "paper-sd": "paper, sd over runs",
        },
        rows=by_scale(_generations),
        source="Table 1",
    ),
    PaperTable(
        id="second-set",
        title="Accuracy on a second set of questions, in percent (people judged in the paper)",
        columns={
            "first": "first set",
            "second": "second set",
            "questions": "over questions",
            "facts": "countries and elements",
            "paper-first": "paper, Bamboogle",
            "paper": "paper, BamTwoogle",
        },
        rows=by_profile(PLACES, _second_set),
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
        columns={
            "here": "before, %",
            "gain": "final − draft",
            "paper": "paper, before",
            "paper-sd": "paper, sd over runs",
            "paper-gain": "paper, final − draft",
        },
        rows=by_scale(_drafts),
        source="Table 4",
    ),
    PaperTable(
        id="ablations",
        title="The largest agent by what it learns from, in percent",
        columns={"gen1": "1st generation", "gen2": "2nd generation", "gen3": "3rd generation"},
        rows=_ABLATIONS,
        profiles=MEASURED,
    ),
    PaperTable(
        id="baselines",
        title="Generation 0 with less than the search agent, or with other numbers of samples",
        columns={
            "here": "accuracy, %",
            "sd": "sd over runs",
            "searches": "searches",
            "swapped": "with the facts of another world",
        },
        rows=by_arm(_BASELINES, _baseline),
        profiles=SCALED,
    ),
    PaperTable(
        id="agents",
        title="All agents: in the eyes of the judge, spreads, searches, and format",
        columns={
            "oracle": "right, %",
            "judge": "judged right, %",
            "spread": "expected sd over runs",
            "relative": "relative to coins",
            "searches": "searches",
            "format": "unreadable, %",
            "parameters": "parameters",
        },
        rows=by_scale(_agents),
    ),
    PaperTable(
        id="judges",
        title="Judges against the oracle, over eleven agents",
        columns={
            "pearson": "Pearson's r",
            "spearman": "Spearman's rho",
            "judged": "judged right, %",
            "right": "right, %",
        },
        rows=by_arm(_JUDGES, _judge),
        source="section 4.2",
        profiles=MEASURED,
    ),
)
