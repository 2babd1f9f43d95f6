"""Claims about steps of a trajectory: the two checks, and the format of what is written."""

from __future__ import annotations

from harness.claims import Claim, Direction, EveryCell, Trend, difference
from methods.rest_react.measures import DRAFT, FORMAT
from suites.rest_react.cells import SIZES, Place, mean_of_cells
from suites.rest_react.rules import as_good, each, on_worlds, room


def _agents(where: Place) -> list[str]:
    """Every agent of the paper's fourth table that is run, but for the pilot's."""
    return ["gen0-L", *(f"gen{n}-{size}" for n in (1, 2) for size in where.sizes)]


def _helps(where: Place) -> Direction:
    return Direction(
        theta=mean_of_cells([where.gain(agent) for agent in _agents(where)]),
        delta=0.3,
        delta_reason="the smallest gain but one that the paper reports",
        replication=where.replication,
    )


def _larger(where: Place) -> Trend:
    return Trend(
        points=tuple(
            (float(place), mean_of_cells([where.gain(f"gen{n}-{size}") for n in (1, 2)]))
            for place, size in enumerate(SIZES)
        ),
        delta=0.2,
        delta_reason="half of what the paper's second generation gains from one size to the next",
        step_margin=1.0,
        replication=where.replication,
        preconditions=(room(where, where.of("gen1-L", DRAFT)),),
    )


def _errs_more(where: Place) -> EveryCell:
    return EveryCell(
        thetas=tuple(
            difference(where.of(f"gen0-{size}", FORMAT), where.of("gen0-L", FORMAT)) for size in ("XS", "S")
        ),
        delta=1.0,
        delta_reason="one sample in a hundred",
        replication=where.replication,
    )


STEPS = (
    Claim(
        id="C10a",
        parent="C10",
        statement="The two checks make answers better, on average over agents.",
        source="Figure 4, Table 4",
        forms=each(_helps),
        reported=("self-critique", "t4-gen0-l-gain", "t4-gen2-l-gain"),
        note="The script that teaches generation 0 makes mistakes in drafts that its checks can see: "
        "without these there would be nothing to gain.",
    ),
    Claim(
        id="C10b",
        parent="C10",
        statement="They do more for larger agents.",
        source="Figure 4, Table 4",
        forms=each(_larger),
        reported=("t4-gen2-xs-gain", "t4-gen2-s-gain", "t4-gen2-l-gain"),
    ),
    Claim(
        id="C10c",
        parent="C10",
        statement="Self-improvement leaves what they do as it is.",
        source="Figure 4, Table 4",
        forms=each(
            lambda where: as_good(
                where,
                where.gain("gen2-L"),
                where.gain("gen0-L"),
                margin=1.0,
                reason="as much as the checks bring in the paper",
                assay=room(where, where.of("gen2-L", DRAFT)),
            )
        ),
        reported=("t4-gen0-l-gain", "t4-gen2-l-gain"),
    ),
    Claim(
        id="C13",
        statement="Only the largest prompted model keeps to the format reliably.",
        source="section 3.1",
        forms=on_worlds(_errs_more),
        reported=("format", "t1-gen0-xs", "t1-gen0-s"),
        note="Smaller agents that learnt from the same demonstrations stand for smaller prompted models.",
    ),
)
