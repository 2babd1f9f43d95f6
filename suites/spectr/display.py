"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from suites.spectr.cells import (
    DRAFTS,
    LENGTHS,
    NOISES,
    PROGRAM_TRIES,
    SIZES,
    TEMPERATURES,
    acceptance,
    floor,
    gain,
    name,
    of_optimum,
    optimum,
    overlap,
    seconds,
    selected,
    tau,
)

_MODELS = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_REPORTED = {name(1, 8), name(8, 8)}


def _label(drafts: int, length: int) -> str:
    kind = "speculative decoding" if drafts == 1 else "SpecTr"
    return f"{kind}, K = {drafts}, L = {length}"


def _main_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    rows = [
        TableRow(
            label="plain sampling",
            entries={
                "tau": tau("ar"),
                "simulated": tau("ar", "simulation"),
                "paper": ReportedRef(id="tau-ar"),
                "speedup": ReportedRef(id="speedup-ar"),
            },
        )
    ]
    for length in LENGTHS:
        for drafts in DRAFTS:
            method = name(drafts, length)
            entries: dict[str, Cell | Contrast | ReportedRef] = {
                "tau": tau(method),
                "simulated": tau(method, "simulation"),
            }
            if method in _REPORTED:
                entries |= {
                    "paper": ReportedRef(id=f"tau-{method}"),
                    "speedup": ReportedRef(id=f"speedup-{method}"),
                }
            rows.append(TableRow(label=_label(drafts, length), entries=entries, group=f"L = {length}"))
    return rows


def _overlap_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    return [
        TableRow(
            label=_label(drafts, 8),
            entries={
                "single": overlap(name(drafts, 8)),
                "selected": selected(name(drafts, 8)),
                "optimum": optimum(name(drafts, 8)),
                "share": of_optimum(name(drafts, 8)),
            },
        )
        for drafts in DRAFTS
    ]


def _speedup(arm: str, experiment: str) -> Contrast:
    """Log of the speed-up over plain sampling."""
    return Contrast(((1.0, seconds("ar", experiment)), (-1.0, seconds(arm, experiment))), log=True)


def _times(experiment: str, length: int) -> Sequence[TableRow]:
    arms = {
        "ar": "plain sampling",
        "k1": f"speculative decoding, L = {length}",
        "assisted": f"assisted generation of transformers, L = {length}",
        "k8": f"SpecTr, K = 8, L = {length}",
    }
    return [
        TableRow(
            label=label,
            entries={
                "seconds": seconds(arm, experiment),
                "gain": _speedup(arm, experiment),
                "tau": tau(arm, experiment),
            },
            group="Gemma-3-270M" if experiment == "gemma-time" else "pair of the profile",
        )
        for arm, label in arms.items()
    ]


def _time_rows(scale: Scale) -> Sequence[TableRow]:
    rows = [*_times("time", 8)]
    return [*rows, *_times("gemma-time", 4)] if scale.profile is Profile.SMALL else rows


def _gemma_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    arms = {"ar": "plain sampling", "k1": _label(1, 4), "assisted": "assisted generation", "k8": _label(8, 4)}
    rows = []
    for arm, label in arms.items():
        entries: dict[str, Cell | Contrast | ReportedRef] = {"tau": tau(arm, "gemma")}
        if arm in {"k1", "k8"}:
            entries |= {"single": overlap(arm, "gemma"), "share": of_optimum(arm, "gemma")}
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _rival_rows(scale: Scale) -> Sequence[TableRow]:
    arms = {name(8, 8): "K-SEQ at ρ*", "rho-k": "K-SEQ at ρ = k", "recursive": "recursive rejection"}
    arms["naive"] = "first candidate only"
    on_models = scale.full or scale.profile is not Profile.SMALL
    rows = []
    for arm, label in arms.items():
        entries: dict[str, Cell | Contrast | ReportedRef] = {"simulated": tau(arm, "simulation")}
        if on_models or arm == name(8, 8):
            entries["tau"] = tau(arm)
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _floor_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    return [TableRow(label="bfloat16 against float32", entries={"floor": floor("spectr")})]


