"""How close the run is to the paper: deviations, sources, unverified numbers, controls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from harness.suite import Experiment, Standing, Tuned
from reports.document import (
    Badge,
    Block,
    Code,
    Column,
    Facts,
    NotMeasured,
    Paragraph,
    Row,
    Section,
    Spans,
    Table,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import claim_link, deviations_of, run_note, words


def fidelity(ledger: Ledger) -> Section:
    """Deviations, where parameters come from, and the standing of the paper's numbers."""
    blocks: list[Block] = [_sources(ledger)]
    changed = _changes(ledger)
    if changed is not None:
        blocks.append(changed)
    if deviations_of(ledger):
        blocks.append(_deviations(ledger))
    if ledger.suite.paper.reported:
        blocks.append(_reported(ledger))
    return Section("fidelity", "How close this is to the paper", tuple(blocks))


def _sources(ledger: Ledger) -> Paragraph:
    counts: Counter[str] = Counter()
    for experiment in ledger.experiments.values():
        for kind in dict.fromkeys(type(_method(experiment, name)) for name in experiment.methods):
            counts.update(_parameter_sources(kind))
    standing = Counter(str(entry.standing) for entry in ledger.suite.paper.reported.values())
    spans: list[Text | Code] = []
    if counts:
        listing = "; ".join(f"{source}: {n:,}" for source, n in counts.most_common())
        spans.append(Text(f"Parameters by the source of their value, over all experiments: {listing}. "))
    listing = ", ".join(f"{standing[str(kind)]:,} {kind}" for kind in Standing if standing[str(kind)])
    spans.append(Text(f"Numbers of the paper: {listing or 'none'}. "))
    spans.append(Text(f"Deviations under this profile: {len(deviations_of(ledger)):,}."))
    if any(re.search(r"\bcard\b", text) for text in (*counts, repr(ledger.suite.claims))):
        page = Code(f"docs/papers/{ledger.suite.slug}.md")
        spans += [Text(" The card that sources and reasons name is "), page]
        spans.append(Text(" of the repository, at the recorded commit."))
    return Paragraph(tuple(spans))


def _method(experiment: Experiment, name: str) -> object:
    """The method declared under an id, tuned or not."""
    declared = experiment.methods[name]
    return declared.method if isinstance(declared, Tuned) else declared


def _parameter_sources(kind: type) -> list[str]:
    if not is_dataclass(kind):
        return []
    return [str(entry.metadata.get("source", "not stated")) for entry in fields(kind)]


def _changes(ledger: Ledger) -> Table | None:
    record = ledger.view.record
    rows = [(name, value, "parameter set on the command line") for name, value in record.settings.items()]
    rows += [(name, value, "resource bound on the command line") for name, value in record.bindings.items()]
    rows += [(name, server.told, "model behind a server") for name, server in record.endpoints.items()]
    if not rows:
        return None
    columns = (Column("What", "what"), Column("Now", "now"), Column("How", "how"))
    made = tuple(Row(((Code(name),), (Code(value),), words(how))) for name, value, how in rows)
    return Table("changes", words("Deviations that were asked for in this run only."), columns, made)


def _deviations(ledger: Ledger) -> Table:
    columns = (
        Column("Id", "id"),
        Column("What", "field"),
        Column("In the paper", "paper"),
        Column("Here", "here"),
        Column("Expected effect", "effect"),
        Column("Claims", "claims"),
    )
    rows = tuple(
        Row(
            (
                (Text(deviation.id),),
                words(deviation.field),
                words(deviation.paper),
                words(deviation.here),
                words(deviation.effect),
                words(", ".join(deviation.claims) or "all"),
            ),
            anchor=ledger.deviation_anchors[deviation.id],
        )
        for deviation in deviations_of(ledger)
    )
    return Table("deviations", words("Where this run differs from the paper."), columns, rows, export=True)


def _reported(ledger: Ledger) -> Table:
    columns = (
        Column("Id", "id"),
        Column("Value", "value", "number"),
        Column("Where", "where"),
        Column("Row", "row"),
        Column("Standing", "standing"),
        Column("Note", "note"),
    )
    rows = tuple(
        Row(
            (
                (Code(entry.id),),
                words("–") if entry.value is None else (ledger.reported(entry.id),),
                words(entry.where),
                words(entry.row),
                words(str(entry.standing)),
                words(entry.note),
            )
        )
        for entry in ledger.suite.paper.reported.values()
    )
    caption = words("The paper's numbers, and how each was established.")
    return Table("reported", caption, columns, rows, folded=True)


