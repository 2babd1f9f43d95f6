"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric
from harness.suite import PaperTable, ReportedRef, Scale, TableRow
from methods.rest_react.measures import (
    ACCURACY,
    DRAFT,
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
    DISTILLED,
    FACTS,
    GENERATIONS,
    SAMPLES,
    SECOND,
    Place,
    judge_cell,
)
from suites.rest_react.rules import PLACES

Entries = dict[str, Cell | Contrast | ReportedRef]
TRAINED = tuple(PLACES)
INVENTED = (Profile.SMALL, Profile.GPU)


def where_of(scale: Scale) -> Place:
    """Where agents are trained under a profile."""
    return PLACES[scale.profile]


def _paper_of(table: str, generation: str, size: str, keys: Mapping[str, str]) -> Entries:
    """Reported numbers of an agent by column, given the endings of their ids; prompted S and XS have none."""
    if generation == "gen0" and size != "L":
        return {}
    return {
        key: ReportedRef(id=f"{table}-{generation}-{size.lower()}{ending}") for key, ending in keys.items()
    }


def _by_agent(
    scale: Scale, metrics: Mapping[str, Metric], table: str, keys: Mapping[str, str]
) -> list[TableRow]:
    """A row an agent: ours beside the paper's."""
    where = where_of(scale)
    return [
        TableRow(
            label=size,
            entries={
                **{key: where.of(f"{generation}-{size}", metric) for key, metric in metrics.items()},
                **_paper_of(table, generation, size, keys),
            },
            group=label,
        )
        for generation, label in GENERATIONS.items()
        for size in sizes_of(scale, generation)
    ]


def sizes_of(scale: Scale, generation: str) -> tuple[str, ...]:
    """Sizes that a generation has: the paper prompts the largest model only; time is short for pilots."""
    if generation == "gen0" and scale.profile is Profile.PAPER:
        return ("L",)
    brief = generation == "pilot" and scale.profile is not Profile.PAPER and not scale.full
    return DISTILLED if brief else where_of(scale).sizes


def _main_rows(scale: Scale) -> Sequence[TableRow]:
    metrics = {"here": ACCURACY, "sd": RUN_SD, "questions": HALF_WIDTH}
    return _by_agent(scale, metrics, "t1", {"paper": "", "paper-sd": "-sd"})


def _draft_rows(scale: Scale) -> Sequence[TableRow]:
    keys = {"paper": "", "paper-sd": "-sd", "paper-gain": "-gain"}
    return _by_agent(scale, {"here": DRAFT, "gain": GAIN}, "t4", keys)


def _second_rows(scale: Scale) -> Sequence[TableRow]:
    where = where_of(scale)
    rows = []
    for agent in ("gen0-L", *(f"gen2-{size}" for size in where.sizes)):
        entries: Entries = {
            "second": where.accuracy(agent, exam=SECOND),
            "questions": where.of(agent, HALF_WIDTH, exam=SECOND),
            "paper-first": ReportedRef(id=f"t2-bamboogle-{agent.lower()}"),
            "paper": ReportedRef(id=f"t2-bamtwoogle-{agent.lower()}"),
            "first": where.accuracy(agent),
        }
        if scale.profile is not Profile.PAPER:
            entries["facts"] = where.accuracy(agent, exam=FACTS)
        rows.append(TableRow(label=agent, entries=entries))
    return rows


_DATA = {
    "pilot, filtered": ("pilot", "pilot-XS", "pilot", "pilot-filtered"),
    "pilot, unfiltered": ("pilot-all", "pilot-XS", "pilot", "pilot-unfiltered"),
    "1st generation": ("rest", "gen1-XS", "gen1-1x", "gen1"),
    "2nd generation, 1×": ("rest", "gen2-1x-XS", "gen2-1x", "gen2-1x"),
    "2nd generation, 2×": ("rest", "gen2-2x-XS", "gen2-2x", "gen2-2x"),
    "2nd generation, 4×": ("rest", "gen2-XS", "gen2-4x", "gen2-4x"),
}
"""Method, agent, training set and reported row by label."""