TABLES = (
    PaperTable(
        id="main",
        title="Block efficiency by number and length of drafts, beside the paper's",
        columns={"tau": "τ", "simulated": "τ, simulated", "paper": "τ, paper", "speedup": "speed-up, paper"},
        rows=_main_rows,
        source="main table",
        profiles=_MODELS,
    ),
    PaperTable(
        id="times",
        title="Seconds for the same prompts, one request at a time",
        columns={"seconds": "seconds", "gain": "log speed-up", "tau": "τ"},
        rows=_time_rows,
        source="main table",
        profiles=_MODELS,
    ),
    PaperTable(
        id="gemma",
        title="Gemma-3-270M with a trigram draft, 30 prompts of 32 new tokens",
        columns={"tau": "τ", "single": "overlap", "share": "K-SEQ over optimum"},
        rows=_gemma_rows,
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
        rows=_overlap_rows,
        profiles=_MODELS,
    ),
    PaperTable(
        id="floor",
        title="Noise floor of the law test: how far rounding alone moves the target's law",
        columns={"floor": "total variation"},
        rows=_floor_rows,
        profiles=(Profile.GPU, Profile.PAPER),
    ),
    PaperTable(
        id="rivals",
        title="Selection rules with the same drafts, K = L = 8",
        columns={"tau": "τ", "simulated": "τ, simulated"},
        rows=_rival_rows,
        profiles=_MODELS,
    ),
)


def _grid_series(experiment: str) -> list[Series]:
    return [
        Series(
            label=f"L = {length}",
            points=tuple((float(k), tau(name(k, length), experiment)) for k in DRAFTS),
            reported=((1.0, ReportedRef(id="tau-k1-l8")), (8.0, ReportedRef(id="tau-k8-l8")))
            if length == 8
            else (),
        )
        for length in LENGTHS
    ]


def _efficiency(scale: Scale) -> Sequence[Series]:
    del scale
    return _grid_series("grid")


def _simulated(scale: Scale) -> Sequence[Series]:
    del scale
    return _grid_series("simulation")


def _depths(scale: Scale) -> Sequence[Series]:
    del scale
    return [
        Series(label=f"K = {k}", points=tuple((float(d), acceptance(name(k, 8), d)) for d in range(1, 9)))
        for k in DRAFTS
    ]


def _share(scale: Scale) -> Sequence[Series]:
    del scale
    return [
        Series(label="K-SEQ over optimum", points=tuple((float(k), of_optimum(name(k, 8))) for k in DRAFTS))
    ]


def _sizes(scale: Scale) -> Sequence[Series]:
    del scale
    return [Series(label="K-SEQ, k = 8", points=tuple((float(s), seconds(f"v{s}", "size")) for s in SIZES))]


def _tries(scale: Scale) -> Sequence[Series]:
    del scale
    return [
        Series(
            label=label,
            points=tuple((float(k), seconds(f"{arm}-k{k}", "tries")) for k in PROGRAM_TRIES),
        )
        for arm, label in (("program", "linear program"), ("k-seq", "K-SEQ, ten selections"))
    ]


def _by_overlap(scale: Scale) -> Sequence[Series]:
    del scale
    points = [(replace(overlap(name(8, 8), "limits"), task=task), gain(task)) for task in NOISES]
    return [Series(label="draft from far to close", points=tuple(points))]


def _by_temperature(scale: Scale) -> Sequence[Series]:
    del scale
    points = [(value, gain(task)) for task, value in TEMPERATURES.items()]
    return [Series(label="T from 1 to greedy", points=((1.0, gain("middle")), *points))]


FIGURES = (
    PaperFigure(
        id="gain-overlap",
        title="Log gain of eight drafts over one, simulated, by overlap of draft and target",
        x="overlap",
        y="log(τ at K = 8 / τ at K = 1)",
        series=_by_overlap,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="gain-temperature",
        title="Log gain of eight drafts over one, simulated, by temperature",
        x="temperature",
        y="log(τ at K = 8 / τ at K = 1)",
        series=_by_temperature,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="efficiency",
        title="Block efficiency by number of drafts",
        x="K",
        y="tokens a call",
        series=_efficiency,
        log_x=True,
        source="main table",
        profiles=_MODELS,
    ),
    PaperFigure(
        id="simulated",
        title="The same for random Markov chains",
        x="K",
        y="tokens a call",
        series=_simulated,
        log_x=True,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="depths",
        title="Acceptance by depth, L = 8",
        x="depth",
        y="share of blocks that go on",
        series=_depths,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="share",
        title="K-SEQ's acceptance over the optimum",
        x="K",
        y="share",
        series=_share,
        log_x=True,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="sizes",
        title="Time of four selections by vocabulary size",
        x="|V|",
        y="seconds",
        series=_sizes,
        log_x=True,
        log_y=True,
        profiles=_MODELS,
    ),
    PaperFigure(
        id="tries",
        title="Time by number of candidates, |V| = 6",
        x="k",
        y="seconds",
        series=_tries,
        log_y=True,
        profiles=_MODELS,
    ),
)
