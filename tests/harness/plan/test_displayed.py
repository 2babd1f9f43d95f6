"""Tables and figures show what a scale plans, and name only what some scale plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.claims import Profile, by_profile
from harness.declared import check_suite
from harness.errors import SuiteError
from harness.plan.displayed import made_for, planned_rows, planned_series, shown, shown_under
from harness.suite import (
    Arm,
    Columns,
    Experiment,
    FirstSeed,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Scale,
    Series,
    Suite,
    TableRow,
    arms,
    by_arm,
    by_column,
    curves,
)
from tests.harness.evidence.worlds import Nothing, cell, experiment, suite

SMALL, GPU = Scale(profile=Profile.SMALL), Scale(profile=Profile.GPU)
PLANNED = {
    "e": experiment(
        ["a", "b"], [100], tasks={"t": Nothing(), "u": Nothing()}, only=frozenset({("t", "a"), ("u", "b")})
    )
}
ARMS = (*arms({"a": "first", "b": "second"}, "real"), Arm("gone", "third"))


def table(rows: object, **more: object) -> PaperTable:
    return PaperTable(id="T1", title="", columns={"t": "on t", "paper": "paper"}, rows=rows, **more)  # type: ignore[arg-type]


def figure(series: object, **more: object) -> PaperFigure:
    return PaperFigure(id="F1", title="", x="x", y="y", series=series, **more)  # type: ignore[arg-type]


def rows_of(declared: object) -> dict[str, set[str]]:
    return {row.label: set(row.entries) for row in planned_rows(table(declared), SMALL, PLANNED)}


def on_t(method: str) -> dict[str, object]:
    return {"t": cell(method, task="t"), "u": cell(method, task="u"), "paper": ReportedRef("x")}


def test_arms_by_columns_without_what_is_not_planned() -> None:
    rows = by_arm(ARMS, on_t)  # type: ignore[arg-type]
    assert [(row.label, row.group) for row in rows] == [("first", "real"), ("second", "real"), ("third", "")]
    # The third method is never run: what the paper says of it alone is no row.
    assert rows_of(rows) == {"first": {"t", "paper"}, "second": {"u", "paper"}}


def test_an_entry_of_several_cells_needs_all_of_them() -> None:
    both = TableRow(
        label="both", entries={"t": cell("a", task="t") - cell("b", task="t"), "u": cell("b", task="u")}
    )
    assert rows_of([both]) == {"both": {"u"}}


def test_rows_of_reported_numbers_stay_and_a_row_can_need_a_cell() -> None:
    reported = TableRow(label="paper", entries={"paper": ReportedRef("x")})
    lacking = TableRow(label="needs", entries={"t": cell("a", task="t")}, needs=cell("gone", task="t"))
    assert rows_of([reported, lacking, replace(lacking, label="has", needs=cell("a", task="t"))]) == {
        "paper": {"paper"},
        "has": {"t"},
    }


def test_by_arm_leaves_out_entries_that_are_none() -> None:
    rows = by_arm(ARMS[:1], lambda method: {"t": cell(method, task="t"), "u": None})
    assert set(rows[0].entries) == {"t"}


def test_arms_by_x_without_what_is_not_planned() -> None:
    lines = curves(ARMS, ("t", "u"), lambda method, task: cell(method, task=task))
    assert [line.label for line in lines] == ["first", "second", "third"]
    shown = planned_series(figure(lines), SMALL, PLANNED)
    assert {line.label: [x for x, _ in line.points] for line in shown} == {"first": ["t"], "second": ["u"]}
    numbers = curves(ARMS[:1], (1, 2), lambda method, _: cell(method, task="t"))
    assert [repr(x) for x, _ in numbers[0].points] == ["1.0", "2.0"]
    empty = Series(label="paper", points=(), reported=((1.0, ReportedRef("x")),))
    assert planned_series(figure([empty]), SMALL, PLANNED) == [empty]


def test_rows_of_each_profile() -> None:
    rows = by_profile({Profile.SMALL: "a", Profile.GPU: "b"}, lambda name: by_arm([Arm(name, name)], on_t))  # type: ignore[arg-type]
    one = table(rows)
    assert [row.label for row in planned_rows(one, SMALL, PLANNED)] == ["a"]
    assert [row.label for row in planned_rows(one, GPU, PLANNED)] == ["b"]
    assert planned_rows(one, Scale(profile=Profile.PAPER), PLANNED) == []
    assert [list(made_for([one], profile)) == [one] for profile in Profile] == [False, True, True, False]
    assert list(made_for([table(rows, profiles=(Profile.GPU,))], Profile.SMALL)) == []


def test_series_of_each_scale_where_full_changes_the_points() -> None:
    full = replace(SMALL, full=True)
    declared = {
        scale: curves(ARMS[:1], xs, lambda method, _: cell(method, task="t"))
        for scale, xs in ((SMALL, (1,)), (full, (1, 2)))
    }
    one = figure(declared)
    assert [len(line.points) for line in planned_series(one, SMALL, PLANNED)] == [1]
    assert [len(line.points) for line in planned_series(one, full, PLANNED)] == [2]
    assert planned_series(one, GPU, PLANNED) == []
    assert [list(made_for([one], profile)) == [one] for profile in Profile] == [False, True, False, False]


def test_a_reported_number_goes_with_its_point() -> None:
    points = (("t", cell("a", task="t")), ("u", cell("a", task="u")))
    reported = tuple((x, ReportedRef("x")) for x in ("t", "u", "elsewhere"))
    (kept,) = planned_series(figure([Series(label="s", points=points, reported=reported)]), SMALL, PLANNED)
    assert [x for x, _ in kept.reported] == ["t", "elsewhere"]


def test_what_a_scale_plans_nothing_of_is_left_out_unless_it_names_the_profile() -> None:
    gone = by_arm(ARMS[2:], on_t)  # type: ignore[arg-type]
    seen, empty, named = table(by_arm(ARMS, on_t)), table(gone), table(gone, profiles=(Profile.SMALL,))  # type: ignore[arg-type]
    assert list(shown([seen, empty, named], SMALL, PLANNED)) == [seen, named]
    assert list(shown([seen, empty, named], GPU, PLANNED)) == [seen]
    assert list(shown([table({Profile.SMALL: gone})], SMALL, PLANNED)) == [table({Profile.SMALL: gone})]
    lines = [curves(ARMS[at:], (1,), lambda method, _: cell(method, task="t")) for at in (0, 2)]
    assert list(shown([figure(lines[0]), figure(lines[1])], SMALL, PLANNED)) == [figure(lines[0])]


def test_the_profiles_that_a_table_is_found_under() -> None:
    def experiments(scale: Scale) -> Sequence[Experiment]:
        return tuple(PLANNED.values()) if scale.profile is Profile.GPU and scale.full else ()

    declared = replace(suite([]), experiments=experiments)
    assert shown_under(table(by_arm(ARMS, on_t)), declared) == (Profile.GPU,)  # type: ignore[arg-type]


def test_columns_say_beside_their_header_what_they_show() -> None:
    columns: Columns = {
        "t": ("on t", lambda method: cell(method, task="t")),
        "paper": ("paper", lambda method: ReportedRef("x") if method == "a" else None),
    }
    made = PaperTable.of(ARMS[:2], columns, id="T1", title="")
    assert made == table(by_column(ARMS[:2], columns))
    assert [dict(row.entries) for row in planned_rows(made, SMALL, PLANNED)] == [
        {"t": cell("a", task="t"), "paper": ReportedRef("x")}
    ]


def test_seeds_that_are_not_the_suites_bring_their_first() -> None:
    own = FirstSeed(200, "why")
    assert own.own(2) == {"seeds": (200, 201), "first_seed": own}


def test_a_cell_that_no_scale_of_its_profiles_plans_is_refused() -> None:
    def experiments(scale: Scale) -> Sequence[Experiment]:
        names = ["a", "wide"] if scale.full else ["a"]
        return [experiment([*names, "b"] if scale.profile is Profile.GPU else names, [100])]

    def faults(declared: Suite) -> list[str]:
        return [str(fault) for fault in check_suite(declared, SMALL)]

    def showing(method: str, **more: object) -> Suite:
        rows = [TableRow(label="r", entries={"t": cell(method)})]
        lines = [Series(label="s", points=((1.0, cell(method)),))]
        base = replace(suite([]), experiments=experiments)
        return replace(base, tables=(table(rows, **more),), figures=(figure(lines, **more),))

    for name in ("a", "wide", "b"):
        assert faults(showing(name)) == []
    found = faults(showing("typo"))
    assert len(found) == 2
    assert all("no method 'typo'" in fault for fault in found)
    # A table of one profile must have it there.
    assert len(faults(showing("b", profiles=(Profile.SMALL,)))) == 2
    by = by_profile({Profile.SMALL: "b"}, lambda name: [TableRow(label="r", entries={"t": cell(name)})])
    assert len(faults(replace(suite([]), experiments=experiments, tables=(table(by),)))) == 1


def test_a_slip_in_what_a_row_needs_is_refused() -> None:
    def declared(needed: str) -> Suite:
        row = TableRow(label="r", entries={"t": cell("a")}, needs=cell(needed))
        return replace(suite([], [experiment(["a"], [100])]), tables=(table([row]),))

    assert check_suite(declared("a"), SMALL) == []
    (fault,) = check_suite(declared("typo"), SMALL)
    assert "no method 'typo'" in str(fault)


def test_seeds_below_a_suites_first_are_refused() -> None:
    declared = suite([], [experiment(["a"], [199, 200])], first_seed=FirstSeed(200, "Pilots saw the others."))
    (fault,) = check_suite(declared, SMALL)
    assert "[199]" in str(fault)
    assert "start at 200. Pilots saw the others." in str(fault)
    own = [experiment(["a"], [300], first_seed=FirstSeed(301, "One more was seen."))]
    assert "start at 301. One more was seen." in str(check_suite(suite([], own), SMALL)[0])
    with pytest.raises(SuiteError, match="No verdict may start at seed 99"):
        FirstSeed(99, "Nobody has seen them.")
    assert FirstSeed(200, "").take(3) == (200, 201, 202)
    assert check_suite(suite([], [experiment(["a"], FirstSeed().take(2))]), SMALL) == []
