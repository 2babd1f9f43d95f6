"""What a report says of language models that were asked."""

from __future__ import annotations

import pytest

from harness.store.memory import MemoryRun
from harness.store.model_records import ModelRecord, UsageRecord
from harness.store.records import VerdictsRecord
from reports.document import Number, Paragraph, Section, Table, Text
from reports.numbers import Ledger
from reports.sections.served import served
from tests.reports import demo

URL = "http://localhost:8000/v1"


def model(**usage: int) -> ModelRecord:
    counts = {"calls": 100, "requests": 100, "prompt_tokens": 700} | usage
    return ModelRecord(name="big", address=URL, protocol="chat", scoring="none", usage=UsageRecord(**counts))


def section(view: MemoryRun, verdicts: VerdictsRecord, asked: dict[str, list[ModelRecord]]) -> Section | None:
    trials = {
        name: record.model_copy(update={"models": asked.get(name, [])})
        for name, record in view.trials.items()
    }
    return served(Ledger(demo.SUITE, demo.SCALE, MemoryRun(view.record, trials, view.tables), verdicts))


def told(made: Section) -> list[str]:
    return [
        "".join(getattr(span, "text", "") for span in block.spans)
        for block in made.blocks
        if isinstance(block, Paragraph)
    ]


def test_runs_that_ask_no_model_have_no_such_section(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    assert section(view, verdicts, {}) is None


def test_models_are_counted_over_all_that_asked_them(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    own = ModelRecord(name="small", usage=UsageRecord(calls=3))
    asked = {
        "main/toy/new/100": [model(), own],
        "main/toy/old/100": [model(retries=1)],
        "artifact/toy draft/abcdef": [model(prompt_tokens=1)],
    }
    made = section(view, verdicts, asked)
    assert made is not None
    table = made.blocks[0]
    assert isinstance(table, Table)
    rows = {row.cells[0][0].text: row.cells for row in table.rows if hasattr(row.cells[0][0], "text")}
    numbers = {
        name: {
            column.key: cell[0].value
            for column, cell in zip(table.columns, cells, strict=True)
            if isinstance(cell[0], Number)
        }
        for name, cells in rows.items()
    }
    assert numbers["big"]["trials"] == 3
    assert numbers["big"]["requests"] == 300
    assert numbers["big"]["prompt-tokens"] == 1401
    assert numbers["big"]["retries"] == 1
    assert numbers["small"]["calls"] == 3
    assert rows["small"][1] == (Text("in memory"),)
    assert told(made) == []


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ({"failed": 2}, "requests failed"),
        ({"refused": 2}, "answers were refused"),
        ({"unfinished": 2}, "answers were cut off at the limit of tokens"),
        ({"unread": 2}, "answers could not be read"),
    ],
)
def test_what_went_wrong_too_often_is_told_with_its_claims(
    usage: dict[str, int], words: str, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    made = section(view, verdicts, {"main/toy/new/100": [model(**usage)]})
    assert made is not None
    (warning,) = told(made)
    assert f"2 of 100 {words}" in warning
    resting = [one.claim for one in verdicts.verdicts if "main/toy/new/100" in one.trials]
    assert resting
    assert f"Claims that rest on them: {', '.join(resting)}." in warning
    # One in a hundred is not worth a line.
    few = section(view, verdicts, {"main/toy/new/100": [model(**dict.fromkeys(usage, 1))]})
    assert few is not None
    assert told(few) == []


def test_trials_on_which_no_claim_rests_are_told_too(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    made = section(view, verdicts, {"main/toy/broken/100": [model(failed=50)]})
    assert made is not None
    assert told(made)[0].endswith("in 1 trial or artifact. No claim rests on them.")
