"""Logarithms of ratios are shown as ratios in every format; records and CSV keep the logarithm."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from harness.claims import (
    Contrast,
    Direction,
    Equivalence,
    Form,
    Precondition,
    Profile,
    Time,
    Value,
    log,
)
from harness.claims.ratios import factor_text, is_log_ratio
from harness.cli.verdicts import verdict_lines
from harness.evidence import judge
from harness.method import mean_of
from harness.store.records import VerdictRecord
from harness.suite import (
    PaperFigure,
    PaperTable,
    Reported,
    ReportedRef,
    Scale,
    Series,
    Standing,
    Suite,
    TableRow,
)
from reports import csvs, html, latex, markdown
from reports.build import build
from reports.document import Document
from reports.macros import macros
from tests.harness.evidence.worlds import cell, claim, gain, suite, timed_experiment, timed_run

SECONDS = mean_of("seconds", better="lower")
SLOW, FAST = (cell(name, SECONDS, part="time") for name in ("slow", "fast"))
SPEEDUP = log(SLOW) - log(FAST)
NOISE = np.exp(0.04 * np.tile([-1.0, 1.0], 5))
"""Ten blocks; the mean logarithm is zero, and the t interval ± .0302."""
TIMES = {"slow": 0.72 * NOISE, "fast": np.ones(10)}
PAPER = Reported(id="speed", value=2.13, where="Table 1", standing=Standing.VERIFIED, unit="times")
MORE: Mapping[str, Any] = {"delta": math.log(1.05), "delta_reason": "r"}


def declared(form: Form, profile: Profile = Profile.SMALL) -> Suite:
    table = PaperTable(
        id="speed",
        title="Speed",
        columns={"gain": "speed-up", "paper": "paper"},
        rows=[TableRow(label="fast", entries={"gain": SPEEDUP, "paper": ReportedRef("speed")})],
        source="Table 1",
    )
    figure = PaperFigure(
        id="line",
        title="Speed",
        x="size",
        y="log(slow / fast)",
        series=[Series(label="fast", points=((1, SPEEDUP),))],
    )
    return suite(
        [claim(form, profile=profile, reported=("speed",))],
        [timed_experiment(["slow", "fast"])],
        reported={"speed": PAPER},
        tables=(table,),
        figures=(figure,),
    )


def judged(form: Form, profile: Profile = Profile.SMALL) -> tuple[Document, VerdictRecord, str]:
    """The report, the verdict and what the command line prints."""
    made, scale = declared(form, profile), Scale(profile=profile)
    run = timed_run(TIMES, made, profile=str(profile))
    found = judge(made, scale, run)
    return build(made, scale, run, found), found.verdicts[0], "\n".join(verdict_lines(found))


def test_a_time_is_a_ratio_in_every_format() -> None:
    document, verdict, printed = judged(Time(SLOW, FAST, **MORE))
    [test] = verdict.tests
    assert test.effect.value == pytest.approx(math.log(0.72))
    assert (test.label, test.ratio and test.ratio.label) == (
        "seconds: log slow − log fast",
        "seconds: slow / fast",
    )
    assert "0.72 times [0.70, 0.74]" in printed
    assert not re.search("[-−]0.32", printed)
    assert "seconds: slow / fast = 0.72 times [0.70, 0.74], reversed" in verdict.reason
    assert "δ = a factor of 1.050" in verdict.reason
    plain = markdown.render(document)
    assert (
        plain.count("0.72 times \\[0.70, 0.74\\]") == 4
    )  # Verdict table, reason, card, and the suite's table.
    assert "2.13 times" in plain
    assert "seconds: slow / fast \\(θ is its logarithm; t over blocks \\(9 df\\)\\)" in plain
    assert "1.050 times, because r" in plain
    tex = latex.render(document)
    assert r"$0.72$~times {\scriptsize [$0.70$, $0.74$]}" in tex
    assert r"\newcommand{\ToyClaimCOneTestOneEffect}{$0.72$~times}" in macros(document)
    page = html.render(document)
    assert '0.72</data><span class="unit"> times</span> <span class="ci">[0.70, 0.74]</span>' in page
    assert re.search("<data value='0.7[12]", page)
    # The axis of the figure says that it is a logarithm, and keeps it.
    assert not re.search("[-−]0.32", tex)
    assert len(re.findall("[-−]0.32", plain)) == 1


def test_csv_keeps_the_logarithm() -> None:
    document, _, _ = judged(Time(SLOW, FAST, **MORE))
    numbers = list(csv.DictReader(io.StringIO(csvs.numbers(document))))
    effect = next(row for row in numbers if row["name"] == "C1/test 1/effect")
    assert float(effect["value"]) == pytest.approx(math.log(0.72))
    assert effect["unit"] == ""
    [row] = csv.DictReader(io.StringIO(csvs.render(document)["speed.csv"]))
    assert float(row["gain"]) == pytest.approx(math.log(0.72))


def test_a_factor_that_is_taken_off_inside_comes_back() -> None:
    """θ = log(slow / fast) − log 2: the ratio is shown, not half of it."""
    _, verdict, printed = judged(Direction(SPEEDUP - math.log(2), min_seeds=1, **MORE))
    assert "0.72 times [0.70, 0.74]" in printed
    assert verdict.tests[0].effect.value == pytest.approx(math.log(0.36))


def test_a_value_is_shown_beside_the_ratio_that_the_paper_reports() -> None:
    form = Value(SPEEDUP, reported="speed", margin=0.1, margin_reason="r")
    document, verdict, printed = judged(form, Profile.PAPER)
    assert verdict.tests[0].effect.value == pytest.approx(math.log(0.72 / 2.13))
    assert verdict.verdict == "not reproduced"
    assert "0.72 times" in printed
    assert "2.13 times" in markdown.render(document)
    assert "θ is its logarithm over 2.13" in markdown.render(document)


def test_margins_and_preconditions_are_factors() -> None:
    assay = Precondition(name="it is slow", theta=SPEEDUP, above=math.log(1.5), reason="r")
    _, verdict, printed = judged(Equivalence(SPEEDUP, margin=0.01, margin_reason="r", preconditions=(assay,)))
    assert verdict.assays[0].rule == "interval above 1.50 times"
    assert "'it is slow' failed: 0.72 times [0.70, 0.74], wanted interval above 1.50 times" in printed


@pytest.mark.parametrize(
    ("theta", "expected"),
    [
        (SPEEDUP, True),
        (SPEEDUP - 0.3, True),
        (-SPEEDUP, True),
        (log(SLOW) - 1.0, False),
        (gain(), False),
        (2 * SPEEDUP, False),
        (Contrast(((1.0, SLOW), (-1.0, FAST), (-1.0, cell("a")), (1.0, cell("b"))), log=True), False),
    ],
)
def test_only_a_logarithm_of_one_ratio_is_one(theta: Contrast, expected: object) -> None:
    assert is_log_ratio(theta) is expected


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.7213, "0.72"),
        (2.134, "2.13"),
        (1.0184, "1.018"),
        (0.999, "0.999"),
        (12.34, "12.3"),
        (1265.0, "1,265"),
        (0.00123, "1.23e-03"),
        (math.inf, "inf"),
    ],
)
def test_a_factor_has_the_digits_that_it_needs(ratio: float, text: str) -> None:
    assert factor_text(ratio) == text
