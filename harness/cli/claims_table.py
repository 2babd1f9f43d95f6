"""What ``corroborate plan`` says of claims: what could be shown, with how many replicates, in what time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.claims import Claim, Profile
from harness.claims.findings import ALPHA
from harness.claims.outlook import UNKNOWN
from harness.cli.costs import Costs
from harness.cli.display import duration
from harness.cli.forecast import Forecast, Span
from harness.cli.runs import committed_folders
from harness.declared import floors_of
from harness.declared.family import Levels, family_of
from harness.engine.run import RunRequest
from harness.errors import CorroborateError
from harness.evidence.outlook import ClaimOutlook, Planned, outlooks
from harness.plan import Plan
from harness.plan.selection import named_claims, needed_by, select
from harness.store import RunReader, newest_run, open_run
from harness.suite import Scale, Suite
from harness.text import plural

_COLUMNS = ("claim", "replicates", "matters", "would show", "needed if θ =", "time", "left")
_LEGEND = (
    "would show: which true θ these replicates show; needed: how many would decide it, if θ were as named"
)
_GAP = "  "
_WIDTH = 118


@dataclass(frozen=True)
class ClaimRow:
    """One claim of a plan.

    Attributes:
        found: What could be shown of it.
        time: How long its trials take, reusable ones included.
        left: How long what is not stored takes.
    """

    found: ClaimOutlook
    time: Span
    left: Span


@dataclass(frozen=True)
class ClaimsTable:
    """All claims of a plan.

    Attributes:
        rows: One a claim.
        time: Of the whole plan, in which shared trials count once.
        left: What of it is not stored yet.
        workers: CPU threads that the run would give out.
        costs: What the times rest on.
        levels: By how many the level is divided, for primary and secondary claims.
    """

    rows: tuple[ClaimRow, ...]
    time: Span
    left: Span
    workers: int
    costs: Costs
    levels: Levels


def claims_table(request: RunRequest, plan: Plan, forecast: Forecast) -> ClaimsTable:
    """What a plan could show of the claims that it is about."""
    suite, scale = request.suite, request.scale
    experiments = {item.id: item for item in select(suite, scale, request.selection)}
    added = request.selection.added
    found = outlooks(
        suite,
        scale,
        _claims(suite, request.selection.claims),
        Planned(experiments, plan.blocked),
        _stored(suite, scale, request.runs),
        floors=floors_of(suite, scale.profile),
    )
    rows = [ClaimRow(item, *forecast.spans(needed_by(suite, scale, [item.claim], added))) for item in found]
    family = [] if scale.profile is Profile.SMOKE else family_of(suite, scale.profile)
    return ClaimsTable(tuple(rows), *forecast.spans(), request.workers, forecast.costs, Levels.of(family))


def _claims(suite: Suite, names: Sequence[str]) -> list[Claim]:
    chosen = {claim.id for name in names for claim in named_claims(suite, name)}
    return [claim for claim in suite.claims if not names or claim.id in chosen]


def _stored(suite: Suite, scale: Scale, runs: Path) -> dict[str, RunReader]:
    """The newest run of a suite and profile, and the committed results, by what a reader calls them."""
    found: dict[str, RunReader] = {}
    with suppress(CorroborateError):
        reader = open_run(newest_run(runs, suite.slug, scale.profile.value))
        if reader.record.rehearsal is None:
            found[f"run {reader.folder.name}"] = reader
    for folder in committed_folders(suite, scale)[:1]:
        with suppress(CorroborateError):
            found[f"the committed results ({suite.slug}/reference/{folder.name})"] = open_run(folder)
    return found


# ---- as text


def table_lines(table: ClaimsTable) -> Iterator[str]:
    """The table for a terminal, with what its numbers rest on."""
    found = [row.found for row in table.rows]
    if any(item.outlook.replicates for item in found):
        yield f"claims: what this plan would show with 80 % power, one-sided at {_levels(table.levels)}"
        yield f"  {_LEGEND}"
        yield from _wrapped(f"spread of θ: {_sources(found)}")
    yield from (f"  {line}" for line in _aligned(_cells(table)))
    for reason, claims in _grouped((item.outlook.reason, item.claim) for item in found).items():
        yield from _wrapped(f"{', '.join(claims)}: {reason}")
    yield from _wrapped(_total(table), indent=0)


def _levels(levels: Levels) -> str:
    """The level at which claims of each kind are asked, in words."""

    def share(claims: int, of: float) -> str:
        return f"{of / max(claims, 1):.4f}".lstrip("0")

    if not levels.primary or not levels.secondary:
        tested = levels.primary + levels.secondary
        return f"{share(tested, ALPHA)} (.025 over {plural(tested, 'tested claim')})"
    first = f"{share(levels.primary, ALPHA / 2)} for {plural(levels.primary, 'primary claim')}"
    others = f"{share(levels.secondary, ALPHA / 2)} for {levels.secondary} others"
    return f"{first} and {others} (half of .025 each)"


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent="    ", break_on_hyphens=False
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Claims by what is said of them, where something is."""
    groups: dict[str, list[str]] = {}
    for said, claim in pairs:
        if said:
            groups.setdefault(said, []).append(claim)
    return groups


