from __future__ import annotations

import dataclasses

import numpy as np

from harness.store.memory import MemoryRun
from harness.store.records import RehearsalRecord, VerdictsRecord
from reports import csvs, html, markdown
from reports.build import build
from reports.document import Card, Document, Figure, Number, Table
from reports.latex import table_file
from reports.macros import macros
from tests.reports import demo


def test_open_cells_of_controls_are_named_and_told_apart(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def told(verdict: str) -> str:
        given = [
            one.model_copy(update={"verdict": verdict}) if one.claim == "C2" else one
            for one in verdicts.verdicts
        ]
        record = verdicts.model_copy(update={"verdicts": given})
        text = markdown.render(build(demo.SUITE, demo.SCALE, view, record))
        return text.partition("Negative controls: which")[2].replace("\\", "")

    assert "count neither way: no-rate on C2;" in told("not reproduced")
    assert "keep → open" in told("not reproduced")
    assert "count neither way" not in told("reproduced")
    assert "keep → undecided" in told("reproduced")


def test_every_number_has_a_handle_and_its_trials_exist(document: Document, view: MemoryRun) -> None:
    numbers = document.numbers()
    assert len(numbers) > 40
    for number in numbers:
        assert number.handle.name
        assert set(number.handle.trials) <= set(view.trials)
        if number.handle.kind in ("claim", "cell", "cost"):
            assert number.handle.trials, number.handle.name


def test_one_handle_names_one_number(document: Document) -> None:
    found: dict[str, Number] = {}
    for number in walk(document):
        known = found.setdefault(number.handle.name, number)
        assert (known.value, known.low, known.high) == (number.value, number.low, number.high)


def walk(item: object) -> list[Number]:
    if isinstance(item, Number):
        return [item]
    if isinstance(item, tuple):
        return [number for part in item for number in walk(part)]
    if dataclasses.is_dataclass(item):
        return [number for entry in dataclasses.fields(item) for number in walk(getattr(item, entry.name))]
    return []


def test_numbers_lists_what_a_walk_over_the_document_finds(document: Document) -> None:
    assert {n.handle.name for n in document.numbers()} == {n.handle.name for n in walk(document)}


def test_negative_controls_are_described_last_and_as_what_they_are(
    view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    def headings(broken: str) -> list[str]:
        control = dataclasses.replace(demo.SUITE.controls[0], replaces={"new": broken})
        suite = dataclasses.replace(demo.SUITE, controls=(control,))
        told = markdown.render(build(suite, demo.SCALE, view, verdicts))
        return [
            line for line in told.splitlines() if line.startswith("**Proposed**") or "**Baseline**" in line
        ]

    assert "negative control" in headings("old")[-1]
    assert "negative control" not in "".join(headings("broken"))


def test_every_claim_has_a_card_and_wholes_precede_their_parts(document: Document) -> None:
    cards = [block.claim for block in document.blocks() if isinstance(block, Card)]
    assert cards == ["C1", "C1a", "C1b", "C2", "C3", "C4"]
    whole = next(block for block in document.blocks() if isinstance(block, Card))
    assert whole.parts == "1 of 2"


def test_counts_are_of_whole_claims(document: Document) -> None:
    whole, parts = document.sections[0].blocks[:2]
    counts = {verdict: number.value for verdict, number in whole.counts}  # type: ignore[union-attr]
    assert counts == {"not reproduced": 1, "inconclusive": 1, "not comparable": 1, "not run": 1}
    counts = {verdict: number.value for verdict, number in parts.counts}  # type: ignore[union-attr]
    assert counts == {"reproduced": 1, "inconclusive": 1}


def test_the_sections_are_all_there(document: Document) -> None:
    names = [section.id for section in document.sections]
    assert names == [
        "summary", "tables", "figures", "exhibits", "verdicts", "evidence", "methods", "fidelity", "controls",
        "tuning", "cost", "provenance", "rerun",
    ]  # fmt: skip


def test_files_keep_their_order_of_numbers_whatever_a_page_shows_first(document: Document) -> None:
    turned = dataclasses.replace(document, sections=document.sections[::-1])
    names = [number.handle.name for number in document.numbers()]
    of_claims = [name for name in names if name.startswith("C1a/")]
    assert [n.handle.name for n in turned.numbers()][: len(names) // 4] == names[: len(names) // 4]
    assert names.index(of_claims[0]) < names.index("main/new/accuracy")


def test_only_deviations_of_the_profile_are_shown(document: Document) -> None:
    table = next(table for table in document.tables() if table.id == "deviations")
    assert [row.cells[0][0].text for row in table.rows] == ["D1", "D2"]  # type: ignore[union-attr]


def test_a_report_says_where_the_card_is_if_it_speaks_of_one(
    document: Document, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    assert "docs/papers" not in markdown.render(document)
    first, *others = demo.SUITE.claims
    claims = (dataclasses.replace(first, note="The card's threshold."), *others)
    made = build(dataclasses.replace(demo.SUITE, claims=claims), demo.SCALE, view, verdicts)
    assert "`docs/papers/toy.md` of the repository" in markdown.render(made)
    assert csvs.render(made) == csvs.render(document)


def test_ids_are_unique(document: Document) -> None:
    ids = [block.id for block in document.blocks() if isinstance(block, Table | Figure)]
    assert len(ids) == len(set(ids))


def test_the_tuning_grid_shows_every_point_and_the_chosen_one(document: Document) -> None:
    table = next(table for table in document.tables() if table.id.startswith("tuning"))
    assert [column.key for column in table.columns] == ["method", "rate=0.03", "rate=0.1", "rate=0.3"]
    (row,) = table.rows
    scores = [cell[0].value for cell in row.cells[1:]]  # type: ignore[union-attr]
    assert min(scores) == scores[1]
    assert [len(cell) > 1 for cell in row.cells[1:]] == [False, True, False]


def test_a_figure_keeps_the_reason_for_what_it_lacks(document: Document) -> None:
    figure = document.figures()[0]
    assert [name for name, _ in figure.missing] == ["licensed"]
    assert "licence" in figure.missing[0][1]


def test_the_commands_to_run_it_again_are_exact(document: Document) -> None:
    rerun = document.sections[-1]
    lines = [line for block in rerun.blocks for line in getattr(block, "lines", ())]
    assert f"git checkout {demo.run().record.provenance.commit}" in lines
    assert "nox -s reproduce-toy -- --profile small --set new.rate=0.1" in lines
    assert "corroborate run toy --set new.rate=0.1" in lines


def test_the_command_to_run_it_again_has_all_that_restricted_the_run() -> None:
    view = demo.run()
    view.record = view.record.model_copy(
        update={
            "selection": {"claims": ["C1", "C2"], "methods": ["new", "old"], "seeds": ["100-104"]},
            "added": {"mine": "package.module:Mine"},
            "bindings": {"model": "/a folder/model"},
            "limits": {"memory_gb": 2.5, "minutes": 20.0},
            "looks": [1.0, 1.6],
        }
    )
    document = build(demo.SUITE, demo.SCALE, view, demo.verdicts(view))
    lines = [line for block in document.sections[-1].blocks for line in getattr(block, "lines", ())]
    [command] = [line for line in lines if line.startswith("nox")]
    assert command.removeprefix("nox -s reproduce-toy -- ") == (
        "--profile small --claim C1 --claim C2 --methods new,old --seeds 100-104 --set new.rate=0.1 "
        "--method package.module:Mine --bind 'model=/a folder/model' --memory 2.5 --minutes 20.0 "
        "--until-settled"
    )


def test_a_rehearsal_is_repeated_as_one_and_marked_in_every_file() -> None:
    view = demo.run()
    view.record = view.record.model_copy(
        update={
            "rehearsal": RehearsalRecord(dtype="bfloat16"),
            "bindings": {"model": "/gone/stand-ins/model"},
        }
    )
    document = build(demo.SUITE, demo.SCALE, view, demo.verdicts(view))
    lines = [line for block in document.sections[-1].blocks for line in getattr(block, "lines", ())]
    assert "corroborate rehearse toy --profile small --dtype bfloat16" in lines
    assert not any("/gone" in line or "corroborate table" in line for line in lines)
    assert "a rehearsal: no results" in macros(document)
    assert "a rehearsal: no results" in table_file(document, document.tables()[0], "single")


def test_an_unfinished_run_is_marked_in_every_file_and_says_how_it_goes_on() -> None:
    view = demo.run()
    del view.trials["main/toy/broken/102"]
    document = build(demo.SUITE, demo.SCALE, view, demo.verdicts(view))
    for text in (markdown.summary(document), markdown.render(document), html.render(document)):
        assert "Incomplete: 1 of 15 planned trials of this run have not finished." in text
        assert "corroborate run toy --resume toy-small-1" in text
    assert "an unfinished run" in macros(document)
    assert "an unfinished run" in table_file(document, document.tables()[0], "single")
    whole = build(demo.SUITE, demo.SCALE, demo.run(), demo.verdicts(demo.run()))
    assert "Incomplete" not in markdown.render(whole)
    assert "unfinished" not in macros(whole)


def test_an_added_method_stands_beside_the_declared_ones() -> None:
    view = demo.run()
    for seed in demo.SEEDS:
        demo.add(view, "mine", seed, np.ones(40))
    planned = [*view.record.planned, *(f"main/toy/mine/{seed}" for seed in demo.SEEDS)]
    made = view.record.provenance
    made = made.model_copy(update={"command": [*made.command, "--method", "package:Mine"]})
    view.record = view.record.model_copy(update={"planned": planned, "provenance": made})
    document = build(demo.SUITE, demo.SCALE, view, demo.verdicts(view))
    section = next(section for section in document.sections if section.id == "added")
    table = section.blocks[-1]
    assert isinstance(table, Table)
    shown = {row.cells[0][0].text: row.cells[1][0] for row in table.rows}  # type: ignore[union-attr]
    assert set(shown) == {"mine", "new", "old", "broken"}
    assert shown["mine"].value == 1.0  # type: ignore[union-attr]
    assert [name for name, number in shown.items() if number.bold] == ["mine"]  # type: ignore[union-attr]


def test_a_run_without_added_methods_has_no_such_section(document: Document) -> None:
    assert all(section.id != "added" for section in document.sections)
