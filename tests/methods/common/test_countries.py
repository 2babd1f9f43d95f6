"""One record a country, with facts that independent tables agree on."""

from __future__ import annotations

from typing import Any

import pycountry
import pytest

from methods.common import countries as c
from tests.methods.common.real_tables import atlas, tables


def test_every_code_is_in_force_and_listed_once() -> None:
    found = atlas().countries
    assert len(found) > 230
    assert set(found) <= {item.alpha_2 for item in pycountry.countries}
    assert all(code == country.code for code, country in found.items())
    # An old code may be given again; these two were not.
    assert not {"AN", "CS"} & set(found)
    reasons = {row.name: row.reason for row in atlas().left_out if row.fact == "row"}
    assert reasons["CS"] == reasons["AN"] == "withdrawn code"
    assert "Scotland" in reasons


def test_no_name_is_shared() -> None:
    owners: dict[str, str] = {}
    for country in atlas().countries.values():
        for name in (country.name, *country.others):
            assert owners.setdefault(c.plain(name), country.code) == country.code


def test_the_countries_that_were_wrong() -> None:
    found = atlas().countries
    assert (found["MM"].name, "Burma" in found["MM"].others) == ("Myanmar", True)
    assert found["RS"].capital == "Belgrade"
    assert atlas().by_capital["Belgrade"].name == "Serbia"
    assert found["GB"].capital == "London"
    assert "Wales" not in found["GB"].others
    assert [x.name for x in found.values() if x.code in ("SZ", "MK")] == ["North Macedonia", "Eswatini"]
    # Currencies that were replaced, and the capital that has its old name again.
    assert (found["HR"].currency, found["BY"].currency, found["KZ"].capital) == ("", "", "")
    assert found["US"].currency == "US Dollar"


def test_currencies_and_languages_are_named_as_iso_names_them() -> None:
    names = {item.name for item in pycountry.currencies}
    assert {x.currency for x in atlas().countries.values()} - {""} <= names
    languages = {item.name.partition(" (")[0].removeprefix("Modern ") for item in pycountry.languages}
    assert {x.language for x in atlas().countries.values()} - {""} <= languages
    assert atlas().countries["GR"].language == "Greek"


def test_every_fact_is_told_or_said_to_be_left_out() -> None:
    left = {(row.name, row.fact) for row in atlas().left_out}
    for country in atlas().countries.values():
        for fact in ("capital", "currency", "language", "continent"):
            assert bool(getattr(country, fact)) != ((country.code, fact) in left)
    assert all(row.reason for row in atlas().left_out)


def test_neighbours_are_mutual() -> None:
    ours = {row["code"]: set((row["neighbours"] or "").split(",")) for row in tables()[2]}
    for country in atlas().countries.values():
        for other in filter(None, (country.smallest, country.largest)):
            assert country.code in ours[other]


INFO: dict[str, Any] = {
    "code": "AA", "name": "Aland", "capital": "St. Ann", "currencies": ["AAD"], "languages": ["aa"],
    "region": "Europe", "borders": [], "area": 10.0,
}  # fmt: skip
NAMES: dict[str, Any] = {
    "code": "AA", "name": "Aland", "capital": "Saint Ann", "currencycode": "AAD", "languages": "aa-AA,bb",
    "continentcode": "EU", "neighbours": "", "areakm2": 10, "population": 5, "cities": ["Saint Ann"],
}  # fmt: skip
CODES: list[dict[str, Any]] = [
    {"kind": "country", "code": "AA", "long": "AAA", "names": ["Aland", "Aland, Realm of"]},
    {"kind": "country", "code": "BB", "long": "BBB", "names": ["Bland", "Bland"]},
    {"kind": "withdrawn", "code": "CC"},
    {"kind": "currency", "code": "AAD", "names": ["Aland Dollar"]},
    {"kind": "language", "code": "aa", "names": ["Modern Alandic (1453-)"]},
]


BLAND: dict[str, Any] = {"code": "BB", "name": "Bland"}


def read(infos: list[dict[str, Any]], names: list[dict[str, Any]]) -> c.Atlas:
    return c.read_countries([INFO | one for one in infos], CODES, [NAMES | one for one in names])


def test_tables_that_agree_give_a_whole_record() -> None:
    expected = c.Country(
        "AA",
        "Aland",
        population=5,
        capital="St. Ann",
        currency="Aland Dollar",
        language="Alandic",
        continent="Europe",
    )
    assert read([{}], [{}]) == c.Atlas({"AA": expected}, ())


@pytest.mark.parametrize(
    ("info", "names", "fact"),
    [
        ({"capital": "Oldtown"}, {}, "capital"),
        ({"capital": ["St. Ann", "Oldtown"]}, {}, "capital"),
        ({}, {"cities": []}, "capital"),
        ({"currencies": ["AAD", "AAX"]}, {"currencycode": "AAX"}, "currency"),
        ({"currencies": []}, {}, "currency"),
        ({"languages": ["aa", "bb"]}, {}, "language"),
        ({}, {"languages": "bb,aa"}, "language"),
        ({"region": "Asia"}, {}, "continent"),
    ],
)
def test_what_tables_disagree_on_is_left_out(info: dict[str, Any], names: dict[str, Any], fact: str) -> None:
    found = read([info], [names])
    assert getattr(found.countries["AA"], fact) == ""
    assert [row.fact for row in found.left_out] == [fact]


def test_a_currency_that_ended_and_a_fund_are_no_second_currency() -> None:
    assert read([{"currencies": ["AAD", "AAX", "CHE"]}], [{}]).countries["AA"].currency == "Aland Dollar"


def test_a_second_row_of_a_code_is_another_name_or_a_part() -> None:
    found = read([{}, {"name": "Old Aland"}, {"name": "Part", "capital": "Parton"}], [{}])
    assert found.countries["AA"].others == ("Old Aland",)
    assert not read([{}, {}], [{}]).countries


def test_a_name_needs_two_tables() -> None:
    assert read([{"name": "Elland"}], [{"name": "Elland"}]).countries["AA"].name == "Elland"
    assert not read([{"name": "Elland"}], [{"name": "Illand"}]).countries


def test_capitals_of_two_countries_name_none() -> None:
    both = read([{}, BLAND], [{}, BLAND])
    assert len(both.countries) == 2
    assert both.by_capital == {}


def test_ends_of_the_neighbours_need_the_same_answer() -> None:
    infos: list[dict[str, Any]] = [{"borders": ["BBB"]}, BLAND | {"area": 5.0}]
    found = read(infos, [{"neighbours": "BB"}, BLAND]).countries["AA"]
    assert (found.smallest, found.largest) == ("", "BB")
    other = read(infos, [{"neighbours": "BB,XK"}, BLAND])
    assert other.countries["AA"].largest == ""
    assert "XK" in next(row.reason for row in other.left_out if row.fact == "largest")
