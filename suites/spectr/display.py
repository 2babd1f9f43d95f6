"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Cell, Contrast, Place, Profile, log
from harness.suite import (
    Arm,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_arm,
    curves,
)
from methods.spectr.method import ACCEPTANCE, BLOCK_EFFICIENCY, FLOOR, OF_OPTIMUM, OPTIMUM, OVERLAP, SELECTED
from suites.spectr.cells import (
    DRAFTS,
    EIGHT,
    GEMMA,
    GEMMA_TIME,
    GRID,
    LAW,
    LENGTHS,
    LIMITS,
    NOISES,
    ONE,
    PROGRAM_TRIES,
    SIMULATION,
    SIZE,
    SIZES,
    TEMPERATURES,
    TIME,
    TRIES,
    name,
)


def _label(drafts: int, length: int) -> str:
    kind = "speculative decoding" if drafts == 1 else "SpecTr"
    return f"{kind}, K = {drafts}, L = {length}"


_PLAIN = Arm("ar", "plain sampling")
_ALL = [Arm(name(k, length), _label(k, length), f"L = {length}") for length in LENGTHS for k in DRAFTS]
_LONGEST = arms({name(k, 8): _label(k, 8) for k in DRAFTS})
_BY_DRAFTS = arms({name(k, 8): f"K = {k}" for k in DRAFTS})
_ON_GEMMA = (_PLAIN, *arms({"k1": _label(1, 4), "assisted": "assisted generation", "k8": _label(8, 4)}))
_RULES = arms(
    {
        EIGHT: "K-SEQ at ρ*",
        "rho-k": "K-SEQ at ρ = k",
        "recursive": "recursive rejection",
        "naive": "first candidate only",
    }
)
_ACCEPTED = {"single": OVERLAP, "selected": SELECTED, "optimum": OPTIMUM, "share": OF_OPTIMUM}


def _main(method: str) -> Mapping[str, Entry]:
    measured = {"tau": GRID(method), "simulated": SIMULATION(method)}
    if method not in ("ar", ONE, EIGHT):
        return measured
    return {**measured, "paper": ReportedRef(f"tau-{method}"), "speedup": ReportedRef(f"speedup-{method}")}


def _times(here: Place, length: int, group: str) -> Sequence[TableRow]:
    labels = {
        "ar": _PLAIN.label,
        "k1": f"speculative decoding, L = {length}",
        "assisted": f"assisted generation of transformers, L = {length}",
        "k8": _label(8, length),
    }

    def entries(arm: str) -> Mapping[str, Entry]:
        # Not as a formula, in which plain sampling's own cell would cancel and its row show none.
        speedup = Contrast(((1.0, here("ar")), (-1.0, here(arm))), log=True)
        return {"seconds": here(arm), "gain": speedup, "tau": here(arm, BLOCK_EFFICIENCY, part="main")}

    return by_arm(arms(labels, group), entries)


def _gemma(arm: str) -> Mapping[str, Entry]:
    shown = ("single", "share") if arm in ("k1", "k8") else ()
    return {"tau": GEMMA(arm), **{key: GEMMA(arm, _ACCEPTED[key], part="overlap") for key in shown}}


def _accepted(method: str) -> Mapping[str, Entry]:
    return {key: GRID(method, metric, part="overlap") for key, metric in _ACCEPTED.items()}


TABLES = (
    PaperTable(
        id="main",
        title="Block efficiency by number and length of drafts, beside the paper's",
        columns={"tau": "τ", "simulated": "τ, simulated", "paper": "τ, paper", "speedup": "speed-up, paper"},
        rows=by_arm((_PLAIN, *_ALL), _main),
        source="main table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="times",
        title="Seconds for the same prompts, one request at a time",
        columns={"seconds": "seconds", "gain": "speed-up", "tau": "τ"},
        rows=(*_times(TIME, 8, "pair of the profile"), *_times(GEMMA_TIME, 4, "Gemma-3-270M")),
        source="main table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="gemma",
        title="Gemma-3-270M with a trigram draft, 30 prompts of 32 new tokens",
        columns={"tau": "τ", "single": "overlap", "share": "K-SEQ over optimum"},
        rows=by_arm(_ON_GEMMA, _gemma),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="overlap",
        title="Acceptance at the contexts where blocks begin",
        columns={
            "single": "overlap",
            "selected": "K-SEQ",
            "optimum": "optimum",
            "share": "K-SEQ over optimum",
        },
        rows=by_arm(_LONGEST, _accepted),
        profiles=MEASURED,
    ),
    PaperTable(
        id="floor",
        title="Noise floor of the law test: how far rounding alone moves the target's law",
        columns={"floor": "total variation"},
        rows=by_arm(
            (Arm("spectr", "bfloat16 against float32"),),
            lambda method: {"floor": LAW(method, FLOOR, part="floor")},
        ),
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="rivals",
        title="Selection rules with the same drafts, K = L = 8",
        columns={"tau": "τ", "simulated": "τ, simulated"},
        rows=by_arm(_RULES, lambda method: {"tau": GRID(method), "simulated": SIMULATION(method)}),
        profiles=MEASURED,
    ),
)


