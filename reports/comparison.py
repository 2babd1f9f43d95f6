"""Two runs side by side on one page: changed verdicts first, then differences, then what may explain them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.claims.wording import count
from harness.evidence.compare import Comparison, PairedEffect
from harness.store.records import Interval, VerdictRecord, VerdictsRecord
from harness.store.view import RunView, not_finished
from harness.suite import Scale, Suite
from reports.document import (
    Badge,
    Block,
    Break,
    Bullets,
    Code,
    Column,
    Glyph,
    Handle,
    Number,
    NumberFormat,
    Paragraph,
    Row,
    Section,
    Span,
    Spans,
    Table,
    Text,
)
from reports.html import environment
from reports.numbers import Ledger
from reports.own_files import refuse_foreign_page
from reports.sections.common import words
from reports.sections.verdicts import measured_effect, statement_of
from reports.write import write_file

_REASONS = 4
"""Reasons that the head of the page names."""
_DIGITS = 4
"""Significant digits of what is compared, as on the command line."""


@dataclass(frozen=True)
class Side:
    """One of two runs, with its declarations and its verdicts."""

    suite: Suite
    scale: Scale
    view: RunView
    verdicts: VerdictsRecord


def write_comparison(left: Side, right: Side, comparison: Comparison, path: Path) -> Path:
    """Write the page of a comparison.

    Args:
        left: The first run.
        right: The second; differences are right − left.
        comparison: What :func:`harness.evidence.compare.compare_runs` says of them.
        path: The file to write.

    Raises:
        HandleError: If verdicts are not of their run.
        UsageError: If there is a file of that name that no report has written.
        RecordError: If it cannot be written.
    """
    refuse_foreign_page(path)
    template = environment().get_template("compare.html.j2")
    because, more = _because(comparison)
    named = zip("AB", (left, right), strict=True)
    page = template.render(
        title=left.suite.paper.title,
        answer=comparison.answer,
        because=because,
        more=more,
        sides=[(name, side.view.record, _unfinished(side)) for name, side in named],
        sections=_sections(left, right, comparison),
    )
    return write_file(path, page)


def _because(comparison: Comparison) -> tuple[str, int]:
    """Why the answer is what it is, and how many reasons more the table of what differs has."""
    warned = [item.field for item in comparison.fields if item.weight == "warning"]
    if comparison.answer != "comparable with warnings" or len(warned) <= _REASONS:
        return comparison.because, 0
    return f"differing in {', '.join(warned[:_REASONS])}", len(warned) - _REASONS


def _unfinished(side: Side) -> str:
    missing = len(not_finished(side.view))
    return f"{missing} of {len(side.view.record.planned)} planned trials have not finished" if missing else ""


def _sections(left: Side, right: Side, comparison: Comparison) -> list[Section]:
    """The sections of the page, the empty ones left out."""
    verdicts = _verdicts(left, right) if left.suite.slug == right.suite.slug else ()
    made = (
        Section("verdicts", "Verdicts", tuple(verdicts)),
        Section("differences", "Differences", tuple(_differences(comparison))),
        Section("made", "How they were made", tuple(_fields(comparison))),
        Section("cost", "Cost", (_cost(left, right),)),
    )
    return [section for section in made if section.blocks]


def _verdicts(left: Side, right: Side) -> Iterator[Block]:
    """The verdicts that changed, and those that did not."""
    sides = [Ledger(side.suite, side.scale, side.view, side.verdicts) for side in (left, right)]
    found = [{verdict.claim: verdict for verdict in ledger.verdicts.in_order()} for ledger in sides]
    names = list(dict.fromkeys(name for verdicts in found for name in verdicts))
    rows: dict[bool, list[Row]] = {True: [], False: []}
    for name in names:
        one, other = (verdicts.get(name) for verdicts in found)
        rows[_word(one) != _word(other)].append(_verdict_row(sides, name, (one, other)))
    if rows[True]:
        yield _verdict_table(
            "changed", f"Verdicts that changed: {len(rows[True])} of {len(names)}.", rows[True]
        )
    else:
        yield Paragraph(words(f"None of the {count(len(names), 'verdict')} changed."))
    if rows[False]:
        yield _verdict_table("unchanged", f"Verdicts that are the same: {len(rows[False])}.", rows[False])


def _word(verdict: VerdictRecord | None) -> tuple[str, str]:
    return (verdict.verdict, verdict.cause) if verdict else ("", "")


def _verdict_table(name: str, caption: str, rows: Iterable[Row]) -> Table:
    columns = (
        Column("Claim", "claim"),
        Column("What the paper says", "statement"),
        Column("A", "left"),
        Column("B", "right"),
    )
    note = "Below each verdict: the claim's quantity θ, signed so that the paper's side is positive."
    return Table(name, words(caption), columns, tuple(rows), (words(note),))


def _verdict_row(
    sides: list[Ledger], name: str, pair: tuple[VerdictRecord | None, VerdictRecord | None]
) -> Row:
    ledger, there = next((ledger, verdict) for ledger, verdict in zip(sides, pair, strict=True) if verdict)
    shown = tuple(_verdict(side, verdict) for side, verdict in zip(sides, pair, strict=True))
    return Row((words(name), words(statement_of(ledger, there)), *shown))


def _verdict(ledger: Ledger, verdict: VerdictRecord | None) -> Spans:
    if verdict is None:
        return words("not declared")
    tail: list[Span] = [Badge(verdict.verdict, verdict.cause)]
    if verdict.tests and verdict not in ledger.verdicts.wholes:
        tail += [Break(), *measured_effect(ledger, verdict)]
    return tuple(tail)


def _differences(comparison: Comparison) -> Iterator[Block]:
    """What was measured in both, with the difference; what lies clear of zero comes first."""
    if comparison.answer == "not comparable":
        yield Paragraph(words("Nothing is compared, since the runs are not comparable."), kind="note")
        return
    effects = sorted(comparison.effects, key=lambda effect: not _is_clear(effect))
    clear = sum(map(_is_clear, effects))
    equal = sum(effect.identical for effect in effects)
    yield Paragraph(
        words(
            f"{len(effects)} of the claims' quantities were measured in both: "
            f"{clear} with a 95 % interval of the difference that leaves out 0, {equal} with equal rows. "
            "Among many intervals some leave it out by chance."
        )
    )
    columns = (
        Column("Quantity", "quantity"),
        Column("Claim", "claim"),
        Column("A", "left", "number"),
        Column("B", "right", "number"),
        Column("B − A, with 95 % interval", "difference"),
        Column("Seeds", "seeds", "number"),
    )
    caption = "Quantities in both runs and their differences, paired by seed and unit."
    note = (
        "A difference of logarithms is the factor between the two. The drawing shows the interval against 0."
    )
    if effects:
        rows = tuple(_effect_row(effect, at) for at, effect in enumerate(effects))
        yield Table("differences", words(caption), columns, rows, (words(note),))
    if comparison.skipped:
        yield Paragraph(words("Not compared:"))
        yield Bullets(tuple(words(f"{item.label}: {item.reason}") for item in comparison.skipped))


def _is_clear(effect: PairedEffect) -> bool:
    low, high = effect.difference.low, effect.difference.high
    return low is not None and high is not None and not effect.identical and (low > 0 or high < 0)


def _effect_row(effect: PairedEffect, at: int) -> Row:
    times = effect.ratio.times if effect.ratio else 1.0
    kind: NumberFormat = "ratio" if effect.ratio else "significant"
    one, other = (
        _number(value, f"{at}/{name}", kind, times)
        for name, value in (("left", effect.left), ("right", effect.right))
    )
    seeds = Number(effect.seeds, Handle("count", f"{at}/seeds"), form="count")
    label = effect.ratio.label if effect.ratio else effect.label
    return Row((words(label), words(effect.claim), (one,), (other,), _difference(effect, at), (seeds,)))


def _difference(effect: PairedEffect, at: int) -> Spans:
    if effect.identical:
        return words("the unit rows are equal")
    number = _number(effect.difference, f"{at}/difference", "ratio" if effect.log else "significant")
    drawn = (number,) if number.low is None else (number, Glyph(number))
    return (*drawn, Break(), Text(effect.test))


def _number(value: Interval, name: str, form: NumberFormat, times: float = 1.0) -> Number:
    handle = Handle("cell", f"comparison/{name}")
    return Number(value.value, handle, value.low, value.high, _DIGITS, form=form, times=times)


_WEIGHTS = {
    "blocks": "changes what the numbers mean",
    "warning": "may change numbers",
    "note": "changes no number",
}


def _fields(comparison: Comparison) -> Iterator[Block]:
    """Where the two differ in what was asked for, in code, data, packages and machines."""
    if not comparison.fields:
        yield Paragraph(words("Code, packages, machine and parameters are recorded as the same."))
        return
    columns = (
        Column("Field", "field"),
        Column("A", "left"),
        Column("B", "right"),
        Column("Weight", "weight"),
    )
    rows = tuple(
        Row((words(item.field), _code(item.left), _code(item.right), words(_WEIGHTS[item.weight])))
        for item in comparison.fields
    )
    yield Table("fields", words("What differs, the weightiest first."), columns, rows)


def _code(text: str) -> Spans:
    return (Code(text),) if text else words("none")


def _cost(left: Side, right: Side) -> Table:
    columns = (
        Column("", "what"),
        Column("A", "left", "number"),
        Column("B", "right", "number"),
    )
    sides = (_costs(left.view), _costs(right.view))
    rows = tuple(
        Row(
            (
                words(name),
                *(
                    (Number(side[name], Handle("cost", f"{key}/{name}"), digits=3, unit=unit, form=form),)
                    for key, side in zip(("left", "right"), sides, strict=True)
                ),
            )
        )
        for name, unit, form in _COSTS
    )
    return Table(
        "cost",
        words("What the runs took, and what making all of it took, reused parts included."),
        columns,
        rows,
    )


_COSTS: tuple[tuple[str, str, NumberFormat], ...] = (
    ("trials executed", "", "count"),
    ("trials reused", "", "count"),
    ("trials without a result", "", "count"),
    ("wall time spent in this run", "s", "significant"),
    ("wall time of all trials and artifacts", "s", "significant"),
    ("CPU time of all trials and artifacts", "s", "significant"),
    ("largest peak memory", "MB", "significant"),
)


def _costs(view: RunView) -> dict[str, float]:
    records = list(view.trials.values())
    trials = [record for record in records if record.kind == "trial"]
    executed = [record for record in trials if not record.reused_from]
    values = (
        len(executed),
        len(trials) - len(executed),
        sum(record.status != "ok" for record in trials),
        sum(record.cost.wall_s for record in records if not record.reused_from),
        sum(record.cost.wall_s for record in records),
        sum(record.cost.cpu_s or 0.0 for record in records),
        max((record.cost.peak_memory_mb or 0.0 for record in records), default=0.0),
    )
    return dict(zip((name for name, _, _ in _COSTS), map(float, values), strict=True))