def _data_rows(scale: Scale) -> Sequence[TableRow]:
    where = where_of(scale)
    return [
        TableRow(
            label=label,
            entries={
                "examples": where.examples(data, method=method),
                "here": where.accuracy(agent, method=method),
                "sd": where.of(agent, RUN_SD, method=method),
                "questions": where.of(agent, HALF_WIDTH, method=method),
                "paper-examples": ReportedRef(id=f"t3-{reported}-examples"),
                "paper": ReportedRef(id=f"t3-{reported}"),
                "paper-sd": ReportedRef(id=f"t3-{reported}-sd"),
            },
        )
        for label, (method, agent, data, reported) in _DATA.items()
    ]


def _ablation_rows(scale: Scale) -> Sequence[TableRow]:
    where = where_of(scale)
    whole: Entries = {n: where.accuracy(f"{n}-L", method="rest") for n in ("gen1", "gen2")}
    rows = [TableRow(label="ranked, with noise", entries=whole)]
    once = {"random": "drawn at random", "no-ranker": "least perplexity, no ranker"}
    if scale.profile is Profile.SMALL:
        once["oracle"] = "ranked without error"
        if scale.full:
            once["noise"] = "ranked, with more noise"
    for name, label in once.items():
        rows.append(TableRow(label=label, entries={"gen1": where.accuracy("gen1-L", method=name)}))
    star: Entries = {"gen1": where.labelled("gen1-L")}
    rows.append(TableRow(label="rightly answered trajectories only (STaR, ReST-EM)", entries=star))
    if _is_wide(scale):
        third: Entries = {f"gen{n}": where.accuracy(f"gen{n}-L", method="third") for n in (1, 2, 3)}
        rows.append(TableRow(label="three generations", entries=third))
    return rows


def _is_wide(scale: Scale) -> bool:
    return scale.profile is Profile.SMALL and scale.full


def _baseline_rows(scale: Scale) -> Sequence[TableRow]:
    where = where_of(scale)
    rows = []
    names = {
        **BASELINES,
        **{("search-agent" if k == 4 else f"k-{k}"): f"search agent, k = {k}" for k in SAMPLES},
    }
    for name, label in names.items():
        entries: Entries = {"here": where.baseline(name), "searches": where.baseline(name, SEARCHES)}
        if name != "majority":
            entries |= {"sd": where.baseline(name, RUN_SD)}
        if name in ("search-agent", "single-search"):
            entries["swapped"] = where.baseline(name, task="swapped")
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _agent_rows(scale: Scale) -> Sequence[TableRow]:
    where = where_of(scale)
    names = [f"{generation}-{size}" for generation in GENERATIONS for size in sizes_of(scale, generation)]
    return [
        TableRow(
            label=agent,
            entries={
                "oracle": where.accuracy(agent),
                "judge": where.of(agent, JUDGED),
                "spread": where.of(agent, SPREAD),
                "relative": where.of(agent, RELATIVE_SPREAD),
                "searches": where.of(agent, SEARCHES),
                "format": where.of(agent, FORMAT),
                "parameters": where.parameters(agent),
            },
        )
        for agent in names
    ]


def _judge_rows(scale: Scale) -> Sequence[TableRow]:
    labels = {
        **({} if scale.profile is Profile.SMALL else {"language": "a language model"}),
        "rule": "a rule that reads",
        "mention": "the name is mentioned",
        "string": "nothing but the name",
        "lenient": "always yes",
    }
    return [
        TableRow(
            label=label,
            entries={
                "pearson": judge_cell(name, PEARSON),
                "spearman": judge_cell(name, SPEARMAN),
                "judged": judge_cell(name, JUDGED),
                "right": judge_cell(name, ACCURACY),
            },
        )
        for name, label in labels.items()
    ]


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
        rows=_main_rows,
        source="Table 1",
        profiles=TRAINED,
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
        rows=_second_rows,
        source="Table 2",
        profiles=TRAINED,
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
        rows=_data_rows,
        source="Table 3",
        profiles=TRAINED,
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
        rows=_draft_rows,
        source="Table 4",
        profiles=TRAINED,
    ),
    PaperTable(
        id="ablations",
        title="The largest agent by what it learns from, in percent",
        columns={"gen1": "1st generation", "gen2": "2nd generation", "gen3": "3rd generation"},
        rows=_ablation_rows,
        profiles=TRAINED,
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
        rows=_baseline_rows,
        profiles=INVENTED,
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
        rows=_agent_rows,
        profiles=TRAINED,
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
        rows=_judge_rows,
        source="section 4.2",
        profiles=TRAINED,
    ),
)
