"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.claims import SCALED, Place, Profile, by_profile
from harness.suite import Arm, Entry, PaperFigure, PaperTable, ReportedRef, Series, TableRow, by_arm, headers
from methods.kaft.method import (
    AGREES,
    BOTH,
    CONTROLLABILITY,
    CORRECT,
    DISTRACTOR,
    FALLBACK,
    HOLLOW,
    NEITHER,
    RETAINED,
    ROBUST_EASY,
    ROBUSTNESS,
    STUBBORN,
)
from suites.kaft import cells
from suites.kaft.arms import (
    ALL_WEIGHTS,
    BY_SIZE,
    CAD,
    MIXTURES,
    PERFECT_READERS,
    PRETRAINED,
    TARGETS,
    at_common_rate,
)

Columns = Mapping[str, tuple[str, Callable[[Place, str], Entry]]]
"""Header and entry of each column, by its key."""

_AXES: Columns = {
    "ctrl": ("controllability", cells.controllability),
    "rob": ("robustness", cells.robustness),
    "joint": ("harmonic mean", cells.joint),
}
_MAIN: Columns = {
    **_AXES,
    "relevant": ("relevant", cells.relevant),
    "unread": ("relevant, unknown facts", cells.unread),
    "retained": ("closed-book", cells.measured(RETAINED)),
    "agrees": ("agreement with M(q)", cells.agrees),
    "paper": ("paper", lambda _where, _method: ReportedRef("table")),
}
_DETAIL: Columns = {
    "stubborn": ("stubborn", cells.measured(STUBBORN)),
    "neither": ("neither", cells.measured(NEITHER)),
    "both": ("both answers", cells.measured(BOTH)),
    "fallback": ("fallback", cells.measured(FALLBACK)),
    "distractor": ("distractor", cells.measured(DISTRACTOR)),
    "hollow": ("empty", cells.measured(HOLLOW)),
    "easy": ("robustness, easy", cells.measured(ROBUST_EASY)),
}
_PROBE: Columns = {**_MAIN, "apart": ("robustness by chance", cells.apart), **_DETAIL}
_ON_CPU: Columns = {
    **_AXES,
    "unread": _MAIN["unread"],
    "retained": _MAIN["retained"],
    "agrees": _MAIN["agrees"],
}
_CPU_ARMS = ("relevant", "noisy", "kaft")
_CLOSED: Columns = {
    "correct": ("accuracy on NQ-open", cells.measured(CORRECT, "closed")),
    "agrees": ("agreement with the pretrained model", cells.measured(AGREES, "closed")),
}

_IN_WORLD = (PRETRAINED, CAD, *MIXTURES, *at_common_rate("lower"), *at_common_rate("higher"))
_ON_FACTS = (PRETRAINED, CAD, *MIXTURES, *at_common_rate("lower"), *ALL_WEIGHTS)
_ON_OPEN = (PRETRAINED, *MIXTURES, *at_common_rate("lower"))
_COMPARED = {
    Profile.SMALL: (cells.WORLD, _IN_WORLD),
    Profile.GPU: (cells.FACTS, _ON_FACTS),
    Profile.PAPER: (cells.OPEN, _ON_OPEN),
}
"""Where each profile compares finetuned models, and which."""
_ORACLES = tuple(replace(arm, group="oracles") for arm in PERFECT_READERS)


def _rows(columns: Columns, where: Place, listed: Sequence[Arm]) -> Sequence[TableRow]:
    return by_arm(listed, lambda method: {key: entry(where, method) for key, (_, entry) in columns.items()})


def _size_rows(arm: Arm) -> Sequence[TableRow]:
    """One method on models of each size."""
    return [
        row
        for size in cells.SIZES
        for row in _rows(
            _AXES,
            cells.sized(size),
            [Arm(arm.method, f"{arm.label}, {cells.weights(size):,} weights", arm.label)],
        )
    ]


