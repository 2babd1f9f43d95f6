"""Title block, abstract, headline counts and the verdict table."""

from __future__ import annotations

from collections import Counter

from harness.claims import Claim
from harness.claims.forms import form_named
from harness.declared import claims_hash
from harness.store.records import VerdictRecord
from harness.store.view import not_finished
from harness.text import plural
from reports.current import resumption
from reports.document import (
    Badge,
    Block,
    Break,
    Code,
    Column,
    Link,
    Paragraph,
    Row,
    Section,
    Span,
    Spans,
    Table,
    Tally,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import (
    PROFILE_MEANING,
    claim_link,
    drawn,
    effects,
    paper_says,
    run_note,
    words,
)

VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not comparable", "not run")
REHEARSAL = (
    "This is a rehearsal: tiny random models and made-up data stand in for what the profile declares, "
    "and sizes are cut down. It shows that the code runs from beginning to end. Its numbers mean nothing, "
    "and none of its verdicts counts."
)


def title_facts(ledger: Ledger) -> tuple[tuple[str, Spans], ...]:
    """What stands under the title: paper, profile, date, commit and machine."""
    paper, record = ledger.suite.paper, ledger.view.record
    provenance = record.provenance
    published = (Text(f"{paper.venue}, {paper.year}" if str(paper.year) not in paper.venue else paper.venue),)
    arxiv: Spans = (Text("; "), Link(f"arXiv:{paper.arxiv}", f"https://arxiv.org/abs/{paper.arxiv}"))
    rehearsed = f", rehearsal in {record.rehearsal.dtype}" if record.rehearsal else ""
    machine = ", ".join(dict.fromkeys(filter(None, (record.hardware, provenance.cpu)))) or "not recorded"
    return (
        ("Paper", published + (arxiv if paper.arxiv else ())),
        ("Profile", words(f"{record.profile}{', full width' if record.full else ''}{rehearsed}")),
        ("Run", (Code(record.run), Text(f", {provenance.created[:10]}"))),
        ("Code", (Code(commit_name(ledger)), Text(f", version {provenance.corroborate}"))),
        ("Machine", words(machine)),
    )


def commit_name(ledger: Ledger) -> str:
    """The commit, shortened, and whether the work tree differed from it; of a continued run, each of them."""
    record = ledger.view.record
    codes = (made.code(12) or "no commit recorded" for made in (record.provenance, *record.continued))
    return " and ".join(dict.fromkeys(codes))


def abstract(ledger: Ledger) -> tuple[Spans, ...]:
    """What the paper proposes, and the scale at which it was tried here."""
    profile = ledger.scale.profile
    scope = (
        "A verdict speaks of the paper's setting."
        if profile == "paper"
        else "A verdict says what held at this scale; it neither confirms nor refutes the paper."
    )
    return (
        words(" ".join(ledger.suite.paper.summary.split())),
        words(f"This report is of the profile {profile}. {PROFILE_MEANING[profile]} {scope}"),
    )


def headline(ledger: Ledger) -> Section:
    """Counts and the verdict table."""
    blocks: list[Block] = [*_tallies(ledger), verdict_table(ledger)]
    exploratory = [v.claim for v in ledger.verdicts.verdicts if v.exploratory]
    if exploratory:
        text = f"Exploratory, since the rule was changed after data were seen: {', '.join(exploratory)}."
        blocks.insert(-1, Paragraph(words(text), kind="warning"))
    if ledger.view.is_committed:
        blocks.insert(0, Paragraph(words(committed_note(ledger)), kind="note"))
    if ledger.view.record.rehearsal:
        blocks.insert(0, Paragraph(words(REHEARSAL), kind="warning"))
    elif not_finished(ledger.view):
        blocks.insert(0, Paragraph(_incomplete(ledger), kind="warning"))
    restricted = ledger.view.record.selection
    if any(restricted.values()):
        parts = "; ".join(f"{name}: {', '.join(values)}" for name, values in restricted.items() if values)
        blocks.insert(-1, Paragraph(words(f"This run was restricted to {parts}."), kind="warning"))
    if ledger.view.record.looks:
        blocks.insert(-1, Paragraph(words(looks_note(ledger)), kind="note"))
    return Section("verdicts", "Verdicts", tuple(blocks))


def looks_note(ledger: Ledger) -> str:
    """How the seeds of a run until settled were chosen, and what that does to its numbers."""
    looks = ledger.view.record.looks
    times = ", ".join(f"{factor:g}" for factor in looks)
    return (
        f"The looks of this run were fixed beforehand, at {times} times the declared seeds, and only claims "
        "that were open went on to the next. Whatever look a claim ended at, its p-values are multiplied by "
        f"the number of looks, {len(looks)}, before Holm's correction. Intervals are 95 % intervals of the "
        "seeds at hand, without a correction."
    )


def _incomplete(ledger: Ledger) -> Spans:
    """That a run was interrupted, and how it goes on."""
    missing, planned = len(not_finished(ledger.view)), len(ledger.view.record.planned)
    text = (
        f"Incomplete: {missing} of {plural(planned, 'planned trial')} of this run have not finished. What "
        "rests on them is marked as not measured, and no verdict here is the run's last word. To finish it: "
    )
    return (Text(text), Code(resumption(ledger.suite, ledger.view)), Text("."))


def committed_note(ledger: Ledger) -> str:
    """What a reader of committed results has to know: which numbers they cannot give, and why."""
    left_out, finished = len(ledger.view.omitted), len(ledger.view.trials)
    note = "These are the results that are committed with the suite."
    if ledger.view.kept is None:
        note += " The verdicts are those stored with them."
    if ledger.view.record.claims_sha256 != claims_hash(ledger.suite):
        note += " The suite's rules have changed since."
    if not left_out:
        return note
    return (
        f"{note} The rows of {left_out} of {finished} trials were left out for their size; a number that "
        "needs them is marked, and a run of the suite has it."
    )


def _tallies(ledger: Ledger) -> list[Tally]:
    """Counts of whole claims, and of the statements that compound claims are split into."""
    parts = tuple(verdict for verdict in ledger.verdicts.verdicts if verdict.parent)
    whole = tuple(ledger.verdicts.top_level())
    title = f"{plural(len(whole), 'claim')}{', compound ones as wholes' if parts else ''}"
    made = [_tally(ledger, title, "claims", whole)]
    if parts:
        made.append(_tally(ledger, f"The {len(parts)} parts of compound claims, each alone", "parts", parts))
    return made


def _tally(ledger: Ledger, title: str, name: str, verdicts: tuple[VerdictRecord, ...]) -> Tally:
    counts: Counter[str] = Counter(verdict.verdict for verdict in verdicts)
    numbers = [(kind, ledger.count(f"{name}/{kind}", counts[kind])) for kind in VERDICTS if counts[kind]]
    return Tally(title, tuple(numbers))


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
    """One row a claim: statement, the paper's number, the measured effect, verdict, scope."""
    columns = (
        Column("Claim", "claim"),
        Column("What the paper says", "statement"),
        Column("Paper", "paper"),
        Column("Here, with 95 % interval", "ours"),
        Column("Verdict", "verdict"),
        Column("Scope", "scope"),
    )
    rows = tuple(_verdict_row(ledger, verdict) for verdict in ledger.verdicts.in_order())
    notes = (
        words(
            "Here: the declared quantity θ of the claim, signed so that the paper's side is positive; if it "
            "is the logarithm of a ratio, that ratio. "
            "A small drawing beside it shows the interval against 0 (solid) and what it has to exceed, δ or "
            "the margin (dashed)."
        ),
        standing_note(),
        words(run_note(ledger)),
    )
    return Table("verdicts", words("Verdict on each claim."), columns, rows, notes, export=True)


def standing_note() -> Spans:
    """What the marks at the paper's numbers mean."""
    return words(
        "Numbers of the paper: † from a secondary source; ‡ unverified, shown but never used for a verdict."
    )


def _verdict_row(ledger: Ledger, verdict: VerdictRecord) -> Row:
    claim = ledger.claims.get(verdict.claim)
    whole = verdict in ledger.verdicts.wholes
    name: Spans = (claim_link(ledger, verdict.claim),)
    badge: list[Span] = [Badge(verdict.verdict, verdict.cause)]
    if whole:
        badge.append(Text(f" {parts_held(ledger, verdict)} parts"))
    return Row(
        cells=(
            name,
            words(statement_of(ledger, verdict)),
            _paper_cell(ledger, claim),
            words("by its parts") if whole else measured_effect(ledger, verdict),
            tuple(badge),
            words(verdict.scope),
        ),
        kind="part" if verdict.parent else ("whole" if whole else "plain"),
    )


def _paper_cell(ledger: Ledger, claim: Claim | None) -> Spans:
    return paper_says(ledger, claim) if claim else words("")


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
