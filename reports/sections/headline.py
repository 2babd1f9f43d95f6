"""Title block, abstract, and what came out in short: the first screen of a report."""

from __future__ import annotations

from collections import Counter

from harness.declared import claims_hash
from harness.store.records import VerdictRecord
from harness.store.view import not_finished
from harness.text import plural
from reports.current import resumption
from reports.document import (
    Block,
    Code,
    Link,
    Paragraph,
    Section,
    Spans,
    Tally,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import (
    PROFILE_MEANING,
    words,
)
from reports.sections.sentences import sentences

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


def summary(ledger: Ledger) -> Section:
    """What a reader has to know first: whether the run counts, how many claims held, and which."""
    blocks: list[Block] = [*_warnings(ledger), *_tallies(ledger), *sentences(ledger), *_notes(ledger)]
    return Section("summary", "In short", tuple(blocks))


def _warnings(ledger: Ledger) -> list[Block]:
    """Why the numbers below may not be taken for a run's last word."""
    found: list[Spans] = []
    if ledger.view.record.rehearsal:
        found.append(words(REHEARSAL))
    elif not_finished(ledger.view):
        found.append(_incomplete(ledger))
    return [Paragraph(spans, kind="warning") for spans in found]


def _notes(ledger: Ledger) -> list[Block]:
    """How the verdicts came to be, where that was not the usual way."""
    record = ledger.view.record
    notes: list[Block] = []
    exploratory = [v.claim for v in ledger.verdicts.verdicts if v.exploratory]
    if exploratory:
        text = f"Exploratory, since the rule was changed after data were seen: {', '.join(exploratory)}."
        notes.append(Paragraph(words(text), kind="warning"))
    if any(record.selection.values()):
        parts = "; ".join(
            f"{name}: {', '.join(values)}" for name, values in record.selection.items() if values
        )
        notes.append(Paragraph(words(f"This run was restricted to {parts}."), kind="warning"))
    if record.looks:
        notes.append(Paragraph(words(looks_note(ledger)), kind="note"))
    if ledger.view.is_committed:
        notes.append(Paragraph(words(committed_note(ledger)), kind="note"))
    return notes


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