def controls(ledger: Ledger) -> Section | None:
    """The matrix of negative controls and claims; nothing if the suite declares none."""
    if not ledger.suite.controls:
        return None
    outcomes = _outcomes(ledger)
    titles = tuple((control.id, words(control.title)) for control in ledger.suite.controls)
    blocks: list[Block] = [_score(ledger), Facts(titles), _matrix(ledger, outcomes)]
    if outcomes:
        blocks.append(_details(ledger, outcomes))
    return Section("controls", "Negative controls: which claims fail without their mechanism", tuple(blocks))


def _outcomes(ledger: Ledger) -> dict[tuple[str, str], str]:
    """What each control did to each claim, in a word: its outcome, or that the cell is open."""
    from harness.evidence.control_score import open_cells

    outcomes = {(cell.control, cell.claim): str(cell.outcome) for cell in ledger.verdicts.controls}
    return outcomes | {(cell.control, cell.claim): "open" for cell in open_cells(ledger.verdicts)}


def _score(ledger: Ledger) -> Paragraph:
    cells = ledger.verdicts.controls
    if not cells:
        return Paragraph((NotMeasured("no control was judged in this run"),), kind="note")
    as_predicted = sum(cell.predicted == cell.outcome for cell in cells)
    return Paragraph(
        (
            Text(
                "A negative control breaks one mechanism and leaves size, steps, cost and seeds as they are. "
                "A claim whose verdict survives the loss of its mechanism was not about that mechanism. "
                "As predicted: "
            ),
            ledger.count("controls/as predicted", as_predicted),
            Text(" of "),
            ledger.count("controls/cells", len(cells)),
            Text(" cells."),
            *_left_open(ledger),
        )
    )


def _left_open(ledger: Ledger) -> Spans:
    """Which cells count neither way, and why."""
    from harness.evidence.control_score import WHY_OPEN, open_cells

    names = ", ".join(f"{cell.control} on {cell.claim}" for cell in open_cells(ledger.verdicts))
    told = f" Of the others, these are open and count neither way: {names}; {WHY_OPEN}."
    return words(told) if names else ()


def _matrix(ledger: Ledger, outcomes: Mapping[tuple[str, str], str]) -> Table:
    declared = ledger.suite.controls
    predicted = {claim for control in declared for claim in control.predicts}
    claims = [claim.id for claim in ledger.suite.claims if claim.id in predicted]
    columns = (Column("Claim", "claim"), *(Column(control.id, control.id) for control in declared))
    rows = tuple(
        Row(
            (
                (claim_link(ledger, claim),),
                *(
                    _matrix_cell(control.predicts.get(claim), outcomes.get((control.id, claim)))
                    for control in declared
                ),
            )
        )
        for claim in claims
    )
    notes = (
        words(
            "kill: the claim must lose its verdict and the effect must drop; keep: it must stay; open: "
            "undecided, and the run does not show the claim. "
            "An arrow leads from a prediction to another outcome; in brackets: not judged in this run."
        ),
        words(run_note(ledger)),
    )
    caption = words("Predicted and observed effect of each negative control on each claim.")
    return Table("controls", caption, columns, rows, notes, export=True)


def _matrix_cell(predicted: str | None, outcome: str | None) -> Spans:
    if predicted is None:
        return ()
    if outcome is None:
        return words(f"({predicted})")
    if outcome == predicted:
        return (Badge("as predicted", word=outcome),)
    state = "undecided" if outcome in ("undecided", "open") else "otherwise"
    return (Badge(state, word=f"{predicted} → {outcome}"),)


def _details(ledger: Ledger, outcomes: Mapping[tuple[str, str], str]) -> Table:
    titles = {control.id: control.title for control in ledger.suite.controls}
    columns = (
        Column("Negative control", "control"),
        Column("Claim", "claim"),
        Column("Outcome", "outcome"),
        Column("Detail", "detail"),
    )
    rows = tuple(
        Row(
            (
                words(titles.get(cell.control, cell.control)),
                (claim_link(ledger, cell.claim),),
                _matrix_cell(cell.predicted, outcomes[cell.control, cell.claim]),
                words(cell.detail),
            )
        )
        for cell in ledger.verdicts.controls
    )
    return Table("control-details", words("Every cell of the matrix, in words."), columns, rows, folded=True)
