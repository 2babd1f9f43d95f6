from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import Profile
from harness.cli.options import coerce, parse_bindings, parse_seeds, parse_settings, profile_named
from harness.errors import UsageError
from harness.method import Method
from harness.plan.selection import seeds_text
from harness.suite import Tuned
from tests.harness.cli.demo import ERROR, SUITE, Mean, Trimmed

METHODS: dict[str, list[Method[Any, Any] | Tuned]] = {
    "mean": [Mean()],
    "trimmed.v2": [Trimmed()],
    "tuned": [Tuned(method=Trimmed(), grid={"share": [0.1, 0.2]}, select=ERROR)],
    "both": [Mean(), Trimmed()],
}


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("3", int, 3),
        ("1e-3", float, 1e-3),
        ("3", float, 3.0),
        ("yes", bool, True),
        ("False", bool, False),
        ("a=b", str, "a=b"),
        ("none", int | None, None),
        ("4", int | None, 4),
        ("4", str | int, 4),
        ("left", Literal["left", "right"], "left"),
        ("2", Literal[1, 2], 2),
        ("red", Colour, Colour.RED),
        ("1,2, 3", tuple[int, ...], (1, 2, 3)),
        ("(1, x)", tuple[int, str], (1, "x")),
        ("0.1,0.2", list[float], [0.1, 0.2]),
        ("folder", Path, Path("folder")),
    ],
)
def test_text_becomes_the_parameters_type(text: str, hint: Any, value: Any) -> None:
    found = coerce(text, hint)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("three", int),
        ("3.5", int),
        ("x", float),
        ("maybe", bool),
        ("up", Literal["left", "right"]),
        ("blue", Colour),
        ("1,2,3", tuple[int, str]),
        ("1,x", tuple[int, ...]),
        ("x", int | None),
        ("{}", dict[str, int]),
    ],
)
def test_other_text_is_refused(text: str, hint: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        coerce(text, hint)


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_every_number_survives_being_written(value: float) -> None:
    assert coerce(str(value), type(value)) == value


def test_settings_go_by_method_and_parameter() -> None:
    given = ["trimmed.v2.share=0.1", "trimmed.v2.mode=left", "tuned.rounds=2", "trimmed.v2.sizes=5"]
    assert parse_settings(given, METHODS) == {
        "trimmed.v2": {"share": 0.1, "mode": "left", "sizes": (5,)},
        "tuned": {"rounds": 2},
    }


def test_an_id_may_name_other_methods_in_other_experiments() -> None:
    assert parse_settings(["both.share=0.1"], METHODS) == {"both": {"share": 0.1}}
    with pytest.raises(UsageError, match="shore"):
        parse_settings(["both.shore=0.1"], METHODS)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("trimed.v2.share=1", "trimmed.v2"),
        ("trimmed.v2.shore=1", "share"),
        ("trimmed.v2.share=much", "float"),
        ("trimmed.v2.rounds=1.5", "int"),
        ("trimmed.v2.mode=up", "left"),
        ("share=1", "METHOD.PARAMETER=VALUE"),
        ("trimmed.v2.share", "METHOD.PARAMETER=VALUE"),
        ("trimmed.v2.share=", "METHOD.PARAMETER=VALUE"),
        ("mean.share=1", "parameter of Mean"),
    ],
)
def test_wrong_settings_are_explained(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings([text], METHODS)
    assert part in str(caught.value)
    assert text in str(caught.value)


def test_bindings_take_the_suites_names_and_the_resources(tmp_path: Path) -> None:
    for name in ("figures", "numbers"):
        assert parse_bindings([f"{name}={tmp_path}"], SUITE, ["numbers"]) == {"numbers": tmp_path}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("figure=.", "Did you mean figures"),
        ("numbers=no/such/folder", "not a folder"),
        ("numbers", "NAME=PATH"),
    ],
)
def test_wrong_bindings_are_explained(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        parse_bindings([text], SUITE, ["numbers"])


def test_a_binding_without_effect_is_refused() -> None:
    with pytest.raises(UsageError, match="not used under this profile"):
        parse_bindings(["figures=."], SUITE, [])


def test_an_unknown_profile_gives_the_nearest() -> None:
    assert profile_named("smoke") is Profile.SMOKE
    with pytest.raises(UsageError, match="Did you mean small"):
        profile_named("smal")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("8", 8),
        ("100", 100),
        ("100,", (100,)),
        ("100-100", (100,)),
        ("103,100", (100, 103)),
        ("100-102,101, 107", (100, 101, 102, 107)),
    ],
)
def test_a_number_counts_seeds_and_a_list_chooses_them(text: str | None, value: Any) -> None:
    assert parse_seeds(text) == value
    if isinstance(value, tuple):
        assert parse_seeds(seeds_text(value)) == value


@pytest.mark.parametrize(
    "text",
    ["0", "", ",", "x", "-3", "1.5", "104-100", "100-", "100;101", "10001", "1-1000000", "9" * 20],
)
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="seed"):
        parse_seeds(text)
