"""One card a claim, with everything its verdict rests on."""

from __future__ import annotations

import re

from harness.claims import Claim
from harness.claims.forms import form_named
from harness.claims.ratios import factor_text
from harness.claims.settling import needed_text, replicate_noun
from harness.store.records import TestRecord, VerdictRecord
from reports.document import (
    Badge,
    Block,
    Bullets,
    Card,
    Column,
    Facts,
    Handle,
    Link,
    NotMeasured,
    Number,
    Paragraph,
    Row,
    Section,
    Span,
    Spans,
    Table,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import (
    claim_link,
    deviations_of,
    drawn,
    joined,
    ranges,
    trial_list,
    words,
)
from reports.sections.verdicts import parts_held, parts_of, statement_of
from reports.text import anchor, capital, prose

_NOISE = "the standard deviation of θ between environments that should agree; no smaller one is believed"


def evidence(ledger: Ledger) -> Section:
    """The cards of all claims, compound claims before their parts."""
    return Section(
        "evidence", "Evidence for each claim", tuple(card(ledger, v) for v in ledger.verdicts.in_order())
    )


def card(ledger: Ledger, verdict: VerdictRecord) -> Card:
    """The card of one claim."""
    whole = any(verdict is other for other in ledger.verdicts.wholes)
    blocks = _whole_blocks(ledger, verdict) if whole else _blocks(ledger, verdict)
    return Card(
        claim=verdict.claim,
        statement=statement_of(ledger, verdict),
        verdict=verdict.verdict,
        cause=verdict.cause,
        reason=capital(verdict.reason),
        scope=capital(verdict.scope),
        blocks=blocks,
        parts=parts_held(ledger, verdict) if whole else "",
        exploratory=verdict.exploratory,
        primary=verdict.primary,
        anchor=ledger.claim_anchors[verdict.claim],
    )


def _whole_blocks(ledger: Ledger, verdict: VerdictRecord) -> tuple[Block, ...]:
    items: list[Spans] = []
    for part in parts_of(ledger, verdict):
        essential = "" if ledger.claims[part.claim].essential else " (not essential)"
        items.append(
            (
                claim_link(ledger, part.claim),
                Text(f"{essential}: "),
                Badge(part.verdict, part.cause),
                Text(f" {part.reason}"),
            )
        )
    return (Bullets(tuple(items)),)


def _blocks(ledger: Ledger, verdict: VerdictRecord) -> tuple[Block, ...]:
    claim = ledger.claims[verdict.claim]
    before, after = _declared(ledger, claim, verdict), _circumstances(ledger, verdict)
    blocks: list[Block] = []
    if verdict.tests:
        blocks.append(_tests(ledger, verdict))
    if any(test.cells for test in verdict.tests):
        blocks.append(_cells(ledger, verdict))
    if verdict.assays:
        blocks.append(_preconditions(ledger, verdict))
    blocks = [Facts(before), *blocks, Facts(after)] if blocks and after else [Facts(before + after), *blocks]
    if claim.note:
        blocks.append(Paragraph((Text("Note. "), *prose(capital(claim.note))), kind="note"))
    return tuple(blocks)


def _declared(ledger: Ledger, claim: Claim, verdict: VerdictRecord) -> tuple[tuple[str, Spans], ...]:
    form = claim.forms.get(ledger.scale.profile)
    facts: list[tuple[str, Spans]] = [("Source", words(claim.source)), ("The paper", _paper(ledger, claim))]
    if verdict.form:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", verdict.form).capitalize()
        facts.append(("Rule", words(f"{name}: {form_named(verdict.form).meaning}")))
    facts += _thresholds(ledger, claim, verdict)
    if verdict.primary:
        facts.append(("Standing", words("primary: of the abstract or a headline table")))
    if verdict.replication:
        facts.append(("Replication over", words(verdict.replication)))
    if verdict.noise_floor:
        handle = Handle("declared", f"{claim.id}/noise")
        floor = Number(verdict.noise_floor, handle, digits=3, form="significant")
        facts.append(("Noise floor", (floor, Text(f", {_NOISE}"))))
    if form is not None and form.checked_by:
        facts.append(("Oracle", words(form.checked_by)))
    if form is not None and form.decides and claim.otherwise:
        facts.append(("Could it have come out otherwise?", prose(capital(claim.otherwise))))
    return tuple(facts)


def _paper(ledger: Ledger, claim: Claim) -> Spans:
    spans: list[Span] = []
    for name in claim.reported:
        entry, number = ledger.reported_entry(name), ledger.reported(name)
        place = ", ".join(part for part in (entry.where, entry.row) if part)
        spans += [Text("; ")] if spans else []
        spans.append(number)
        note = f"; {entry.note}" if entry.note and isinstance(number, Number) else ""
        spans.append(Text(f" ({place}; {entry.standing}{note})"))
    return tuple(spans) or words("states no number for it")


def _thresholds(ledger: Ledger, claim: Claim, verdict: VerdictRecord) -> list[tuple[str, Spans]]:
    form = claim.forms.get(ledger.scale.profile)
    facts: list[tuple[str, Spans]] = []
    if verdict.delta is not None:
        of_ratio = bool(verdict.tests) and all(test.ratio for test in verdict.tests)
        delta = ledger.declared(f"{claim.id}/delta", verdict.delta, of_ratio=of_ratio)
        reason = f", because {_lower(verdict.delta_reason)}" if verdict.delta_reason else ""
        facts.append((form_named(verdict.form).effect_name, (delta, Text(reason))))
    margin, why = form.margin_shown if form else (None, "")
    if margin is not None and margin != verdict.delta:
        because = f", because {_lower(why)}" if why else ""
        facts.append(("Margin", (ledger.declared(f"{claim.id}/margin", margin), Text(because))))
    return facts


def _lower(reason: str) -> str:
    reason = reason.strip().removesuffix(".")
    return reason[0].lower() + reason[1:] if reason[:2].istitle() and " " in reason else reason


def _tests(ledger: Ledger, verdict: VerdictRecord) -> Table:
    tested = any(test.p_plus is not None or test.p_minus is not None for test in verdict.tests)
    columns = [Column("Quantity θ", "quantity"), Column("Estimate, 95 % interval", "effect", "number")]
    if tested:
        plus, minus = form_named(verdict.form).hypotheses
        columns += [Column(f"p₊ ({plus})", "p_plus", "number"), Column(f"p₋ ({minus})", "p_minus", "number")]
    counts = [name for name in ("seeds", "units") if any(getattr(test, name) for test in verdict.tests)]
    columns += [Column(name.capitalize(), name, "number") for name in counts]
    rows = tuple(_test_row(ledger, verdict, at, counts, tested=tested) for at in range(len(verdict.tests)))
    note = (
        f"p-values are one-sided; first {_looks(ledger)}after {_correction(ledger)} over the family, then in "
        "brackets without."
    )
    caption = words(f"{verdict.claim}: what was tested.")
    name = f"evidence-{anchor(verdict.claim)}"
    return Table(name, caption, tuple(columns), rows, (words(note),) if tested else ())


def _correction(ledger: Ledger) -> str:
    """How p-values of several claims are corrected."""
    some = any(verdict.primary for verdict in ledger.verdicts.verdicts)
    return "the correction (p₊: primary claims first; p₋: Holm)" if some else "Holm's correction"


def _looks(ledger: Ledger) -> str:
    """What else the p-values of a run until settled are corrected for."""
    number = len(ledger.view.record.looks)
    return f"multiplied by the {number} looks that the run may take and " if number > 1 else ""


def _test_row(ledger: Ledger, verdict: VerdictRecord, at: int, counts: list[str], *, tested: bool) -> Row:
    test = verdict.tests[at]
    effect = ledger.effect(verdict, at)
    cells: list[Spans] = [
        words(_quantity(test)),
        drawn(effect, verdict),
    ]
    if tested:
        cells += [_p_values(ledger, verdict, at, "p_plus"), _p_values(ledger, verdict, at, "p_minus")]
    for name in counts:
        shown = (ledger.test_number(verdict, at, name, form="count"),) if getattr(test, name) else words("–")
        cells.append(shown)
    return Row(tuple(cells))


def _quantity(test: TestRecord) -> str:
    """What was tested and how; of a ratio, how θ comes from it."""
    notes = [test.test] if test.test else []
    if test.ratio:
        over = "" if test.ratio.times == 1 else f" over {factor_text(test.ratio.times)}"
        notes.insert(0, f"θ is its logarithm{over}")
    label = test.ratio.label if test.ratio else test.label
    return f"{label} ({'; '.join(notes)})" if notes else label


def _p_values(ledger: Ledger, verdict: VerdictRecord, at: int, name: str) -> Spans:
    raw = ledger.test_number(verdict, at, name)
    adjusted = ledger.test_number(verdict, at, f"{name}_adjusted")
    if isinstance(raw, NotMeasured):
        return words("–")
    if isinstance(adjusted, NotMeasured):
        return (raw,)
    return (adjusted, Text(" ("), raw, Text(")"))


def _cells(ledger: Ledger, verdict: VerdictRecord) -> Table:
    columns = (Column("Cell", "cell"), Column("Value, 95 % interval", "value", "number"))
    found: dict[tuple[str, float], Row] = {}
    for at, test in enumerate(verdict.tests):
        for index, interval in enumerate(test.cells):
            label = test.cell_labels[index] if index < len(test.cell_labels) else f"cell {index + 1}"
            # Tests share cells; each is shown once.
            row = Row((words(label), (ledger.test_cell(verdict, at, index),)))
            found.setdefault((label, interval.value), row)
    caption = words(f"{verdict.claim}: the cells that enter θ.")
    return Table(f"cells-{anchor(verdict.claim)}", caption, columns, tuple(found.values()))


def _preconditions(ledger: Ledger, verdict: VerdictRecord) -> Table:
    columns = (
        Column("Precondition", "assay"),
        Column("Measured, 95 % interval", "effect", "number"),
        Column("Rule", "rule"),
        Column("Held", "held"),
        Column("Why it matters", "reason"),
    )
    rows = tuple(
        Row(
            (
                words(found.name),
                (ledger.precondition(verdict, at),),
                words(found.rule),
                (Badge("yes" if found.passed else "no"),),
                words(found.reason),
            )
        )
        for at, found in enumerate(verdict.assays)
    )
    caption = words(f"{verdict.claim}: whether the effect could have appeared at all.")
    return Table(f"assays-{anchor(verdict.claim)}", caption, columns, rows)


def _circumstances(ledger: Ledger, verdict: VerdictRecord) -> tuple[tuple[str, Spans], ...]:
    facts: list[tuple[str, Spans]] = []
    touching = deviations_of(ledger, verdict.claim)
    if touching:
        links = joined(Link(d.id, f"#{ledger.deviation_anchors[d.id]}") for d in touching)
        facts.append(("Deviations touching it", links))
    relies = ledger.claims[verdict.claim].relies_on
    if relies:
        facts.append(("Relies on", joined(claim_link(ledger, claim) for claim in relies)))
    if verdict.needed_seeds or verdict.no_seeds:
        noun = replicate_noun(verdict.replication)
        facts.append((f"{capital(noun)}s that would settle it", _needed(ledger, verdict)))
    if verdict.trials:
        facts.append(("Trials", trial_list(verdict.trials)))
    return tuple(facts)


def _needed(ledger: Ledger, verdict: VerdictRecord) -> Spans:
    if not verdict.needed_seeds:
        return words(needed_text(verdict))
    spans: list[Span] = []
    for name, seeds in verdict.needed_seeds.items():
        spans += [Text("; ")] if spans else []
        if seeds is None:
            spans.append(Text(f"more than 10,000 if {name}"))
        else:
            spans += [ledger.count(f"{verdict.claim}/needed/{name}", seeds), Text(f" if {name}")]
    return tuple(spans)


def seeds_of(ledger: Ledger) -> str:
    """The seeds of the run's main trials, drawn together."""
    return ranges(str(t.seed) for t in ledger.view.trials.values() if t.kind == "trial" and t.stage == "main")
