"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.claims import MEASURED, Cell, Contrast, Place, Profile, log
from harness.suite import (
    Arm,
    Columns,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_arm,
    by_column,
    curves,
    headers,
)
from methods.spectr.method import ACCEPTANCE, BLOCK_EFFICIENCY, FLOOR, OF_OPTIMUM, OPTIMUM, OVERLAP, SELECTED
from suites.spectr import cells


def _label(drafts: int, length: int) -> str:
    kind = "speculative decoding" if drafts == 1 else "SpecTr"
    return f"{kind}, K = {drafts}, L = {length}"


_PLAIN = Arm("ar", "plain sampling")
_ALL = [
    Arm(cells.name(k, length), _label(k, length), f"L = {length}")
    for length in cells.LENGTHS
    for k in cells.DRAFTS
]
_LONGEST = arms({cells.name(k, 8): _label(k, 8) for k in cells.DRAFTS})
_BY_DRAFTS = arms({cells.name(k, 8): f"K = {k}" for k in cells.DRAFTS})
_ON_GEMMA = {"trained": "draft over the hidden state", "counted": "trigram draft"}
_RULES = arms(
    {
        cells.EIGHT: "K-SEQ at ρ*",
        "rho-k": "K-SEQ at ρ = k",
        "recursive": "recursive rejection",
        "naive": "first candidate only",
    }
)
_TAU: Columns = {"tau": ("τ", cells.GRID), "simulated": ("τ, simulated", cells.SIMULATION)}


def _reported(number: str) -> Callable[[str], Entry | None]:
    """A number of the paper, which has it of its baselines and of its headline."""
    return lambda method: (
        ReportedRef(f"{number}-{method}") if method in ("ar", cells.ONE, cells.EIGHT) else None
    )


_SAME = {
    "ar": _PLAIN.label,
    "k1": "speculative decoding, L = 8",
    "assisted": "assisted generation of transformers, L = 8",
    "k8": _label(8, 8),
}
_FASTEST = {
    "ar": _PLAIN.label,
    "k1": "speculative decoding, fastest L",
    "assisted": "assisted generation of transformers, fastest L",
    "k8": "SpecTr, fastest K and L",
    "k1-l8": _label(1, 8),
    "k8-l8": _label(8, 8),
}


def _times(here: Place, labels: Mapping[str, str], group: str) -> Sequence[TableRow]:
    def entries(arm: str) -> Mapping[str, Entry]:
        # Not as a formula, in which plain sampling's own cell would cancel and its row show none.
        speedup = Contrast(((1.0, here("ar")), (-1.0, here(arm))), log=True)
        return {"seconds": here(arm), "gain": speedup, "tau": here(arm, BLOCK_EFFICIENCY, part="main")}

    return by_arm(arms(labels, group), entries)


def _gemma(task: str) -> Columns:
    where, seen = cells.GEMMA.on(task), cells.GEMMA.on(task, part="overlap")
    return {
        "tau": ("τ", where),
        "single": ("overlap", seen.on(metric=OVERLAP)),
        "share": ("K-SEQ over optimum", seen.on(metric=OF_OPTIMUM)),
    }


_BLOCKS = cells.GRID.on(part="overlap")

