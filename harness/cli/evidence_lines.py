"""What a verdict rests on, for whoever doubts it: the rule, where it stands, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.claims.forms import form_named
from harness.claims.wording import interval, p_value
from harness.suite import Suite

if TYPE_CHECKING:
    from harness.store.records import TestRecord, VerdictRecord


def evidence_lines(verdict: VerdictRecord, suite: Suite) -> Iterator[str]:
    """The rule with its module, the modules of the suite that name the claim, and each test in numbers."""
    form = form_named(verdict.form)
    yield f"rule: {verdict.form}, {form.meaning} ({form.__module__.replace('.', '/')}.py)"
    yield f"named in: {', '.join(_naming(verdict.claim, suite)) or 'no module of the suite'}"
    if verdict.delta is not None:
        yield f"{form.effect_name} = {verdict.delta:g}: {verdict.delta_reason}"
    if form.statistical:
        plus, minus = form.hypotheses
        yield f"p₊ tests {plus}, p₋ tests {minus}; drawn again: {verdict.replication}"
    for test in verdict.tests:
        yield from _test(test)
    for checked in verdict.assays:
        held = "held" if checked.passed else "failed"
        found = interval(checked.effect, checked.ratio)
        yield f"precondition {checked.name} {held}: {found}, wanted {checked.rule}"
    yield "the way from rows to this: docs/evidence.md, section 12"


def _test(test: TestRecord) -> Iterator[str]:
    yield f"θ, {test.label}: {interval(test.effect, test.ratio)} by {test.test}"
    sides = (("p₊", test.p_plus, test.p_plus_adjusted), ("p₋", test.p_minus, test.p_minus_adjusted))
    told = [f"{side}: {p_value(alone)}, adjusted {p_value(adjusted)}" for side, alone, adjusted in sides]
    if test.p_plus is not None or test.p_minus is not None:
        yield f"  {'; '.join(told)}"
    if test.replicates:
        yield f"  θ in each replicate: {' '.join(f'{value:.4g}' for value in test.replicates)}"
    if test.cells:
        cells = zip(test.cell_labels, test.cells, strict=True)
        yield f"  its cells: {', '.join(f'{label} {cell.value:.4g}' for label, cell in cells)}"


def _naming(claim: str, suite: Suite) -> list[str]:
    """Modules of a suite in which a claim's id is a string, and the record with its words."""
    files = [*sorted(suite.folder.glob("*.py")), suite.folder / "paper.toml"]
    place = suite.folder.parent.parent
    return [
        path.relative_to(place).as_posix()
        for path in files
        if path.is_file() and f'"{claim}"' in path.read_text(encoding="utf-8")
    ]
