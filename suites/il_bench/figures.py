"""Figures and drawn programs of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Profile
from harness.suite import PaperFigure, SampleView, Scale, Series
from methods.il_bench.method import CALLS
from suites.il_bench.cells import (
    COUNTS,
    DEPTHS,
    LABELS,
    LONG,
    NEURAL,
    OPTIMISERS,
    POOLED,
    PROGRAMS,
    UNTAUGHT,
    Place,
    followed,
    tree,
)
from suites.il_bench.display import EXECUTORS, Planned, main_place, search_place

_MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_SMALL = (Profile.SMALL,)


def _depths(scale: Scale, place: Place, names: Sequence[str]) -> Sequence[Series]:
    planned, found = Planned(scale), []
    for name in names:
        points = tuple(
            (float(depth), place.of(name, depth))
            for depth in DEPTHS
            if planned.runs(place.experiment, tree(depth), name)
        )
        if points:
            found.append(Series(label=LABELS[name], points=points))
    return found


_DRAWN = ("lsp", "lsp-one", "best-of", "protegi", "long-24", "in-context", "cart")


def _by_depth(scale: Scale) -> Sequence[Series]:
    return _depths(scale, main_place(scale), _DRAWN)


def _by_depth_neural(scale: Scale) -> Sequence[Series]:
    return _depths(scale, NEURAL, ("lsp", "best-of", "protegi", "long-12", "long-24", "zero-shot"))


def _by_rules(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label=EXECUTORS[task],
            points=tuple((float(rules), followed(task, rules)) for rules in COUNTS),
        )
        for task in Planned(scale).tasks("following")
    ]


def _by_expansions(scale: Scale) -> Sequence[Series]:
    """Test and training accuracy of searches that stop after 1, 2, 4 and 8 modules."""
    planned, place, found = Planned(scale), search_place(scale), []
    stops = {"lsp-one": 1, "lsp-two": 2, "lsp-half": 4, "lsp": 8}
    for depth in (2, 3):
        for part, label in (("test", "test"), ("train", "training")):
            points = tuple(
                (float(stop), place.of(name, depth, part))
                for name, stop in stops.items()
                if planned.runs(place.experiment, tree(depth), name)
            )
            found.append(Series(label=f"depth {depth}, {label}", points=points))
    return found


def _by_calls(scale: Scale) -> Sequence[Series]:
    """Accuracy against calls an input, on the deepest trees."""
    planned, place = Planned(scale), main_place(scale)
    names = (*UNTAUGHT, *OPTIMISERS, *LONG.values(), *POOLED, *PROGRAMS)
    return [
        Series(label=LABELS[name], points=((place.of(name, 3, "test", CALLS), place.of(name, 3)),))
        for name in names
        if planned.runs(place.experiment, tree(3), name)
    ]


FIGURES = (
    PaperFigure(
        id="depth",
        title="Accuracy by the depth of the hidden tree",
        x="depth",
        y="test accuracy",
        series=_by_depth,
        profiles=_MEASURED,
    ),
    PaperFigure(
        id="depth-neural",
        title="The same with a small transformer that follows the rules",
        x="depth",
        y="test accuracy",
        series=_by_depth_neural,
        profiles=_SMALL,
    ),
    PaperFigure(
        id="following",
        title="How well executors follow lists of rules: what the claim on prompt optimisation rests on",
        x="rules in the list",
        y="share of inputs with the list's label",
        series=_by_rules,
        log_x=True,
        profiles=_MEASURED,
    ),
    PaperFigure(
        id="expansions",
        title="Accuracy by number of expansions",
        x="expansions (T)",
        y="accuracy",
        series=_by_expansions,
        log_x=True,
        source="figure on convergence",
        profiles=_SMALL,
    ),
    PaperFigure(
        id="calls",
        title="Accuracy against executor calls for one input, on trees of depth 3",
        x="calls an input",
        y="test accuracy",
        series=_by_calls,
        kind="scatter",
        profiles=_SMALL,
    ),
)

EXHIBITS = (
    SampleView(
        id="program",
        title="A program learnt for a hidden tree of depth 2, with its training items (surrogates)",
        experiment="search",
        method="lsp",
        part="program",
        kind="tree",
        task=tree(2),
        profiles=(Profile.SMOKE, Profile.SMALL),
    ),
    SampleView(
        id="program-neural",
        title="The same, followed by a small transformer",
        experiment="neural",
        method="lsp",
        part="program",
        kind="tree",
        task=tree(2),
        profiles=_SMALL,
    ),
    SampleView(
        id="program-instruct",
        title="A program written by an instruction-tuned model for a hidden tree of depth 2",
        experiment="instruct",
        method="lsp",
        part="program",
        kind="tree",
        task=tree(2),
        profiles=(Profile.GPU,),
    ),
    SampleView(
        id="program-served",
        title="A program written by a served model for a hidden tree of depth 2",
        experiment="served",
        method="lsp",
        part="program",
        kind="tree",
        task=tree(2),
        profiles=(Profile.PAPER,),
    ),
)