def _sources(found: Sequence[ClaimOutlook]) -> str:
    """Where the spread of the claims comes from, the most frequent place first."""
    places = _grouped((item.source, item.claim) for item in found)
    first, *others = sorted(places, key=lambda name: -len(places[name])) or [""]
    if not first:
        return "nothing is known of it: run a few seeds first"
    return "; ".join([f"as in {first}", *(f"of {', '.join(places[name])} as in {name}" for name in others)])


def _cells(table: ClaimsTable) -> list[list[str]]:
    shown = [list(_COLUMNS), *([*_told(row.found), *_times(row)] for row in table.rows)]
    differs = any(row.time != row.left for row in table.rows)
    return shown if differs else [cells[:-1] for cells in shown]


def _times(row: ClaimRow) -> tuple[str, str]:
    return (_span(row.time), _span(row.left) or "done") if row.time.count else ("-", "-")


def _told(found: ClaimOutlook) -> list[str]:
    said = found.outlook
    needed = "; ".join(f"{name.removeprefix('θ = ')}: {_size(n)}" for name, n in said.needed.items())
    return [found.claim, str(said.replicates or "-"), said.matters or "-", said.shown, needed or "-"]


def _size(replicates: int | None) -> str:
    return "over 10,000" if replicates is None else f"{replicates:,}"


def _span(span: Span) -> str:
    """How long something takes; empty if there is nothing to do."""
    if not span.count:
        return ""
    if span.unknown == span.count:
        return UNKNOWN
    text = duration(span.seconds) if span.seconds >= 1 else "1 s"
    return f"over {text}" if span.unknown else text


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _total(table: ClaimsTable) -> str:
    time, left = table.time, table.left
    if time.unknown == time.count:
        return "time: unknown, since nothing is recorded of what would run"
    text = f"time: {_span(time)} with {plural(table.workers, 'worker')}"
    text += f", {_part(left)} of it still to run" if left != time else ""
    text += f" ({measured(table.costs)})"
    text += f", and {time.unknown:,} of {time.count:,} jobs of unknown time" if time.unknown else ""
    return f"{text}; what claims share counts once"


def _part(left: Span) -> str:
    told = _span(left)
    return "an unknown part" if told == UNKNOWN else told or "nothing"


def measured(costs: Costs) -> str:
    """Whose times a forecast rests on."""
    there = ", ".join(costs.machines) or "a machine that is not recorded"
    if not costs.elsewhere:
        return "as on this machine before"
    if costs.factor is not None:
        return f"as on this machine, {costs.factor:.2f} times what trials took before on {there}"
    there = f"as on the machine that made the committed results, {there}"
    return f"as on this machine before, other trials {there}" if costs.here else there


# ---- as JSON


def table_json(table: ClaimsTable) -> dict[str, Any]:
    """The same for other programs; times in seconds."""
    return {
        "claims": [_row_json(row) for row in table.rows],
        "time": {
            **_spans_json(table.time, table.left),
            "workers": table.workers,
            "measured": measured(table.costs),
        },
    }


def _row_json(row: ClaimRow) -> dict[str, Any]:
    said = row.found.outlook
    planned = said.replicates
    return {
        "claim": row.found.claim,
        "form": row.found.form,
        "replicates": {"count": planned.count, "noun": planned.noun} if planned else None,
        "matters": said.matters,
        "detectable": said.detectable,
        "shown": said.shown,
        "needed": dict(said.needed),
        "note": said.reason,
        "spread_from": row.found.source,
        "time": _spans_json(row.time, row.left),
    }


def _spans_json(time: Span, left: Span) -> Mapping[str, float]:
    return {"all": time.seconds, "left": left.seconds, "unknown": time.unknown, "of": time.count}