TABLES = (
    PaperTable(
        id="main",
        title="Controllability and robustness by method",
        columns=headers(_MAIN),
        # On public data trained readers stand in for the oracles, which are not shown there.
        rows=by_profile(
            {
                Profile.SMALL: (cells.WORLD, (*_IN_WORLD, *_ORACLES)),
                Profile.GPU: (cells.FACTS, (*_ON_FACTS, *_ORACLES)),
                Profile.PAPER: (cells.OPEN, _ON_OPEN),
            },
            lambda compared: _rows(_MAIN, *compared),
        ),
        source="main table",
        bold=tuple(_AXES),
    ),
    PaperTable(
        id="detail",
        title="What models answer instead",
        columns=headers(_DETAIL),
        rows=by_profile(_COMPARED, lambda compared: _rows(_DETAIL, *compared)),
    ),
    PaperTable(
        id="closed",
        title="What finetuning forgets: NQ-open without a context",
        columns=headers(_CLOSED),
        rows=_rows(_CLOSED, cells.FACTS, _ON_FACTS),
        profiles=(Profile.GPU,),
    ),
    PaperTable(
        id="sizes",
        title="Three sizes of model in generated worlds",
        columns=headers(_AXES),
        rows=tuple(row for arm in BY_SIZE for row in _size_rows(arm)),
        source="figure on model size",
        profiles=SCALED,
    ),
    PaperTable(
        id="probe",
        title="Gemma-3-270M as it is, on facts that it knows",
        columns=headers(_PROBE),
        rows=_rows(_PROBE, cells.PROBE, (PRETRAINED, CAD, *PERFECT_READERS)),
    ),
    PaperTable(
        id="facts",
        title="Gemma-3-270M finetuned on a CPU (--full only)",
        columns=headers(_ON_CPU),
        rows=_rows(_ON_CPU, cells.FACTS, (PRETRAINED, *(arm for arm in MIXTURES if arm.method in _CPU_ARMS))),
        profiles=(Profile.SMALL,),
    ),
)


def _plane(where: Place, listed: Sequence[Arm]) -> Sequence[Series]:
    return [
        Series(
            label=arm.label,
            points=((cells.robustness(where, arm.method), cells.controllability(where, arm.method)),),
        )
        for arm in listed
    ]


_UPDATES = range(0, 251, 50)
"""After which the arms with a curve are evaluated."""
_OWN, _GOLD = TARGETS
_LEARNING = (
    (_OWN, "controllability", CONTROLLABILITY, "probe"),
    (_OWN, "robustness", ROBUSTNESS, "probe"),
    (_OWN, "agreement with M(q)", AGREES, "probe:recall"),
    (_GOLD, "agreement with M(q)", AGREES, "probe:recall"),
)
"""Method, what is measured, and the evaluation set of the curves."""
_STEPS = tuple(
    Series(
        label=f"{arm.label}, {name}",
        points=tuple(
            (float(step), cells.WORLD(f"{arm.method}-lower", metric, part=part, step=step))
            for step in _UPDATES
        ),
    )
    for arm, name, metric, part in _LEARNING
)
_SIZES = tuple(
    Series(
        label=f"{arm.label}, {name}",
        points=tuple(
            (float(cells.weights(size)), axis(cells.sized(size), arm.method)) for size in cells.SIZES
        ),
    )
    for arm in BY_SIZE
    for name, axis in (("controllability", cells.controllability), ("robustness", cells.robustness))
)

FIGURES = (
    PaperFigure(
        id="plane",
        title="Both axes at once: a good reader is at the upper right",
        x="robustness",
        y="controllability",
        series=by_profile(_COMPARED, lambda compared: _plane(*compared)),
        kind="scatter",
    ),
    PaperFigure(
        id="steps",
        title="What finetuning changes, update by update, at one rate",
        x="updates",
        y="share of contexts or questions",
        series=_STEPS,
        profiles=(Profile.SMALL,),
    ),
    PaperFigure(
        id="sizes",
        title="Controllability and robustness by number of weights",
        x="weights without embeddings",
        y="share of contexts",
        series=_SIZES,
        log_x=True,
        source="figure on model size",
        profiles=SCALED,
    ),
)
