"""Figures and drawn programs of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Place, Profile
from harness.suite import PaperFigure, SampleView, Series, curves
from methods.il_bench.method import CALLS
from suites.il_bench.arms import ARMS, SINGLES
from suites.il_bench.cells import COUNTS, DEEP, MAIN, NEURAL, RUNS, SEARCHES, SURROGATE, followed, tree
from suites.il_bench.tables import EXECUTORS

_DRAWN = ("lsp", "lsp-one", "best-of", "protegi", "long-24", "in-context", "cart")
_DRAWN_NEURAL = ("lsp", "best-of", "protegi", "long-12", "long-24", "zero-shot")
_ASKING = ("zero-shot", "in-context", *SINGLES, "vote", "tree-prompting", "lsp", "lsp-one")
"""Methods that ask a language model."""
_STOPS = {"lsp-one": 1, "lsp-two": 2, "lsp-half": 4, "lsp": 8}
"""Searches that stop after so many modules."""


def _by_depth(here: Place, methods: Sequence[str]) -> list[Series]:
    return [
        Series(
            label=ARMS[method].label,
            points=tuple((float(depth), here(method, task=tree(depth))) for depth in RUNS[here][method]),
        )
        for method in methods
        if method in RUNS[here]
    ]


def _by_expansions(depth: int, part: str, label: str) -> Series:
    there = SEARCHES.on(tree(depth), part=part)
    return Series(
        label=f"depth {depth}, {label}",
        points=tuple((float(stop), there(method)) for method, stop in _STOPS.items()),
    )


def _by_calls(method: str) -> Series:
    """Accuracy against calls an input, on the deepest trees."""
    deepest = SURROGATE.on(tree(3))
    return Series(label=ARMS[method].label, points=((deepest(method, CALLS), deepest(method)),))


FIGURES = (
    PaperFigure(
        id="depth",
        title="Accuracy by the depth of the hidden tree",
        x="depth",
        y="test accuracy",
        series=[line for here in MAIN for line in _by_depth(here, _DRAWN)],
    ),
    PaperFigure(
        id="depth-neural",
        title="Accuracy by the depth of the hidden tree, with a small transformer that follows the rules",
        x="depth",
        y="test accuracy",
        series=_by_depth(NEURAL, _DRAWN_NEURAL),
    ),
    PaperFigure(
        id="following",
        title="How well executors follow lists of rules: what the claim on prompt optimisation rests on",
        x="rules in the list",
        y="share of inputs with the list's label",
        series=curves(EXECUTORS, COUNTS, followed),
        log_x=True,
    ),
    PaperFigure(
        id="expansions",
        title="Accuracy by number of expansions",
        x="expansions (T)",
        y="accuracy",
        series=[
            _by_expansions(depth, part, label)
            for depth in DEEP
            for part, label in (("test", "test"), ("train", "training"))
        ],
        log_x=True,
        source="figure on convergence",
        profiles=(Profile.SMALL,),
    ),
    PaperFigure(
        id="calls",
        title="Accuracy against executor calls for one input, on trees of depth 3",
        x="calls an input",
        y="test accuracy",
        series=[_by_calls(method) for method in _ASKING],
        kind="scatter",
    ),
)


def _program(name: str, title: str, experiment: str, *profiles: Profile) -> SampleView:
    return SampleView(
        id=name,
        title=title,
        experiment=experiment,
        method="lsp",
        part="program",
        kind="tree",
        task=tree(2),
        profiles=profiles,
    )


SAMPLE_VIEWS = (
    _program(
        "program",
        "A program learnt for a hidden tree of depth 2, with its training items (surrogates)",
        "search",
        Profile.SMOKE,
        Profile.SMALL,
    ),
    _program(
        "program-neural",
        "A program learnt for a hidden tree of depth 2, followed by a small transformer",
        "neural",
        Profile.SMALL,
    ),
    _program(
        "program-instruct",
        "A program written by an instruction-tuned model for a hidden tree of depth 2",
        "instruct",
        Profile.GPU,
    ),
    _program(
        "program-served",
        "A program written by a served model for a hidden tree of depth 2",
        "served",
        Profile.PAPER,
    ),
)
