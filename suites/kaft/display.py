"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.claims import SCALED, Place, Profile, by_profile
from harness.suite import Arm, Entry, PaperFigure, PaperTable, ReportedRef, Series, TableRow, by_arm
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
from suites.kaft.cells import (
    FACTS,
    OPEN,
    PROBE,
    SIZES,
    WORLD,
    agrees,
    controllability,
    joint,
    measured,
    relevant,
    robustness,
    sized,
    unread,
    weights,
)

Columns = Mapping[str, tuple[str, Callable[[Place, str], Entry]]]
"""Header and entry of each column, by its key."""

_AXES: Columns = {
    "ctrl": ("controllability", controllability),
    "rob": ("robustness", robustness),
    "joint": ("harmonic mean", joint),
}
_MAIN: Columns = {
    **_AXES,
    "relevant": ("relevant", relevant),
    "unread": ("relevant, unknown facts", unread),
    "retained": ("closed-book", measured(RETAINED)),
    "agrees": ("agreement with M(q)", agrees),
    "paper": ("paper", lambda _where, _method: ReportedRef("table")),
}
_DETAIL: Columns = {
    "stubborn": ("stubborn", measured(STUBBORN)),
    "neither": ("neither", measured(NEITHER)),
    "both": ("both answers", measured(BOTH)),
    "fallback": ("fallback", measured(FALLBACK)),
    "distractor": ("distractor", measured(DISTRACTOR)),
    "hollow": ("empty", measured(HOLLOW)),
    "easy": ("robustness, easy", measured(ROBUST_EASY)),
}
# Gemma is asked about nothing but facts that it knows.
_PROBE: Columns = {key: column for key, column in {**_MAIN, **_DETAIL}.items() if key != "unread"}
_CLOSED: Columns = {
    "correct": ("accuracy on NQ-open", measured(CORRECT, "closed")),
    "agrees": ("agreement with the pretrained model", measured(AGREES, "closed")),
}

_IN_WORLD = (PRETRAINED, CAD, *MIXTURES, *at_common_rate("lower"), *at_common_rate("higher"))
_ON_FACTS = (PRETRAINED, CAD, *MIXTURES, *at_common_rate("lower"), *ALL_WEIGHTS)
_ON_OPEN = (PRETRAINED, *MIXTURES, *at_common_rate("lower"))
_COMPARED = {
    Profile.SMALL: (WORLD, _IN_WORLD),
    Profile.GPU: (FACTS, _ON_FACTS),
    Profile.PAPER: (OPEN, _ON_OPEN),
}
"""Where each profile compares finetuned models, and which."""
_ORACLES = tuple(replace(arm, group="oracles") for arm in PERFECT_READERS)


def _headers(columns: Columns) -> Mapping[str, str]:
    return {key: header for key, (header, _) in columns.items()}


def _rows(columns: Columns, where: Place, listed: Sequence[Arm]) -> Sequence[TableRow]:
    return by_arm(listed, lambda method: {key: entry(where, method) for key, (_, entry) in columns.items()})


def _size_rows(arm: Arm) -> Sequence[TableRow]:
    """One method on models of each size."""
    return [
        row
        for size in SIZES
        for row in _rows(
            _AXES, sized(size), [Arm(arm.method, f"{arm.label}, {weights(size):,} weights", arm.label)]
        )
    ]


TABLES = (
    PaperTable(
        id="main",
        title="Controllability and robustness by method",
        columns=_headers(_MAIN),
        # On public data trained readers stand in for the oracles, which are not shown there.
        rows=by_profile(
            {
                Profile.SMALL: (WORLD, (*_IN_WORLD, *_ORACLES)),
                Profile.GPU: (FACTS, (*_ON_FACTS, *_ORACLES)),
                Profile.PAPER: (OPEN, _ON_OPEN),
            },
            lambda compared: _rows(_MAIN, *compared),
        ),
        source="main table",
        bold=tuple(_AXES),
    ),
    PaperTable(
        id="detail",
        title="What models answer instead",
        columns=_headers(_DETAIL),
        rows=by_profile(_COMPARED, lambda compared: _rows(_DETAIL, *compared)),
    ),
    PaperTable(
        id="closed",
        title="What finetuning forgets: NQ-open without a context",
        columns=_headers(_CLOSED),
        rows=_rows(_CLOSED, FACTS, _ON_FACTS),
        profiles=(Profile.GPU,),
    ),
    PaperTable(
        id="sizes",
        title="Three sizes of model in generated worlds",
        columns=_headers(_AXES),
        rows=tuple(row for arm in BY_SIZE for row in _size_rows(arm)),
        source="figure on model size",
        profiles=SCALED,
    ),
    PaperTable(
        id="probe",
        title="Gemma-3-270M as it is, on facts that it knows",
        columns=_headers(_PROBE),
        rows=_rows(_PROBE, PROBE, (PRETRAINED, CAD, *PERFECT_READERS)),
        profiles=(Profile.SMALL,),
    ),
)


def _plane(where: Place, listed: Sequence[Arm]) -> Sequence[Series]:
    return [
        Series(label=arm.label, points=((robustness(where, arm.method), controllability(where, arm.method)),))
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
            (float(step), WORLD(f"{arm.method}-lower", metric, part=part, step=step)) for step in _UPDATES
        ),
    )
    for arm, name, metric, part in _LEARNING
)
_SIZES = tuple(
    Series(
        label=f"{arm.label}, {name}",
        points=tuple((float(weights(size)), axis(sized(size), arm.method)) for size in SIZES),
    )
    for arm in BY_SIZE
    for name, axis in (("controllability", controllability), ("robustness", robustness))
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
