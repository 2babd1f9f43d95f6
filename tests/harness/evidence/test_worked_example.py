"""The example in numbers of docs/evidence.md, judged."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from harness.claims import Control
from harness.evidence import judge
from harness.store.records import VerdictRecord, VerdictsRecord
from tests.harness.evidence.worlds import SMALL, claim, direction, gain, run_of, suite

PAGE = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text(encoding="utf-8").replace("−", "-")
ROWS = {
    name: (method, np.array([float(value) for value in differences.split()]), rest)
    for name, method, differences, rest in re.findall(
        r"^\| (C\d) \| (\w) - b \| ([-. \d]+) \| (.*) \|$", PAGE, flags=re.MULTILINE
    )
}
SABOTAGED = re.search(r"whose differences from b are\s+([-. \d]+?)\.\s", PAGE)


@pytest.fixture(scope="module")
def judged() -> VerdictsRecord:
    assert SABOTAGED is not None
    differences = {method: values for method, values, _ in ROWS.values()}
    differences |= {"b": np.zeros(5), "broken": np.array([float(value) for value in SABOTAGED[1].split()])}
    off = Control(id="off", title="Off", replaces={"a": "broken"}, predicts={"C1": "kill"})
    claims = [claim(direction(theta=gain(method)), name) for name, (method, *_) in ROWS.items()]
    declared = suite(claims, controls=[off])
    run = run_of({name: 0.5 + np.tile(values, (4, 1)).T for name, values in differences.items()}, declared)
    return judge(declared, SMALL, run)


@pytest.mark.parametrize("name", ["C1", "C2", "C3"])
def test_the_table_is_what_the_rules_give(judged: VerdictsRecord, name: str) -> None:
    test = next(verdict for verdict in judged.verdicts if verdict.claim == name).tests[0]
    effect, plus, minus = ROWS[name][2].split(" | ")
    assert test.effect.low is not None
    assert test.effect.high is not None
    assert effect == f"{test.effect.value:.3f} [{test.effect.low:.3f}, {test.effect.high:.3f}]"
    for printed, raw, adjusted in (
        (plus, test.p_plus, test.p_plus_adjusted),
        (minus, test.p_minus, test.p_minus_adjusted),
    ):
        assert [float(value) for value in printed.split(", ")] == pytest.approx([raw, adjusted], rel=0.06)


def test_the_verdicts_are_those_of_the_page(judged: VerdictsRecord) -> None:
    found: dict[str, VerdictRecord] = {verdict.claim: verdict for verdict in judged.verdicts}
    assert (found["C1"].verdict, found["C1"].cause) == ("reproduced", "")
    assert (found["C2"].verdict, found["C2"].cause) == ("inconclusive", "multiplicity")
    assert (found["C3"].verdict, found["C3"].cause) == ("not reproduced", "")
    assert found["C2"].needed_seeds == {"θ = 2δ": 10, "θ = 0": 30}
    (control,) = judged.controls
    assert (control.outcome, "real − control = 0.18" in control.detail) == ("kill", True)
