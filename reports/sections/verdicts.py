"""The table of all verdicts, and what its rows are made of."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims.forms import form_named
from harness.store.records import VerdictRecord
from reports.document import Badge, Break, Column, Number, Row, Section, Span, Spans, Table, Text
from reports.numbers import Ledger
from reports.sections.common import claim_link, drawn, effects, joined, run_note, words
from reports.text import sentence


def verdicts(ledger: Ledger) -> Section:
    """The verdict table, after what the run measured and before the evidence."""
    return Section("verdicts", "Verdict on each claim", (verdict_table(ledger),))


def parts_of(ledger: Ledger, whole: VerdictRecord) -> tuple[VerdictRecord, ...]:
    """The verdicts on the parts of a compound claim."""
    return tuple(verdict for verdict in ledger.verdicts.verdicts if verdict.parent == whole.claim)


def parts_held(ledger: Ledger, whole: VerdictRecord) -> str:
    """``"2 of 3"``: how many of the parts that count were reproduced."""
    parts = [part for part in parts_of(ledger, whole) if part.verdict != "not comparable"]
    held = sum(part.verdict == "reproduced" for part in parts)
    return f"{held} of {len(parts)}" if parts else ""


def statement_of(ledger: Ledger, verdict: VerdictRecord) -> str:
    """What the paper says; a whole that is not declared itself is named by its parts."""
    claim = ledger.claims.get(verdict.claim)
    if claim is not None:
        return claim.statement
    parts = parts_of(ledger, verdict)
    return f"All of {', '.join(part.claim for part in parts)}"


def verdict_table(ledger: Ledger) -> Table:
    """One row a claim: statement, the paper's number, the measured effect, verdict."""
    columns = (
        Column("Claim", "claim"),
        Column("What the paper says", "statement"),
        Column("Paper", "paper"),
        Column("Here, with 95 % interval", "ours"),
        Column("Verdict", "verdict"),
    )
    rows = tuple(_verdict_row(ledger, verdict) for verdict in ledger.verdicts.in_order())
    notes = (
        words(
            "Here: the declared quantity θ of the claim, signed so that the paper's side is positive; if it "
            "is the logarithm of a ratio, that ratio. "
            "A small drawing beside it shows the interval against 0 (solid) and what it has to exceed, δ or "
            "the margin (dashed)."
        ),
        *_scope_notes(ledger),
        *_primary_note(ledger),
        words(
            "Paper: its numbers; those of a compound claim hold for its parts. Words stand with the evidence."
        ),
        *([standing_note()] if any(map(_is_marked, rows)) else []),
        words(run_note(ledger)),
    )
    return Table("verdicts", words("Verdict on each claim."), columns, rows, notes, export=True)


def _scope_notes(ledger: Ledger) -> tuple[Spans, ...]:
    """What verdicts speak of, each scope once; the commonest needs no names."""
    claims: dict[str, list[str]] = {}
    wholes = {whole.claim for whole in ledger.verdicts.wholes}
    for verdict in ledger.verdicts.in_order():
        if verdict.claim not in wholes and verdict.verdict != "not run":
            claims.setdefault(verdict.scope, []).append(verdict.claim)
    if not claims:
        return ()
    first, *others = sorted(claims, key=lambda scope: -len(claims[scope]))
    if not others:
        return (words(f"Scope of every verdict: {sentence(first)}"),)
    named = " ".join(f"{', '.join(claims[scope])}: {sentence(scope)}" for scope in others)
    return (words(f"Scope of a verdict: {sentence(first)} But of {named}"),)


def _primary_note(ledger: Ledger) -> tuple[Spans, ...]:
    """What it means that some claims are primary; nothing where all count alike."""
    if not any(verdict.primary for verdict in ledger.verdicts.verdicts):
        return ()
    return (
        words(
            "Primary claims are those of the paper's abstract and headline tables, named before the run. "
            "Half of the error rate is theirs; all others share the other half."
        ),
    )


def _is_marked(row: Row) -> bool:
    spans = (span for cell in row.cells for span in cell)
    return any(isinstance(span, Number) and span.standing in MARKED for span in spans)


MARKED = ("secondary", "unverified")
"""Standings of the paper's numbers that have a mark."""


def standing_note() -> Spans:
    """What the marks at the paper's numbers mean."""
    return words(
        "Numbers of the paper: † from a secondary source; ‡ unverified, shown but never used for a verdict."
    )


def _verdict_row(ledger: Ledger, verdict: VerdictRecord) -> Row:
    whole = verdict in ledger.verdicts.wholes
    badge: list[Span] = [Badge(verdict.verdict, verdict.cause)]
    held = parts_held(ledger, verdict) if whole else ""
    if held:
        badge.append(Text(f" {held} parts"))
    if verdict.primary:
        badge.append(Text(", primary" if held else " primary"))
    return Row(
        cells=(
            (claim_link(ledger, verdict.claim),),
            words(statement_of(ledger, verdict)),
            _paper_cell(ledger, verdict),
            words("by its parts") if whole else measured_effect(ledger, verdict),
            tuple(badge),
        ),
        kind="part" if verdict.parent else ("whole" if whole else "plain"),
    )


def _paper_cell(ledger: Ledger, verdict: VerdictRecord) -> Spans:
    """The paper's numbers; those that all parts of a compound claim share stand at the whole."""
    names = _declared(ledger, verdict.claim)
    parts = [_declared(ledger, part.claim) for part in parts_of(ledger, verdict)]
    if parts:
        names = tuple(dict.fromkeys((*names, *_shared(parts))))
        if not names and any(parts):
            return ()
    elif verdict.parent:
        whole = [one for one in ledger.verdicts.verdicts if one.parent == verdict.parent]
        said = {*_declared(ledger, verdict.parent), *_shared([_declared(ledger, one.claim) for one in whole])}
        names = tuple(name for name in names if name not in said)
        if not names:
            return ()
    numbers = [found for name in names if isinstance(found := ledger.reported(name), Number)]
    if numbers:
        return joined(numbers, "; ")
    return words("in words" if names else "none stated")


def _shared(parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What is declared of every part of a compound claim alike."""
    return parts[0] if len(parts) > 1 and all(names == parts[0] for names in parts) else ()


def _declared(ledger: Ledger, claim: str) -> tuple[str, ...]:
    return ledger.claims[claim].reported if claim in ledger.claims else ()


def measured_effect(ledger: Ledger, verdict: VerdictRecord) -> Spans:
    """θ with its interval; of many tests the weakest."""
    found = effects(ledger, verdict)
    if not found:
        return words(verdict.reason if verdict.verdict == "not run" else "no quantity")
    shown, tail = form_named(verdict.form).summary([number.value for number in found])
    spans: list[Span] = []
    for at in shown:
        spans += [Break()] if spans else []
        spans += drawn(found[at], verdict)
    return (*spans, Text(f" {tail}")) if tail else tuple(spans)