TABLES = (
    PaperTable.of(
        (_PLAIN, *_ALL),
        {
            **_TAU,
            "paper": ("τ, paper", _reported("tau")),
            "speedup": ("speed-up, paper", _reported("speedup")),
        },
        id="main",
        title="Block efficiency by number and length of drafts, beside the paper's",
        source="main table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="times",
        title="Seconds for the same prompts, one request at a time",
        columns={"seconds": "seconds", "gain": "speed-up", "tau": "τ"},
        rows=(
            *_times(cells.TIME, _SAME, "pair of the profile"),
            *(
                row
                for task, draft in _ON_GEMMA.items()
                for row in _times(replace(cells.GEMMA_TIME, task=task), _FASTEST, f"Gemma-3-270M, {draft}")
            ),
        ),
        source="main table",
    ),
    PaperTable(
        id="gemma",
        title="Gemma-3-270M by draft, 30 prompts of 16 new tokens",
        columns=headers(_gemma("trained")),
        rows=tuple(
            row
            for task, draft in _ON_GEMMA.items()
            for row in by_column(arms({"k1": _label(1, 4), "k8": _label(8, 4)}, draft), _gemma(task))
        ),
    ),
    PaperTable.of(
        _LONGEST,
        {
            "single": ("overlap", _BLOCKS.on(metric=OVERLAP)),
            "selected": ("K-SEQ", _BLOCKS.on(metric=SELECTED)),
            "optimum": ("optimum", _BLOCKS.on(metric=OPTIMUM)),
            "share": ("K-SEQ over optimum", _BLOCKS.on(metric=OF_OPTIMUM)),
        },
        id="overlap",
        title="Acceptance at the contexts where blocks begin",
    ),
    PaperTable.of(
        (Arm("spectr", "bfloat16 against float32"),),
        {"floor": ("total variation", cells.LAW.on(part="floor", metric=FLOOR))},
        id="floor",
        title="Noise floor of the law test: how far rounding alone moves the target's law",
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable.of(
        _RULES,
        _TAU,
        id="rivals",
        title="Selection rules with the same drafts, K = L = 8",
        profiles=MEASURED,
    ),
)


def _line(label: str, points: Mapping[float, Cell | Contrast]) -> Sequence[Series]:
    return [Series(label=label, points=tuple(points.items()))]


def _efficiency(here: Place) -> Sequence[Series]:
    """Tokens a call by K, a line for each L; the paper's are of L = 8."""
    reported = {8: tuple((float(k), ReportedRef(f"tau-{cells.name(k, 8)}")) for k in (1, 8))}
    return [
        Series(
            label=f"L = {length}",
            points=tuple((float(k), here(cells.name(k, length))) for k in cells.DRAFTS),
            reported=reported.get(length, ()),
        )
        for length in cells.LENGTHS
    ]


def _log_gain(task: str) -> Contrast:
    """What eight drafts gain over one in simulated chains."""
    return log(cells.LIMITS(cells.EIGHT, task=task)) - log(cells.LIMITS(cells.ONE, task=task))


_BY_OVERLAP = Series(
    label="draft from far to close",
    points=tuple(
        (cells.LIMITS(cells.EIGHT, OVERLAP, task=task, part="overlap"), _log_gain(task))
        for task in cells.NOISES
    ),
)
_BY_TEMPERATURE = {1.0: _log_gain("middle"), **{t: _log_gain(task) for task, t in cells.TEMPERATURES.items()}}
_SHARE = {float(k): cells.GRID(cells.name(k, 8), OF_OPTIMUM, part="overlap") for k in cells.DRAFTS}
_SOLVERS = arms({"program": "linear program", "k-seq": "K-SEQ, ten selections"})

FIGURES = (
    PaperFigure(
        id="gain-overlap",
        title="Gain of eight drafts over one, simulated, by overlap of draft and target",
        x="overlap",
        y="τ at K = 8 / τ at K = 1",
        log_y=True,
        series=(_BY_OVERLAP,),
    ),
    PaperFigure(
        id="gain-temperature",
        title="Gain of eight drafts over one, simulated, by temperature",
        x="temperature",
        y="τ at K = 8 / τ at K = 1",
        log_y=True,
        series=_line("T from 1 to greedy", _BY_TEMPERATURE),
    ),
    PaperFigure(
        id="efficiency",
        title="Block efficiency by number of drafts",
        x="K",
        y="tokens a call",
        series=_efficiency(cells.GRID),
        log_x=True,
        source="main table",
    ),
    PaperFigure(
        id="simulated",
        title="Block efficiency by number of drafts, for random Markov chains",
        x="K",
        y="tokens a call",
        series=_efficiency(cells.SIMULATION),
        log_x=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="depths",
        title="Acceptance by depth, L = 8",
        x="depth",
        y="share of blocks that go on",
        series=curves(
            _BY_DRAFTS, range(1, 9), lambda method, d: cells.GRID(method, ACCEPTANCE, part="depth", depth=d)
        ),
    ),
    PaperFigure(
        id="share",
        title="K-SEQ's acceptance over the optimum",
        x="K",
        y="share",
        series=_line("K-SEQ over optimum", _SHARE),
        log_x=True,
    ),
    PaperFigure(
        id="sizes",
        title="Time of two selections by vocabulary size",
        x="|V|",
        y="seconds",
        series=_line("K-SEQ, k = 8", {float(size): cells.SIZE(f"v{size}") for size in cells.SIZES}),
        log_x=True,
        log_y=True,
    ),
    PaperFigure(
        id="tries",
        title="Time by number of candidates, |V| = 6",
        x="k",
        y="seconds",
        series=curves(_SOLVERS, cells.PROGRAM_TRIES, lambda solver, k: cells.TRIES(f"{solver}-k{k}")),
        log_y=True,
    ),
)
