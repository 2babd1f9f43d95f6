"""``paper.toml``: what it is read into, and the line of everything that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.claims import NotRun, Profile, at
from harness.errors import SuiteError
from harness.suite import Paper, Standing
from harness.suite.paper_file import line_of

RECORD = '''slug = "toy"
title = "A Toy"
authors = ["A. Author"]
arxiv = "2401.00001"
year = 2024
venue = "nowhere"
summary = """
[[claim]]
id = "not a claim"
"""
bibtex = "@misc{toy}"
'''
TABLES = """
[[claim]]
id = "C1"
statement = "It is better."
source = "abstract"

[[claim.part]]
id = "C1a"
statement = "On one set."
source = "Table 1"
reported = ["gain"]
essential = false

[[claim.part]]
id = "C1b"
statement = "On another."
source = "Table 2"
relies_on = ["C2"]

[[claim]]
id = "C2"
statement = "It is exact."
source = "Theorem 1"
note = "Checked."

[[reported]]
id = "gain"
value = 3
where = "Table 1"
standing = "verified"

[[deviation]]
id = "D1"
field = "model"
paper = "A large one."
here = "A small one."
effect = "Smaller."
profiles = ["small"]
claims = ["C1a"]
"""
RULE = at(Profile.SMALL, NotRun("no"))


def read(folder: Path, text: str) -> Paper:
    path = folder / "paper.toml"
    path.write_text(text, encoding="utf-8")
    return Paper.read(path)


def line(text: str, fragment: str, which: int = 1) -> int:
    """The line of the n-th occurrence of a fragment, by counting."""
    found = [number for number, one in enumerate(text.splitlines(), start=1) if fragment in one]
    return found[which - 1]


def test_claims_parts_numbers_and_deviations_are_read(tmp_path: Path) -> None:
    paper = read(tmp_path, RECORD + TABLES)
    assert [(one.id, one.parent, one.essential) for one in paper.statements] == [
        ("C1", "", True),
        ("C1a", "C1", False),
        ("C1b", "C1", True),
        ("C2", "", True),
    ]
    assert paper.statements[2].relies_on == ("C2",)
    assert paper.statements[3].note == "Checked."
    assert repr(paper.reported["gain"].value) == "3"  # A whole number stays one, in CSV and hashes.
    assert paper.reported["gain"].standing is Standing.VERIFIED
    assert paper.deviations[0].profiles == (Profile.SMALL,)


@pytest.mark.parametrize(
    ("edit", "fragment", "which", "told"),
    [
        (('source = "Table 2"\n', ""), "[[claim.part]]", 2, "claim.part.source: field required"),
        (('statement = "It is exact."', "statement = 3"), "statement = 3", 1, "should be a valid string"),
        (("essential = false", 'essentail = "no"'), "essentail", 1, "claim.part.essentail"),
        (('standing = "verified"', 'standing = "sure"'), "standing", 1, "reported.standing"),
        (('profiles = ["small"]', 'profiles = ["tiny"]'), "profiles", 1, "deviation.profiles"),
        (('effect = "Smaller."\n', ""), "[[deviation]]", 1, "deviation.effect: field required"),
        (("year = 2024", 'year = "soon"'), "year", 1, "year: "),
        (('venue = "nowhere"\n', ""), "slug", 1, "venue: field required"),
        (('id = "C2"', 'id = "C1b"'), 'id = "C1b"', 2, "'C1b' is claimed 2 times"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, edit: tuple[str, str], fragment: str, which: int, told: str
) -> None:
    text = RECORD + TABLES
    assert text.count(edit[0]) == 1
    text = text.replace(*edit)
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    lines = (f"line {line(text, fragment, which)}:", f"and {line(text, fragment, which)}:")
    assert any(one in str(caught.value) for one in lines)
    assert str(tmp_path / "paper.toml") in str(caught.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = (RECORD + TABLES).replace('source = "Table 2"\n', "").replace('effect = "Smaller."\n', "")
    with pytest.raises(SuiteError, match=r"(?s)claim\.part\.source.*deviation\.effect"):
        read(tmp_path, text)


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"not TOML.*line 12"):
        read(tmp_path, RECORD + "[[claim\n")


def test_a_header_inside_a_string_is_none() -> None:
    assert line_of(RECORD + TABLES, ("claim", 0)) == line(RECORD + TABLES, "[[claim]]", 2)


def test_claims_get_their_rules(tmp_path: Path) -> None:
    paper = read(tmp_path, RECORD + TABLES)
    claims = paper.claims({"C1a": RULE, "C1b": RULE, "C2": RULE})
    assert [dict(claim.forms) for claim in claims] == [{}, RULE, RULE, RULE]
    assert claims[1].reported == ("gain",)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("C1a", "C1b"), "No rule decides 'C2'"),
        (("C1", "C1a", "C1b", "C2"), "'C1' has parts and a rule"),
        (("C1a", "C1b", "C2", "C2x"), r"'C2x', which is no claim(?s:.)*Known: C2"),
    ],
)
def test_rules_and_claims_must_fit(tmp_path: Path, names: tuple[str, ...], told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        read(tmp_path, RECORD + TABLES).claims(dict.fromkeys(names, RULE))


@pytest.mark.parametrize(
    ("written", "expected"), [("0.9", (0.9,)), ("[1, 2.5]", (1.0, 2.5)), ("50", (50.0,))]
)
def test_a_claim_may_name_thresholds(tmp_path: Path, written: str, expected: tuple[float, ...]) -> None:
    paper = read(
        tmp_path, RECORD + TABLES.replace('source = "Table 1"', f'source = "Table 1"\nthreshold = {written}')
    )
    part = next(item for item in paper.statements if item.id == "C1a")
    assert part.threshold == expected
    assert part.ruled({}).threshold == expected


@pytest.mark.parametrize("written", ["0", "nan", '"0.9"', '["a"]', "true"])
def test_a_threshold_that_is_none_is_told_with_its_line(tmp_path: Path, written: str) -> None:
    tables = TABLES.replace('source = "Table 1"', f'source = "Table 1"\nthreshold = {written}')
    told = line(RECORD + tables, "threshold")
    with pytest.raises(SuiteError, match=f"line {told}: claim.part.threshold"):
        read(tmp_path, RECORD + tables)


@pytest.mark.parametrize("field", ["threshold = 0.5", 'same_as = "C2"'])
def test_a_compound_claim_has_neither_threshold_nor_twin(tmp_path: Path, field: str) -> None:
    tables = TABLES.replace('source = "abstract"', f'source = "abstract"\n{field}')
    told = line(RECORD + tables, field)
    with pytest.raises(SuiteError, match=f"line {told}: 'C1' is decided by its parts"):
        read(tmp_path, RECORD + tables)


def test_a_primary_claim_has_primary_parts(tmp_path: Path) -> None:
    tables = TABLES.replace('source = "abstract"', 'source = "abstract"\nprimary = true')
    paper = read(tmp_path, RECORD + tables)
    assert {item.id for item in paper.statements if item.primary} == {
        item.id for item in paper.statements if "C1" in (item.id, item.parent)
    }
    assert not any(item.primary for item in read(tmp_path, RECORD + TABLES).statements)
