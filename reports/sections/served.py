"""Language models that a run asked: which they were, how often, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.method.references import Artifact
from harness.plan.canonical import canonical_text, digest
from harness.plan.references import all_references, bound
from harness.store.model_records import ModelRecord, together
from harness.store.records import TrialRecord
from harness.text import plural
from reports.document import Block, Code, Column, Paragraph, Row, Section, Spans, Table, Text
from reports.numbers import Ledger
from reports.sections.common import words

WORTH_TELLING = 0.01
"""A share of requests or answers that went wrong, beyond which a reader is told which claims rest on them."""
_COUNTS = {
    "calls": "Calls",
    "requests": "Requests",
    "retries": "Repeated",
    "failed": "Failed",
    "refused": "Refused",
    "unfinished": "Cut off",
    "unread": "Not read",
    "prompt_tokens": "Tokens read",
    "completion_tokens": "Tokens written",
    "cached": "Kept",
}


def served(ledger: Ledger) -> Section | None:
    """The models with their counters, and what of it could bear on claims; nothing if no model was asked."""
    records = [record for record in ledger.view.trials.values() if record.models]
    models = together(model for record in records for model in record.models)
    if not models:
        return None
    blocks: list[Block] = [_table(ledger, models, records)]
    blocks += [Paragraph(spans, "warning") for model in models for spans in _warnings(ledger, model, records)]
    return Section("served", "Language models that were asked", tuple(blocks))


def _table(ledger: Ledger, models: list[ModelRecord], records: list[TrialRecord]) -> Table:
    columns = (
        Column("Model", "model"),
        Column("Server", "server"),
        Column("Asked in", "trials", "number"),
        *(Column(title, name.replace("_", "-"), "number") for name, title in _COUNTS.items()),
    )
    rows = tuple(_row(ledger, number, model, records) for number, model in enumerate(models, 1))
    notes = (
        words(
            "Calls are prompts: one for each scored option, sampled text and distribution. Kept are answers "
            "that an earlier attempt at the same trial had been given. What was reused counts with what it "
            "asked when it was made."
        ),
    )
    return Table("served", words("What was asked of each model."), columns, rows, notes)


def _row(ledger: Ledger, number: int, model: ModelRecord, records: list[TrialRecord]) -> Row:
    ids = tuple(record.trial for record in _asking(model, records))
    how = ", ".join(filter(None, (model.protocol, model.scoring)))
    server: Spans = (Code(model.address), Text(f" {how}")) if model.address else words("in memory")
    counts = ((ledger.count(f"served/{number}/{name}", getattr(model.usage, name), ids),) for name in _COUNTS)
    asked = ledger.count(f"served/{number}/trials", len(ids), ids)
    return Row(((Code(model.name),), server, (asked,), *counts))


def _asking(model: ModelRecord, records: Iterable[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if any(one.told == model.told for one in record.models)]


def _warnings(ledger: Ledger, model: ModelRecord, records: list[TrialRecord]) -> Iterator[Spans]:
    """What went wrong too often to be left unsaid, with the claims that rest on it."""
    for what, (bad, of) in model.usage.troubles().items():
        if bad <= WORTH_TELLING * of:
            continue
        hit = [record for record in _asking(model, records) if _has(record, model, what)]
        claims = _resting_on(ledger, hit)
        resting = f"Claims that rest on them: {', '.join(claims)}." if claims else "No claim rests on them."
        share = ledger.recorded(f"served/{model.told}/{what}", round(100 * bad / of, 1), unit="%")
        yield (
            Text("Beware: of "),
            Code(model.told),
            Text(f", {bad:,} of {of:,} {what} ("),
            share,
            Text(f"), in {plural(len(hit), 'trial or artifact', 'trials and artifacts')}. {resting}"),
        )


def _has(record: TrialRecord, model: ModelRecord, what: str) -> bool:
    return any(one.told == model.told and what in one.usage.troubles() for one in record.models)


def _resting_on(ledger: Ledger, records: list[TrialRecord]) -> list[str]:
    """Claims whose trials are among some records, or are computed from artifacts that are."""
    trials = {record.trial for record in records if record.kind == "trial"}
    artifacts = [record.trial for record in records if record.kind == "artifact"]
    if artifacts:
        trials |= set(_computed_from(ledger, artifacts))
    return [verdict.claim for verdict in ledger.verdicts.verdicts if trials & set(verdict.trials)]


def _computed_from(ledger: Ledger, artifacts: list[str]) -> Iterator[str]:
    """Trials whose task or method declares one of some artifacts; these are named as records name them."""
    known: dict[tuple[str, str, str, int], bool] = {}
    for record in ledger.view.trials.values():
        experiment = ledger.experiments.get(record.experiment)
        if experiment is None or record.task not in experiment.tasks:
            continue
        place = (record.experiment, record.task, record.method, record.seed)
        if place not in known:
            parts = (experiment.tasks[record.task], experiment.methods.get(record.method, ()))
            needed = all_references(bound(parts, record.seed))
            names = [_id(ref) for ref in needed if isinstance(ref, Artifact)]
            known[place] = any(found.startswith(name) for name in names for found in artifacts)
        if known[place]:
            yield record.trial


def _id(artifact: Artifact) -> str:
    return f"artifact/{type(artifact).__name__}-{digest(canonical_text(artifact))[:8]}"
