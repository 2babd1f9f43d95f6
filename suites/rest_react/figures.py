"""Figures and trajectories of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Profile
from harness.suite import PaperFigure, ReportedRef, SampleView, Scale, Series
from suites.rest_react.cells import GENERATIONS, PAIRS_RIGHT, SAMPLES
from suites.rest_react.display import INVENTED, TRAINED, sizes_of, where_of


def _generation_series(scale: Scale) -> Sequence[Series]:
    where = where_of(scale)
    return [
        Series(
            label=size,
            points=tuple(
                (generation, where.accuracy(f"{generation}-{size}"))
                for generation in GENERATIONS
                if size in sizes_of(scale, generation)
            ),
            reported=tuple(
                (generation, ReportedRef(id=f"t1-{generation}-{size.lower()}"))
                for generation in GENERATIONS
                if generation != "gen0" or size == "L"
            ),
        )
        for size in reversed(where.sizes)
    ]


def _ranker_series(scale: Scale) -> Sequence[Series]:
    where = where_of(scale)
    return [
        Series(
            label="1st generation, L",
            points=tuple(
                (round(100 * share, 1), where.accuracy("gen1-L", method=name))
                for name, share in PAIRS_RIGHT.items()
            ),
        )
    ]


def _sample_series(scale: Scale) -> Sequence[Series]:
    where = where_of(scale)
    names = {k: "search-agent" if k == 4 else f"k-{k}" for k in SAMPLES}
    return [
        Series(
            label="generation 0, L",
            points=tuple((float(k), where.baseline(name)) for k, name in names.items()),
        )
    ]


FIGURES = (
    PaperFigure(
        id="generations",
        title="Accuracy by generation and size",
        x="data",
        y="accuracy, %",
        series=_generation_series,
        kind="bar",
        source="Figure 1",
        profiles=TRAINED,
    ),
    PaperFigure(
        id="ranker",
        title="The next generation by the ranker's accuracy",
        x="pairs that the ranker orders rightly, %",
        y="accuracy, %",
        series=_ranker_series,
        profiles=(Profile.SMALL,),
    ),
    PaperFigure(
        id="samples",
        title="Samples of a step",
        x="k",
        y="accuracy, %",
        series=_sample_series,
        log_x=True,
        profiles=INVENTED,
    ),
)

EXHIBITS = tuple(
    SampleView(
        id=f"trajectories-{agent.lower()}",
        title=title,
        experiment="agents",
        method=method,
        part=f"{agent}#steps",
        kind="steps",
        task="worlds",
        profiles=(Profile.SMOKE, *INVENTED),
    )
    for agent, method, title in (
        ("gen2-L", "rest", "Trajectories of the largest agent after two generations."),
        ("gen0-L", "prompted", "Trajectories of generation 0."),
    )
)
