"""Exact properties, the sampler law and existence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from harness.claims import Exact, Existence, Form, SamplerLaw
from harness.evidence import judge
from harness.evidence.context import RunContext
from harness.evidence.series import Reader
from harness.store.memory import MemoryRun
from harness.store.records import VerdictRecord
from tests.harness.evidence.worlds import SMALL, cell, claim, direction, record, run_of, seeded, suite, trial


def exact_run(errors: Mapping[str, Sequence[tuple[float, bool]]], tolerance: float = 1e-6) -> MemoryRun:
    """One trial a method; each case is (error, confirmed)."""
    run = MemoryRun(record([f"e/t/{method}/100" for method in errors]))
    for method, cases in errors.items():
        run.add(
            trial(method, 100),
            main={
                "unit_id": np.arange(len(cases)),
                "error": [error for error, _ in cases],
                "tolerance": [tolerance] * len(cases),
                "case": [f"case {i}" for i in range(len(cases))],
                "confirmed": [confirmed for _, confirmed in cases],
                "witness": [error > tolerance for error, _ in cases],
            },
        )
    return run


def law_run(depths: Mapping[str, Sequence[np.ndarray]]) -> MemoryRun:
    """PIT values for each method and depth, over two seeds."""
    planned = [f"e/t/{method}/{seed}" for method in depths for seed in (100, 101)]
    run = MemoryRun(record(planned))
    for method, values in depths.items():
        for seed, half in ((100, 0), (101, 1)):
            rows = [(d, v) for d, pit in enumerate(values, 1) for v in pit[half::2]]
            depth, pit = zip(*rows, strict=True)
            run.add(trial(method, seed), main={"unit_id": np.arange(len(rows)), "depth": depth, "pit": pit})
    return run


def verdict(form: Form, run: MemoryRun) -> VerdictRecord:
    return judge(suite([claim(form)]), SMALL, run).verdicts[0]


EXACT = Exact(cells=(cell("a"),), oracle="a linear program", min_cases=3)
FINE = (1e-9, False)


@pytest.mark.parametrize(
    ("cases", "expected", "cause"),
    [
        ([FINE] * 3, "reproduced", ""),
        ([FINE, FINE, (0.5, True)], "not reproduced", ""),
        ([FINE, FINE, (-0.5, True)], "not reproduced", ""),
        ([FINE, FINE, (0.5, False)], "inconclusive", "invalid"),
        ([FINE, FINE, (float("nan"), False)], "inconclusive", "invalid"),
        ([FINE, FINE, (float("nan"), True)], "not reproduced", ""),
        ([FINE] * 2, "inconclusive", "power"),
    ],
)
def test_exact(cases: list[tuple[float, bool]], expected: str, cause: str) -> None:
    found = verdict(EXACT, exact_run({"a": cases}))
    assert (found.verdict, found.cause) == (expected, cause)


def test_exact_says_in_how_many_cases_and_by_which_oracle() -> None:
    found = verdict(EXACT, exact_run({"a": [FINE] * 7}))
    assert "7 cases" in found.reason
    assert "a linear program" in found.reason
    assert found.tests[0].units == 7


def test_exact_needs_its_columns() -> None:
    run = exact_run({"a": [FINE] * 3})
    del run.tables["e/t/a/100", "main"]["tolerance"]
    finding = EXACT.examine(RunContext(Reader(run), np.random.default_rng(0), {}))
    assert finding.settled is not None
    assert "tolerance" in finding.settled.reason


def test_a_claim_over_a_broken_property_is_invalid() -> None:
    exact = claim(EXACT, "C4")
    effect = claim(direction(), "C1", relies_on=("C4",))
    for error, expected in ((1e-9, "reproduced"), (0.5, "inconclusive")):
        run = run_of(seeded([0.2, 0.21, 0.19, 0.2, 0.2]))
        exact_rows = exact_run({"a": [(error, True)] * 3}).tables["e/t/a/100", "main"]
        for (name, _), table in run.tables.items():
            if "/a/" in name:
                score = table["score"][:3]
                table.update({**exact_rows, "score": score, "unit_id": np.array(["u0", "u1", "u2"])})
            else:
                table.update({"score": table["score"][:3], "unit_id": np.array(["u0", "u1", "u2"])})
        _, found = judge(suite([exact, effect]), SMALL, run).verdicts
        assert found.verdict == expected
    assert found.cause == "invalid"
    assert "C4" in found.reason


LAW = SamplerLaw(cell=cell("a"), depths=3, min_tokens=10_000)


def _uniform(n: int = 12_000) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.random(n) for _ in range(3)]


def test_law_of_uniform_values_holds() -> None:
    found = verdict(LAW, law_run({"a": _uniform()}))
    assert found.verdict == "reproduced"
    assert [test.units for test in found.tests] == [12_000] * 3


def test_a_fault_at_one_depth_is_found_and_named() -> None:
    values = _uniform()
    values[1] = np.sqrt(values[1])
    found = verdict(LAW, law_run({"a": values}))
    assert found.verdict == "not reproduced"
    assert "depth 2" in found.reason


def test_too_few_tokens_at_a_depth_give_no_verdict() -> None:
    values = _uniform()
    values[2] = values[2][:9_000]
    found = verdict(LAW, law_run({"a": values}))
    assert (found.verdict, found.cause) == ("inconclusive", "power")
    values[2] = values[2][:0]
    assert verdict(LAW, law_run({"a": values})).cause == "power"


def _grid(n: int, stretch: float) -> np.ndarray:
    """Evenly spread values whose distance from uniformity is almost exactly stretch − 1."""
    return np.clip(stretch * (np.arange(n) + 0.5) / n, 0, 1)


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [(1.01, "reproduced"), (1.02, "inconclusive"), (1.04, "inconclusive"), (1.06, "not reproduced")],
)
def test_distance_and_band_together_must_stay_within_the_margin(stretch: float, expected: str) -> None:
    # The band is ± .0136 for 10,000 tokens, and the margin .03.
    values = [_grid(10_000, stretch), *_uniform(100_000)[1:]]
    assert verdict(LAW, law_run({"a": values})).verdict == expected


def test_the_depth_with_the_widest_bound_decides() -> None:
    values = [_grid(60_000, 1.02), _grid(10_000, 1.018), _grid(10_000, 1.0)]
    found = verdict(LAW, law_run({"a": values}))
    assert (found.verdict, found.cause) == ("inconclusive", "power")
    assert "depth 2" in found.reason


def test_values_outside_the_unit_interval_fail() -> None:
    values = _uniform()
    values[0][0] = np.nan
    assert verdict(LAW, law_run({"a": values})).verdict == "not reproduced"


def test_law_with_a_broken_enumeration_fails() -> None:
    run = law_run({"a": _uniform()})
    broken = exact_run({"exact": [(0.1, True)]})
    run.record.planned.append("e/t/exact/100")
    run.add(broken.trials["e/t/exact/100"], main=broken.tables["e/t/exact/100", "main"])
    form = SamplerLaw(cell=cell("a"), depths=3, exact=(cell("exact"),))
    assert verdict(form, run).verdict == "not reproduced"


@pytest.mark.parametrize(
    ("cases", "expected", "cause"),
    [
        ([FINE, (0.5, True)], "reproduced", ""),
        ([FINE, (0.5, False)], "inconclusive", "no witness"),
        ([FINE], "inconclusive", "no witness"),
    ],
)
def test_existence(cases: list[tuple[float, bool]], expected: str, cause: str) -> None:
    found = verdict(Existence(cell=cell("a"), oracle="a checker"), exact_run({"a": cases}))
    assert (found.verdict, found.cause) == (expected, cause)
