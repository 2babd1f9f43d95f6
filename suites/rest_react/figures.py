"""Figures and trajectories of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.claims import SCALED, Place, Profile
from harness.suite import Arm, PaperFigure, ReportedRef, SampleView, Series, curves
from suites.rest_react import cells


def _by_size(agents: Iterable[str], size: str) -> Mapping[str, str]:
    """Agents of a size by their generation."""
    return {agent.partition("-")[0]: agent for agent in agents if agent.endswith(f"-{size}")}


def _generations(where: Place, agents: Sequence[str]) -> Sequence[Series]:
    reported = [agent for agent in cells.AGENTS if agent not in cells.NOT_PROMPTED]
    return [
        Series(
            label=size,
            points=tuple((data, cells.of(agent)(where)) for data, agent in _by_size(agents, size).items()),
            reported=tuple(
                (data, ReportedRef(f"t1-{agent.lower()}")) for data, agent in _by_size(reported, size).items()
            ),
        )
        for size in reversed(cells.SIZES)
    ]


_BY_RANKER = Series(
    label="1st generation, L",
    points=tuple(
        (round(100 * share, 1), cells.of("gen1-L", method=name)(cells.WORLDS))
        for name, share in cells.PAIRS_RIGHT.items()
    ),
)

FIGURES = (
    PaperFigure(
        id="generations",
        title="Accuracy by generation and size",
        x="data",
        y="accuracy, %",
        series=cells.by_scale(_generations),
        kind="bar",
        source="Figure 1",
    ),
    PaperFigure(
        id="ranker",
        title="The next generation by the ranker's accuracy",
        x="pairs that the ranker orders rightly, %",
        y="accuracy, %",
        series=(_BY_RANKER,),
        profiles=(Profile.SMALL,),
    ),
    PaperFigure(
        id="samples",
        title="Samples of a step",
        x="k",
        y="accuracy, %",
        series=curves(
            (Arm("search-agent", "generation 0, L"),),
            cells.SAMPLES,
            lambda _, k: cells.BASELINES(cells.SAMPLES[k]),
        ),
        log_x=True,
    ),
)

SAMPLE_VIEWS = tuple(
    SampleView(
        id=f"trajectories-{agent.lower()}",
        title=title,
        experiment="agents",
        method=method,
        part=f"{agent}#steps",
        kind="steps",
        task="worlds",
        profiles=(Profile.SMOKE, *SCALED),
    )
    for agent, method, title in (
        ("gen2-L", "rest", "Trajectories of the largest agent after two generations."),
        ("gen0-L", "prompted", "Trajectories of generation 0."),
    )
)
