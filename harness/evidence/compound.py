"""Compound claims, put together from their parts."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Claim
from harness.claims.findings import Verdict
from harness.claims.wording import count
from harness.store.records import VerdictRecord


def compound_verdicts(claims: Sequence[Claim], verdicts: Sequence[VerdictRecord]) -> list[VerdictRecord]:
    """One verdict for each claim that has parts, in order of declaration."""
    by_id = {verdict.claim: verdict for verdict in verdicts}
    parents = dict.fromkeys(claim.parent for claim in claims if claim.parent)
    return [
        _compound(parent, [claim for claim in claims if claim.parent == parent], by_id) for parent in parents
    ]


def _compound(parent: str, parts: Sequence[Claim], by_id: dict[str, VerdictRecord]) -> VerdictRecord:
    found = [by_id[part.id] for part in parts]
    # A proxy is shown and never counted.
    counted = [verdict for verdict in found if verdict.verdict != "not comparable"]
    held = sum(verdict.verdict == "reproduced" for verdict in found)
    lost = [p.id for p in parts if p.essential and by_id[p.id].verdict == "not reproduced"]
    return VerdictRecord(
        claim=parent,
        form="Whole",
        verdict=_verdict(counted, held, lost),
        reason=_reason(found, held, len(counted)),
        scope=_scope(found),
        trials=list(dict.fromkeys(trial for verdict in found for trial in verdict.trials)),
        exploratory=any(verdict.exploratory for verdict in found),
        primary=any(verdict.primary for verdict in found),
    )


def _verdict(counted: Sequence[VerdictRecord], held: int, lost: Sequence[str]) -> Verdict:
    if not counted:
        return "not comparable"
    if held == len(counted):
        return "reproduced"
    if lost:
        return "not reproduced"
    return "not run" if {verdict.verdict for verdict in counted} == {"not run"} else "inconclusive"


def _reason(found: Sequence[VerdictRecord], held: int, counted: int) -> str:
    text = f"{held} of {count(counted, 'part')} held"
    for kind in dict.fromkeys(verdict.verdict for verdict in found if verdict.verdict != "reproduced"):
        names = ", ".join(verdict.claim for verdict in found if verdict.verdict == kind)
        text += f"; {kind}: {names}"
    return f"{text}."


def _scope(found: Sequence[VerdictRecord]) -> str:
    scopes = list(dict.fromkeys(verdict.scope for verdict in found))
    return scopes[0] if len(scopes) == 1 else "as its parts"