def _line(label: str, points: Mapping[float, Cell | Contrast]) -> Sequence[Series]:
    return [Series(label=label, points=tuple(points.items()))]


def _efficiency(here: Place) -> Sequence[Series]:
    """Tokens a call by K, a line for each L; the paper's are of L = 8."""
    reported = {8: tuple((float(k), ReportedRef(f"tau-{name(k, 8)}")) for k in (1, 8))}
    return [
        Series(
            label=f"L = {length}",
            points=tuple((float(k), here(name(k, length))) for k in DRAFTS),
            reported=reported.get(length, ()),
        )
        for length in LENGTHS
    ]


def _log_gain(task: str) -> Contrast:
    """What eight drafts gain over one in simulated chains."""
    return log(LIMITS(EIGHT, task=task)) - log(LIMITS(ONE, task=task))


_BY_OVERLAP = Series(
    label="draft from far to close",
    points=tuple((LIMITS(EIGHT, OVERLAP, task=task, part="overlap"), _log_gain(task)) for task in NOISES),
)
_BY_TEMPERATURE = {1.0: _log_gain("middle"), **{t: _log_gain(task) for task, t in TEMPERATURES.items()}}
_SHARE = {float(k): GRID(name(k, 8), OF_OPTIMUM, part="overlap") for k in DRAFTS}
_SOLVERS = arms({"program": "linear program", "k-seq": "K-SEQ, ten selections"})

FIGURES = (
    PaperFigure(
        id="gain-overlap",
        title="Log gain of eight drafts over one, simulated, by overlap of draft and target",
        x="overlap",
        y="log(τ at K = 8 / τ at K = 1)",
        series=(_BY_OVERLAP,),
        profiles=MEASURED,
    ),
    PaperFigure(
        id="gain-temperature",
        title="Log gain of eight drafts over one, simulated, by temperature",
        x="temperature",
        y="log(τ at K = 8 / τ at K = 1)",
        series=_line("T from 1 to greedy", _BY_TEMPERATURE),
        profiles=MEASURED,
    ),
    PaperFigure(
        id="efficiency",
        title="Block efficiency by number of drafts",
        x="K",
        y="tokens a call",
        series=_efficiency(GRID),
        log_x=True,
        source="main table",
        profiles=MEASURED,
    ),
    PaperFigure(
        id="simulated",
        title="The same for random Markov chains",
        x="K",
        y="tokens a call",
        series=_efficiency(SIMULATION),
        log_x=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="depths",
        title="Acceptance by depth, L = 8",
        x="depth",
        y="share of blocks that go on",
        series=curves(
            _BY_DRAFTS, range(1, 9), lambda method, d: GRID(method, ACCEPTANCE, part="depth", depth=d)
        ),
        profiles=MEASURED,
    ),
    PaperFigure(
        id="share",
        title="K-SEQ's acceptance over the optimum",
        x="K",
        y="share",
        series=_line("K-SEQ over optimum", _SHARE),
        log_x=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="sizes",
        title="Time of four selections by vocabulary size",
        x="|V|",
        y="seconds",
        series=_line("K-SEQ, k = 8", {float(size): SIZE(f"v{size}") for size in SIZES}),
        log_x=True,
        log_y=True,
        profiles=MEASURED,
    ),
    PaperFigure(
        id="tries",
        title="Time by number of candidates, |V| = 6",
        x="k",
        y="seconds",
        series=curves(_SOLVERS, PROGRAM_TRIES, lambda solver, k: TRIES(f"{solver}-k{k}")),
        log_y=True,
        profiles=MEASURED,
    ),
)
