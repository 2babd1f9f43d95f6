"""What we claim beyond the paper."""

from __future__ import annotations

from harness.claims import Claim
from suites.rest_react.cells import FACTS
from suites.rest_react.rules import CLOSE_REASON, above, on_worlds

EXTENSIONS = (
    Claim(
        id="E1",
        statement="Answers come from searching step by step: generation 0 answers more than with one search "
        "for the question.",
        source="ours",
        forms=on_worlds(
            lambda where: above(
                where,
                where.baseline("search-agent"),
                where.baseline("single-search"),
                delta=5.0,
                reason=CLOSE_REASON,
            )
        ),
    ),
    Claim(
        id="E2",
        statement="What was learnt in invented worlds carries over to facts about countries and elements.",
        source="ours",
        forms=on_worlds(
            lambda where: above(
                where, where.accuracy("gen2-L", exam=FACTS), where.accuracy("gen0-L", exam=FACTS)
            )
        ),
    ),
)
